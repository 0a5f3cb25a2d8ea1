"""Counts what a crawl gets, and stops it where going on is useless or unwelcome."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from typing import Self

from scrapy import signals
from scrapy.core.engine import ExecutionEngine
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider

from archive.model import Edition
from archive.outcome import REFUSALS
from archive.reports.drift import Drift
from archive.thresholds import HOST_FAILED, HOST_LAST
from archive.writer.client import ArchiveClosed, ArchiveFailed
from archive.writer.messages import Judged
from crawler.extensions.results import EditionResult, name_editions
from crawler.scrapy_internals import drop_waiting_requests

logger = logging.getLogger(__name__)
GRACE_SECONDS = 3.0  # for requests under way when the crawl stops: a page that is nearly there is kept


class Breaker:
    """Says when to leave a host alone: when too many of its last requests failed, with all their retries.

    One good answer does not reset it: where articles fail and listings come, the count would never fill. It
    never closes again within a crawl; the next run is the probe.
    """

    def __init__(self) -> None:
        self._last: dict[str, deque[str | None]] = {}  # by host: None for an answer, else how it failed

    def add(self, host: str, failure: str | None = None) -> str | None:
        """Count an answer or a failure. Return what is wrong with the host once it is too much, else None."""
        last = self._last.setdefault(host, deque(maxlen=HOST_LAST.value))
        last.append(failure)
        words = Counter(word for word in last if word)
        if failure is None or words.total() < HOST_FAILED.value:
            return None
        return f"{words.total()} of its last {len(last)} answers failed ({', '.join(words)})"


class Guard:
    """The counts, the state and the verdict of one crawl."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self.counts: Counter[str] = Counter()
        self.closing = asyncio.Event()  # the crawl stops: nothing more is sent
        self.cut = asyncio.Event()  # requests under way are cut
        self.requests_left: int | None = None  # of the daily budget; None: no limit
        self.waiting = ""  # what the crawl waits for, for the progress bar
        self.where = ""  # the listing it reads, for the progress bar
        self.interrupted = False
        self.failure: ArchiveFailed | None = None
        self.stopped: tuple[str, str] | None = None  # reason and sentence
        self.is_reported = False  # the log has the sentence already
        self.away: dict[str, str] = {}  # in a crawl of many sites: hosts that are left alone, and why
        self.editions: dict[Edition, EditionResult] = {}
        self.drift = Drift()  # the archive's own judgement, once the crawl ends
        self.bounded: dict[
            str, float
        ] = {}  # waits the site asked for that were cut: name -> seconds asked for
        self.sitemaps: list[str] = []  # addresses that robots.txt names
        self.last_detail: dict[str, str] = {}
        self.articles: Counter[str] = Counter()  # the counts of articles alone
        self._breaker = Breaker()
        self.is_wary = False  # the last answer that was read is a failure
        self._sent = 0  # requests that left, or wait for their turn to
        self.before_close: Callable[[], Awaitable[None]] | None = None  # called before a crawl is stopped
        self._closing_task: asyncio.Task[None] | None = None  # a reference, or the loop may drop it
        crawler.signals.connect(self._count_error, signal=signals.spider_error)
        crawler.signals.connect(self._count_error, signal=signals.item_error)
        crawler.signals.connect(self._stay_open, signal=signals.spider_idle)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        return cls(crawler)

    @property
    def is_of_one_site(self) -> bool:
        """Whether the crawl asks one site; one of cited pages asks many."""
        return self._crawler.settings.getbool("ONE_SITE", True)

    def note(
        self,
        word: str,
        detail: str = "",
        host: str = "",
        edition: Edition | None = None,
        *,
        is_article: bool = False,
    ) -> None:
        """Count the outcome of a page. A host that keeps refusing, or not answering, is left alone."""
        self.counts["pages"] += 1
        self.counts[word] += 1
        self.articles[word] += is_article
        if edition:
            self.editions.setdefault(edition, EditionResult()).count(word)
        if detail:
            self.last_detail[word] = detail
        failure = word if word in REFUSALS or word == "no_answer" else None
        self.is_wary = failure is not None
        if trouble := self._breaker.add(host, failure):
            self.stay_away(
                host,
                f"{name_editions(self.editions, self.drift)}{host or 'the site'} is left alone, {trouble}"
                f"{f' ({detail})' if detail else ''}: "
                "run the crawl again later, see docs/when-refused.md",
            )

    def _count_error(self) -> None:
        self.counts["errors"] += 1

    def _stay_open(self) -> None:
        """A crawl that has nothing left to ask for is closed by `_close`, after what waits became items."""
        if self._closing_task is not None:
            raise DontCloseSpider

    def set_budget(self, budget: int, used: int) -> bool:
        """Allow what is left of a day's budget of requests. If nothing is, the crawl stops: return False."""
        self.requests_left = budget - used
        if self.requests_left <= 0:
            self.stop(
                "budget",
                f"the budget of {budget} requests in 24 hours is used up: "
                "run the crawl again later, or with -a budget=0",
            )
        return self.requests_left > 0

    def take_request(self) -> bool:
        """Take one request from today's budget; False if none is left."""
        if self.requests_left is not None and self._sent >= self.requests_left:
            return False
        self._sent += 1
        return True

    def count_request(self) -> None:
        """Count a request that ended, answered or not. The last one of the budget ends the crawl."""
        self.counts["requests"] += 1
        if (
            self.requests_left is not None
            and self.counts["requests"] >= self.requests_left
            and self.stopped is None
        ):
            self.stop(
                "budget",
                "the day's budget of requests is used up; the next run goes on "
                "(-a budget=N gives another, -a budget=0 lifts it)",
            )

    def add_judged(self, judged: Judged) -> None:
        """Count the outcomes that waited."""
        self.counts.update(outcome.word for outcome in judged.outcomes)

    def fail(self, failure: ArchiveFailed) -> None:
        """Stop the crawl because the archive cannot go on."""
        if self.failure is None and not isinstance(failure, ArchiveClosed):
            self.failure = failure
            self.stop("archive_failed", str(failure))

    def stay_away(self, host: str, sentence: str) -> None:
        """Ask a host no more. In a crawl of one site that is the end of the crawl."""
        if self.is_of_one_site:
            self.stop("unavailable", sentence)
        elif host not in self.away:
            self.away[host] = sentence
            logger.warning("%s", sentence)

    def stop(self, reason: str, sentence: str) -> None:
        """End the crawl; the first reason counts. Requests under way may finish."""
        if self.stopped is None:
            self.stopped = (reason, sentence)
            logger.log(logging.INFO if reason == "budget" else logging.ERROR, "%s", sentence)
            self.is_reported = reason != "budget"
        self.close_down()
        self._start_closing(reason)

    def _start_closing(self, reason: str) -> bool:
        engine = self._crawler.engine
        if getattr(engine, "spider", None) is None:  # the crawl has not begun
            return False
        if self._closing_task is None:
            self._closing_task = asyncio.ensure_future(self._close(engine, reason))
        return True

    async def _close(self, engine: ExecutionEngine, reason: str) -> None:
        if self.before_close is not None:
            await self.before_close()
        if engine.spider is not None:  # it may be closed already
            await engine.close_spider_async(reason=reason)

    def close_down(self) -> None:
        """Drop what waits: retries that sleep and requests that have not left; soon also those under way."""
        if not self.closing.is_set():
            asyncio.get_running_loop().call_later(GRACE_SECONDS, self.cut.set)
        self.closing.set()
        drop_waiting_requests(self._crawler, "the crawl is stopping")

    def finish(self) -> bool:
        """Stop as somebody asks, and return whether there is something to stop: requests under way end, for
        seconds, and what waits becomes items."""
        self.close_down()
        return self._start_closing("shutdown")

    async def sleep(self, seconds: float, why: str) -> bool:
        """Wait, at most until the crawl stops; return whether it goes on."""
        self.waiting = why
        try:
            await asyncio.wait_for(self.closing.wait(), seconds)
        except TimeoutError:
            return True
        finally:
            self.waiting = ""
        return False


def guard_of(crawler: Crawler) -> Guard:
    """The guard of a crawl."""
    guard = crawler.get_extension(Guard)
    assert guard is not None  # crawler.settings has it
    return guard
