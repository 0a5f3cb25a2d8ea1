"""A WARC file of the captures of the selected versions, each with its request and its provenance.

Records are copied member by member, so their digests, ids and bytes are those of the archive. A revisit comes
with the response it refers to.
"""

from __future__ import annotations

import hashlib
import sqlite3
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO

from archive.errors import DamagedWarc
from archive.export.source import Source
from archive.export.strip import strip_member
from archive.read.selection import versions
from archive.warc.gzip_members import Member, walk
from archive.warc.records import Headers, NoRecord, read_headers

# What a version was read from: the article's captures from its first to its last, all pages of a post, and
# the redirects of that time.
_CAPTURES = """
select f.serial, c.offset, g.serial as original_serial, o.offset as original_offset
from captures c join warc_files f using (warc_file_id)
left join captures o on o.capture_id = c.original_id
left join warc_files g on g.warc_file_id = o.warc_file_id
where c.article_id = ? and c.captured_at between ? and ? and c.status < 400
"""
_ROW = """
select c.url, c.status, c.captured_at, c.content_type, c.offset, c.length, c.record_id, c.original_id,
       f.name, coalesce((select o.payload_sha256 from captures o where o.capture_id = c.original_id),
                        c.payload_sha256) as payload_sha256,
       coalesce((select p.offset + p.length from captures p
                 where p.warc_file_id = c.warc_file_id and p.offset < c.offset
                 order by p.offset desc limit 1), 0) as previous_end
from captures c join warc_files f using (warc_file_id) where f.serial = ? and c.offset = ?
"""
Place = tuple[int, int]  # serial number of a file, and offset of a response in it
_PLACE = 40  # bits of an offset: a file is closed at 1 GB


@dataclass(frozen=True, slots=True)
class Copied:
    """A response in the new file, for its index. ``offset`` and ``length`` are bytes of the new file."""

    url: str
    at: str
    status: int
    mime: str
    digest: str  # sha256, hex
    record_sha256: str  # of the record as it lies in the file
    record_id: str
    offset: int
    length: int


def write_warc(source: Source, out: IO[bytes]) -> None:
    """Write the selected captures as a WARC file. Raises DamagedWarc."""
    for _ in copy_captures(source, out):
        pass


def copy_captures(source: Source, out: IO[bytes], places: Iterable[Place] | None = None) -> Iterator[Copied]:
    """Write the selected captures, or those at ``places``, and yield each response after it is written.
    Raises DamagedWarc."""
    position, name = 0, ""
    stream: IO[bytes] | None = None
    as_asked = strip_member if source.is_stripped else bytes
    try:
        for place in _places(source) if places is None else sorted({s << _PLACE | o for s, o in places}):
            row = source.conn.execute(_ROW, (place >> _PLACE, place & (1 << _PLACE) - 1)).fetchone()
            if row["name"] != name or stream is None:
                if stream:
                    stream.close()
                name, stream = row["name"], _open(source.folder, row["name"])
                # The warcinfo record says which software wrote the file, and how
                position += out.write(as_asked(_copy(stream, next(walk(stream)), name)[1]))
            for record_id, copied in _beside(stream, row, name):
                member = as_asked(copied)
                offset, position = position, position + out.write(member)
                if record_id == row["record_id"]:
                    yield _copied(row, offset, member)
    finally:
        if stream:
            stream.close()


def _places(source: Source) -> array[int]:
    """Where the responses lie, in the order of the files: serial number and offset in one number."""
    found = array("q")
    for article, version in versions(source.conn, source.selection):
        source.count(article["source"], article["key"])
        captured = (article["article_id"], version["first_captured_at"], version["last_captured_at"])
        for row in source.conn.execute(_CAPTURES, captured):
            found.append(row["serial"] << _PLACE | row["offset"])
            if row["original_serial"]:
                found.append(row["original_serial"] << _PLACE | row["original_offset"])
    return array("q", sorted(set(found)))


def _open(folder: Path, name: str) -> IO[bytes]:
    path = folder / "warc" / name
    try:
        return open(path if path.exists() else path.with_name(name + ".open"), "rb")
    except OSError as error:
        raise DamagedWarc(name, f"cannot be read ({error.strerror})") from error


def _beside(stream: IO[bytes], row: sqlite3.Row, name: str) -> Iterator[tuple[str, bytes]]:
    """A response after its request and metadata, which lie before it: (record id, bytes)."""
    end = row["offset"] + row["length"]
    wanted = row["record_id"]
    record_id = ""
    for member in walk(stream, row["previous_end"], end):
        headers, data = _copy(stream, member, name)
        record_id = headers.get("WARC-Record-ID")
        if wanted in (record_id, headers.get("WARC-Concurrent-To")):
            yield record_id, data
    if record_id != wanted:
        raise DamagedWarc(name, "is another record than the index says", row["offset"])


def _copy(stream: IO[bytes], member: Member, name: str) -> tuple[Headers, bytes]:
    """The WARC headers of a member, and its bytes. Raises DamagedWarc."""
    try:
        headers = read_headers(BufferedReader(member))
    except NoRecord as error:
        raise DamagedWarc(name, error.what, member.offset) from error
    member.drain()
    if member.end is None:
        raise DamagedWarc(name, "cannot be unpacked", member.offset)
    stream.seek(member.offset)
    return headers, stream.read(member.end - member.offset)


def _copied(row: sqlite3.Row, offset: int, member: bytes) -> Copied:
    mime = (row["content_type"] or "unk").partition(";")[0].strip()
    return Copied(
        row["url"],
        row["captured_at"],
        row["status"],
        "warc/revisit" if row["original_id"] else mime,
        row["payload_sha256"],
        hashlib.sha256(member).hexdigest(),
        row["record_id"],
        offset,
        len(member),
    )
