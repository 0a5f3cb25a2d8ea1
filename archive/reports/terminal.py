"""Text for a terminal: columns, sizes, durations, titles that cannot move the cursor, and `status`."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from archive.clock import parse_time
from archive.model import STATES

if TYPE_CHECKING:
    from archive.reports.channels import ChannelReport
    from archive.reports.room import Room
    from archive.reports.status import Crawl, EditionHealth, Holding, Status

EDITION_NAMES = {"en": "English", "ar": "Arabic"}
# Kinds of `archive.ingest.noise`, in words
NOISE = {
    "stale_copy": "old copies from caches",
    "new_address": "looks at pages with addresses made anew",
    "furniture": "looks at pages with boxes that change with each request",
    "doubtful": "short texts that only the layout general supports",
    "bad_entry": "feeds with an entry that cannot be read",
}


def name_of(source: str) -> str:
    """An edition's name; ``other sites`` for everything else."""
    return EDITION_NAMES.get(source, "other sites")


def number_of(number: int, one: str, more: str = "") -> str:
    """A number with its word: ``1 article``, ``2,000 articles``."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def size(count: int) -> str:
    """Bytes as ``1.6 MB``, in powers of ten."""
    number = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.5:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 99.5 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB"


def duration(seconds: int) -> str:
    """A duration for a table: ``7s``, ``12m 05s``, ``4h 30m``, ``4d 14h``."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return f"{days}d {hours % 24:02}h"
    if hours:
        return f"{hours}h {minutes % 60:02}m"
    return f"{minutes}m {seconds % 60:02}s" if minutes else f"{seconds}s"


def in_words(seconds: int) -> str:
    """A duration for a sentence, in its largest unit: ``12 minutes``, ``1 hour``, ``3 days``."""
    for length, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            return number_of(seconds // length, unit)
    return "less than a minute"


def instant(at: str | None) -> str:
    """An instant for a table, ``2026-01-02 00:00:00``; ``-`` if there is none."""
    return at.replace("T", " ").rstrip("Z") if at else "-"


def columns(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> str:
    """Rows as aligned text, two spaces between columns. ``right``: columns to align right. The last is not
    padded."""
    numbers = set(right)
    widths = [
        max(width_of(row[n]) for row in rows if n < len(row)) for n in range(max(len(row) for row in rows))
    ]
    lines = []
    for row in rows:
        spaces = [" " * (widths[n] - width_of(cell)) for n, cell in enumerate(row)]
        cells = (
            space + cell if n in numbers else cell + space
            for n, (cell, space) in enumerate(zip(row, spaces, strict=True))
        )
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def width_of(text: str) -> int:
    """Terminal columns that a text takes: 0 for marks and direction signs, 2 for wide letters, else 1."""
    return sum(
        0
        if unicodedata.category(c) in ("Mn", "Me", "Cf")
        else 2
        if unicodedata.east_asian_width(c) in "WF"
        else 1
        for c in text
    )


def plain(text: str) -> str:
    """A text of the site on one line, without characters that move the cursor or turn the direction of what
    follows."""
    return " ".join(
        "".join(
            c if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") or c in "\u200c\u200d" else " "
            for c in text
        ).split()
    )


def cut(text: str, width: int) -> str:
    """A text of the site on one line of at most ``width`` columns. A letter keeps its marks."""
    text = plain(text)
    if width_of(text) <= width:
        return text
    end = len(text)
    while end and width_of(text[:end]) > width - 1:
        end -= 1
    while end and unicodedata.combining(text[end]):
        end -= 1
    return text[:end].rstrip() + "…"


def isolated(text: str) -> str:
    """A text between isolates (FIRST STRONG, POP DIRECTIONAL), so that it moves nothing beside it on a
    terminal; elsewhere, as in a file or a pipe, the text alone."""
    return f"\u2068{text}\u2069" if sys.stdout.isatty() else text


# -- status


def render_status(status: Status, width: int = 100) -> str:
    """The status as text in columns. Titles stand last on their line, each isolated."""
    sizes = f"database {size(status.database_size)}, {number_of(status.warc_files, 'WARC file')} of"
    head = f"Archive of {status.site or 'no site yet'} in {status.folder}: {sizes} {size(status.warc_size)}"
    parts = [
        "\n".join(
            [
                head,
                _last_crawl(status),
                *(_health(one, status.read_at) for one in status.editions),
                *(
                    f"EVIDENCE IS LACKING: {name} is shorter than it was: restore it from a copy; if there "
                    "is none, 'sohr-archive rebuild' indexes what is left"
                    for name in status.shorter_files
                ),
                *(
                    f"ALERT NOT SENT since {one.since}: {one.name}, change {one.seq}: {one.why}; "
                    "the next run of 'sohr-archive alert' tries again"
                    for one in status.alerts
                ),
                f"  {_room(status.room)}",
            ]
        ),
        _holdings(status.holdings, width),
        _states(status.holdings),
        _looks(status.holdings),
        _crawls(status.crawls),
        _channels(status.channels) if status.channels else "",
        "\n".join(["Gaps", *(f"  {line}" for line in _gaps(status))]),
        columns([["Next", ""], *([f"  {command}", why] for command, why in status.next)])
        if status.next
        else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _room(room: Room) -> str:
    free = f"{size(room.free)} free on its disk"
    if room.growth is None:
        return free
    return f"{free}: {room.days_left:,} days at {size(room.growth)} a month (the rate of {room.over:g} days)"


def _last_crawl(status: Status) -> str:
    crawl = status.last_crawl
    if crawl is None:
        return "No crawl yet"
    ago = _since(crawl.finished_at or crawl.started_at, status.read_at)
    if crawl.verdict == "running":
        return f"A crawl has been running for {ago}"
    told = {"cut off": "killed before its end; the next crawl continues"}.get(crawl.verdict, crawl.verdict)
    status_text = f" (exit status {crawl.exit_status})" if crawl.exit_status else ""
    waits = (
        ("a rest (Retry-After)", crawl.retry_after),
        ("a pause after each request (Crawl-delay)", crawl.crawl_delay),
    )
    bounded = [
        f"\n  The site asked for {what} of {in_words(round(seconds))}: shortened, see docs/when-refused.md"
        for what, seconds in waits
        if seconds
    ]
    return f"Last crawl {ago} ago: {told}{status_text}{''.join(bounded)}"


def _health(health: EditionHealth, now: str) -> str:
    good = f"{_since(health.last_good_crawl, now)} ago" if health.last_good_crawl else "none"
    lines = [
        f"  {name_of(health.edition)}: "
        + ("healthy" if health.healthy else f"NOT HEALTHY, last good crawl: {good}")
    ]
    if health.held:
        told = ", ".join(f"{number:,} {kind}" for kind, number in health.held.items())
        lines.append(f"    held, and not believed yet: {told} (see 'sohr-archive held')")
    if health.noise:
        told = ", ".join(f"{number:,} {NOISE[kind]}" for kind, number in health.noise.items())
        lines.append(f"    noise of 30 days: {told}")
    return "\n".join(lines)


def _since(at: str, now: str) -> str:
    return in_words(round((parse_time(now) - parse_time(at)).total_seconds()))


def _holdings(holdings: Sequence[Holding], width: int) -> str:
    rows = [["Archived", "articles", "versions", "captures", "newest post"]]
    for h in holdings:
        newest = "-"
        if h.newest:
            title = isolated(cut(h.newest.title or "(no title)", max(20, width - 58)))
            newest = f"{h.newest.published_at[:10]}  {title}"
        numbers = (f"{number:,}" for number in (h.articles, h.versions, h.captures))
        rows.append([f"  {name_of(h.source)}", *numbers, newest])
    return columns(rows, right=(1, 2, 3))


def _states(holdings: Sequence[Holding]) -> str:
    names = [state for state in STATES if state == "live" or any(h.states.get(state) for h in holdings)]
    waiting = any(h.waiting for h in holdings)
    rows = [["State", *names, *(["not captured yet"] if waiting else [])]]
    for h in holdings:
        numbers = [h.states.get(name, 0) for name in names] + ([h.waiting] if waiting else [])
        rows.append([f"  {name_of(h.source)}", *(f"{number:,}" for number in numbers)])
    return columns(rows, right=range(1, len(rows[0])))


def _looks(holdings: Sequence[Holding]) -> str:
    """How many looks are due, and since when: an edit may be seen that much later."""
    rows = [["Looks", "due", "oldest since", "the rest by"]]
    rows += [
        [f"  {name_of(h.source)}", f"{h.due:,}", instant(h.due_since), h.all_looked_by[:10]]
        for h in holdings
        if h.all_looked_by
    ]
    told = "  An edit or a deletion that no channel shows may be seen only at the next look of its post."
    return "\n".join([columns(rows, right=(1,)), told]) if len(rows) > 1 else ""


def _crawls(crawls: Sequence[Crawl]) -> str:
    if not crawls:
        return "Last crawls\n  none yet"
    rows = [
        ["Last crawls (UTC)", "lasted", "verdict", "new", "changed", "gone", "failed", "doubtful", "exit"]
    ]
    for c in crawls:
        numbers = (c.new, c.changed, c.gone, c.failed, c.doubtful, c.exit_status)
        rows.append(
            [
                f"  {instant(c.started_at)}{'' if c.kind == 'crawl' else ' ' + c.kind}",
                "-" if c.seconds is None else duration(c.seconds),
                c.verdict,
                *("-" if number is None else f"{number:,}" for number in numbers),
            ]
        )
    return columns(rows, right=(1, 3, 4, 5, 6, 7, 8))


_SCOPES = {
    "atom-modified": "Atom, by edit",
    "atom": "Atom",
    "rss": "RSS",
    "edited": "edits",
    "walk": "all posts",
    "look": "looks",
    "ids": "ids",
}


def _channels(channels: Sequence[ChannelReport]) -> str:
    rows = [["Channels", "", "answers", "last asked (UTC)", "posts", "alone", "looks", "remarks"]]
    for c in channels:
        answers = "-" if not c.asked else "yes" if c.is_open else "no"
        numbers = (f"{number:,}" for number in (c.sighted, c.alone, c.looks))
        remarks = "; ".join(_remarks(c)) or "-"
        rows.append([f"  {name_of(c.edition)}", c.channel, answers, instant(c.asked_at), *numbers, remarks])
    return columns(rows, right=(4, 5, 6))


def _remarks(channel: ChannelReport) -> Iterable[str]:
    if channel.channel in ("category", "sitemap") and channel.parts:
        whole = f", {channel.whole} read to the end" if channel.channel == "category" else ""
        yield f"{channel.asked} of {channel.parts} asked{whole}"
    if channel.channel in ("feed", "rest") and channel.offers:
        yield ", ".join(_SCOPES.get(scope, scope) for scope in channel.offers)
    if channel.total is not None:
        yield f"the site counts {channel.total:,}"
    if channel.channel in ("feed", "rest", "date"):
        for closed in channel.closed:
            scope = _SCOPES.get(closed.scope, closed.scope)
            yield f"closed ({scope}: {closed.detail}), asked again after a week"


def _gaps(status: Status) -> list[str]:
    lines = []
    for gap in status.broken_off:
        where = f"at {gap.oldest_day}" if gap.oldest_day else f"after {number_of(gap.posts, 'post')}"
        lines.append(
            f"{name_of(gap.edition)}: reading the listing stopped {where}; older posts may be unknown"
        )
    for days in status.days:
        if days.not_whole:
            named = ", ".join(days.newest_not_whole)
            more = ", ..." if days.not_whole > len(days.newest_not_whole) else ""
            of = f"{days.not_whole:,} of {number_of(days.whole + days.not_whole, 'day')} with known posts"
            lines.append(f"{name_of(days.edition)}: {of} not listed in full ({named}{more})")
    for held in status.holdings:
        if held.waiting:
            lines.append(f"{name_of(held.source)}: {number_of(held.waiting, 'article')} not captured yet")
        if not held.articles:
            lines.append(f"{name_of(held.source)}: no articles")
    if status.unresolved:
        number = number_of(status.unresolved, "address", "addresses")
        lines.append(f"{number} not resolved to an article yet")
    if status.quarantined:
        lines.append(f"{number_of(status.quarantined, 'capture')} in quarantine: see 'sohr-archive layouts'")
    whole = " and ".join(f"{days.whole:,} days {name_of(days.edition)}" for days in status.days)
    return lines or [f"none: {whole} with known posts are listed in full, every article seen was captured"]
