"""How crawls went, and which days are complete."""

from __future__ import annotations

import sqlite3
from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from datasette.utils.asgi import Response
from markupsafe import Markup

from archive.browse.context import open_frame, rows
from archive.browse.drawing import Day, calendar
from archive.browse.language import Language
from archive.model import EDITIONS

_CRAWLS = 100
_DAYS = """select day, sighted, captured, uncaptured, listed_whole, is_copied from coverage
    where edition = ? and day between ? and ?"""
_FAILURES = (
    "select reason, count(*) as times, max(at) as last from failures group by reason order by times desc"
)


async def crawls(datasette: Any, request: Any) -> Response:
    """The last runs, and what could not be read."""
    frame = await open_frame(datasette, request)
    return await frame.page("sohr_crawls.html", await frame.ask(_crawls))


def _crawls(conn: sqlite3.Connection) -> dict[str, Any]:
    newest = "select url, reason, detail, at from failures order by failure_id desc limit 25"
    return {
        "crawls": rows(conn, "select * from crawl_health order by started_at desc limit ?", _CRAWLS),
        "failures": rows(conn, _FAILURES),
        "newest": rows(conn, newest),
    }


async def coverage(datasette: Any, request: Any) -> Response:
    """The calendar of a year (``?year=``), by edition, with the same in numbers."""
    frame = await open_frame(datasette, request)
    wanted = frame.number("year", 0, 9999)

    def ask(conn: sqlite3.Connection) -> dict[str, Any]:
        return _coverage(conn, wanted, frame.language)

    return await frame.page("sohr_coverage.html", await frame.ask(ask))


def _coverage(conn: sqlite3.Connection, wanted: int, t: Language) -> dict[str, Any]:
    first, last = span(conn)
    newest = int(last[:4]) if last else datetime.now(UTC).year
    oldest = int(first[:4]) if first else newest
    year = wanted if oldest <= wanted <= newest else newest
    since, until = date(year, 1, 1), date(year, 12, 31)
    drawn = []
    for edition in EDITIONS:
        name = t.name("edition", f"site_{edition}")
        days = {row["day"]: row for row in rows(conn, _DAYS, edition, since.isoformat(), until.isoformat())}
        drawn.append((name, draw(t, name, since, until, days), _months(year, days)))
    return {"year": year, "years": list(range(newest, oldest - 1, -1)), "drawn": drawn}


def span(conn: sqlite3.Connection) -> tuple[str, str]:
    """The first and the last day of which the archive knows a post; empty where it knows none."""
    ends = "select min(day), max(day) from day_counts where edition = ? and day != '' and sighted > 0"
    found = [row for edition in EDITIONS if (row := conn.execute(ends, (edition,)).fetchone())[0]]
    return (min(row[0] for row in found), max(row[1] for row in found)) if found else ("", "")


def recent(conn: sqlite3.Connection, t: Language, weeks: int = 26) -> list[tuple[str, Markup]]:
    """The calendar of the last weeks that have posts, by edition."""
    try:
        until = date.fromisoformat(span(conn)[1])
    except ValueError:
        return []
    since = max(
        until - timedelta(weeks=weeks), min(date.fromisoformat(span(conn)[0]), until - timedelta(weeks=8))
    )
    found = []
    for edition in EDITIONS:
        name = t.name("edition", f"site_{edition}")
        days = {row["day"]: row for row in rows(conn, _DAYS, edition, since.isoformat(), until.isoformat())}
        found.append((name, draw(t, name, since, until, days)))
    return found


def draw(t: Language, name: str, since: date, until: date, days: Mapping[str, Mapping[str, Any]]) -> Markup:
    """A calendar of one edition."""
    squares = {}
    copied, listed, unlisted = (t(f"calendar.{key}") for key in ("copied", "listed", "unlisted"))
    for day, row in days.items():
        look = "waiting" if row["uncaptured"] else "whole" if row["listed_whole"] else "part"
        says = t.text(
            "calendar.day",
            day=day,
            posts=row["sighted"],
            captured=row["captured"],
            waiting=row["uncaptured"],
            listing=copied if row["is_copied"] else listed if row["listed_whole"] else unlisted,
        )
        squares[day] = Day(look, says)
    label = t.text("calendar.label", edition=name, since=since.isoformat(), until=until.isoformat())
    return calendar(t, label, since, until, squares)


def _months(year: int, days: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for month in range(1, 13):
        here = [row for day, row in days.items() if day.startswith(f"{year}-{month:02d}-")]
        if here:
            sums = {
                name: sum(row[name] or 0 for row in here)
                for name in ("sighted", "captured", "uncaptured", "listed_whole", "is_copied")
            }
            found.append(
                {"month": f"{year}-{month:02d}", "days": monthrange(year, month)[1], "with_posts": len(here)}
                | sums
            )
    return found
