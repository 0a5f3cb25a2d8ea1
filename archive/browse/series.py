"""Series of figures: the list of them, and one with its chart, each point with its sentence."""

from __future__ import annotations

import sqlite3
from itertools import pairwise
from typing import Any

from datasette.utils.asgi import NotFound, Response

from archive.browse.context import Frame, open_frame
from archive.browse.drawing import Point
from archive.browse.drawing import points as draw_points
from archive.figures.series import CitedFigure, Wanted, find_series, list_series, points_of

_PAGE = 50  # series on a page
_NEWEST = 400  # points of a series: a chart with more shows less


async def page(datasette: Any, request: Any) -> Response:
    """The series, those with the most points first (``?edition=``, ``unit=``, ``place=``, ``falls=``)."""
    frame = await open_frame(datasette, request)
    number = max(1, frame.number("page", 1, 10_000))
    edition, falls = frame.chosen("edition", ("en", "ar")), bool(frame.argument("falls"))
    wanted = Wanted(
        edition or None, frame.argument("unit") or None, frame.argument("place") or None, falls=falls
    )
    found = await frame.ask(lambda conn: list(list_series(conn, wanted, _PAGE + 1, _PAGE * (number - 1))))
    asked = {"edition": edition, "unit": wanted.unit, "place": wanted.place, "falls": "1" if falls else ""}
    context = {"found": found[:_PAGE], "is_more": len(found) > _PAGE, "number": number, "asked": asked}
    return await frame.page("sohr_series.html", context | {"written": _write})


async def points(datasette: Any, request: Any) -> Response:
    """One series: its chart, and a line for each point with its sentence and its citation."""
    frame = await open_frame(datasette, request)
    name = str(request.url_vars["name"])
    series, found = await frame.ask(lambda conn: _read(conn, name))
    if series is None or not found:
        raise NotFound(frame.language.text("series.missing"))
    fallen = {new.citation for old, new in pairwise(found) if new.value < old.value}
    context = {"series": series, "points": found, "fallen": fallen, "chart": _chart(frame, found)}
    return await frame.page("sohr_points.html", context | {"written": _write})


def _read(conn: sqlite3.Connection, name: str) -> tuple[Any, list[CitedFigure]]:
    return find_series(conn, name), points_of(conn, name, newest=_NEWEST)


def _chart(frame: Frame, found: list[CitedFigure]) -> Any:
    values = [point.value for point in found]
    label = frame.language.text(
        "series.chart",
        count=len(found),
        first=found[0].at[:10],
        last=found[-1].at[:10],
        lowest=f"{min(values):,.15g}",
        highest=f"{max(values):,.15g}",
    )
    shown = [
        Point(one.at, one.value, f"{one.at[:10]}: {_write(one)}. {one.sentence} {one.citation}", f"#p{n}")
        for n, one in enumerate(found)
    ]
    return draw_points(label, shown, rtl=frame.language.is_rtl)


def _write(figure: CitedFigure) -> str:
    """A value as a page shows it: 1,066, or 13 to 16."""
    to = "" if figure.value_to is None else f"–{figure.value_to:,.15g}"
    return f"{figure.value:,.15g}{to}"
