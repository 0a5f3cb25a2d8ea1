"""Make the database of an archive from schema.sql, and check the schema of one that is there."""

from __future__ import annotations

import hashlib
import sqlite3
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from archive.errors import NewerArchive, NoArchive
from archive.model import CHANGE_KINDS, GONE_STATES, PROVIDERS, STATES

if TYPE_CHECKING:
    from archive.store.fields import VersionField

# Kept in `pragma user_version`: a release with other tables raises it, so that an older one knows of it.
# That the tables are others is known by their digest, in `pragma application_id`
RELEASE = 1
FILE = Path(__file__).with_name("schema.sql")


def read_script() -> str:
    """The statements that make all tables."""
    from string import Template  # on first use: readers only check the release

    from archive.store.fields import PAGE_FIELDS

    return Template(FILE.read_text("utf-8")).safe_substitute(
        page_columns="\n    ".join(_declare(of) for of in PAGE_FIELDS),
        states=_quote(STATES),
        gone_states=_quote(GONE_STATES),
        change_kinds=_quote(CHANGE_KINDS),
        providers=_quote(PROVIDERS),
    )


def create_schema(conn: sqlite3.Connection) -> None:
    """Make all tables in an empty database, or none."""
    marks = f"pragma user_version = {RELEASE}; pragma application_id = {_digest()};"
    conn.executescript(f"begin immediate;\n{read_script()}\n{marks} commit;")


@cache
def _digest() -> int:
    """31 bits of the digest of the statements, without their comments."""
    statements = " ".join(line.partition("--")[0].strip() for line in read_script().splitlines())
    return int.from_bytes(hashlib.sha256(statements.encode()).digest()[:4], "big") >> 1


def _declare(of: VersionField) -> str:
    if of.is_list:
        return f"{of.name} text not null default '[]',"
    if of.type == "boolean":
        return f"{of.name} integer not null default 0,"
    return f"{of.name} {'integer' if of.type == 'integer' else 'text'},"


def _quote(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)


def check_schema(conn: sqlite3.Connection, path: Path) -> None:
    """Check that a database is an archive that this release reads. Raises NoArchive, NewerArchive."""
    release = conn.execute("pragma user_version").fetchone()[0]
    if not conn.execute("select 1 from sqlite_master where name = 'about'").fetchone() or not release:
        raise NoArchive(f"{path} is a database, but not an archive: give another folder")
    if release > RELEASE:
        raise NewerArchive(f"{path} was written by a newer release of sohr-archive: upgrade this one")
    [digest] = conn.execute("pragma application_id").fetchone()
    if release < RELEASE or digest != _digest():
        raise NoArchive(f"{path} is of an earlier release: move it away and run 'sohr-archive rebuild'")
