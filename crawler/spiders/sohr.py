"""`scrapy crawl sohr`: listings -> plan -> requests -> outcomes. What to ask is decided in `crawler.plan`, what came in the archive process."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scrapy import Request, Spider
from scrapy.exceptions import CloseSpider, IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from archive.client import ArchiveFailed
from archive.clock import now
from archive.model import Edition
from archive.outcome import Held, Outcome
from archive.sites.sohr.addresses import Site
from archive.wire import Open
from crawler import plan, versions
from crawler.arguments import Arguments
from crawler.capture import Asked, CaptureMiddleware, asked, outcome
from crawler.guard import guard_of

logger = logging.getLogger(__name__)
AHEAD = 64  # articles asked for before the walk through the listings waits: memory stays flat however large the site
HOPS = 6  # redirects that are followed from one address
ASK_AT_ONCE = 500  # rows of a question to the archive
STEPS_BACK = 6  # when a page of a listing stands elsewhere than its arithmetic says


class SohrSpider(Spider):
    """Crawls the listings of SOHR's site, in English and Arabic, into an archive.

    -a site=URL        another site of the same kind (default https://www.syriahr.com/)
    -a edition=en|ar|all
    -a since=2024-05-01 -a until=2024-05-31   days of the site's own archive
    -a pages=N         at most N listing pages an edition
    -a urls=FILE       only these addresses, one a line
    -a look=due|all|none   which held articles to look at again (default due)
    """

    name = "sohr"

    def __init__(self, **given: Any) -> None:
        super().__init__()
        self.arguments = Arguments.read(given)
        self.site = Site(self.arguments.site)
        self._asked: set[str] = set()
        self._room = asyncio.Semaphore(AHEAD)
        self._listings: dict[Edition, int] = dict.fromkeys(self.arguments.editions, 0)

    # -- the whole way ------------------------------------------------------------------------------------------------------------

    async def start(self) -> AsyncIterator[Request]:
        """Open the archive, then ask for what the plan says, newest first."""
        capture = self.crawler.get_downloader_middleware(CaptureMiddleware)
        assert capture is not None  # crawler.settings has it
        self.archive = capture.archive
        self.guard = guard_of(self.crawler)
        folder = Path(self.crawler.settings["ARCHIVE_DIR"]).resolve()
        capture.crawl = f"{now()}-{secrets.token_hex(3)}"
        software = versions.software() | {"isPartOf": "sohr-archive", "robots": "classic", "format": "WARC File Format 1.1"}
        try:
            await self.archive.open(Open(str(folder), self.site.home, os.getpid(), capture.crawl, "crawl", self.arguments.as_record(), software))
            async for held, reason, via in self._plan():
                await self._room.acquire()
                yield self._request(held, reason, via)
        except ArchiveFailed as failure:
            await self.guard.fail(failure)
            raise CloseSpider("archive_failed") from failure

    async def _plan(self) -> AsyncIterator[tuple[Held, str, str | None]]:
        todo = self._cited() if self.arguments.urls is not None else self._dated() if self.arguments.since or self.arguments.until else self._default()
        async for held, reason, via in todo:
            if self.guard.closing.is_set():
                return
            if self._first_time(held):
                yield held, reason, via

    def _first_time(self, held: Held) -> bool:
        """One article, one fetch a crawl, whatever its address."""
        name = str(held.key) if held.key else held.url
        if name in self._asked:
            return False
        self._asked.add(name)
        return True

    async def _default(self) -> AsyncIterator[tuple[Held, str, str | None]]:
        for edition in self.arguments.editions:
            async for found in self._newest(edition):
                yield found
        for edition in self.arguments.editions:
            async for found in self._close_gaps(edition):
                yield found
            async for held in self._rows("unheld", edition):
                yield held, "pending", None
        async for held in self._rows("unresolved"):
            yield held, "pending", None
        if self.arguments.look != "none":
            before = now() if self.arguments.look == "due" else None
            for edition in self.arguments.editions:
                async for held in self._due(edition, before):
                    yield held, "due", None

    # -- listings -----------------------------------------------------------------------------------------------------------------

    async def _newest(self, edition: Edition) -> AsyncIterator[tuple[Held, str, str | None]]:
        """From the newest posts on until a page holds nothing new; through the date archives where the home listing has no pages."""
        page, last = 1, None
        while (found := await self._listing(edition, "home", page)) and found.listing:
            for item in self._wanted(found):
                yield item
            if not plan.newest_goes_on(found.listing, found.held):
                last = found
                break
            page, last = page + 1, found
        if last is not None and last.listing and page <= 2 and last.listing.page == 1 and len(last.held) > 2 and not all(h.in_stretch for h in last.held):
            # One page, and it does not lead on: either that is all there is, or this theme's home has no pages.
            async for item in self._dates(edition, None, None):
                yield item

    async def _close_gaps(self, edition: Edition) -> AsyncIterator[tuple[Held, str, str | None]]:
        """Walk on where earlier crawls broke off, until no gap is left or a walk gains nothing."""
        seen: set[int] = set()
        while self._may_list(edition):
            gaps = [gap for gap in await self.archive.ask("gaps", edition) if gap.position not in seen]
            if not gaps:
                return
            seen.add(gaps[0].position)
            page = plan.page_of(gaps[0], self._per_page)
            back = 1
            first = True
            while (found := await self._listing(edition, "home", page)) and found.listing:
                for item in self._wanted(found):
                    yield item
                if first and page > 1 and not any(h.in_stretch for h in found.held) and back <= 2**STEPS_BACK:
                    page, back = max(1, page - back), back * 2  # behind the gap's edge: posts were taken away
                    continue
                known = all(h.in_stretch for h in found.held)
                if found.listing.has_next is False or (known and not first and self._beyond(gaps[0], found)):
                    break
                first = False
                page += 1

    def _beyond(self, gap: Any, found: Outcome) -> bool:
        """Whether a page stands behind a gap's edge."""
        assert found.listing is not None  # callers saw to it
        return found.listing.page > plan.page_of(gap, self._per_page) + 2

    async def _dated(self) -> AsyncIterator[tuple[Held, str, str | None]]:
        for edition in self.arguments.editions:
            async for item in self._dates(edition, self.arguments.since, self.arguments.until):
                yield item

    async def _dates(self, edition: Edition, since: str | None, until: str | None) -> AsyncIterator[tuple[Held, str, str | None]]:
        """Through the date archives; through the home listing where there are none."""
        today = now()[:10]
        covered = await self.archive.ask("covered_days", edition, since or "0000", until or "9999")
        answered = False
        years: dict[str, bool] = {}
        for scope in plan.date_scopes(since, until, today, covered):
            year = "/".join(scope.split("/")[:2])
            if since is None and year not in years:  # an empty year costs one request, not twelve
                whole = await self._listing(edition, year, 1)
                years[year] = bool(whole and whole.listing)
            if not years.get(year, True):
                continue
            page = 1
            while (found := await self._listing(edition, scope, page)) and found.listing:
                answered = True
                for item in self._wanted(found, since, until):
                    yield item
                if found.listing.has_next is False:
                    break
                page += 1
            if not self._may_list(edition):
                return
        if not answered and since is not None:
            logger.info("%s: no date archive answered for these days; walking the home listing for them instead", edition)
            page = 1
            while (found := await self._listing(edition, "home", page)) and found.listing:
                for item in self._wanted(found, since, until):
                    yield item
                days = [s.day for s in found.listing.sightings if s.day and not s.sticky]
                if found.listing.has_next is False or (days and max(days) < since):
                    break
                page += 1

    def _wanted(self, found: Outcome, since: str | None = None, until: str | None = None) -> list[tuple[Held, str, str | None]]:
        assert found.listing is not None  # callers saw to it
        wanted = []
        for sighting, held in zip(found.listing.sightings, found.held, strict=True):
            reason = plan.reason_to_ask(held, self.arguments.look, sighting)
            if reason and plan.in_days(sighting, since, until):
                wanted.append((held, reason, found.url))
        return wanted

    def _may_list(self, edition: Edition) -> bool:
        return not self.guard.closing.is_set() and (self.arguments.pages is None or self._listings[edition] < self.arguments.pages)

    async def _listing(self, edition: Edition, scope: str, page: int) -> Outcome | None:
        """Ask for a page of a listing; None where the limit is reached, or nothing came of it."""
        if not self._may_list(edition):
            return None
        self._listings[edition] += 1
        self.guard.where = f"{edition} {scope} {page}"
        url = self.site.listing_url(edition, scope, page)
        for _ in range(HOPS):
            request = Request(url, meta={"asked": Asked(scope.split("/")[0]), "dont_redirect": True}, dont_filter=True)
            try:
                found = await outcome(await self.crawler.engine.download_async(request))
            except ArchiveFailed:
                raise
            except IgnoreRequest as refusal:
                self.guard.note("forbidden", str(refusal))
                return None
            except Exception as error:  # no answer, of whatever kind; kept by CaptureMiddleware, retried by BackoffMiddleware
                self.guard.no_answer(f"{url}: {error}")
                return None
            if found.word == "redirect" and found.target is not None:
                url = found.target.url
                continue
            if not (found.word == "missing" and (page > 1 or scope != "home")):
                self.guard.note(found.word, found.detail)
            if found.listing and len(found.held) > 1 and scope == "home":
                self._per_page = max(self._per_page, len([s for s in found.listing.sightings if not s.sticky]))
            return found
        self.guard.note("error", f"{url} redirects in a circle")
        return None

    _per_page = 1

    # -- what earlier crawls left -------------------------------------------------------------------------------------------------

    async def _rows(self, question: str, *arguments: Any) -> AsyncIterator[Held]:
        after = 0
        while rows := await self.archive.ask(question, *arguments, after, ASK_AT_ONCE):
            for after, held in rows:
                yield held

    async def _due(self, edition: Edition, before: str | None) -> AsyncIterator[Held]:
        after = ("", 0)
        while rows := await self.archive.ask("due", edition, before, after, ASK_AT_ONCE):
            for after, held in rows:
                yield held

    async def _cited(self) -> AsyncIterator[tuple[Held, str, str | None]]:
        urls = self.arguments.urls or ()
        known: list[Held | None] = await self.archive.ask("lookup", urls)
        for url, held in zip(urls, known, strict=True):
            if held is None:
                self.guard.counts["not_an_article"] += 1
                logger.warning("%s is no address of an article of %s: passed over", url, self.site.name)
                continue
            if held.state is not None and self.arguments.look != "all":
                continue
            yield held, "cited", None

    # -- articles -----------------------------------------------------------------------------------------------------------------

    def _request(self, held: Held, reason: str, via: str | None) -> Request:
        why = Asked("article", reason, via)
        return Request(held.url, callback=self.parse_article, errback=self.unanswered, dont_filter=True, meta={"asked": why, "dont_redirect": True})

    async def parse_article(self, response: Response) -> AsyncIterator[Any]:
        """The outcome of an article: further requests where it leads on, an item where it is a new version."""
        why = asked(response.request) if response.request else Asked("article")
        try:
            found = await outcome(response)
        except ArchiveFailed as failure:
            self._room.release()
            await self.guard.fail(failure)
            return
        leads_on = False
        if found.target is not None and why.hops < HOPS and self._follow(found, found.target):
            leads_on = True
            more = Asked("article", why.reason, found.url, why.requested_url or found.url, None, why.hops + 1)
            yield self._further(found.target.url, more)
        for url in found.page_urls:
            yield self._further(url, Asked("article", why.reason, found.url, None, found.look))
        if not leads_on and found.word != "part":
            self.guard.note(found.word, found.detail)
        if why.hops == 0 and why.look is None:
            self._room.release()
        if found.version is not None:
            yield asdict(found.version)

    def _follow(self, found: Outcome, target: Held) -> bool:
        if target.key is not None and target.key == found.article and str(target.key) in self._asked:
            return target.state is None or self.arguments.look == "all" or self._was_asked_by(found)
        return self._first_time(target) and (target.state is None or self.arguments.look == "all")

    def _was_asked_by(self, found: Outcome) -> bool:
        """Whether the redirect is the answer to our own asking for that article (an Arabic ``?p=`` leads to its slug)."""
        return found.article is not None

    def _further(self, url: str, why: Asked) -> Request:
        return Request(url, callback=self.parse_article, errback=self.unanswered, dont_filter=True, priority=10, meta={"asked": why, "dont_redirect": True})

    async def unanswered(self, failure: Failure) -> None:
        """No answer, with all tries; robots.txt forbids; or the crawl is stopping."""
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy puts it there
        why = asked(request)
        if why.hops == 0 and why.look is None:
            self._room.release()
        if failure.check(IgnoreRequest):
            if not self.guard.closing.is_set():
                self.guard.note("forbidden", f"{request.url}: {failure.getErrorMessage()}")
            return
        self.guard.no_answer(f"{request.url}: {failure.getErrorMessage()}")


