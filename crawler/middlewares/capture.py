"""Every response -> Capture -> archive process. Nearest the wire, so that what is kept is what came."""

from __future__ import annotations

import logging
from asyncio import Future
from dataclasses import dataclass
from typing import Any, Self, cast

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from archive.clock import now
from archive.model import Capture
from archive.outcome import Outcome
from archive.writer.client import ArchiveFailed, ArchiveProcess
from archive.writer.messages import Questions
from crawler.extensions.guard import counters, guard_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """Why a request is made: what the capture's metadata record says of it."""

    channel: str
    reason: str | None = None
    via: str | None = None
    requested_url: str | None = None
    look: str | None = None
    hops: int = 0
    name: str | None = None  # of the article asked for, as far as it was known


def asked(request: Request) -> Asked:
    """The reason of a request; Scrapy's own are for robots.txt."""
    return cast("Asked", request.meta.get("asked") or Asked("robots"))


async def outcome(response: Response) -> Outcome:
    """What the archive made of a response, once it is durable. Raises ArchiveFailed."""
    return await cast("Future[Outcome]", response.meta["outcome"])


class CaptureMiddleware:
    """Hands each exchange to the archive process, and what got no answer too. Owns the process."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self.archive = ArchiveProcess()
        self.crawl: str | None = None  # the crawl's name, once the archive is open
        crawler.signals.connect(self._closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Nothing leaves beyond the day's budget."""
        guard = guard_of(self._crawler)
        if not guard.take_request():
            await guard.closing.wait()  # set once all that left before is answered
            raise IgnoreRequest("the crawl is stopping")

    async def process_response(self, request: Request, response: Response) -> Response:
        """Keep the exchange; its outcome comes later, as ``meta["outcome"]`` (meta is the one thing that
        reaches a callback from here)."""
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
        )
        try:
            request.meta["outcome"] = await self.archive.capture(capture, why.look)
        except ArchiveFailed as failure:
            guard_of(self._crawler).fail(failure)
            raise IgnoreRequest(str(failure)) from failure
        guard_of(self._crawler).count_request()
        return response

    async def process_exception(self, request: Request, exception: Exception) -> None:
        """Keep that there was no answer."""
        if isinstance(exception, IgnoreRequest) or self.archive.failure:
            return
        error = f"{type(exception).__name__}: {exception}"[:500]
        event = {"event": "no-answer", "url": request.url, "error": error, "at": now(), "crawl": self.crawl}
        try:
            await self.archive.happened(event)
        except ArchiveFailed:
            logger.debug("not kept, the archive is closed: %s", error)
        guard_of(self._crawler).count_request()

    async def _closed(self, spider: Spider, reason: str) -> None:
        """Write down how the crawl ended, and let the archive process end."""
        guard = guard_of(self._crawler)
        if self.archive.failure is None and self.archive.opened:
            try:
                assert self.crawl is not None  # named before the archive was opened
                guard.drift = await self.archive.ask(Questions.drift, self.crawl)
            except ArchiveFailed as failure:
                guard.fail(failure)
        verdict = guard.verdict()
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
                await self.archive.happened(
                    event | {"verdict": verdict.word, "counters": counters(guard) | guard.drift.counters}
                )
        except ArchiveFailed as failure:
            guard.fail(failure)
        await self.archive.close()


def _headers(message: Request | Response) -> tuple[tuple[str, str], ...]:
    pairs: dict[bytes, list[bytes]] = dict(cast("Any", message.headers))
    return tuple(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, values in pairs.items()
        for value in values
    )
