"""Pages of channels: asked for one after the other, followed where they lead, and counted."""

from __future__ import annotations

import asyncio
import logging
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest

from archive.model import Edition
from archive.outcome import LISTING, LISTING_UNREAD, NO_CHANNEL, REDIRECT, UNREADABLE, Outcome
from archive.sites.wordpress import channels
from archive.writer.client import ArchiveFailed
from archive.writer.messages import Questions
from crawler.extensions.guard import guard_of
from crawler.middlewares.capture import Asked, capture_of, outcome
from crawler.reasons import describe_error
from crawler.site_home import SiteHome

logger = logging.getLogger(__name__)
HOPS = 6  # redirects that are followed from one address


class ListingPages:
    """Fetches the pages of channels in one crawl."""

    def __init__(self, crawler: Crawler, home: SiteHome) -> None:
        self._crawler = crawler
        self._home = home
        self._guard = guard_of(crawler)
        self._capture = capture_of(crawler)
        self._in_order = asyncio.Lock()

    async def fetch(self, url: str, channel: str, edition: Edition) -> Outcome | None:
        """A page of a channel, after redirects; None where nothing came."""
        self._guard.where = f"{edition} {url.removeprefix(self._home.site.home)}"
        is_optional = channels.is_optional(channel)
        is_newest = url == self._home.site.edition_home(edition)
        via = None
        for _ in range(HOPS):
            try:
                found = await self._ask(url, channel, via)
            except ArchiveFailed:
                raise
            except Exception as error:  # noqa: BLE001  # no answer, of whatever kind: kept by CaptureMiddleware
                if not self._guard.closing.is_set():
                    word = "forbidden" if isinstance(error, IgnoreRequest) else "no_answer"
                    self._note(word, f"{url}: {describe_error(error)}", edition, is_optional, is_newest)
                return None
            if found.served is not None:
                if not await self._home.follow(found.served, self._capture, self._guard):
                    return None
            elif found.word == REDIRECT and found.target is not None:
                url, via = found.target.url, found.url
            else:
                self._note_answer(found, edition, is_optional, is_newest)
                return found
        self._note("error", f"{url} redirects in a circle", edition, is_optional, is_newest)
        return None

    async def _ask(self, url: str, channel: str, via: str | None) -> Outcome:
        """One exchange, once it is durable. Raises what the download raises, and ArchiveFailed."""
        assert self._crawler.engine is not None  # it has called `start`
        url = self._home.respell(url, via)
        meta = {"asked": Asked(channel), "dont_redirect": True}
        request = Request(url, meta=meta, dont_filter=True, priority=20)
        if channels.is_conditional(channel):
            condition = await self._capture.archive.ask(Questions.condition, url)
            request.headers.update([condition] if condition else [])
        async with self._in_order:  # the archive has to get the pages of a listing one after the other
            response = await self._crawler.engine.download_async(request)
        return await outcome(response)

    def _note_answer(self, found: Outcome, edition: Edition, is_optional: bool, is_newest: bool) -> None:
        if is_newest and found.word == "missing":
            self._note(LISTING_UNREAD, f"{found.url} answers {found.status}", edition, False, True)
        elif found.word not in ("missing", NO_CHANNEL):  # after the last page, a day without posts
            self._note(found.word, found.detail, edition, is_optional, is_newest)

    def _note(self, word: str, detail: str, edition: Edition, is_optional: bool, is_newest: bool) -> None:
        """Count the outcome of a listing's page. Without the newest one the edition is not healthy."""
        if is_optional:
            logger.debug("%s: %s", word, detail)
            return
        self._guard.note(word, detail, urlsplit(self._home.respell(self._home.site.home)).netloc, edition)
        result = self._guard.editions[edition]
        if word == LISTING:
            result.listed |= is_newest
        elif is_newest:
            result.failure = result.failure or f"{word}: {detail}"
            result.is_unread = word in UNREADABLE
