"""After a crash: what was torn is cut, what is in the WARC files and not in the database comes in by the same
path."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path

from archive.clock import now
from archive.errors import DamagedWarc
from archive.extract.other_sites import second_opinion
from archive.extract.page import EXTRACTOR, extract
from archive.extract.pool import Ahead
from archive.ingest.path import Ingest
from archive.software import software
from archive.store.rows import Store
from archive.warc.manifests import covered, digest_of, manifests
from archive.warc.scan import last_whole, read_past
from archive.warc.writer import Appender, Stored, WarcFile, cut_torn, read, warc_files

REPLAY_BATCH = 200
# Bytes of WARC, some 700 pages: below, the processes take longer to start than they save
WORTH_IT = 10 * 2**20


def recover(
    folder: Path,
    store: Store,
    ingest: Ingest,
    progress: Callable[[int], None] = lambda _: None,
    *,
    cut: bool = True,
    jobs: int = 1,
    damaged: list[str] | None = None,
) -> int:
    """Bring the database up to its WARC files; returns how many records it lacked. ``progress`` is told the
    bytes read, as they are.

    Without ``cut`` nothing outside of the database is written; ``jobs`` is how many processes read pages.
    With a list for the places (``file:byte``) of what is ``damaged``, that is passed over, now and from now
    on. Raises DamagedWarc (without the list), CannotWrite.
    """
    if cut:
        mend(folder, store, is_lenient=damaged is not None)
    files = warc_files(folder / "warc")
    if files and store.about("epoch") is None:
        _begin(folder, store, ingest, is_lenient=damaged is not None)
        files = warc_files(folder / "warc")
    lacking = 0
    with ExitStack() as stack:
        ahead = None
        for file in files:
            start = store.indexed_to(file.serial) or 0
            if start < (size := file.path.stat().st_size):
                with store.transaction():
                    store.register_files([file], now())
                progress(start)
                if ahead is None and jobs > 1 and size - start > WORTH_IT:
                    ahead = stack.enter_context(Ahead(ingest.site, jobs))
                    ingest.extract, ingest.second_opinion = ahead.extract, ahead.second_opinion
                before = len(damaged or ())
                stored = read(file, start) if damaged is None else read_past(file, start, damaged)
                lacking += _replay(store, ingest, stored, start, progress, ahead)
                if damaged is not None and len(damaged) > before:
                    kept = covered(manifests(folder)).get(file.serial, 0)
                    with store.transaction():
                        store.set_about(
                            f"indexed:{file.serial}",
                            str(max(kept, last_whole(file)) if file.is_open else size),
                        )
            if cut and not file.is_open:
                _settle(store, file)
        ingest.extract, ingest.second_opinion = extract, second_opinion
    return lacking


def mend(folder: Path, store: Store | None, *, is_lenient: bool = False) -> int:
    """Cut the torn ends of open files; the bytes cut. Nothing that is indexed, or named in a manifest, is
    touched.

    Raises DamagedWarc; where it is to be lenient, a file that is damaged stays as it is.
    """
    kept = covered(manifests(folder))
    cut = 0
    for file in warc_files(folder / "warc"):
        start = max(kept.get(file.serial, 0), (store.indexed_to(file.serial) if store else None) or 0)
        if file.is_open and start < file.path.stat().st_size:
            with suppress(*[DamagedWarc] * is_lenient):
                cut += cut_torn(file.path, start)
    return cut


def known_extractors(folder: Path, *, is_lenient: bool = False) -> tuple[set[str], int]:
    """The extractor releases that told the feed of the newest epoch, and the number of that epoch. Raises
    DamagedWarc, unless it is lenient."""
    releases: set[str] = set()
    epoch = 1
    for file in warc_files(folder / "warc"):
        for stored in (
            read_past(file, 0, [], events_only=True) if is_lenient else read(file, events_only=True)
        ):
            match stored.event:
                case {"event": "crawl-started" | "re-extracted", "extractor": release}:
                    releases.add(str(release))
                case {"event": "epoch", "epoch": number, "extractor": release}:
                    epoch, releases = int(str(number)), {str(release)}
    return releases, epoch


def _begin(folder: Path, store: Store, ingest: Ingest, *, is_lenient: bool) -> None:
    """A database made anew is of the epoch that the evidence tells, or of the next one where another release
    had told the feed."""
    releases, epoch = known_extractors(folder, is_lenient=is_lenient)
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


def _replay(
    store: Store,
    ingest: Ingest,
    records: Iterator[Stored],
    start: int,
    progress: Callable[[int], None],
    ahead: Ahead | None,
) -> int:
    count = 0
    waiting: deque[list[Stored]] = deque()  # batches that are being read
    for batch in _batches(records):
        count += len(batch)
        if ahead:
            ahead.start([stored.capture for stored in batch if stored.capture])
        waiting.append(batch)
        if len(waiting) > (2 if ahead else 0):
            start = _take(store, ingest, waiting.popleft(), start, progress)
    for batch in waiting:
        start = _take(store, ingest, batch, start, progress)
    return count


def _batches(stored: Iterator[Stored]) -> Iterator[list[Stored]]:
    while batch := list(islice(stored, REPLAY_BATCH)):
        yield batch


def _take(
    store: Store, ingest: Ingest, batch: list[Stored], start: int, progress: Callable[[int], None]
) -> int:
    """Take a batch in as one transaction; where its last record ends."""
    with store.transaction():
        for stored in batch:
            if stored.event is not None:
                ingest.event(stored.event, stored.position)
            elif stored.capture is not None and not store.has_record(stored.position.record_id):
                ingest.safely(stored.capture, stored.position, stored.look)
    end = batch[-1].position.offset + batch[-1].position.length
    progress(end - start)
    return end


def settle(store: Store, warc: Appender) -> None:
    """Write down the digests of files that were closed since the last call."""
    while warc.closed:
        _settle(store, warc.closed.pop())


def _settle(store: Store, file: WarcFile) -> None:
    if store.one("select 1 from warc_files where serial = ? and sha256 is null", file.serial) is None:
        return
    parts = (
        part
        for manifest in manifests(file.path.parent.parent)
        for part in manifest.parts
        if part.serial == file.serial
    )
    if any(digest_of(file.path, part.start, part.end) != part.sha256 for part in parts):
        return  # not what it was: nobody is to be told that this is its digest
    with open(file.path, "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    with store.transaction():
        store.close_file(file.serial, now(), file.path.stat().st_size, digest)
