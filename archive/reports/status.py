"""What an archive holds, how its last crawls went, where its gaps are, and what to run next."""

from __future__ import annotations

import json
import os
import shlex
import sqlite3
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from archive.clock import parse_time
from archive.errors import CANNOT_WRITE, INTERNAL, UNAVAILABLE, UNREADABLE
from archive.model import EDITIONS, STATES, Edition
from archive.outcome import QUARANTINED
from archive.read.database import about, snapshot
from archive.reports.channels import ChannelReport, lines, read_channels

LIVE_SITE = "www.syriahr.com"
EDITION_NAMES = {"en": "English", "ar": "Arabic"}
# As `articles.state` knows them
CRAWLS = 5  # the last ones shown
DAYS = 5  # named of those not listed whole


@dataclass(frozen=True, slots=True)
class Post:
    """The newest post of an edition, by what the site says."""

    published_at: str
    title: str


@dataclass(frozen=True, slots=True)
class Holding:
    """What is held of one source: an edition, or a page of another site."""

    source: str
    articles: int  # sighted, whether captured or not
    states: dict[str, int]  # of those captured
    waiting: int  # sighted, never captured
    versions: int
    captures: int
    due: int  # articles whose next look has come
    newest: Post | None


@dataclass(frozen=True, slots=True)
class Crawl:
    """One run. ``seconds`` and ``exit_status`` are None while it runs, and where it was killed."""

    name: str
    kind: str
    started_at: str
    seconds: int | None
    verdict: str  # as the guard gave it; running; cut off
    new: int | None
    changed: int | None
    gone: int | None
    failed: int | None
    doubtful: int  # posts, of one in a hundred, of which another reader reads a very different text
    exit_status: int | None


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """A walk through a listing that did not reach its end: older posts may be unknown."""

    edition: Edition
    oldest_day: str | None
    posts: int


@dataclass(frozen=True, slots=True)
class Days:
    """The archive days of an edition of which posts are known, by whether all their listings were seen."""

    edition: Edition
    whole: int
    not_whole: int
    newest_not_whole: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """The whole picture; sizes in bytes."""

    folder: str
    site: str | None
    home: str | None
    database_size: int
    warc_files: int
    warc_size: int
    newest_seq: int
    holdings: tuple[Holding, ...]
    crawls: tuple[Crawl, ...]  # newest first
    broken_off: tuple[BrokenOff, ...]
    days: tuple[Days, ...]
    unresolved: int  # addresses met whose article is not known yet
    # Captures that another layout read differently: evidence, and no version until that layout is confirmed
    quarantined: int
    channels: tuple[ChannelReport, ...]
    next: tuple[tuple[str, str], ...]  # (command, why)


def read_status(conn: sqlite3.Connection, folder: Path, now: str) -> Status:
    """Look at an archive opened by `open_readonly`, at the instant ``now``."""
    with snapshot(conn):
        holdings = tuple(_holdings(conn, now))
        crawls = tuple(_crawls(conn, folder))
        broken_off = tuple(_broken_off(conn))
        unresolved = _count(conn, "select count(*) from aliases where article_id is null")
        quarantined = int(
            conn.execute("select count(*) from captures where outcome = ?", (QUARANTINED,)).fetchone()[0]
        )
        site, home = about(conn, "site"), about(conn, "home")
        days = tuple(_days(conn))
        channels = read_channels(conn)
        newest_seq = _count(conn, "select coalesce(max(seq), 0) from changes")
    files = [path.stat().st_size for path in (folder / "warc").glob("*.warc.gz*")]
    database_size = sum(path.stat().st_size for path in folder.glob("archive.db*"))
    todo = tuple(_next(folder, site, home, holdings, crawls, broken_off, unresolved))
    return Status(
        folder=str(folder),
        site=site,
        home=home,
        database_size=database_size,
        warc_files=len(files),
        warc_size=sum(files),
        newest_seq=newest_seq,
        holdings=holdings,
        crawls=crawls,
        broken_off=broken_off,
        days=days,
        unresolved=unresolved,
        quarantined=quarantined,
        channels=channels,
        next=todo,
    )


def _count(conn: sqlite3.Connection, sql: str) -> int:
    return int(conn.execute(sql).fetchone()[0])


def _holdings(conn: sqlite3.Connection, now: str) -> Iterable[Holding]:
    counts = conn.execute(
        """select coalesce(edition, 'other') as source, state, count(*) as articles, sum(versions) as versions,
           sum(coalesce(next_look_at <= ?, 0)) as due from articles group by 1, 2""",
        (now,),
    ).fetchall()
    captures = dict(
        conn.execute(
            "select coalesce(a.edition, 'other'), count(*) from captures c join articles a using (article_id) group by 1"
        )
    )
    for source in (*EDITIONS, "other"):
        rows = [row for row in counts if row["source"] == source]
        if not rows and source == "other":
            continue
        states = {row["state"]: row["articles"] for row in rows}
        yield Holding(
            source,
            sum(states.values()),
            {state: states[state] for state in STATES if state in states},
            states.get(None, 0),
            sum(row["versions"] for row in rows),
            captures.get(source, 0),
            sum(row["due"] for row in rows if row["state"] is not None),
            _newest(conn, source),
        )


def _newest(conn: sqlite3.Connection, source: str) -> Post | None:
    row = conn.execute(
        """select v.published_at, v.title from versions v join articles a on a.article_id = v.article_id and a.newest_version_id = v.version_id
           where coalesce(a.edition, 'other') = ? and v.published_at is not null order by v.published_at desc limit 1""",
        (source,),
    ).fetchone()
    return Post(row["published_at"], row["title"]) if row else None


def _crawls(conn: sqlite3.Connection, folder: Path) -> Iterable[Crawl]:
    sql = (
        "select c.*, cross_check from crawls c join crawl_health using (name) order by crawl_id desc limit ?"
    )
    rows = conn.execute(sql, (CRAWLS,)).fetchall()
    for place, row in enumerate(rows):
        counters = json.loads(row["counters"])
        seconds = None
        if row["finished_at"]:
            seconds = round((parse_time(row["finished_at"]) - parse_time(row["started_at"])).total_seconds())
            verdict = row["verdict"] or row["finish_reason"] or ""
        else:
            verdict = "running" if place == 0 and _is_held(folder) else "cut off"
        new, changed, gone, failed = (counters.get(name) for name in ("new", "changed", "gone", "failed"))
        yield Crawl(
            row["name"],
            row["kind"],
            row["started_at"],
            seconds,
            verdict,
            new,
            changed,
            gone,
            failed,
            row["cross_check"],
            row["exit_status"],
        )


def _is_held(folder: Path) -> bool:
    """Whether the crawl that last locked the archive is alive. Trying the lock itself could turn a crawl away
    that starts right now."""
    try:
        os.kill(int((folder / "archive.lock").read_text(encoding="ascii")), 0)
    except PermissionError:
        return True  # another user's
    except (OSError, ValueError):
        return False
    return True


def _broken_off(conn: sqlite3.Connection) -> Iterable[BrokenOff]:
    sql = """select s.edition, s.tail_day, (select count(*) from articles a where a.stretch_id = s.stretch_id) as posts from stretches s
             where merged_into is null and tail_article_id is not null and not reached_end order by edition = 'ar', newest_day desc, stretch_id"""
    return (BrokenOff(row["edition"], row["tail_day"], row["posts"]) for row in conn.execute(sql))


def _days(conn: sqlite3.Connection) -> Iterable[Days]:
    for edition in EDITIONS:
        rows = conn.execute(
            "select day, listed_whole from coverage where edition = ? order by day desc", (edition,)
        ).fetchall()
        lacking = [row["day"] for row in rows if not row["listed_whole"]]
        if rows:
            yield Days(edition, len(rows) - len(lacking), len(lacking), tuple(lacking[:DAYS]))


def _next(
    folder: Path,
    site: str | None,
    home: str | None,
    holdings: Sequence[Holding],
    crawls: Sequence[Crawl],
    broken_off: Sequence[BrokenOff],
    unresolved: int,
) -> Iterable[tuple[str, str]]:
    crawl = crawl_command(folder, site, home)
    last = crawls[0] if crawls else None
    waiting, due = sum(h.waiting for h in holdings), sum(h.due for h in holdings)
    open_ends = [
        text
        for number, text in (
            (waiting, f"{waiting:,} articles to capture"),
            (len(broken_off), f"{len(broken_off)} listing{'s' * (len(broken_off) > 1)} to walk on"),
            (unresolved, f"{unresolved:,} addresses to resolve"),
        )
        if number
    ]
    if last is not None and last.verdict == "running":
        return
    if last is not None and last.exit_status in _AFTER:
        yield crawl, _AFTER[last.exit_status]
    elif open_ends:
        yield crawl, "goes on where it was: " + ", ".join(open_ends)
    elif due:
        yield crawl, f"takes what is new; {due:,} articles are due for another look"
    else:
        yield crawl, "takes what is new"
    if any(h.versions for h in holdings):
        where = ["--archive", str(folder)] if folder != Path("data") else []
        yield shlex.join(["sohr-archive", *where, "serve"]), "reads the archive in a browser"


_AFTER = {
    UNREADABLE: "once the layout is mended (docs/layouts.md): the last crawl could not read the pages",
    UNAVAILABLE: "later: the site was unavailable or refused (docs/when-refused.md)",
    INTERNAL: "again, and please report what its log says: the last crawl met an error of ours",
    CANNOT_WRITE: "once the archive can be written again (disk space, permissions)",
}


def crawl_command(folder: Path, site: str | None, home: str | None) -> str:
    """The crawl of this archive, to be typed as it is."""
    command = ["scrapy", "crawl", "sohr"]
    if site != LIVE_SITE and home:
        command += ["-a", f"site={home}"]
    if folder != Path("data"):
        command += ["-s", f"ARCHIVE_DIR={folder}"]
    return shlex.join(command)


# -- for people
# -----------------------------------------------------------------------------------------------------------------------


def render(status: Status, width: int = 100) -> str:
    """The status as text, in columns; titles stand last on their line, each isolated so that right-to-left
    text moves nothing else."""
    sizes = f"database {size(status.database_size)}, {number_of(status.warc_files, 'WARC file')} with {size(status.warc_size)}"
    parts = [
        f"Archive of {status.site or 'no site yet'} in {status.folder}: {sizes}",
        _held(status, width),
        _states(status.holdings),
        _last_crawls(status.crawls),
        columns(list(lines(status.channels, EDITION_NAMES)), right=(4, 5, 6)) if status.channels else "",
        _gaps(status),
        columns([["Next", ""]] + [[f"  {command}", why] for command, why in status.next])
        if status.next
        else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _held(status: Status, width: int) -> str:
    rows = [["Held", "articles", "versions", "captures", "newest post"]]
    for h in status.holdings:
        newest = "-"
        if h.newest:
            newest = f"{h.newest.published_at[:10]}  {isolated(cut(h.newest.title or '(no title)', max(20, width - 58)))}"
        rows.append([f"  {_name(h.source)}", f"{h.articles:,}", f"{h.versions:,}", f"{h.captures:,}", newest])
    return columns(rows, right=(1, 2, 3))


def _states(holdings: Sequence[Holding]) -> str:
    names = [state for state in STATES if state == "live" or any(h.states.get(state) for h in holdings)]
    waiting = any(h.waiting for h in holdings)
    rows = [["State", *names, *(["not captured yet"] if waiting else [])]]
    rows += [
        [
            f"  {_name(h.source)}",
            *(f"{h.states.get(n, 0):,}" for n in names),
            *([f"{h.waiting:,}"] if waiting else []),
        ]
        for h in holdings
    ]
    return columns(rows, right=range(1, len(rows[0])))


def _last_crawls(crawls: Sequence[Crawl]) -> str:
    if not crawls:
        return "Last crawls\n  none yet"
    rows = [
        ["Last crawls (UTC)", "lasted", "verdict", "new", "changed", "gone", "failed", "doubtful", "exit"]
    ]
    for c in crawls:
        numbers = (
            "-" if n is None else f"{n:,}"
            for n in (c.new, c.changed, c.gone, c.failed, c.doubtful, c.exit_status)
        )
        kind = "" if c.kind == "crawl" else f" {c.kind}"
        rows.append(
            [
                f"  {c.started_at.replace('T', ' ').rstrip('Z')}{kind}",
                "-" if c.seconds is None else lasted(c.seconds),
                c.verdict,
                *numbers,
            ]
        )
    return columns(rows, right=(1, 3, 4, 5, 6, 7, 8))


def _gaps(status: Status) -> str:
    lines = []
    for gap in status.broken_off:
        where = f"at {gap.oldest_day}" if gap.oldest_day else f"after {number_of(gap.posts, 'post')}"
        lines.append(
            f"{_name(gap.edition)}: a walk through the listing broke off {where}; older posts may be unknown"
        )
    for days in status.days:
        if days.not_whole:
            named = ", ".join(days.newest_not_whole) + (
                ", ..." if days.not_whole > len(days.newest_not_whole) else ""
            )
            lines.append(
                f"{_name(days.edition)}: {number_of(days.not_whole, 'day')} of {days.whole + days.not_whole:,} not listed whole ({named})"
            )
    for held in status.holdings:
        if held.waiting:
            lines.append(
                f"{_name(held.source)}: {number_of(held.waiting, 'article')} sighted and not captured yet"
            )
        if not held.articles:
            lines.append(f"{_name(held.source)}: nothing held")
    if status.unresolved:
        lines.append(
            f"{number_of(status.unresolved, 'address', 'addresses')} met whose article is not known yet"
        )
    if status.quarantined:
        lines.append(
            f"{number_of(status.quarantined, 'capture')} in quarantine: another layout read another text"
        )
    if not lines:
        whole = ", ".join(f"{days.whole:,} days {_name(days.edition)}" for days in status.days)
        lines = [f"none: {whole} listed whole, every article sighted was captured"]
    return "\n".join(["Gaps", *(f"  {line}" for line in lines)])


def _name(source: str) -> str:
    return EDITION_NAMES.get(source, "other sites")


def number_of(number: int, one: str, more: str = "") -> str:
    """A number with its word: ``1 article``, ``2,000 articles``."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def size(count: int) -> str:
    """Bytes for people: ``1.6 MB``, in powers of ten."""
    number = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.5:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 99.5 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB"


def lasted(seconds: int) -> str:
    """A duration for people: ``7s``, ``12m 05s``, ``4h 30m``, ``4d 14h``."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return f"{days}d {hours % 24:02}h"
    if hours:
        return f"{hours}h {minutes % 60:02}m"
    return f"{minutes}m {seconds % 60:02}s" if minutes else f"{seconds}s"


def columns(rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> str:
    """Rows as aligned text, two spaces between columns, by the width a terminal gives them; the last column
    is as long as it is."""
    numbers = set(right)
    widths = [
        max(width_of(row[n]) for row in rows if n < len(row)) for n in range(max(len(row) for row in rows))
    ]
    lines = []
    for row in rows:
        cells = []
        for n, cell in enumerate(row):
            space = " " * (widths[n] - width_of(cell))
            cells.append(space + cell if n in numbers else cell + space)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def width_of(text: str) -> int:
    """Columns of a terminal that a text takes: none for marks and direction signs, two for wide letters."""
    return sum(
        0
        if unicodedata.category(c) in ("Mn", "Me", "Cf")
        else 2
        if unicodedata.east_asian_width(c) in "WF"
        else 1
        for c in text
    )


def plain(text: str) -> str:
    """A text of the site's as one line without anything that moves a cursor or turns the direction of what
    follows."""
    return " ".join(
        "".join(
            c if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") or c in "\u200c\u200d" else " "
            for c in text
        ).split()
    )


def cut(text: str, width: int) -> str:
    """A text of the site's on one line, at most so wide, never between a letter and its marks."""
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
    """Kept apart from what stands around it: FIRST STRONG ISOLATE, the text, POP DIRECTIONAL ISOLATE."""
    return f"\u2068{text}\u2069"
