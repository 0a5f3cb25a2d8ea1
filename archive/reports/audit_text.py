"""An audit as text for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from archive.reports.audit import Audit, Day, LastFailure, day_spans
from archive.reports.backfill import render_backfill
from archive.reports.terminal import columns, cut, name_of, number_of

SHOWN = 20  # gaps of each kind that the text names; --json names all


def render_audit(audit: Audit, *, every_day: bool = False) -> str:
    """As text: a line for each edition, each day if asked for, the gaps, and what is explained."""
    parts = [_summary(audit)]
    if audit.archives:
        parts.append(render_backfill(audit.archives))
    if every_day and audit.days:
        parts.append(_table(audit.days))
    parts.append("\n".join(["Gaps", *(f"  {line}" for line in list(_gaps(audit)) or ["none"])]))
    if explained := list(_explained(audit)):
        parts.append("\n".join(["Explained", *(f"  {line}" for line in explained)]))
    return "\n\n".join(parts)


# Fields of `Day`, in the order of the columns
_NUMBERS = ("sighted", "present", "gone", "unreadable", "uncaptured")
_HEADS = ("sighted", "present", "gone", "unreadable", "never captured")


def _summary(audit: Audit) -> str:
    rows = [["Edition", "days", "listed in full", *_HEADS, "first seen", "last seen", "sighted by"]]
    for walk in audit.walks:
        days = [day for day in audit.days if day.edition == walk.edition]
        named = [day.day for day in days if day.day]
        channels: Counter[str] = Counter()
        alone: Counter[str] = Counter()
        for day in days:
            channels.update(day.channels)
            alone.update(day.alone)
        numbers = [len(named), sum(day.listed_whole for day in days)]
        numbers += [sum(getattr(day, name) for day in days) for name in _NUMBERS]
        rows.append(
            [
                f"  {name_of(walk.edition)}",
                *(f"{number:,}" for number in numbers),
                min(named, default="-"),
                max(named, default="-"),
                _channels(channels, alone),
            ]
        )
    return columns(rows, right=range(1, 8))


def _table(days: Sequence[Day]) -> str:
    rows = [["Day", "", *_HEADS, "listed", "sighted by"]]
    for day in days:
        listed = "in full" if day.listed_whole else "not over" if day.is_open else "NOT IN FULL"
        numbers = (f"{getattr(day, name):,}" for name in _NUMBERS)
        channels = _channels(day.channels, day.alone)
        rows.append(
            [f"  {day.day or 'unknown'}", day.edition, *numbers, listed if day.day else "-", channels]
        )
    return columns(rows, right=range(2, 7))


def _channels(channels: dict[str, int], alone: dict[str, int]) -> str:
    several = len(channels) > 1
    named = (
        f"{name} {number:,}" + (f" ({alone[name]:,} alone)" if several and alone.get(name) else "")
        for name, number in sorted(channels.items())
    )
    return ", ".join(named) or "-"


def _gaps(audit: Audit) -> Iterable[str]:
    for edition in audit.never_listed:
        yield f"{name_of(edition)}: crawled, but its listing never came"
    for edition, last in audit.broken_off:
        where = last or "an unknown day"
        yield f"{name_of(edition)}: reading the listing stopped at {where}; older posts may be unknown"
    spans = day_spans(audit.gap_days)
    for span in spans[:SHOWN]:
        to = "" if span.first == span.last else f" to {span.last}"
        yield f"{name_of(span.edition)}: not listed in full: {span.first}{to}"
    yield from _more(len(spans), "spans of days")
    for article in audit.uncaptured[:SHOWN]:
        why = f"{article.day or 'day unknown'}; {_last(article.last)}"
        yield f"{name_of(article.edition)}: never captured: {cut(article.url, 100)} ({why})"
    yield from _more(len(audit.uncaptured), "articles never captured")
    unresolved = [address for address in audit.unresolved if not address.is_gone]
    for address in unresolved[:SHOWN]:
        yield f"not resolved: {cut(address.url, 100)} ({_last(address.last)})"
    yield from _more(len(unresolved), "addresses not resolved")


def _last(last: LastFailure | None) -> str:
    if last is None:
        return "not asked for yet"
    return cut(f"{last.reason}: {last.detail}" if last.detail else last.reason, 100)


def _more(number: int, what: str) -> Iterable[str]:
    if number > SHOWN:
        yield f"... {number:,} {what} in all: --json names them"


def _explained(audit: Audit) -> Iterable[str]:
    for walk in audit.walks:
        name = name_of(walk.edition)
        days = [day for day in audit.days if day.edition == walk.edition]
        if walk.last_day is None and not walk.asked:
            yield f"{name}: no crawl asked for it"
        if waiting := [day.day for day in days if day.is_open and day.day]:
            last = f"when the listings were last read ({walk.last_day or 'never'})"
            yield f"{name}: {min(waiting)} and later days were not over, or barely, {last}"
        if archived := sum(day.is_copied for day in days):
            yield f"{name}: {number_of(archived, 'day')} known only from public archives or files"
        if gone := sum(day.gone for day in days):
            are = f"{number_of(gone, 'article')} {'is' if gone == 1 else 'are'}"
            yield f"{name}: {are} gone from the site, by its own answer: see the view gone"
        if unread := sum(day.unreadable for day in days):
            yield f"{name}: {number_of(unread, 'captured article')} that no layout reads: see docs/layouts.md"
    if gone_addresses := sum(address.is_gone for address in audit.unresolved):
        yield f"{number_of(gone_addresses, 'address', 'addresses')} answered 'not found' by the site"
