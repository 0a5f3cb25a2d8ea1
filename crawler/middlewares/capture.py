"""Every response -> Capture -> archive process. Nearest the wire: the evidence is what was received."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from asyncio import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.settings import BaseSettings
from scrapy.utils.httpobj import urlparse_cached

from archive.clock import clock, current_time, now, read_http_date
from archive.model import EDITIONS, Capture, Edition
from archive.outcome import NewVersion, Outcome
from archive.software import software
from archive.thresholds import HOST_FAILED
from archive.writer.client import ArchiveFailed, ArchiveProcess
from archive.writer.messages import Open, Questions
from crawler.extensions.guard import guard_of
from crawler.extensions.results import list_counts, list_editions
from crawler.extensions.verdict import give_verdict
from crawler.reasons import describe_error

logger = logging.getLogger(__name__)


CLOCK_TRIES = 2  # answers whose time is wrong, after which the crawl ends


@dataclass(frozen=True, slots=True)
class Asked:
    """Why a request is made, as the capture's metadata record states it."""

    channel: str
    reason: str | None = None
    via: str | None = None
    requested_url: str | None = None
    look: str | None = None
    hops: int = 0
    name: str | None = None  # of the article asked for, as far as it was known


def asked(request: Request) -> Asked:
    """The reason of a request; without one it is for robots.txt."""
    return cast("Asked", request.meta.get("asked") or Asked("robots"))


def edition_of(why: Asked) -> Edition | None:
    """The edition of the article that is asked for, if it is known."""
    return next((edition for edition in EDITIONS if (why.name or "").startswith(f"{edition}:")), None)


async def outcome(response: Response) -> Outcome:
    """What the archive made of a response, once it is durable. Raises ArchiveFailed."""
    return await cast("Future[Outcome]", response.meta["outcome"])


class CaptureMiddleware:
    """Hands each exchange to the archive process, and each request without an answer. Owns the process."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self.archive = ArchiveProcess()
        self._unread = 0  # answers that the archive has not read yet
        self._secured: set[str] = set()  # hosts whose certificates are kept
        self.crawl: str | None = None  # the crawl's name, once the archive is open
        self._clock_seconds = crawler.settings.getfloat("ARCHIVE_CLOCK_SECONDS")
        crawler.signals.connect(self._closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        return cls(crawler)

    async def open_archive(self, home: str, kind: str, arguments: dict[str, Any]) -> None:
        """Open the archive of a site for a crawl, whose name begins with the time (UTC). Raises
        ArchiveFailed."""
        settings = self._crawler.settings
        self.crawl = f"{now()}-{secrets.token_hex(3)}"
        folder, seconds = _folder_of(settings), settings.getfloat("ARCHIVE_READ_SECONDS")
        await self.archive.open(
            Open(folder, home, os.getpid(), self.crawl, kind, arguments, software(), clock(), seconds)
        )

    async def process_request(self, request: Request) -> None:
        """Take the request from the day's budget. Raises IgnoreRequest: used up, or stopping."""
        guard = guard_of(self._crawler)
        # What is not read yet may be failures enough to leave the host alone. New posts are many: they
        # wait only after a failure. Polled: without a delay only, for milliseconds
        most = HOST_FAILED.value if guard.is_wary else 2 * HOST_FAILED.value
        is_new = asked(request).reason in ("new", "pending", None)
        while self._unread >= most and (guard.is_wary or not is_new) and not guard.closing.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        if guard.closing.is_set() or not guard.take_request():
            await guard.closing.wait()  # set once all that left before is answered
            raise IgnoreRequest("the crawl is stopping")

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        """Keep the exchange. Its outcome comes later as ``meta["outcome"]``: only meta reaches a callback."""
        if apart := self._clock_difference(response):
            return await self._keep_wrong_clock(request, response, apart)
        why = asked(request)
        capture = Capture(
            url=request.url,
            status=response.status,
            headers=_headers(response),
            body=response.body,
            captured_at=now(),
            method=request.method,
            request_headers=_headers(request),
            requested_url=why.requested_url,
            via=why.via,
            channel=why.channel,
            reason=why.reason,
            crawl=self.crawl,
            truncated="disconnect" if "dataloss" in response.flags else None,
            ip=str(response.ip_address) if response.ip_address else None,
            protocol=response.protocol.lower() if response.protocol else None,
        )
        request.meta["capture"] = capture
        self._unread += 1
        try:
            await self._record_tls(request, response)
            request.meta["outcome"] = await self.archive.capture(capture, why.look)
        except ArchiveFailed as failure:
            self._unread -= 1
            guard_of(self._crawler).fail(failure)
            raise IgnoreRequest(str(failure)) from failure
        request.meta["outcome"].add_done_callback(self._count_read)
        guard_of(self._crawler).count_request()
        return response

    def _count_read(self, read: Future[Outcome]) -> None:
        self._unread -= 1

    async def _record_tls(self, request: Request, response: Response) -> None:
        """Keep, once for each host, how its connection is secured: its captures name that record."""
        host = urlparse_cached(request).netloc
        tls = getattr(response.certificate, "tls", None)
        if tls and host not in self._secured:
            self._secured.add(host)
            event = {"event": "tls", "host": host, "at": now(), "crawl": self.crawl}
            await self.archive.happened(event | tls)

    def _clock_difference(self, response: Response) -> float:
        """Seconds that this machine's clock is ahead of the site's, if too many; 0 for a copy from a cache.

        Where a test sets another clock there is nothing to compare.
        """
        date = read_http_date((response.headers.get("Date") or b"").decode("latin-1"))
        is_copy = (response.headers.get("Age") or b"0").strip() != b"0"
        if date is None or is_copy or clock().stated or not self._clock_seconds:
            return 0.0
        ahead = (current_time() - date).total_seconds()
        return ahead if abs(ahead) > self._clock_seconds else 0.0

    async def _keep_wrong_clock(self, request: Request, response: Response, ahead: float) -> Request:
        """Keep an answer whose time is wrong as a failure, and ask once more. The second one ends the crawl.

        Evidence carries the time of this machine: a wrong one files later edits before earlier ones.
        Raises IgnoreRequest.
        """
        guard = guard_of(self._crawler)
        date = (response.headers.get("Date") or b"").decode("latin-1")
        error = f"wrong clock: status {response.status}, Date: {date}, {ahead:.0f} s behind ours"
        await self._record_failure(request, error)
        guard.count_request()
        tries = int(request.meta.get("clock_tries", 0)) + 1
        if tries >= CLOCK_TRIES:
            host = urlparse_cached(request).netloc
            side = "ahead of" if ahead > 0 else "behind"
            guard.stop(
                "clock",
                f"this machine's clock is {abs(ahead) / 3600:.1f} hours {side} that of {host}: set it right, "
                "then run the crawl again (if the site's is wrong: -s ARCHIVE_CLOCK_SECONDS=0)",
            )
            raise IgnoreRequest("the clock is wrong")
        return request.replace(dont_filter=True, meta=request.meta | {"clock_tries": tries})

    async def process_exception(self, request: Request, exception: Exception) -> None:
        """Keep that there was no answer, with the client's reason."""
        if isinstance(exception, IgnoreRequest) or self.archive.failure:
            return
        await self._record_failure(request, describe_error(exception)[:500])
        guard_of(self._crawler).count_request()

    async def _record_failure(self, request: Request, error: str) -> None:
        event = {"event": "no-answer", "url": request.url, "error": error, "at": now(), "crawl": self.crawl}
        try:
            await self.archive.happened(event)
        except ArchiveFailed:
            logger.debug("not kept, the archive is closed: %s", error)

    async def judge(self) -> list[NewVersion]:
        """Let the archive judge the looks that wait; the versions that are written by that."""
        if self.archive.failure or not self.archive.opened or self.crawl is None:
            return []
        guard = guard_of(self._crawler)
        try:
            judged = await self.archive.judge(self.crawl)
        except ArchiveFailed as failure:
            guard.fail(failure)
            return []
        guard.add_judged(judged)
        return [outcome.version for outcome in judged.outcomes if outcome.version]

    async def _closed(self, spider: Spider, reason: str) -> None:
        """Write how the crawl ended, and let the archive process end."""
        guard = guard_of(self._crawler)
        if guard.stopped:
            reason, _ = guard.stopped  # a spider that asks for nothing more may end before it is closed
        await self.judge()
        if self.archive.failure is None and self.archive.opened:
            try:
                assert self.crawl is not None  # named before the archive was opened
                if getattr(spider, "judges_drift", True):  # what was published years ago has no rhythm today
                    guard.drift = await self.archive.ask(Questions.drift, self.crawl, reason)
            except ArchiveFailed as failure:
                guard.fail(failure)
        verdict = give_verdict(guard)
        cited = list(getattr(spider, "cited", ()))
        event = {
            "event": "crawl-finished",
            "name": self.crawl,
            "at": now(),
            "reason": reason,
            "exit_status": verdict.exit_status,
        }
        try:
            if self.archive.failure is None and self.archive.opened:
                if cited:
                    await self.archive.happened({"event": "cited", "urls": cited, "at": now()})
                numbers = list_counts(guard.counts) | guard.drift.counters | guard.bounded
                editions = {"editions": list_editions(guard.editions, guard.drift)}
                await self.archive.happened(event | {"verdict": verdict.word, "counters": numbers | editions})
        except ArchiveFailed as failure:
            guard.fail(failure)
        await self.archive.close()


def capture_of(crawler: Crawler) -> CaptureMiddleware:
    """The one of a crawl."""
    capture = crawler.get_downloader_middleware(CaptureMiddleware)
    assert capture is not None  # crawler.settings has it
    return capture


def _folder_of(settings: BaseSettings) -> str:
    return str(Path(settings["ARCHIVE_DIR"]).absolute())


def _headers(message: Request | Response) -> tuple[tuple[str, str], ...]:
    pairs: dict[bytes, list[bytes]] = dict(cast("Any", message.headers))
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, values in pairs.items()
        for value in values
    )
