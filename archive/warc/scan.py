"""Every record of a WARC file, with its digests: what `archive.rebuild.verify` and `archive.rebuild.recover`
know of a file that may be damaged anywhere."""

from __future__ import annotations

import hashlib
import mmap
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Literal

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from archive.errors import DamagedWarc
from archive.warc.revisits import NOT_MODIFIED, LostOriginal, Original, original_of
from archive.warc.writer import EVENT_URI, Stored, WarcFile, next_record, read

Kind = Literal["mismatch", "absent"]
_STEP = 1 << 16  # bytes unpacked at a time


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was: which thing, and what is wrong with it in one sentence."""

    kind: Kind
    thing: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Record:
    """A WARC record as a scan finds it; ``kind`` is WARC's, or ``event``."""

    kind: str
    record_id: str
    offset: int
    length: int
    payload_sha256: str | None
    original: Original | None = None  # of a revisit


@dataclass(frozen=True, slots=True)
class Scan:
    """What is in a file: whole records and what is wrong, both by offset."""

    records: dict[int, Record] = field(default_factory=dict)  # by offset
    findings: dict[int, Finding] = field(default_factory=dict)


def scan_file(file: WarcFile, size: int) -> Scan:
    """Every record in so many bytes of a file, with its digests; behind damage the scan goes on at the next
    record it finds."""
    scan = Scan()
    if size == 0 or file.path.stat().st_size == 0:
        return scan
    with open(file.path, "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        offset: int | None = 0
        while offset is not None and offset < size:
            plain, end = _inflate(data, offset)
            record = _record(plain, offset, end - offset) if end else None
            if isinstance(record, Record):
                scan.records[offset] = record
            else:
                what = record or "cannot be unpacked"
                if not end and file.is_open and next_record(data, offset) is None:
                    what = "breaks off: a crash tore it, and 'sohr-archive repair' cuts it"
                scan.findings[offset] = Finding(
                    "mismatch", f"{file.name}:{offset}", f"the record at byte {offset} of {file.name} {what}"
                )
            offset = end or next_record(data, offset)
    return scan


def read_past(
    file: WarcFile, start: int, damaged: list[str], *, events_only: bool = False
) -> Iterator[Stored]:
    """`archive.warc.writer.read` that passes over what cannot be read and adds its place to ``damaged``, as
    ``file:byte``. Raises OSError."""
    scan = scan_file(file, file.path.stat().st_size)
    whole, position = sorted(scan.records), start - 1
    while True:
        try:
            for stored in read(file, start, events_only=events_only):
                position = stored.position.offset
                yield stored
            return
        except LostOriginal as error:
            position = error.offset
        except DamagedWarc:
            bad = min((offset for offset in scan.findings if offset > position), default=None)
            if bad is None:
                raise
            position = bad
        damaged.append(f"{file.name}:{position}")
        at = bisect_right(whole, position)
        if at == len(whole):
            return
        start = whole[at]


def last_whole(file: WarcFile) -> int:
    """Where the last whole record of a file ends."""
    records = scan_file(file, file.path.stat().st_size).records
    return max((record.offset + record.length for record in records.values()), default=0)


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
    payload = (
        hashlib.sha256(block.partition(b"\r\n\r\n")[2]).hexdigest()
        if record.rec_type in ("response", "revisit")
        else None
    )
    stated = headers.get_header("WARC-Payload-Digest") or ""
    original = None
    if record.rec_type == "revisit":
        original = original_of(headers)
        if original is None:
            return "repeats another and does not say which"
        payload = payload if headers.get_header("WARC-Profile") == NOT_MODIFIED else original.payload_sha256
    elif payload and stated.startswith("sha256:") and stated != "sha256:" + payload:
        return "has a payload that does not match its digest"
    is_event = record.rec_type == "metadata" and headers.get_header("WARC-Target-URI") == EVENT_URI
    return Record(
        "event" if is_event else record.rec_type,
        headers.get_header("WARC-Record-ID"),
        offset,
        length,
        payload,
        original,
    )
