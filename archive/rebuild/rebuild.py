"""Make the database from the evidence: every row, from the WARC files alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from archive.clock import now
from archive.errors import CannotWrite, DamagedWarc, NoArchive
from archive.extract import EXTRACTOR
from archive.extract.reader import Reader
from archive.figures.derive import derive
from archive.folder import DATABASE, WARC, put_in_place
from archive.ingest.events import apply_event
from archive.ingest.path import Ingest
from archive.outcome import MENDABLE
from archive.read.database import open_readonly
from archive.rebuild.mend import cut_torn_ends, known_ends, record_closed
from archive.rebuild.recover import recover
from archive.sites.sohr.addresses import Site
from archive.software import software
from archive.store.lock import hold
from archive.store.rows import Store
from archive.warc.files import warc_files
from archive.warc.manifests import write_manifest
from archive.warc.reader import read
from archive.warc.writer import Appender

if TYPE_CHECKING:
    from concurrent.futures import Executor

PARTIAL = "archive.db.rebuilding"


def site_of(folder: Path) -> Site:
    """The site of an archive. Raises NoArchive, OSError."""
    site = recorded_site(folder)
    if site is None:
        raise _no_archive(folder)
    return site


def recorded_site(folder: Path) -> Site | None:
    """The site of an archive as its first crawl recorded it; None before the first crawl. Raises OSError."""
    for file in warc_files(folder / WARC):
        for stored in read(file, events_only=True, damaged=[]):
            if stored.event and stored.event.get("event") == "crawl-started":
                return Site(str(stored.event["site"]))
    return None


def rebuild(folder: Path, progress: Callable[[int], None] = lambda _: None, jobs: int = 1) -> int:
    """Make the database anew and replace the old one once it is whole; return the number of records read.

    A rebuild that was stopped continues at the next call. ``progress`` gets the bytes read; ``jobs``
    processes read pages, then figures. Raises Locked, NoArchive, CannotWrite; DamagedRecords, after all
    others are indexed: then the old database is kept beside the new one, for it may have what the damaged
    records said.
    """
    lock = _hold(folder)
    damaged: list[str] = []
    try:
        partial = folder / PARTIAL
        store = Store(partial)
        # Another release read the first part: begin again.
        if (store.about("extractor") or EXTRACTOR) != EXTRACTOR:
            store.close()
            _remove_database(partial)
            store = Store(partial)
        with closing(store), _open_pool(jobs) as pool:
            ingest = Ingest(store, site_of(folder), folder)
            count = recover(folder, store, ingest, progress, pool=pool, damaged=damaged)
            derive(store, pool=pool)
        if damaged:
            _keep_database(folder)
        _remove_log(folder / DATABASE)
        put_in_place(partial, folder / DATABASE)
        write_manifest(folder, "rebuild", now())
    except OSError as error:
        raise CannotWrite(
            f"the archive {folder} cannot be written ({error.strerror}): "
            "free or mend the disk and run the same command again"
        ) from error
    finally:
        lock.close()
    if damaged:
        raise DamagedRecords(damaged, count)
    return count


@contextmanager
def _open_pool(jobs: int) -> Iterator[Executor | None]:
    if jobs == 1:
        yield None
        return
    from archive.extract.pool import open_pool  # on first use: most events let nothing be read again

    with open_pool(jobs) as pool:
        yield pool


def _keep_database(folder: Path) -> None:
    """Move the database and its log to a name of their own."""
    name = f"{DATABASE}.before-{now().replace(':', '')}"
    for suffix in ("-wal", ""):
        path = folder / f"{DATABASE}{suffix}"
        if path.exists():
            path.rename(folder / f"{name}{suffix}")


def _no_archive(folder: Path) -> NoArchive:
    return NoArchive(
        f"{folder} contains no evidence of a crawl: give the folder of an archive (--archive DIR)"
    )


def _hold(folder: Path) -> IO[str]:
    if not (folder / WARC).is_dir():
        raise _no_archive(folder)
    return hold(folder, os.getpid())


def _remove_log(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _remove_database(path: Path) -> None:
    path.unlink(missing_ok=True)
    _remove_log(path)


def record_event(folder: Path, event: dict[str, Any], jobs: int = 1) -> None:
    """Write an event that shapes an archive, durably, then apply it. Raises Locked, NoArchive, DamagedWarc,
    CannotWrite."""
    lock = _hold(folder)
    try:
        with closing(Store(folder / DATABASE)) as store, _open_pool(jobs) as pool:
            ingest = Ingest(store, site_of(folder), folder)
            recover(folder, store, ingest)
            warc = Appender(folder / WARC, ingest.site.name, known_ends(folder, store))
            warc.describe(software())
            position = warc.append_event(event["at"], event)
            warc.close()
            with store.transaction():
                store.files.register(warc.opened, event["at"])
                apply_event(ingest, event, position, _reader(ingest.site, pool))
            record_closed(folder, store, warc.closed)
            derive(store, pool=pool)
        write_manifest(folder, event["event"], event["at"])
    finally:
        lock.close()


def _reader(site: Site, pool: Executor | None) -> Reader | None:
    if pool is None:
        return None
    from archive.extract.pool import ParallelReader  # on first use, as in `_open_pool`

    return ParallelReader(site, pool)


def reextract(folder: Path, jobs: int = 1) -> dict[str, int]:
    """Read every article again with today's extractor, in ``jobs`` processes.

    Return how many texts read otherwise than before (``reparsed``), how many captures became readable
    (``mended``) and how many still are not (``unread``).
    """
    marks = ", ".join(f"'{word}'" for word in MENDABLE)
    query = f"""select (select count(*) from changes where kind = 'reparsed'),
                       (select count(*) from captures where outcome in ({marks}))"""

    def count() -> tuple[int, int]:
        with closing(open_readonly(folder)) as conn:
            reparsed, unread = conn.execute(query).fetchone()
            return reparsed, unread

    before = count()
    record_event(folder, {"event": "re-extracted", "extractor": EXTRACTOR, "at": now()}, jobs)
    after = count()
    return {"reparsed": after[0] - before[0], "mended": before[1] - after[1], "unread": after[1]}


def repair(folder: Path) -> tuple[int, int]:
    """Cut a torn last record, index what the database lacks, seal what no manifest covers; return the bytes
    cut and the records indexed.

    Raises Locked, NoArchive, CannotWrite; DamagedRecords, after all others are indexed.
    """
    lock = _hold(folder)
    try:
        with closing(Store(folder / DATABASE)) as store:
            cut = cut_torn_ends(folder, store, is_lenient=True)
            damaged: list[str] = []
            count = recover(folder, store, Ingest(store, site_of(folder), folder), damaged=damaged)
            derive(store)
        write_manifest(folder, "repair", now())
    finally:
        lock.close()
    if damaged:
        raise DamagedRecords(damaged, count)
    return cut, count


class DamagedRecords(DamagedWarc):
    """Raised when records of the archive are damaged. ``places`` has each as ``file:byte``; ``count`` others
    are indexed."""

    def __init__(self, places: list[str], count: int) -> None:
        self.places, self.count = places, count
        more = f" and {len(places) - 5} more" if len(places) > 5 else ""
        super().__init__(
            ", ".join(places[:5]) + more,
            f"cannot be read; {count} other records are indexed",
            advice="restore the files from a copy and run 'sohr-archive rebuild' ('verify' says more)",
        )
