"""A compact copy of an archive's database for the public, closed to search engines, without chosen versions.

The archive itself is not changed: evidence is append-only. In the copy, the triggers that protect it are
removed during the redaction.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from archive.clock import now
from archive.errors import CANNOT_WRITE, FOUND, USAGE, ArchiveError
from archive.export.leaks import Search, find_leak, mend, read_removed
from archive.figures.derive import count_series
from archive.folder import DATABASE, whole_file
from archive.read.database import cite, open_readonly, translate_sqlite_errors
from archive.read.references import BadReference, Reference, parse_reference
from archive.sites.sohr.hidden_words import HIDDEN
from archive.store.fields import PAGE_FIELDS, Redaction
from archive.store.line_kinds import encode_kinds
from archive.store.packing import digest
from archive.text.fold import fold

KEY = "published_copy"  # row of `about` by which the plugin recognises such a copy
NOTE = "Taken out of this public copy."
_KEPT_DETAILS = ("state", "status", "reason")  # of a change: these name nobody


class NoSuchVersion(ArchiveError):
    """Raised when a line of the redactions names no version, by `read_redactions` and `publish`.

    The copy would show what somebody wants to hide.
    """

    exit_status = USAGE


class StillSaid(ArchiveError):
    """Raised when the copy would still say what was taken out, by `publish`; there is no copy then."""

    exit_status = FOUND


class NoCopy(ArchiveError):
    """Raised when the copy cannot be made, by `publish`."""

    exit_status = CANNOT_WRITE


@dataclass(frozen=True, slots=True)
class Published:
    """A copy: its file, its size in bytes, and how many versions were taken out."""

    path: Path
    size: int
    redacted: int


def read_redactions(text: str) -> list[Reference]:
    """Read citations, one a line; ``#`` begins a comment. Raises NoSuchVersion for any other line."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        cited = line.split("#")[0].strip()
        if not cited:
            continue
        try:
            reference = parse_reference(cited)
        except BadReference:
            reference = Reference()
        if reference.at is None:
            raise NoSuchVersion(
                f"line {number} is not a citation ({cited[:60]}): "
                "write one a line, like sohr:en:332481@2025-03-01T10:00:00Z"
            )
        found.append(reference)
    return found


def publish(folder: Path, target: Path, redactions: Sequence[Reference] = ()) -> Published:
    """Copy an archive's database to ``target``, without the versions that the references cite.

    The file appears when it is complete; an existing one is never replaced. Raises NoSuchVersion, StillSaid,
    NoCopy, and what `open_readonly` raises.
    """
    if target.exists():
        raise NoCopy(f"{target} exists: move it away, or name another file")
    if not os.access(target.parent, os.W_OK):
        raise NoCopy(f"{target} cannot be written: {target.parent} is not a folder that you may write to")
    try:
        with whole_file(target) as partial:
            _copy(folder, partial)
            with closing(sqlite3.connect(partial, isolation_level=None)) as conn:
                conn.execute("pragma journal_mode = delete")
                conn.execute("pragma secure_delete = on")
                conn.execute("begin immediate")
                redacted, search = _redact(conn, redactions) if redactions else (0, None)
                conn.execute("insert or replace into about values (?, ?)", (KEY, now()))
                conn.execute("commit")
                if search:
                    conn.execute("vacuum")  # or free pages of the file would still have the old text
            if search and search.find_in_file(partial):
                raise StillSaid("the bytes of the copy still say what was taken out: please report this")
    except sqlite3.OperationalError as error:
        raise NoCopy(
            f"{target} cannot be written ({error}): free some space or name another place"
        ) from error
    return Published(target, target.stat().st_size, redacted)


def _copy(folder: Path, partial: Path) -> None:
    with closing(open_readonly(folder)) as conn, translate_sqlite_errors(folder / DATABASE):
        # `query_only` forbids VACUUM INTO; the file itself is open for reading only
        conn.execute("pragma query_only = off")
        try:
            conn.execute("vacuum into ?", (str(partial),))
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:  # of the copy's disk
                raise NoCopy("the copy has no room: free some space or name another place") from error
            raise


def _redact(conn: sqlite3.Connection, redactions: Sequence[Reference]) -> tuple[int, Search]:
    """Take out the cited versions; return how many, and what finds their words. Raises NoSuchVersion,
    StillSaid."""
    versions: dict[int, int] = {}  # version id -> article id
    sql = """select v.version_id, v.article_id from versions v join articles a using (article_id)
             where a.source = ? and a.key = ? and v.cited_at = ?"""
    for cited in redactions:
        found = conn.execute(sql, (cited.source, cited.key, cited.at)).fetchall()
        if not found:
            citation = cite(cited.source, cited.key, cited.at or "")
            raise NoSuchVersion(f"the archive has no version {citation}: correct the list; no copy was made")
        versions |= dict(found)
    triggers = conn.execute("select name, sql from sqlite_master where type = 'trigger'").fetchall()
    for name, _ in triggers:
        conn.execute(f'drop trigger "{name}"')
    search = Search(*read_removed(conn, versions))
    stated = "select article_id, canonical_url from versions where version_id = ? and canonical_url > ''"
    canonical = [row for version_id in versions for row in conn.execute(stated, (version_id,))]
    for version_id in versions:
        _redact_version(conn, version_id)
    for article_id in sorted(set(versions.values())):
        _redact_article(conn, article_id, [url for of, url in canonical if of == article_id])
    used = "select claim_set_id from versions where claim_set_id is not null"
    conn.execute(f"delete from claim_sets where claim_set_id not in ({used})")
    mend(conn, search)
    if place := find_leak(conn, search):
        raise StillSaid(
            f"{place} still says a title or line that was taken out: "
            "if it is a citation, add it to the list; no copy was made"
        )
    _index_again(conn)
    for _, sql in triggers:
        conn.execute(sql)
    return len(versions), search


def _redact_version(conn: sqlite3.Connection, version_id: int) -> None:
    """Remove what a version says, and the figures in changes from and to it."""
    values = {of.name: of.pack(of.empty) for of in PAGE_FIELDS if of.redact is Redaction.EMPTY}
    values |= {of.name: NOTE for of in PAGE_FIELDS if of.redact is Redaction.NOTE}
    values |= {"title": NOTE, "restored_title": None, "text": NOTE, "lines": encode_kinds([("paragraph", 0)])}
    values |= {"claim_set_id": None} | digest(NOTE, NOTE)
    columns = ", ".join(f"{name} = ?" for name in values)
    conn.execute(f"update versions set {columns} where version_id = ?", (*values.values(), version_id))
    series = [
        row[0] for row in conn.execute("select series from figures where version_id = ?", (version_id,))
    ]
    conn.execute("delete from figures where version_id = ?", (version_id,))
    count_series(lambda sql, asked: conn.execute(sql, (asked,)), series)
    conn.execute(
        "update changes set figures = '[]' where version_id = ? or previous_version_id = ?",
        (version_id, version_id),
    )


def _redact_article(conn: sqlite3.Connection, article_id: int, canonical: list[str]) -> None:
    """Remove an article's words beside its versions: addresses (a slug is its title; ``canonical`` are those
    that its pages state), sightings, tags, links to it, and what changes say was replaced."""
    sql = "select source, key from articles where article_id = ?"
    name = "sohr:{}:{}".format(*conn.execute(sql, (article_id,)).fetchone())
    tables = ("aliases", "articles", "captures")
    sql = " union ".join(f"select url from {table} where article_id = :article" for table in tables)
    urls = {row[0] for row in conn.execute(sql, {"article": article_id})} | set(canonical)
    for statement in _OF_ARTICLE:
        conn.execute(statement, {"article": article_id, "name": name})
    for url in urls:
        for statement in _OF_ADDRESS:
            conn.execute(statement, {"url": url, "name": name})
        _remove_links_to(conn, url)
    sql = "select seq, details from changes where article_id = ?"
    for seq, text in conn.execute(sql, (article_id,)).fetchall():
        details = {key: value for key, value in json.loads(text).items() if key in _KEPT_DETAILS}
        conn.execute("update changes set details = ? where seq = ?", (json.dumps(details), seq))


_OF_ARTICLE = (
    "update articles set url = :name where article_id = :article",
    "update aliases set url = :name || '#' || alias_id where article_id = :article",
    "update captures set url = :name, requested_url = null, location = null where article_id = :article",
    "update captures set furniture = null where article_id = :article",
    "update failures set url = :name, detail = '' where article_id = :article",
    "update sightings set claims = json_object('redacted', sighting_id) where article_id = :article",
    "delete from links where article_id = :article or target_id = :article",
    "delete from parts where capture_id in (select capture_id from captures where article_id = :article)",
    """delete from article_terms where article_id = :article
       and term_id in (select term_id from terms where taxonomy = 'tag')""",
    "delete from terms where taxonomy = 'tag' and term_id not in (select term_id from article_terms)",
)
_OF_ADDRESS = (
    "update captures set url = :name where url = :url",
    *(
        f"update captures set {name} = null where {name} = :url"
        for name in ("requested_url", "via", "location")
    ),
    "update aliases set url = :name || '#' || alias_id where url = :url",
    "delete from links where url = :url",
    "update failures set url = :name, detail = '' where url = :url",
    "update versions set canonical_url = null where canonical_url = :url",
)


def _remove_links_to(conn: sqlite3.Connection, url: str) -> None:
    """Remove other articles' links to an address, which carry its title, and their claims that contain it."""
    quoted = json.dumps(url, ensure_ascii=False)
    sets = "select claim_set_id from claim_sets where instr(claims, ?)"
    conn.execute(f"update versions set claim_set_id = null where claim_set_id in ({sets})", (quoted,))
    sql = "select version_id, links from versions where instr(links, ?)"
    for version_id, text in conn.execute(sql, (quoted,)).fetchall():
        kept = [link for link in json.loads(text) if not (isinstance(link, list) and link and link[0] == url)]
        links = json.dumps(kept, ensure_ascii=False)
        conn.execute("update versions set links = ? where version_id = ?", (links, version_id))


def _index_again(conn: sqlite3.Connection) -> None:
    """Make the search index again: the old one keeps deleted words."""
    conn.execute("insert into search (search) values ('delete-all')")
    rows = conn.execute(
        """select a.article_id, v.title, v.plain_title, v.text
           from articles a join versions v on v.version_id = a.newest_version_id order by 1"""
    )
    for article_id, title, plain, text in rows:
        titles = fold(title if title == plain else f"{title}\n{plain}", HIDDEN)
        sql = "insert into search (rowid, title, text) values (?, ?, ?)"
        conn.execute(sql, (article_id, titles, fold(text, HIDDEN)))
    conn.execute("insert into search (search) values ('optimize')")
