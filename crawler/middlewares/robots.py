"""robots.txt by RFC 9309. One that is unreachable (5xx, no answer) or cut means stay away."""

from __future__ import annotations

import asyncio
import logging
from typing import Self
from urllib.parse import urljoin, urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest, NotConfigured
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from scrapy.utils.httpobj import urlparse_cached

from archive.html.decode import Undecodable, decode_body, decode_text
from archive.model import Capture
from archive.sites.hosts import registrable_domain
from archive.sites.robots import NOTHING, Robots, parse_robots
from crawler.extensions.guard import guard_of
from crawler.private_addresses import PrivateHost
from crawler.reasons import advise, describe_error
from crawler.scrapy_internals import set_delay

logger = logging.getLogger(__name__)
MAX_BYTES = 32 * 2**20  # of a robots.txt, unpacked: as DOWNLOAD_MAXSIZE; RFC 9309 asks for 500 KiB at least
HOPS = 5  # redirects that are followed, as RFC 9309, 2.3.1.2 asks
LONG_DELAY = 60.0  # seconds; a longer Crawl-delay is a warning in the log: a day has 1,440 of them
FIRST = 1000  # priority: before all else
REDIRECTS = (301, 302, 303, 307, 308)


class RobotsMiddleware:
    """Lets through what robots.txt allows, at the pace it asks for."""

    def __init__(self, crawler: Crawler) -> None:
        if not crawler.settings.getbool("ROBOTSTXT_OBEY"):
            raise NotConfigured
        self._crawler = crawler
        self._name = str(crawler.settings["ROBOTSTXT_USER_AGENT"])
        self._longest_delay = crawler.settings.getfloat("ARCHIVE_CRAWL_DELAY_MAX_SECONDS")
        self._rules: dict[str, asyncio.Task[Robots]] = {}  # by host and port

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Refuse what robots.txt forbids. Raises IgnoreRequest."""
        if request.meta.get("dont_obey_robotstxt"):
            return
        parts = urlparse_cached(request)
        if parts.netloc not in self._rules:
            self._rules[parts.netloc] = asyncio.ensure_future(self._load(f"{parts.scheme}://{parts.netloc}"))
        robots = await self._rules[parts.netloc]
        if not robots.allows(request.url):
            raise IgnoreRequest("Forbidden by robots.txt")
        if robots.crawl_delay:  # at each request: Scrapy forgets the delay of a host that was idle
            set_delay(self._crawler, request, min(robots.crawl_delay, self._longest_delay))

    async def _load(self, origin: str) -> Robots:
        host = urlsplit(origin).netloc
        try:
            robots = self._read(await self._fetch(f"{origin}/robots.txt"), host)
        except PrivateHost as error:
            guard_of(self._crawler).stay_away(host, str(error))
            return NOTHING
        except IgnoreRequest:
            return NOTHING  # the crawl is stopping, or the host is left alone
        except Exception as error:  # noqa: BLE001  # no answer, of whatever kind: kept by CaptureMiddleware, tried again by BackoffMiddleware
            return self._stay_away(host, f"cannot be fetched ({describe_error(error)}): {advise(error)}")
        guard_of(self._crawler).sitemaps += robots.sitemaps
        if robots.crawl_delay:
            self._report_delay(host, robots.crawl_delay)
        return robots

    async def _fetch(self, url: str) -> Response:
        """The answer, after redirects within the registrable domain. A longer way counts as no robots.txt."""
        assert self._crawler.engine is not None  # it sent the request that asks
        domain = registrable_domain(urlsplit(url).hostname or "")
        for hops in range(HOPS + 1):
            meta = {"dont_obey_robotstxt": True, "dont_redirect": True}
            request = Request(url, priority=FIRST, meta=meta, callback=NO_CALLBACK)
            response = await self._crawler.engine.download_async(request)
            location = response.headers.get("Location")
            if response.status not in REDIRECTS or not location or hops == HOPS:
                return response
            url = urljoin(url, location.decode("utf-8", "replace").strip()).partition("#")[0]
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or registrable_domain(parts.hostname or "") != domain:
                logger.warning("robots.txt leads to another site, %s: not followed", url[:200])
                return response
        raise AssertionError  # the last round returns

    def _read(self, response: Response, host: str) -> Robots:
        if response.status >= 500 or response.status == 429:
            return self._stay_away(
                host,
                f"answers with status {response.status}, so the site must not be visited now: "
                "run the crawl again later",
            )
        if not 200 <= response.status < 300:  # RFC 9309: unavailable (4xx) means that there are no rules
            return Robots()
        if "dataloss" in response.flags:
            return self._stay_away(
                host, "was cut on its way, so what it forbids is not known: run the crawl again later"
            )
        headers = tuple(
            ("Content-Encoding", value.decode("latin-1"))
            for value in response.headers.getlist("Content-Encoding")
        )
        capture = Capture(response.url, response.status, headers, response.body, "")
        try:
            body = decode_body(capture, MAX_BYTES)
        except Undecodable as error:
            return self._stay_away(host, f"cannot be read ({error}), so what it forbids is not known")
        return parse_robots(decode_text(capture, body), self._name)

    def _stay_away(self, host: str, why: str) -> Robots:
        guard_of(self._crawler).stay_away(host, f"robots.txt of {host} {why}")
        return NOTHING

    def _report_delay(self, host: str, delay: float) -> None:
        level = logging.WARNING if delay > LONG_DELAY else logging.INFO
        logger.log(level, "robots.txt of %s asks for one request in %g s: kept", host, delay)
        if delay > self._longest_delay:
            logger.warning(
                "that is more than an hour: one request in %g s is sent instead "
                "(-s ARCHIVE_CRAWL_DELAY_MAX_SECONDS=N allows more)",
                self._longest_delay,
            )
            guard_of(self._crawler).bounded["crawl_delay"] = delay
