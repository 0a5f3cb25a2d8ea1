"""What crawl and archive process send each other: frames of a length (four bytes) and a pickled message.

`Questions` is what a crawl may ask. The crawl calls ``ask(Questions.due, ...)``, so that the type checker
sees arguments and answer; `archive.writer.answers.Answers` answers.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from archive.clock import MACHINE, Clock
from archive.model import Capture, Edition, Extract, Unextractable
from archive.outcome import ChannelState, Gap, KnownPost, Outcome, Served
from archive.reports.drift import Drift

P = ParamSpec("P")
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Open:
    """First message: open this archive for a crawl."""

    folder: str
    site: str
    owner: int  # process id of the crawl
    name: str
    kind: str
    arguments: dict[str, Any]
    software: dict[str, str]
    clock: Clock = MACHINE  # the crawl's, so that both processes read the same one
    read_seconds: float = 30  # what reading one heavy page may take


@dataclass(frozen=True, slots=True)
class Took:
    """An exchange to keep. ``read`` is what the page says, if the crawl had the time to read it."""

    capture: Capture
    look: str | None = None
    read: Extract | Unextractable | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """Something to keep that is no exchange: a time-out, a refusal, the end of the crawl."""

    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to the archive: the name of a method of `Questions` and its arguments."""

    name: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Judge:
    """Judge the outcomes of looks that wait. The answer is `Judged`."""

    crawl: str


@dataclass(frozen=True, slots=True)
class Judged:
    """Outcomes that were written now."""

    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The archive process gives up: why, and the exit status to end with."""

    sentence: str
    exit_status: int


@dataclass(frozen=True, slots=True)
class KnownPage:
    """A page of an index as it was. ``next_key`` is that of `archive.public_archives.rows.IndexPage`;
    ``is_absent``: the service has no such page."""

    asked_at: str
    next_key: str | None
    rows: int
    is_absent: bool
    digest: str  # of the answer


@dataclass(frozen=True, slots=True)
class WantedCapture:
    """A listed capture to ask for. ``place`` is that of its row, in order of time."""

    place: tuple[str, int]
    identity: str
    post: str
    edition: Edition
    url: str
    digest: str


@dataclass(frozen=True, slots=True)
class Span:
    """Editions, and days of capture, both included; None: no bound."""

    editions: tuple[Edition, ...]
    since: str | None = None
    until: str | None = None


class Questions(Protocol):
    """What a crawl may ask. Instants are UTC text; ``after`` is the place of the last row so far."""

    def home(self) -> str:
        """The home address that the archive knows its site by."""

    def served(self) -> Served | None:
        """Where the site is served now, if that is elsewhere."""

    def channels(self, edition: Edition) -> list[ChannelState]:
        """What is known of an edition's channels."""

    def condition(self, url: str) -> tuple[str, str] | None:
        """The header that asks for an address only if it differs from the newest archived answer; None if
        that answer had no validator."""

    def unasked(self, edition: Edition) -> list[KnownPost]:
        """Articles that a channel showed to be changed, and whose page did not come since."""

    def uncovered_days(self, edition: Edition, until: str) -> dict[str, int]:
        """Days up to one with known posts that were not walked whole, and how many posts."""

    def unswept(self, edition: Edition, after: int, last: int, limit: int) -> list[tuple[int, KnownPost]]:
        """Ids after one, up to another, that are not archived and were not found empty within a month."""

    def uncaptured(self, edition: Edition, after: int, limit: int) -> list[tuple[int, KnownPost]]:
        """Articles sighted and never captured, in the order they were sighted; without those that rest."""

    def unresolved(self, after: int, limit: int) -> list[tuple[int, KnownPost]]:
        """Addresses whose article is not known yet. Those that led nowhere are asked ever more rarely."""

    def due(
        self, edition: Edition, before: str | None, after: tuple[str, int], limit: int
    ) -> list[tuple[tuple[str, int], KnownPost]]:
        """Articles whose next look is due before an instant (None: all), in order of that look."""

    def gaps(self, edition: Edition) -> list[Gap]:
        """Where walks of the listing broke off, newest first."""

    def asked_since(self, at: str) -> int:
        """How many requests were made of the site since an instant, answered or not."""

    def rests_asked(self, limit: int) -> list[tuple[str, str, float]]:
        """When the site last asked to be left alone, its Retry-After, and how many seconds the clock of that
        crawl was ahead; newest first."""

    def drift(self, crawl: str, finish_reason: str) -> Drift:
        """Whether what a crawl brought is complete and makes sense beside earlier crawls."""

    def last_asked(self, url: str) -> tuple[str, int] | None:
        """When an address was last captured, and its status then."""

    def covered_days(self, edition: Edition, since: str, until: str) -> set[str]:
        """Days whose date archive was walked whole."""

    def lookup(self, urls: tuple[str, ...]) -> list[KnownPost | None]:
        """What the archive knows of addresses; None for those that are not articles of the site."""

    def lookup_pages(self, urls: tuple[str, ...]) -> list[KnownPost | None]:
        """What the archive knows of pages of other sites; None for invalid addresses and for pages of the
        archive's own site."""

    def asked_of_archives(self, at: str) -> int:
        """How many requests were made of public archives since an instant, answered or not."""

    def index_page(self, url: str) -> KnownPage | None:
        """What a page of the index of a public archive held when it was last asked; None: it never was."""

    def wanted_captures(
        self, service: str, days: Span, after: tuple[str, int], limit: int
    ) -> list[WantedCapture]:
        """Listed captures to ask a public archive for, oldest first."""

    def originals(self, url: str) -> list[Capture]:
        """The captures of an address from public archives that may have the body of a revisit, newest
        first."""


class Asker(Protocol):
    """Asks one of `Questions`: ``await ask(Questions.gaps, "en")``."""

    def __call__(
        self, question: Callable[Concatenate[Questions, P], A], /, *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[A]:
        """The answer."""


def frame(message: Any) -> bytes:
    """One message as it travels."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return struct.pack(">I", len(body)) + body
