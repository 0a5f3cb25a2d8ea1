"""What a crawl asks of the site's channels besides its listings: feeds and REST, for what is new and what was
edited, and for looks.

Each is optional. What the site offers is remembered in the archive (`archive.ingest.channels`); one that is
closed is tried again after a week.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence

from archive.clock import now
from archive.model import Edition
from archive.outcome import FEED, NOT_MODIFIED, REST, ChannelState, Held, Outcome
from archive.sites.sohr.addresses import Site
from archive.sites.wordpress import feeds, rest
from archive.writer.messages import Asker, Questions
from crawler.arguments import Arguments
from crawler.walk import plan
from crawler.walk.wanted import Fetch, Wanted, reasons, wanted_of

logger = logging.getLogger(__name__)


class Channels:
    """One crawl's way through feeds and REST."""

    def __init__(self, arguments: Arguments, fetch: Fetch, ask: Asker, closing: asyncio.Event) -> None:
        self._arguments = arguments
        self._site = Site(arguments.site)
        self._fetch = fetch
        self._ask = ask
        self._closing = closing
        self._told: set[tuple[Edition, str]] = set()

    async def news(self, edition: Edition) -> list[Wanted]:
        """What feed and REST show as new or edited since they were last asked, and what they showed before
        and never came."""
        shown = [*await self._feed(edition), *await self._edited(edition)]
        if self._arguments.look == "none":
            return shown
        unasked: list[Held] = await self._ask(Questions.unasked, edition)
        return [*shown, *(Wanted(held, "modified") for held in unasked)]

    async def states(self, edition: Edition) -> dict[tuple[str, str], ChannelState]:
        """What is known of an edition's channels, by channel and scope."""
        states: list[ChannelState] = await self._ask(Questions.channels, edition)
        return {(state.channel, state.scope): state for state in states}

    # -- feeds
    # --------------------------------------------------------------------------------------------------------------------

    async def _feed(self, edition: Edition) -> list[Wanted]:
        """The feed that tells most of those the site offers: as long as whole pages of it are news."""
        states = await self.states(edition)
        for form in feeds.FORMS:
            if self._closing.is_set() or not plan.channel_is_due(
                states.get(("feed", form)), plan.EVERY_RUN, now()
            ):
                continue
            found = await self._fetch(self._site.feed_url(edition, form), "feed", edition)
            if found is not None and found.word in (FEED, NOT_MODIFIED):
                return await self._feed_on(edition, form, found)
        self._tell(edition, "feed", "no feed answers: tried again after a week")
        return []

    async def _feed_on(self, edition: Edition, form: feeds.Form, first: Outcome) -> list[Wanted]:
        wanted, found, page = [], first, 1
        while found.listing is not None:
            wanted += wanted_of(found, self._arguments.look)
            if not plan.feed_goes_on(reasons(found, self._arguments.look)):
                break
            page += 1
            more = (
                None
                if self._closing.is_set()
                else await self._fetch(self._site.feed_url(edition, form, page), "feed", edition)
            )
            if more is None:
                break
            found = more
        return wanted

    # -- REST
    # ---------------------------------------------------------------------------------------------------------------------

    async def _edited(self, edition: Edition) -> list[Wanted]:
        """What was edited since REST was last asked for it, an hour ago or more."""
        state = (await self.states(edition)).get(("rest", "edited"))
        if self._closing.is_set() or not plan.channel_is_due(state, plan.HOURLY, now()):
            return []
        since = plan.overlapped(state.newest_at) if state and state.newest_at else None
        wanted: list[Wanted] = []
        page = 1
        while not self._closing.is_set():
            found = await self._fetch(rest.edited_url(self._site, edition, since, page), "rest", edition)
            if found is None or found.word != REST or found.listing is None:
                if page == 1:
                    self._tell(
                        edition,
                        "rest",
                        f"REST does not answer ({found.detail if found else 'no answer'}): tried again after a week",
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

    async def looks(self, edition: Edition, due: AsyncIterator[Held]) -> AsyncIterator[Wanted]:
        """The looks that are due: 100 in one request where REST is open, each article's page where that does
        not do."""
        waiting: list[Held] = []
        async for held in due:
            if not held.by_digest:
                yield Wanted(held, "due")
                continue
            waiting.append(held)
            if len(waiting) >= rest.AT_ONCE:
                for wanted in await self._looked(edition, waiting):
                    yield wanted
                waiting = []
        for wanted in await self._looked(edition, waiting):
            yield wanted

    async def _looked(self, edition: Edition, due: Sequence[Held]) -> list[Wanted]:
        """The articles whose page must be asked for: all of them where REST is closed."""
        pages = [Wanted(held, "due") for held in due]
        if not due or not await self.rest_is_open(edition, "look"):
            return pages
        ids = [held.key.post_id for held in due if held.key and held.key.post_id]
        found = await self._fetch(rest.look_url(self._site, edition, ids), "rest", edition)
        if found is None or found.word != REST or found.listing is None:
            return pages
        seen = {held.key: held for held in found.held}
        wanted = []
        for page in pages:
            held = seen.get(page.held.key)
            if held is None or not held.is_looked:
                wanted.append(
                    page._replace(reason="modified", via=found.url)
                    if held is not None and held.differs
                    else page
                )
        logger.info(
            "%s: REST did %d of %d looks in one request", edition, len(pages) - len(wanted), len(pages)
        )
        return wanted

    # -- what these share
    # ---------------------------------------------------------------------------------------------------------

    def _tell(self, edition: Edition, channel: str, sentence: str) -> None:
        if (edition, channel) not in self._told and not self._closing.is_set():
            self._told.add((edition, channel))
            logger.info("%s: %s", edition, sentence)
