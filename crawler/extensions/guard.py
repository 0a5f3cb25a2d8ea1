"""What the answers of a crawl add up to: healthy, drifting, refused; a sentence and an exit status (README,
Exit status)."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass
from typing import Self

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest

from archive.errors import INTERNAL, INTERRUPTED, OK, UNAVAILABLE, UNREADABLE
from archive.outcome import REFUSALS
from archive.outcome import UNREADABLE as UNREADABLE_OUTCOMES
from archive.reports.drift import Drift
from archive.writer.client import ArchiveClosed, ArchiveFailed
from crawler.extensions.breaker import Breaker

logger = logging.getLogger(__name__)
# Of the pages asked for: fewer refusals or unreadable pages than this are weather, more are a verdict
SHARE = 0.2
GRACE_SECONDS = 3.0  # for what is under way when the crawl stops: a page that is nearly there is kept
FEW = 3  # below this many bad answers there is no share to speak of, unless nothing good came at all

_NO_FAILURE = frozenset(
    (
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
        "pages",
        "errors",
        "requests",
    )
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a crawl ended."""

    exit_status: int
    word: str  # healthy, interrupted, drifting, unavailable, broken, not written
    sentence: str


class Guard:
    """Counts what comes, stops the crawl where going on is useless or unwelcome, and gives the verdict."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self.counts: Counter[str] = Counter()
        self.closing = asyncio.Event()
        self.cut = asyncio.Event()  # what is under way is let go of
        self.breaker = Breaker()
        self.sent = 0  # requests that left, or wait for their turn to
        self.waiting = ""  # what the crawl waits for, for the progress bar
        self.where = ""  # which listing it walks
        self.interrupted = False
        self.failure: ArchiveFailed | None = None
        self.stopped: tuple[str, str] | None = None  # reason and sentence
        self.told = False
        self.away: dict[str, str] = {}  # of a crawl of many sites: hosts that are not asked any more, and why
        self.requests_left: int | None = None  # of the daily budget; None: no limit
        self.drift = Drift()  # what the archive makes of it, once the crawl ends
        self._task: asyncio.Task[None] | None = None  # kept, or the loop may drop it
        self.last_detail: dict[str, str] = {}
        crawler.signals.connect(self._error, signal=signals.spider_error)
        crawler.signals.connect(self._error, signal=signals.item_error)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """As Scrapy asks."""
        return cls(crawler)

    def note(self, word: str, detail: str = "", host: str = "") -> None:
        """Count the outcome of a page that was asked for. A host that refuses, or does not answer, again and
        again is left alone."""
        self.counts["pages"] += 1
        self.counts[word] += 1
        if detail:
            self.last_detail[word] = detail
        if word not in REFUSALS and word != "no_answer":
            self.breaker.answered(host)
        elif broken := self.breaker.failed(host, word):
            said = f" ({detail})" if detail else ""
            self.stay_away(
                host,
                f"{host or 'the site'} is left alone, {broken}{said}: run the crawl again later, see docs/when-refused.md",
            )

    def _error(self) -> None:
        self.counts["errors"] += 1

    def may_ask(self) -> bool:
        """Whether the day's budget has room for one more request, which is taken."""
        if self.requests_left is not None and self.sent >= self.requests_left:
            return False
        self.sent += 1
        return True

    def asked_one(self) -> None:
        """Count a request that was answered, or got no answer; the last one of the day's budget ends the
        crawl."""
        self.counts["requests"] += 1
        if (
            self.requests_left is not None
            and self.counts["requests"] >= self.requests_left
            and self.stopped is None
        ):
            sentence = "the day's budget of requests is used up; the next run goes on (-a budget=N gives another, -a budget=0 lifts it)"
            self.stop_soon("budget", sentence)

    async def fail(self, failure: ArchiveFailed) -> None:
        """The archive cannot go on: neither can the crawl."""
        if self.failure is None and not isinstance(failure, ArchiveClosed):
            self.failure = failure
            await self.stop("archive_failed", str(failure))

    async def stop(self, reason: str, sentence: str) -> None:
        """End the crawl, once; what is under way is let finish."""
        self.stop_soon(reason, sentence)
        await asyncio.sleep(0)

    def stay_away(self, host: str, sentence: str) -> None:
        """A host is not there, or does not want us: the end of a crawl of one site, and the end of that host
        for a crawl of many."""
        if self._crawler.settings.getbool("ONE_SITE", True):
            self.stop_soon("unavailable", sentence)
        elif host not in self.away:
            self.away[host] = sentence
            logger.warning("%s", sentence)

    def stop_soon(self, reason: str, sentence: str) -> None:
        """`stop`, for callers that cannot wait."""
        if self.stopped is None:
            self.stopped = (reason, sentence)
            logger.log(logging.INFO if reason == "budget" else logging.ERROR, "%s", sentence)
            self.told = reason != "budget"
        self.close_down()
        engine = self._crawler.engine
        if engine.spider is not None and self._task is None:
            self._task = asyncio.ensure_future(engine.close_spider_async(reason=reason))

    def close_down(self) -> None:
        """Let go of what waits: sleeping retries, and requests that have not left their host's queue; soon
        also of what is under way."""
        if not self.closing.is_set():
            asyncio.get_running_loop().call_later(GRACE_SECONDS, self.cut.set)
        self.closing.set()
        for slot in self._crawler.engine.downloader.slots.values():
            if slot.latercall:
                slot.latercall.cancel()
                slot.latercall = None
            while slot.queue:
                _, waiting = slot.queue.popleft()
                waiting.errback(IgnoreRequest("the crawl is stopping"))

    def verdict(self) -> Verdict:
        """The highest of: archive not written, our own error, site unavailable, pages unreadable."""
        counts, pages = self.counts, max(1, self.counts["pages"])
        refused = sum(counts[word] for word in REFUSALS) + counts["no_answer"] + counts["forbidden"]
        unread = sum(counts[word] for word in UNREADABLE_OUTCOMES)
        good = counts["pages"] - refused - unread
        if self.failure is not None:
            return Verdict(self.failure.status, "not written", str(self.failure))
        if counts["errors"] or counts["broken"]:
            number = counts["errors"] + counts["broken"]
            return Verdict(
                INTERNAL,
                "broken",
                f"{number} answers met an error of ours; the evidence is kept: please report it (see the log)",
            )
        if self.stopped and self.stopped[0] == "unavailable":
            return Verdict(UNAVAILABLE, "unavailable", self.stopped[1])
        if refused and (good == 0 or (refused >= FEW and refused / pages > SHARE)):
            words = [word for word in (*sorted(REFUSALS), "no_answer", "forbidden") if counts[word]]
            detail = self.last_detail.get(words[0], "")
            told = f"the site refused or did not answer {refused} of {pages} requests ({', '.join(words)}{': ' + detail if detail else ''})"
            return Verdict(UNAVAILABLE, "unavailable", f"{told}: see docs/when-refused.md")
        if unread and (good == 0 or (unread >= FEW and unread / pages > SHARE + self.drift.usual_unread)):
            words = sorted(word for word in UNREADABLE_OUTCOMES if counts[word])
            told = f"{unread} of {pages} pages came and could not be read ({', '.join(words)})"
            return Verdict(
                UNREADABLE,
                "drifting",
                f"{told}; they are kept as evidence: the site's layout may have changed, see docs/layouts.md",
            )
        if self.drift.sentences:
            return Verdict(UNREADABLE, "drifting", "; ".join(self.drift.sentences))
        if self.interrupted:
            return Verdict(
                INTERRUPTED,
                "interrupted",
                "stopped by Ctrl-C; all that came is kept, and the same command goes on from here",
            )
        return Verdict(OK, "healthy", self.stopped[1] if self.stopped else "")


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
        "gone": counts["missing"] + counts["soft404"],
        "moved": counts["moved"],
        "failed": sum(number for word, number in counts.items() if word not in _NO_FAILURE),
        "errors": counts["errors"],
    }
