"""All that a channel has, walked once in slices, so that what no listing shows is found: sitemaps and REST
early, for they are cheap; date archives, categories and feeds last, when nothing else is left to do. Where a
walk stands is kept in the archive, and it goes on one page before that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

from archive.clock import current_time, now
from archive.model import Edition
from archive.outcome import FEED, LISTING, REST, Outcome
from archive.sites.sohr.addresses import Site
from archive.sites.wordpress import feeds, rest
from archive.writer.messages import Asker, Questions
from crawler.arguments import Arguments
from crawler.walk import plan
from crawler.walk.news import Channels
from crawler.walk.wanted import Fetch, Wanted, wanted_of

logger = logging.getLogger(__name__)
SLICE = 20  # requests a run and channel: in half-hourly runs 960 a day


class Survey:
    """One crawl's part of the walks through everything."""

    def __init__(
        self, arguments: Arguments, channels: Channels, fetch: Fetch, ask: Asker, closing: asyncio.Event
    ) -> None:
        self._arguments = arguments
        self._channels = channels
        self._site = Site(arguments.site)
        self._fetch = fetch
        self._ask = ask
        self._closing = closing
        self._slice = SLICE if arguments.budget != 0 else 10**9
        self._surveyed: set[Edition] = set()

    # -- early
    # --------------------------------------------------------------------------------------------------------------------

    async def early(self, edition: Edition) -> list[Wanted]:
        """Sitemaps and REST, once a crawl. What they alone show waits in the archive, for the newest posts
        come first; edits are wanted at once."""
        if edition in self._surveyed or self._arguments.pages is not None:
            return []
        self._surveyed.add(edition)
        pages = [*await self._sitemaps(edition), *await self._rest(edition)]
        return [
            wanted
            for found in pages
            for wanted in wanted_of(found, self._arguments.look)
            if wanted.reason == "modified"
        ]

    async def _sitemaps(self, edition: Edition) -> list[Outcome]:
        """Once a day, all posts the site still has by its own word."""
        index = self._site.edition_home(edition) + "wp-sitemap.xml"
        if self._closing.is_set() or not plan.is_due(await self._ask(Questions.last_asked, index), now()):
            return []
        found = await self._fetch(index, "sitemap", edition)
        pages = []
        for url in found.page_urls if found else ():
            if self._closing.is_set():
                break
            page = await self._fetch(url, "sitemap", edition)
            if page and page.listing:
                pages.append(page)
        return pages

    async def _rest(self, edition: Edition) -> list[Outcome]:
        """All posts by id, a hundred a page; a week after, where the site's count is not ours."""
        if not await self._channels.rest_is_open(edition, "walk"):
            return []
        return await self._walk(
            edition, "rest", "walk", lambda page: rest.walk_url(self._site, edition, page)
        )

    # -- late
    # ---------------------------------------------------------------------------------------------------------------------

    async def late(self, edition: Edition) -> AsyncIterator[Wanted]:
        """Date archives, a category, and feeds where nothing else reaches back."""
        if self._arguments.pages is not None:
            return
        for pages in (self._dates(edition), self._category(edition), self._feed(edition)):
            async for found in pages:
                for wanted in wanted_of(found, self._arguments.look):
                    yield wanted

    async def _dates(self, edition: Edition) -> AsyncIterator[Outcome]:
        """The archives of days that are over, of which posts are known, and that were not walked whole."""
        state = (await self._channels.states(edition)).get(("date", "date"))
        if not plan.channel_is_due(state, plan.EVERY_RUN, now()):
            return
        left, unanswered = self._slice, 0
        days: dict[str, int] = await self._ask(
            Questions.uncovered_days, edition, (current_time() - timedelta(days=2)).date().isoformat()
        )
        for scope in plan.day_scopes(days):
            page, found = 1, None
            while not self._closing.is_set() and (page == 1 or found is not None):
                if page == 1 and left <= 0:
                    return  # a day that was begun is walked to its end
                found = await self._page(edition, scope, page)
                left -= 1
                if found is None:
                    break
                yield found
                if found.listing is None or found.listing.has_next is False:
                    break
                page += 1
            unanswered += page == 1 and found is None
            if unanswered > 1:
                return  # switched off

    async def _category(self, edition: Edition) -> AsyncIterator[Outcome]:
        """One category a run: each once a day as long as it shows unknown posts, and once all of it."""
        states = [
            state
            for (channel, _), state in (await self._channels.states(edition)).items()
            if channel == "category"
        ]
        state = plan.next_category(states, now())
        if state is None or self._closing.is_set():
            return
        first = await self._page(edition, state.scope, 1)
        if first is None:
            return
        yield first
        page = 1
        while first is not None and plan.shows_unknown(first) and not self._closing.is_set():
            page += 1
            first = await self._page(edition, state.scope, page)
            if first is not None:
                yield first
        for found in await self._walk(
            edition, "category", state.scope, lambda n: self._site.listing_url(edition, state.scope, n), page
        ):
            yield found

    async def _feed(self, edition: Edition) -> AsyncIterator[Outcome]:
        """All of the feed, where neither sitemap nor REST nor date archives answer: ten posts a request."""
        states = await self._channels.states(edition)
        form = next(
            (
                form
                for form in feeds.FORMS
                if (state := states.get(("feed", form))) and state.is_open and state.asked_at
            ),
            None,
        )
        others = [
            states.get(name) for name in (("rest", "walk"), ("date", "date"), ("sitemap", "wp-sitemap.xml"))
        ]
        if form is None or any(other is not None and other.is_open and other.asked_at for other in others):
            return
        for found in await self._walk(
            edition, "feed", form, lambda page: self._site.feed_url(edition, form, page)
        ):
            yield found

    # -- what these share
    # ---------------------------------------------------------------------------------------------------------

    async def _walk(
        self, edition: Edition, channel: str, scope: str, address: Callable[[int], str], asked: int = 0
    ) -> list[Outcome]:
        """A slice of a walk: from one page before where it stands, to its end or this run's share; up to
        ``asked`` was just asked."""
        pages: list[Outcome] = []
        state = (await self._channels.states(edition)).get((channel, scope))
        if not plan.walk_is_due(state, now()):
            return pages
        page = max(asked + 1, (state.next_page or 1) - 1) if state else 1
        for _ in range(self._slice):
            if self._closing.is_set():
                break
            found = await self._fetch(address(page), channel, edition)
            if found is not None and found.listing is not None and found.word in (REST, FEED, LISTING):
                pages.append(found)
            state = (await self._channels.states(edition)).get((channel, scope))
            if found is None or state is None or state.next_page is None or state.next_page <= page:
                break
            page = state.next_page
        return pages

    async def _page(self, edition: Edition, scope: str, page: int) -> Outcome | None:
        found = await self._fetch(self._site.listing_url(edition, scope, page), scope.split("/")[0], edition)
        return found if found is not None and found.listing is not None else None


class Sweep:
    """A range of ids asked for one by one, or a hundred at once where REST is open: what no channel shows is
    found by its number alone."""

    def __init__(
        self, arguments: Arguments, channels: Channels, fetch: Fetch, ask: Asker, closing: asyncio.Event
    ) -> None:
        self._arguments = arguments
        self._channels = channels
        self._site = Site(arguments.site)
        self._fetch = fetch
        self._ask = ask
        self._closing = closing

    async def wanted(self, first: int, last: int) -> AsyncIterator[Wanted]:
        """Ids of the range that are not held and were not found empty within a month."""
        for edition in self._arguments.editions:
            await self._channels.news(edition)  # whether REST is open
            after = first - 1
            while not self._closing.is_set() and (
                rows := await self._ask(Questions.unswept, edition, after, last, rest.AT_ONCE)
            ):
                after = rows[-1][0]
                found = None
                if await self._channels.rest_is_open(edition, "ids"):
                    ids = [post_id for post_id, _ in rows]
                    found = await self._fetch(rest.ids_url(self._site, edition, ids), "rest", edition)
                if found is not None and found.word == REST and found.listing is not None:
                    for wanted in wanted_of(found, self._arguments.look):
                        yield wanted
                else:
                    for _, held in rows:
                        yield Wanted(held, "sweep")
