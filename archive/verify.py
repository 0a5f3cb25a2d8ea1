"""Does the archive still hold what it took in? Evidence against its digests, the database against the evidence, manifests against each other.

Three outcomes for whatever is looked at: it matches, it does not match, it is absent. Only the latter two are told.
"""

from __future__ import annotations

import hashlib
import mmap
import sqlite3
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import zip_longest
from pathlib import Path
from typing import Literal

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from archive.extract import EXTRACTOR
from archive.ingest import Ingest
from archive.manifests import Manifest, digest_of, manifests
from archive.reading import open_readonly
from archive.rebuild import site_of
from archive.recover import recover
from archive.store import Store
from archive.text import same_sha256, text_sha256
from archive.warc import WarcFile, warc_files

Kind = Literal["mismatch", "absent"]
_STEP = 1 << 16  # bytes unpacked at a time
# What a rebuild gives back row by row, and in which order. Not: when files were opened or closed, which is not derived from records.
_DERIVED = {
    "crawls": "crawl_id",
    "captures": "capture_id",
    "articles": "article_id",
    "aliases": "alias_id",
    "sightings": "sighting_id",
    "versions": "version_id",
    "terms": "term_id",
    "article_terms": "article_id, term_id",
    "links": "article_id, position",
    "changes": "seq",
    "failures": "failure_id",
    "coverage_days": "edition, day",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was: which thing, and what is wrong with it in one sentence."""

    kind: Kind
    thing: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Record:
    """A WARC record as a scan finds it."""

    kind: str
    record_id: str
    offset: int
    length: int
    payload_sha256: str | None


def verify(folder: Path, *, head: str | None = None, deep: bool = False, progress: Callable[[str], None] = lambda _: None) -> Iterator[Finding]:
    """All that is wrong with an archive; nothing where it is intact. ``head`` is a manifest's digest that was kept elsewhere.

    Raises NoArchive, NewerArchive.
    """
    connection = open_readonly(folder)
    try:
        files = warc_files(folder / "warc")
        progress("manifests")
        yield from _chain(folder, files, head)
        records: dict[tuple[int, int], Record] = {}
        for file in files:
            progress(file.name)
            scan = _scan(file)
            yield from scan.findings
            records |= {(file.serial, record.offset): record for record in scan.records}
        yield from _file_rows(connection, files)
        progress("database")
        yield from _rows(connection, files, records)
        if deep:
            progress("every row derived again")
            yield from _derived(folder, connection)
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class _Scan:
    records: list[Record]
    findings: list[Finding]


def _scan(file: WarcFile) -> _Scan:
    """Every record of a file with its digests; behind damage the scan goes on at the next record it finds."""
    scan = _Scan([], [])
    size = file.path.stat().st_size
    if size == 0:
        return scan
    with open(file.path, "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        offset: int | None = 0
        while offset is not None and offset < size:
            plain, end = _inflate(data, offset)
            record = _record(plain, offset, end - offset) if end else None
            if isinstance(record, Record):
                scan.records.append(record)
            else:
                what = record or "cannot be unpacked"
                if not end and file.is_open and _next_record(data, offset) is None:
                    what = "breaks off: a crash tore it, and 'sohr-archive repair' cuts it"
                scan.findings.append(Finding("mismatch", f"{file.name}:{offset}", f"the record at byte {offset} of {file.name} {what}"))
            offset = end or _next_record(data, offset)
    return scan


def _inflate(data: mmap.mmap, offset: int) -> tuple[bytes, int]:
    """Unpack the gzip member at an offset; its bytes and where it ends, 0 where it has no end."""
    inflate, out, position = zlib.decompressobj(31), bytearray(), offset
    try:
        while not inflate.eof:
            chunk = data[position : position + _STEP]
            if not chunk:
                return b"", 0
            position += len(chunk)
            out += inflate.decompress(chunk)
    except zlib.error:
        return b"", 0
    return bytes(out), position - len(inflate.unused_data)


def _next_record(data: mmap.mmap, offset: int) -> int | None:
    """Where the next gzip member that begins like a WARC record stands behind an offset."""
    found = data.find(b"\x1f\x8b\x08", offset + 1)
    while found != -1:
        try:
            if zlib.decompressobj(31).decompress(data[found : found + 4096], 64).startswith(b"WARC/"):
                return found
        except zlib.error:
            pass
        found = data.find(b"\x1f\x8b\x08", found + 1)
    return None


def _record(plain: bytes, offset: int, length: int) -> Record | str:
    try:
        record = next(iter(ArchiveIterator(BytesIO(plain), no_record_parse=True)))
        block = record.raw_stream.read()
    except (ArchiveLoadFailed, StopIteration, EOFError, ValueError) as error:
        return f"is no WARC record ({error})"
    headers = record.rec_headers
    if headers.get_header("Content-Length") != str(len(block)):
        return "is shorter or longer than it says"
    digest = headers.get_header("WARC-Block-Digest") or ""
    if digest.startswith("sha256:") and digest != "sha256:" + hashlib.sha256(block).hexdigest():
        return "does not match its digest"
    payload = hashlib.sha256(block.partition(b"\r\n\r\n")[2]).hexdigest() if record.rec_type == "response" else None
    stated = headers.get_header("WARC-Payload-Digest") or ""
    if payload and stated.startswith("sha256:") and stated != "sha256:" + payload:
        return "has a payload that does not match its digest"
    return Record(record.rec_type, headers.get_header("WARC-Record-ID"), offset, length, payload)


# -- manifests --------------------------------------------------------------------------------------------------------------------


def _chain(folder: Path, files: list[WarcFile], head: str | None) -> Iterator[Finding]:
    """The manifests follow each other without a gap, and the bytes they name are there and are the same."""
    try:
        chain = list(manifests(folder))
    except (ValueError, OSError) as error:
        yield Finding("mismatch", "manifests", f"a manifest cannot be read ({error})")
        return
    before: str | None = None
    reach: dict[int, int] = {}
    paths = {file.serial: file for file in files}
    for number, manifest in enumerate(chain, 1):
        name = f"manifests/{manifest.path.name}"
        content = manifest.content
        if manifest.number != number or content.get("number") != manifest.number:
            yield Finding("absent", name, f"{name} is not number {number}: a manifest is missing, or was moved")
            return
        if content.get("before") != before:
            yield Finding("mismatch", name, f"{name} follows another manifest than the one that is there: one of them was altered or reordered")
        yield from _parts(manifest, name, paths, reach)
        before = manifest.digest
    if head is not None and head not in {manifest.digest for manifest in chain}:
        yield Finding("absent", "manifests", f"no manifest has the digest {head}: the newest ones were removed, or the chain was written anew")


def _parts(manifest: Manifest, name: str, paths: dict[int, WarcFile], reach: dict[int, int]) -> Iterator[Finding]:
    for part in manifest.content.get("files", []):
        file = paths.get(part["serial"])
        if part["from"] != reach.get(part["serial"], 0):
            yield Finding("mismatch", name, f"{name} leaves out bytes of {part['name']} before byte {part['from']}")
        reach[part["serial"]] = part["to"]
        if file is None or file.name != part["name"]:
            yield Finding("absent", part["name"], f"the file {part['name']}, named in {name}, is not there")
        elif file.path.stat().st_size < part["to"]:
            yield Finding("absent", file.name, f"{file.name} is shorter than {name} says: {file.path.stat().st_size} bytes of {part['to']}")
        elif digest_of(file.path, part["from"], part["to"]) != part["sha256"]:
            yield Finding("mismatch", file.name, f"{file.name} is not what it was: bytes {part['from']} to {part['to']} do not match {name}")


# -- the database -----------------------------------------------------------------------------------------------------------------


def _file_rows(connection: sqlite3.Connection, files: list[WarcFile]) -> Iterator[Finding]:
    there = {file.serial: file for file in files}
    for serial, name, size, sha256 in connection.execute("select serial, name, size, sha256 from warc_files order by serial"):
        file = there.get(serial)
        if file is None:
            yield Finding("absent", name, f"the file {name} is not there")
        elif sha256 and (file.path.stat().st_size != size or digest_of(file.path, 0, size) != sha256):
            yield Finding("mismatch", name, f"{name} is not what it was when it was closed")


def _rows(connection: sqlite3.Connection, files: list[WarcFile], records: dict[tuple[int, int], Record]) -> Iterator[Finding]:
    """Rows point at what they say, texts match their digests, the feed has no gap, no record is without its row."""
    for (sentence,) in connection.execute("pragma integrity_check(20)"):
        if sentence != "ok":
            yield Finding("mismatch", "archive.db", f"archive.db is damaged ({sentence}): move it away and run 'sohr-archive rebuild'")
            return
    for table, row, target, _ in connection.execute("pragma foreign_key_check"):
        yield Finding("absent", f"{table} {row}", f"row {row} of {table} points at a row of {target} that is not there")
    names = {file.serial: file.name for file in files}
    rows = connection.execute(
        'select serial, "offset", c.length, record_id, payload_sha256, url from captures c join warc_files using (warc_file_id)'
    )
    for serial, offset, length, record_id, payload, url in rows:
        record = records.pop((serial, offset), None)
        where = f"{names.get(serial, serial)}:{offset}"
        if record is None:
            yield Finding("absent", where, f"the capture of {url} points at a record that is not there, or is damaged: {where}")
        elif (record.length, record.record_id, record.payload_sha256) != (length, record_id, payload):
            yield Finding("mismatch", where, f"the capture of {url} and its record differ: {where}")
    for (serial, offset), record in sorted(records.items()):
        if record.kind == "response":
            where = f"{names[serial]}:{offset}"
            yield Finding("absent", where, f"the record {where} is not in the database: run 'sohr-archive repair'")
    yield from _versions(connection)
    seqs = [seq for (seq,) in connection.execute("select seq from changes order by seq")]
    for want, seq in enumerate(seqs, 1):
        if want != seq:
            yield Finding("absent", f"changes {want}", f"the feed has a gap: change {want} is not there")
            break


def _versions(connection: sqlite3.Connection) -> Iterator[Finding]:
    query = """select source || ':' || key, number, title, text, text_sha256, same_sha256, a.versions
               from versions v join articles a using (article_id) order by a.article_id, number"""
    last = ("", 0, 0)
    for name, number, title, text, stated, same, count in connection.execute(query):
        if last[0] != name:
            yield from _counted(*last)
            last = (name, 0, count)
        if number != last[1] + 1:
            yield Finding("absent", f"{name} version {last[1] + 1}", f"version {last[1] + 1} of {name} is not there")
        last = (name, number, count)
        if text_sha256(text) != stated or same_sha256(title, text) != same:
            yield Finding("mismatch", f"{name} version {number}", f"the text of version {number} of {name} does not match its digest")
    yield from _counted(*last)
    bare = (
        "select source || ':' || key from articles a where versions > 0 and not exists (select 1 from versions v where v.article_id = a.article_id)"
    )
    for (name,) in connection.execute(bare):
        yield Finding("absent", name, f"all versions of {name} are gone")


def _counted(name: str, number: int, count: int) -> Iterator[Finding]:
    if number < count:
        yield Finding("absent", f"{name} version {number + 1}", f"version {number + 1} of {name} is not there")


def _derived(folder: Path, connection: sqlite3.Connection) -> Iterator[Finding]:
    """Every row derived again from the evidence, beside the archive, and compared."""
    release = connection.execute("select value from about where key = 'extractor'").fetchone()
    if release and release[0] != EXTRACTOR:
        sentence = f"the archive was read by extractor {release[0]} and this is {EXTRACTOR}: 'sohr-archive rebuild' first"
        yield Finding("absent", "archive.db", sentence)
        return
    with tempfile.TemporaryDirectory(prefix="sohr-archive-") as scratch:
        store = Store(Path(scratch) / "archive.db")
        with store.transaction():
            store.set_about("epoch", connection.execute("select value from about where key = 'epoch'").fetchone()[0])
        recover(folder, store, Ingest(store, site_of(folder), folder), cut=False)
        store.close()
        connection.execute("attach ? as again", (str(Path(scratch) / "archive.db"),))
        for table, order in _DERIVED.items():
            ours = connection.execute(f"select * from main.{table} order by {order}")
            anew = connection.execute(f"select * from again.{table} order by {order}")
            for mine, fresh in zip_longest(ours, anew):
                if mine is None or fresh is None or tuple(mine) != tuple(fresh):
                    row = (mine or fresh)[0]
                    kind: Kind = "absent" if mine is None or fresh is None else "mismatch"
                    yield Finding(kind, f"{table} {row}", f"row {row} of {table} is not what the evidence gives")
                    break
