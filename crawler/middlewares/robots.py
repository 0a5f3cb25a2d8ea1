"""robots.txt as RFC 9309 has it: unreachable (5xx, no answer) means stay away, unlike Scrapy's own reading;
Crawl-delay is kept."""

from __future__ import annotations

import logging
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached

from archive.html.decode import Undecodable, decode_body
from archive.model import Capture
from crawler.extensions.guard import guard_of

logger = logging.getLogger(__name__)
# Scrapy prints a traceback where robots.txt is not answered; `Guard.stop` says the same in a sentence.
logging.getLogger("scrapy.downloadermiddlewares.robotstxt").addFilter(
    lambda record: not str(record.msg).startswith("Error downloading")
)
MAX_BYTES = 32 * 2**20  # of a robots.txt, unpacked: as DOWNLOAD_MAXSIZE; RFC 9309 asks for 500 KiB at least
LONG_DELAY = 60.0  # seconds; a longer Crawl-delay is kept too, and said aloud: a day has 1,440 of them


class RobotsMiddleware(RobotsTxtMiddleware):
    """Scrapy's, with the standard's answers to trouble."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._delays: dict[str, float] = {}  # host -> its Crawl-delay in seconds

    async def process_request(self, request: Request, *given: Any) -> None:
        """As Scrapy's; then see to it that the host's Crawl-delay holds, whatever became of its queue since
        the request before."""
        await super().process_request(request, *given)
        delay = self._delays.get(urlparse_cached(request).netloc)
        if delay and self.crawler.engine:
            _, slot = self.crawler.engine.downloader._get_slot(request)
            slot.delay, slot.jitter = max(slot.delay, delay), 0.0  # jitter goes both ways
            request.meta["autothrottle_dont_adjust_delay"] = True  # it would go down to DOWNLOAD_DELAY again

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if response.status >= 500 or response.status == 429:
            guard_of(self.crawler).stay_away(
                netloc,
                f"robots.txt of {netloc} answers with status {response.status}, so the site must not be visited now: run the crawl again later",
            )
        # Given up after several tries: the rules behind the cut are not known
        if "dataloss" in response.flags and 200 <= response.status < 300:
            guard_of(self.crawler).stay_away(
                netloc,
                f"robots.txt of {netloc} was cut on its way, so what it forbids is not known: run the crawl again later",
            )
            response = response.replace(body=b"User-agent: *\nDisallow: /\n")
        elif 200 <= response.status < 300:
            response = self._unpacked(response, netloc)
        if not 200 <= response.status < 300:
            # RFC 9309: unavailable (4xx) is no rule; an error page's text is none either
            response = response.replace(body=b"")
        await super()._parse_robots(response, netloc, request)
        parser: Any = self._parsers[netloc]
        delay = parser.crawl_delay(self._robotstxt_useragent) if hasattr(parser, "crawl_delay") else None
        if delay:
            self._delays[netloc] = float(delay)
            logger.log(
                logging.WARNING if delay > LONG_DELAY else logging.INFO,
                "robots.txt of %s asks for one request in %s s: kept",
                netloc,
                delay,
            )

    def _unpacked(self, response: Response, netloc: str) -> Response:
        headers = tuple(
            ("Content-Encoding", value.decode("latin-1"))
            for value in response.headers.getlist("Content-Encoding")
        )
        try:
            return response.replace(
                body=decode_body(
                    Capture(response.url, response.status, headers, response.body, ""), MAX_BYTES
                )
            )
        except Undecodable as error:
            guard_of(self.crawler).stay_away(
                netloc, f"robots.txt of {netloc} cannot be read ({error}), so what it forbids is not known"
            )
            return response.replace(body=b"User-agent: *\nDisallow: /\n")

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        super()._robots_error(exc, netloc)
        guard_of(self.crawler).stay_away(
            netloc,
            f"robots.txt of {netloc} cannot be had ({exc}): check the address and the network, then try again",
        )
