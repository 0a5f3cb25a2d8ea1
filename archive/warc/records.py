"""WARC records as bytes: their headers, their digests, and each record of one of our files, past damage."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import IO

from archive.warc.gzip_members import Member, walk

MOST_HEADERS = 1 << 16  # bytes of the headers of a record
_VERSION = re.compile(rb"WARC/([01]\.[0-9]+)[ \t]*\r?\n")


class NoRecord(Exception):
    """Raised when bytes are not a whole WARC record; ``what`` completes the sentence "the record ..."."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True, slots=True)
class Headers:
    """The WARC headers of a record."""

    version: str  # 1.1
    fields: dict[str, str]  # by name in lower case; of a repeated one the first
    length: int  # of the block that follows, in bytes

    def get(self, name: str) -> str:
        """A field's value; empty where it is missing."""
        return self.fields.get(name.lower(), "")

    @property
    def kind(self) -> str:
        """WARC-Type."""
        return self.fields["warc-type"]


@dataclass(frozen=True, slots=True)
class Record:
    """A whole record of one of our files. ``length`` is of its gzip member."""

    offset: int
    length: int
    headers: Headers
    block: bytes

    @property
    def record_id(self) -> str:
        """WARC-Record-ID."""
        return self.headers.fields.get("warc-record-id", "")

    @property
    def body(self) -> bytes:
        """The body of an HTTP message."""
        return self.block.partition(b"\r\n\r\n")[2]


@dataclass(frozen=True, slots=True)
class Damage:
    """A place in a file that holds no whole record; ``what`` completes the sentence "the record ..."."""

    offset: int
    what: str
    has_end: bool = True  # False: it cannot be unpacked, as after a crash


def read_headers(stream: IO[bytes], first: bytes = b"") -> Headers:
    """The headers of a record, of which the ``first`` line may be read already. Raises NoRecord."""
    version = _VERSION.fullmatch(first or stream.readline(MOST_HEADERS))
    if version is None:
        raise NoRecord("does not begin with WARC/1.0 or WARC/1.1")
    fields: dict[str, str] = {}
    name, left = "", MOST_HEADERS
    while (line := stream.readline(left)) not in (b"\r\n", b"\n"):
        left -= len(line)
        if not line.endswith(b"\n") or left <= 0:
            raise NoRecord("has headers without an end")
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if line[:1] in b" \t":  # a folded line belongs to the one before
            fields[name] = f"{fields.get(name, '')} {text.strip()}"
            continue
        name, colon, value = text.partition(":")
        if not colon:
            raise NoRecord("has a header line without a colon")
        name = name.strip().lower()
        fields.setdefault(name, value.strip())
    return _checked(version[1].decode(), fields)


def _checked(version: str, fields: dict[str, str]) -> Headers:
    length = fields.get("content-length", "")
    if not (length.isascii() and length.isdecimal()) or len(length) > 18:
        raise NoRecord("states no length")
    if "warc-type" not in fields:
        raise NoRecord("states no WARC-Type")
    return Headers(version, fields, int(length))


@lru_cache(maxsize=256)
def _lower(name: str) -> str:
    return name.strip().lower()


def _split_headers(record: bytes) -> tuple[Headers, int] | None:
    """What `read_headers` makes of a record, and where its block begins; None where that needs more care."""
    begin = record.find(b"\r\n\r\n") + 4
    head = record[:begin].decode("utf-8", "replace")
    lines = head.split("\r\n")
    version = _VERSION.match(record)
    if begin > MOST_HEADERS or version is None or version.end() != len(lines[0]) + 2:
        return None
    if head.count("\n") >= len(lines) or "\r\n " in head or "\r\n\t" in head:
        return None
    try:
        pairs = [line.split(":", 1) for line in lines[1:-2]]
        fields = {_lower(name): value.strip() for name, value in pairs}
    except ValueError:  # a line without a colon
        return None
    if len(fields) < len(pairs):
        return None
    return _checked(version[1].decode(), fields), begin


def read_records(path: Path, start: int = 0, stop: int | None = None) -> Iterator[Record | Damage]:
    """Each record of one of our files that begins between two offsets, its block digest checked; and each
    place that is damaged. Raises OSError."""
    with open(path, "rb") as file:
        for member in walk(file, start, stop):
            try:
                yield _parse(member)
            except NoRecord as damage:
                yield Damage(member.offset, damage.what, member.end is not None)


def _parse(member: Member) -> Record:
    record = member.readall()
    if member.end is None:
        raise NoRecord("cannot be unpacked")
    if split := _split_headers(record):
        headers, begin = split
    else:
        stream = BytesIO(record)
        headers, begin = read_headers(stream), stream.tell()
    end = begin + headers.length
    if len(record) < end or record[end:].strip(b"\r\n"):
        raise NoRecord("is shorter or longer than it says")
    block = record[begin:end]
    digest = headers.fields.get("warc-block-digest", "")
    if digest.startswith("sha256:") and digest != f"sha256:{hashlib.sha256(block).hexdigest()}":
        raise NoRecord("does not match its digest")
    return Record(member.offset, member.end - member.offset, headers, block)
