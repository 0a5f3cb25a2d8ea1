"""The order of a crawl: newest listings, gaps that earlier crawls left, what was sighted and never captured,
looks that are due.

Knows neither Scrapy nor the network: it is given two ways to ask, for a page of a listing and for what the
archive holds.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from archive.clock import now
from archive.model import Edition
from archive.outcome import Gap, Held, Outcome
from archive.sites.sohr.addresses import Site
from archive.writer.messages import Asker, Questions
from crawler.arguments import Arguments
from crawler.walk import plan
from crawler.walk.news import Channels
from crawler.walk.survey import Survey, Sweep
from crawler.walk.wanted import Fetch, Wanted

logger = logging.getLogger(__name__)
ASK_AT_ONCE = 500  # rows of a question to the archive
STEPS_BACK = 6  # doublings, when a page of a listing stands elsewhere than its arithmetic says
FEW = 2  # posts: a home page that shows no more is a new site, not a home without pages


class Walk:
    """One crawl's way through the site."""

    def __init__(
        self, arguments: Arguments, fetch: Fetch, ask: Asker, closing: asyncio.Event, ahead: int = 0
    ) -> None:
        """``ahead``: pages of the home listing that may be asked for before the one in front of them is read,
        where all is new."""
        self._arguments = arguments
        self._ahead = ahead
        self._site = Site(arguments.site)
        self._home = self._site.edition_home
        self._fetch = fetch
        self._ask = ask
        self._closing = closing
        self._channels = Channels(arguments, fetch, ask, closing)
        self._survey = Survey(arguments, self._channels, fetch, ask, closing)
        self._listings: dict[Edition, int] = dict.fromkeys(arguments.editions, 0)
        self._per_page = 1
        # Editions whose listings answer: a site in trouble is not asked for more
        self._answering: dict[Edition, None] = {}

    def wanted(self) -> AsyncIterator[Wanted]:
        """All this crawl is to ask for, in order; an article may come twice."""
        if self._arguments.urls is not None:
            return self._cited(self._arguments.urls)
        if self._arguments.sweep is not None:
            return Sweep(self._arguments, self._channels, self._fetch, self._ask, self._closing).wanted(
                *self._arguments.sweep
            )
        return self._dated() if self._arguments.since or self._arguments.until else self._default()

    async def _default(self) -> AsyncIterator[Wanted]:
        for edition in self._arguments.editions:
            async for found in self._newest(edition):
                yield found
        for edition in self._arguments.editions:
            async for found in self._close_gaps(edition):
                yield found
            for found in await self._survey.early(edition) if edition in self._answering else ():
                yield found
            async for held in self._unheld(edition):
                yield Wanted(held, "pending")
        async for held in self._unresolved():
            yield Wanted(held, "pending")
        if self._arguments.look != "none":
            before = now() if self._arguments.look == "due" else None
            for edition in self._arguments.editions:
                async for wanted in self._channels.looks(edition, self._due(edition, before)):
                    yield wanted
        for edition in self._answering:
            async for wanted in self._survey.late(edition):
                yield wanted

    # -- listings
    # -----------------------------------------------------------------------------------------------------------------

    async def _newest(self, edition: Edition) -> AsyncIterator[Wanted]:
        """From the newest posts on until a page holds nothing new; through the date archives where the home
        listing has no pages."""
        page = 1
        passed = False
        coming: deque[asyncio.Task[Outcome | None]] = deque()
        while found := await (coming.popleft() if coming else self._page(edition, "home", page)):
            news = await self._channels.news(edition) if page == 1 and self._arguments.pages is None else []
            for item in (*self._of(found), *news):
                yield item
            assert found.listing is not None
            if not plan.newest_goes_on(found.listing, found.held):
                passed = all(h.in_stretch for h in found.held)
                break
            if page == 1:  # a first crawl, or a long walk: what is cheap comes before it
                for item in await self._survey.early(edition):
                    yield item
            page += 1
            # A first crawl: the pages that follow are wanted too
            if found.listing.has_next and all(h.is_new for h in found.held):
                while len(coming) < self._ahead:
                    coming.append(_begun(self._page(edition, "home", page + len(coming))))
        for task in coming:
            await task
        if not passed and page <= 2 and self._per_page > FEW and not self._closing.is_set():
            # One page, and it leads nowhere new: either that is all there is, or this theme's home has no
            # pages.
            async for item in self._dates(edition, None, None):
                yield item

    async def _close_gaps(self, edition: Edition) -> AsyncIterator[Wanted]:
        """Walk on where earlier crawls broke off, until no gap is left or a walk gains nothing."""
        tried: set[int] = set()
        while self._may_list(edition):
            gaps: list[Gap] = [
                gap for gap in await self._ask(Questions.gaps, edition) if gap.position not in tried
            ]
            if not gaps:
                return
            tried.add(gaps[0].position)
            page = start = plan.page_of(gaps[0], self._per_page)
            back, first = 1, True
            answered = False
            while found := await self._page(edition, "home", page):
                answered = True
                for item in self._of(found):
                    yield item
                if first and page > 1 and not any(h.in_stretch for h in found.held) and back <= 2**STEPS_BACK:
                    page = start = max(1, page - back)  # behind the gap's edge: posts were taken away
                    back *= 2
                    continue
                first = False
                assert found.listing is not None
                if found.listing.has_next is False or (
                    page > start + 2 and all(h.in_stretch for h in found.held)
                ):
                    break
                page += 1
            # The home listing has no such page: this theme's home has none
            if not answered and page > 1 and self._may_list(edition):
                async for item in self._dates(edition, None, gaps[0].tail_day):
                    yield item

    async def _dated(self) -> AsyncIterator[Wanted]:
        since, until = self._arguments.since, self._arguments.until
        for edition in self._arguments.editions:
            async for item in self._dates(edition, since, until):
                yield item
            # Days listed by an earlier crawl are not listed again
            async for held in self._unheld(edition):
                if held.day is not None and plan.day_within(held.day, since, until):
                    yield Wanted(held, "pending")

    async def _dates(self, edition: Edition, since: str | None, until: str | None) -> AsyncIterator[Wanted]:
        """Through the date archives; for days asked for, through the home listing where there are none."""
        covered = await self._ask(Questions.covered_days, edition, since or "0000", until or "9999")
        answered = False
        years: dict[str, bool] = {}
        for scope in plan.date_scopes(since, until, now()[:10], covered):
            year = "/".join(scope.split("/")[:2])
            if since is None and year not in years:  # an empty year costs one request, not twelve
                years[year] = await self._page(edition, year, 1) is not None
            if not years.get(year, True):
                continue
            page = 1
            while found := await self._page(edition, scope, page):
                answered = True
                for item in self._of(found, since, until):
                    yield item
                assert found.listing is not None
                if found.listing.has_next is False:
                    break
                page += 1
            if not self._may_list(edition):
                return
        if not answered and since is not None:
            async for item in self._home_for_days(edition, since, until):
                yield item

    async def _home_for_days(self, edition: Edition, since: str, until: str | None) -> AsyncIterator[Wanted]:
        logger.info(
            "%s: no date archive answered for these days; the home listing is walked for them instead",
            edition,
        )
        page = 1
        while found := await self._page(edition, "home", page):
            for item in self._of(found, since, until):
                yield item
            assert found.listing is not None
            days = [s.day for s in found.listing.sightings if s.day and not s.sticky]
            if found.listing.has_next is False or (days and max(days) < since):
                break
            page += 1

    def _of(self, found: Outcome, since: str | None = None, until: str | None = None) -> list[Wanted]:
        """What of a listing's page is wanted."""
        assert found.listing is not None
        wanted = []
        for sighting, held in zip(found.listing.sightings, found.held, strict=True):
            reason = plan.reason_to_ask(held, self._arguments.look, sighting)
            if reason and plan.in_days(sighting, since, until):
                wanted.append(Wanted(held, reason, found.url))
        return wanted

    def _may_list(self, edition: Edition) -> bool:
        return not self._closing.is_set() and (
            self._arguments.pages is None or self._listings[edition] < self._arguments.pages
        )

    async def _page(self, edition: Edition, scope: str, page: int) -> Outcome | None:
        """A page of a listing; None where the limit is reached, or no posts came of it."""
        if not self._may_list(edition):
            return None
        self._listings[edition] += 1
        found = await self._fetch(self._site.listing_url(edition, scope, page), scope.split("/")[0], edition)
        if found is None or found.listing is None:
            return None
        self._answering[edition] = None
        if scope == "home":
            self._per_page = max(self._per_page, sum(not s.sticky for s in found.listing.sightings))
        return found

    # -- what the archive knows
    # ---------------------------------------------------------------------------------------------------

    async def _unheld(self, edition: Edition) -> AsyncIterator[Held]:
        after = 0
        while rows := await self._ask(Questions.unheld, edition, after, ASK_AT_ONCE):
            for _, held in rows:
                yield held
            after = rows[-1][0]

    async def _unresolved(self) -> AsyncIterator[Held]:
        after = 0
        while rows := await self._ask(Questions.unresolved, after, ASK_AT_ONCE):
            for _, held in rows:
                yield held
            after = rows[-1][0]

    async def _due(self, edition: Edition, before: str | None) -> AsyncIterator[Held]:
        after = ("", 0)
        while rows := await self._ask(Questions.due, edition, before, after, ASK_AT_ONCE):
            for _, held in rows:
                yield held
            after = rows[-1][0]

    async def _cited(self, urls: tuple[str, ...]) -> AsyncIterator[Wanted]:
        known: list[Held | None] = await self._ask(Questions.lookup, urls)
        for url, held in zip(urls, known, strict=True):
            if held is None:
                logger.warning("%s is no address of an article of this site: passed over", url)
            elif held.state is None or self._arguments.look == "all":
                yield Wanted(held, "cited")


def _begun(page: Coroutine[Any, Any, Outcome | None]) -> asyncio.Task[Outcome | None]:
    """A page that is asked for already. Where the crawl ends before it is read, nobody is to miss what came
    of it."""
    task = asyncio.ensure_future(page)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task
