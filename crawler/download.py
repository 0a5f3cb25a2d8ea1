"""The download of a request that does not outlast the crawl: a server that is slow, or drips, cannot hold up
a stop."""

from __future__ import annotations

import asyncio

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawler.extensions.guard import guard_of


class StoppableHandler(HTTP11DownloadHandler):
    """Scrapy's own for http and https; what is still under way when the guard cuts is let go of, its
    connection closed."""

    async def download_request(self, request: Request) -> Response:
        """The response. Raises IgnoreRequest where the crawl ended before it was there, else what Scrapy's
        raises."""
        cut = asyncio.ensure_future(guard_of(self._crawler).cut.wait())
        loading = asyncio.ensure_future(super().download_request(request))
        try:
            await asyncio.wait((cut, loading), return_when=asyncio.FIRST_COMPLETED)
            if not loading.done():
                raise IgnoreRequest("the crawl is stopping")
            return loading.result()
        finally:
            for future in (cut, loading):
                if not future.done():
                    future.cancel()
