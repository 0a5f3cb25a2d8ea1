"""The download of a request, which ends when the crawl does: a slow server does not hold up a stop."""

from __future__ import annotations

import asyncio

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawler.extensions.guard import guard_of
from crawler.private_addresses import PrivateHost, PublicResolver
from crawler.scrapy_internals import keep_chains, read_long_header_lines

HEADER_LINE = 2**18  # bytes; browsers read no longer headers either


class StoppableHandler(HTTP11DownloadHandler):
    """Scrapy's own for http and https. Closes the connection of what is still loading when the guard cuts."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._guard = guard_of(crawler)
        read_long_header_lines(HEADER_LINE)
        keep_chains()

    async def download_request(self, request: Request) -> Response:
        """The response. Raises PrivateHost, IgnoreRequest when the crawl ends first, and as Scrapy's own."""
        if refused := PublicResolver.reason_to_refuse(request, has_failed=False):
            raise PrivateHost(refused)
        cut = asyncio.ensure_future(self._guard.cut.wait())
        loading = asyncio.ensure_future(super().download_request(request))
        try:
            await asyncio.wait((cut, loading), return_when=asyncio.FIRST_COMPLETED)
            if not loading.done():
                raise IgnoreRequest("the crawl is stopping")
            if loading.exception() and (refused := PublicResolver.reason_to_refuse(request, has_failed=True)):
                raise PrivateHost(refused)
            return loading.result()
        finally:
            for future in (cut, loading):
                if not future.done():
                    future.cancel()
