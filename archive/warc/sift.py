"""Copy the records of some addresses out of a WARC stream that is read once: a file, a pipe, a download.

Each record of a packed stream is a gzip member, copied byte for byte. Inflating takes nearly all of the time.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from typing import Any, Protocol

from archive.warc.records import MOST_HEADERS, NoRecord, read_headers

try:
    _inflate: Any = import_module("isal.isal_zlib")  # Intel's: twice as fast (the extra `sift`)
except ImportError:
    _inflate = zlib
_ERRORS = (zlib.error, _inflate.error)
_FEED = 1 << 16  # bytes inflated at a time: zlib copies what follows a member's end, so not many more
_GIVEN_BACK = 16  # pieces of that size
_MOST = 1 << 20  # bytes of output at a time: a member may unpack to gigabytes
_MOST_BEFORE = 1 << 26  # bytes of a plain record that is read whole before it is used
_AFTER = 16  # bytes after a record, in which the next one begins
_END = b"\r\n\r\n"
_LINE = b"\nWARC/"
_MAGIC = b"\x1f\x8b\x08"
_TARGET = re.compile(rb"^WARC-Target-URI:[ \t]*<?([^\r\n>]*)", re.IGNORECASE | re.MULTILINE)


class Stream(Protocol):
    """What is read from: a file, a pipe, a download."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; empty at the end."""


class NotWarc(Exception):
    """Raised when a stream is neither a WARC file nor one of gzip members; ``what`` says what it is."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(slots=True)
class Sifted:
    """What came of a stream. ``damaged`` are places that could not be read, bytes from its start."""

    records: int = 0
    copied: int = 0
    damaged: int = 0
    first_damage: int | None = None

    def lose(self, offset: int) -> None:
        """Count a damaged place."""
        self.damaged += 1
        self.first_damage = offset if self.first_damage is None else self.first_damage


def sift(
    stream: Stream, is_wanted: Callable[[bytes], bool], out: Callable[[bytes], object], found: Sifted
) -> None:
    """Give the members of wanted records to ``out``, and count in ``found``; ``is_wanted`` gets each record's
    address. Plain records are packed first. Raises NotWarc, OSError."""
    source = _Source(stream)
    source.fill()
    begin = bytes(source.buffer[:5])
    if begin.startswith(_MAGIC):
        _sift_members(source, is_wanted, out, found)
    elif begin == b"WARC/" or _LINE in source.buffer:
        _sift_plain(source, is_wanted, out, found)
    elif begin:
        is_zstd = begin[:4] in (b"\x28\xb5\x2f\xfd", b"\x5d\x2a\x4d\x18")
        raise NotWarc("packed with zstd: give 'zstd -dc FILE' by a pipe" if is_zstd else "not a WARC file")


class _Source:
    """A stream and what is read of it and not used yet. ``offset`` is where the buffer begins."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.buffer = bytearray()
        self.offset = 0

    def fill(self) -> bool:
        """Read on; False at the end."""
        piece = self._stream.read(_FEED)
        self.buffer += piece
        return bool(piece)

    def take(self, count: int) -> bytes:
        """Use the first bytes of the buffer."""
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        self.offset += count
        return taken

    def give_back(self, pieces: list[bytes]) -> None:
        """Put bytes that were used last back before the others."""
        content = b"".join(pieces)
        self.buffer[:0] = content
        self.offset -= len(content)


def _sift_members(
    source: _Source, is_wanted: Callable[[bytes], bool], out: Callable[[bytes], object], found: Sifted
) -> None:
    while source.buffer or source.fill():
        start = source.offset
        member = _read_member(source, is_wanted)
        if member is None:
            found.lose(start)
            if not _skip_damage(source):
                return
            continue
        found.records += 1
        if member:
            found.copied += 1
            out(member)


def _read_member(source: _Source, is_wanted: Callable[[bytes], bool]) -> bytes | None:
    """The next member if its record is wanted, else empty; None if it is damaged. Of a damaged one the last
    bytes are given back: damage may show only in the members after it."""
    inflate = _inflate.decompressobj(31)
    head, kept, used = bytearray(), list[bytes](), list[bytes]()
    is_kept: bool | None = None  # None: not known yet
    try:
        while not inflate.eof:
            if not source.buffer and not source.fill():
                source.give_back(used)
                return None
            piece = source.take(min(_FEED, len(source.buffer)))
            used = [*used[-_GIVEN_BACK:], piece]
            if is_kept is not False:
                kept.append(piece)
            rest, data = piece, b""
            while (rest or len(data) == _MOST) and not inflate.eof:
                data = inflate.decompress(rest, _MOST)
                rest = inflate.unconsumed_tail
                if is_kept is None:
                    head += data
                    is_kept = _decide(head, is_wanted)
        unused = len(inflate.unused_data)
        if unused:
            source.give_back([inflate.unused_data])
    except _ERRORS:
        source.give_back(used)
        return None
    if is_kept is None:
        is_kept = _decide(head + b"\r\n\r\n", is_wanted)
    if not head.startswith(b"WARC/") or not is_kept:
        return b""
    member = b"".join(kept)
    return member[: len(member) - unused]


def _decide(head: bytearray, is_wanted: Callable[[bytes], bool]) -> bool | None:
    """Whether a record is wanted, by its headers; None if they are not whole yet."""
    end = head.find(b"\r\n\r\n")
    if end < 0:
        return None if len(head) <= MOST_HEADERS else False
    target = _TARGET.search(head, 0, end)
    return target is not None and is_wanted(target[1].strip())


def _skip_damage(source: _Source) -> bool:
    """Go to the next member that begins with a WARC record; False if there is none."""
    source.take(min(1, len(source.buffer)))
    while True:
        at = source.buffer.find(_MAGIC)
        if at < 0:
            source.take(max(0, len(source.buffer) - len(_MAGIC) + 1))
            if not source.fill():
                return False
            continue
        source.take(at)
        if len(source.buffer) < 512:
            source.fill()
        try:
            if zlib.decompressobj(31).decompress(bytes(source.buffer[:4096]), 5) == b"WARC/":
                return True
        except zlib.error:
            pass
        source.take(1)


def _sift_plain(
    source: _Source, is_wanted: Callable[[bytes], bool], out: Callable[[bytes], object], found: Sifted
) -> None:
    is_searching = False  # after damage: what only looks like a record is no further damage
    while _skip_blank_lines(source):
        start = source.offset
        try:
            record = _read_plain(source, is_wanted)
        except NoRecord:
            if not is_searching:
                found.lose(start)
            is_searching = True
            if not _skip_to_record(source):
                return
            continue
        is_searching = False
        found.records += 1
        if record:
            found.copied += 1
            out(record)


def _skip_blank_lines(source: _Source) -> bool:
    """Go to the next byte that is no line end; False at the end."""
    while source.buffer or source.fill():
        blank = len(source.buffer) - len(source.buffer.lstrip(b"\r\n"))
        source.take(blank)
        if source.buffer:
            return True
    return False


def _read_plain(source: _Source, is_wanted: Callable[[bytes], bool]) -> bytes:
    """The next plain record, packed, if it is wanted, else empty. Raises NoRecord, and then uses nothing,
    unless the record is too large to read what follows it."""
    while (end := source.buffer.find(_END)) < 0:
        if len(source.buffer) > MOST_HEADERS or not source.fill():
            raise NoRecord("has headers without an end")
    headers = read_headers(BytesIO(bytes(source.buffer[: end + 4])))
    size = left = end + 4 + headers.length
    if size <= _MOST_BEFORE:
        while len(source.buffer) < size + _AFTER and source.fill():
            pass
        after = bytes(source.buffer[size : size + _AFTER])
        is_whole = after.startswith(_END) or b"WARC/".startswith(after.lstrip(b"\r\n")[:5])
        if len(source.buffer) < size or not is_whole:
            raise NoRecord("is shorter or longer than it says")
    is_kept = is_wanted(headers.get("WARC-Target-URI").strip("<>").encode())
    pack = zlib.compressobj(6, zlib.DEFLATED, 31)
    packed = []
    while left:
        if not source.buffer and not source.fill():
            raise NoRecord("is shorter than it says")
        piece = source.take(min(left, len(source.buffer)))
        left -= len(piece)
        packed += [pack.compress(piece)] if is_kept else []
    return b"".join([*packed, pack.compress(_END), pack.flush()]) if is_kept else b""


def _skip_to_record(source: _Source) -> bool:
    """Go to the next line after this one that looks like the first of a record; False if there is none."""
    while (at := source.buffer.find(_LINE)) < 0:
        source.take(max(0, len(source.buffer) - len(_LINE) + 1))
        if not source.fill():
            return False
    source.take(at + 1)
    return True
