"""Years in a minute: the real walk, plan, looks, WARC files and ingest against a site in memory, by a clock
of its own; and ten real crawls."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from archive.clock import MACHINE, Clock, current_time, format_time, now, parse_time, use
from archive.ingest.look_schedule import LONGEST
from archive.model import Capture, Edition
from archive.outcome import REDIRECT, KnownPost, Outcome
from archive.writer.messages import Happened, Judge, Open, Took
from archive.writer.server import Writer
from crawler.arguments import Arguments
from crawler.walk.walk import Walk
from crawler.walk.wanted import Run
from tests.crawling import asked, changes, crawl, in_step, rows
from tests.replica.app import Front, Log
from tests.replica.server import Replica
from tests.replica.site import ReplicaSite

HOME = "http://127.0.0.1:9/"
DAYS = 600  # an edit of day 400, and one sweep
BUDGET = 9  # requests in 24 hours: the first crawl takes a week
POSTS = 40


@dataclass
class Years:
    """A site, its archive, and a crawl a day; ``requests`` are their virtual times."""

    folder: Path
    site: ReplicaSite
    start: datetime
    requests: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.front = Front(self.site, Log())
        use(Clock("simulated", 0.0))
        self.writer = Writer(Open(str(self.folder), HOME, os.getpid(), "simulated", "crawl", {}, {}))
        self.name = ""

    def at(self, when: datetime) -> None:
        """Set the archive's clock and the site's."""
        use(Clock("simulated", (when - datetime.now(UTC)).total_seconds()))
        self.site.now = when

    def get(
        self, url: str, channel: str, condition: tuple[str, str] | None = None, look: str | None = None
    ) -> Outcome:
        """One request, answered in memory and kept as any other."""
        parts = urlsplit(url)
        asked_with = {"host": "127.0.0.1:9"} | ({condition[0].lower(): condition[1]} if condition else {})
        answer = self.front._routed(parts.path, parts.query, asked_with)
        headers = (
            *answer.headers,
            *((("Content-Type", f"{answer.content_type}; charset=UTF-8"),) if answer.content_type else ()),
        )
        self.requests.append(current_time())
        self.left -= 1
        capture = Capture(
            url, answer.status, headers, answer.body.encode(), now(), channel=channel, crawl=self.name
        )
        [outcome] = self.writer.work([Took(capture, look)])
        return outcome  # type: ignore[no-any-return]

    def crawl(self) -> None:
        """One run, as the spider makes it: what the walk wants, each article once, within the budget of 24
        hours."""
        self.name = f"run {now()}"
        begun = {
            "event": "crawl-started",
            "name": self.name,
            "kind": "crawl",
            "at": now(),
            "site": HOME,
            "extractor": "x",
        }
        self.writer.work([Happened(begun | {"arguments": {}, "software": {}})])
        self.left = BUDGET - self.writer.answers.asked_since(format_time(current_time() - timedelta(days=1)))
        asyncio.run(self._walk())
        self.writer.work([Judge(self.name)])
        done = {
            "event": "crawl-finished",
            "name": self.name,
            "at": now(),
            "reason": "finished",
            "exit_status": 0,
            "verdict": "healthy",
        }
        self.writer.work(
            [Happened(done | {"counters": self.writer.answers.drift(self.name, "finished").counters})]
        )

    async def _walk(self) -> None:
        closing = asyncio.Event()
        taken: set[str] = set()

        async def ask(question: Callable[..., Any], /, *arguments: Any) -> Any:
            return getattr(self.writer.answers, question.__name__)(*arguments)

        async def fetch(url: str, channel: str, edition: Edition) -> Outcome | None:
            if self.left <= 0:
                closing.set()
                return None
            return self.get(url, channel)

        async def answered() -> None:
            """Every request is answered before the next one here."""

        run = Run(Arguments(site=HOME, editions=("en",)), fetch, ask, closing, answered)
        async for wanted in Walk(run).wanted():
            post: KnownPost | None = wanted.post
            while post and str(post.key or post.url) not in taken:
                if self.left <= 0:
                    closing.set()
                    return
                taken.add(str(post.key or post.url))
                outcome = self.get(post.url, "article", wanted.condition)
                for url in outcome.page_urls[: self.left]:
                    self.get(url, "article", look=outcome.look)
                post = outcome.target if outcome.word == REDIRECT else None


@dataclass(frozen=True)
class Told:
    """What came of the simulated years."""

    folder: Path
    requests: list[datetime]
    posts: dict[str, int]
    edited: dict[str, str]  # part in the play -> when
    published: int
    ids: set[int]
    end: datetime


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """600 days with a crawl a day, at an hour that varies. REST and feeds are closed: only pages show an
    edit."""
    folder, start = tmp_path_factory.mktemp("years") / "archive", datetime.now(UTC).replace(microsecond=0)
    site = ReplicaSite(POSTS, 7, start - timedelta(hours=2), "publisher", False, 730)
    site.turn("set", rest=False, feed=False, sitemap=False)
    plain = [
        i
        for i in site.ids("en")
        if (post := site.post("en", i)) and not post.odd and post.lines and len(post.pages) == 1
    ]
    posts = dict(zip(("silent", "honest", "back"), plain[:-4:-1], strict=True))  # the oldest: two years
    years, edited, published = Years(folder, site, start), {}, 0
    hours = random.Random(7)
    try:
        for day in range(DAYS):
            years.at(start + timedelta(days=day, hours=hours.uniform(0, 3)))
            first = site.post("en", posts["back"])
            assert first is not None
            if day == 100:
                title = first.title
                site.turn("edit", edition="en", post_id=posts["back"], title="For a while it said this")
            if day == 300:
                site.turn("edit", edition="en", post_id=posts["back"], title=title)
            if day == 400:
                site.turn("edit", edition="en", post_id=posts["silent"], digit=True, silent=True)
                site.turn("edit", edition="en", post_id=posts["honest"], digit=True)
                edited = dict.fromkeys(("silent", "honest"), now())
            if day % 12 == 5:
                site.turn("publish", edition="en")
                published += 1
            years.crawl()
        yield Told(folder, years.requests, posts, edited, published, set(site.ids("en")), current_time())
    finally:
        use(MACHINE)
        years.writer.close()


@pytest.mark.slow
class TestSixHundredDays:
    """What the design promises for years, seen in all of it."""

    def test_no_day_exceeds_the_budget(self, told: Told) -> None:
        """Not one span of 24 hours, wherever it begins; and the days of the first crawl use it up."""
        most = max(
            sum(at <= one < at + timedelta(days=1) for one in told.requests[n : n + 2 * BUDGET])
            for n, at in enumerate(told.requests)
        )
        assert most == BUDGET
        assert len(told.requests) > DAYS

    def test_an_edit_of_an_old_post_is_found_within_a_sweep(self, told: Told) -> None:
        """Silent or not: 180 days at most, and the day until the next crawl."""
        for part, stealth in (("silent", 1), ("honest", 0)):
            sql = (
                "select said_at, stealth, severity, classes from changes join articles using "
                "(article_id) where post_id = ? and kind = 'updated'"
            )
            [(found, flagged, severity, classes)] = rows(told.folder, sql, told.posts[part])
            assert flagged == stealth and severity == 3 and "figures" in classes
            late = parse_time(found) - parse_time(told.edited[part])
            assert timedelta(0) <= late <= LONGEST + timedelta(days=1, hours=3)

    def test_there_and_back_again_is_three_versions(self, told: Told) -> None:
        """A, B, A."""
        sql = "select title from versions join articles using (article_id) where post_id = ? order by number"
        titles = [title for (title,) in rows(told.folder, sql, told.posts["back"])]
        assert len(titles) == 3 and titles[0] == titles[2] != titles[1]

    def test_nothing_is_forgotten_and_nothing_invented(self, told: Told) -> None:
        """Every post is captured, none was unseen for longer than a sweep, and there are as many versions as
        texts that the site showed."""
        assert {
            post_id
            for (post_id,) in rows(told.folder, "select post_id from articles where state is not null")
        } == told.ids
        assert len(told.ids) == POSTS + told.published
        [(oldest,)] = rows(told.folder, "select min(last_captured_at) from articles")
        assert told.end - parse_time(oldest) <= LONGEST + timedelta(days=2)
        [(texts, versions)] = rows(
            told.folder, "select count(newest_version_id), sum(versions) from articles"
        )
        assert versions == texts + 4  # two edits of day 400, there and back


@pytest.mark.slow
def test_ten_real_crawls_over_two_years(tmp_path: Path) -> None:
    """The same by real processes over the wire: edits are found when their looks are due, the budget holds,
    nothing else has changed."""
    folder, budget = tmp_path / "a", 60
    clocks = ["+0s", "+1h", "+2d", "+20d", "+90d", "+180d", "+300d", "+399d", "+400d", "+580d"]
    with Replica(posts=20, days=700, until=datetime.now(UTC) - timedelta(hours=1)) as site:
        old = [
            post.post_id for post in site.posts("en") if not post.odd and post.lines and len(post.pages) == 1
        ][-2:]
        for clock in clocks:
            in_step(site, clock)
            site.call("publish", edition="en")
            site.call("publish", edition="ar")
            if clock == "+400d":
                site.call("edit", edition="en", post_id=old[0], digit=True, silent=True)
                site.call("edit", edition="en", post_id=old[1], digit=True)
            site.clear_log()
            done = crawl(site, folder, f"budget={budget}", ARCHIVE_CLOCK=clock)
            assert done.status == 0, done.stderr[-3000:]
            assert len(asked(site)) <= budget
    for post_id, stealth in zip(old, (1, 0), strict=True):
        assert changes(folder, "en", post_id) == ["created", "updated"]
        sql = (
            "select stealth from changes join articles using (article_id) where edition = 'en' and "
            "post_id = ? and kind = 'updated'"
        )
        assert rows(folder, sql, post_id) == [(stealth,)]
    [(texts, versions)] = rows(folder, "select count(newest_version_id), sum(versions) from articles")
    assert versions == texts + 2
    [(first, last)] = rows(folder, "select min(captured_at), max(captured_at) from captures")
    assert parse_time(last) - parse_time(first) > timedelta(days=579)
