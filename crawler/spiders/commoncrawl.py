"""`scrapy crawl commoncrawl`: captures of the site's posts from Common Crawl."""

from __future__ import annotations

import json
import re

from archive.html.decode import Undecodable, decode_body
from archive.model import Capture
from archive.public_archives.captures import BROKEN, NotServed, read_record
from archive.public_archives.queries import CAPTURE, commoncrawl_query, record_url, scopes
from archive.writer.messages import Questions, WantedCapture
from crawler.spiders.public_archives import CRAWLS, PublicArchiveSpider, logger

EMPTY = 3  # pages without rows, one after the other: then the index of a crawl has ended without saying so
_CRAWL = re.compile(r"[A-Z0-9-]{1,60}")


class CommonCrawlSpider(PublicArchiveSpider):
    """Lists what each of Common Crawl's crawls has of the site's posts, and takes it, oldest first.

    -a site=URL        the site the archive is of (default https://www.syriahr.com/)
    -a edition=en|ar|all
    -a since=2015-01-01 -a until=2019-12-31   days of capture
    -a budget=N        requests in 24 hours, at most (default: no limit)
    -a only=index      list, and fetch nothing
    """

    name = service = "commoncrawl"
    final_statuses = (403,)  # too fast: it stays so for hours, and asking again lengthens it

    def services(self) -> tuple[str, ...]:
        """The settings that name the service's addresses."""
        return ("COMMONCRAWL_INDEX_URL", "COMMONCRAWL_DATA_URL")

    async def list_captures(self) -> bool:
        """Ask the index of each crawl, the oldest first. One without an answer is left for the next run."""
        crawls = await self._crawls()
        homes = (self.site.home, *self.site.other_homes)
        is_whole = crawls is not None
        for crawl in crawls or ():
            for scope in scopes(homes, self.arguments.editions):
                if self.guard.closing.is_set():
                    return False
                is_whole &= await self._list(crawl, scope)
        return is_whole

    async def _crawls(self) -> list[str] | None:
        """The names of the crawls that may have captures of the days asked for; None without an answer."""
        url = f"{self._index}collinfo.json"
        answered = await self.ask(url, CRAWLS)
        if answered is None:
            return None
        exchange, _ = answered
        try:
            listed = json.loads(decode_body(exchange)) if exchange.status == 200 else None
            crawls = [one for one in listed or () if _CRAWL.fullmatch(str(one["id"]))]
        except (ValueError, TypeError, KeyError, RecursionError, Undecodable):
            crawls = []
        if not crawls:
            self.guard.note("error", f"{url} names no crawls (status {exchange.status})")
            return None
        since, until = self.arguments.since or "", self.arguments.until or "9999"
        spans = ((str(one["id"]), str(one.get("from") or ""), str(one.get("to") or "9999")) for one in crawls)
        return sorted(name for name, first, last in spans if last >= since and first[:10] <= until)

    @property
    def _index(self) -> str:
        return str(self.crawler.settings["COMMONCRAWL_INDEX_URL"])

    async def _list(self, crawl: str, scope: str) -> bool:
        """Ask page after page until there is none. The service also says how many there are; that number has
        been wrong."""
        number = empty = 0
        seen = set[str]()
        while empty < EMPTY:
            url = commoncrawl_query(self._index, crawl, scope, number)
            page = await self.ask_index(url, grows=False)
            if page is None:
                return False
            if page.is_absent:
                break
            if page.rows and page.digest in seen:
                logger.error("the index repeats its pages: %s", url)
                return False
            seen.add(page.digest)
            empty = 0 if page.rows else empty + 1
            number += 1
        return True

    async def fetch(self, wanted: WantedCapture) -> Capture | NotServed | None:
        """The record: one gzip member of a large file. A revisit gets the body of a capture that is here."""
        url, span = record_url(str(self.crawler.settings["COMMONCRAWL_DATA_URL"]), wanted.identity)
        answered = await self.ask(url, CAPTURE, {"Range": span, "Accept-Encoding": "identity"})
        if answered is None:
            return None
        found = read_record(answered[0], wanted.url, wanted.digest)
        if isinstance(found, Capture | NotServed):
            return found
        originals = await self._archive.ask(Questions.originals, found.url or wanted.url)
        whole = next(filter(None, map(found.complete, originals)), None)
        return whole or NotServed(BROKEN, f"{url} repeats a body that is not here")
