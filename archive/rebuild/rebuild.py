"""The database from its evidence: every capture, article, alias, sighting, version, change and mark of
coverage, from the WARC files alone."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Any

from archive.clock import now
from archive.errors import CannotWrite, DamagedWarc, NoArchive
from archive.export.versions import is_kept
from archive.extract.page import EXTRACTOR
from archive.ingest.path import MENDABLE, Ingest
from archive.read.database import open_readonly
from archive.rebuild.recover import mend, recover, settle
from archive.sites.sohr.addresses import Site
from archive.software import software
from archive.store.lock import hold
from archive.store.rows import DATABASE, Store
from archive.warc.manifests import write_manifest
from archive.warc.writer import Appender, read, warc_files

PARTIAL = "archive.db.rebuilding"

_SQLITE = b"SQLite format 3\0"  # how every database of SQLite begins


def site_of(folder: Path) -> Site:
    """The site an archive is of. Raises NoArchive, DamagedWarc."""
    site = recorded_site(folder)
    if site is None:
        raise NoArchive(
            f"{folder} holds no evidence of a crawl: give the folder of an archive (--archive DIR)"
        )
    return site


def recorded_site(folder: Path) -> Site | None:
    """The site an archive is of, as its first crawl wrote it down; None where it wrote nothing. Raises
    DamagedWarc."""
    events = (
        stored.event
        for file in warc_files(folder / "warc")
        for stored in read(file, events_only=True)
        if stored.event
    )
    home = next((event["site"] for event in events if event.get("event") == "crawl-started"), None)
    return Site(str(home)) if home else None


def rebuild(folder: Path, progress: Callable[[int], None] = lambda _: None, jobs: int = 1) -> int:
    """Make the database anew beside the old one, and put it in its place once it is whole; returns the number
    of records read.

    Stopped half-way, the next call goes on where it was. ``progress`` is told the bytes read; ``jobs``
    processes read pages. Raises Locked, NoArchive, DamagedWarc, CannotWrite.
    """
    lock = _hold(folder)
    try:
        partial = folder / PARTIAL
        store = Store(partial)
        # Half of it was read by another release: begin again
        if (store.about("extractor") or EXTRACTOR) != EXTRACTOR:
            store.close()
            _remove(partial)
            store = Store(partial)
        with closing(store):
            mend(folder, store)
            count = recover(folder, store, Ingest(store, site_of(folder), folder), progress, jobs=jobs)
        _remove(folder / DATABASE, keep=True)
        partial.replace(folder / DATABASE)
        write_manifest(folder, "rebuild", now())
    except OSError as error:
        raise CannotWrite(
            f"the archive {folder} cannot be written ({error.strerror}): free or mend the disk and run the same command again"
        ) from error
    finally:
        lock.close()
    return count


def _hold(folder: Path) -> IO[str]:
    if not (folder / "warc").is_dir():
        raise NoArchive(
            f"{folder} holds no evidence of a crawl: give the folder of an archive (--archive DIR)"
        )
    return hold(folder, os.getpid())


def _remove(path: Path, *, keep: bool = False) -> None:
    """Remove a database and its log; ``keep`` leaves the main file, which is about to be replaced in one
    step."""
    for suffix in ("-wal", "-shm") if keep else ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def happened(folder: Path, event: dict[str, Any], jobs: int = 1) -> None:
    """Write an event that shapes an archive, durably, and let it take effect. Raises Locked, NoArchive,
    DamagedWarc, CannotWrite."""
    lock = _hold(folder)
    try:
        with closing(Store(folder / DATABASE)) as store:
            mend(folder, store)
            ingest = Ingest(store, site_of(folder), folder)
            recover(folder, store, ingest)
            ingest.jobs = jobs
            warc = Appender(folder / "warc", ingest.site.name)
            warc.describe(software())
            position = warc.event(event["at"], event)
            warc.close()
            with store.transaction():
                store.register_files(warc.opened, event["at"])
                ingest.event(event, position)
            settle(store, warc)
        write_manifest(folder, event["event"], event["at"])
    finally:
        lock.close()


def reextract(folder: Path, jobs: int = 1) -> dict[str, int]:
    """Read every article again with today's extractor, in ``jobs`` processes.

    How many read otherwise, how many captures came in, how many still cannot be read.
    """
    query = "select (select count(*) from changes where kind = 'reparsed'), (select count(*) from captures where outcome in (%s))"
    marks = ", ".join(f"'{word}'" for word in MENDABLE)

    def counted() -> tuple[int, int]:
        with closing(open_readonly(folder)) as conn:
            row = conn.execute(query % marks).fetchone()
            return int(row[0]), int(row[1])

    before = counted()
    happened(folder, {"event": "re-extracted", "extractor": EXTRACTOR, "at": now()}, jobs)
    after = counted()
    return {"reparsed": after[0] - before[0], "mended": before[1] - after[1], "unread": after[1]}


def repair(folder: Path) -> tuple[int, int]:
    """Cut a torn last record and index what the database lacks; bytes cut and records indexed.

    Raises Locked, NoArchive, CannotWrite; DamagedWarc, which names each record that is damaged, when all the
    others are indexed.
    """
    lock = _hold(folder)
    try:
        with closing(Store(folder / DATABASE)) as store:
            cut = mend(folder, store, is_lenient=True)
            damaged: list[str] = []
            count = recover(folder, store, Ingest(store, site_of(folder), folder), damaged=damaged)
            if damaged:
                told = ", ".join(damaged[:5]) + (f" and {len(damaged) - 5} more" if len(damaged) > 5 else "")
                todo = "restore the files from a copy and run 'sohr-archive rebuild' ('verify' says more)"
                raise DamagedWarc(f"{told} cannot be read; {count} other records indexed: {todo}")
            return cut, count
    finally:
        lock.close()


def _begins(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(len(_SQLITE))


def backup(connection: sqlite3.Connection, target: Path, keep: Path) -> str:
    """Copy a database as of one instant; its SHA-256, which is also written beside it. ``keep`` is the
    archive's folder.

    An earlier copy is replaced. Raises CannotWrite, also where the target is a file of the archive itself, or
    of another kind.
    """
    target = target.resolve()
    if is_kept(target, keep.resolve()):
        raise CannotWrite(f"{target} is a file of the archive itself: give another place")
    partial = target.with_name(target.name + ".partial")
    try:
        if target.exists() and target.stat().st_size and _begins(target) != _SQLITE:
            raise CannotWrite(f"{target} is there already and no copy of a database: give another name")
        partial.unlink(missing_ok=True)
        with closing(sqlite3.connect(partial)) as copy:
            # In one step: page by page it would begin again with every commit of a crawl
            connection.backup(copy)
            copy.execute("pragma journal_mode = delete")
        with open(partial, "r+b") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            os.fsync(stream.fileno())
        partial.replace(target)
        target.with_name(target.name + ".sha256").write_text(f"{digest}  {target.name}\n", encoding="ascii")
    except (OSError, sqlite3.Error) as error:
        for suffix in ("", "-wal", "-shm", "-journal"):
            with suppress(OSError):
                partial.with_name(partial.name + suffix).unlink(missing_ok=True)
        raise CannotWrite(
            f"the copy {target} cannot be written ({error}): free the disk or give another place"
        ) from error
    return digest
