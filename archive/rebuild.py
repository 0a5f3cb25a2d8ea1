"""The database from its evidence: every capture, article, alias, sighting, version, change and mark of coverage, from the WARC files alone."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from archive.clock import now
from archive.errors import CannotWrite, NoArchive
from archive.extract import EXTRACTOR
from archive.ingest import MENDABLE, Ingest
from archive.lock import hold
from archive.manifests import write_manifest
from archive.reading import open_readonly
from archive.recover import recover
from archive.release import software
from archive.sites.sohr.addresses import Site
from archive.store import DATABASE, Store
from archive.warc import Appender, read, warc_files

PARTIAL = "archive.db.rebuilding"


def site_of(folder: Path) -> Site:
    """The site an archive is of, as its first crawl wrote it down. Raises NoArchive, DamagedWarc."""
    for file in warc_files(folder / "warc"):
        for stored in read(file):
            if stored.event and stored.event.get("event") == "crawl-started":
                return Site(str(stored.event["site"]))
    raise NoArchive(f"{folder} holds no evidence of a crawl: give the folder of an archive (--archive DIR)")


def known_extractors(folder: Path) -> tuple[set[str], int, str | None]:
    """The extractor releases whose feed an archive told, its newest epoch, and the release that epoch was begun by."""
    releases, epoch, of = set(), 1, None
    for file in warc_files(folder / "warc"):
        for stored in read(file):
            match stored.event:
                case {"event": "crawl-started" | "re-extracted", "extractor": release}:
                    releases.add(str(release))
                case {"event": "epoch", "epoch": number, "extractor": release}:
                    epoch, of, releases = int(str(number)), str(release), set()
    return releases | ({of} if of else set()), epoch, of


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
        releases, epoch, _ = known_extractors(folder)
        if releases - {EXTRACTOR}:  # what was told came from another reading: consumers must begin anew
            epoch += 1
            warc = Appender(folder / "warc", site.name)
            warc.describe(software())
            warc.event(now(), {"event": "epoch", "epoch": epoch, "extractor": EXTRACTOR, "at": now()})
            warc.close()
        with store.transaction():
            store.set_about("rebuilding_with", EXTRACTOR)
            store.set_about("epoch", str(epoch))
            store.set_about("extractor", EXTRACTOR)
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


def happened(folder: Path, event: dict[str, Any]) -> None:
    """Write an event that shapes an archive, durably, and let it take effect. Raises Locked, NoArchive, DamagedWarc, CannotWrite."""
    lock = hold(folder, os.getpid())
    try:
        site = site_of(folder)
        store = Store(folder / DATABASE)
        ingest = Ingest(store, site, folder)
        recover(folder, store, ingest)
        warc = Appender(folder / "warc", site.name)
        warc.describe(software())
        position = warc.event(event["at"], event)
        warc.close()
        with store.transaction():
            store.register_files(warc.opened, event["at"])
            ingest.event(event, position)
        store.close()
        write_manifest(folder, event["event"], event["at"])
    finally:
        lock.close()


def reextract(folder: Path) -> dict[str, int]:
    """Read every article again with today's extractor: how many read otherwise, how many captures came in, how many still cannot be read."""
    query = "select (select count(*) from changes where kind = 'reparsed'), (select count(*) from captures where outcome in (%s))"
    marks = ", ".join(f"'{word}'" for word in MENDABLE)

    def counted() -> tuple[int, int]:
        with closing(open_readonly(folder)) as conn:
            row = conn.execute(query % marks).fetchone()
            return int(row[0]), int(row[1])

    before = counted()
    happened(folder, {"event": "re-extracted", "extractor": EXTRACTOR, "at": now()})
    after = counted()
    return {"reparsed": after[0] - before[0], "mended": before[1] - after[1], "unread": after[1]}


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
