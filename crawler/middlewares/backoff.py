"""Retries after a wait: Retry-After where the site states one, else longer each time, with jitter."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import Self

from scrapy import Request, signals
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached
from tenacity import RetryCallState, Retrying, wait_exponential_jitter

from archive.clock import clock, current_time, read_retry_after
from crawler.extensions.guard import Guard, guard_of
from crawler.reasons import describe_error
from crawler.scrapy_internals import hold_host

logger = logging.getLogger(__name__)
FIRST = 100  # priority of a retry: before new requests, so that trouble shows after few of them


class BackoffMiddleware:
    """Sends again what failed for the moment. Leaves a host alone that asks for a longer rest."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._times = settings.getint("RETRY_TIMES")
        self._longest = settings.getfloat("ARCHIVE_RETRY_AFTER_MAX_SECONDS")
        self._codes = {int(code) for code in settings.getlist("RETRY_HTTP_CODES")}
        self._most = settings.getfloat("BACKOFF_MAX_SECONDS")
        self._wait = wait_exponential_jitter(
            multiplier=settings.getfloat("BACKOFF_SECONDS"),
            max=self._most,
            jitter=settings.getfloat("BACKOFF_SECONDS"),
        )
        self._not_before: dict[str, float] = {}  # host -> instant of the loop's clock
        crawler.signals.connect(self._downloaded, signal=signals.response_downloaded)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        return cls(crawler)

    @property
    def _guard(self) -> Guard:
        return guard_of(self._crawler)

    async def process_request(self, request: Request) -> None:
        """Wait until the host's rest is over. Raises IgnoreRequest if the crawl stops or leaves it alone."""
        host = urlparse_cached(request).netloc
        while (
            not self._guard.closing.is_set()
            and (left := self._not_before.get(host, 0.0) - asyncio.get_running_loop().time()) > 0
        ):
            await self._guard.sleep(left, f"{host} asked for time")
        if self._guard.closing.is_set():
            raise IgnoreRequest("the crawl is stopping")
        if host in self._guard.away:
            raise IgnoreRequest(self._guard.away[host])

    def _downloaded(self, response: Response, request: Request) -> None:
        """Hold the host before its next request leaves: this signal comes before Scrapy sends it."""
        stated = retry_after(response) if response.status >= 400 else None
        if stated:
            hold_host(self._crawler, request, min(stated, self._most))

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        """Send again what may succeed later."""
        host = urlparse_cached(request).netloc
        is_cut = "dataloss" in response.flags
        if response.status < 400 and not is_cut:
            return response
        stated = retry_after(response)
        if stated is not None:
            until = asyncio.get_running_loop().time() + min(stated, self._most)
            self._not_before[host] = max(self._not_before.get(host, 0.0), until)
            if stated > self._longest:
                self._guard.bounded["retry_after"] = round(stated)
            if stated > self._most:
                self._guard.stay_away(
                    host,
                    f"{host} asks for {stated:.0f} seconds of rest (status {response.status}): "
                    f"run the crawl again after {min(stated, self._longest):.0f} seconds",
                )
                return response
        if response.status not in self._codes and not is_cut:
            return response
        what = f"{'a cut page' if is_cut else f'status {response.status}'} from {request.url}"
        return await self._retry(request, what, stated) or response

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Send again what was not answered."""
        if isinstance(exception, IgnoreRequest) or self._guard.closing.is_set():
            return None
        what = f"no answer from {request.url} ({describe_error(exception)})"
        return await self._retry(request, what, None)

    async def _retry(self, request: Request, what: str, stated: float | None) -> Request | None:
        """The request to send again, after its wait; None if it was tried too often or the crawl stops."""
        tries = int(request.meta.get("retry_times", 0)) + 1
        if tries > self._times:
            logger.warning("%s, given up after %d %s", what, tries, "try" if tries == 1 else "tries")
            return None
        state = RetryCallState(Retrying(), None, (), {})
        state.attempt_number = tries
        seconds = max(stated or 0.0, float(self._wait(state)))
        logger.info("%s: asked again in %.1f s (try %d of %d)", what, seconds, tries + 1, self._times + 1)
        if not await self._guard.sleep(seconds, what):
            return None
        request = request.replace(dont_filter=True, priority=request.priority + FIRST)
        request.meta["retry_times"] = tries
        return request


def retry_after(response: Response) -> float | None:
    """Seconds that a site asks to be left alone; None where it states nothing readable."""
    value = (response.headers.get("Retry-After") or b"").decode("latin-1")
    return seconds_left(read_retry_after(value, current_time(), clock().ahead))


def seconds_left(until: datetime | None) -> float | None:
    """Seconds from now until an instant; 0 where it has passed."""
    return None if until is None else max(0.0, (until - current_time()).total_seconds())
