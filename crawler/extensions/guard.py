"""Counts what a crawl gets, stops it where going on is useless or unwelcome, and gives the verdict.

The verdict is a word, a sentence and an exit status (`archive.errors.EXIT_STATUSES`).
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

from scrapy import signals
from scrapy.core.engine import ExecutionEngine
from scrapy.crawler import Crawler
from scrapy.exceptions import DontCloseSpider

from archive.errors import CANNOT_WRITE, INTERNAL, INTERRUPTED, OK, UNAVAILABLE, UNREADABLE
from archive.model import Edition
from archive.outcome import REFUSALS
from archive.outcome import UNREADABLE as UNREADABLE_OUTCOMES
from archive.reports.drift import Drift
from archive.thresholds import FEW, HOST_FAILED, HOST_LAST, SHARE
from archive.writer.client import ArchiveClosed, ArchiveFailed
from archive.writer.messages import Judged
from crawler.scrapy_internals import drop_waiting_requests

logger = logging.getLogger(__name__)
GRACE_SECONDS = 3.0  # for requests under way when the crawl stops: a page that is nearly there is kept

# Kinds of outcomes that the archive may hold: of posts that are not there, and of texts
GONE_KINDS, TEXT_KINDS = ("missing", "moved", "withheld"), ("textless", "updated")
_NO_FAILURE = frozenset(
    [
        "new",
        "changed",
        "unchanged",
        "protected",
        "empty",
        "listing",
        "sitemap",
        "missing",
        "soft404",
        "redirect",
        "not_modified",
        "moved",
        "withheld",
        "held",
        "pages",
        "errors",
        "requests",
    ]
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a crawl ended."""

    exit_status: int
    word: str  # healthy, interrupted, drifting, unavailable, broken, not written
    sentence: str


class _Share(NamedTuple):
    """How many of the requests had some outcomes."""

    number: int
    total: int
    words: tuple[str, ...]


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


_REFUSED = REFUSALS | {"no_answer", "forbidden"}
FAILURES = _REFUSED | UNREADABLE_OUTCOMES


@dataclass(slots=True)
class EditionResult:
    """What a crawl got of one edition."""

    listed: bool = False  # its newest posts were listed
    failure: str = ""  # why they were not
    is_unread: bool = False  # the listing came and could not be read
    refused: int = 0
    unreadable: int = 0
    pages: int = 0

    def count(self, word: str) -> None:
        """Count the outcome of a page of this edition."""
        self.pages += 1
        self.refused += word in _REFUSED
        self.unreadable += word in UNREADABLE_OUTCOMES

    @property
    def is_healthy(self) -> bool:
        """Whether its newest posts were listed, if they were asked for, and few pages failed."""
        bad = self.refused + self.unreadable
        is_bad = bad and (bad == self.pages or (bad >= FEW.value and bad / self.pages > SHARE.value))
        return not self.failure and not is_bad


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
        self._articles: Counter[str] = Counter()  # the counts of articles alone
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
        self._articles[word] += is_article
        if edition:
            self.editions.setdefault(edition, EditionResult()).count(word)
        if detail:
            self.last_detail[word] = detail
        failure = word if word in REFUSALS or word == "no_answer" else None
        self.is_wary = failure is not None
        if trouble := self._breaker.add(host, failure):
            self.stay_away(
                host,
                f"{self._of_editions()}{host or 'the site'} is left alone, {trouble}"
                f"{f' ({detail})' if detail else ''}: "
                "run the crawl again later, see docs/when-refused.md",
            )

    def _count_error(self) -> None:
        self.counts["errors"] += 1

    def _stay_open(self) -> None:
        """A crawl that has nothing left to ask for is closed by `_close`, after what waits became items."""
        if self._closing_task is not None:
            raise DontCloseSpider

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
        if self._crawler.settings.getbool("ONE_SITE", True):
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

    def verdict(self) -> Verdict:
        """The first that holds: archive not written, an error of ours, wrong clock, site unavailable, pages
        unreadable, an edition not listed, an archive that drifts, interrupted; else healthy."""
        if self.failure is not None:
            return Verdict(self.failure.status, "not written", str(self.failure))
        if number := self.counts["errors"] + self.counts["broken"]:
            return Verdict(
                INTERNAL,
                "broken",
                f"{number} answers met an error of ours; the evidence is kept: "
                "please report it (see the log)",
            )
        if self.drift.shorter_files:
            return Verdict(
                CANNOT_WRITE,
                "evidence is lacking",
                f"WARC files are shorter than they were: {', '.join(self.drift.shorter_files)}; what came "
                "now is in a new file: restore them from a copy; if there is none, 'sohr-archive rebuild' "
                "indexes what is left",
            )
        if self.stopped and self.stopped[0] == "clock":
            return Verdict(CANNOT_WRITE, "wrong clock", self.stopped[1])
        found = self._judge_pages()
        if found is None:
            return Verdict(OK, "healthy", self.stopped[1] if self.stopped else "")
        is_named = found.exit_status == INTERRUPTED or found.sentence.startswith("edition")
        return found if is_named else replace(found, sentence=self._of_editions() + found.sentence)

    def _of_editions(self) -> str:
        """The editions that are not well, or all where no one is to blame; as the beginning of a sentence."""
        results = edition_counters(self)
        names = [name for name, result in results.items() if not result["healthy"]] or list(results)
        return f"edition{'s' * (len(names) > 1)} {' and '.join(names)}: " if names else ""

    def _judge_pages(self) -> Verdict | None:
        """The verdict on what the site answered; None if it answered well."""
        if self.stopped and self.stopped[0] == "unavailable":
            return Verdict(UNAVAILABLE, "unavailable", self.stopped[1])
        if refused := self._too_many(_REFUSED, 0.0):
            detail = self.last_detail.get(refused.words[0])
            told = ", ".join(refused.words) + (f": {detail}" if detail else "")
            return Verdict(
                UNAVAILABLE,
                "unavailable",
                f"the site refused or did not answer {refused.number} of {refused.total} requests ({told}): "
                "see docs/when-refused.md",
            )
        if held := self._held(GONE_KINDS):
            return Verdict(UNAVAILABLE, "unavailable", held)
        if unlisted := self._unlisted(is_unread=False):
            return Verdict(
                UNAVAILABLE,
                "unavailable",
                f"the newest posts were not listed: {unlisted}; what else came is kept: "
                "see docs/when-refused.md",
            )
        if unread := self._too_many(UNREADABLE_OUTCOMES, self.drift.usual_unread):
            why = "the site's layout may have changed, see docs/layouts.md"
            if unread.words == ("mismatch",):
                why = (
                    "they show another post than the one asked for, as a broken cache does; look in a browser"
                )
            return Verdict(
                UNREADABLE,
                "drifting",
                f"{unread.number} of {unread.total} pages came and could not be read "
                f"({', '.join(unread.words)}); they are kept as evidence: {why}",
            )
        if unlisted := self._unlisted(is_unread=True):
            return Verdict(
                UNREADABLE,
                "drifting",
                f"the newest listing could not be read: {unlisted}; it is kept as evidence: the site's "
                "layout may have changed, see docs/layouts.md",
            )
        held = self._held(TEXT_KINDS)
        if sentence := held or "; ".join(one.sentence for one in self.drift.findings):
            return Verdict(UNREADABLE, "drifting", sentence)
        if self.interrupted:
            return Verdict(
                INTERRUPTED,
                "interrupted",
                "stopped by Ctrl-C; all that came is kept, and the same command goes on from here",
            )
        return None

    def _unlisted(self, *, is_unread: bool) -> str:
        """Why the newest listing of an edition was refused, or came and could not be read; or empty."""
        found = (
            result.failure
            for result in self.editions.values()
            if result.failure and result.is_unread is is_unread
        )
        return next(found, "")

    def _held(self, kinds: tuple[str, ...]) -> str:
        """That outcomes of these kinds are held, of this crawl or of one before it; empty if none are."""
        if not self._crawler.settings.getbool("ONE_SITE", True):
            return ""  # a crawl of other sites
        found: Counter[str] = Counter()
        for held in self.drift.held.values():
            found.update({kind: number for kind, number in held.items() if kind in kinds})
        if not found:
            return ""
        told = " and ".join(f"{number} {kind}" for kind, number in found.items())
        return (
            f"what looks found is not believed yet ({told}): too many posts at once, or the same as of any "
            "address; nothing is said of them: look at the site in a browser, then see 'sohr-archive held'"
        )

    def _too_many(self, words: frozenset[str], usual: float) -> _Share | None:
        """How many requests had these outcomes, if they are too many of all, or of those for articles."""
        every = self.counts["pages"]
        bad = sum(self.counts[word] for word in FAILURES)
        for counts, total in ((self.counts, every), (self._articles, self._articles.total())):
            number = sum(counts[word] for word in words)
            is_share = number >= FEW.value and number / max(1, total) > SHARE.value + usual
            if number and (is_share or bad == every):
                return _Share(number, total, tuple(sorted(word for word in words if counts[word])))
        return None


def guard_of(crawler: Crawler) -> Guard:
    """The guard of a crawl."""
    guard = crawler.get_extension(Guard)
    assert guard is not None  # crawler.settings has it
    return guard


def counters(guard: Guard) -> dict[str, int]:
    """The counts of a crawl as its row keeps them."""
    counts = guard.counts
    return {
        "requests": counts["requests"],
        "pages": counts["pages"],
        "new": counts["new"],
        "changed": counts["changed"],
        "unchanged": counts["unchanged"],
        "textless": counts["protected"] + counts["empty"],
        "gone": sum(counts[word] for word in ("missing", "soft404", "moved", "withheld")),
        "moved": counts["moved"],
        "failed": sum(number for word, number in counts.items() if word not in _NO_FAILURE),
        "errors": counts["errors"],
    }


def edition_counters(guard: Guard) -> dict[str, dict[str, Any]]:
    """The results of the editions as the crawl's row keeps them."""
    return {
        edition: {
            "listed": result.listed,
            "refused": result.refused,
            "unreadable": result.unreadable,
            "healthy": result.is_healthy
            and not any(finding.edition in (None, edition) for finding in guard.drift.findings)
            and edition not in guard.drift.held,
        }
        for edition, result in guard.editions.items()
    }
