"""Open an archive for reading, also during a crawl, and write JSON as all commands do."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from archive.errors import CANNOT_WRITE, USAGE, ArchiveError, NoArchive
from archive.folder import DATABASE
from archive.store.schema import check_schema

_NO_FILES_BESIDE = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
)
BUSY_MS = 10_000  # the writer holds the database for milliseconds
# The line ends of Unicode that JSON lets stand: a reader that splits lines by them, as Python's splitlines
# does, would break a record.
_LINE_ENDS = (("\x85", "\\u0085"), ("\u2028", "\\u2028"), ("\u2029", "\\u2029"))


class DamagedDatabase(ArchiveError):
    """Raised when SQLite cannot make sense of the database of an archive, by whatever reads it."""

    exit_status: ClassVar[int] = CANNOT_WRITE


class BadSql(ArchiveError):
    """Raised when a query of the user's own has a mistake, by SQLite."""

    exit_status: ClassVar[int] = USAGE


def is_of_the_query(error: sqlite3.Error) -> bool:
    """Whether the query is wrong, and not the database: no such table, a value too few, a write."""
    name = getattr(error, "sqlite_errorname", None)
    return isinstance(error, sqlite3.ProgrammingError) or name in ("SQLITE_ERROR", "SQLITE_READONLY")


def open_readonly(folder: Path) -> sqlite3.Connection:
    """The archive's database, for reading; rows are `sqlite3.Row`. A crawl may write meanwhile.

    Raises NoArchive (nothing there, or no archive, or one of an earlier release), NewerArchive,
    DamagedDatabase.
    """
    path = folder / DATABASE
    try:
        is_there = path.is_file()
    except OSError as error:
        raise NoArchive(f"{path} cannot be read ({error.strerror}): ask for leave to read it") from error
    if not is_there:
        if (folder / "warc").is_dir():
            raise NoArchive(f"{path} is not there, the evidence is: 'sohr-archive rebuild' makes it again")
        if folder.is_file():
            raise NoArchive(f"{folder} is a file: give the folder of an archive")
        raise NoArchive(
            f"there is no archive in {folder}: 'scrapy crawl sohr' makes one, "
            "--archive or ARCHIVE_DIR names another folder"
        )
    with translate_sqlite_errors(path):
        conn = _connect(path)
        try:
            check(conn, path)
        except BaseException:
            conn.close()
            raise
    return conn


@contextmanager
def translate_sqlite_errors(path: Path) -> Iterator[None]:
    """Turn errors of SQLite into sentences. Raises NoArchive, DamagedDatabase, ArchiveError."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", None) or ""
        if name.startswith("SQLITE_NOTADB"):
            raise NoArchive(
                f"{path} is not a database: "
                "give another folder, or move the file away and run 'sohr-archive rebuild'"
            ) from error
        if name.startswith("SQLITE_CORRUPT"):
            raise DamagedDatabase(
                f"{path} is damaged ({error}): move it away and run 'sohr-archive rebuild'"
            ) from error
        if name.startswith(("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
            raise NoArchive(
                f"{path} cannot be opened ({error}): ask for leave to read it and its folder"
            ) from error
        raise ArchiveError(f"{path} cannot be read ({error}): try again") from error


def _connect(path: Path) -> sqlite3.Connection:
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    conn = _open(address)
    try:
        conn.execute("select 1 from sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        conn.close()
        # A database with a write-ahead log wants files beside it. Where there is no room or no leave for
        # them, nobody else writes either.
        if error.sqlite_errorcode & 0xFF not in _NO_FILES_BESIDE or _has_log(path):
            raise
        conn = _open(address + "&immutable=1")
    return conn


def _has_log(path: Path) -> bool:
    log = Path(f"{path}-wal")
    return log.exists() and log.stat().st_size > 0


def _open(address: str) -> sqlite3.Connection:
    conn = sqlite3.connect(address, uri=True, isolation_level=None)
    conn.row_factory = sqlite3.Row
    conn.execute(f"pragma busy_timeout = {BUSY_MS}")
    conn.execute("pragma query_only = on")
    return conn


def check(conn: sqlite3.Connection, path: Path) -> None:
    """Check that a database is an archive that this release reads. Raises NoArchive, NewerArchive."""
    if conn.execute("select 1 from sqlite_master").fetchone() is None:
        raise NoArchive(f"{path} is empty: 'scrapy crawl sohr' fills it")
    check_schema(conn, path)


def about(conn: sqlite3.Connection, key: str) -> str | None:
    """A fact about the archive: site, home, epoch."""
    row = conn.execute("select value from about where key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


@contextmanager
def snapshot(conn: sqlite3.Connection) -> Iterator[None]:
    """All queries of the block see the archive as it is at the first of them."""
    conn.execute("begin")
    try:
        yield
    finally:
        conn.execute("rollback")


def json_line(record: Any) -> bytes:
    """A record as one line of JSON in UTF-8. No reader finds another line end in it."""
    line = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    # Replaced one by one: a table for each character was two thirds of an export's time
    for mark, escaped in _LINE_ENDS:
        line = line.replace(mark, escaped)
    return (line + "\n").encode()


def cite(source: str, key: str, cited_at: str) -> str:
    """The citation of a version. Unlike its number, it never changes when older history is imported."""
    return f"sohr:{source}:{key}@{cited_at}"
