"""What a probe's answers show of a site: which assumptions of the archive hold there, and what a crawl
costs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from archive.clock import parse_time, read_http_date
from archive.errors import OK, UNAVAILABLE, UNREADABLE
from archive.extract.reread import Evidence
from archive.model import EDITIONS, Capture, Edition
from archive.outcome import READ_OUTCOMES, REFUSALS
from archive.read.database import about
from archive.sites.robots import parse_robots
from archive.sites.sohr.addresses import Site

OPEN = frozenset(("listing", "feed", "rest", "sitemap", "robots"))
DAILY = 8000  # requests a day by default
_CACHE = ("Age", "X-Cache", "CF-Cache-Status", "X-LiteSpeed-Cache", "Server")
_NUMBER = "X-WP-Total"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the site."""

    url: str
    channel: str
    status: int
    outcome: str  # the archive's word for it
    bytes: int
    layout: str | None
    posts: int | None  # that a listing or channel showed
    headers: dict[str, str]  # of caches, validators and the clock
    title: str | None = None
    published_at: str | None = None
    modified_at: str | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """What a probe found."""

    site: str
    served_at: str  # the address that redirects lead to
    at: str
    robots_allow: bool
    crawl_delay: float | None
    sitemaps: tuple[str, ...]
    answers: tuple[Answer, ...]
    clock_seconds: float | None  # that the site's clock is ahead of this machine's
    posts: dict[Edition, int]  # by edition, where REST counts them
    requests: int | None  # of a first crawl, if the posts are known
    verdict: str
    exit_status: int

    @property
    def days(self) -> float | None:
        """How long a first crawl takes at the default pace."""
        return None if self.requests is None else self.requests / DAILY


def read_probe(conn: sqlite3.Connection, folder: Path) -> Probe:
    """Read the archive that a probe made."""
    site = Site(about(conn, "home") or "")
    evidence = Evidence(folder, lambda sql, *values: conn.execute(sql, values).fetchall(), site)
    rows = conn.execute("select * from captures order by capture_id").fetchall()
    captures = [evidence.capture(row) for row in rows]
    answers = tuple(_answer(conn, *pair) for pair in zip(rows, captures, strict=True))
    text = next(
        (
            c.body.decode("utf-8", "replace")
            for c in captures
            if c.url.endswith("/robots.txt") and c.status == 200
        ),
        "",
    )
    robots = parse_robots(text)
    posts = {edition: int(total) for edition in EDITIONS if (total := _total(captures, site, edition))}
    differences = [seconds for capture in captures if (seconds := _clock(capture)) is not None]
    verdict, status = _judge(answers)
    last = answers[-1].url if answers else site.home
    served = next((url for url in (_origin(last), site.home) if url), site.home)
    return Probe(
        site.home,
        served,
        captures[0].captured_at if captures else "",
        robots.allows(site.home),
        robots.crawl_delay,
        robots.sitemaps,
        answers,
        sorted(differences)[len(differences) // 2] if differences else None,
        posts,
        sum(posts.values()) * 11 // 10 if posts else None,  # and a listing page for each ten posts
        verdict,
        status,
    )


def _answer(conn: sqlite3.Connection, row: sqlite3.Row, capture: Capture) -> Answer:
    version = conn.execute(
        "select layout, title, published_at, modified_at from versions where first_capture_id = ?",
        (row["capture_id"],),
    ).fetchone() or (row["layout"], None, None, None)
    shown = conn.execute(
        "select entries from listing_pages where capture_id = ?", (row["capture_id"],)
    ).fetchone()
    names = (*_CACHE, _NUMBER, "ETag", "Last-Modified", "Retry-After", "Content-Type")
    headers = {name: value for name in names if (value := capture.header(name))}
    layout, *stated = version
    channel = row["channel"] or ""
    posts = shown[0] if shown else None
    return Answer(
        capture.url, channel, capture.status, row["outcome"], row["size"], layout, posts, headers, *stated
    )


def _origin(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.split('/')[0]}/" if rest else ""


def _total(captures: Sequence[Capture], site: Site, edition: str) -> str | None:
    found = (c.header(_NUMBER) for c in captures if (at := site.parse(c.url)) and at.edition == edition)
    return next((total for total in found if total and total.isdigit()), None)


def _clock(capture: Capture) -> float | None:
    date = read_http_date(capture.header("Date") or "")
    return (
        (date - parse_time(capture.captured_at)).total_seconds()
        if date and not capture.header("Age")
        else None
    )


def _judge(answers: Sequence[Answer]) -> tuple[str, int]:
    """What the answers add up to, and the exit status."""
    refused = [one for one in answers if one.outcome in REFUSALS]
    read = [one for one in answers if one.outcome in READ_OUTCOMES]
    articles = [one for one in answers if one.channel == "article" and one.outcome != "redirect"]
    unread = [one for one in articles if one not in read and one not in refused]
    if not any(one.outcome in OPEN - {"robots"} for one in answers):
        return f"closed: no listing and no channel answers ({_words(answers)})", UNAVAILABLE
    if len(refused) > len(read):
        return f"refused: {len(refused)} answers are refusals ({_words(refused)})", UNAVAILABLE
    if not read or len(unread) > len(read):
        return (
            f"unreadable: {len(unread)} of {len(articles)} posts cannot be read ({_words(unread)})",
            UNREADABLE,
        )
    return f"open: {len(read)} of {len(articles)} posts were read", OK


def _words(answers: Sequence[Answer]) -> str:
    return ", ".join(dict.fromkeys(one.outcome for one in answers)) or "no answer"


def probe_lines(probe: Probe) -> Iterator[str]:
    """The report as text."""
    yield f"{probe.site} at {probe.at}: {probe.verdict}"
    if _origin(probe.site) != probe.served_at:
        yield f"  served at   {probe.served_at}"
    delay = f", one request in {probe.crawl_delay:g} s" if probe.crawl_delay else ""
    yield (
        f"  robots.txt  {'allows us' if probe.robots_allow else 'FORBIDS us'}{delay}; sitemaps: "
        f"{', '.join(probe.sitemaps) or 'none'}"
    )
    if probe.clock_seconds is not None:
        yield f"  clock       {probe.clock_seconds:+.0f} s beside this machine's"
    for one in probe.answers:
        posts = f" {one.posts} posts" if one.posts is not None else ""
        layout = f" layout {one.layout}" if one.layout else ""
        stated = "".join(
            f" {name}" for name, at in (("published", one.published_at), ("modified", one.modified_at)) if at
        )
        headers = "; ".join(
            f"{name}: {value[:40]}" for name, value in one.headers.items() if name != "Content-Type"
        )
        yield (
            f"  {one.status} {one.outcome:<12}{one.bytes:>9,} B {one.channel:<8} "
            f"{one.url}{posts}{layout}{stated}"
        )
        if headers:
            yield f"      {headers}"
    for edition, count in probe.posts.items():
        yield f"  {edition}: the site counts {count:,} posts"
    if probe.requests and probe.days:
        pace = timedelta(seconds=2 * probe.requests)
        yield (
            f"  a first crawl is about {probe.requests:,} requests: {probe.days:.1f} days, or "
            f"{pace.days} days without a budget"
        )
    else:
        yield "  the cost of a first crawl is not known: REST does not count the posts"
