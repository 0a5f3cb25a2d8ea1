"""After a crash: what is in the WARC files and not in the database comes in by the same path; what was torn is cut."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from archive.clock import now
from archive.ingest import Ingest
from archive.store import Store
from archive.warc import Appender, Stored, WarcFile, cut_torn, read, warc_files

REPLAY_BATCH = 200


def recover(folder: Path, store: Store, ingest: Ingest, progress: Callable[[int], None] = lambda _: None, *, cut: bool = True) -> int:
    """Bring the database up to its WARC files; returns how many records it lacked, told to ``progress`` as they come.

    Raises DamagedWarc, CannotWrite.
    """
    lacking = 0
    for file in warc_files(folder / "warc"):
        start = store.indexed_to(file.serial)
        if start is not None and start >= file.path.stat().st_size:
            continue
        with store.transaction():
            store.register_files([file], now())
        if file.is_open and cut:
            cut_torn(file.path, start or 0)
        lacking += _replay(store, ingest, file, start or 0, progress)
    return lacking


def _replay(store: Store, ingest: Ingest, file: WarcFile, start: int, progress: Callable[[int], None]) -> int:
    count = 0
    batch: list[Stored] = []
    for stored in read(file, start):
        batch.append(stored)
        count += 1
        if len(batch) >= REPLAY_BATCH:
            _take(store, ingest, batch)
            progress(len(batch))
            batch = []
    _take(store, ingest, batch)
    progress(len(batch))
    return count


def _take(store: Store, ingest: Ingest, batch: list[Stored]) -> None:
    with store.transaction():
        for stored in batch:
            if stored.event is not None:
                ingest.event(stored.event, stored.position)
            elif stored.capture is not None and not store.has_record(stored.position.record_id):
                ingest.safely(stored.capture, stored.position, stored.look)


def settle(store: Store, warc: Appender) -> None:
    """Write down the digests of files that were closed since the last call."""
    while warc.closed:
        file = warc.closed.pop()
        with open(file.path, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        with store.transaction():
            store.close_file(file.serial, now(), file.path.stat().st_size, digest)
