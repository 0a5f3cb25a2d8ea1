"""Pictures drawn on the server as SVG: each part has a title, the style sheet gives the colours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count

from markupsafe import Markup, escape

from archive.browse.language import Language

_ids = count(1)
_LEFT, _RIGHT = 4, 96  # percent of a picture's width that a time axis takes


@dataclass(frozen=True, slots=True)
class Day:
    """A day in a calendar: how its square looks, and what it says."""

    look: str  # a class of the style sheet: whole, part, waiting
    says: str


def _svg(width: int, height: int, name: str, inner: str, label: str) -> Markup:
    place = f"picture-{next(_ids)}"
    return Markup(
        '<svg class="picture {}" viewBox="0 0 {} {}" role="img" aria-labelledby="{}"><title '
        'id="{}">{}</title>{}</svg>'
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
    label: str,
    series: Sequence[str],
    columns: Sequence[tuple[str, Sequence[int]]],
    height: int = 120,
    *,
    rtl: bool = False,
) -> Markup:
    """Stacked bars, one a column: ``columns`` are (name, numbers in the order of ``series``). On a page that
    runs from right to left (``rtl``) the first stands at the right."""
    if not columns:
        return Markup("")
    width, low, left = 720, height - 18, 34
    top = max(1, *(sum(numbers) for _, numbers in columns))
    step = min(48.0, (width - left) / len(columns))

    def turn(x: float, wide: float = 0) -> float:
        return width - x - wide if rtl else x

    parts = [
        f'<text x="{turn(left - 5):.0f}" y="{y}" class="axis end">{value:,}</text>'
        for y, value in ((10, top), (low, 0))
    ]
    parts.append(f'<path class="rule" d="M{turn(left):.0f} {low}.5H{turn(width):.0f}"/>')
    for place, (name, numbers) in enumerate(columns):
        says = f"{name}: " + ", ".join(
            f"{number:,} {what}" for number, what in zip(numbers, series, strict=True)
        )
        x, y = turn(left + place * step, step), float(low)
        drawn = [f"<g><title>{escape(says)}</title>"]
        drawn.append(f'<rect class="air" x="{x:.1f}" y="0" width="{step:.1f}" height="{low}"/>')
        for which, number in enumerate(numbers):
            tall = number / top * (low - 6)
            y -= tall
            if number:
                drawn.append(
                    f'<rect class="bar b{which}" x="{x + step * 0.1:.1f}" y="{y:.1f}" '
                    f'width="{step * 0.8:.1f}" height="{tall:.1f}"/>'
                )
        parts += [*drawn, "</g>"]
    parts.append(f'<text x="{turn(left):.0f}" y="{height - 4}" class="axis">{escape(columns[0][0])}</text>')
    if step * len(columns) > 130:  # room for both names
        parts.append(
            f'<text x="{turn(left + step * len(columns)):.1f}" y="{height - 4}" class="axis '
            f'end">{escape(columns[-1][0])}</text>'
        )
    return _svg(width, height, "bars", "".join(parts), label)


def calendar(t: Language, label: str, since: date, until: date, days: Mapping[str, Day]) -> Markup:
    """Weeks in the direction of the page, Mondays on top. A day that is not in ``days`` is an empty
    square."""
    first = since - timedelta(days=since.weekday())
    weeks = (until - first).days // 7 + 1
    size, left, top = 13, 38 if t.is_rtl else 30, 16
    width = left + weeks * size

    def turn(x: float, wide: float = 0) -> float:
        return width - x - wide if t.is_rtl else x

    names = t.words["language.short_weekdays"]
    parts = [
        f'<text x="{turn(0)}" y="{top + row * size + 10}" class="axis">{names[row]}</text>'
        for row in (0, 3, 6)
    ]
    at, month, free = since, 0, 0
    while at <= until:
        week, row = divmod((at - first).days, 7)
        x, y = left + week * size, top + row * size
        if at.month != month:
            month = at.month
            if x >= free:
                name = t.words["language.short_months"][month - 1] + (f" {at.year}" if month == 1 else "")
                parts.append(f'<text x="{turn(x)}" y="11" class="axis">{name}</text>')
                free = x + 5 * len(name) + 8
        day = days.get(at.isoformat())
        says = day.says if day else t.text("calendar.no_post", day=at.isoformat())
        look = day.look if day else "none"
        place = f'x="{turn(x, size - 2)}" y="{y}" width="{size - 2}" height="{size - 2}"'
        parts.append(f'<rect class="day {look}" {place}><title>{escape(says)}</title></rect>')
        if day and day.look != "whole":  # not told by colour alone
            mark = "M{0} {1}h5" if day.look == "part" else "M{0} {1}h5m-2.5 -2.5v5"
            parts.append(f'<path class="sign" d="{mark.format(turn(x + 3, 5), y + 5.5)}"/>')
        at += timedelta(days=1)
    return _svg(width, top + 7 * size, "calendar", "".join(parts), label)


@dataclass(frozen=True, slots=True)
class Moment:
    """A version on a time axis. ``words``: how many it added and removed; None for the first."""

    at: str
    name: str
    address: str
    words: tuple[int, int] | None
    is_shown: bool = False


def _places(instants: Sequence[str], last: str) -> list[float]:
    """Instants as percent of an axis from the first to ``last``."""
    times = [datetime.fromisoformat(at).timestamp() for at in (*instants, last)]
    length = max(times) - times[0] or 1.0
    return [_LEFT + (at - times[0]) / length * (_RIGHT - _LEFT) for at in times]


def axis(t: Language, moments: Sequence[Moment], last: str, *, rtl: bool = False) -> Markup:
    """Versions at their instants, up to the last look. Circles stand at true instants; the names under them
    are pushed apart and tied to them by lines. Without a viewBox, so text keeps its size on a phone. ``rtl``:
    the first version stands at the right, as its text does."""

    def x(place: float) -> str:
        return f"{100 - place if rtl else place:.1f}%"

    places = _places([moment.at for moment in moments], last)[:-1]
    gap = min(17.0, (_RIGHT - _LEFT) / max(1, len(moments) - 1))
    names = [max(place, _LEFT + 4 + n * gap) for n, place in enumerate(places)]
    for n in range(len(names) - 1, -1, -1):  # back from the end
        names[n] = min(names[n], _RIGHT - (len(names) - 1 - n) * gap)
    most = max((max(moment.words) for moment in moments if moment.words), default=0) or 1
    # an anchor follows the direction of the page
    start, end = ("start", "end") if rtl == t.is_rtl else ("end", "start")
    parts = [
        f'<line class="line" x1="{x(_LEFT)}" x2="{x(_RIGHT)}" y1="34" y2="34"/>',
        f'<text x="{x(_LEFT)}" y="14" text-anchor="{start}">{escape(t.day(moments[0].at))}</text>',
        f'<text x="{x(_RIGHT)}" y="14" text-anchor="{end}">{t("axis.last_look", day=t.day(last))}</text>',
    ]
    shown = [place for place, moment in zip(names, moments, strict=True) if moment.is_shown]
    if shown:
        low, high = max(0.0, min(shown) - gap / 2.2), min(100.0, max(shown) + gap / 2.2)
        left = 100 - high if rtl else low
        parts.append(
            f'<rect class="band" x="{left:.1f}%" y="60" width="{high - low:.1f}%" height="102" rx="3"/>'
        )
    for at, place, moment in zip(places, names, moments, strict=True):
        on = " on" if moment.is_shown else ""
        parts.append(f'<line class="line" x1="{x(at)}" x2="{x(place)}" y1="34" y2="62"/>')
        parts.append(f'<circle class="dot{on}" cx="{x(at)}" cy="34" r="5"/>')
        parts.append(
            f'<a href="{escape(moment.address)}"><text x="{x(place)}" y="78" '
            f'text-anchor="middle">{escape(moment.name)}</text></a>'
        )
        if moment.words is None:
            parts.append(f'<text x="{x(place)}" y="154" text-anchor="middle">{t("axis.first")}</text>')
            continue
        for off, look, number in ((-1.4, "add", moment.words[0]), (0.2, "cut", moment.words[1])):
            tall = 44 * number / most
            parts.append(
                f'<rect class="{look}" x="{(100 - place if rtl else place) + off:.1f}%" '
                f'y="{132 - tall:.1f}" width="1.2%" height="{tall:.1f}"/>'
            )
        words = f"+{moment.words[0]:,} −{moment.words[1]:,}"
        parts.append(f'<text x="{x(place)}" y="154" text-anchor="middle" direction="ltr">{words}</text>')
    says = "; ".join(
        t.text("axis.words", name=m.name, at=t.moment(m.at), added=m.words[0], removed=m.words[1])
        if m.words
        else t.text("axis.moment", name=m.name, at=t.moment(m.at))
        for m in moments
    )
    return _plot(166, t.text("axis.label", len(moments), says=says), parts, role="group")


def steps(
    label: str,
    instants: Sequence[str],
    last: str,
    chains: Iterable[tuple[str, Sequence[int | None]]],
    *,
    rtl: bool = False,
) -> Markup:
    """Figures over time: one level line from capture to capture for each chain; None where it does not stand.
    Drawn only from three instants on. ``rtl``: the first stands at the right."""
    drawn = list(chains)
    known = [value for _, values in drawn for value in values if value is not None]
    if not known or len(instants) < 3:
        return Markup("")
    top, bottom = max(known), min(0, *known)
    places = [100 - place if rtl else place for place in _places(instants, last)]
    start, end = ("end", "start") if rtl else ("start", "end")

    def y(value: int) -> float:
        return 120 - (value - bottom) / max(1, top - bottom) * 96

    parts = [f'<line class="thin" x1="{_LEFT}%" x2="{_RIGHT}%" y1="120" y2="120"/>']
    for name, values in drawn:
        parts += [f"<g><title>{escape(name)}</title>", *_steps_of(values, places, y, start), "</g>"]
    for place, at, anchor in ((places[0], instants[0], start), (places[-1], last, end)):
        parts.append(f'<text x="{place:.1f}%" y="140" text-anchor="{anchor}">{escape(at[:10])}</text>')
    return _plot(148, label, parts, direction="ltr")  # its texts are digits


def _steps_of(
    values: Sequence[int | None], places: Sequence[float], y: Callable[[int], float], anchor: str
) -> Iterator[str]:
    before: int | None = None
    for n, value in enumerate(values):
        if value is not None:
            low, high, level = places[n], places[n + 1], y(value)
            if before is not None and before != value:
                yield (
                    f'<line class="rise" x1="{low:.1f}%" x2="{low:.1f}%" y1="{y(before):.1f}" '
                    f'y2="{level:.1f}"/>'
                )
            yield f'<line class="step" x1="{low:.1f}%" x2="{high:.1f}%" y1="{level:.1f}" y2="{level:.1f}"/>'
            if before != value:
                yield (
                    f'<text class="strong halo" x="{low:.1f}%" y="{level - 7:.1f}" '
                    f'text-anchor="{anchor}">{value:,}</text>'
                )
        before = value


@dataclass(frozen=True, slots=True)
class Point:
    """A value at an instant, what it says, and the address that shows its sentence."""

    at: str
    value: float
    says: str
    address: str


def points(label: str, shown: Sequence[Point], *, rtl: bool = False) -> Markup:
    """A value from post to post: level until the next point, then a rise or a fall. Each point is a link."""
    if not shown:
        return Markup("")
    top, bottom = max(point.value for point in shown), min(0.0, *(point.value for point in shown))
    places = _places([point.at for point in shown], shown[-1].at)
    places = [100 - place if rtl else place for place in places]
    levels = [120 - (point.value - bottom) / ((top - bottom) or 1) * 96 for point in shown]
    parts = [f'<line class="thin" x1="{_LEFT}%" x2="{_RIGHT}%" y1="120" y2="120"/>']
    for n in range(len(shown) - 1):
        low, high, y, next_y = places[n], places[n + 1], levels[n], levels[n + 1]
        parts.append(f'<line class="step" x1="{low:.2f}%" x2="{high:.2f}%" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<line class="rise" x1="{high:.2f}%" x2="{high:.2f}%" y1="{y:.1f}" y2="{next_y:.1f}"/>')
    for point, place, y in zip(shown, places, levels, strict=False):
        parts.append(
            f'<a href="{escape(point.address)}"><title>{escape(point.says)}</title>'
            f'<circle class="dot" cx="{place:.2f}%" cy="{y:.1f}" r="4"/></a>'
        )
    start, end = ("end", "start") if rtl else ("start", "end")
    for n, anchor in ((0, start), (len(shown) - 1, end)):
        place, y, point = places[n], levels[n], shown[n]
        parts.append(
            f'<text class="strong halo" x="{place:.1f}%" y="{y - 9:.1f}" text-anchor="{anchor}">'
            f"{point.value:,.15g}</text>"
        )
        parts.append(f'<text x="{place:.1f}%" y="140" text-anchor="{anchor}">{escape(point.at[:10])}</text>')
    return _plot(148, label, parts, role="group", direction="ltr")


def _plot(
    height: int, label: str, parts: Sequence[str], role: str = "img", direction: str = "inherit"
) -> Markup:
    return Markup('<svg class="plot" height="{}" role="{}" direction="{}" aria-label="{}">{}</svg>').format(
        height,
        role,
        direction,
        label,
        Markup("".join(parts)),  # noqa: S704  # our own markup; names and labels were escaped above
    )
