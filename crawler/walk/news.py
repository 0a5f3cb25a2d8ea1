"""What a crawl asks of feeds and REST: what is new, what was edited, and the looks that are due.

Each is optional. The archive remembers what the site offers (`archive.ingest.channels`).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence

from archive.clock import now
from archive.model import Edition
from archive.outcome import FEED, NOT_MODIFIED, REST, ChannelState, KnownPost, Outcome
from archive.sites.wordpress import rest
from archive.sites.wordpress.channels import Channel, news_channels
from archive.writer.messages import Questions
from crawler.walk import plan
from crawler.walk.wanted import Run, Wanted, reasons, wanted_of

logger = logging.getLogger(__name__)


class Channels:
    """One crawl's way through feeds and REST."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._arguments = run.arguments
        self._site = run.site
        self._reported: set[tuple[Edition, str]] = set()

    async def news(self, edition: Edition) -> list[Wanted]:
        """What channels show as new or edited since they were last asked, or showed and never came."""
        shown = [*await self._read_news(edition), *await self._edited(edition)]
        if self._arguments.look == "none":
            return shown
        unasked: list[KnownPost] = await self._run.ask(Questions.unasked, edition)
        return [*shown, *(Wanted(post, "modified") for post in unasked)]

    async def states(self, edition: Edition) -> dict[tuple[str, str], ChannelState]:
        """What is known of an edition's channels, by channel and scope."""
        states: list[ChannelState] = await self._run.ask(Questions.channels, edition)
        return {(state.channel, state.scope): state for state in states}

    async def show_everything(self, edition: Edition) -> bool:
        """Whether REST or a sitemap answers: it shows all posts, whatever the listings do."""
        states = (await self.states(edition)).values()
        return any(
            state.is_open and state.asked_at is not None
            for state in states
            if state.channel == "sitemap" or (state.channel, state.scope) == ("rest", "walk")
        )

    # -- feeds

    async def _read_news(self, edition: Edition) -> list[Wanted]:
        """Of each channel with news the way to ask that tells most of those the site offers."""
        states = await self.states(edition)
        shown: dict[str, list[Wanted]] = {}
        for channel in news_channels():
            state = states.get((channel.name, channel.scope))
            is_due = plan.channel_is_due(state, plan.EVERY_RUN, now())
            if channel.name in shown or not is_due or self._run.is_stopping:
                continue
            found = await self._run.fetch(channel.page_url(self._site, edition, 1), channel.name, edition)
            if found is not None and found.word in (FEED, NOT_MODIFIED):
                shown[channel.name] = await self._read_on(edition, channel, found)
        for name in {channel.name for channel in news_channels()} - set(shown):
            self._report(edition, name, f"no {name} answers: tried again later")
        return [wanted for one in shown.values() for wanted in one]

    async def _read_on(self, edition: Edition, channel: Channel, first: Outcome) -> list[Wanted]:
        """What the pages of a channel show, as long as all of a page is news."""
        wanted, page, found = [], 1, first
        while found.listing is not None:
            wanted += wanted_of(found, self._arguments.look)
            if self._run.is_stopping or not plan.feed_goes_on(reasons(found, self._arguments.look)):
                break
            page += 1
            more = await self._run.fetch(channel.page_url(self._site, edition, page), channel.name, edition)
            if more is None:
                break
            found = more
        return wanted

    # -- REST

    async def _edited(self, edition: Edition) -> list[Wanted]:
        """What was edited since REST was last asked for it, an hour ago or more."""
        state = (await self.states(edition)).get(("rest", "edited"))
        if self._run.is_stopping or not plan.channel_is_due(state, plan.HOURLY, now()):
            return []
        since = plan.overlapped(state.newest_at) if state and state.newest_at else None
        wanted: list[Wanted] = []
        page = 1
        while not self._run.is_stopping:
            found = await self._run.fetch(rest.edited_url(self._site, edition, since, page), "rest", edition)
            if found is None or found.word != REST or found.listing is None:
                if page == 1:
                    self._report(
                        edition,
                        "rest",
                        f"REST does not answer ({found.detail if found else 'no answer'}): tried again later",
                    )
                break
            wanted += wanted_of(found, self._arguments.look)
            times = [s.modified_at for s in found.listing.sightings if s.modified_at]
            if found.listing.has_next is not True or since is None or not times or min(times) <= since:
                break
            page += 1
        return wanted

    async def rest_is_open(self, edition: Edition, scope: str) -> bool:
        """Whether REST answers, and has not closed itself to this question."""
        states = await self.states(edition)
        edited = states.get(("rest", "edited"))
        return (
            edited is not None
            and edited.is_open
            and plan.channel_is_due(states.get(("rest", scope)), plan.EVERY_RUN, now())
        )

    async def looks(self, edition: Edition, due: AsyncIterator[KnownPost]) -> AsyncIterator[Wanted]:
        """The looks that are due: 100 in one request where REST is open, each article's page where that does
        not do."""
        waiting: list[KnownPost] = []
        async for post in due:
            if not post.by_digest:
                yield Wanted(post, "due")
                continue
            waiting.append(post)
            if len(waiting) >= rest.AT_ONCE:
                for wanted in await self._looked(edition, waiting):
                    yield wanted
                waiting = []
        for wanted in await self._looked(edition, waiting):
            yield wanted

    async def _looked(self, edition: Edition, due: Sequence[KnownPost]) -> list[Wanted]:
        """The articles whose page must be asked for: all of them where REST is closed."""
        pages = [Wanted(post, "due") for post in due]
        if not due or not await self.rest_is_open(edition, "look"):
            return pages
        ids = [post.key.post_id for post in due if post.key and post.key.post_id]
        found = await self._run.fetch(rest.look_url(self._site, edition, ids), "rest", edition)
        if found is None or found.word != REST or found.listing is None:
            return pages
        seen = {post.key: post for post in found.posts}
        wanted = []
        for page in pages:
            post = seen.get(page.post.key)
            if post is None or not post.is_looked:
                wanted.append(
                    page._replace(reason="modified", via=found.url)
                    if post is not None and post.differs
                    else page
                )
        logger.info(
            "%s: REST did %d of %d looks in one request", edition, len(pages) - len(wanted), len(pages)
        )
        return wanted

    # -- what these share

    def _report(self, edition: Edition, channel: str, sentence: str) -> None:
        if (edition, channel) not in self._reported and not self._run.is_stopping:
            self._reported.add((edition, channel))
            logger.info("%s: %s", edition, sentence)
