"""Walks through everything that a channel has, in slices, to find what no listing shows.

Sitemaps and REST come early, for they are cheap; date archives, categories and feeds come last. The archive
remembers how far each walk came, and it goes on one page before that.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial

from archive.clock import last_past_day, now
from archive.model import Edition, Kind
from archive.outcome import FEED, LISTING, REST, KnownPost, Outcome
from archive.sites.wordpress import rest
from archive.sites.wordpress.channels import news_channels
from archive.sites.wordpress.sitemaps import INDEX, INDEXES, MAX_DEPTH
from archive.writer.messages import Questions
from crawler.walk import plan
from crawler.walk.news import Channels
from crawler.walk.wanted import Run, Wanted, wanted_of

SLICE = 20  # requests a run and channel: in half-hourly runs 960 a day


class Survey:
    """One crawl's part of the walks through everything."""

    def __init__(self, run: Run, channels: Channels) -> None:
        self._run = run
        self._arguments = run.arguments
        self._channels = channels
        self._site = run.site
        self._slice = SLICE if run.arguments.budget != 0 else 10**9
        self._sitemaps_read: set[str] = set()
        self._surveyed: set[Edition] = set()

    # -- early

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
        for index in await self._sitemap_indexes(edition):
            if pages := [page async for page in self._sitemap(edition, index, 1)]:
                return pages
        return []

    async def _sitemap(self, edition: Edition, url: str, depth: int) -> AsyncIterator[Outcome]:
        """A sitemap that shows posts, or those that an index names, each once a crawl."""
        if url in self._sitemaps_read or self._run.is_stopping:
            return
        self._sitemaps_read.add(url)
        found = await self._run.fetch(url, "sitemap", edition)
        if found and found.listing:
            yield found
        for further in found.page_urls if found and depth < MAX_DEPTH else ():
            async for page in self._sitemap(edition, further, depth + 1):
                yield page

    async def _sitemap_indexes(self, edition: Edition) -> list[str]:
        """Sitemaps to begin with, those that robots.txt names first; empty when they were read today.

        One that was not there is asked again after a week.
        """
        home = self._site.edition_home(edition)
        stated = [self._site.parse(url, self._site.home) for url in self._run.sitemaps]
        names = [at.url for at in stated if at and at.kind is Kind.SITEMAP and at.edition == edition]
        indexes = []
        for url in dict.fromkeys([*names, *(home + name for name in INDEXES)]):
            last = await self._run.ask(Questions.last_asked, self._run.respell(url))
            if plan.is_due(last, now()):
                indexes.append(url)
            elif last and last[1] in (200, 304):
                return []
        return indexes

    async def _rest(self, edition: Edition) -> list[Outcome]:
        """All posts by id, a hundred a page; a week after, where the site's count is not ours."""
        if not await self._channels.rest_is_open(edition, "walk"):
            return []
        return await self._walk(
            edition, "rest", "walk", lambda page: rest.walk_url(self._site, edition, page)
        )

    # -- late

    async def late(self, edition: Edition) -> AsyncIterator[Wanted]:
        """Date archives, a category, and feeds where nothing else reaches back."""
        if self._arguments.pages is not None:
            return
        for pages in (self._dates(edition), self._category(edition), self._feed(edition)):
            async for found in pages:
                for wanted in wanted_of(found, self._arguments.look):
                    yield wanted

    async def _dates(self, edition: Edition) -> AsyncIterator[Outcome]:
        """The archives of past days with known posts that were not walked whole."""
        state = (await self._channels.states(edition)).get(("date", "date"))
        if not plan.channel_is_due(state, plan.EVERY_RUN, now()):
            return
        left, unanswered = self._slice, 0
        days = await self._run.ask(Questions.uncovered_days, edition, last_past_day(now()))
        for scope in plan.day_scopes(days):
            if left <= 0 or unanswered > 1:  # this run's share is used up, or date archives are switched off
                return
            page = 1
            while found := await self._page(edition, scope, page):
                yield found
                page += 1
                if found.listing is None or found.listing.has_next is False:
                    break
            left -= page
            unanswered += page == 1

    async def _category(self, edition: Edition) -> AsyncIterator[Outcome]:
        """One category a run: each once a day as long as it shows unknown posts, and once all of it."""
        states = [
            state
            for (channel, _), state in (await self._channels.states(edition)).items()
            if channel == "category"
        ]
        state = plan.next_category(states, now())
        if state is None or self._run.is_stopping:
            return
        first = await self._page(edition, state.scope, 1)
        if first is None:
            return
        yield first
        page = 1
        while first is not None and plan.shows_unknown(first) and not self._run.is_stopping:
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

        def is_answering(channel: str, scope: str) -> bool:
            state = states.get((channel, scope))
            return state is not None and state.is_open and state.asked_at is not None

        if any(is_answering(*name) for name in (("rest", "walk"), ("date", "date"), ("sitemap", INDEX))):
            return
        for channel in news_channels():
            if is_answering(channel.name, channel.scope):
                address = partial(channel.page_url, self._site, edition)
                for found in await self._walk(edition, channel.name, channel.scope, address):
                    yield found
                return

    # -- what these share

    async def _walk(
        self, edition: Edition, channel: str, scope: str, address: Callable[[int], str], asked: int = 0
    ) -> list[Outcome]:
        """A slice of a walk: from the page before its place, to its end or this run's share. Pages up to
        ``asked`` were just asked."""
        pages: list[Outcome] = []
        state = (await self._channels.states(edition)).get((channel, scope))
        if not plan.walk_is_due(state, now()):
            return pages
        page = max(asked + 1, (state.next_page or 1) - 1) if state else 1
        for _ in range(self._slice):
            if self._run.is_stopping:
                break
            found = await self._run.fetch(address(page), channel, edition)
            if found is not None and found.listing is not None and found.word in (REST, FEED, LISTING):
                pages.append(found)
            state = (await self._channels.states(edition)).get((channel, scope))
            if found is None or state is None or state.next_page is None or state.next_page <= page:
                break
            page = state.next_page
        return pages

    async def _page(self, edition: Edition, scope: str, page: int) -> Outcome | None:
        if self._run.is_stopping:
            return None
        url = self._site.listing_url(edition, scope, page)
        return await self._run.fetch_posts(url, scope.split("/")[0], edition)


class Sweep:
    """A range of ids, asked for one by one or a hundred at once by REST: it finds what no channel shows."""

    def __init__(self, run: Run, channels: Channels) -> None:
        self._run = run
        self._channels = channels

    async def wanted(self, first: int, last: int) -> AsyncIterator[Wanted]:
        """Ids of the range that are not archived and were not found empty within a month."""
        for edition in self._run.arguments.editions:
            await self._channels.news(edition)  # whether REST is open
            after = first - 1
            while not self._run.is_stopping:
                rows = await self._run.ask(Questions.unswept, edition, after, last, rest.AT_ONCE)
                if not rows:
                    break
                after = rows[-1][0]
                for wanted in await self._ask_rest(edition, rows):
                    yield wanted

    async def _ask_rest(self, edition: Edition, rows: list[tuple[int, KnownPost]]) -> list[Wanted]:
        """Those of the ids that REST shows; all of them, to be asked for one by one, where it is closed."""
        if await self._channels.rest_is_open(edition, "ids"):
            url = rest.ids_url(self._run.site, edition, [post_id for post_id, _ in rows])
            found = await self._run.fetch_posts(url, "rest", edition)
            if found is not None and found.word == REST:
                return wanted_of(found, self._run.arguments.look)
        return [Wanted(post, "sweep") for _, post in rows]
