"""Bring the database up to date with the WARC files, after a crash or from nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from archive.clock import now
from archive.extract import EXTRACTOR
from archive.folder import WARC
from archive.ingest.events import apply_event
from archive.ingest.path import Ingest
from archive.rebuild.mend import cut_torn_ends, known_ends, record_closed
from archive.software import software
from archive.store.rows import Store
from archive.warc.files import WarcFile, warc_files
from archive.warc.manifests import covered, manifests_since
from archive.warc.reader import Stored, read
from archive.warc.scan import scan_file
from archive.warc.writer import Appender

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from archive.extract.pool import ParallelReader

REPLAY_BATCH = 200
WORTH_IT = 10 * 2**20  # bytes of WARC, some 700 pages: fewer are read before other processes start


def recover(
    folder: Path,
    store: Store,
    ingest: Ingest,
    progress: Callable[[int], None] = lambda _: None,
    *,
    cut: bool = True,
    pool: Executor | None = None,
    damaged: list[str] | None = None,
) -> int:
    """Index the records that the database lacks; return how many. ``progress`` gets the bytes read.

    Without ``cut`` nothing outside of the database is written. The processes of ``pool`` read pages. What
    cannot be read is skipped for good and added to ``damaged`` as ``file:byte``; without that list it raises
    DamagedWarc. Raises CannotWrite.
    """
    if cut:
        cut_torn_ends(folder, store, is_lenient=damaged is not None)
    files = warc_files(folder / WARC)
    if files and store.about("epoch") is None:
        _begin(folder, store, ingest, is_lenient=damaged is not None)
        files = warc_files(folder / WARC)
    count = 0
    ahead = None
    for file in files:
        start = store.files.indexed_to(file.serial) or 0
        if start < (size := file.path.stat().st_size):
            with store.transaction():
                store.files.register([file], now())
            progress(start)
            if ahead is None and pool and size - start > WORTH_IT:
                from archive.extract.pool import ParallelReader  # on first use, by a rebuild

                ahead = ParallelReader(ingest.site, pool)
            before = len(damaged or ())
            count += _replay(store, ingest, read(file, start, damaged=damaged), start, progress, ahead)
            if len(damaged or ()) > before:
                _skip_damage(folder, store, file)
        if cut and not file.is_open:
            record_closed(folder, store, [file])
    return count


def _skip_damage(folder: Path, store: Store, file: WarcFile) -> None:
    """Mark a file as indexed to its end; an open one to its last whole record, where the next is added."""
    end = file.path.stat().st_size
    if file.is_open:
        end = max(covered(manifests_since(folder, file.serial)).get(file.serial, 0), scan_file(file, end).end)
    with store.transaction():
        store.set_about(f"indexed:{file.serial}", str(end))


def known_extractors(folder: Path, *, is_lenient: bool = False) -> tuple[set[str], int]:
    """The extractor releases that wrote the newest epoch of the feed, and that epoch's number. Raises
    DamagedWarc unless ``is_lenient``."""
    releases: set[str] = set()
    epoch = 1
    for file in warc_files(folder / WARC):
        for stored in read(file, events_only=True, damaged=[] if is_lenient else None):
            match stored.event:
                case {"event": "crawl-started" | "re-extracted", "extractor": release}:
                    releases.add(str(release))
                case {"event": "epoch", "epoch": number, "extractor": release}:
                    epoch, releases = int(str(number)), {str(release)}
    return releases, epoch


def _begin(folder: Path, store: Store, ingest: Ingest, *, is_lenient: bool) -> None:
    """Give a new database the epoch of the evidence; the next one if another release wrote the feed, for then
    consumers must begin again."""
    releases, epoch = known_extractors(folder, is_lenient=is_lenient)
    if releases - {EXTRACTOR}:
        epoch += 1
        warc = Appender(folder / WARC, ingest.site.name, known_ends(folder, store))
        warc.describe(software())
        at = now()
        warc.append_event(at, {"event": "epoch", "epoch": epoch, "extractor": EXTRACTOR, "at": at})
        warc.close()
    with store.transaction():
        store.set_about("epoch", str(epoch))
        store.set_about("extractor", EXTRACTOR)


def _replay(
    store: Store,
    ingest: Ingest,
    records: Iterator[Stored],
    start: int,
    progress: Callable[[int], None],
    ahead: ParallelReader | None,
) -> int:
    count = 0
    waiting: deque[list[Stored]] = deque()  # batches that are being read
    while batch := list(islice(records, REPLAY_BATCH)):
        count += len(batch)
        if ahead:
            ahead.start([stored.capture for stored in batch if stored.capture])
        waiting.append(batch)
        if len(waiting) > (2 if ahead else 0):
            start = _ingest_batch(store, ingest, waiting.popleft(), start, progress, ahead)
    for batch in waiting:
        start = _ingest_batch(store, ingest, batch, start, progress, ahead)
    return count


def _ingest_batch(
    store: Store,
    ingest: Ingest,
    batch: list[Stored],
    start: int,
    progress: Callable[[int], None],
    ahead: ParallelReader | None,
) -> int:
    """Ingest a batch as one transaction; return where its last record ends."""
    with store.transaction():
        for stored in batch:
            if stored.event is not None:
                apply_event(ingest, stored.event, stored.position)
            elif stored.capture is not None and not store.captures.has_record(stored.position.record_id):
                ingest.record_capture(stored.capture, stored.position, stored.look, ahead)
    end = batch[-1].position.offset + batch[-1].position.length
    progress(end - start)
    return end
