"""Named consumers of the feed and how far each has read, in `consumers.db` beside the archive. No crawl,
rebuild or backup changes that file.

A cursor moves only when its consumer calls `Consumers.ack` after it has processed a change: if it crashes
before, it gets the change again, and it never misses one.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from archive.clock import now
from archive.errors import CANNOT_WRITE, REPLAY, USAGE, ArchiveError
from archive.folder import CONSUMERS
from archive.read import feed
from archive.read.database import BUSY_MS

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TABLE = """create table if not exists consumers (
    name text primary key, seq integer not null, epoch integer not null, first_read_at text not null,
    acknowledged_at text
) strict"""


class BadConsumer(ArchiveError):
    """Raised when a consumer's name or number cannot be right: unknown, backwards, or beyond the newest
    change."""

    exit_status: ClassVar[int] = USAGE


class FeedBeganAnew(ArchiveError):
    """Raised when a consumer has read an older epoch of the feed, or beyond its end: what it has read is
    obsolete."""

    exit_status: ClassVar[int] = REPLAY


class CannotKeepCursor(ArchiveError):
    """Raised when `consumers.db` cannot be read or written."""

    exit_status: ClassVar[int] = CANNOT_WRITE


@dataclass(frozen=True, slots=True)
class Consumer:
    """A consumer: the last change it has processed, in which epoch, and when it said so (None: never)."""

    name: str
    seq: int
    epoch: int
    first_read_at: str
    acknowledged_at: str | None


class Consumers:
    """The consumers of an archive. ``conn`` is the archive's own database, for reading."""

    def __init__(self, folder: Path, conn: sqlite3.Connection) -> None:
        self._path = folder / CONSUMERS
        self._conn = conn

    def cursor(self, name: str) -> Consumer:
        """How far a consumer has read; a new one begins at 0. Raises FeedBeganAnew, BadConsumer,
        CannotKeepCursor."""
        if not _NAME.fullmatch(name):
            raise BadConsumer(
                f"{name!r} is not a name for a consumer: use letters, digits, dots, dashes and underscores"
            )
        found = next((one for one in self.all() if one.name == name), None)
        if found is None:
            with self._writing() as db:
                sql = "insert into consumers (name, seq, epoch, first_read_at) values (?, 0, ?, ?)"
                db.execute(f"{sql} on conflict do nothing", (name, feed.epoch(self._conn), now()))
                found = _read_all(db)[name]
        self._check_feed(found)
        return found

    def ack(self, name: str, seq: int, *, rewind: bool = False) -> Consumer:
        """Record that the consumer has processed all changes up to ``seq``; with ``rewind`` it may go back,
        or begin in a new epoch, at 0 or after all that there is.

        Raises BadConsumer, FeedBeganAnew, CannotKeepCursor.
        """
        newest = feed.newest_seq(self._conn)
        if not 0 <= seq <= newest:
            raise BadConsumer(
                f"the newest change of this archive is {newest}: {seq} cannot have been processed"
            )
        with self._writing() as db:
            known = _read_all(db)
            if (found := known.get(name)) is None:
                raise BadConsumer(
                    f"no consumer {name!r} has read yet"
                    + (f": known are {', '.join(known)}" if known else ": changes --consumer makes one")
                )
            if not (rewind and seq in (0, newest)):
                self._check_feed(found)
            if seq < found.seq and not rewind:
                raise BadConsumer(
                    f"{name} has dealt with {found.seq} already: to go back to {seq}, add --rewind"
                )
            found = replace(found, seq=seq, epoch=feed.epoch(self._conn), acknowledged_at=now())
            # SQLite writes no row that stays as it is: then a full disk would be noticed only at the next one
            db.execute("update consumers set acknowledged_at = null where name = ?", (name,))
            db.execute(
                "update consumers set seq = ?, epoch = ?, acknowledged_at = ? where name = ?",
                (found.seq, found.epoch, found.acknowledged_at, name),
            )
        return found

    def all(self) -> list[Consumer]:
        """Every consumer, by name. Raises CannotKeepCursor."""
        if not self._path.exists():
            return []
        with self._translate_errors(), closing(self._open()) as db:
            return list(_read_all(db).values())

    def _check_feed(self, consumer: Consumer) -> None:
        """Raises FeedBeganAnew if what the consumer has read is obsolete."""
        epoch, newest = feed.epoch(self._conn), feed.newest_seq(self._conn)
        again = f"replay it: 'sohr-archive ack {consumer.name} 0 --rewind', and apply it to an empty state"
        if consumer.epoch != epoch:
            raise FeedBeganAnew(
                f"the feed began anew: {consumer.name} has read epoch {consumer.epoch}, "
                f"this is epoch {epoch}; {again}"
            )
        if consumer.seq > newest:
            raise FeedBeganAnew(
                f"{consumer.name} has read up to {consumer.seq}, "
                f"and the newest change of this archive is {newest}; {again}"
            )

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, isolation_level=None, timeout=BUSY_MS / 1000)
        db.execute(_TABLE)
        return db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._translate_errors(), closing(self._open()) as db:
            db.execute("begin immediate")
            try:
                yield db
            except BaseException:
                if db.in_transaction:  # SQLite ends one itself on a full disk
                    db.execute("rollback")
                raise
            db.execute("commit")

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise CannotKeepCursor(
                f"{self._path} cannot be used ({error}): make it writable, free some space, or move it away"
            ) from error


def _read_all(db: sqlite3.Connection) -> dict[str, Consumer]:
    """The consumers by name, in order."""
    sql = "select name, seq, epoch, first_read_at, acknowledged_at from consumers order by name"
    return {row[0]: Consumer(*row) for row in db.execute(sql)}
