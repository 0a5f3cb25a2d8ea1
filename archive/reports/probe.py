"""What a probe's answers show of a site: which assumptions of the archive hold there, and what a crawl
costs."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from archive.clock import parse_time, read_http_date
from archive.errors import OK, UNAVAILABLE, UNREADABLE
from archive.extract.cross_check import cross_check
from archive.extract.reader import Reader
from archive.extract.reread import Evidence
from archive.html.decode import Undecodable, decode_text
from archive.model import EDITIONS, REASONS, Address, Capture, Edition, Extract, Listing
from archive.outcome import FEED, GONE, LISTING, NO_ANSWER, READ_OUTCOMES, REFUSALS, SITEMAP
from archive.outcome import REST as REST_OUTCOME
from archive.read.database import about
from archive.reports.terminal import name_of, number_of
from archive.sites.robots import parse_robots
from archive.sites.sohr.addresses import Site
from archive.sites.wordpress.channels import CHANNELS
from archive.sites.wordpress.sitemaps import parse_index

OPEN = frozenset((LISTING, FEED, REST_OUTCOME, SITEMAP))
NOT_ASKED = "not asked"
CACHES = ("Server", "Age", "X-Cache", "CF-Cache-Status", "X-LiteSpeed-Cache", "cf-mitigated")
VALIDATORS = ("ETag", "Last-Modified")
NUMBER = "X-WP-Total"
_PAGE = re.compile(r"/page/(\d{1,6})/")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the site."""

    url: str
    edition: Edition | None
    channel: str
    status: int
    outcome: str  # the archive's word for it
    bytes: int
    posts: int | None  # that a listing or channel showed
    sitemaps: int | None  # that an index named
    dates: bool  # the channel states when each post was edited
    headers: dict[str, str]  # of caches, validators and the clock
    found_in: str | None = None  # the listing that showed a post
    layout: str | None = None  # that reads the post
    published_at: str | None = None
    modified_at: str | None = None
    disagreement: str | None = None  # how a second reader differs

    @property
    def is_read(self) -> bool:
        """Whether this is a post that was read."""
        return self.layout is not None and self.outcome in READ_OUTCOMES


@dataclass(frozen=True, slots=True)
class EditionFound:
    """What a probe found of an edition."""

    edition: Edition
    word: str  # open, closed, refused, unreadable, no answer, not asked
    sentence: str
    exit_status: int
    posts: int | None  # in all
    counted_by: str  # what says so


@dataclass(frozen=True, slots=True)
class Probe:
    """What a probe found."""

    site: str
    served_at: str  # the address that redirects lead to
    at: str
    robots: str  # in words
    crawl_delay: float | None
    sitemaps: tuple[str, ...]  # that robots.txt names
    editions: tuple[EditionFound, ...]
    answers: tuple[Answer, ...]
    unanswered: tuple[tuple[str, str], ...]  # address, the client's reason
    clock_seconds: float | None  # that the site's clock is ahead of this machine's
    requests: int | None  # of a first crawl, if the posts are known
    verdict: str
    exit_status: int


def read_probe(conn: sqlite3.Connection, folder: Path) -> Probe:
    """Read the archive that a probe made."""
    site = Site(about(conn, "home") or "")
    evidence = Evidence.of(conn, folder)
    rows = conn.execute("select * from captures order by capture_id").fetchall()
    captures = [evidence.capture(row) for row in rows]
    answers = tuple(map(partial(_answer, site), rows, captures))
    text = next((_text(c) for c in captures if c.url.endswith("/robots.txt") and c.status == 200), "")
    robots = parse_robots(text)
    sql = "select url, min(detail) from failures where reason = ? group by url order by min(failure_id)"
    unanswered = tuple((row[0], row[1] or "") for row in conn.execute(sql, (NO_ANSWER,)))
    editions = tuple(_judge(edition, answers, unanswered, captures) for edition in EDITIONS)
    differences = sorted(seconds for capture in captures if (seconds := _clock(capture)) is not None)
    worst = max(editions, key=lambda one: (one.exit_status == UNAVAILABLE, one.exit_status))
    allowed = "allows this crawler" if text else "is not there, which allows everything"
    counts = [one.posts for one in editions]
    if robots.allows(site.home):
        verdict, status = _join(editions), worst.exit_status
    else:
        allowed = "FORBIDS this crawler"
        verdict, status = "forbidden: robots.txt does not allow this crawler", UNAVAILABLE
    return Probe(
        site.home,
        _served(answers) or site.home,
        conn.execute("select min(started_at) from crawls").fetchone()[0],
        allowed if any(one.channel == "robots" for one in answers) else "did not answer",
        robots.crawl_delay,
        robots.sitemaps,
        editions,
        answers,
        unanswered,
        differences[len(differences) // 2] if differences else None,
        sum(filter(None, counts)) * 11 // 10 if all(counts) else None,  # and a listing page for ten posts
        verdict,
        status,
    )


def _answer(site: Site, row: sqlite3.Row, capture: Capture) -> Answer:
    address = site.parse(capture.url)
    is_article = row["channel"] == "article"
    found = Reader(site).read(capture, None) if is_article and capture.status == 200 else None
    listing = _read_channel(capture, address, site) if row["outcome"] in OPEN and address else None
    index = len(parse_index(_text(capture), address, site)) if row["outcome"] == SITEMAP and address else 0
    read = found if isinstance(found, Extract) else None
    return Answer(
        capture.url,
        address.edition if address else None,
        row["channel"] or "",
        capture.status,
        row["outcome"],
        row["size"],
        len(listing.sightings) if listing else None,
        index or None,
        bool(listing and any(one.modified_at for one in listing.sightings)),
        {name: value for name in (*CACHES, *VALIDATORS, NUMBER) if (value := capture.header(name))},
        row["via"],
        read.layout if read else None,
        read.published_at if read else None,
        read.modified_at if read else None,
        cross_check(capture, read) if read else None,
    )


def _text(capture: Capture) -> str:
    try:
        return decode_text(capture)
    except Undecodable:
        return ""


def _read_channel(capture: Capture, address: Address, site: Site) -> Listing | None:
    for channel in CHANNELS:
        if page := channel.find_page(address, site):
            return channel.parse(_text(capture), address, site, page)
    return None


def _clock(capture: Capture) -> float | None:
    date = read_http_date(capture.header("Date") or "")
    is_copy = date is None or capture.header("Age")
    return None if date is None or is_copy else (date - parse_time(capture.captured_at)).total_seconds()


def _served(answers: Sequence[Answer]) -> str | None:
    """Scheme and host of the last answer that is no redirect."""
    urls = [one.url for one in answers if one.outcome != "redirect" and one.channel != "robots"]
    return "/".join(urls[-1].split("/")[:3]) + "/" if urls else None


# -- what the answers add up to


def _judge(
    edition: Edition,
    answers: Sequence[Answer],
    unanswered: Sequence[tuple[str, str]],
    captures: Sequence[Capture],
) -> EditionFound:
    pairs = [
        (one, capture)
        for one, capture in zip(answers, captures, strict=True)
        if one.edition == edition and one.outcome != "redirect"
    ]
    own = [one for one, _ in pairs]
    if own:
        verdict = _verdict(own)
    elif unanswered:
        verdict = ("no answer", unanswered[0][1], UNAVAILABLE)
    else:
        verdict = (NOT_ASKED, "", UNAVAILABLE)
    total = next((int(n) for one in own if (n := one.headers.get(NUMBER, "")).isdigit()), None)
    if total is not None:
        return EditionFound(edition, *verdict, total, "REST")
    pages = (_count_pages(*pair) for pair in pairs if pair[0].channel == "home")
    return EditionFound(
        edition, *verdict, min(filter(None, pages), default=None), "the number of pages of home"
    )


def _verdict(own: Sequence[Answer]) -> tuple[str, str, int]:
    """Word, sentence and exit status for the answers of an edition."""
    articles = [one for one in own if one.channel == "article"]
    read = [one for one in articles if one.is_read or one.outcome in ("protected", "empty")]
    refused = [one for one in own if one.outcome in REFUSALS]
    unread = [one for one in articles if one not in read and one not in refused]
    if len(refused) > len(read):
        of = f"{len(refused)} of {number_of(len(own), 'answer')}"
        return "refused", f"{reasons_of(refused)}, {of}", UNAVAILABLE
    if not any(one.outcome in OPEN for one in own):
        return "closed", f"nothing shows posts ({reasons_of(own)})", UNREADABLE
    if not read or len(unread) > len(read):
        why = reasons_of(unread) or "none was shown"
        number = f"{len(unread)} of {number_of(len(articles), 'post')}"
        return "unreadable", f"{number} cannot be read ({why})", UNREADABLE
    return "open", f"{len(read)} of {number_of(len(articles), 'post')} could be read", OK


def _count_pages(answer: Answer, capture: Capture) -> int:
    """About how many posts a listing leads to, by the highest page that it links to; 0 if it links to no more
    than the next one."""
    own = _PAGE.search(answer.url)
    last = max((int(number) for number in _PAGE.findall(_text(capture))), default=0)
    return last * (answer.posts or 0) if last > (int(own[1]) if own else 1) + 1 else 0


def reasons_of(answers: Iterable[Answer]) -> str:
    """What is wrong with answers, each reason once."""
    return ", ".join(dict.fromkeys(reason_of(one) for one in answers))


def reason_of(answer: Answer) -> str:
    """Why an answer is not what was asked for."""
    word = answer.outcome
    if word == "no_channel" and answer.status >= 400:
        word = ("no_posts" if answer.channel == "date" else "missing") if answer.status in GONE else "closed"
    return f"{_REASONS.get(word, word)} (status {answer.status})"


_REASONS = REASONS | {
    "quarantined": "a second reader finds another text",
    "missing": "absent or switched off",
    "no_posts": "no posts of that time",
    "closed": "closed to visitors",
    "no_channel": "something else stands there",
    "listing_unread": "a page on which no posts can be found",
}


def _join(editions: Sequence[EditionFound]) -> str:
    """One sentence; two where the editions differ."""
    asked = [one for one in editions if one.word != NOT_ASKED] or editions
    parts = dict.fromkeys((one.word, one.sentence) for one in asked)
    rest = [f"{name_of(one.edition)} was not asked" for one in editions if one not in asked]
    if len(parts) == 1:
        told = [f"{asked[0].word}: {asked[0].sentence}{' in each edition' if len(asked) > 1 else ''}"]
    else:
        told = [f"{name_of(one.edition)} {one.word}: {one.sentence}" for one in asked]
    return "; ".join(told + rest)
