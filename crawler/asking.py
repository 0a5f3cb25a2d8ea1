"""What the parts of a walk share: how they ask for a page and for what the archive holds, and what they give back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from archive.model import Edition
from archive.outcome import Held, Outcome


class Wanted(NamedTuple):
    """An article to ask for, why, and the page that led to it."""

    held: Held
    reason: str
    via: str | None = None


Fetch = Callable[[str, str, Edition], Awaitable[Outcome | None]]  # address, channel, edition -> what came, or None
Ask = Callable[..., Awaitable[Any]]  # a method of archive.writer.Answers and its arguments -> its answer
