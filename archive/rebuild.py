"""The database from its evidence: every capture, article, alias, sighting, version, change and mark of coverage, from the WARC files alone."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from archive.errors import CannotWrite, NoArchive
from archive.extract import EXTRACTOR
from archive.ingest import Ingest
from archive.lock import hold
from archive.recover import recover
from archive.sites.sohr.addresses import Site
from archive.store import DATABASE, Store
from archive.warc import read, warc_files

PARTIAL = "archive.db.rebuilding"


def site_of(folder: Path) -> Site:
    """The site an archive is of, as its first crawl wrote it down. Raises NoArchive, DamagedWarc."""
    for file in warc_files(folder / "warc"):
        for stored in read(file):
            if stored.event and stored.event.get("event") == "crawl-started":
                return Site(str(stored.event["site"]))
    raise NoArchive(f"{folder} holds no evidence of a crawl: give the folder of an archive (--archive DIR)")


def rebuild(folder: Path, progress: Callable[[int], None] = lambda _: None) -> int:
    """Make the database anew beside the old one, and put it in its place once it is whole; returns the number of records read.

    Stopped half-way, the next call goes on where it was. Raises Locked, NoArchive, DamagedWarc, CannotWrite.
    """
    if not (folder / "warc").is_dir():
        raise NoArchive(f"{folder} holds no evidence of a crawl: give the folder of an archive (--archive DIR)")
    lock = hold(folder, os.getpid())
    try:
        site = site_of(folder)
        partial = folder / PARTIAL
        store = Store(partial)
        if (store.about("rebuilding_with") or EXTRACTOR) != EXTRACTOR:  # half of it was read by another release: begin again
            store.close()
            _remove(partial)
            store = Store(partial)
        with store.transaction():
            store.set_about("rebuilding_with", EXTRACTOR)
        count = recover(folder, store, Ingest(store, site, folder), progress)
        with store.transaction():
            store.forget_about("rebuilding_with")
        store.close()
        _remove(folder / DATABASE, keep=True)
        partial.replace(folder / DATABASE)
    finally:
        lock.close()
    return count


def _remove(path: Path, *, keep: bool = False) -> None:
    """Remove a database and its log; ``keep`` leaves the main file, which is about to be replaced in one step."""
    for suffix in ("-wal", "-shm") if keep else ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def repair(folder: Path) -> tuple[int, int]:
    """Cut a torn last record and index what the database lacks; bytes cut and records indexed.

    Raises Locked, NoArchive, DamagedWarc, CannotWrite.
    """
    lock = hold(folder, os.getpid())
    try:
        site = site_of(folder)
        store = Store(folder / DATABASE)
        before = sum(file.path.stat().st_size for file in warc_files(folder / "warc"))
        count = recover(folder, store, Ingest(store, site, folder))
        store.close()
        return before - sum(file.path.stat().st_size for file in warc_files(folder / "warc")), count
    finally:
        lock.close()


def backup(connection: sqlite3.Connection, target: Path) -> str:
    """Copy a database, page by page, as of one instant; its SHA-256, which is also written beside it. Raises CannotWrite."""
    partial = target.with_name(target.name + ".partial")
    try:
        partial.unlink(missing_ok=True)
        copy = sqlite3.connect(partial)
        try:
            connection.backup(copy, pages=1024)
            copy.execute("pragma journal_mode = delete")
        finally:
            copy.close()
        with open(partial, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            os.fsync(stream.fileno())
        partial.replace(target)
        target.with_name(target.name + ".sha256").write_text(f"{digest}  {target.name}\n", encoding="ascii")
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        raise CannotWrite(f"the copy {target} cannot be written ({error}): free the disk or give another place") from error
    return digest
