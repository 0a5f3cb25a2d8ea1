"""What a crawl asked of the site, by the evidence: how much, how fast, and whether it kept to robots.txt and
Retry-After.

Times in the evidence are those of the answers, in whole seconds. So gaps are right to within a second, and a
request counts as too early only if rounding cannot explain it.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from urllib.parse import urlsplit

from archive.clock import format_time, parse_time, read_retry_after
from archive.errors import USAGE, ArchiveError
from archive.outcome import NO_ANSWER
from archive.reports.terminal import columns, cut, duration, size
from archive.sites.robots import parse_robots

BUDGET = 8000  # requests a day
# Statuses after which a request is made again (crawler.settings)
AGAIN = frozenset((408, 429, 500, 502, 503, 504, 522, 524))
SHOWN = 5  # of each kind of finding

Bodies = Callable[[sqlite3.Row], bytes]


class NoCrawl(ArchiveError):
    """Raised when the archive has no crawl of the name asked for, or none at all."""

    exit_status = USAGE


@dataclass(frozen=True, slots=True)
class TooEarly:
    """A request made before the instant that an answer of the same host had named."""

    host: str
    asked_url: str  # its answer named `not_before`
    asked_at: str
    retry_after: str
    not_before: str
    early_url: str
    early_at: str


@dataclass(frozen=True, slots=True)
class Politeness:
    """What one crawl asked of the site. Gaps in seconds, right to within one; rates in requests."""

    crawl: str
    started_at: str
    finished_at: str | None
    requests: int  # answered or not
    unanswered: int
    # Kind (robots, home, date, article, ...), status or "no answer", how many
    kinds: tuple[tuple[str, str, int], ...]
    seconds: int  # from the first answer to the last
    # Requests in a minute, over all full minutes; of the whole crawl where it was shorter
    median_minute: float
    most_in_60_seconds: int
    smallest_gap: int | None
    median_gap: float | None
    bytes: int  # of bodies, as received
    retries: int
    robots_first: tuple[str, ...]  # hosts that were asked for something else before their robots.txt
    forbidden: tuple[str, ...]  # addresses asked for although robots.txt forbids them
    crawl_delay: float | None  # seconds, the longest that a robots.txt asks for
    rests: int  # answers with Retry-After
    too_early: tuple[TooEarly, ...]
    days: tuple[tuple[str, int], ...]  # UTC days of this crawl, requests of all crawls on them
    budget: int

    @property
    def is_polite(self) -> bool:
        """Whether every request was one that the site allows."""
        return not (self.robots_first or self.forbidden or self.too_early)


_FIELDS = ("captured_at", "url", "channel", "status", "retry_after")  # of a capture, as `_asked` takes them


@dataclass(frozen=True, slots=True)
class _Asked:
    at: str
    seconds: float
    url: str
    host: str
    kind: str
    status: int | None
    retry_after: str | None


def read_politeness(conn: sqlite3.Connection, name: str, bodies: Bodies, budget: int = BUDGET) -> Politeness:
    """Read what the crawl ``name`` asked; ``last`` is the last one. Raises NoCrawl.

    ``bodies`` gives the body received for a row of `captures`: it is called for robots.txt.
    """
    crawl = _crawl(conn, name)
    crawl_id = crawl["crawl_id"]
    sql = "select * from captures where crawl_id = ? order by capture_id"
    captures = conn.execute(sql, (crawl_id,)).fetchall()
    asked = [_asked(*(row[name] for name in _FIELDS)) for row in captures]
    sql = "select at, url from failures where crawl_id = ? and reason = ?"
    unanswered = [
        _asked(at, url, "robots" if urlsplit(url).path == "/robots.txt" else None, None, None)
        for at, url in conn.execute(sql, (crawl_id, NO_ANSWER))
    ]
    # The sort is stable: evidence of one second stays in its order
    every = sorted(asked + unanswered, key=lambda one: one.at)
    times = [one.seconds for one in every]
    gaps = [int(later - earlier) for earlier, later in pairwise(times)]
    rules = {
        one.host: parse_robots(bodies(row).decode("utf-8", "replace"))
        for one, row in zip(asked, captures, strict=True)
        if _is_rules(one)
    }
    delays = [one.crawl_delay for one in rules.values() if one.crawl_delay is not None]
    kinds = Counter((one.kind, "no answer" if one.status is None else str(one.status)) for one in every)
    return Politeness(
        crawl=crawl["name"],
        started_at=crawl["started_at"],
        finished_at=crawl["finished_at"],
        requests=len(every),
        unanswered=len(unanswered),
        kinds=tuple(
            (kind, status, number)
            for (kind, status), number in sorted(kinds.items(), key=lambda entry: (-entry[1], entry[0]))
        ),
        seconds=int(times[-1] - times[0]) if times else 0,
        median_minute=_median_minute(times),
        most_in_60_seconds=most_within(times, 60),
        smallest_gap=min(gaps, default=None),
        median_gap=median(gaps) if gaps else None,
        bytes=sum(row["size"] for row in captures),
        retries=_retries(every),
        robots_first=tuple(_before_robots(every)),
        forbidden=tuple(
            one.url
            for one in every
            if one.host in rules and one.kind != "robots" and not rules[one.host].allows(one.url)
        ),
        crawl_delay=max(delays, default=None),
        rests=sum(one.retry_after is not None for one in every),
        too_early=tuple(_too_early(every, _rests_before(conn, crawl_id, every[0].at) if every else ())),
        days=tuple(_days(conn, sorted({one.at[:10] for one in every}))),
        budget=budget,
    )


def _crawl(conn: sqlite3.Connection, name: str) -> sqlite3.Row:
    if name == "last":
        row = conn.execute(
            "select * from crawls where kind = 'crawl' order by started_at desc, crawl_id desc limit 1"
        ).fetchone()
        if row is None:
            raise NoCrawl("the archive has no crawl yet: run 'scrapy crawl sohr'")
    else:
        row = conn.execute("select * from crawls where name = ?", (name,)).fetchone()
        if row is None:
            raise NoCrawl(f"there is no crawl {name}: 'sohr-archive status --json' names the last ones")
        if row["kind"] != "crawl":
            raise NoCrawl(f"{name} is not a crawl but an {row['kind']}, which asks nothing of the site")
    found: sqlite3.Row = row
    return found


def _asked(at: str, url: str, channel: str | None, status: int | None, retry_after: str | None) -> _Asked:
    return _Asked(
        at,
        parse_time(at).timestamp(),
        url,
        urlsplit(url).netloc.lower(),
        channel or "other",
        status,
        retry_after,
    )


def _is_rules(one: _Asked) -> bool:
    return one.kind == "robots" and one.status is not None and 200 <= one.status < 300


def _median_minute(times: Sequence[float]) -> float:
    """Requests in a full minute since the first; all of them where there was no full minute."""
    if not times:
        return 0.0
    full = int((times[-1] - times[0]) // 60)
    if not full:
        return float(len(times))
    counts = Counter(int((at - times[0]) // 60) for at in times)
    return float(median(counts[minute] for minute in range(full)))


def most_within(times: Sequence[float], seconds: float) -> int:
    """The most instants of a sorted sequence in any span of that length, its end excluded."""
    window: deque[float] = deque()
    most = 0
    for at in times:
        window.append(at)
        while window[0] <= at - seconds:
            window.popleft()
        most = max(most, len(window))
    return most


def _retries(every: Iterable[_Asked]) -> int:
    """Count requests for an address that had given no usable answer before."""
    failed: set[str] = set()
    retries = 0
    for one in every:
        retries += one.url in failed
        if one.status is None or one.status in AGAIN:
            failed.add(one.url)
        else:
            failed.discard(one.url)
    return retries


def _before_robots(every: Iterable[_Asked]) -> Iterable[str]:
    """Hosts whose first request was not for robots.txt."""
    first: dict[str, str] = {}
    for one in every:
        first.setdefault(one.host, one.kind)
    return (host for host, kind in first.items() if kind != "robots")


def _too_early(every: Iterable[_Asked], earlier: Iterable[_Asked]) -> Iterable[TooEarly]:
    """Find the requests made before an answer of their host allowed it, in the order of the answers.

    ``earlier`` are answers of earlier crawls: their Retry-After holds for this one too.
    """
    latest: dict[
        str, tuple[float, _Asked]
    ] = {}  # of each host: the latest instant named, and by which answer

    def note(one: _Asked) -> None:
        stated = _retry_at(one)
        if stated is not None and stated > latest.get(one.host, (0.0,))[0]:
            latest[one.host] = (stated, one)

    for one in earlier:
        note(one)
    for one in every:
        until, before = latest.get(one.host, (0.0, one))
        if one.seconds < until:
            not_before = format_time(datetime.fromtimestamp(until, UTC))
            answer = (before.url, before.at, before.retry_after or "")
            yield TooEarly(one.host, *answer, not_before, one.url, one.at)
        note(one)


def _rests_before(conn: sqlite3.Connection, crawl_id: int, at: str) -> list[_Asked]:
    rows = conn.execute(
        f"""select {", ".join(_FIELDS)} from captures c join crawls r using (crawl_id)
           where r.kind = 'crawl' and crawl_id != ? and c.retry_after is not null and c.captured_at <= ?""",
        (crawl_id, at),
    )
    return [_asked(*row) for row in rows]


def _retry_at(one: _Asked) -> float | None:
    """When the host may be asked again, in seconds since 1970; None if the answer names no instant."""
    until = read_retry_after(one.retry_after, datetime.fromtimestamp(one.seconds, UTC))
    return until.timestamp() if until else None


def _days(conn: sqlite3.Connection, days: Sequence[str]) -> Iterable[tuple[str, int]]:
    """Count the requests of all crawls on each of these days."""
    if not days:
        return []
    span = (days[0], days[-1] + "U")  # after every instant of the last day: U follows T
    counts: dict[str, int] = defaultdict(int)
    for sql in (
        """select substr(captured_at, 1, 10), count(*) from captures join crawls using (crawl_id)
           where kind = 'crawl' and coalesce(channel, '') != 'page' and captured_at between ? and ?
           group by 1""",
        """select substr(at, 1, 10), count(*) from failures join crawls using (crawl_id)
           where kind = 'crawl' and reason = 'no_answer' and at between ? and ? group by 1""",
    ):
        for day, number in conn.execute(sql, span):
            counts[day] += number
    return [(day, counts[day]) for day in days]


# -- as text


def render_politeness(found: Politeness) -> str:
    """As text."""
    kinds = [[f"  {kind}", status, f"{number:,}"] for kind, status, number in found.kinds]
    took = f"{duration(found.seconds)} from the first answer to the last" if found.requests else "no answer"
    gaps = ("-" if gap is None else f"{gap:g} s" for gap in (found.smallest_gap, found.median_gap))
    smallest, middle = gaps
    minutes = f"median {found.median_minute:g}, at most {found.most_in_60_seconds:,} in any 60 s"
    pace = [
        ["Pace", ""],
        ["  requests a minute", minutes],
        ["  between requests", f"at least {smallest}, median {middle} (by whole seconds of the answers)"],
        ["  received", f"{size(found.bytes)} in {found.requests - found.unanswered:,} answers"],
        ["  asked again", f"{found.retries:,}"],
    ]
    for day, number in found.days:
        over = f"over the budget of {found.budget:,}" if number > found.budget else f"budget {found.budget:,}"
        pace.append(
            [f"  on {day}", f"{number:,} requests by all crawls{', ' + over if found.budget else ''}"]
        )
    parts = [f"Crawl {found.crawl}: {found.requests:,} requests, {took}"]
    if kinds:
        parts.append(columns([["Asked for", "answer", "requests"], *kinds], right=(2,)))
    return "\n\n".join([*parts, columns(pace), columns([["Rules of the site", ""], *_rules(found)])])


def _rules(found: Politeness) -> Iterable[list[str]]:
    hosts = ", ".join(found.robots_first)
    yield ["  robots.txt first", f"NO: {hosts} was asked for something else before" if hosts else "yes"]
    delay = f"; it asks for {found.crawl_delay:g} s between requests" if found.crawl_delay else ""
    forbidden = [cut(url, 100) for url in found.forbidden]
    yield from _kept("robots.txt kept", forbidden, f"yes{delay}")
    early = [
        f"{cut(pair.asked_url, 60)} at {pair.asked_at}: Retry-After {cut(pair.retry_after, 40)}; "
        f"{cut(pair.early_url, 60)} at {pair.early_at}"
        for pair in found.too_early
    ]
    yield from _kept(
        "Retry-After kept", early, f"yes, {found.rests:,} times" if found.rests else "never asked for"
    )


def _kept(rule: str, broken: Sequence[str], yes: str) -> Iterable[list[str]]:
    for sentence in broken[:SHOWN]:
        yield [f"  {rule}", f"NO: {sentence}"]
    if len(broken) > SHOWN:
        yield ["", f"and {len(broken) - SHOWN:,} more"]
    if not broken:
        yield [f"  {rule}", yes]
