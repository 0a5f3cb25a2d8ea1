"""What the parts of a walk share: how they ask for a page and for what the archive holds, and what they give
back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from archive.model import Edition
from archive.outcome import Held, Outcome
from crawler.arguments import Look
from crawler.walk import plan


class Wanted(NamedTuple):
    """An article to ask for, why, and the page that led to it."""

    held: Held
    reason: str
    via: str | None = None

    @property
    def condition(self) -> tuple[str, str] | None:
        """The header to ask with: only a look that is due by the calendar may be told that nothing
        changed."""
        return self.held.condition if self.reason == "due" else None


# Address, channel, edition -> what came, or None
Fetch = Callable[[str, str, Edition], Awaitable[Outcome | None]]


def reasons(found: Outcome, look: Look) -> list[str | None]:
    """Of each entry of a page why it is asked for now; None: it is not."""
    assert found.listing is not None  # of pages that show posts
    return [
        plan.reason_to_ask(held, look, sighting)
        for sighting, held in zip(found.listing.sightings, found.held, strict=True)
    ]


def wanted_of(found: Outcome, look: Look) -> list[Wanted]:
    """What of a page is wanted."""
    return [
        Wanted(held, reason, found.url)
        for held, reason in zip(found.held, reasons(found, look), strict=True)
        if reason
    ]
