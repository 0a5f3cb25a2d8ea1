"""Follow the feed without an end, also across a rebuild, which replaces the database."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from archive.folder import DATABASE
from archive.read import feed
from archive.read.consumers import FeedBeganAnew
from archive.read.database import open_readonly, translate_sqlite_errors

WAIT_SECONDS = 1.0  # between two looks; a look that finds nothing costs one read of an index
_BATCH = 500  # changes of one transaction: a slow reader does not hold the database's log


def follow(
    folder: Path, after: int = 0, *, wait: float = WAIT_SECONDS, is_over: Callable[[], bool] = lambda: False
) -> Iterator[dict[str, Any] | None]:
    """Changes after ``after`` as they come; None when there is no more for now, so that the caller can flush.

    Raises FeedBeganAnew if another release has rebuilt the database meanwhile.
    """
    conn, place = _open(folder)
    epoch = feed.epoch(conn)
    try:
        while not is_over():
            with translate_sqlite_errors(folder / DATABASE):
                batch = list(feed.changes(conn, after, _BATCH))
            for record in batch:
                after = record["seq"]
                yield record
            if batch:
                continue
            yield None
            if is_over():
                return
            time.sleep(wait)
            if _place(folder) not in (place, None):
                conn.close()
                conn, place = _open(folder)
                if feed.epoch(conn) != epoch or feed.newest_seq(conn) < after:
                    raise FeedBeganAnew(
                        "the feed began anew while it was followed: apply it from 0 to an empty state"
                    )
    finally:
        conn.close()


def _open(folder: Path) -> tuple[sqlite3.Connection, tuple[int, int] | None]:
    place = _place(folder)
    return open_readonly(folder), place


def _place(folder: Path) -> tuple[int, int] | None:
    """Which file the database is; None if there is none at this instant."""
    try:
        found = (folder / DATABASE).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
