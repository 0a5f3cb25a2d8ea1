"""A copy of an archive for the public: compact, read-only in spirit, closed to search engines; what somebody
asked to take out is taken out of it.

The archive itself is not touched: evidence is append-only. In the copy the triggers that keep it so are
lifted for as long as the redaction takes.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from archive.clock import now
from archive.errors import CANNOT_WRITE, USAGE, ArchiveError
from archive.folder import DATABASE, whole_file
from archive.read.database import open_readonly, told
from archive.sites.sohr.hidden_words import HIDDEN
from archive.store.fields import PAGE_FIELDS, Redaction
from archive.store.line_kinds import encode_kinds
from archive.store.rows import digests_of
from archive.text.fold import fold

KEY = "published_copy"  # row of `about` by which the plugin knows such a copy
NOTE = "Taken out of this public copy."
# the source of a page of another site is its host, which may have a port; its key is an address, which may
# hold an @
_CITATION = re.compile(
    r"sohr:([^:\s]+(?::[0-9]+(?=:https?://))?):(\S+)@([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)"
)
_KEPT_DETAILS = ("state", "status", "reason")  # of a change: what names nobody


class NoSuchVersion(ArchiveError):
    """Raised when a list of redactions names what the archive does not hold, by `publish`: a copy would show
    what was meant to be hidden."""

    exit_status = USAGE


class NoCopy(ArchiveError):
    """Raised when the copy cannot be made, by `publish`."""

    exit_status = CANNOT_WRITE


@dataclass(frozen=True, slots=True)
class Cited:
    """A version, as it is cited."""

    source: str
    key: str
    first_captured_at: str


@dataclass(frozen=True, slots=True)
class Published:
    """What was made: the file, its size in bytes, how many versions were taken out."""

    path: Path
    size: int
    redacted: int


def read_redactions(text: str) -> list[Cited]:
    """One citation a line; empty lines and what follows ``#`` are notes. Raises NoSuchVersion for a line that
    is no citation."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        said = line.split("#")[0].strip()
        if not said:
            continue
        match = _CITATION.fullmatch(said)
        if match is None:
            raise NoSuchVersion(
                f"line {number} is no citation ({said[:60]}): write one like sohr:en:332481@2025-03-01T10:00:00Z a line"
            )
        found.append(Cited(*match.groups()))
    return found


def publish(folder: Path, target: Path, redactions: Sequence[Cited] = ()) -> Published:
    """Copy an archive's database to ``target``, less the versions named. Raises NoSuchVersion, NoCopy, and
    what `open_readonly` raises.

    Nothing stands at ``target`` before it is whole; a file that is there already is left alone.
    """
    if target.exists():
        raise NoCopy(f"{target} is there already: move it away, or name another file")
    if not os.access(target.parent, os.W_OK):
        raise NoCopy(f"{target} cannot be written: {target.parent} is no folder that you may write to")
    try:
        with whole_file(target) as partial:
            _copy(folder, partial)
            with closing(sqlite3.connect(partial, isolation_level=None)) as conn:
                conn.execute("pragma journal_mode = delete")
                conn.execute("pragma secure_delete = on")
                conn.execute("begin immediate")
                redacted = _redact(conn, redactions) if redactions else 0
                conn.execute("insert or replace into about values (?, ?)", (KEY, now()))
                conn.execute("commit")
                if redactions:
                    conn.execute("vacuum")  # no page of the file remembers what was there
    except sqlite3.OperationalError as error:
        raise NoCopy(
            f"{target} cannot be written ({error}): free some space or name another place"
        ) from error
    return Published(target, target.stat().st_size, redacted)


def _copy(folder: Path, partial: Path) -> None:
    with closing(open_readonly(folder)) as conn, told(folder / DATABASE):
        # It would forbid VACUUM INTO; the file itself is open for reading only
        conn.execute("pragma query_only = off")
        conn.execute("vacuum into ?", (str(partial),))


def _redact(conn: sqlite3.Connection, redactions: Sequence[Cited]) -> int:
    versions: dict[int, int] = {}
    for cited in redactions:
        sql = """select v.version_id, v.article_id from versions v join articles a using (article_id)
            where a.source = ? and a.key = ? and v.first_captured_at = ?"""
        found = conn.execute(sql, (cited.source, cited.key, cited.first_captured_at)).fetchall()
        if not found:
            named = f"sohr:{cited.source}:{cited.key}@{cited.first_captured_at}"
            raise NoSuchVersion(f"the archive holds no version {named}: correct the list; no copy was made")
        versions |= dict(found)
    triggers = conn.execute("select name, sql from sqlite_master where type = 'trigger'").fetchall()
    for name, _ in triggers:
        conn.execute(f'drop trigger "{name}"')
    for version_id in versions:
        _take_out(conn, version_id)
    for article_id in sorted(set(versions.values())):
        _take_out_beside(conn, article_id)
    conn.execute(
        "delete from claim_sets where claim_set_id not in (select claim_set_id from versions where claim_set_id is not null)"
    )
    _index_anew(conn)
    for _, sql in triggers:
        conn.execute(sql)
    return len(versions)


def _take_out(conn: sqlite3.Connection, version_id: int) -> None:
    """What one version says, and what changes say of it."""
    values = {of.name: of.pack(of.empty) for of in PAGE_FIELDS if of.redact is Redaction.EMPTY}
    values |= {of.name: NOTE for of in PAGE_FIELDS if of.redact is Redaction.NOTE}
    values |= {"title": NOTE, "restored_title": None, "text": NOTE, "lines": encode_kinds([("paragraph", 0)])}
    values |= {"claim_set_id": None} | digests_of(NOTE, NOTE)
    columns = ", ".join(f"{name} = ?" for name in values)
    conn.execute(f"update versions set {columns} where version_id = ?", (*values.values(), version_id))
    conn.execute(
        "update changes set figures = '[]' where version_id = ? or previous_version_id = ?",
        (version_id, version_id),
    )


def _take_out_beside(conn: sqlite3.Connection, article_id: int) -> None:
    """What else names an article's words: addresses (a slug is its title), sightings, links to it, what
    changes say was replaced."""
    article = conn.execute(
        "select source, key, newest_version_id from articles where article_id = ?", (article_id,)
    ).fetchone()
    said = "select distinct url from aliases where article_id = ? union select url from articles where article_id = ?"
    urls = {row[0] for row in conn.execute(said, (article_id, article_id))}
    urls |= {row[0] for row in conn.execute("select url from captures where article_id = ?", (article_id,))}
    name = f"sohr:{article[0]}:{article[1]}"
    conn.execute("update articles set url = ? where article_id = ?", (name, article_id))
    conn.execute("update aliases set url = ? || '#' || alias_id where article_id = ?", (name, article_id))
    hidden = "url = ?, requested_url = null, location = null"
    conn.execute(f"update captures set {hidden} where article_id = ?", (name, article_id))
    for url in urls:
        conn.execute("update captures set url = ? where url = ?", (name, url))
        for column in ("requested_url", "via", "location"):
            conn.execute(f"update captures set {column} = null where {column} = ?", (url,))
        conn.execute("update aliases set url = ? || '#' || alias_id where url = ?", (name, url))
        conn.execute("delete from links where url = ?", (url,))
        conn.execute("update failures set url = ?, detail = '' where url = ?", (name, url))
        conn.execute("update versions set canonical_url = null where canonical_url = ?", (url,))
    conn.execute("update failures set url = ?, detail = '' where article_id = ?", (name, article_id))
    conn.execute(
        "update sightings set claims = json_object('redacted', sighting_id) where article_id = ?",
        (article_id,),
    )
    conn.execute("delete from links where article_id = ? or target_id = ?", (article_id, article_id))
    conn.execute(
        "delete from parts where capture_id in (select capture_id from captures where article_id = ?)",
        (article_id,),
    )
    tags = "select term_id from terms where taxonomy = 'tag'"
    conn.execute(f"delete from article_terms where article_id = ? and term_id in ({tags})", (article_id,))
    conn.execute(
        "delete from terms where taxonomy = 'tag' and term_id not in (select term_id from article_terms)"
    )
    _without_links_to(conn, urls)
    for seq, text in conn.execute(
        "select seq, details from changes where article_id = ?", (article_id,)
    ).fetchall():
        details = {key: value for key, value in json.loads(text).items() if key in _KEPT_DETAILS}
        conn.execute("update changes set details = ? where seq = ?", (json.dumps(details), seq))


def _without_links_to(conn: sqlite3.Connection, urls: Iterable[str]) -> None:
    """Links of other articles to this one carry its title; of a list of claims that names it nothing is
    kept."""
    for url in urls:
        quoted = json.dumps(url, ensure_ascii=False)
        conn.execute(
            "update versions set claim_set_id = null where claim_set_id in (select claim_set_id from claim_sets where instr(claims, ?))",
            (quoted,),
        )
        for version_id, text in conn.execute(
            "select version_id, links from versions where instr(links, ?)", (quoted,)
        ).fetchall():
            kept = [
                entry
                for entry in json.loads(text)
                if not (isinstance(entry, list) and entry and entry[0] == url)
            ]
            conn.execute(
                "update versions set links = ? where version_id = ?",
                (json.dumps(kept, ensure_ascii=False), version_id),
            )


def _index_anew(conn: sqlite3.Connection) -> None:
    """The search index is made again from what is left: marks of deletion in the old one would still hold the
    words."""
    conn.execute("insert into search (search) values ('delete-all')")
    rows = conn.execute(
        "select a.article_id, v.title, v.plain_title, v.text from articles a join versions v on v.version_id = a.newest_version_id order by 1"
    )
    for article_id, title, plain, text in rows:
        folded = fold(title if title == plain else f"{title}\n{plain}", HIDDEN)
        conn.execute(
            "insert into search (rowid, title, text) values (?, ?, ?)",
            (article_id, folded, fold(text, HIDDEN)),
        )
    conn.execute("insert into search (search) values ('optimize')")
