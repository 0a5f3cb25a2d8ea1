"""Pictures drawn on the server: plain SVG with a title for each part, coloured by the style sheet, no
script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

from markupsafe import Markup, escape

_ids = count(1)


@dataclass(frozen=True, slots=True)
class Day:
    """A day in a calendar: how its square looks, and what it says."""

    look: str  # a class of the style sheet: whole, part, waiting
    says: str


def _svg(width: int, height: int, name: str, inner: str, label: str) -> Markup:
    place = f"picture-{next(_ids)}"
    return Markup(
        '<svg class="picture {}" viewBox="0 0 {} {}" role="img" aria-labelledby="{}"><title id="{}">{}</title>{}</svg>'
    ).format(
        name,
        width,
        height,
        place,
        place,
        label,
        Markup(inner),  # noqa: S704  # our own markup; names and labels were escaped where they went in
    )


def bars(
    label: str, series: Sequence[str], columns: Sequence[tuple[str, Sequence[int]]], height: int = 120
) -> Markup:
    """Stacked bars, one a column: ``columns`` are (name, numbers in the order of ``series``)."""
    if not columns:
        return Markup("")
    width, low, left = 720, height - 18, 34
    top = max(1, *(sum(numbers) for _, numbers in columns))
    step = min(48.0, (width - left) / len(columns))
    parts = [
        f'<text x="{left - 5}" y="10" class="axis end">{top:,}</text><text x="{left - 5}" y="{low}" class="axis end">0</text>'
    ]
    parts.append(f'<path class="rule" d="M{left} {low}.5H{width}"/>')
    for place, (name, numbers) in enumerate(columns):
        says = f"{name}: " + ", ".join(
            f"{number:,} {what}" for number, what in zip(numbers, series, strict=True)
        )
        x, y = left + place * step, float(low)
        drawn = [f"<g><title>{escape(says)}</title>"]
        drawn.append(f'<rect class="air" x="{x:.1f}" y="0" width="{step:.1f}" height="{low}"/>')
        for which, number in enumerate(numbers):
            tall = number / top * (low - 6)
            y -= tall
            if number:
                drawn.append(
                    f'<rect class="bar b{which}" x="{x + step * 0.1:.1f}" y="{y:.1f}" width="{step * 0.8:.1f}" height="{tall:.1f}"/>'
                )
        parts += [*drawn, "</g>"]
    parts.append(f'<text x="{left}" y="{height - 4}" class="axis">{escape(columns[0][0])}</text>')
    if step * len(columns) > 130:  # room for both names
        parts.append(
            f'<text x="{left + step * len(columns):.1f}" y="{height - 4}" class="axis end">{escape(columns[-1][0])}</text>'
        )
    return _svg(width, height, "bars", "".join(parts), label)


def calendar(label: str, since: date, until: date, days: Mapping[str, Day]) -> Markup:
    """Weeks from left to right, Mondays on top. A day that is not in ``days`` is an empty square."""
    first = since - timedelta(days=since.weekday())
    weeks = (until - first).days // 7 + 1
    size, left, top = 13, 30, 16
    parts = [
        f'<text x="0" y="{top + row * size + 10}" class="axis">{name}</text>'
        for row, name in ((0, "Mon"), (3, "Thu"), (6, "Sun"))
    ]
    at, month, free = since, 0, 0
    while at <= until:
        week, row = divmod((at - first).days, 7)
        x, y = left + week * size, top + row * size
        if at.month != month:
            month = at.month
            if x >= free:
                parts.append(
                    f'<text x="{x}" y="11" class="axis">{at:%b}{f" {at:%Y}" if month == 1 else ""}</text>'
                )
                free = x + (58 if month == 1 else 30)
        day = days.get(at.isoformat())
        says = f"{at.isoformat()}: {day.says if day else 'no post known'}"
        square = f'<rect class="day {day.look if day else "none"}" x="{x}" y="{y}" width="{size - 2}" height="{size - 2}">'
        parts.append(f"{square}<title>{escape(says)}</title></rect>")
        if day and day.look != "whole":  # not told by colour alone
            mark = "M{0} {1}h5" if day.look == "part" else "M{0} {1}h5m-2.5 -2.5v5"
            parts.append(f'<path class="sign" d="{mark.format(x + 3, y + 5.5)}"/>')
        at += timedelta(days=1)
    return _svg(left + weeks * size, top + 7 * size, "calendar", "".join(parts), label)


def steps(
    label: str, columns: Sequence[str], chains: Iterable[tuple[str, Sequence[int | None]]], height: int = 150
) -> Markup:
    """Figures over the versions of a post: one line a chain, a number at each place; None where it does not
    stand."""
    drawn = list(chains)
    known = [value for _, values in drawn for value in values if value is not None]
    if not known or len(columns) < 2:
        return Markup("")
    width, left, right, low, high = 480, 40, 40, height - 24, 24
    top, bottom = max(known), min(0, *known)
    reach = max(1, top - bottom)
    step = (width - left - right) / (len(columns) - 1)
    parts = [f'<path class="rule" d="M{left} {low}.5H{width - right}"/>']
    for place, name in enumerate(columns):
        if place in (0, len(columns) - 1) or len(columns) <= 3:
            side = "start" if place == 0 else "end" if place == len(columns) - 1 else "mid"
            parts.append(
                f'<text x="{left + place * step:.1f}" y="{height - 5}" class="axis {side}">{escape(name)}</text>'
            )
    for which, (name, values) in enumerate(drawn):
        points = [
            (left + p * step, low - (v - bottom) / reach * (low - high), v, columns[p])
            for p, v in enumerate(values)
            if v is not None
        ]
        path = "".join(f"{'M' if n == 0 else 'L'}{x:.1f} {y:.1f}" for n, (x, y, _, _) in enumerate(points))
        parts.append(f'<g class="line l{which % 4}"><title>{escape(name)}</title><path d="{path}"/>')
        told = None
        for x, y, value, column in points:
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{escape(column)}: {value:,}</title></circle>'
            )
            if value != told:
                parts.append(f'<text x="{x:.1f}" y="{y - 8:.1f}" class="value">{value:,}</text>')
            told = value
        parts.append("</g>")
    return _svg(width, height, "steps", "".join(parts), label)
