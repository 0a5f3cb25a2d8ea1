"""Which versions to read, and reading them: one after another in a stable order, so that memory stays flat
however many there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, cast

from archive.model import STATES, Edition, Provider
from archive.read.references import BadReference
from archive.store.row_types import ArticleRow, VersionRow

Which = Literal["all", "latest"]

# One query for the articles and one for the versions of each: to sort both in one, SQLite copies every text
_ARTICLES = """select a.*, m.source as to_source, m.key as to_key
    from articles a left join articles m on m.article_id = a.moved_to"""
_ORDER = " order by a.source, cast(a.key as integer), a.key"
_VERSIONS = """
select v.*, s.claims, c.record_id, c.offset, c.length, c.recorded_at, c.payload_sha256,
       c.source as capture_source, c.service_url,
       f.name as warc_file, f.serial as warc_serial,
       exists (select 1 from changes h where h.version_id = v.version_id and h.stale_copy = 1
               and h.kind in ('created', 'updated', 'backfilled')) as stale_copy,
       (select min(e.number) from versions e where e.article_id = v.article_id and e.number < v.number
        and e.same_digest = v.same_digest) as same_as_version,
       v.version_id in (select version_id from retracted_versions) as is_retracted
from versions v left join claim_sets s using (claim_set_id)
    left join captures c on c.capture_id = v.first_capture_id left join warc_files f using (warc_file_id)
"""
# When a version was published: as the site states it, else its archive day, else when it was first captured
_WHEN = """coalesce(v.published_at,
    (select day || 'T00:00:00Z' from articles d where d.article_id = v.article_id), v.first_captured_at)"""


class SelectedArticle(ArticleRow):
    """An article with source and key of the one it moved to."""

    to_source: str | None
    to_key: str | None


class SelectedVersion(VersionRow):
    """A version with what stands in other tables: claims, evidence of its first capture, and changes."""

    claims: str | None
    record_id: str
    offset: int
    length: int
    recorded_at: str
    payload_sha256: str
    capture_source: Provider
    service_url: str | None
    warc_file: str
    warc_serial: int
    stale_copy: int
    same_as_version: int | None
    is_retracted: int


@dataclass(frozen=True, slots=True)
class Selection:
    """Which versions. Both bounds are instants (`references.parse_bound`) and inclusive."""

    edition: Edition | None = None
    since: str | None = None
    until: str | None = None
    category: str | None = None
    state: str | None = None
    which: Which = "all"
    changed: bool = False  # only articles with more than one version
    retracted: bool = False  # also versions whose change was taken back

    @property
    def is_of_versions(self) -> bool:
        """Whether it asks for what only a version has, which leaves out articles without text."""
        return bool(self.since or self.until or self.category or self.changed)

    def articles(self) -> tuple[str, list[object]]:
        """Condition on `articles a`, and its values."""
        conditions, values = ["true"], list[object]()
        if self.edition:
            conditions.append("a.edition = ?")
            values.append(self.edition)
        if self.state:
            conditions.append("a.state = ?")
            values.append(self.state)
        if self.changed:
            conditions.append("(select count(*) from versions n where n.article_id = a.article_id) > 1")
        return " and ".join(conditions), values

    def versions(self) -> tuple[str, list[object]]:
        """Condition on `versions v`, and its values."""
        conditions, values = ["true"], list[object]()
        for sign, bound in ((">=", self.since), ("<=", self.until)):
            if bound:
                conditions.append(f"{_WHEN} {sign} ?")
                values.append(bound)
        if self.category:
            conditions.append("exists (select 1 from json_each(v.categories) where value = ?)")
            values.append(self.category)
        if not self.retracted:
            conditions.append("v.version_id not in (select version_id from retracted_versions)")
        return " and ".join(conditions), values


EVERYTHING = Selection()


def check(conn: sqlite3.Connection, selection: Selection) -> None:
    """Refuse what cannot select anything. Raises BadReference."""
    if selection.since and selection.until and selection.since > selection.until:
        raise BadReference(f"nothing lies between {selection.since} and {selection.until}: exchange them")
    if selection.state and selection.state not in STATES:
        raise BadReference(f"{selection.state!r} is not a state: they are {', '.join(STATES)}")
    if selection.category:
        names = [
            row[0] for row in conn.execute("select name from terms where taxonomy = 'category' order by name")
        ]
        if selection.category not in names:
            near = get_close_matches(selection.category, names, 3, 0.5) or names[:10]
            raise BadReference(
                f"no article has the category {selection.category!r}"
                + (f": near it are {', '.join(near)}" if near else "")
            )


def read_articles(conn: sqlite3.Connection, which: str = "", *values: object) -> Iterator[ArticleRow]:
    """Rows of articles; ``which`` is what follows `from articles`."""
    for row in conn.execute(f"select * from articles {which}", values):
        yield cast(ArticleRow, dict(row))


def read_versions(conn: sqlite3.Connection, which: str, *values: object) -> Iterator[SelectedVersion]:
    """Versions, for `records`; ``which`` is the condition on `versions v`, and the order."""
    for row in conn.execute(f"{_VERSIONS} where {which}", values):
        yield cast(SelectedVersion, dict(row))


def pairs(
    conn: sqlite3.Connection, selection: Selection = EVERYTHING
) -> Iterator[tuple[SelectedArticle, SelectedVersion | None]]:
    """Articles with each of their selected versions, by source, post id as a number, and first capture; None
    for articles without text."""
    of_articles, article_values = selection.articles()
    of_versions, version_values = selection.versions()
    which = f"""v.article_id = ? and (? is null or v.version_id = ?) and {of_versions}
        order by v.first_captured_at, v.number"""
    for row in conn.execute(f"{_ARTICLES} where {of_articles} {_ORDER}", article_values):
        article = cast(SelectedArticle, dict(row))
        newest = article["newest_version_id"]
        if newest is None:
            if not selection.is_of_versions:
                yield article, None
            continue
        wanted = newest if selection.which == "latest" else None
        for version in read_versions(conn, which, article["article_id"], wanted, wanted, *version_values):
            yield article, version


def versions(
    conn: sqlite3.Connection, selection: Selection = EVERYTHING
) -> Iterator[tuple[SelectedArticle, SelectedVersion]]:
    """The selected versions with their articles."""
    for article, version in pairs(conn, selection):
        if version is not None:
            yield article, version


def count(conn: sqlite3.Connection, selection: Selection = EVERYTHING) -> int:
    """How many versions are selected, for a progress bar."""
    (of_articles, article_values), (of_versions, version_values) = selection.articles(), selection.versions()
    newest = "and v.version_id = a.newest_version_id" if selection.which == "latest" else ""
    sql = f"""select count(*) from versions v join articles a using (article_id)
        where {of_articles} and {of_versions} {newest}"""
    return int(conn.execute(sql, (*article_values, *version_values)).fetchone()[0])
