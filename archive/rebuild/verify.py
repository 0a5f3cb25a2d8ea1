"""Check an archive: evidence against its digests, the database against the evidence, manifests against each
other."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from archive.errors import Locked
from archive.folder import WARC
from archive.read.database import DamagedDatabase, open_readonly
from archive.rebuild.chain import (
    MOST,
    Advice,
    Finding,
    Kind,
    check_chain,
    check_pasts,
    check_serials,
    check_tokens,
    database_finding,
    find_unsealed,
    sealed_ends,
)
from archive.text.normalise import same_sha256, text_sha256
from archive.warc.files import WarcFile, spare_files, warc_files
from archive.warc.manifests import digest_of, manifests
from archive.warc.revisits import Original
from archive.warc.scan import Scan, scan_file
from archive.warc.timestamps import tokens

_ROWS = """
select c.offset, c.length, c.record_id, c.payload_sha256, c.captured_at, c.recorded_at, c.url,
       g.serial, o.offset, o.record_id, o.url, o.captured_at, o.payload_sha256
from captures c join warc_files f using (warc_file_id)
     left join captures o on o.capture_id = c.original_id
     left join warc_files g on g.warc_file_id = o.warc_file_id
where f.serial = ?"""
_SAME_ID = "select 1 from captures where record_id = ?"
_REPEATS = """
select f.name, c.offset, c.url, o.offset, g.name from captures o join warc_files g using (warc_file_id)
join captures c on c.original_id = o.capture_id join warc_files f on f.warc_file_id = c.warc_file_id
where g.serial = ? order by f.serial, c.offset"""


def _record(kind: Kind, file: WarcFile, offset: int, what: str, advice: Advice = "restore") -> Finding:
    return Finding(kind, f"{file.name}:{offset}", what, advice, offset)


@dataclass(slots=True)
class Checked:
    """How much a run of `verify` has read."""

    manifests: int = 0
    tokens: int = 0
    files: int = 0
    records: int = 0
    versions: int = 0


def verify(
    folder: Path,
    *,
    head: str | None = None,
    deep: bool = False,
    progress: Callable[[str], None] = lambda _: None,
    checked: Checked | None = None,
) -> Iterator[Finding]:
    """All that is wrong with an archive. ``head`` is a manifest's digest that was kept elsewhere; ``checked``
    is counted up.

    What a crawl writes meanwhile is left out. Raises NoArchive, NewerArchive; Locked if ``deep`` meets a
    crawl.
    """
    checked = checked or Checked()
    try:
        connection = open_readonly(folder)
    except DamagedDatabase as error:
        yield from check_chain(manifests(folder), warc_files(folder / WARC), head)
        yield database_finding(f"archive.db is damaged ({error.__cause__}), move it away")
        return
    try:
        is_written = _is_written(folder)
        if is_written and deep:
            raise Locked(f"a crawl or command writes to {folder}: let it finish, then verify --deep")
        connection.execute("begin")  # the rows as of now: each points at a record that was durable before it
        files = warc_files(folder / WARC)
        wrong_files: set[str] = set()
        for spare in spare_files(folder / WARC):
            what = f"{spare.path.name} has the serial number of a longer file and is not read: move it away"
            yield Finding("mismatch", spare.path.name, what)
        progress("manifests")
        chain, dated = manifests(folder), tokens(folder)
        checked.manifests, checked.tokens = len(chain), len(dated)
        known = {serial for (serial,) in connection.execute("select serial from warc_files")}
        for finding in (
            *_files(connection, files),
            *check_chain(chain, files, head),
            *check_tokens(dated, chain),
            *check_serials(chain, files, known),
        ):
            if finding.thing not in wrong_files:
                yield finding
            wrong_files.add(finding.thing)
        ends = sealed_ends(chain)
        wrong_records: dict[int, set[int]] = {}  # their offsets, by serial number
        for file in files:
            progress(file.name)
            is_whole = file.name not in wrong_files
            found = list(_records(connection, file, is_whole, is_written, checked))
            yield from found
            wrong = wrong_records[file.serial] = {one.offset for one in found if one.offset is not None}
            unsealed = find_unsealed(ends, file) if is_whole else None
            if unsealed and max(wrong, default=-1) < (unsealed.offset or 0) and not _is_written(folder):
                yield unsealed
        yield from check_pasts(connection, chain)
        yield from _repeats(connection, {file.serial for file in files}, wrong_records)
        progress("database")
        yield from _rows(connection, checked)
        connection.execute("commit")
        if deep:
            progress("every row derived again")
            from archive.rebuild.derived import (
                derived,
            )  # on first use: it takes longer to come up than all above

            yield from derived(folder, connection)
    except sqlite3.DatabaseError as error:
        yield database_finding(f"archive.db is damaged ({error}), move it away")
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
        pass  # no lock, or no permission to see it
    return False


# -- records


def _records(
    connection: sqlite3.Connection, file: WarcFile, is_whole: bool, is_written: bool, checked: Checked
) -> Iterator[Finding]:
    """The records of a file against the rows that point at them."""
    indexed = _indexed(connection, file)
    scan = scan_file(file, indexed if is_written and file.is_open else file.path.stat().st_size)
    checked.files += 1
    checked.records += len(scan.records)
    rows = {row[0]: row for row in connection.execute(_ROWS, (file.serial,))}
    yield from _damage(file, scan, rows)
    for offset, row in rows.items():
        what = _difference(row, scan) if offset not in scan.damage else None
        if what:
            kind: Kind = "mismatch" if offset in scan.records else "absent"
            yield _record(
                kind, file, offset, f"the capture of {row['url']} {what}: byte {offset} of {file.name}"
            )
    for offset, record in scan.records.items() if is_whole else ():
        is_after = offset + record.length > indexed
        is_capture = record.kind in ("response", "revisit") and offset not in rows
        if is_capture and connection.execute(_SAME_ID, (record.record_id,)).fetchone():
            what = f"the record at byte {offset} of {file.name} has the id of another: it was copied there"
            yield _record("mismatch", file, offset, what)
        elif is_capture or (record.kind == "event" and is_after):
            what = f"the record at byte {offset} of {file.name} is not in the database"
            # `repair` indexes what follows the last indexed record.
            yield _record("absent", file, offset, what, "repair" if offset >= indexed else "rebuild")


def _damage(file: WarcFile, scan: Scan, rows: dict[int, sqlite3.Row]) -> Iterator[Finding]:
    last = max([*scan.records, *scan.damage], default=0)
    for offset, damage in scan.damage.items():
        what = f"the record at byte {offset} of {file.name} {damage.what}"
        if offset in rows:
            what += f"; it has the capture of {rows[offset]['url']}"
        if file.is_open and offset == last and not damage.has_end:
            yield _record("mismatch", file, offset, f"{what}, perhaps after a crash", "repair")
        else:
            yield _record("mismatch", file, offset, what)


def _difference(row: sqlite3.Row, scan: Scan) -> str | None:
    """How a row differs from its record."""
    offset, length, record_id, payload, at, recorded_at, _, *original = row
    record = scan.records.get(offset)
    if record is None:
        return "points at a record that is not there"
    if (record.length, record.record_id, record.payload_sha256) != (length, record_id, payload):
        return "and its record differ"
    if (record.at, record.recorded_at) != (at, recorded_at):
        return f"is dated {at} (recorded {recorded_at}), and its record {record.at} ({record.recorded_at})"
    if record.original != (None if original[0] is None else Original(*original)):
        return "and its record refer to different records for its body"
    return None


def _repeats(
    connection: sqlite3.Connection, there: set[int], wrong: dict[int, set[int]]
) -> Iterator[Finding]:
    """Captures whose body is in a record that is missing or damaged."""
    known = [serial for (serial,) in connection.execute("select serial from warc_files order by serial")]
    for serial in known:
        is_gone = serial not in there
        if not is_gone and not wrong.get(serial):
            continue
        rows = [row for row in connection.execute(_REPEATS, (serial,)) if is_gone or row[3] in wrong[serial]]
        kind: Kind = "absent" if is_gone else "mismatch"
        for name, offset, url, place, other in rows[:MOST]:
            what = f"the capture of {url} has its body at byte {place} of {other}, which is "
            what += "not there" if is_gone else "not as it was"
            yield Finding(kind, f"{name}:{offset}", what, offset=offset)
        if len(rows) > MOST:
            name = rows[0][4]
            what = f"{len(rows) - MOST} more captures have their bodies in {name}, where they cannot be read"
            yield Finding("absent", f"bodies in {name}", what)


def _indexed(connection: sqlite3.Connection, file: WarcFile) -> int:
    """How far the database says it knows a file, in bytes."""
    sql = """select max("offset" + c.length) from captures c join warc_files using (warc_file_id)
             where serial = ?"""
    (captures,) = connection.execute(sql, (file.serial,)).fetchone()
    mark = connection.execute("select value from about where key = ?", (f"indexed:{file.serial}",)).fetchone()
    return max(captures or 0, int(mark[0]) if mark and mark[0].isdigit() else 0)


# -- files and manifests


def _files(connection: sqlite3.Connection, files: list[WarcFile]) -> Iterator[Finding]:
    """The files that the database knows are there, and closed ones are as they were closed."""
    there = {file.serial: file for file in files}
    query = "select serial, name, size, sha256 from warc_files order by serial"
    for serial, name, size, sha256 in connection.execute(query):
        file = there.get(serial)
        if file is None or file.name != name:
            yield Finding("absent", name, f"the file {name} is not there")
        elif sha256 and (file.path.stat().st_size != size or digest_of(file.path, 0, size) != sha256):
            yield Finding("mismatch", name, f"{name} is not what it was when it was closed")


# -- the database


def _rows(connection: sqlite3.Connection, checked: Checked) -> Iterator[Finding]:
    """Rows point at rows that are there, texts match their digests, versions and feed have no gap."""
    for (sentence,) in connection.execute("pragma integrity_check(20)"):
        if sentence != "ok":
            yield database_finding(f"archive.db is damaged ({sentence}), move it away")
            return
    for table, row, target, _ in connection.execute("pragma foreign_key_check"):
        what = f"row {row} of {table} points at a row of {target} that is not there"
        yield database_finding(what, f"{table} {row}", "absent")
    yield from _versions(connection, checked)
    for want, (seq,) in enumerate(connection.execute("select seq from changes order by seq"), 1):
        if seq != want:
            yield database_finding(
                f"the feed has a gap: change {want} is not there", f"changes {want}", "absent"
            )
            return


def _versions(connection: sqlite3.Connection, checked: Checked) -> Iterator[Finding]:
    query = """select source || ':' || key, number, title, text, text_sha256, same_sha256, a.versions
               from versions v join articles a using (article_id) order by a.article_id, number"""
    last = ("", 0, 0)  # article, number of its version, how many it has
    for name, number, title, text, text_digest, same_digest, count in connection.execute(query):
        if last[0] != name:
            yield from _missing(*last)
            last = (name, 0, count)
        yield from _missing(name, last[1], number - 1)
        last = (name, number, count)
        checked.versions += 1
        if text_sha256(text) != text_digest or same_sha256(title, text) != same_digest:
            what = f"the text of version {number} of {name} does not match its digest"
            yield database_finding(what, f"{name} version {number}")
    yield from _missing(*last)
    query = """select source || ':' || key from articles a where versions > 0
               and not exists (select 1 from versions v where v.article_id = a.article_id)"""
    for (name,) in connection.execute(query):
        yield database_finding(f"all versions of {name} are gone", name, "absent")


def _missing(name: str, number: int, count: int) -> Iterator[Finding]:
    """The version after a number, if there should be more."""
    if number < count:
        what = f"version {number + 1} of {name} is not there"
        yield database_finding(what, f"{name} version {number + 1}", "absent")
