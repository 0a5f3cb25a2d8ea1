"""What the archive says to programs: versions and changes as frozen values for Python, and as records for
JSON and tables. Times are UTC text; None is what the site did not state."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from archive.model import Edition, LineKind, Provider, Stated, StatedInFeed
from archive.read.database import cite
from archive.read.selection import EVERYTHING, SelectedVersion, Selection, pairs, versions
from archive.sites.sohr.hidden_words import HIDDEN
from archive.store.claim_sets import unpack
from archive.store.fields import FEED_FIELDS, PAGE_FIELDS, VERSION_FIELDS, Origin, VersionField
from archive.store.line_kinds import decode_kinds
from archive.store.row_types import ArticleRow
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
    """Where the evidence of a version's first capture lies: offset and length of its record in bytes. Who
    gave it to the archive: ``live`` is the site, ``import`` a file; of a public archive with the address
    asked."""

    warc_file: str
    offset: int
    length: int
    record_id: str
    source: Provider = "live"
    service_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version(Stated):
    """What an article said, from its first capture that said so to its last.

    `archive.store.fields` says what each field is. ``number`` is for display: it moves when older history is
    imported; ``citation`` does not.
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
    links: tuple[Link, ...] = field(default=(), repr=False)
    first_captured_at: str  # when the site said it
    last_captured_at: str
    recorded_at: str  # when the archive learnt it: later for imports
    captures: int
    layout: str
    extractor: str
    stale_copy: bool  # the answer that showed it first was an old copy from a cache
    same_as_version: int | None  # the first version with the same title and text
    is_retracted: bool  # the change that reported it was taken back
    cited_at: str = field(repr=False)  # first_captured_at, and more where a version has the same second
    evidence: Source = field(repr=False)
    line_kinds: str = field(repr=False)  # as the database holds them; read `lines`

    @property
    def citation(self) -> str:
        """What to write down when citing this version."""
        return cite(self.source, self.key, self.cited_at)

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
        for line, kind, depth, start, end in place_lines(text, kinds)
    )


def place_lines(text: str, kinds: str) -> Iterator[tuple[str, str, int, int, int]]:
    """The same as bare tuples: text, kind, depth, start, end."""
    at = 0
    listed = decode_kinds(kinds)
    for line, (name, depth) in zip(text.split("\n") if listed else (), listed, strict=True):
        yield line, name, depth, at, at + len(line)
        at += len(line) + 1


def make_version(article: ArticleRow, row: SelectedVersion) -> Version:
    """A version from rows as `archive.read.selection` reads them."""
    given = {of.name: of.unpack(value) for of, value in _stored(article, row)}
    given |= {of.name: tuple(given[of.name]) for of in PAGE_FIELDS if of.is_list}
    return Version(
        **given | {"links": tuple(Link(url, text) for url, text in given["links"])},
        is_latest=row["version_id"] == article["newest_version_id"],
        claims=tuple(unpack(row["claims"], row, article["post_id"])),
        evidence=_source(row),
        cited_at=row["cited_at"],
        line_kinds=row["lines"],
    )


def _stored(article: ArticleRow, row: SelectedVersion) -> Iterator[tuple[VersionField, Any]]:
    """The fields that are columns, with what the columns have."""
    columns: dict[Origin, Mapping[str, Any]] = {Origin.ARTICLE: article, Origin.PAGE: row, Origin.COLUMN: row}
    return ((of, columns[of.origin][of.name]) for of in VERSION_FIELDS if of.origin is not Origin.MADE)


def _source(row: SelectedVersion) -> Source:
    place = row["warc_file"], row["offset"], row["length"], row["record_id"]
    return Source(*place, row["capture_source"], row["service_url"])


_MAKE: dict[str, Callable[[ArticleRow, SelectedVersion], Any]] = {
    "is_latest": lambda article, row: row["version_id"] == article["newest_version_id"],
    "title_spans": lambda _, row: [
        span._asdict() for span in title_spans(row["title"], row["text"], row["plain_title"])
    ],
    "lines": lambda _, row: [
        {"text": line, "kind": kind, "depth": depth, "start": start, "end": end}
        for line, kind, depth, start, end in place_lines(row["text"], row["lines"])
    ],
    "claims": lambda article, row: [
        {"field": claim.field, "value": claim.value, "origin": claim.origin}
        for claim in unpack(row["claims"], row, article["post_id"])
    ],
    "citation": lambda article, row: cite(article["source"], article["key"], row["cited_at"]),
    "evidence": lambda _, row: asdict(_source(row)),
}


def make_record(article: ArticleRow, row: SelectedVersion) -> dict[str, Any]:
    """A version with all of `VERSION_FIELDS`, ready for JSON."""
    record = dict.fromkeys(of.name for of in VERSION_FIELDS)  # in their order
    record |= {of.name: of.record(value) for of, value in _stored(article, row)}
    return record | {name: make(article, row) for name, make in _MAKE.items()}


def read_records(conn: sqlite3.Connection, selection: Selection = EVERYTHING) -> Iterator[dict[str, Any]]:
    """Every selected version with all of its fields, by source, post id as a number, and first capture."""
    for article, row in versions(conn, selection):
        yield make_record(article, row)


def read_contents(conn: sqlite3.Connection, selection: Selection = EVERYTHING) -> Iterator[dict[str, Any]]:
    """What the site said, not when, where or how often it was asked: two archives of the same frozen site
    give the same records.

    Articles without text (protected, empty, unreadable) are one record without number, title and lines;
    articles that were never captured are left out. ``missing`` stands for ``disappeared`` too, and terms are
    sorted: how often we looked, and which capture came first, is not content.
    """
    for article, row in pairs(conn, selection):
        if article["state"] is None:
            continue
        record: dict[str, Any] = {
            "source": article["source"],
            "key": article["key"],
            "edition": article["edition"],
            "post_id": article["post_id"],
        }
        record["state"] = "missing" if article["state"] == "disappeared" else article["state"]
        record["moved_to"] = f"{article['to_source']}:{article['to_key']}" if article["to_source"] else None
        if row is None:
            yield record | {"number": None, "title": None, "lines": None}
            continue
        record |= {"number": row["number"], "title": row["title"]}
        record["lines"] = [
            {"text": line, "kind": kind} | ({"depth": depth} if depth else {})
            for line, kind, depth, _, _ in place_lines(row["text"], row["lines"])
        ]
        record["text_sha256"] = row["text_sha256"]
        record |= {
            of.name: of.unpack(value) for of, value in _stored(article, row) if of.origin is Origin.PAGE
        }
        yield record | {name: sorted(record[name]) for name in ("categories", "tags")}


@dataclass(frozen=True, slots=True)
class ChangedFigure:
    """A number of a changed sentence, before and after, as written. None: there is no such number, or no such
    sentence."""

    before: str | None
    after: str | None
    sentence_before: str | None
    sentence_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(StatedInFeed):
    """One line of the feed: the fields are those of docs/feed.md, as they were at the time of the change."""

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
    stale_copy: bool  # the answer was an old copy from a cache
    same_as_version: int | None  # the first version with the same title and text
    details: dict[str, Any] = field(repr=False)
    said_at: str  # when the site said it
    unchanged_until: str | None  # the last capture before it that showed what stood before
    learnt_at: str  # when the archive learnt it
    number: int | None
    citation: str | None
    previous: str | None
    title: str | None
    text: str | None = field(repr=False)
    text_sha256: str | None = field(repr=False)


def make_change(record: dict[str, Any]) -> Change:
    """A change from a record of `archive.read.feed`."""
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in record.items()
    }
    given["figures"] = tuple(ChangedFigure(**figure) for figure in given["figures"])
    return Change(**given | {of.name: given[of.name] or () for of in FEED_FIELDS if of.is_list})
