"""What the archive knows to be missing: per edition and archive day what was sighted by which channel, held,
gone, never captured, and whether the day was listed whole; and what to run to close the gaps.

A *gap* is a day that was over when the site's listings were last walked and of which not all listings were
seen, an article that was sighted and never captured, or an address whose article is not known. All else is
explained: a day that was not over yet, an article that the site itself says is gone, an edition that no crawl
was asked for.
"""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from archive.model import EDITIONS, Edition
from archive.read.database import about, snapshot
from archive.reports.status import EDITION_NAMES, LIVE_SITE, columns, cut, number_of
from archive.sites.sohr.addresses import HOME, Site

# Before the last walk: then a day is over whatever the site's time zone (archive.ingest.coverage)
SETTLED = timedelta(days=2)
SHOWN = 20  # gaps of each kind that are named; --json names all
# The channel of articles that no channel showed: they were cited, imported, or led to by a redirect
UNSIGHTED = "none"


@dataclass(frozen=True, slots=True)
class Day:
    """A day of an edition by the site's own archive; ``day`` is None for articles whose day no page has
    stated."""

    edition: Edition
    day: str | None
    channels: dict[str, int]  # articles that each channel showed; an article may be shown by several
    alone: dict[str, int]  # articles that one channel alone showed
    sighted: int  # articles known
    held: int  # captured, and there when last looked at
    gone: int  # captured or not, the site says: missing, disappeared, moved
    unreadable: int  # captured, and no layout reads them
    missing: int  # never captured
    listed_whole: bool
    is_open: bool  # not over, or barely, when the listings were last walked

    @property
    def is_gap(self) -> bool:
        """Whether posts of the day may be unknown."""
        return self.day is not None and not (self.listed_whole or self.is_open)


@dataclass(frozen=True, slots=True)
class Uncaptured:
    """An article sighted and never captured; ``last`` is what came of asking for it, None where it was not
    asked for yet."""

    edition: Edition
    day: str | None
    url: str
    last: str | None


@dataclass(frozen=True, slots=True)
class Unresolved:
    """An address met whose article is not known; ``last`` as in `Uncaptured`. One that the site answers with
    404 is explained."""

    url: str
    last: str | None
    is_gone: bool


@dataclass(frozen=True, slots=True)
class Walk:
    """What is known of an edition's listings: when they were last walked, and the days at which walks broke
    off."""

    edition: Edition
    last_day: str | None
    broken_off: tuple[str | None, ...]
    asked: bool  # whether a crawl was ever asked for this edition


@dataclass(frozen=True, slots=True)
class Audit:
    """The whole picture of the span asked for."""

    since: str | None
    until: str | None
    walks: tuple[Walk, ...]
    days: tuple[Day, ...]
    uncaptured: tuple[Uncaptured, ...]
    unresolved: tuple[Unresolved, ...]

    @property
    def gap_days(self) -> list[Day]:
        """Days of which posts may be unknown."""
        return [day for day in self.days if day.is_gap]

    @property
    def never_listed(self) -> list[Edition]:
        """Editions that a crawl was asked for and of which no listing came."""
        return [
            walk.edition
            for walk in self.walks
            if walk.asked and walk.last_day is None and not any(d.edition == walk.edition for d in self.days)
        ]

    @property
    def broken_off(self) -> list[tuple[Edition, str | None]]:
        """Walks that did not reach the listing's end: what is older may be unknown. Where a first day is
        asked for, its days tell."""
        return [
            (walk.edition, day)
            for walk in self.walks
            for day in walk.broken_off
            if self.since is None or day is None
        ]

    @property
    def open_addresses(self) -> list[str]:
        """Addresses to ask for: never captured, or not resolved."""
        return [
            *(article.url for article in self.uncaptured),
            *(address.url for address in self.unresolved if not address.is_gone),
        ]

    @property
    def has_gaps(self) -> bool:
        """Whether something is missing that nothing explains."""
        return bool(self.gap_days or self.never_listed or self.broken_off or self.open_addresses)


def read_audit(
    conn: sqlite3.Connection,
    editions: Sequence[Edition] = EDITIONS,
    since: str | None = None,
    until: str | None = None,
) -> Audit:
    """Look at an archive opened by `open_readonly`; ``since`` and ``until`` are archive days, both
    included."""
    with snapshot(conn):
        walks = tuple(_walk(conn, edition) for edition in editions)
        days = [day for walk in walks for day in _days(conn, walk, since, until)]
        uncaptured = [article for edition in editions for article in _uncaptured(conn, edition, since, until)]
        # An address has no day
        unresolved = _unresolved(conn, editions) if since is None and until is None else []
    return Audit(since, until, walks, tuple(days), tuple(uncaptured), tuple(unresolved))


def _walk(conn: sqlite3.Connection, edition: Edition) -> Walk:
    sql = "select substr(max(c.captured_at), 1, 10) from listing_pages p join captures c using (capture_id) where edition = ?"
    (last,) = conn.execute(sql, (edition,)).fetchone()
    ends = conn.execute(
        """select tail_day from stretches where edition = ? and merged_into is null and tail_article_id is not null and not reached_end
           order by tail_day desc""",
        (edition,),
    )
    arguments = [
        json.loads(text)
        for (text,) in conn.execute("select distinct arguments from crawls where kind = 'crawl'")
    ]
    asked = any(
        edition in given.get("editions", ()) and given.get("urls") is None and given.get("sweep") is None
        for given in arguments
    )
    return Walk(edition, last, tuple(day for (day,) in ends), asked)


def _days(conn: sqlite3.Connection, walk: Walk, since: str | None, until: str | None) -> Iterable[Day]:
    edition = walk.edition
    articles = {
        row["day"]: row
        for row in conn.execute(
            """select day, count(*) as sighted, sum(state is null) as missing, sum(coalesce(state in ('missing', 'disappeared', 'moved'), 0)) as gone,
               sum(coalesce(state = 'unreadable', 0)) as unreadable from articles where edition = ? group by day""",
            (edition,),
        )
    }
    channels: dict[str | None, Counter[str]] = {}
    for day, channel, number in conn.execute(
        """select a.day, coalesce(s.channel, ?), count(distinct a.article_id) from articles a left join sightings s using (article_id)
           where a.edition = ? group by 1, 2 order by 1, 2""",
        (UNSIGHTED, edition),
    ):
        channels.setdefault(day, Counter())[channel] = number
    alone: dict[str | None, dict[str, int]] = {}
    for day, channel, number in conn.execute(
        "select day, channel, alone from channel_coverage where edition = ? and alone > 0", (edition,)
    ):
        alone.setdefault(day, {})[channel] = number
    whole = {row[0] for row in conn.execute("select day from coverage_days where edition = ?", (edition,))}
    stretches = conn.execute(
        """select coalesce(substr(head_seen_at, 1, 10), newest_day) as head, tail_day, reached_end from stretches
           where edition = ? and merged_into is null""",
        (edition,),
    ).fetchall()
    settled = (date.fromisoformat(walk.last_day) - SETTLED).isoformat() if walk.last_day else ""
    known = [day for day in (*articles, *whole) if day is not None]
    first = since or min(known, default=None)
    last = until or max([*known, settled], default=None)
    span: list[str | None] = list(_each(first, last)) if first and last else []
    for day in [*span, *([None] if None in articles and since is None and until is None else [])]:
        row = articles.get(day)
        sighted, missing, gone, unreadable = (
            (row["sighted"], row["missing"], row["gone"], row["unreadable"]) if row else (0, 0, 0, 0)
        )
        # as the view `coverage` has it, which knows only days of which articles are known
        listed = day in whole or any(
            day < s["head"] and (s["reached_end"] or (s["tail_day"] and day > s["tail_day"]))
            for s in stretches
            if day is not None and s["head"]
        )
        is_open = not listed and day is not None and "" < settled < day
        held = sighted - missing - gone - unreadable
        yield Day(
            edition,
            day,
            dict(channels.get(day, {})),
            alone.get(day, {}),
            sighted,
            held,
            gone,
            unreadable,
            missing,
            listed,
            is_open,
        )


def _each(first: str, last: str) -> Iterable[str]:
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    while day <= end:
        yield day.isoformat()
        day += timedelta(days=1)


def _uncaptured(
    conn: sqlite3.Connection, edition: Edition, since: str | None, until: str | None
) -> Iterable[Uncaptured]:
    rows = conn.execute(
        """select article_id, day, url from articles where edition = ? and state is null and (? is null or day is null or day >= ?)
           and (? is null or day is null or day <= ?) order by day desc, article_id""",
        (edition, since, since, until, until),
    ).fetchall()
    last = _last_failures(conn, "article_id") if rows else {}
    at = _last_failures(conn, "url") if rows else {}
    return (
        Uncaptured(edition, row["day"], row["url"], last.get(row["article_id"], at.get(row["url"])))
        for row in rows
    )


def _unresolved(conn: sqlite3.Connection, editions: Sequence[Edition]) -> Iterable[Unresolved]:
    site = Site(about(conn, "home") or HOME)
    rows = conn.execute(
        """select url, (select outcome from captures c where c.url = x.url order by capture_id desc limit 1) as outcome
           from aliases x where article_id is null order by alias_id"""
    ).fetchall()
    last = _last_failures(conn, "url") if rows else {}
    for row in rows:
        address = site.parse(row["url"])
        if address is None or address.edition in (None, *editions):
            yield Unresolved(row["url"], last.get(row["url"]), row["outcome"] in ("missing", "soft404"))


def _last_failures(conn: sqlite3.Connection, by: str) -> dict[Any, str]:
    """What last went wrong, by article or by address."""
    rows = conn.execute(
        f"select {by}, reason || case when detail = '' then '' else ': ' || detail end from failures order by failure_id"
    )
    return {key: told for key, told in rows if key is not None}


# -- what closes the gaps
# ------------------------------------------------------------------------------------------------------------


def spans(days: Sequence[Day]) -> list[tuple[Edition, str, str]]:
    """Days as spans without a break: (edition, first, last), each edition's newest first."""
    found: list[tuple[Edition, str, str]] = []
    for edition in EDITIONS:
        own = sorted((day.day for day in days if day.edition == edition and day.day), reverse=True)
        for day in own:
            if (
                found
                and found[-1][0] == edition
                and date.fromisoformat(found[-1][1]) - date.fromisoformat(day) == timedelta(days=1)
            ):
                found[-1] = (edition, day, found[-1][2])
            else:
                found.append((edition, day, day))
    return found


def commands(audit: Audit, folder: Path, home: str | None, site: str | None, urls: Path) -> list[str]:
    """What to run, in this order, to close the gaps: listings first, for they may show more. ``urls`` is the
    file of `write_urls`."""
    crawl = [
        "scrapy",
        "crawl",
        "sohr",
        *(["-a", f"site={home}"] if home and site != LIVE_SITE else []),
        "-s",
        f"ARCHIVE_DIR={folder.absolute()}",
        "-a",
        "look=none",
    ]
    tails: dict[Edition, str] = dict.fromkeys(audit.never_listed, "9999")
    for edition, tail in audit.broken_off:
        tails[edition] = max(tails.get(edition, ""), tail or "9999")
    # A walk that goes on lists all that is older
    left = [day for day in audit.gap_days if (day.day or "") > tails.get(day.edition, "")]
    wanted = [["-a", f"edition={edition}"] for edition in tails]
    wanted += [
        ["-a", f"edition={edition}", "-a", f"since={first}", "-a", f"until={last}"]
        for edition, first, last in spans(left)
    ]
    if audit.open_addresses:
        wanted.append(["-a", f"urls={urls.absolute()}"])
    return [shlex.join([*crawl, *arguments]) for arguments in wanted]


def write_urls(audit: Audit, target: Path) -> bool:
    """Write the addresses to ask for, one a line, whole or not at all; whether there were any. Raises
    OSError."""
    if not audit.open_addresses:
        return False
    partial = target.with_name(f".{target.name}.partial")
    with open(partial, "w", encoding="utf-8") as file:
        file.writelines(f"{url}\n" for url in audit.open_addresses)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(target)
    return True


def of_site(conn: sqlite3.Connection) -> tuple[str | None, str | None]:
    """Home address and name of the archive's site."""
    return about(conn, "home"), about(conn, "site")


# -- for people
# -----------------------------------------------------------------------------------------------------------------------


def render(audit: Audit, *, every_day: bool = False) -> str:
    """As text: a line an edition, each day where asked for, the gaps."""
    parts = [_summary(audit)]
    if every_day and audit.days:
        parts.append(_table(audit.days))
    gaps = list(_gaps(audit))
    parts.append("\n".join(["Gaps", *(f"  {line}" for line in gaps or ["none"])]))
    explained = list(_explained(audit))
    if explained:
        parts.append("\n".join(["Explained", *(f"  {line}" for line in explained)]))
    return "\n\n".join(parts)


def _summary(audit: Audit) -> str:
    rows = [
        [
            "Edition",
            "days",
            "listed whole",
            "sighted",
            "held",
            "gone",
            "unreadable",
            "never captured",
            "first seen",
            "last seen",
            "sighted by",
        ]
    ]
    for walk in audit.walks:
        days = [day for day in audit.days if day.edition == walk.edition]
        named = [day.day for day in days if day.day]
        channels: Counter[str] = Counter()
        alone: Counter[str] = Counter()
        for day in days:
            channels.update(day.channels)
            alone.update(day.alone)
        rows.append(
            [
                f"  {EDITION_NAMES[walk.edition]}",
                f"{len(named):,}",
                f"{sum(day.listed_whole for day in days):,}",
                *(
                    f"{sum(getattr(day, name) for day in days):,}"
                    for name in ("sighted", "held", "gone", "unreadable", "missing")
                ),
                min(named, default="-"),
                max(named, default="-"),
                _channels(channels, alone),
            ]
        )
    return columns(rows, right=range(1, 8))


def _table(days: Sequence[Day]) -> str:
    rows = [["Day", "", "sighted", "held", "gone", "unreadable", "never captured", "listed", "sighted by"]]
    for day in days:
        listed = (
            "-"
            if day.day is None
            else "whole"
            if day.listed_whole
            else "open"
            if day.is_open
            else "NOT WHOLE"
        )
        numbers = [f"{number:,}" for number in (day.sighted, day.held, day.gone, day.unreadable, day.missing)]
        rows.append(
            [f"  {day.day or 'unknown'}", day.edition, *numbers, listed, _channels(day.channels, day.alone)]
        )
    return columns(rows, right=range(2, 7))


def _channels(channels: dict[str, int], alone: dict[str, int]) -> str:
    def told(name: str, number: int) -> str:
        return f"{name} {number:,}" + (
            f" ({alone[name]:,} alone)" if alone.get(name) and len(channels) > 1 else ""
        )

    return ", ".join(told(name, number) for name, number in sorted(channels.items())) or "-"


def _gaps(audit: Audit) -> Iterable[str]:
    for edition in audit.never_listed:
        yield f"{EDITION_NAMES[edition]}: asked for, and no listing ever came"
    for edition, last in audit.broken_off:
        yield f"{EDITION_NAMES[edition]}: a walk through the listing broke off at {last or 'an unknown day'}; older posts may be unknown"
    for edition, first, until in spans(audit.gap_days)[:SHOWN]:
        yield f"{EDITION_NAMES[edition]}: not listed whole: {first}" + (
            "" if first == until else f" to {until}"
        )
    yield from _more(len(spans(audit.gap_days)), "spans of days")
    for article in audit.uncaptured[:SHOWN]:
        yield f"{EDITION_NAMES[article.edition]}: never captured: {cut(article.url, 100)} ({article.day or 'day unknown'}; {_last(article.last)})"
    yield from _more(len(audit.uncaptured), "articles never captured")
    unresolved = [address for address in audit.unresolved if not address.is_gone]
    for address in unresolved[:SHOWN]:
        yield f"not resolved: {cut(address.url, 100)} ({_last(address.last)})"
    yield from _more(len(unresolved), "addresses not resolved")


def _last(last: str | None) -> str:
    return cut(last, 100) if last else "not asked for yet"


def _more(number: int, what: str) -> Iterable[str]:
    if number > SHOWN:
        yield f"... {number:,} {what} in all: --json names them"


def _explained(audit: Audit) -> Iterable[str]:
    for walk in audit.walks:
        name = EDITION_NAMES[walk.edition]
        days = [day for day in audit.days if day.edition == walk.edition]
        waiting = [day.day for day in days if day.is_open and day.day]
        if walk.last_day is None and not walk.asked:
            yield f"{name}: no crawl was asked for it"
        if waiting:
            yield f"{name}: {min(waiting)} and later were not over, or barely, when the listings were last walked ({walk.last_day or 'never'})"
        gone = sum(day.gone for day in days)
        if gone:
            yield f"{name}: {_are(gone, 'article')} gone from the site, by its own answer: see the view disappeared"
        unread = sum(day.unreadable for day in days)
        if unread:
            yield f"{name}: {number_of(unread, 'article')} captured that no layout reads: see docs/layouts.md"
    gone_addresses = sum(address.is_gone for address in audit.unresolved)
    if gone_addresses:
        yield f"{number_of(gone_addresses, 'address', 'addresses')} led nowhere: the site says that there is no such page"


def _are(number: int, one: str) -> str:
    return f"{number_of(number, one)} {'is' if number == 1 else 'are'}"
