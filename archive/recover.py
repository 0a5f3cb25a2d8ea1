"""After a crash: what was torn is cut, what is in the WARC files and not in the database comes in by the same path."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from archive.clock import now
from archive.extract import EXTRACTOR
from archive.ingest import Ingest
from archive.manifests import covered, manifests
from archive.release import software
from archive.store import Store
from archive.warc import Appender, Stored, WarcFile, cut_torn, read, warc_files

REPLAY_BATCH = 200


def recover(folder: Path, store: Store, ingest: Ingest, progress: Callable[[int], None] = lambda _: None, *, cut: bool = True) -> int:
    """Bring the database up to its WARC files; returns how many records it lacked. ``progress`` is told the bytes read, as they are.

    Without ``cut`` nothing outside of the database is written. Raises DamagedWarc, CannotWrite.
    """
    if cut:
        mend(folder, store)
    files = warc_files(folder / "warc")
    if files and store.about("epoch") is None:
        _begin(folder, store, ingest)
        files = warc_files(folder / "warc")
    lacking = 0
    for file in files:
        start = store.indexed_to(file.serial) or 0
        if start < file.path.stat().st_size:
            with store.transaction():
                store.register_files([file], now())
            progress(start)
            lacking += _replay(store, ingest, file, start, progress)
        if cut and not file.is_open:
            _settle(store, file)
    return lacking


def mend(folder: Path, store: Store | None) -> int:
    """Cut the torn ends of open files; the bytes cut. Nothing that is indexed, or named in a manifest, is touched. Raises DamagedWarc."""
    kept = covered(manifests(folder))
    cut = 0
    for file in warc_files(folder / "warc"):
        start = max(kept.get(file.serial, 0), (store.indexed_to(file.serial) if store else None) or 0)
        if file.is_open and start < file.path.stat().st_size:
            cut += cut_torn(file.path, start)
    return cut


def known_extractors(folder: Path) -> tuple[set[str], int]:
    """The extractor releases that told the feed of the newest epoch, and the number of that epoch."""
    releases: set[str] = set()
    epoch = 1
    for file in warc_files(folder / "warc"):
        for stored in read(file):
            match stored.event:
                case {"event": "crawl-started" | "re-extracted", "extractor": release}:
                    releases.add(str(release))
                case {"event": "epoch", "epoch": number, "extractor": release}:
                    epoch, releases = int(str(number)), {str(release)}
    return releases, epoch


def _begin(folder: Path, store: Store, ingest: Ingest) -> None:
    """A database made anew is of the epoch that the evidence tells, or of the next one where another release had told the feed."""
    releases, epoch = known_extractors(folder)
    if releases - {EXTRACTOR}:  # what was told came from another reading: consumers must begin anew
        epoch += 1
        warc = Appender(folder / "warc", ingest.site.name)
        warc.describe(software())
        at = now()
        warc.event(at, {"event": "epoch", "epoch": epoch, "extractor": EXTRACTOR, "at": at})
        warc.close()
    with store.transaction():
        store.set_about("epoch", str(epoch))
        store.set_about("extractor", EXTRACTOR)


def _replay(store: Store, ingest: Ingest, file: WarcFile, start: int, progress: Callable[[int], None]) -> int:
    count = 0
    batch: list[Stored] = []
    for stored in read(file, start):
        batch.append(stored)
        count += 1
        if len(batch) >= REPLAY_BATCH:
            start = _take(store, ingest, batch, start, progress)
            batch = []
    _take(store, ingest, batch, start, progress)
    return count


def _take(store: Store, ingest: Ingest, batch: list[Stored], start: int, progress: Callable[[int], None]) -> int:
    """Take a batch in as one transaction; where its last record ends."""
    with store.transaction():
        for stored in batch:
            if stored.event is not None:
                ingest.event(stored.event, stored.position)
            elif stored.capture is not None and not store.has_record(stored.position.record_id):
                ingest.safely(stored.capture, stored.position, stored.look)
    end = batch[-1].position.offset + batch[-1].position.length if batch else start
    progress(end - start)
    return end


def settle(store: Store, warc: Appender) -> None:
    """Write down the digests of files that were closed since the last call."""
    while warc.closed:
        _settle(store, warc.closed.pop())


def _settle(store: Store, file: WarcFile) -> None:
    if store.one("select 1 from warc_files where serial = ? and sha256 is null", file.serial) is None:
        return
    with open(file.path, "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    with store.transaction():
        store.close_file(file.serial, now(), file.path.stat().st_size, digest)
