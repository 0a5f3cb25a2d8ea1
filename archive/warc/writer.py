"""Write WARC files: the evidence. One file a day, one gzip member a record, named ``.open`` until closed.

An exchange is three records in this order: ``request``, ``metadata`` (how we came to ask) and ``response``,
or ``revisit`` if it repeats an earlier response (`archive.warc.revisits`). The response comes last: if a
crash cuts it off, no response lacks its provenance. The other two name it by ``WARC-Concurrent-To``.

*As received* means: the body byte for byte below content coding (gzip stays gzip), transfer coding undone by
the HTTP client; header values byte for byte, names in the client's capitals; the standard reason phrase, for
the client does not keep the server's.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from http import HTTPStatus
from io import FileIO
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from archive.errors import CannotWrite
from archive.model import Capture
from archive.warc.files import LAST_NUMBER, WarcFile, can_close, close_file, next_serial, warc_files
from archive.warc.gzip_members import pack_member, payload_sha256
from archive.warc.reader import EVENT_URI, Position
from archive.warc.revisits import IDENTICAL, NOT_MODIFIED, Original, headers_of

ROTATE_BYTES = 10**9  # the size that replay tools and file systems are comfortable with
_PENDING = 1 << 22  # bytes kept before they are written
# Fields of a capture that are not part of the exchange: its metadata record has them.
_PROVENANCE = ("requested_url", "via", "channel", "reason", "crawl", "look", "service_url")
_NOTHING = "sha256:" + hashlib.sha256(b"").hexdigest()  # a GET has no payload


class Appender:
    """Appends records to the archive's newest file. Records are durable after `sync`.

    ``known`` says how far files were written before, in bytes by serial number: a shorter file is left alone,
    and no number is used twice. After a failed write nothing more is written: each call raises CannotWrite.
    """

    def __init__(self, folder: Path, site_name: str, known: Mapping[int, int] | None = None) -> None:
        self._folder, self._known = folder, known or {}
        self._site = re.sub(r"[^a-z0-9.-]+", "-", site_name.lower()).strip("-")
        self._file: FileIO | None = None  # unbuffered: what failed to be written is not written again
        self._current: WarcFile | None = None
        self._pending = bytearray()
        self._end = 0  # of the file, with what is pending
        self._durable = -1  # the end that was last made durable
        self._failure: CannotWrite | None = None
        self._info: dict[str, str] = {}
        self._names: dict[int, str] = {}  # of files, by serial number
        self.opened: list[WarcFile] = []  # files begun and files closed; the owner clears both
        self.closed: list[WarcFile] = []

    def describe(self, info: Mapping[str, str]) -> None:
        """Set what the warcinfo records of this run say: software, versions, settings."""
        self._info = dict(info)
        self._leave()

    def append_event(self, at: str, event: Mapping[str, object]) -> Position:
        """Append what shapes the archive and is no exchange."""
        block = json.dumps(event, ensure_ascii=False, sort_keys=True).encode()
        return self._append("metadata", at, at, block, "application/json", {"WARC-Target-URI": EVENT_URI})

    def append_exchange(
        self,
        capture: Capture,
        look: str | None = None,
        original: Original | None = None,
        tls: Position | None = None,
    ) -> Position:
        """Append request, provenance and response; return the response's position.

        With an ``original`` a revisit takes the response's place, without the body. ``tls`` is the event that
        says how the connection to the host was secured.
        """
        record_id = f"<urn:uuid:{uuid.uuid4()}>"
        beside = {"WARC-Target-URI": capture.url, "WARC-Concurrent-To": record_id}
        at, recorded = capture.captured_at, capture.recorded_at or capture.captured_at
        self._append(
            "request", at, recorded, _request_block(capture), "application/http; msgtype=request", beside
        )
        fields = {name: getattr(capture, name, None) for name in _PROVENANCE}
        fields |= {"look": look, "recorded_at": recorded if recorded != at else None}
        fields["source"] = capture.source if capture.source != "live" else None
        fields["tls"] = f"{tls.record_id} {tls.serial}:{tls.offset}" if tls else None
        lines = ((name.replace("_", "-"), value) for name, value in fields.items() if value is not None)
        self._append("metadata", at, recorded, _field_lines(lines), "application/warc-fields", beside)
        headers = {"WARC-Record-ID": record_id, "WARC-Target-URI": capture.url}
        headers["WARC-Payload-Digest"] = f"sha256:{payload_sha256(capture.body)}"
        if capture.truncated:
            headers["WARC-Truncated"] = capture.truncated
        if capture.ip:
            headers["WARC-IP-Address"] = capture.ip
        if capture.protocol:
            headers["WARC-Protocol"] = capture.protocol
        kind, block = "response", _response_head(capture)
        if original:
            kind = "revisit"
            headers |= headers_of(original, NOT_MODIFIED if capture.status == 304 else IDENTICAL)
            headers["WARC-Refers-To-Container"] = self._name_of(original.serial)
        else:
            block += capture.body
        position = self._append(kind, at, recorded, block, "application/http; msgtype=response", headers)
        return replace(position, original=original)

    def _name_of(self, serial: int) -> str:
        if serial not in self._names:
            self._names |= {file.serial: file.name for file in warc_files(self._folder)}
        return self._names.get(serial, f"WARC file {serial}")

    def sync(self) -> None:
        """Make all that was appended durable. Raises CannotWrite."""
        self._write()
        if self._file and self._durable != self._end:  # most of what a crawl asks writes nothing
            try:
                os.fsync(self._file.fileno())
            except OSError as error:
                self._fail(error)
            self._durable = self._end

    def close(self) -> None:
        """Close the file; it stays ``.open`` for the next crawl of its day. Raises CannotWrite."""
        self._leave()

    def _leave(self) -> None:
        try:
            if self._file and not self._failure:
                self.sync()
        finally:
            if self._file:
                self._file.close()
            self._file = self._current = None

    def is_shorter(self, file: WarcFile) -> bool:
        """Whether a file lacks bytes that it had, as after restoring an old copy."""
        return file.path.stat().st_size < self._known.get(file.serial, 0)

    def _append(
        self, kind: str, at: str, recorded: str, block: bytes, content_type: str, headers: dict[str, str]
    ) -> Position:
        current = self._ready(recorded)
        headers = {"WARC-Type": kind, "WARC-Date": at} | headers
        record_id = headers.setdefault("WARC-Record-ID", f"<urn:uuid:{uuid.uuid4()}>")
        digest = headers["WARC-Block-Digest"] = f"sha256:{hashlib.sha256(block).hexdigest()}"
        headers.setdefault("WARC-Payload-Digest", _NOTHING if kind == "request" else digest)
        offset = self._end
        self._add(pack_member(headers, block, content_type))
        return Position(current.serial, offset, self._end - offset, record_id)

    def _add(self, packed: bytes) -> None:
        self._pending += packed
        self._end += len(packed)
        if len(self._pending) > _PENDING:
            self._write()

    def _write(self) -> None:
        if self._failure:
            raise self._failure
        try:
            with memoryview(self._pending) as pending:
                written = 0
                while self._file and written < len(pending):
                    written += self._file.write(pending[written:])
        except OSError as error:
            self._fail(error)
        self._pending.clear()

    def _fail(self, error: OSError) -> NoReturn:
        self._failure = CannotWrite(
            f"the evidence cannot be written to {self._folder} ({error.strerror}): "
            "free or mend the disk and run the same command again"
        )
        raise self._failure from error

    def _ready(self, recorded: str) -> WarcFile:
        """The file for a record of this instant: today's, a new one, the newest if the clock jumped back."""
        if self._failure:
            raise self._failure
        day = recorded[:10].replace("-", "")
        if self._current and self._end < ROTATE_BYTES and day <= self._current.day:
            return self._current
        self._leave()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            current = self._current = self._open(day)
            self._file = open(current.path, "ab", buffering=0)  # noqa: SIM115  # open over many calls
            self._end, self._durable = self._file.seek(0, os.SEEK_END), -1
        except OSError as error:
            self._fail(error)
        self.opened.append(current)
        headers = {"WARC-Type": "warcinfo", "WARC-Date": recorded, "WARC-Filename": current.name}
        block = _field_lines(self._info.items())
        headers["WARC-Record-ID"] = f"<urn:uuid:{uuid.uuid4()}>"
        headers["WARC-Block-Digest"] = f"sha256:{hashlib.sha256(block).hexdigest()}"
        self._add(pack_member(headers, block, "application/warc-fields"))
        return current

    def _open(self, day: str) -> WarcFile:
        """The newest file if it takes records of this day; else a new one, and all others are closed."""
        files = warc_files(self._folder)
        open_files = [file for file in files if file.is_open and not self.is_shorter(file)]
        if open_files and open_files[-1] == files[-1]:
            newest = files[-1]
            if day <= newest.day and newest.path.stat().st_size < ROTATE_BYTES:
                return newest
        self.closed += [close_file(file) for file in open_files if can_close(file)]
        serial = next_serial(self._folder, self._known)
        if serial > LAST_NUMBER:
            self._failure = CannotWrite(
                f"{self._folder} has no serial number left: move the files away that were put there"
            )
            raise self._failure
        name = f"{self._site}-{day}-{serial:06d}.warc.gz"
        return WarcFile(self._folder / f"{name}.open", name, serial, day, True)


def _field_lines(fields: Iterable[tuple[str, object]]) -> bytes:
    return "".join(f"{name}: {one_line(value)}\r\n" for name, value in fields).encode()


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
