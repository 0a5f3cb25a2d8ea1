"""What an archive has, how its last crawls went, where its gaps are, and what to run next."""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from archive.clock import format_time, parse_time
from archive.errors import CANNOT_WRITE, INTERNAL, INTERRUPTED, OK, UNAVAILABLE, UNREADABLE
from archive.model import EDITIONS, STATES, Edition
from archive.outcome import QUARANTINED
from archive.read.alerts import Trouble, read_troubles
from archive.read.database import about, snapshot
from archive.reports.channels import ChannelReport, read_channels
from archive.reports.room import Room, read_room
from archive.reports.terminal import number_of
from archive.reports.troubles import count_held, count_noise
from archive.sites.sohr.addresses import HOME, Site

CRAWLS = 5  # shown
DAYS = 5  # days not listed in full that are named
NOISE_DAYS = 30  # days whose noise is counted


@dataclass(frozen=True, slots=True)
class Post:
    """The newest post of an edition, by the site's own date."""

    published_at: str
    title: str


@dataclass(frozen=True, slots=True)
class EditionHealth:
    """Whether the last crawl of an edition read what it should have read."""

    edition: Edition
    healthy: bool
    last_good_crawl: str | None  # when the last healthy one ended (UTC)
    # Posts of which outcomes of looks are held, by kind: missing, moved, withheld, textless, updated
    held: dict[str, int] = field(default_factory=dict)
    noise: dict[str, int] = field(default_factory=dict)  # of the last 30 days: `archive.ingest.noise`


@dataclass(frozen=True, slots=True)
class Holding:
    """What the archive has of one source: an edition, or ``other`` for pages of other sites."""

    source: str
    articles: int  # known, whether captured or not
    states: dict[str, int]  # of those captured
    waiting: int  # never captured
    versions: int
    captures: int
    due: int  # articles that are due for another look
    due_since: str | None  # since when the first of them has been due
    all_looked_by: str | None  # when the last of the others is due: an edit may be seen only then
    newest: Post | None


@dataclass(frozen=True, slots=True)
class Crawl:
    """One run. ``seconds`` and ``exit_status`` are None while it runs and if it was killed."""

    name: str
    kind: str
    started_at: str
    finished_at: str | None
    seconds: int | None
    verdict: str  # as the crawl recorded it; running; cut off
    new: int | None
    changed: int | None
    gone: int | None
    failed: int | None
    doubtful: int  # posts that trafilatura reads very differently, of the one in a hundred it is given
    exit_status: int | None
    retry_after: float | None  # seconds that the site asked for, if that was cut to the bound
    crawl_delay: float | None  # the same, between two requests


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """A listing that was not read to its end: older posts may be unknown."""

    edition: Edition
    oldest_day: str | None
    posts: int


@dataclass(frozen=True, slots=True)
class Days:
    """The archive days of an edition with known posts, by whether all their listings were seen."""

    edition: Edition
    whole: int
    not_whole: int
    newest_not_whole: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """The whole picture; sizes in bytes."""

    read_at: str
    folder: str
    site: str | None
    home: str | None
    database_size: int
    warc_files: int
    warc_size: int
    room: Room
    shorter_files: tuple[str, ...]  # WARC files that hold less than is indexed of them
    newest_seq: int
    editions: tuple[EditionHealth, ...]  # of which a crawl has ended
    holdings: tuple[Holding, ...]
    last_crawl: Crawl | None
    crawls: tuple[Crawl, ...]  # of any kind, newest first
    broken_off: tuple[BrokenOff, ...]
    days: tuple[Days, ...]
    unresolved: int  # addresses whose article is not known yet
    alerts: tuple[Trouble, ...]  # those whose last try failed
    quarantined: int  # captures that make no version until their layout is confirmed
    channels: tuple[ChannelReport, ...]
    next: tuple[tuple[str, str], ...]  # (command, why)


def read_status(conn: sqlite3.Connection, folder: Path, now: str) -> Status:
    """Read the status of an archive opened by `open_readonly`, at the instant ``now``."""
    with snapshot(conn):
        holdings = tuple(_holdings(conn, now))
        crawls = tuple(_crawls(conn, folder, None, CRAWLS))
        last = next(iter(_crawls(conn, folder, "crawl", 1)), None)
        editions = tuple(_editions(conn, now))
        broken_off = tuple(_broken_off(conn))
        unresolved = _count(conn, "select count(*) from aliases where article_id is null")
        quarantined = _count(conn, "select count(*) from captures where outcome = ?", QUARANTINED)
        site, home = about(conn, "site"), about(conn, "home")
        shorter = tuple(_shorter_files(conn, folder))
        days = tuple(_days(conn))
        channels = read_channels(conn)
        newest_seq = _count(conn, "select coalesce(max(seq), 0) from changes")
    database_size = sum(path.stat().st_size for path in folder.glob("archive.db*"))
    files = [path.stat().st_size for path in (folder / "warc").glob("*.warc.gz*")]
    return Status(
        read_at=now,
        folder=str(folder),
        site=site,
        home=home,
        database_size=database_size,
        warc_files=len(files),
        warc_size=sum(files),
        room=read_room(folder, now, database_size, sum(files)),
        shorter_files=shorter,
        newest_seq=newest_seq,
        editions=editions,
        holdings=holdings,
        last_crawl=last,
        crawls=crawls,
        broken_off=broken_off,
        days=days,
        unresolved=unresolved,
        alerts=tuple(read_troubles(folder)),
        quarantined=quarantined,
        channels=channels,
        next=tuple(_next(folder, home, holdings, last, len(broken_off), unresolved)),
    )


def _shorter_files(conn: sqlite3.Connection, folder: Path) -> Iterable[str]:
    """Of the WARC files that a crawl found to be shorter than they were, those that still are."""
    for name in json.loads(about(conn, "shorter_files") or "{}"):
        sql = """select max(offset + length) from captures join warc_files using (warc_file_id)
                 where name = ?"""
        paths = (folder / "warc" / name, folder / "warc" / f"{name}.open")
        size = max((path.stat().st_size for path in paths if path.exists()), default=0)
        if size < (conn.execute(sql, (name,)).fetchone()[0] or 0):
            yield name


def _editions(conn: sqlite3.Connection, now: str) -> Iterable[EditionHealth]:
    rows = _Rows(conn)
    held = count_held(rows)
    noise = count_noise(rows, format_time(parse_time(now) - timedelta(days=NOISE_DAYS))[:10])
    for edition in EDITIONS:
        if health := read_health(conn, edition):
            yield replace(health, held=held.get(edition, {}), noise=noise.get(edition, {}))


class _Rows:
    """A connection for reading as `archive.reports.gaps.Rows`."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn

    def query(self, sql: str, *values: object) -> list[Any]:
        return self._conn.execute(sql, values).fetchall()


def read_health(conn: sqlite3.Connection, edition: Edition) -> EditionHealth | None:
    """How an edition's crawls went: the last one, and when the last good one ended. None without a crawl.

    A crawl counts if it asked for the edition's newest listing, or should have and failed before.
    """
    sql = """select finished_at, exit_status, arguments, counters from crawls
             where kind = 'crawl' and finished_at is not null order by crawl_id desc"""
    healthy: bool | None = None
    for at, exit_status, arguments, counters in conn.execute(sql):
        verdict = _is_healthy(edition, exit_status, json.loads(arguments), json.loads(counters))
        healthy = verdict if healthy is None else healthy
        if verdict:
            return EditionHealth(edition, bool(healthy), at)
    return None if healthy is None else EditionHealth(edition, healthy, None)


def _is_healthy(
    edition: Edition, exit_status: int | None, arguments: dict[str, Any], counters: dict[str, Any]
) -> bool | None:
    """Whether a crawl was healthy for an edition; None if it says nothing of it."""
    results = counters.get("editions", {})
    own = results.get(edition, {"listed": False, "healthy": True})
    is_good = exit_status in (OK, INTERRUPTED)
    if not own["listed"]:
        limited = any(arguments.get(name) is not None for name in ("urls", "sweep", "since", "until"))
        is_asked = edition in arguments.get("editions", ()) and not limited
        return False if is_asked and not (is_good and own["healthy"]) else None
    # Another edition may be the reason for the exit status
    others = not all(result["healthy"] for result in results.values())
    return bool(own["healthy"] and (is_good or (others and exit_status in (UNREADABLE, UNAVAILABLE))))


def _count(conn: sqlite3.Connection, sql: str, *values: object) -> int:
    return int(conn.execute(sql, values).fetchone()[0])


def _holdings(conn: sqlite3.Connection, now: str) -> Iterable[Holding]:
    counts = conn.execute(
        """select coalesce(edition, 'other') as source, state, count(*) as articles,
           sum(versions) as versions, sum(coalesce(next_look_at <= ?1, 0)) as due,
           min(iif(next_look_at <= ?1, next_look_at, null)) as due_since, max(next_look_at) as all_looked_by
           from articles group by 1, 2""",
        (now,),
    ).fetchall()
    sql = """select coalesce(a.edition, 'other'), count(*) from captures c join articles a using (article_id)
             group by 1"""
    captures = dict(conn.execute(sql).fetchall())
    for source in (*EDITIONS, "other"):
        rows = [row for row in counts if row["source"] == source]
        if not rows and source == "other":
            continue
        states = {row["state"]: row["articles"] for row in rows}
        yield Holding(
            source,
            articles=sum(states.values()),
            states={state: states[state] for state in STATES if state in states},
            waiting=states.get(None, 0),
            versions=sum(row["versions"] for row in rows),
            captures=captures.get(source, 0),
            due=sum(row["due"] for row in rows if row["state"] is not None),
            due_since=min(
                (row["due_since"] for row in rows if row["due_since"] and row["state"]), default=None
            ),
            all_looked_by=max(
                (row["all_looked_by"] for row in rows if row["all_looked_by"] and row["state"]), default=None
            ),
            newest=_newest(conn, source),
        )


def _newest(conn: sqlite3.Connection, source: str) -> Post | None:
    row = conn.execute(
        """select v.published_at, v.title from versions v
           join articles a on a.article_id = v.article_id and a.newest_version_id = v.version_id
           where coalesce(a.edition, 'other') = ? and v.published_at is not null
           order by v.published_at desc limit 1""",
        (source,),
    ).fetchone()
    return Post(row["published_at"], row["title"]) if row else None


def _crawls(conn: sqlite3.Connection, folder: Path, kind: str | None, limit: int) -> Iterable[Crawl]:
    newest = _count(conn, "select coalesce(max(crawl_id), 0) from crawls")
    sql = """select c.*, cross_check from crawls c join crawl_health using (name)
             where ? is null or c.kind = ? order by crawl_id desc limit ?"""
    for row in conn.execute(sql, (kind, kind, limit)).fetchall():
        counters = json.loads(row["counters"])
        started, end = parse_time(row["started_at"]), row["finished_at"]
        verdict = row["verdict"] or row["finish_reason"] or ""
        if end is None:
            verdict = "running" if row["crawl_id"] == newest and _is_locked(folder) else "cut off"
        yield Crawl(
            row["name"],
            row["kind"],
            row["started_at"],
            end,
            seconds=round((parse_time(end) - started).total_seconds()) if end else None,
            verdict=verdict,
            new=counters.get("new"),
            changed=counters.get("changed"),
            gone=counters.get("gone"),
            failed=counters.get("failed"),
            doubtful=row["cross_check"],
            exit_status=row["exit_status"],
            retry_after=counters.get("retry_after"),
            crawl_delay=counters.get("crawl_delay"),
        )


def _is_locked(folder: Path) -> bool:
    """Whether the process that last locked the archive is alive. Trying the lock itself could turn away a
    crawl that starts at that moment."""
    try:
        os.kill(int((folder / "archive.lock").read_text(encoding="ascii")), 0)
    except PermissionError:
        return True  # another user's process
    except (OSError, ValueError):
        return False
    return True


def _broken_off(conn: sqlite3.Connection) -> Iterable[BrokenOff]:
    sql = """select s.edition, s.tail_day,
             (select count(*) from articles a where a.stretch_id = s.stretch_id) as posts from stretches s
             where merged_into is null and tail_article_id is not null and not reached_end
             order by edition = 'ar', newest_day desc, stretch_id"""
    return (BrokenOff(row["edition"], row["tail_day"], row["posts"]) for row in conn.execute(sql))


def _days(conn: sqlite3.Connection) -> Iterable[Days]:
    sql = "select day, listed_whole from coverage where edition = ? order by day desc"
    for edition in EDITIONS:
        rows = conn.execute(sql, (edition,)).fetchall()
        lacking = [row["day"] for row in rows if not row["listed_whole"]]
        if rows:
            yield Days(edition, len(rows) - len(lacking), len(lacking), tuple(lacking[:DAYS]))


_AFTER = {
    UNREADABLE: "after mending the layout (docs/layouts.md): the last crawl could not read the pages",
    UNAVAILABLE: "later: the site was unavailable or refused (docs/when-refused.md)",
    INTERNAL: "again, and please report what its log says: the last crawl met a bug of ours",
    CANNOT_WRITE: "once the archive can be written again (disk space, permissions)",
}


def _next(
    folder: Path,
    home: str | None,
    holdings: Sequence[Holding],
    last: Crawl | None,
    broken_off: int,
    unresolved: int,
) -> Iterable[tuple[str, str]]:
    if last is not None and last.verdict == "running":
        return
    waiting, due = sum(h.waiting for h in holdings), sum(h.due for h in holdings)
    unfinished = [
        text
        for number, text in (
            (waiting, f"{number_of(waiting, 'article')} to capture"),
            (broken_off, f"{number_of(broken_off, 'listing')} to read on"),
            (unresolved, f"{number_of(unresolved, 'address', 'addresses')} to resolve"),
        )
        if number
    ]
    if last is not None and last.exit_status in _AFTER:
        reason = _AFTER[last.exit_status]
    elif unfinished:
        reason = "continues: " + ", ".join(unfinished)
    elif due:
        reason = f"adds new posts; {number_of(due, 'article')} due for another look"
    else:
        reason = "adds new posts"
    site = site_argument(home)
    arguments = ["-a", f"site={site}"] if site else []
    settings = ["-s", f"ARCHIVE_DIR={folder}"] if folder != Path("data") else []
    yield shlex.join(["scrapy", "crawl", "sohr", *arguments, *settings]), reason
    if any(h.versions for h in holdings):
        where = ["--archive", str(folder)] if folder != Path("data") else []
        yield shlex.join(["sohr-archive", *where, "serve"]), "shows the archive in a browser"


def site_argument(home: str | None) -> str | None:
    """The address that a crawl of this archive needs as ``-a site=``; None for the default site."""
    return home if home and Site(home).name != Site(HOME).name else None
