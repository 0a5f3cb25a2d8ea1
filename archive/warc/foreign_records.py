"""The records of other people's files: WARC plain, gzip or zstd, ARC, and WACZ. Damaged records are reported
with their place, and reading continues after them."""

from __future__ import annotations

import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, redirect_stderr
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, ClassVar, cast

from archive.errors import UNREADABLE, ArchiveError
from archive.warc.gzip_members import GZIP, Member, Packing, next_member, walk
from archive.warc.package_parts import open_part
from archive.warc.payloads import digest_matches, payload_matches
from archive.warc.records import MOST_HEADERS, Headers, NoRecord, read_headers

MOST = 64 * 2**20  # bytes of a block: a post is a thousandth of it
# A file may unpack to so many bytes or to so many times its own size: no crawler writes more.
MOST_UNPACKED, MOST_RATIO = 2 * 2**30, 100
_IN_MEMORY = 16 * 2**20  # bytes of a member; larger ones are unpacked into a temporary file
_PIECE = 1 << 16
_ZIP, _LZ4 = b"PK\x03\x04", b"\x04\x22\x4d\x18"
_ZSTD, _DICTIONARY = b"\x28\xb5\x2f\xfd", b"\x5d\x2a\x4d\x18"
_ARC, _BOM = b"filedesc://", b"\xef\xbb\xbf"
_LINE = b"\nWARC/"
_VERSION = re.compile(rb"WARC/([0-9]+)\.[0-9]+[ \t]*\r?\n")


class UnreadableFile(ArchiveError):
    """Raised when a file contains no WARC records that can be read."""

    exit_status: ClassVar[int] = UNREADABLE


class _TooLarge(UnreadableFile):
    """Raised when a file unpacks to more than any crawler writes, by `_Budget`."""


@dataclass(frozen=True, slots=True)
class ForeignRecord:
    """A whole record. ``block`` is None where it has more than `MOST` bytes. ``note`` says what is odd."""

    offset: int
    headers: Headers
    block: bytes | None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """A damaged place of a file: its byte, what is wrong, and the word it is counted under."""

    file: str
    offset: int
    what: str
    word: str = "damaged"

    def __str__(self) -> str:
        return f"{self.file}, byte {self.offset}: {self.what}"


class _CutShort(NoRecord):
    """Raised when a file ends within a record."""


class _Budget:
    """How many bytes a file may still unpack to, or be read anew after damage."""

    def __init__(self, name: str, size: int) -> None:
        self._name, self._left = name, max(MOST_UNPACKED, MOST_RATIO * size)

    def take(self, size: int) -> None:
        """Take bytes. Raises _TooLarge if fewer are left."""
        self._left -= size
        if self._left < 0:
            raise _TooLarge(
                f"{self._name} unpacks to more than {MOST_UNPACKED >> 30} GiB "
                f"and {MOST_RATIO} times its size: unpack it and import its parts"
            )


def read_foreign(path: Path) -> Iterator[ForeignRecord | Lost]:
    """The records of a file and its damaged places, in order. Raises UnreadableFile."""
    try:
        with ExitStack() as stack:
            file: IO[bytes] = stack.enter_context(open(path, "rb"))
            budget = _Budget(path.name, path.stat().st_size)
            read = _package if file.read(4) == _ZIP else _file
            yield from read(path.name, file, budget)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnreadableFile(f"{path.name} cannot be read ({reason}): give a WARC or WACZ file") from error


# -- kinds of files


def _package(name: str, file: IO[bytes], budget: _Budget) -> Iterator[ForeignRecord | Lost]:
    """The WARC files in a WACZ. Of one that is cut off, the records that are in it anyway."""
    try:
        package = zipfile.ZipFile(file)
        parts = [part for part in package.infolist() if part.filename.startswith("archive/")]
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        start = next_member(file, -1)
        if start is None:
            raise UnreadableFile(f"{name} is a damaged zip file without WARC records: get it again") from None
        yield Lost(name, 0, "the list of files at the end of the WACZ is damaged or cut off")
        yield from _members(name, file, budget, GZIP, start)
        return
    parts = [part for part in parts if part.filename.endswith((".warc", ".warc.gz", ".warc.zst", ".arc.gz"))]
    if not parts:
        raise UnreadableFile(f"{name} is a zip file without WARC files in archive/: give a WARC or WACZ file")
    for part in parts:
        inner = f"{name}/{part.filename}"
        budget.take(part.file_size)
        try:
            with open_part(package, file, part) as stream:
                yield from _file(inner, stream, budget)
        except _TooLarge:
            raise
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError) as error:
            yield Lost(inner, 0, f"the file cannot be unpacked ({error})")
        except UnreadableFile as error:
            if len(parts) == 1:
                raise
            yield Lost(inner, 0, str(error))


def _file(name: str, file: IO[bytes], budget: _Budget) -> Iterator[ForeignRecord | Lost]:
    """The records of one WARC or ARC file."""
    file.seek(0)
    first = file.read(_PIECE)
    packing, start = None, 0
    if first.startswith(GZIP.magic):
        packing = GZIP
    elif first.startswith((_ZSTD, _DICTIONARY)):
        packing, start = _zstd(file, first)
    if packing:
        first = Member(file, start, packing).read(_PIECE) or b""
    text = first.removeprefix(_BOM).lstrip()
    _refuse(name, text)
    version = _VERSION.match(text)
    if version and int(version[1]) > 1:
        raise UnreadableFile(f"{name} is of a newer WARC version: convert it to WARC/1.1 first")
    if text.startswith(_ARC):
        yield from _members(name, file, budget, packing, start) if packing else _arc(name, file, budget)
    elif packing and (version or _LINE in first or next_member(file, start, packing) is not None):
        yield from _members(name, file, budget, packing, start)
    elif not packing and (version or _next_line(file, 0) is not None):
        yield from _plain(name, file, budget)
    else:
        what = "is empty" if not text and not packing else "is not a WARC file, or is damaged"
        raise UnreadableFile(f"{name} {what}: give a WARC or WACZ file")


def _refuse(name: str, text: bytes) -> None:
    """Raise UnreadableFile for a known kind of file that is not WARC."""
    if text.startswith(_LZ4):
        raise UnreadableFile(f"{name} is compressed with lz4: unpack it with 'lz4 -d' and import the result")
    if text.startswith(b"{") and b'"log"' in text[:4096]:
        raise UnreadableFile(
            f"{name} is a HAR file, without bodies as received: convert it with har2warc and import that"
        )
    head = text[:4096].lower()
    if b"mime-version:" in head and b"multipart/related" in head:
        raise UnreadableFile(
            f"{name} is an MHTML page, without HTTP answers: save the page as WACZ with ArchiveWeb.page"
        )


def _zstd(file: IO[bytes], first: bytes) -> tuple[Packing, int]:
    """How to unpack frames of zstd, with the dictionary that the first one may hold; where they begin."""
    from backports import zstd  # Scrapy requires it; Python 3.14 has it as compression.zstd

    start, dictionary = 0, None
    if first.startswith(_DICTIONARY):
        (size,) = struct.unpack_from("<I", first.ljust(8, b"\0"), 4)
        start = 8 + size
        file.seek(8)
        content = file.read(min(size, MOST))
        try:
            dictionary = zstd.ZstdDict(zstd.decompress(content) if content.startswith(_ZSTD) else content)
        except (zstd.ZstdError, ValueError):
            pass  # then no frame that needs it can be unpacked
    unpacker: Any = partial(zstd.ZstdDecompressor, zstd_dict=dictionary)
    return Packing(_ZSTD, unpacker, zstd.ZstdError), start


# -- records


def _members(
    name: str, file: IO[bytes], budget: _Budget, packing: Packing, start: int
) -> Iterator[ForeignRecord | Lost]:
    """The records of each member; of a damaged one, those that are surely whole."""
    read = None
    for member in walk(file, start, None, packing):
        with SpooledTemporaryFile(_IN_MEMORY) as spool:
            while piece := member.read(_PIECE):
                budget.take(len(piece))
                spool.write(piece)
                read = read or (_arc if piece.startswith(_ARC) else _plain)
            records = (read or _plain)(name, cast("IO[bytes]", spool), budget, member.offset)
            if member.end is not None:
                yield from records
            elif member.is_torn and next_member(file, member.offset, packing) is None:
                yield from _sure(records, is_cut=True)
                what = "the record breaks off: the file ends within it"
                yield Lost(name, member.offset, what, "cut_short")
            else:
                yield from _sure(records, is_cut=False)
                yield Lost(name, member.offset, "the record cannot be unpacked")


def _sure(records: Iterator[ForeignRecord | Lost], *, is_cut: bool) -> Iterator[ForeignRecord]:
    """The records of a member without a checksum that are surely whole.

    If it is cut off, all but the last, and that one if its digest proves it. If it is damaged, those that a
    digest proves, but not a single one: nothing proves its headers.
    """
    last, number = None, 0
    for found in records:
        number += 1
        if isinstance(last, ForeignRecord) and (is_cut or _is_proven(last)):
            yield last
        last = found
    if isinstance(last, ForeignRecord) and (is_cut or number > 1) and _is_proven(last):
        yield last


def _plain(
    name: str, file: IO[bytes], budget: _Budget, member: int | None = None
) -> Iterator[ForeignRecord | Lost]:
    """The records of a plain file, or of a member at an offset. After damage: from the next whole record."""
    file.seek(0)
    at: int | None = len(_BOM) if file.read(len(_BOM)) == _BOM else 0
    is_searching = False  # after damage: what only looks like a record is no further damage
    while at is not None:
        file.seek(at)
        headers = None
        try:
            first = _skip_blank_lines(file)
            at = file.tell() - len(first)
            if not first:
                return
            headers = read_headers(file, first)
            place = at if member is None else member
            budget.take(min(headers.length, MOST) if is_searching else 0)
            record = _read_record(file, place, headers)
        except NoRecord as error:
            if not is_searching or headers:
                word = "cut_short" if isinstance(error, _CutShort) else "damaged"
                yield Lost(name, at if member is None else member, f"the record {error.what}", word)
            is_searching = True
            at = _next_line(file, at)
            continue
        is_searching = False
        at = file.tell()
        yield record if isinstance(record, ForeignRecord) else Lost(name, place, record, "wrong_digest")


def _skip_blank_lines(file: IO[bytes]) -> bytes:
    for _ in range(1000):
        if (line := file.readline(MOST_HEADERS)) not in (b"\r\n", b"\n"):
            return line
    raise NoRecord("does not begin within 1,000 lines")


def _next_line(file: IO[bytes], offset: int) -> int | None:
    """Where the next line after an offset begins that looks like the first of a record."""
    while True:
        file.seek(offset)
        window = file.read(1 << 20)
        found = window.find(_LINE)
        if found != -1:
            return offset + found + 1
        if len(window) < 1 << 20:
            return None
        offset += len(window) - len(_LINE) + 1


def _read_record(file: IO[bytes], offset: int, headers: Headers) -> ForeignRecord | str:
    """The record that follows its headers, or how it contradicts its digest. Raises NoRecord."""
    block: bytes | None = None
    if headers.length > MOST:
        end = file.tell() + headers.length
        if file.seek(0, os.SEEK_END) < end:
            raise _CutShort("is shorter than it says")
        file.seek(end)
    else:
        block = file.read(headers.length)
        if len(block) != headers.length:
            raise _CutShort("is shorter than it says: the file ends within it")
    end = file.tell()
    is_ended = all(file.readline(2) in (b"\r\n", b"\n", b"") for _ in range(2))
    record = ForeignRecord(offset, headers, block)
    verdict = check_digests(record)
    if not is_ended:
        file.seek(end)
        if verdict.is_proof is not True:
            raise NoRecord("is shorter or longer than it says")
    if verdict.is_proof is False:
        return "the record does not match its digest"
    return ForeignRecord(offset, headers, block, verdict.note)


def _arc(name: str, file: IO[bytes], _budget: _Budget, member: int = 0) -> Iterator[ForeignRecord | Lost]:
    """The records of an ARC file, the format before WARC, by warcio."""
    from warcio.archiveiterator import ArchiveIterator  # on first use: a crawl needs none

    file.seek(0)
    records = ArchiveIterator(file, no_record_parse=True, arc2warc=True)
    offset = 0
    while True:
        try:
            with redirect_stderr(io.StringIO()):  # warcio prints its warnings
                record = next(records, None)
                if record is None:
                    return
                fields = {key.lower(): value for key, value in record.rec_headers.headers}
                length = record.length or 0
                block = (
                    b"".join(iter(partial(record.raw_stream.read, _PIECE), b"")) if length <= MOST else None
                )
                offset = records.get_record_offset()
                if block is not None and len(block) != length:
                    raise EOFError
        except Exception as error:  # noqa: BLE001  # warcio raises whatever its parser met
            what = f"the record cannot be read as ARC ({type(error).__name__})"
            yield Lost(name, member or offset, what)
            return
        yield ForeignRecord(member or offset, Headers("ARC", fields, length), block)


# -- digests


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the digests of a record say: True, the block is right; False, it is not; None, nothing."""

    is_proof: bool | None
    note: str | None = None


def check_digests(record: ForeignRecord) -> Verdict:
    """Compare a response or revisit with its digests."""
    if record.block is None or record.headers.kind not in ("response", "revisit"):
        return Verdict(None)
    stated, payload = record.headers.get("WARC-Block-Digest"), record.headers.get("WARC-Payload-Digest")
    if record.headers.kind == "revisit":
        return Verdict(digest_matches(stated, record.block))
    if not stated:
        return Verdict(payload_matches(payload, record.block))
    verdict = digest_matches(stated, record.block)
    # Some tools of 2017 to 2020 state the payload's digest for both.
    if verdict is False and payload_matches(stated, record.block) and payload in ("", stated):
        return Verdict(True, "the record states its payload's digest as its block's")
    return Verdict(verdict)


def _is_proven(record: ForeignRecord) -> bool:
    return check_digests(record).is_proof is True
