"""The order of a crawl: the newest posts, gaps that earlier crawls left, articles that were sighted and never
captured, looks that are due, and last what no listing shows."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing
from typing import Any

from archive.clock import now
from archive.model import Edition
from archive.outcome import UNREADABLE, Gap, KnownPost, Outcome
from archive.writer.messages import Questions
from crawler.walk import plan
from crawler.walk.news import Channels
from crawler.walk.survey import Survey, Sweep
from crawler.walk.wanted import Run, Wanted, count_posts, read_rows, wanted_of

logger = logging.getLogger(__name__)
MOST_BACK = 64  # pages a gap is looked for before its place, when posts were taken away; in doubling steps


class Walk:
    """One crawl's way through the site."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._arguments = run.arguments
        self._channels = Channels(run)
        self._survey = Survey(run, self._channels)
        self._listings: dict[Edition, int] = dict.fromkeys(run.arguments.editions, 0)
        self._per_page = 1
        self._answering: dict[Edition, None] = {}  # a site that refuses its listings is not asked for more

    def wanted(self) -> AsyncIterator[Wanted]:
        """Everything to ask for in this crawl, in order. An article may come twice."""
        if self._arguments.urls is not None:
            return self._cited(self._arguments.urls)
        if self._arguments.sweep is not None:
            return Sweep(self._run, self._channels).wanted(*self._arguments.sweep)
        return self._dated() if self._arguments.since or self._arguments.until else self._default()

    async def _default(self) -> AsyncIterator[Wanted]:
        for edition in self._arguments.editions:
            async for wanted in self._newest(edition):
                yield wanted
        for edition in self._arguments.editions:
            async for wanted in self._left_over(edition):
                yield wanted
        async for post in read_rows(lambda *place: self._run.ask(Questions.unresolved, *place), 0):
            yield Wanted(post, "pending")
        for edition in self._arguments.editions:
            async for wanted in self._channels.looks(edition, self._due(edition)):
                yield wanted
        for edition in self._answering:
            async for wanted in self._survey.late(edition):
                yield wanted

    async def _left_over(self, edition: Edition) -> AsyncIterator[Wanted]:
        """What earlier crawls left: gaps, walks through everything, articles that were never captured."""
        async for wanted in self._close_gaps(edition):
            yield wanted
        if edition in self._answering:
            for wanted in await self._survey.early(edition):
                yield wanted
        async for wanted in self._pending(edition):
            yield wanted

    async def _pending(self, edition: Edition) -> AsyncIterator[Wanted]:
        async for post in read_rows(lambda *place: self._run.ask(Questions.uncaptured, edition, *place), 0):
            yield Wanted(post, "pending")

    async def _due(self, edition: Edition) -> AsyncIterator[KnownPost]:
        if self._arguments.look != "none":
            await self._run.answered()  # an edit brings looks at the posts beside it
            before = now() if self._arguments.look == "due" else None
            start = ("", 0)
            async for post in read_rows(
                lambda *place: self._run.ask(Questions.due, edition, before, *place), start
            ):
                yield post

    async def _cited(self, urls: tuple[str, ...]) -> AsyncIterator[Wanted]:
        known = await self._run.ask(Questions.lookup, urls)
        for url, post in zip(urls, known, strict=True):
            if post is None:
                logger.warning("%s is not the address of an article of this site: passed over", url)
            elif post.state is None or self._arguments.look == "all":
                yield Wanted(post, "cited")

    # -- the newest posts

    async def _newest(self, edition: Edition) -> AsyncIterator[Wanted]:
        """The newest posts, until a page of the home listing holds nothing new.

        Where home is no list of the newest posts, but a magazine's front page or one without pages, the date
        archives are walked instead.
        """
        sizes: list[int] = []
        is_passed = False
        async with aclosing(self._home(edition)) as pages:
            async for found in pages:
                for wanted in await self._beside(edition, found, len(sizes)):
                    yield wanted
                sizes.append(count_posts(found))
                if not plan.newest_goes_on(found):
                    is_passed = all(post.in_stretch for post in found.posts)
                    break
                for wanted in await self._survey.early(edition):  # a long walk: what is cheap comes before it
                    yield wanted
        if not is_passed:
            async for wanted in self._not_by_home(edition, sizes):
                yield wanted

    async def _not_by_home(self, edition: Edition, sizes: list[int]) -> AsyncIterator[Wanted]:
        """What other channels show where home is no list of the newest posts; ``sizes`` of its pages."""
        if edition not in self._answering or self._run.is_stopping:
            return
        if not sizes:  # home came and shows no posts
            for wanted in [*await self._news(edition), *await self._survey.early(edition)]:
                yield wanted
        if plan.is_front_page(sizes, others_show_all=await self._channels.show_everything(edition)):
            async for wanted in self._dates(edition, None, None):
                yield wanted

    async def _beside(self, edition: Edition, found: Outcome, pages_before: int) -> list[Wanted]:
        """What a page of home shows; with the first page also what the channels show."""
        return [*self._of(found), *(await self._news(edition) if pages_before == 0 else ())]

    async def _news(self, edition: Edition) -> list[Wanted]:
        return await self._channels.news(edition) if self._arguments.pages is None else []

    async def _home(self, edition: Edition) -> AsyncGenerator[Outcome, None]:
        """The pages of home. Where all of a page is new, the next ones are asked for before it is read."""
        ahead: deque[asyncio.Task[Outcome | None]] = deque()
        page = 1
        try:
            while found := await (ahead.popleft() if ahead else self._page(edition, "home", page)):
                yield found
                page += 1
                assert found.listing is not None  # of pages that show posts
                if found.listing.has_next and all(post.is_new for post in found.posts):
                    while len(ahead) < self._run.pages_ahead:
                        ahead.append(_start(self._page(edition, "home", page + len(ahead))))
        finally:
            for task in ahead:
                await task

    # -- gaps

    async def _close_gaps(self, edition: Edition) -> AsyncIterator[Wanted]:
        """Walk on where earlier crawls broke off, until no gap is left or a walk gains nothing."""
        tried: set[int] = set()
        while self._may_list(edition):
            gaps = [g for g in await self._run.ask(Questions.gaps, edition) if g.position not in tried]
            if not gaps:
                return
            tried.add(gaps[0].position)
            async for wanted in self._close_gap(edition, gaps[0]):
                yield wanted

    async def _close_gap(self, edition: Edition, gap: Gap) -> AsyncIterator[Wanted]:
        """Read the home listing from the gap's place on until known posts; else the date archives."""
        start = plan.page_of(gap, self._per_page)
        found = await self._page(edition, "home", start)
        if found is None and start > 1 and self._may_list(edition):
            async for wanted in self._dates(edition, None, gap.tail_day):
                yield wanted
        back = 1
        # Posts were taken away since, so that the gap's edge is on an earlier page now
        while found and start > 1 and back <= MOST_BACK and not any(h.in_stretch for h in found.posts):
            for wanted in self._of(found):
                yield wanted
            start, back = max(1, start - back), back * 2
            found = await self._page(edition, "home", start)
        page = start
        while found:
            for wanted in self._of(found):
                yield wanted
            is_passed = page > start + 2 and all(post.in_stretch for post in found.posts)
            if is_passed or _is_last(found):
                return
            page += 1
            found = await self._page(edition, "home", page)

    # -- days

    async def _dated(self) -> AsyncIterator[Wanted]:
        since, until = self._arguments.since, self._arguments.until
        for edition in self._arguments.editions:
            async for wanted in self._dates(edition, since, until):
                yield wanted
            # Days that an earlier crawl listed are not listed again
            async for wanted in self._pending(edition):
                if wanted.post.day is not None and plan.day_within(wanted.post.day, since, until):
                    yield wanted

    async def _dates(self, edition: Edition, since: str | None, until: str | None) -> AsyncIterator[Wanted]:
        """Walk the date archives; for a span of days the home listing, where no date archive answers."""
        is_answered = False
        async for found in self._date_pages(edition, since, until):
            is_answered = True
            for wanted in self._of(found, since, until):
                yield wanted
        if not is_answered and since is not None:
            logger.info("%s: no date archive answers for these days; the home listing is walked", edition)
            async for found in self._pages(edition, "home"):
                for wanted in self._of(found, since, until):
                    yield wanted
                if plan.is_before(found, since):
                    return

    async def _date_pages(
        self, edition: Edition, since: str | None, until: str | None
    ) -> AsyncIterator[Outcome]:
        """The pages of the date archives of a span, without days that were walked whole before."""
        covered = await self._run.ask(Questions.covered_days, edition, since or "0000", until or "9999")
        years: dict[str, bool] = {}
        for scope in plan.date_scopes(since, until, now()[:10], covered):
            year = "/".join(scope.split("/")[:2])
            if since is None and year not in years:  # an empty year costs one request, not twelve
                years[year] = await self._page(edition, year, 1) is not None
            if years.get(year, True):
                async for found in self._pages(edition, scope):
                    yield found
            if not self._may_list(edition):
                return

    # -- pages of listings

    def _of(self, found: Outcome, since: str | None = None, until: str | None = None) -> list[Wanted]:
        return wanted_of(found, self._arguments.look, since, until)

    def _may_list(self, edition: Edition) -> bool:
        limit = self._arguments.pages
        return not self._run.is_stopping and (limit is None or self._listings[edition] < limit)

    async def _pages(self, edition: Edition, scope: str) -> AsyncIterator[Outcome]:
        """The pages of a listing, to its end."""
        page = 1
        while found := await self._page(edition, scope, page):
            yield found
            if _is_last(found):
                return
            page += 1

    async def _page(self, edition: Edition, scope: str, page: int) -> Outcome | None:
        """A page of a listing; None where the limit is reached, or it shows no posts."""
        if not self._may_list(edition):
            return None
        self._listings[edition] += 1
        url = self._run.site.listing_url(edition, scope, page)
        found = await self._run.fetch(url, scope.split("/")[0], edition)
        if found is not None and (found.listing is not None or found.word in UNREADABLE):
            self._answering[edition] = None
        if found is None or found.listing is None:
            return None
        if scope == "home":
            self._per_page = max(self._per_page, count_posts(found))
        return found


def _is_last(found: Outcome) -> bool:
    return found.listing is not None and found.listing.has_next is False


def _start(page: Coroutine[Any, Any, Outcome | None]) -> asyncio.Task[Outcome | None]:
    """Ask for a page now. Its error is looked at, also when the crawl ends before the page is read."""
    task = asyncio.ensure_future(page)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task
