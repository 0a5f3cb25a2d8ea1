"""The pace that a public archive asks for: each request, also a retry, leaves a while after the last one."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Self

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadConnectionRefusedError, IgnoreRequest
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached

from crawler.extensions.guard import guard_of

logger = logging.getLogger(__name__)
SLOWER = 2.0  # times, after each answer that says we are too fast
SLOW_DOWN = (429, 503)


@dataclass(slots=True)
class Pace:
    """Seconds between requests of one kind. ``final`` statuses end the crawl: asking again makes it worse."""

    seconds: float
    final: tuple[int, ...] = ()
    next_at: float = field(default=0.0)  # by the loop's clock


class PaceMiddleware:
    """Waits before a request with ``meta["pace"]``. Nearer the wire than the retries, so that those wait too.

    An answer that says we are too fast slows all that follows. A refused connection after one ends the crawl:
    the service has blocked us, and each further try lengthens that.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._times = 1.0
        self._is_warned = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Wait for the request's turn. Raises IgnoreRequest if the crawl stops."""
        pace: Pace | None = request.meta.get("pace")
        loop = asyncio.get_running_loop()
        if pace is None:
            return
        while (left := pace.next_at - loop.time()) > 0:
            if not await guard_of(self._crawler).sleep(left, "the pace that the service asks for"):
                raise IgnoreRequest("the crawl is stopping")
        pace.next_at = loop.time() + pace.seconds * self._times

    async def process_response(self, request: Request, response: Response) -> Response:
        """Slow down, or stop, where the service says so."""
        pace: Pace | None = request.meta.get("pace")
        is_own = "Memento-Datetime" not in response.headers  # an archived 429 is the site's
        if pace is None or not is_own:
            return response
        if response.status in pace.final:
            self._stop(request, f"refuses us (status {response.status})")
        elif response.status in SLOW_DOWN:
            self._is_warned = True
            self._times *= SLOWER
            logger.warning("%s: status %d, slower from now on", request.url, response.status)
        return response

    async def process_exception(self, request: Request, exception: Exception) -> None:
        """Stop where the service has blocked us."""
        if self._is_warned and isinstance(exception, DownloadConnectionRefusedError):
            self._stop(request, "refuses connections after it said that we are too fast")

    def _stop(self, request: Request, what: str) -> None:
        host = urlparse_cached(request).netloc
        guard_of(self._crawler).stop(
            "unavailable",
            f"{host} {what}: run the same command again tomorrow, it goes on from here (docs/backfill.md)",
        )
