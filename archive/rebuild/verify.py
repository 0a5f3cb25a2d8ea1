"""Does the archive still hold what it took in? Evidence against its digests, the database against the
evidence, manifests against each other.

Three outcomes for whatever is looked at: it matches, it does not match, it is absent. Only the latter two are
told, each once.
"""

from __future__ import annotations

import fcntl
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from archive.errors import ArchiveError, Locked
from archive.extract.other_sites import CROSS_CHECK
from archive.extract.page import EXTRACTOR
from archive.ingest.path import Ingest
from archive.read.database import DamagedDatabase, open_readonly
from archive.rebuild.rebuild import site_of
from archive.rebuild.recover import recover
from archive.store.rows import Store
from archive.text.normalise import same_sha256, text_sha256
from archive.warc.manifests import Manifest, digest_of, manifests
from archive.warc.revisits import Original
from archive.warc.scan import Finding, Kind, scan_file
from archive.warc.writer import WarcFile, warc_files

_MOST = 10  # rows of a table that are named: damage to more has one cause
# Tables that are not derived from records: when files were opened and closed, and what SQLite and its search
# keep for themselves.
_OWN = ("warc_files", "about", "claim_sets", "sqlite_*", "_sqlite_*", "search*")


_ROWS = """
select c.offset, c.length, c.record_id, c.payload_sha256, c.url, g.serial, o.offset, o.record_id, o.url, o.captured_at, o.payload_sha256
from captures c join warc_files f using (warc_file_id) left join captures o on o.capture_id = c.original_id
     left join warc_files g on g.warc_file_id = o.warc_file_id
where f.serial = ?"""
_REPEATED = """
select f.name, c.offset, c.url, o.offset, g.name from captures o join warc_files g using (warc_file_id)
join captures c on c.original_id = o.capture_id join warc_files f on f.warc_file_id = c.warc_file_id
where g.serial = ? order by f.serial, c.offset"""


def verify(
    folder: Path,
    *,
    head: str | None = None,
    deep: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[Finding]:
    """All that is wrong with an archive; nothing where it is intact. ``head`` is a manifest's digest that was
    kept elsewhere.

    What a crawl writes meanwhile is not looked at. Raises NoArchive, NewerArchive; Locked where ``deep``
    meets a crawl.
    """
    try:
        connection = open_readonly(folder)
    except DamagedDatabase as error:
        yield from _chain(folder, warc_files(folder / "warc"), head, progress)
        yield Finding("mismatch", "archive.db", str(error))
        return
    try:
        is_written = _is_written(folder)
        if is_written and deep:
            raise Locked(f"a crawl or command writes to {folder}: let it finish, then verify --deep")
        connection.execute("begin")  # the rows as of now: each points at a record that was durable before it
        files = warc_files(folder / "warc")
        told: set[str] = set()  # files that something was found wrong with
        for finding in (*_whole(connection, files), *_chain(folder, files, head, progress)):
            if finding.thing not in told:
                yield finding
            told.add(finding.thing)
        # Offsets of records, by serial number, that something was found wrong with
        lost: dict[int, set[int]] = {}
        for file in files:
            progress(file.name)
            for finding in _file(connection, file, told, is_written):
                if finding.thing.startswith(f"{file.name}:"):
                    lost.setdefault(file.serial, set()).add(int(finding.thing.rpartition(":")[2]))
                yield finding
        yield from _repeated(connection, {file.serial for file in files}, lost)
        progress("database")
        yield from _rows(connection)
        connection.execute("commit")
        if deep:
            progress("every row derived again")
            yield from _derived(folder, connection)
    except sqlite3.DatabaseError as error:
        yield Finding(
            "mismatch",
            "archive.db",
            f"archive.db is damaged ({error}): move it away and run 'sohr-archive rebuild'",
        )
    finally:
        connection.close()


def _is_written(folder: Path) -> bool:
    """Whether a crawl or command holds the archive's lock."""
    try:
        with open(folder / "archive.lock", "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass  # no lock, or no leave to look at it: nobody writes, or somebody who gave none
    return False


# -- records
# ----------------------------------------------------------------------------------------------------------------------


def _file(
    connection: sqlite3.Connection, file: WarcFile, told: set[str], is_written: bool
) -> Iterator[Finding]:
    """The records of a file, and the rows that point into it."""
    indexed = _indexed(connection, file)
    scan = scan_file(file, indexed if is_written and file.is_open else file.path.stat().st_size)
    yield from scan.findings.values()
    for row in connection.execute(_ROWS, (file.serial,)):
        offset, length, record_id, payload, url, *place = row
        where, record = f"{file.name}:{offset}", scan.records.pop(offset, None)
        original = None if place[0] is None else Original(*place)
        if record is None and offset not in scan.findings:
            yield Finding(
                "absent",
                where,
                f"the capture of {url} points at a record that is not there: byte {offset} of {file.name}",
            )
        elif record and (record.length, record.record_id, record.payload_sha256) != (
            length,
            record_id,
            payload,
        ):
            yield Finding(
                "mismatch", where, f"the capture of {url} and its record differ: byte {offset} of {file.name}"
            )
        elif record and record.original != original:
            sentence = f"the capture of {url} and its record refer to different records for its body: byte {offset} of {file.name}"
            yield Finding("mismatch", where, sentence)
    for offset, record in scan.records.items():
        is_lacking = record.kind in ("response", "revisit") or (
            record.kind == "event" and offset + record.length > indexed
        )
        if is_lacking and file.name not in told:
            # Behind it others are indexed already
            where, todo = f"{file.name}:{offset}", "repair" if offset >= indexed else "rebuild"
            yield Finding(
                "absent",
                where,
                f"the record at byte {offset} of {file.name} is not in the database: run 'sohr-archive {todo}'",
            )


def _repeated(
    connection: sqlite3.Connection, there: set[int], lost: dict[int, set[int]]
) -> Iterator[Finding]:
    """Captures whose body stands in another record, and that record is not there or not as it was."""
    gone = [
        serial
        for (serial,) in connection.execute("select serial from warc_files order by serial")
        if serial not in there
    ]
    for serial in sorted({*gone, *lost}):
        rows = [
            row
            for row in connection.execute(_REPEATED, (serial,))
            if serial in gone or row[3] in lost[serial]
        ]
        for name, offset, url, place, other in rows[:_MOST]:
            kind: Kind = "absent" if serial in gone else "mismatch"
            what = "not there" if serial in gone else "not as it was"
            yield Finding(
                kind,
                f"{name}:{offset}",
                f"the capture of {url} has its body at byte {place} of {other}, which is {what}",
            )
        if len(rows) > _MOST:
            sentence = f"{len(rows) - _MOST} more captures have their bodies in {rows[0][4]}, where they cannot be read"
            yield Finding("absent", f"bodies in {rows[0][4]}", sentence)


def _indexed(connection: sqlite3.Connection, file: WarcFile) -> int:
    """How far the database says it knows a file, in bytes."""
    sql = 'select max("offset" + c.length) from captures c join warc_files using (warc_file_id) where serial = ?'
    (captures,) = connection.execute(sql, (file.serial,)).fetchone()
    mark = connection.execute("select value from about where key = ?", (f"indexed:{file.serial}",)).fetchone()
    return max(captures or 0, int(mark[0]) if mark and mark[0].isdigit() else 0)


# -- files and manifests
# ----------------------------------------------------------------------------------------------------------


def _whole(connection: sqlite3.Connection, files: list[WarcFile]) -> Iterator[Finding]:
    """Files the database knows are there; closed ones are as they were when they were closed."""
    there = {file.serial: file for file in files}
    for serial, name, size, sha256 in connection.execute(
        "select serial, name, size, sha256 from warc_files order by serial"
    ):
        file = there.get(serial)
        if file is None or file.name != name:
            yield Finding("absent", name, f"the file {name} is not there")
        elif sha256 and (file.path.stat().st_size != size or digest_of(file.path, 0, size) != sha256):
            yield Finding("mismatch", name, f"{name} is not what it was when it was closed")


def _chain(
    folder: Path, files: list[WarcFile], head: str | None, progress: Callable[[str], None]
) -> Iterator[Finding]:
    """The manifests follow each other without a gap, and the bytes they name are there and are the same."""
    progress("manifests")
    chain = manifests(folder)
    there = {file.serial: file for file in files}
    # None: something is missing or damaged before, so that where a part must begin is not known
    reach: dict[int, int] | None = {}
    before: Manifest | None = None
    for manifest in chain:
        name = f"manifests/{manifest.path.name}"
        gap = range((before.number if before else 0) + 1, manifest.number)
        yield from (
            Finding(
                "absent", f"manifests/{n:06d}.json", f"manifests/{n:06d}.json is not there: it was removed"
            )
            for n in gap
        )
        if manifest.fault:
            yield Finding("mismatch", name, f"{name} {manifest.fault}")
        elif (
            not gap
            and not (before and before.fault)
            and manifest.before != (before.digest if before else None)
        ):
            yield Finding(
                "mismatch",
                name,
                f"{name} follows another manifest than the one before it: that one was altered and written anew",
            )
        if gap or manifest.fault:
            reach = None
        yield from _parts(manifest, name, there, reach)
        before = manifest
    if head is not None and head not in {manifest.digest for manifest in chain}:
        yield Finding(
            "absent",
            "manifests",
            f"no manifest has the digest {head}: the newest ones were removed, or the chain was written anew",
        )


def _parts(
    manifest: Manifest, name: str, there: dict[int, WarcFile], reach: dict[int, int] | None
) -> Iterator[Finding]:
    for part in manifest.parts:
        file = there.get(part.serial)
        if reach is not None:
            if part.start != reach.get(part.serial, 0):
                yield Finding(
                    "mismatch",
                    name,
                    f"{name} begins at byte {part.start} of {part.name}, and the manifests before end elsewhere",
                )
            reach[part.serial] = part.end
        if file is None or file.name != part.name:
            yield Finding("absent", part.name, f"the file {part.name}, named in {name}, is not there")
        elif (size := file.path.stat().st_size) < part.end:
            yield Finding(
                "absent", file.name, f"{file.name} is shorter than {name} says: {size} bytes of {part.end}"
            )
        elif digest_of(file.path, part.start, part.end) != part.sha256:
            yield Finding(
                "mismatch",
                file.name,
                f"{file.name} is not what it was: bytes {part.start} to {part.end} do not match {name}",
            )


# -- the database
# -----------------------------------------------------------------------------------------------------------------


def _rows(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Rows point at rows that are there, texts match their digests, neither versions nor the feed have a
    gap."""
    for (sentence,) in connection.execute("pragma integrity_check(20)"):
        if sentence != "ok":
            yield Finding(
                "mismatch",
                "archive.db",
                f"archive.db is damaged ({sentence}): move it away and run 'sohr-archive rebuild'",
            )
            return
    for table, row, target, _ in connection.execute("pragma foreign_key_check"):
        yield Finding(
            "absent", f"{table} {row}", f"row {row} of {table} points at a row of {target} that is not there"
        )
    yield from _versions(connection)
    want = 1
    for (seq,) in connection.execute("select seq from changes order by seq"):
        if seq != want:
            yield Finding("absent", f"changes {want}", f"the feed has a gap: change {want} is not there")
            return
        want += 1


def _versions(connection: sqlite3.Connection) -> Iterator[Finding]:
    query = """select source || ':' || key, number, title, text, text_sha256, same_sha256, a.versions
               from versions v join articles a using (article_id) order by a.article_id, number"""
    last = ("", 0, 0)
    for name, number, title, text, stated, same, count in connection.execute(query):
        if last[0] != name:
            yield from _counted(*last)
            last = (name, 0, count)
        if number != last[1] + 1:
            yield Finding(
                "absent", f"{name} version {last[1] + 1}", f"version {last[1] + 1} of {name} is not there"
            )
        last = (name, number, count)
        if text_sha256(text) != stated or same_sha256(title, text) != same:
            yield Finding(
                "mismatch",
                f"{name} version {number}",
                f"the text of version {number} of {name} does not match its digest",
            )
    yield from _counted(*last)
    bare = "select source || ':' || key from articles a where versions > 0 and not exists (select 1 from versions v where v.article_id = a.article_id)"
    for (name,) in connection.execute(bare):
        yield Finding("absent", name, f"all versions of {name} are gone")


def _counted(name: str, number: int, count: int) -> Iterator[Finding]:
    if number < count:
        yield Finding(
            "absent", f"{name} version {number + 1}", f"version {number + 1} of {name} is not there"
        )


def _derived(folder: Path, connection: sqlite3.Connection) -> Iterator[Finding]:
    """Every row derived again from the evidence, beside the archive, and compared."""
    about = dict(
        connection.execute("select key, value from about where key in ('epoch', 'extractor')").fetchall()
    )
    if about.get("extractor", EXTRACTOR) != EXTRACTOR:
        sentence = f"the archive was read by extractor {about['extractor']} and this is {EXTRACTOR}: 'sohr-archive rebuild' first"
        yield Finding("absent", "archive.db", sentence)
        return
    with tempfile.TemporaryDirectory(prefix="sohr-archive-") as scratch:
        store = Store(Path(scratch) / "archive.db")
        try:
            with store.transaction():
                for key, value in about.items():
                    store.set_about(key, value)
            recover(folder, store, Ingest(store, site_of(folder), folder), cut=False)
        except ArchiveError as error:
            yield Finding("mismatch", "archive.db", f"its rows cannot be derived again: {error}")
            return
        finally:
            store.close()
        connection.execute("attach ? as again", (str(Path(scratch) / "archive.db"),))
        # Opened read-only it stays; these two tables are temporary
        connection.execute("pragma query_only = off")
        for table, key in _tables(connection):
            yield from islice(_compared(connection, table, table, key), _MOST)
        for schema in ("main", "again"):
            connection.execute(
                f"create virtual table temp.words_of_{schema} using fts5vocab({schema}, search, 'instance')"
            )
        yield from islice(
            _compared(connection, "temp.words_of_main", "temp.words_of_again", ("term", "doc"), "search"), 1
        )


def _tables(connection: sqlite3.Connection) -> list[tuple[str, tuple[str, ...]]]:
    """The derived tables and their primary keys, and the facts about the archive."""
    own = " and ".join(["name not glob ?"] * len(_OWN))
    names = [
        name
        for (name,) in connection.execute(
            f"select name from main.sqlite_master where type = 'table' and {own} order by name", _OWN
        )
    ]
    keys = {
        name: tuple(row["name"] for row in connection.execute(f"pragma main.table_info({name})") if row["pk"])
        for name in names
    }
    return [*keys.items(), ("about", ("key",))]


def _content(connection: sqlite3.Connection, table: str, schema: str) -> str:
    """What of a table the evidence decides. Which row a list of claims got is history; another reader's
    opinion (`CROSS_CHECK`) is its release's."""
    if table == "versions":
        own = ", ".join(
            row["name"]
            for row in connection.execute("pragma main.table_info(versions)")
            if row["name"] != "claim_set_id"
        )
        return f"(select {own}, claims from {schema}.versions left join {schema}.claim_sets using (claim_set_id))"
    if table == "failures":
        own = ", ".join(
            row["name"]
            for row in connection.execute("pragma main.table_info(failures)")
            if row["name"] != "failure_id"
        )
        return f"(select row_number() over (order by failure_id) as failure_id, {own} from {schema}.failures where reason != '{CROSS_CHECK}')"
    return f"{schema}.{table}"


def _compared(
    connection: sqlite3.Connection, ours: str, anew: str, key: tuple[str, ...], name: str | None = None
) -> Iterator[Finding]:
    """Two tables side by side, in the order of their key; the search's words come in that order by
    themselves."""
    order = "" if name else " order by " + ", ".join(f'"{column}"' for column in key)
    main, again = (
        (ours, anew) if name else (_content(connection, ours, schema) for schema in ("main", "again"))
    )
    left, right = (iter(connection.execute(f"select * from {table}{order}")) for table in (main, again))

    def turn(rows: Iterator[sqlite3.Row]) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
        row = next(rows, None)
        return None if row is None else (tuple(row[column] for column in key), tuple(row))

    mine, fresh = turn(left), turn(right)
    while mine or fresh:
        if mine and fresh and mine[0] == fresh[0]:
            at, is_same = mine[0], mine[1] == fresh[1]
            mine, fresh, what = turn(left), turn(right), "is not what the evidence gives"
        elif fresh is None or (mine and mine[0] < fresh[0]):
            assert mine is not None  # one of them is not at its end
            at, is_same, mine, what = mine[0], False, turn(left), "does not come from the evidence"
        else:
            at, is_same, fresh, what = fresh[0], False, turn(right), "is not there"
        if not is_same:
            row = " ".join(map(str, at if name is None else at[1:]))
            kind: Kind = "absent" if what == "is not there" else "mismatch"
            yield Finding(kind, f"{name or ours} {row}", f"row {row} of {name or ours} {what}")


__all__ = ["Finding", "verify"]
