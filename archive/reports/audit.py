"""What is missing from an archive, for each edition and archive day, and the crawls that close the gaps.

A *gap* is a day whose listings were not all seen although it was over when they were last read, an article
that was sighted and never captured, or an address that was not resolved to an article. These are explained,
and no gaps: a day that was not over yet, an article that the site says is gone, an edition that no crawl
asked for.
"""

from __future__ import annotations

import json
import shlex
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from archive.clock import days_between
from archive.folder import write_whole
from archive.model import EDITIONS, Edition
from archive.read.database import about, snapshot
from archive.reports.backfill import ServicePlan, read_backfill
from archive.reports.status import site_argument
from archive.sites.sohr.addresses import HOME, Site

# A day this long before the last reading of the listings is over in every time zone (archive.ingest.coverage)
SETTLED = timedelta(days=2)
UNSIGHTED = "none"  # the channel of articles that no channel showed: cited, imported, or found by a redirect


@dataclass(frozen=True, slots=True)
class Day:
    """An archive day of an edition; ``day`` is None for articles whose day no page states."""

    edition: Edition
    day: str | None
    channels: dict[str, int]  # articles that each channel showed; several may show one article
    alone: dict[str, int]  # articles that this channel alone showed
    sighted: int  # articles known
    present: int  # captured, and there at the last look
    gone: int  # missing, disappeared, moved or withheld by the site's own answer, captured or not
    unreadable: int  # captured, and no layout reads them
    uncaptured: int
    listed_whole: bool
    is_open: bool  # not over, or barely, when the listings were last read
    is_copied: bool = False  # what is captured of it came from public archives or files alone

    @property
    def is_gap(self) -> bool:
        """Whether posts of the day may be unknown."""
        return self.day is not None and not (self.listed_whole or self.is_open)


@dataclass(frozen=True, slots=True)
class LastFailure:
    """The last failure of an address: ``reason`` is a word, ``detail`` a sentence or empty."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Uncaptured:
    """An article that was sighted and never captured. ``last`` is None if it was not asked for yet."""

    edition: Edition
    day: str | None
    url: str
    last: LastFailure | None


@dataclass(frozen=True, slots=True)
class Unresolved:
    """An address whose article is not known. ``is_gone``: the site answers 404, which explains it."""

    url: str
    last: LastFailure | None
    is_gone: bool


@dataclass(frozen=True, slots=True)
class Walk:
    """How far an edition's listings were read: on which day last, and the days at which reading stopped."""

    edition: Edition
    last_day: str | None
    broken_off: tuple[str | None, ...]
    asked: bool  # whether a crawl ever asked for this edition


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Days of an edition without a break between them, both ends included."""

    edition: Edition
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Audit:
    """All gaps, and what explains the rest, in the days that were asked for."""

    since: str | None
    until: str | None
    walks: tuple[Walk, ...]
    days: tuple[Day, ...]
    uncaptured: tuple[Uncaptured, ...]
    unresolved: tuple[Unresolved, ...]
    archives: tuple[ServicePlan, ...] = ()  # what public archives list; only without days

    @property
    def gap_days(self) -> list[Day]:
        """Days of which posts may be unknown."""
        return [day for day in self.days if day.is_gap]

    @property
    def never_listed(self) -> list[Edition]:
        """Editions that a crawl asked for and whose listing never came."""
        seen = {day.edition for day in self.days}
        return [w.edition for w in self.walks if w.asked and w.last_day is None and w.edition not in seen]

    @property
    def broken_off(self) -> list[tuple[Edition, str | None]]:
        """Listings that were not read to their end, and where reading stopped: older posts may be unknown.

        If the audit has a first day, `gap_days` has these days instead.
        """
        return [
            (walk.edition, day)
            for walk in self.walks
            for day in walk.broken_off
            if self.since is None or day is None
        ]

    @property
    def open_addresses(self) -> list[str]:
        """Addresses to ask for: never captured, or not resolved."""
        unresolved = (address.url for address in self.unresolved if not address.is_gone)
        return [*(article.url for article in self.uncaptured), *unresolved]

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
    """Audit an archive opened by `open_readonly`. ``since`` and ``until`` are archive days, both included."""
    with snapshot(conn):
        walks = tuple(_walk(conn, edition) for edition in editions)
        days = [day for walk in walks for day in _days(conn, walk, since, until)]
        uncaptured = [article for edition in editions for article in _uncaptured(conn, edition, since, until)]
        # An address has no day
        unresolved = _unresolved(conn, editions) if since is None and until is None else []
        archives = read_backfill(conn, editions) if since is None and until is None else ()
    return Audit(since, until, walks, tuple(days), tuple(uncaptured), tuple(unresolved), archives)


def _walk(conn: sqlite3.Connection, edition: Edition) -> Walk:
    sql = """select substr(max(c.captured_at), 1, 10) from listing_pages p join captures c using (capture_id)
             where edition = ?"""
    (last,) = conn.execute(sql, (edition,)).fetchone()
    ends = conn.execute(
        """select tail_day from stretches where edition = ? and merged_into is null
           and tail_article_id is not null and not reached_end order by tail_day desc""",
        (edition,),
    )
    arguments = conn.execute("select distinct arguments from crawls where kind = 'crawl'")
    asked = any(
        edition in given.get("editions", ()) and given.get("urls") is None and given.get("sweep") is None
        for given in (json.loads(text) for (text,) in arguments)
    )
    return Walk(edition, last, tuple(day for (day,) in ends), asked)


def _days(conn: sqlite3.Connection, walk: Walk, since: str | None, until: str | None) -> Iterable[Day]:
    edition = walk.edition
    sql = """select nullif(c.day, '') as day, sighted, sighted - captured as uncaptured, gone,
             coalesce(u.articles, 0) as unreadable
             from day_counts c left join (select coalesce(day, '') as day, count(*) as articles from articles
                 where state = 'unreadable' and edition = ?1 group by 1) u using (day)
             where c.edition = ?1 and sighted > 0"""
    articles = {row["day"]: row for row in conn.execute(sql, (edition,))}
    sql = """select a.day, coalesce(s.channel, ?), count(distinct a.article_id)
             from articles a left join sightings s using (article_id)
             where a.edition = ? group by 1, 2 order by 1, 2"""
    channels = _by_day(conn.execute(sql, (UNSIGHTED, edition)))
    sql = "select day, channel, alone from channel_coverage where edition = ? and alone > 0"
    alone = _by_day(conn.execute(sql, (edition,)))
    whole = {row[0] for row in conn.execute("select day from coverage_days where edition = ?", (edition,))}
    sql = "select day from coverage where edition = ? and is_copied"
    archived = {row[0] for row in conn.execute(sql, (edition,))}
    sql = """select coalesce(substr(head_seen_at, 1, 10), newest_day) as head, tail_day, reached_end
             from stretches where edition = ? and merged_into is null"""
    stretches = [row for row in conn.execute(sql, (edition,)) if row["head"]]
    settled = (date.fromisoformat(walk.last_day) - SETTLED).isoformat() if walk.last_day else ""
    known = [day for day in (*articles, *whole) if day is not None]
    first, last = since or min(known, default=""), until or max([*known, settled])
    days: list[str | None] = [*days_between(first, last)] if first and last else []
    no_day = [None] if None in articles and since is None and until is None else []
    for day in [*days, *no_day]:
        _, sighted, uncaptured, gone, unreadable = articles.get(day, (day, 0, 0, 0, 0))
        # As in the view `coverage`, which knows only days with known articles
        listed = day in whole or any(_is_inside(day, stretch) for stretch in stretches)
        yield Day(
            edition,
            day,
            channels=channels.get(day, {}),
            alone=alone.get(day, {}),
            sighted=sighted,
            present=sighted - uncaptured - gone - unreadable,
            gone=gone,
            unreadable=unreadable,
            uncaptured=uncaptured,
            listed_whole=listed,
            is_open=not listed and day is not None and "" < settled < day,
            is_copied=day in archived,
        )


def _by_day(rows: Iterable[sqlite3.Row]) -> dict[str | None, dict[str, int]]:
    found: dict[str | None, dict[str, int]] = {}
    for day, channel, number in rows:
        found.setdefault(day, {})[channel] = number
    return found


def _is_inside(day: str | None, stretch: sqlite3.Row) -> bool:
    """Whether a stretch of the listing shows a whole day: one before its head and after its tail."""
    if day is None or day >= stretch["head"]:
        return False
    return bool(stretch["reached_end"] or (stretch["tail_day"] and day > stretch["tail_day"]))


def _uncaptured(
    conn: sqlite3.Connection, edition: Edition, since: str | None, until: str | None
) -> Iterable[Uncaptured]:
    rows = conn.execute(
        """select article_id, day, url from articles where edition = ? and state is null
           and (? is null or day is null or day >= ?) and (? is null or day is null or day <= ?)
           order by day desc, article_id""",
        (edition, since, since, until, until),
    ).fetchall()
    by_article = _last_failures(conn, "article_id") if rows else {}
    by_url = _last_failures(conn, "url") if rows else {}
    for row in rows:
        last = by_article.get(row["article_id"], by_url.get(row["url"]))
        yield Uncaptured(edition, row["day"], row["url"], last)


def _unresolved(conn: sqlite3.Connection, editions: Sequence[Edition]) -> Iterable[Unresolved]:
    site = Site(about(conn, "home") or HOME)
    rows = conn.execute(
        """select url, (select outcome from captures c where c.url = x.url order by capture_id desc limit 1)
           as outcome from aliases x where article_id is null order by alias_id"""
    ).fetchall()
    last = _last_failures(conn, "url") if rows else {}
    for row in rows:
        address = site.parse(row["url"])
        if address is None or address.edition in (None, *editions):
            yield Unresolved(row["url"], last.get(row["url"]), row["outcome"] in ("missing", "soft404"))


def _last_failures(conn: sqlite3.Connection, by: str) -> dict[Any, LastFailure]:
    """The last failure of each article or address: ``by`` is ``article_id`` or ``url``."""
    rows = conn.execute(
        f"select {by}, reason, detail from failures where {by} is not null order by failure_id"
    )
    return {key: LastFailure(reason, detail) for key, reason, detail in rows}


# -- what closes the gaps


def day_spans(days: Sequence[Day]) -> list[DaySpan]:
    """Days joined into spans without a break, each edition's newest first."""
    found: list[DaySpan] = []
    for edition in EDITIONS:
        for day in sorted((d.day for d in days if d.edition == edition and d.day), reverse=True):
            after = (date.fromisoformat(day) + timedelta(days=1)).isoformat()
            if found and (found[-1].edition, found[-1].first) == (edition, after):
                found[-1] = DaySpan(edition, day, found[-1].last)
            else:
                found.append(DaySpan(edition, day, day))
    return found


def commands(audit: Audit, folder: Path, home: str | None, urls: Path) -> list[str]:
    """The commands that close the gaps, in the order to run them: listings first, because they may show more.
    ``urls`` is the file of `write_urls`."""
    site = site_argument(home)
    crawl = ["scrapy", "crawl", "sohr", *(["-a", f"site={site}"] if site else [])]
    crawl += ["-s", f"ARCHIVE_DIR={folder.absolute()}", "-a", "look=none"]
    tails: dict[Edition, str] = dict.fromkeys(audit.never_listed, "9999")
    for edition, tail in audit.broken_off:
        tails[edition] = max(tails.get(edition, ""), tail or "9999")
    # A crawl that reads a listing on lists everything older
    left = [day for day in audit.gap_days if (day.day or "") > tails.get(day.edition, "")]
    wanted = [["-a", f"edition={edition}"] for edition in tails]
    wanted += [
        ["-a", f"edition={span.edition}", "-a", f"since={span.first}", "-a", f"until={span.last}"]
        for span in day_spans(left)
    ]
    if audit.open_addresses:
        wanted.append(["-a", f"urls={urls.absolute()}"])
    return [shlex.join([*crawl, *arguments]) for arguments in wanted]


def write_urls(audit: Audit, target: Path) -> bool:
    """Write the addresses to ask for, one a line, whole or not at all; whether there were any. Raises
    OSError."""
    if not audit.open_addresses:
        return False
    write_whole(target, "".join(f"{url}\n" for url in audit.open_addresses))
    return True
