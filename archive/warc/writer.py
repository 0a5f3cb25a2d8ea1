"""WARC files: the evidence. One file a day, appended, one gzip member a record, ``.open`` until closed.

An exchange is three records in this order: ``request``, ``metadata`` (how we came to ask), ``response``, or
in its place a ``revisit`` where it repeats an earlier one (`archive.warc.revisits`). That comes last, so that
a record cut off by a crash never leaves a response without its provenance. Both others name it by
``WARC-Concurrent-To``.

*As received* means: the body byte for byte below content coding (gzip stays gzip), transfer coding undone by
the HTTP client; header values byte for byte, their names in the client's capitals; the reason phrase is the
standard one, for the client does not keep the server's.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import re
import uuid
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders

from archive.errors import CannotWrite, DamagedWarc
from archive.model import Capture
from archive.warc.gzip_members import member, payload_sha256
from archive.warc.revisits import IDENTICAL, NOT_MODIFIED, Bodies, Original, headers_of, original_of

ROTATE_BYTES = 10**9  # the size that replay tools and file systems are comfortable with
EVENT_URI = "urn:sohr-archive:event"
_NAME = re.compile(
    r"^(?P<site>[a-z0-9.-]+)-(?P<day>[0-9]{8})-(?P<serial>[0-9]{6})\.warc\.gz(?P<open>\.open)?$"
)
# Capture fields that are no part of the exchange: kept in its metadata record, under these names.
_PROVENANCE = ("requested_url", "via", "channel", "reason", "crawl", "look")
_NOTHING = "sha256:" + hashlib.sha256(b"").hexdigest()  # a GET has no payload
_TRUNCATED = ("length", "time", "disconnect", "unspecified")


@dataclass(frozen=True, slots=True)
class WarcFile:
    """A WARC file of the archive, known by its serial number; ``name`` is without ``.open``."""

    path: Path
    name: str
    serial: int
    day: str  # 20260102
    is_open: bool


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record lies: bytes of its gzip member in the file."""

    serial: int
    offset: int
    length: int
    record_id: str
    original: Original | None = None  # the response that a revisit refers to


@dataclass(frozen=True, slots=True)
class Stored:
    """A record read back: an exchange (``capture``) or an event, and where it lies."""

    position: Position
    capture: Capture | None = None
    look: str | None = None
    event: dict[str, object] | None = None


def warc_files(folder: Path) -> list[WarcFile]:
    """The WARC files of an archive in the order they were written."""
    found = [(path, _NAME.match(path.name)) for path in folder.glob("*.warc.gz*")]
    files = [
        WarcFile(path, path.name.removesuffix(".open"), int(m["serial"]), m["day"], m["open"] is not None)
        for path, m in found
        if m
    ]
    return sorted(files, key=lambda f: f.serial)


class Appender:
    """Appends records to the archive's newest file. Not durable before `sync`."""

    def __init__(self, folder: Path, site_name: str) -> None:
        self._folder = folder
        self._site = re.sub(r"[^a-z0-9.-]+", "-", site_name.lower()).strip("-")
        self._file: BinaryIO | None = None
        self._current: WarcFile | None = None
        self._info: dict[str, str] = {}
        self.opened: list[WarcFile] = []  # files begun, and files closed, since the owner looked
        self.closed: list[WarcFile] = []

    def describe(self, info: Mapping[str, str]) -> None:
        """What the warcinfo records of this run say: software, versions, settings."""
        self._info = dict(info)
        self._leave()

    def event(self, at: str, event: Mapping[str, object]) -> Position:
        """Append something that shapes the archive and is no exchange."""
        block = json.dumps(event, ensure_ascii=False, sort_keys=True).encode()
        return self._append("metadata", at, block, "application/json", {"WARC-Target-URI": EVENT_URI})

    def exchange(
        self, capture: Capture, look: str | None = None, original: Original | None = None
    ) -> Position:
        """Append request, provenance and response; the position is the response's. With an ``original``: a
        revisit, without the body."""
        record_id = f"<urn:uuid:{uuid.uuid4()}>"
        beside = {"WARC-Target-URI": capture.url, "WARC-Concurrent-To": record_id}
        at, learnt = capture.captured_at, capture.recorded_at or capture.captured_at
        self._append(
            "request", at, _request_block(capture), "application/http; msgtype=request", beside, learnt
        )
        fields = {name: getattr(capture, name, None) for name in _PROVENANCE} | {"look": look}
        fields["recorded_at"] = learnt if learnt != at else None
        lines = [
            f"{name.replace('_', '-')}: {one_line(value)}\r\n"
            for name, value in fields.items()
            if value is not None
        ]
        self._append("metadata", at, "".join(lines).encode(), "application/warc-fields", beside, learnt)
        headers = {"WARC-Record-ID": record_id, "WARC-Target-URI": capture.url}
        headers["WARC-Payload-Digest"] = "sha256:" + payload_sha256(capture.body)
        if capture.truncated:
            headers["WARC-Truncated"] = capture.truncated
        if capture.ip:
            headers["WARC-IP-Address"] = capture.ip
        kind, block = "response", _response_head(capture) + capture.body
        if original:
            kind, block = "revisit", _response_head(capture)
            headers |= headers_of(original, NOT_MODIFIED if capture.status == 304 else IDENTICAL)
        position = self._append(kind, at, block, "application/http; msgtype=response", headers, learnt)
        return replace(position, original=original)

    def sync(self) -> None:
        """Make all that was appended durable. Raises CannotWrite."""
        if self._file:
            try:
                self._file.flush()
                os.fsync(self._file.fileno())
            except OSError as error:
                raise _refused(self._folder, error) from error

    def close(self) -> None:
        """Let go of the file; it stays open for the next crawl of its day."""
        self._leave()

    def _leave(self) -> None:
        self.sync()
        if self._file:
            self._file.close()
        self._file = self._current = None

    def _append(
        self,
        kind: str,
        at: str,
        block: bytes,
        content_type: str,
        headers: dict[str, str],
        learnt: str | None = None,
    ) -> Position:
        file, current = self._ready(learnt or at)
        headers = {"WARC-Type": kind, "WARC-Date": at} | headers
        record_id = headers.setdefault("WARC-Record-ID", f"<urn:uuid:{uuid.uuid4()}>")
        headers["WARC-Block-Digest"] = "sha256:" + hashlib.sha256(block).hexdigest()
        headers.setdefault(
            "WARC-Payload-Digest", _NOTHING if kind == "request" else headers["WARC-Block-Digest"]
        )
        packed = member(headers, block, content_type)
        try:
            offset = file.tell()
            file.write(packed)
        except OSError as error:
            raise _refused(self._folder, error) from error
        return Position(current.serial, offset, len(packed), record_id)

    def _ready(self, at: str) -> tuple[BinaryIO, WarcFile]:
        """The file for a record of this instant: today's, or a new one. A clock that jumps back goes on in
        the newest."""
        day = at[:10].replace("-", "")
        if self._file and self._current and self._file.tell() < ROTATE_BYTES and day <= self._current.day:
            return self._file, self._current
        self._leave()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            files = warc_files(self._folder)
            newest = files[-1] if files else None
            if newest and newest.is_open and day <= newest.day and newest.path.stat().st_size < ROTATE_BYTES:
                self._current = newest
            else:
                for file in files:
                    if file.is_open:
                        self.closed.append(close_file(file))
                name = f"{self._site}-{day}-{(newest.serial if newest else 0) + 1:06d}.warc.gz"
                self._current = WarcFile(
                    self._folder / (name + ".open"), name, (newest.serial if newest else 0) + 1, day, True
                )
            self.opened.append(self._current)
            self._file = open(self._current.path, "ab")  # noqa: SIM115  # held open over many calls
            headers = {"WARC-Type": "warcinfo", "WARC-Date": at, "WARC-Filename": self._current.name}
            block = "".join(f"{k}: {one_line(v)}\r\n" for k, v in self._info.items()).encode()
            headers["WARC-Record-ID"] = f"<urn:uuid:{uuid.uuid4()}>"
            headers["WARC-Block-Digest"] = "sha256:" + hashlib.sha256(block).hexdigest()
            self._file.write(member(headers, block, "application/warc-fields"))
        except OSError as error:
            raise _refused(self._folder, error) from error
        return self._file, self._current


def close_file(file: WarcFile) -> WarcFile:
    """Take ``.open`` off a file's name."""
    path = file.path.with_name(file.name)
    file.path.rename(path)
    return WarcFile(path, file.name, file.serial, file.day, False)


def cut_torn(path: Path, start: int = 0) -> int:
    """Cut what a crash left unfinished at the end; returns the bytes cut. ``start`` is where a member is
    known to begin.

    A member without its end is cut. What is no member at all (a power cut may leave zeros) is cut too where
    no record follows, and kept beside the file, for it may have been whole once. Raises DamagedWarc where one
    follows: then it is no torn end.
    """
    whole = start
    garbled = False
    with open(path, "r+b") as file:
        file.seek(start)
        inflate = zlib.decompressobj(31)
        position = start
        while not garbled and (chunk := file.read(1 << 20)):
            position += len(chunk)
            while chunk:
                try:
                    inflate.decompress(chunk)
                except zlib.error:
                    garbled = True
                    break
                if not inflate.eof:
                    break
                chunk = inflate.unused_data
                whole = position - len(chunk)
                inflate = zlib.decompressobj(31)
        cut = file.seek(0, os.SEEK_END) - whole
        if garbled:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                if next_record(data, whole) is not None:
                    raise DamagedWarc(
                        f"{path.name} is damaged behind byte {whole}: keep the file, and run 'sohr-archive verify'"
                    )
                path.with_name(f"{path.name}.cut-{whole}").write_bytes(data[whole:])
        if cut:
            file.truncate(whole)
            os.fsync(file.fileno())
    return cut


def next_record(data: mmap.mmap, offset: int) -> int | None:
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


def read(file: WarcFile, start: int = 0, *, events_only: bool = False) -> Iterator[Stored]:
    """The exchanges and events of a file from a member's offset on, each whole and with its digest right.
    Raises DamagedWarc.

    A revisit has the body of its original, out of whichever file beside this one holds it.
    """
    bodies = Bodies(file.path.parent)
    provenance: dict[str, tuple[dict[str, str], tuple[str, str, tuple[tuple[str, str], ...]]]] = {}
    fields: dict[str, str] = {}
    request: tuple[str, str, tuple[tuple[str, str], ...]] = ("GET", "", ())
    offset = start
    with open(file.path, "rb") as stream:
        stream.seek(start)
        iterator = ArchiveIterator(stream, no_record_parse=True)
        try:
            for record in iterator:
                kind, headers = record.rec_type, record.rec_headers
                block = record.raw_stream.read()
                offset = iterator.get_record_offset()
                _check(file, offset, headers, block)
                beside = headers.get_header("WARC-Concurrent-To")
                if kind == "request" and beside:
                    request = _parse_request(block)
                elif kind == "metadata" and beside:
                    fields = _parse_fields(block)
                    provenance = {beside: (fields, request)}  # of the response that follows at once
                elif kind == "metadata" and headers.get_header("WARC-Target-URI") == EVENT_URI:
                    record_id = headers.get_header("WARC-Record-ID")
                    position = Position(file.serial, offset, iterator.get_record_length(), record_id)
                    yield Stored(position, event=json.loads(block))
                elif kind in ("response", "revisit") and not events_only:
                    record_id = headers.get_header("WARC-Record-ID")
                    original = original_of(headers) if kind == "revisit" else None
                    if kind == "revisit":
                        block += _repeated(file, offset, headers, original, bodies)
                    position = Position(
                        file.serial, offset, iterator.get_record_length(), record_id, original
                    )
                    fields, request = provenance.get(record_id, ({}, ("GET", "", ())))
                    yield Stored(position, _capture(headers, block, fields, request), fields.get("look"))
        except (ArchiveLoadFailed, EOFError, zlib.error) as error:
            raise DamagedWarc(
                f"{file.name} is damaged behind byte {offset}: keep the file, and run 'sohr-archive verify'"
            ) from error


def read_response(path: Path, offset: int) -> Capture:
    """The exchange at an offset, its digest checked. Raises DamagedWarc."""
    file = WarcFile(path, path.name, 0, "", False)
    for stored in read(file, offset):
        if stored.capture and stored.position.offset == offset:
            return stored.capture
        break
    raise DamagedWarc(f"{path.name} has no response at byte {offset}: run 'sohr-archive verify'")


def _repeated(
    file: WarcFile, offset: int, headers: StatusAndHeaders, original: Original | None, bodies: Bodies
) -> bytes:
    """The body of a revisit, as received: none with a 304."""
    if original is None:
        raise DamagedWarc(
            f"{file.name} has a revisit record at byte {offset} that does not say of what: run 'sohr-archive verify'"
        )
    if headers.get_header("WARC-Profile") != IDENTICAL:
        return b""
    try:
        return bodies.body(original)
    except DamagedWarc as error:
        raise DamagedWarc(
            f"{file.name} has a capture at byte {offset} whose body stands elsewhere: {error}"
        ) from error


def _check(file: WarcFile, offset: int, headers: StatusAndHeaders, block: bytes) -> None:
    length, digest = headers.get_header("Content-Length"), headers.get_header("WARC-Block-Digest")
    if length != str(len(block)):
        raise DamagedWarc(
            f"{file.name} has a record at byte {offset} that is shorter than it says: run 'sohr-archive verify'"
        )
    if digest and digest.startswith("sha256:") and digest != "sha256:" + hashlib.sha256(block).hexdigest():
        raise DamagedWarc(
            f"{file.name} has a record at byte {offset} whose digest does not match: run 'sohr-archive verify'"
        )


def _capture(
    headers: StatusAndHeaders,
    block: bytes,
    fields: dict[str, str],
    request: tuple[str, str, tuple[tuple[str, str], ...]],
) -> Capture:
    head, _, body = block.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    status = status_line.split(" ")[1] if status_line.count(" ") else "0"
    truncated = headers.get_header("WARC-Truncated")
    at = headers.get_header("WARC-Date")
    return Capture(
        url=headers.get_header("WARC-Target-URI"),
        status=int(status) if status.isdigit() else 0,
        headers=header_lines(lines),
        body=body,
        captured_at=at,
        recorded_at=fields.get("recorded-at", at),
        method=request[0],
        request_headers=request[2],
        requested_url=fields.get("requested-url"),
        via=fields.get("via"),
        channel=fields.get("channel"),
        reason=fields.get("reason"),
        crawl=fields.get("crawl"),
        truncated=truncated if truncated in _TRUNCATED else None,
        ip=headers.get_header("WARC-IP-Address"),
    )


def header_lines(lines: list[str]) -> tuple[tuple[str, str], ...]:
    """HTTP header lines, decoded as latin-1, as (name, value), in order."""
    pairs = (line.partition(":") for line in lines if ":" in line)
    return tuple((name, value.strip(" \t")) for name, _, value in pairs)


def _parse_request(block: bytes) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    first, *lines = block.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    return method, rest.rpartition(" ")[0], header_lines(lines)


def _parse_fields(block: bytes) -> dict[str, str]:
    return {
        k: v.strip()
        for k, sep, v in (line.partition(":") for line in block.decode("utf-8", "replace").split("\r\n"))
        if sep
    }


def _request_block(capture: Capture) -> bytes:
    parts = urlsplit(capture.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = [
        ("Host", parts.netloc.rpartition("@")[2]),
        *((k, v) for k, v in capture.request_headers if k.lower() != "host"),
    ]
    return _message(f"{capture.method} {target} HTTP/1.1", headers)


def _response_head(capture: Capture) -> bytes:
    try:
        phrase = HTTPStatus(capture.status).phrase
    except ValueError:
        phrase = ""
    return _message(f"HTTP/1.1 {capture.status} {phrase}", capture.headers)


def _message(first: str, headers: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> bytes:
    lines = [first, *(f"{k}: {one_line(v)}" for k, v in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def one_line(value: object) -> str:
    """A value that may stand in a header."""
    return re.sub(r"[\r\n\0]+", " ", str(value))


def _refused(folder: Path, error: OSError) -> CannotWrite:
    return CannotWrite(
        f"the evidence cannot be written to {folder} ({error.strerror}): free or mend the disk and run the same command again"
    )
