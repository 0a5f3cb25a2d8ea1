"""What the parts of a walk are given, and what they give back. They know neither Scrapy nor the network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from archive.model import Edition
from archive.outcome import KnownPost, Outcome
from archive.sites.sohr.addresses import Site
from archive.writer.messages import Asker
from crawler.arguments import Arguments, Look
from crawler.walk import plan

AT_ONCE = 500  # rows of one answer of the archive
P = TypeVar("P")


class Wanted(NamedTuple):
    """An article to ask for, why, and the page that led to it."""

    post: KnownPost
    reason: str
    via: str | None = None

    @property
    def condition(self) -> tuple[str, str] | None:
        """The header to ask with. Only a look that is due by the calendar may be answered by a 304."""
        return self.post.condition if self.reason == "due" else None


class Fetch(Protocol):
    """Asks for a page of a channel. None: no answer, or the crawl stops."""

    def __call__(self, url: str, channel: str, edition: Edition, /) -> Awaitable[Outcome | None]:
        """What came."""


@dataclass(frozen=True)
class Run:
    """What every part of one crawl's walk is given."""

    arguments: Arguments
    fetch: Fetch
    ask: Asker
    closing: asyncio.Event  # set when the crawl stops
    answered: Callable[[], Awaitable[None]]  # waits for the articles asked for so far
    sitemaps: Collection[str] = ()  # addresses that robots.txt names; they come while the walk runs
    respell: Callable[[str], str] = str  # the address that is asked for a page, where the site moved
    pages_ahead: int = 0  # pages of a listing to ask for before the one before them is read

    @property
    def site(self) -> Site:
        """The site to walk through."""
        return Site(self.arguments.site)

    @property
    def is_stopping(self) -> bool:
        """Whether nothing more is to be asked for."""
        return self.closing.is_set()

    async def fetch_posts(self, url: str, channel: str, edition: Edition) -> Outcome | None:
        """Ask for a page; None unless it shows posts."""
        found = await self.fetch(url, channel, edition)
        return found if found is not None and found.listing is not None else None


async def read_rows(
    ask: Callable[[P, int], Awaitable[Sequence[tuple[P, KnownPost]]]], first: P
) -> AsyncIterator[KnownPost]:
    """All rows of a question, which ``ask`` puts with the place of the last row so far and a limit."""
    after = first
    while rows := await ask(after, AT_ONCE):
        for _, post in rows:
            yield post
        after = rows[-1][0]


def count_posts(found: Outcome) -> int:
    """How many posts a page of a listing shows, sticky ones aside."""
    return sum(not sighting.sticky for sighting in found.listing.sightings) if found.listing else 0


def reasons(found: Outcome, look: Look) -> list[str | None]:
    """Why each entry of a page is asked for now; None: it is not."""
    assert found.listing is not None  # of pages that show posts
    return [
        plan.reason_to_ask(post, look, sighting)
        for sighting, post in zip(found.listing.sightings, found.posts, strict=True)
    ]


def wanted_of(found: Outcome, look: Look, since: str | None = None, until: str | None = None) -> list[Wanted]:
    """The entries of a page to ask for now; those of other days are left out."""
    assert found.listing is not None  # of pages that show posts
    return [
        Wanted(post, reason, found.url)
        for sighting, post, reason in zip(
            found.listing.sightings, found.posts, reasons(found, look), strict=True
        )
        if reason and plan.in_days(sighting, since, until)
    ]
