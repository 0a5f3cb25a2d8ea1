"""The Python API, which only reads: ``from archive import Archive``. docs/api.md shows all of it.

Iterators read one thing after another, so a year of versions takes no more memory than one of them. Open one
`Archive` for each thread.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from archive.compare.classes import compare
from archive.errors import DamagedWarc
from archive.extract.reread import Evidence
from archive.figures.series import ANY, CitedFigure, Series, Wanted, list_series, points_of
from archive.folder import DATABASE
from archive.model import Capture, Edition, Text
from archive.read import feed
from archive.read.consumers import Consumers
from archive.read.database import BadSql, about, is_of_the_query, open_readonly, translate_sqlite_errors
from archive.read.diff import Diff
from archive.read.figures import read_figures
from archive.read.find import NO_FILTERS, RANKED, Filters, count_matches, find, suggest
from archive.read.named import find_address, find_named
from archive.read.records import Change, Version, make_change, make_record, make_version
from archive.read.references import (
    BadReference,
    Instant,
    NotArchived,
    Reference,
    parse_bound,
    parse_reference,
)
from archive.read.search import Term, parse_query, spans
from archive.read.selection import SelectedVersion, Selection, Which, check, read_articles, read_versions
from archive.read.selection import versions as selected
from archive.store.row_types import ArticleRow


@dataclass(frozen=True, slots=True)
class Hit:
    """A search's find: the newest version of an article, and where in title and text what was asked for
    stands."""

    version: Version
    terms: tuple[Term, ...] = field(repr=False)

    @property
    def title_matches(self) -> tuple[tuple[int, int], ...]:
        """Start and end of each match in the title as published."""
        return tuple(spans(self.version.title, self.terms))

    @property
    def matches(self) -> tuple[tuple[int, int], ...]:
        """Start and end of each match in the text."""
        return tuple(spans(self.version.text, self.terms))


@dataclass(frozen=True, slots=True)
class Article:
    """An article and, through the archive it is of, what it said."""

    archive: Archive = field(repr=False, compare=False)
    row: ArticleRow = field(repr=False, compare=False)
    source: str
    key: str
    edition: Edition | None
    post_id: int | None
    url: str
    # One of `archive.model.STATES`; None: sighted, not captured yet
    state: str | None
    day: str | None
    first_captured_at: str | None
    last_captured_at: str | None

    @property
    def versions(self) -> tuple[Version, ...]:
        """What it said, oldest first; versions that were retracted are left out."""
        return tuple(version for version in self._versions() if not version.is_retracted)

    def _versions(self) -> Iterator[Version]:
        which = "v.article_id = ? order by v.first_captured_at, v.number"
        for row in self._rows(which, self.row["article_id"]):
            yield make_version(self.row, row)

    def _rows(self, which: str, *values: object) -> Iterator[SelectedVersion]:
        with translate_sqlite_errors(self.archive.folder / DATABASE):
            yield from read_versions(self.archive._conn, which, *values)

    @property
    def latest(self) -> Version | None:
        """What it said last; None if no text was ever captured."""
        rows = self._rows("v.version_id = ?", self.row["newest_version_id"])
        return next((make_version(self.row, row) for row in rows), None)

    def record(self, number: int) -> dict[str, Any]:
        """A version by its number, as in an export: plain values, ready for JSON, a table or a data frame.
        Raises NotArchived."""
        return make_record(self.row, self._numbered(number))

    def version(self, number: int) -> Version:
        """A version by its number, from 1. Raises NotArchived."""
        return make_version(self.row, self._numbered(number))

    def _numbered(self, number: int) -> SelectedVersion:
        for row in self._rows("v.article_id = ? and v.number = ?", self.row["article_id"], number):
            return row
        held = self.row["versions"]
        raise NotArchived(
            f"{self.source}:{self.key} has no version {number}: "
            + (f"it has 1 to {held}" if held else "no text of it was captured")
        )

    def at(self, at: Instant) -> Version:
        """What it said at an instant. Raises NotArchived if the archive cannot know: before, after and
        between the captures of a version."""
        found = list(self._versions())
        if exact := next((version for version in found if version.cited_at == at), None):
            return exact
        if isinstance(at, str) and "~" in at:
            raise NotArchived(f"{self.source}:{self.key} has no version that is cited as of {at}")
        moment, before = parse_bound(at), None
        if exact := next((version for version in found if version.first_captured_at == moment), None):
            return exact  # also a retracted version, whose span may lie within that of another
        for version in found:
            if version.first_captured_at <= moment <= version.last_captured_at:
                return version
            if moment < version.first_captured_at:
                known = f"version {before.number} was last seen {before.last_captured_at}, " if before else ""
                raise NotArchived(
                    f"what {self.source}:{self.key} said {moment} is not known: "
                    f"{known}version {version.number} was first seen {version.first_captured_at}"
                )
            before = version
        last = "no text of it was captured"
        if before:
            last = f"it was last seen {before.last_captured_at}, as version {before.number}"
        raise NotArchived(f"what {self.source}:{self.key} said {moment} is not known: {last}")

    @property
    def aliases(self) -> tuple[str, ...]:
        """Every address that led to it."""
        sql = "select url from aliases where article_id = ? order by first_seen_at, url"
        return tuple(row["url"] for row in self.archive.rows(sql, self.row["article_id"]))

    @property
    def changes(self) -> tuple[Change, ...]:
        """Its changes, in order."""
        sql = "select seq from changes where article_id = ? order by seq"
        seqs = self.archive.rows(sql, self.row["article_id"])
        return tuple(change for row in seqs for change in self.archive.changes(after=row["seq"] - 1, limit=1))

    def diff(self, before: int, after: int) -> Diff:
        """Compare two versions, by number. Raises NotArchived."""
        one, other = self.version(before), self.version(after)
        return Diff(one, other, compare(Text(one.title, one.text), Text(other.title, other.text)))


class Archive:
    """An archive, open for reading, also during a crawl. Use it as a context manager, or call `close`."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self._conn = connection

    @classmethod
    def open(cls, folder: str | Path = "data") -> Self:
        """Open the archive in a folder. Raises NoArchive, NewerArchive, DamagedDatabase."""
        path = Path(folder)
        return cls(path, open_readonly(path))

    def close(self) -> None:
        """Close the database."""
        self._conn.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Archive({str(self.folder)!r})"

    def rows(self, sql: str, *values: object) -> Iterator[sqlite3.Row]:
        """The rows of your own query, one after another (docs/dictionary.md). Raises BadSql, and what `open`
        raises."""
        with translate_sqlite_errors(self.folder / DATABASE):
            try:
                yield from self._conn.execute(sql, values)
            except sqlite3.Error as error:
                if is_of_the_query(error):
                    raise BadSql(f"the SQL cannot be run: {error}") from error
                raise

    @property
    def site(self) -> str | None:
        """Address of the site the archive is of."""
        return about(self._conn, "home")

    @property
    def epoch(self) -> int:
        """The epoch of the feed: with a new one, read the feed again from 0."""
        return feed.epoch(self._conn)

    @property
    def newest_seq(self) -> int:
        """The number of the newest change; 0 if there is none."""
        return feed.newest_seq(self._conn)

    @property
    def consumers(self) -> Consumers:
        """The named consumers of the feed."""
        return Consumers(self.folder, self._conn)

    def versions(
        self,
        edition: Edition | None = None,
        *,
        since: Instant | None = None,
        until: Instant | None = None,
        category: str | None = None,
        state: str | None = None,
        which: Which = "all",
        changed: bool = False,
        retracted: bool = False,
    ) -> Iterator[Version]:
        """Versions by edition, post id and first capture.

        ``since`` and ``until`` (inclusive) are of publication, as the site states it; else its archive day,
        else the first capture. ``changed``: only articles with more than one version. ``retracted``: also
        versions whose change was taken back. Raises BadReference for what cannot select anything.
        """
        selection = Selection(edition, *_span(since, until), category, state, which, changed, retracted)
        if edition not in (None, "en", "ar"):
            raise BadReference(f"{edition!r} is not an edition: give en or ar")
        check(self._conn, selection)
        return self._versions(selection)

    def _versions(self, selection: Selection) -> Iterator[Version]:
        with translate_sqlite_errors(self.folder / DATABASE):
            for article, version in selected(self._conn, selection):
                yield make_version(article, version)

    def articles(self, edition: Edition | None = None, *, state: str | None = None) -> Iterator[Article]:
        """Articles by edition and post id, also those without text and those not captured yet."""
        where = """where (? is null or edition = ?) and (? is null or state = ?)
            order by source, cast(key as integer), key"""
        yield from self._articles(where, edition, edition, state, state)

    def _articles(self, which: str, *values: object) -> Iterator[Article]:
        with translate_sqlite_errors(self.folder / DATABASE):
            for row in read_articles(self._conn, which, *values):
                columns: Mapping[str, Any] = row
                yield Article(self, row, **{of.name: columns[of.name] for of in fields(Article)[2:]})

    def article(self, edition: str, post_id: int | str) -> Article:
        """One article; of another site by host and canonical address. Raises NotArchived, BadReference."""
        return self.find(Reference(edition, str(post_id)))

    def find(self, reference: str | Reference) -> Article:
        """The article a reference names: ``en:332481``, a citation, or an address that leads to it. Raises
        NotArchived, BadReference."""
        named = parse_reference(reference) if isinstance(reference, str) else reference
        if named.url is not None:
            with translate_sqlite_errors(self.folder / DATABASE):
                article_id = find_address(self._conn, named.url)
            articles = self._articles("where article_id = ?", article_id)
        else:
            articles = self._articles("where source = ? and key = ?", named.source, named.key)
        for article in articles:
            return article
        if named.url is None:  # says what is wrong with it, where that is it
            named = parse_reference(f"{named.source}:{named.key}")
        raise NotArchived(f"the archive has no article {named.url or f'{named.source}:{named.key}'}")

    def resolve(self, citation: str) -> Version:
        """The version a citation names: any instant within a version's span resolves to it. Raises
        NotArchived, BadReference."""
        named = parse_reference(citation)
        article = self.find(named)
        if named.at is None:
            raise BadReference(
                f"{citation!r} names no instant: "
                f"a citation looks like sohr:{article.source}:{article.key}@2025-03-01T10:00:00Z"
            )
        return article.at(named.at)

    def search(
        self,
        query: str,
        *,
        edition: Edition | None = None,
        filters: Filters = NO_FILTERS,
        exact: bool = False,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[Hit]:
        """Newest versions that match a query (`archive.read.search.parse_query`), the most relevant first.

        Case, accents, Arabic vowel signs, forms of alef and marks inside words do not matter. Words find
        words of the same stem unless ``exact``. A citation or address finds its article. Raises BadQuery.
        """
        if (named := self._named(query)) is not None:
            yield Hit(named, ())
            return
        parsed = parse_query(query, exact=exact)
        chosen = replace(filters, edition=edition) if edition else filters
        with translate_sqlite_errors(self.folder / DATABASE):
            size = RANKED if limit is None else limit
            ids = find(self._conn, parsed, chosen, newest_first=newest_first, size=size).ids
        for article_id in ids:
            for article in self._articles("where article_id = ?", article_id):
                if (latest := article.latest) is not None:
                    yield Hit(latest, tuple(parsed.terms))

    def count(
        self,
        query: str,
        *,
        edition: Edition | None = None,
        filters: Filters = NO_FILTERS,
        exact: bool = False,
    ) -> int | None:
        """How many articles `search` finds; None above 50,000."""
        if self._named(query) is not None:
            return 1
        chosen = replace(filters, edition=edition) if edition else filters
        with translate_sqlite_errors(self.folder / DATABASE):
            return count_matches(self._conn, parse_query(query, exact=exact), chosen)

    def suggest(self, query: str, filters: Filters = NO_FILTERS) -> list[tuple[str, Filters, int]]:
        """For a search without a match: similar queries with their filters and the number of articles."""
        with translate_sqlite_errors(self.folder / DATABASE):
            return suggest(self._conn, parse_query(query), filters)

    def _named(self, query: str) -> Version | None:
        """The newest version of the article that a citation, ``en:332481`` or an address names."""
        with translate_sqlite_errors(self.folder / DATABASE):
            article_id, _ = find_named(self._conn, query) or (None, None)
        return next((found.latest for found in self._articles("where article_id = ?", article_id)), None)

    def figures(
        self,
        edition: Edition | None = None,
        *,
        since: Instant | None = None,
        until: Instant | None = None,
        which: Which = "latest",
    ) -> Iterator[CitedFigure]:
        """The figures of versions, by edition, post id, first capture and place; ``since`` and ``until`` as
        in `versions`."""
        selection = Selection(edition, *_span(since, until), None, None, which)
        with translate_sqlite_errors(self.folder / DATABASE):
            for found in read_figures(self._conn, selection):
                yield CitedFigure(**found)

    def series(self, wanted: Wanted = ANY) -> Iterator[Series]:
        """The series that are wanted, those with the most points first."""
        with translate_sqlite_errors(self.folder / DATABASE):
            yield from list_series(self._conn, wanted)

    def points(self, series: str, *, every: bool = False) -> list[CitedFigure]:
        """The points of a series by time; ``every``: also those of versions that were edited since."""
        with translate_sqlite_errors(self.folder / DATABASE):
            return points_of(self._conn, series, every=every)

    def changes(
        self, after: int = 0, *, since: Instant | None = None, limit: int | None = None
    ) -> Iterator[Change]:
        """The feed: changes after a number, in order; with ``since`` those the archive learnt then or
        later."""
        learnt = parse_bound(since) if since else None
        with translate_sqlite_errors(self.folder / DATABASE):
            for record in feed.changes(self._conn, after, limit, learnt):
                yield make_change(record)

    def evidence(self, version: Version) -> Capture:
        """The first capture of a version, read from the WARC file: bytes and headers as received. Checks the
        digests. Raises DamagedWarc."""
        [row] = self.rows("select * from captures where record_id = ?", version.evidence.record_id)
        with translate_sqlite_errors(self.folder / DATABASE):
            capture = Evidence.of(self._conn, self.folder).capture(row)
        if hashlib.sha256(capture.body).hexdigest() != row["payload_sha256"]:
            raise DamagedWarc(version.evidence.warc_file, "has another body than it had", row["offset"])
        return capture


def _span(since: Instant | None, until: Instant | None) -> tuple[str | None, str | None]:
    """The first and the last instant of a span. Raises BadReference."""
    return parse_bound(since) if since else None, parse_bound(until, is_end=True) if until else None
