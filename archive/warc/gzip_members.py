"""Gzip members: each WARC record is one. Write them, and walk through a file of them past damage.

The walker also reads the frames of zstd, which other tools write.
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import IO, Protocol

_GZIP = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # deflate, without a name or a time, of no particular system
_BLOCK = 0xFFFF  # bytes, the most that a stored block of deflate takes
_END = b"\r\n\r\n"
_STEP = 1 << 16  # bytes read at a time
_WINDOW = 1 << 20  # bytes searched at a time for the next member


@lru_cache(maxsize=1)
def payload_sha256(body: bytes) -> str:
    """The digest of a body. The last one is cached: several callers ask for the same capture's."""
    return hashlib.sha256(body).hexdigest()


# -- writing


def pack_member(headers: dict[str, str], block: bytes, content_type: str) -> bytes:
    """One record as one gzip member. A body that is compressed already is stored, all else is compressed."""
    stated = headers | {"Content-Type": content_type, "Content-Length": str(len(block))}
    lines = ("WARC/1.1", *(f"{name}: {value}" for name, value in stated.items()))
    head = "\r\n".join(lines).encode() + _END
    if len(block) < 4096:
        # The tables for a long record would take most of a short record's time.
        return _deflated(zlib.compressobj(6, zlib.DEFLATED, 16 + 12, 5), head, block)
    if content_type == "application/json":
        return _deflated(zlib.compressobj(6, zlib.DEFLATED, 16 + 15), head, block)
    body = block.find(_END) + len(_END)
    if b"\ncontent-encoding:" in block[:body].lower():
        return _stored(head + block[:body], block[body:] + _END)
    return _deflated(zlib.compressobj(1, zlib.DEFLATED, 16 + 15), head, block)


def _deflated(deflate: zlib._Compress, head: bytes, block: bytes) -> bytes:
    return deflate.compress(head + block + _END) + deflate.flush()


def _stored(head: bytes, body: bytes) -> bytes:
    """A compressed head and a stored body. Compressing the body twice saves nothing and takes most time."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -12, 5)
    # A full flush ends on a whole byte and leaves the stream open.
    parts = [_GZIP, deflate.compress(head), deflate.flush(zlib.Z_FULL_FLUSH)]
    for at in range(0, len(body), _BLOCK):
        piece = body[at : at + _BLOCK]
        parts += (struct.pack("<BHH", at + _BLOCK >= len(body), len(piece), len(piece) ^ _BLOCK), piece)
    length = (len(head) + len(body)) & 0xFFFFFFFF
    parts.append(struct.pack("<II", zlib.crc32(body, zlib.crc32(head)), length))
    return b"".join(parts)


# -- reading


class Unpacker(Protocol):
    """A decompressor with the interface that bz2, lzma and zstd share."""

    eof: bool
    unused_data: bytes
    needs_input: bool

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """At most so many bytes."""


class _Gunzip:
    """zlib's decompressor with that interface."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(31)
        self.eof = False
        self.unused_data = b""
        self.needs_input = True

    def decompress(self, data: bytes, max_length: int = 0) -> bytes:
        piece = self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)
        self.eof, self.unused_data = self._inflate.eof, self._inflate.unused_data
        self.needs_input = not self._inflate.unconsumed_tail and len(piece) != max_length
        return piece


@dataclass(frozen=True, slots=True)
class Packing:
    """How records are compressed: the bytes a member begins with, and how to read one."""

    magic: bytes
    unpacker: Callable[[], Unpacker]
    error: type[Exception]  # raised by an unpacker that meets damage


GZIP = Packing(b"\x1f\x8b\x08", _Gunzip, zlib.error)


class Member(io.RawIOBase):
    """The member at an offset, unpacked piece by piece while it is read; what stands before damage is read.

    ``end`` is where the next member begins. It is None until the last byte is unpacked and the checksum is
    right; it stays None where the member is damaged or the file ends within it (``is_torn``).
    """

    def __init__(self, file: IO[bytes], offset: int, packing: Packing = GZIP, ahead: bytes = b"") -> None:
        super().__init__()
        self.offset = offset
        self.end: int | None = None
        self.is_torn = False
        self.ahead = ahead  # bytes that are read and not unpacked: at the end, those of the next member
        self._file, self._packing = file, packing
        self._unpacker = packing.unpacker()
        self._at = offset  # of the next byte to read from the file
        self._unpacked = 0
        self._salvaged: bytes | None = None  # what is left to read before the damage

    def readable(self) -> bool:
        """True: `io.BufferedReader` asks."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Unpack into a buffer; 0 at the end, or where the rest is damaged."""
        piece = self._unpack(len(buffer))
        buffer[: len(piece)] = piece
        self._unpacked += len(piece)
        return len(piece)

    def readall(self) -> bytes:
        """Unpack the rest."""
        return b"".join(self._pieces())

    def drain(self) -> None:
        """Unpack the rest, to know the end."""
        for _ in self._pieces():
            pass

    def _pieces(self) -> Iterator[bytes]:
        while piece := self._unpack(_STEP):
            self._unpacked += len(piece)
            yield piece

    def _unpack(self, most: int) -> bytes:
        while self.end is None and not self.is_torn and self._salvaged is None:
            chunk, before = b"", self._at
            if self._unpacker.needs_input:
                chunk = self._read_chunk(_STEP)
                self.is_torn = not chunk
            try:
                piece = self._unpacker.decompress(chunk, most)
            except self._packing.error:
                self._salvaged = self._salvage(before)
                break
            if self._unpacker.eof:
                self.ahead = self._unpacker.unused_data
                self.end = self._at - len(self.ahead)
            if piece:
                return piece
        piece = (self._salvaged or b"")[:most]
        self._salvaged = self._salvaged and self._salvaged[most:]
        return piece

    def _read_chunk(self, size: int) -> bytes:
        chunk, self.ahead = self.ahead, b""
        if not chunk:
            self._file.seek(self._at)
            chunk = self._file.read(size)
        self._at += len(chunk)
        return chunk

    def _salvage(self, last: int) -> bytes:
        """Unpack again, byte by byte after offset ``last``: what precedes the damage and is not read yet."""
        self._unpacker = self._packing.unpacker()
        found, skip, self._at, self.ahead = bytearray(), self._unpacked, self.offset, b""
        try:
            while chunk := self._read_chunk(min(_STEP, last - self._at) if self._at < last else 1):
                while piece := self._unpacker.decompress(chunk, _STEP):
                    found += piece[skip:]
                    skip, chunk = max(0, skip - len(piece)), b""
        except self._packing.error:
            pass
        return bytes(found)


def walk(
    file: IO[bytes], start: int = 0, stop: int | None = None, packing: Packing = GZIP
) -> Iterator[Member]:
    """Each member that begins between two offsets. After a damaged one: the next that holds a WARC record."""
    offset: int | None = start
    ahead = b""
    stop = file.seek(0, os.SEEK_END) if stop is None else stop
    while offset is not None and offset < stop:
        member = Member(file, offset, packing, ahead)
        yield member
        member.drain()
        offset, ahead = member.end, member.ahead
        if offset is None:
            offset, ahead = next_member(file, member.offset, packing), b""


def next_member(file: IO[bytes], offset: int, packing: Packing = GZIP) -> int | None:
    """Where the next member after an offset begins that begins with a WARC record."""
    offset += 1
    while True:
        file.seek(offset)
        window = file.read(_WINDOW)
        at = window.find(packing.magic)
        while at != -1:
            if Member(file, offset + at, packing).read(5) == b"WARC/":
                return offset + at
            at = window.find(packing.magic, at + 1)
        if len(window) < _WINDOW:
            return None
        offset += _WINDOW - len(packing.magic) + 1
