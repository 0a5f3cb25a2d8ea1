"""A part of the evidence as a WARC file of its own: the captures of the selected versions, each with its
request and its provenance.

Records are copied as they lie, member by member, so that their digests, ids and bytes are those of the
archive. With a revisit comes the response it refers to, wherever that is from, so nothing refers to a record
that is left behind.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import IO

from archive.errors import DamagedWarc
from archive.read.selection import Selection, versions
from archive.warc.gzip_members import Member, walk
from archive.warc.records import NoRecord, read_headers

# Of an article, what a version was read from: its captures from the first that said so to the last, each page
# of a post in several, and the redirects that led there at that time.
_CAPTURES = """
select f.serial, c.offset, g.serial as original_serial, o.offset as original_offset from captures c join warc_files f using (warc_file_id)
left join captures o on o.capture_id = c.original_id left join warc_files g on g.warc_file_id = o.warc_file_id
where c.article_id = ? and c.captured_at between ? and ? and c.status < 400
"""
_ROW = """
select c.capture_id, c.url, c.status, c.captured_at, c.content_type, c.offset, c.length, c.record_id, c.original_id, f.name,
       coalesce((select o.payload_sha256 from captures o where o.capture_id = c.original_id), c.payload_sha256) as payload_sha256,
       (select p.offset + p.length from captures p where p.warc_file_id = c.warc_file_id and p.offset < c.offset order by p.offset desc limit 1)
       as before
from captures c join warc_files f using (warc_file_id) where f.serial = ? and c.offset = ?
"""
Seen = Callable[[sqlite3.Row, sqlite3.Row], object]  # called with each selected version: article, version
_PLACE = 40  # bits of an offset: a file is closed at 1 GB


@dataclass(frozen=True, slots=True)
class Copied:
    """A response as copied: what an index needs to know. ``offset`` and ``length`` are of the new file."""

    url: str
    at: str
    status: int
    mime: str
    digest: str  # sha256, hex
    record_id: str
    offset: int
    length: int


def places(conn: sqlite3.Connection, selection: Selection, seen: Seen = lambda *_: None) -> array[int]:
    """Where the responses lie, in the order of the archive's files: serial number and offset in one number,
    eight bytes each."""
    found = array("q")
    for article, version in versions(conn, selection):
        seen(article, version)
        for row in conn.execute(
            _CAPTURES, (article["article_id"], version["first_captured_at"], version["last_captured_at"])
        ):
            found.append(row["serial"] << _PLACE | row["offset"])
            if row["original_serial"]:
                found.append(row["original_serial"] << _PLACE | row["original_offset"])
    return array("q", sorted(set(found)))


def write_warc(
    conn: sqlite3.Connection, folder: Path, selection: Selection, out: IO[bytes], seen: Seen = lambda *_: None
) -> Iterator[Copied]:
    """Write the selected captures, and tell each response as it is written. Raises DamagedWarc."""
    position = 0
    name = ""
    stream: IO[bytes] | None = None
    try:
        for place in places(conn, selection, seen):
            row = conn.execute(_ROW, (place >> _PLACE, place & (1 << _PLACE) - 1)).fetchone()
            if row["name"] != name or stream is None:
                if stream:
                    stream.close()
                name, stream = row["name"], _open(folder, row["name"])
                # Says by which software, and how, this file was written
                [info] = _members(stream, 0, None, name)
                position += out.write(info)
            for member in _beside(stream, row["before"] or 0, row["offset"], row["record_id"], name):
                position += out.write(member)
            stream.seek(row["offset"])
            member = stream.read(row["length"])
            if _header(member, "WARC-Record-ID") != row["record_id"]:
                raise DamagedWarc(name, "is not the one that the database names", row["offset"])
            mime = (
                "warc/revisit"
                if row["original_id"]
                else (row["content_type"] or "unk").partition(";")[0].strip()
            )
            told = (
                row["url"],
                row["captured_at"],
                row["status"],
                mime,
                row["payload_sha256"],
                row["record_id"],
            )
            yield Copied(*told, offset=position, length=len(member))
            position += out.write(member)
    finally:
        if stream:
            stream.close()


def _open(folder: Path, name: str) -> IO[bytes]:
    path = folder / "warc" / name
    try:
        return open(path if path.exists() else path.with_name(name + ".open"), "rb")
    except OSError as error:
        raise DamagedWarc(name, f"cannot be read ({error.strerror})") from error


def _beside(stream: IO[bytes], start: int, end: int, record_id: str, name: str) -> Iterator[bytes]:
    """Request and metadata of a response: the members before it that name it, behind the response before."""
    for member in _members(stream, start, end, name):
        if _header(member, "WARC-Concurrent-To") == record_id:
            yield member


def _members(stream: IO[bytes], start: int, end: int | None, name: str) -> Iterator[bytes]:
    """The gzip members between two offsets; with no end, the one at the start."""
    for member in walk(stream, start, start + 1 if end is None else end):
        member.drain()
        if member.end is None:
            raise DamagedWarc(name, "cannot be unpacked", member.offset)
        stream.seek(member.offset)
        yield stream.read(member.end - member.offset)


def _header(member: bytes, name: str) -> str | None:
    """A WARC header of a compressed record."""
    try:
        headers = read_headers(BufferedReader(Member(BytesIO(member), 0)))
    except NoRecord:
        return None
    return headers.get(name) or None
