"""The connection that writes an archive's database: settings, transactions, and rows of any table."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archive.errors import CannotWrite
from archive.store.schema import check_schema, create_schema

Row = sqlite3.Row
AT_ONCE = 500  # statements that wait for the end of a transaction: a megabyte or two
BUSY_MS = 40_000  # a reader holds the database for milliseconds; a backup for longer


class Connection:
    """An archive's database, open for writing. Use it within `transaction`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._conn = sqlite3.connect(self.path)
            self._conn.row_factory = sqlite3.Row
            self._prepare()
        except sqlite3.DatabaseError as error:
            raise _refused(self.path, error) from error
        self._caches: list[dict[Any, Any]] = []
        self._last: list[tuple[str, Sequence[object]]] = []  # by `execute_last`
        self._savepoints = 0  # that are open

    def _prepare(self) -> None:
        db = self._conn
        is_new = not db.execute("select 1 from sqlite_master").fetchone()
        if not is_new:
            check_schema(self._conn, self.path)
        db.execute(f"pragma busy_timeout = {BUSY_MS}")
        # In a new database. Pages of 4,096 bytes left a twelfth empty, because few hold two articles
        db.execute("pragma page_size = 8192")
        db.execute("pragma journal_mode = wal")
        # Rows that a power cut loses are read again from the WARC files
        db.execute("pragma synchronous = normal")
        db.execute("pragma foreign_keys = on")
        db.execute("pragma cache_size = -32000")
        if is_new:
            create_schema(self._conn)

    def close(self) -> None:
        """Write the write-ahead log into the database, and close it."""
        try:
            self._conn.execute("pragma optimize")
            self._conn.execute("pragma wal_checkpoint(truncate)")
        except sqlite3.OperationalError:
            pass  # a reader is at work, or the disk is full: the log stays, and nothing is lost
        self._conn.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all that the block writes, or nothing. Raises CannotWrite."""
        try:
            self._conn.execute("begin immediate")  # waits for another writer, up to `BUSY_MS`
            try:
                yield
                self._execute_waiting()
            except BaseException:
                self._conn.rollback()
                self._last.clear()
                self._forget()
                raise
            self._conn.commit()
        except sqlite3.OperationalError as error:
            self._forget()
            if self._conn.in_transaction:
                self._conn.rollback()
            raise _refused(self.path, error) from error

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what the block writes if it raises, and keep the transaction."""
        self._execute_if_many()
        self._conn.execute("savepoint part")
        waiting = len(self._last)
        self._savepoints += 1
        try:
            yield
        except BaseException:
            if self._conn.in_transaction:
                self._conn.execute("rollback to part")
                self._conn.execute("release part")
            del self._last[waiting:]
            self._forget()
            raise
        finally:
            self._savepoints -= 1
        self._conn.execute("release part")

    def new_cache(self) -> dict[Any, Any]:
        """A dict that is emptied whenever rows are undone."""
        self._caches.append({})
        return self._caches[-1]

    def _forget(self) -> None:
        for cache in self._caches:
            cache.clear()

    def query(self, sql: str, *values: object) -> list[Row]:
        """The rows of a query."""
        return self._conn.execute(sql, values).fetchall()

    def each(self, sql: str, *values: object) -> Iterator[Row]:
        """The rows of a query, one after the other: of a million, no list."""
        return iter(self._conn.execute(sql, values))

    def execute(self, sql: str, *values: object) -> int:
        """Run a statement; return how many rows it changed."""
        return self._conn.execute(sql, values).rowcount

    def execute_last(self, sql: str, *values: object) -> None:
        """Run a statement later in the transaction, together with others of the search index: at each
        savepoint, and each statement with triggers, SQLite writes out what is new in the index."""
        self._execute_if_many()
        self._last.append((sql, values))

    def _execute_if_many(self) -> None:
        if len(self._last) >= AT_ONCE and not self._savepoints:
            self._execute_waiting()

    def _execute_waiting(self) -> None:
        for sql, values in self._last:
            self._conn.execute(sql, values)
        self._last.clear()

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement for each row."""
        self._conn.executemany(sql, rows)

    def one(self, sql: str, *values: object) -> Row | None:
        """The first row of a query."""
        row: Row | None = self._conn.execute(sql, values).fetchone()
        return row

    def insert(self, table: str, **values: object) -> int:
        """Add a row; return its id."""
        columns, marks = ", ".join(f'"{c}"' for c in values), ", ".join("?" * len(values))
        sql = f"insert into {table} ({columns}) values ({marks})"
        return self._conn.execute(sql, tuple(values.values())).lastrowid or 0

    def update(self, table: str, key: str, identity: int, **values: object) -> None:
        """Set columns of a row."""
        columns = ", ".join(f'"{c}" = ?' for c in values)
        self.execute(f"update {table} set {columns} where {key} = ?", *values.values(), identity)

    def about(self, key: str) -> str | None:
        """A fact about the archive, such as its site or the epoch of its feed."""
        row = self.one("select value from about where key = ?", key)
        return row[0] if row else None

    def set_about(self, key: str, value: str) -> None:
        """Record a fact about the archive."""
        upsert = "insert into about values (?, ?) on conflict (key) do update set value = excluded.value"
        self.execute(upsert, key, value)


def _refused(path: Path, error: sqlite3.Error) -> CannotWrite:
    name = getattr(error, "sqlite_errorname", "")
    todo = {
        "SQLITE_NOTADB": "the file is not a database: move it away and run 'sohr-archive rebuild'",
        "SQLITE_CORRUPT": "the file is damaged: move it away and run 'sohr-archive rebuild'",
        "SQLITE_FULL": "free some disk space and run the same command again",
        "SQLITE_IOERR": "free or repair the disk and run the same command again",
        "SQLITE_READONLY": "give it to a user who may write it",
        "SQLITE_CANTOPEN": "give it to a user who may write it",
        "SQLITE_BUSY": "another program keeps it locked: stop that program and run the same command again",
    }
    step = next(
        (text for code, text in todo.items() if name.startswith(code)),
        "repair it and run the same command again",
    )
    return CannotWrite(f"the database {path} cannot be written ({error}): {step}")
