"""What the Python API gives: frozen, typed values made from rows. Times are UTC text; None is what the site
did not state."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from archive.model import Claim, Edition, LineKind
from archive.read.database import cite
from archive.sites.sohr.hidden_words import HIDDEN
from archive.store.claim_sets import unpack
from archive.store.line_kinds import decode_kinds
from archive.text.deobfuscate import Span, deobfuscate


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of a version. ``version.text[start:end] == text``, in characters (Unicode code points)."""

    text: str
    kind: LineKind
    depth: int  # of a list entry from 1, of a heading its level, else 0
    start: int
    end: int


class Link(NamedTuple):
    """A link inside the text: absolute address, anchor text."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where the evidence of a version's first capture lies: offset and length of its record in bytes."""

    warc_file: str
    offset: int
    length: int
    record_id: str


@dataclass(frozen=True, slots=True)
class Version:
    """What an article said, from its first capture that said so to its last.

    ``number`` is for display: it moves when older history is imported; ``citation`` does not.
    """

    source: str  # en, ar, or the host of another site
    key: str  # the post id, or the canonical address on another site
    edition: Edition | None
    post_id: int | None
    url: str
    state: str | None  # of the article, now
    day: str | None  # the site's own archive day
    number: int
    is_latest: bool
    title: str
    plain_title: str  # without marks put inside words
    text: str = field(repr=False)
    text_sha256: str = field(repr=False)
    published_at: str | None
    modified_at: str | None
    author: str | None
    language: str | None
    canonical_url: str | None = field(repr=False)
    categories: tuple[str, ...]
    tags: tuple[str, ...]
    links: tuple[Link, ...] = field(repr=False)
    images: tuple[str, ...] = field(repr=False)
    source_outlet: str | None = field(repr=False)
    source_url: str | None = field(repr=False)
    is_syndicated: bool
    notes: tuple[str, ...] = field(repr=False)
    claims: tuple[Claim, ...] = field(repr=False)  # what the page states about itself, and where
    first_captured_at: str  # when the site said it
    last_captured_at: str
    recorded_at: str  # when the archive learnt it: later for imports
    captures: int
    layout: str
    extractor: str
    evidence: Source = field(repr=False)
    line_kinds: str = field(repr=False)  # as the database holds them; read `lines`

    @property
    def citation(self) -> str:
        """What to write down when citing this version."""
        return cite(self.source, self.key, self.first_captured_at)

    @property
    def lines(self) -> tuple[TextLine, ...]:
        """The lines with kind, depth and place in the text."""
        return text_lines(self.text, self.line_kinds)

    @property
    def title_spans(self) -> tuple[Span, ...]:
        """The words of `plain_title` that were restored: ``plain_title[s.start:s.end]`` stands for
        ``title[s.original_start:s.original_end]``."""
        return title_spans(self.title, self.text, self.plain_title)


def title_spans(title: str, text: str, plain_title: str) -> tuple[Span, ...]:
    """The map from a plain title back to the published one; empty where both are equal, or where another
    release made the plain one."""
    if title == plain_title:
        return ()
    plain, spans = deobfuscate(title, HIDDEN, text)
    return spans if plain == plain_title else ()


def text_lines(text: str, kinds: str) -> tuple[TextLine, ...]:
    """Lines from a version's columns ``text`` and ``lines``."""
    return tuple(
        TextLine(line, LineKind(kind), depth, start, end)
        for line, kind, depth, start, end in placed(text, kinds)
    )


def placed(text: str, kinds: str) -> Iterator[tuple[str, str, int, int, int]]:
    """The same as bare tuples: text, kind, depth, start, end."""
    at = 0
    listed = decode_kinds(kinds)
    for line, (name, depth) in zip(text.split("\n") if listed else (), listed, strict=True):
        yield line, name, depth, at, at + len(line)
        at += len(line) + 1


def version_of(article: sqlite3.Row, row: sqlite3.Row) -> Version:
    """A version from rows as `archive.read.selection` reads them."""
    return Version(
        source=article["source"],
        key=article["key"],
        edition=article["edition"],
        post_id=article["post_id"],
        url=article["url"],
        state=article["state"],
        day=article["day"],
        number=row["number"],
        is_latest=row["version_id"] == article["newest_version_id"],
        title=row["title"],
        plain_title=row["plain_title"],
        text=row["text"],
        text_sha256=row["text_sha256"],
        published_at=row["published_at"],
        modified_at=row["modified_at"],
        author=row["author"],
        language=row["language"],
        canonical_url=row["canonical_url"],
        categories=tuple(json.loads(row["categories"])),
        tags=tuple(json.loads(row["tags"])),
        links=tuple(Link(url, text) for url, text in json.loads(row["links"])),
        images=tuple(json.loads(row["images"])),
        source_outlet=row["source_outlet"],
        source_url=row["source_url"],
        is_syndicated=bool(row["is_syndicated"]),
        notes=tuple(json.loads(row["notes"])),
        claims=tuple(unpack(row["claims"], row, article["post_id"])),
        first_captured_at=row["first_captured_at"],
        last_captured_at=row["last_captured_at"],
        recorded_at=row["recorded_at"],
        captures=row["captures"],
        layout=row["layout"],
        extractor=row["extractor"],
        evidence=Source(row["warc_file"], row["offset"], row["length"], row["record_id"]),
        line_kinds=row["lines"],
    )


@dataclass(frozen=True, slots=True)
class ChangedFigure:
    """A number of a changed sentence, before and after, as written. None: there is no such number, or no such
    sentence."""

    before: str | None
    after: str | None
    sentence_before: str | None
    sentence_after: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the feed: the fields are those of docs/feed.md, as they were when the change was told."""

    seq: int
    epoch: int
    kind: str
    retracts: int | None  # the change that a `retracted` one takes back
    source: str
    key: str
    edition: Edition | None
    post_id: int | None
    url: str
    state: str | None
    classes: tuple[str, ...]
    severity: int
    figures: tuple[ChangedFigure, ...] = field(repr=False)
    stealth: bool | None
    stale_copy: bool  # the answer was an old copy of a cache
    same_as_version: int | None  # the number of the first version with the same title and text
    details: dict[str, Any] = field(repr=False)
    said_at: str  # when the site said it
    learnt_at: str  # when the archive learnt it
    number: int | None
    citation: str | None
    previous: str | None
    title: str | None
    text: str | None = field(repr=False)
    text_sha256: str | None = field(repr=False)
    published_at: str | None
    modified_at: str | None
    author: str | None
    language: str | None
    categories: tuple[str, ...] | None
    tags: tuple[str, ...] | None


def change_of(record: dict[str, Any]) -> Change:
    """A change from a record of `archive.read.feed`."""
    given = dict(record)
    given["classes"] = tuple(given["classes"])
    given["figures"] = tuple(ChangedFigure(**figure) for figure in given["figures"])
    for name in ("categories", "tags"):
        given[name] = None if given[name] is None else tuple(given[name])
    return Change(**given)
