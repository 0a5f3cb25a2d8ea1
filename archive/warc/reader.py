"""Read the archive's own WARC files back: exchanges with their provenance, and events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive.errors import DamagedWarc
from archive.model import PROVIDERS, Capture
from archive.warc.fields import check_exchange, parse_event
from archive.warc.files import WarcFile
from archive.warc.records import Damage, Headers, NoRecord, Record, read_records
from archive.warc.revisits import IDENTICAL, Bodies, Original, original_of

EVENT_URI = "urn:sohr-archive:event"
_STATUS = re.compile("[0-9]{3}")
TRUNCATED = ("length", "time", "disconnect", "unspecified")  # the reasons that WARC knows


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
    event: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """What precedes a response: its provenance and the request."""

    fields: dict[str, str]
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()


def read(
    file: WarcFile, start: int = 0, *, events_only: bool = False, damaged: list[str] | None = None
) -> Iterator[Stored]:
    """The exchanges and events of a file from a record's offset on, each whole and with its digest right.

    A revisit gets the body of its original from the file that holds it. Places that cannot be read are added
    to ``damaged`` as ``file:byte``; without that list they raise DamagedWarc. Raises OSError.
    """
    bodies = Bodies(file.path.parent)
    asked: dict[str, _Asked] = {}  # by the id of the response that follows at once
    request = _Asked({})
    for found in read_records(file.path, start):
        if isinstance(found, Damage):
            _report(DamagedWarc(file.name, found.what, found.offset), damaged)
            continue
        kind, beside = found.headers.kind, found.headers.get("WARC-Concurrent-To")
        if kind == "request" and beside:
            request = _parse_request(found.block)
        elif kind == "metadata" and beside:
            asked = {beside: _Asked(parse_fields(found.block), request.method, request.headers)}
        elif is_event(found) or (kind in ("response", "revisit") and not events_only):
            try:
                yield _read_stored(file, found, asked.get(found.record_id, _Asked({})), bodies)
            except DamagedWarc as error:
                _report(error, damaged)


def _read_stored(file: WarcFile, found: Record, asked: _Asked, bodies: Bodies) -> Stored:
    """An event or an exchange. Raises DamagedWarc."""
    try:
        if is_event(found):
            return Stored(_position(file, found), event=parse_event(found.block))
        check_exchange(found.headers, asked.fields.get("recorded-at"))
    except NoRecord as error:
        raise DamagedWarc(file.name, error.what, found.offset) from error
    original, body = _original(file, found, bodies)
    capture = _capture(found.headers, found.block + body, asked)
    return Stored(_position(file, found, original), capture, asked.fields.get("look"))


def read_response(path: Path, offset: int) -> Capture:
    """The exchange at an offset, its digest checked. Raises DamagedWarc, OSError."""
    file = WarcFile(path, path.name, 0, "", False)
    stored = next(read(file, offset), None)
    if stored is None or stored.capture is None or stored.position.offset != offset:
        raise DamagedWarc(path.name, "is not a response", offset)
    return stored.capture


def is_event(record: Record) -> bool:
    """Whether a record is an event of the archive."""
    return record.headers.kind == "metadata" and record.headers.get("WARC-Target-URI") == EVENT_URI


def header_lines(lines: list[str]) -> tuple[tuple[str, str], ...]:
    """HTTP header lines, decoded as latin-1, as (name, value), in order."""
    pairs = (line.partition(":") for line in lines if ":" in line)
    return tuple((name, value.strip(" \t")) for name, _, value in pairs)


def _report(error: DamagedWarc, damaged: list[str] | None) -> None:
    if damaged is None:
        raise error
    damaged.append(f"{error.file}:{error.offset}")


def _position(file: WarcFile, record: Record, original: Original | None = None) -> Position:
    return Position(file.serial, record.offset, record.length, record.record_id, original)


def _original(file: WarcFile, record: Record, bodies: Bodies) -> tuple[Original | None, bytes]:
    """Of a revisit, the response it refers to and that one's body; no body with a 304."""
    if record.headers.kind != "revisit":
        return None, b""
    original = original_of(record.headers)
    if original is None:
        raise DamagedWarc(file.name, "does not say what it repeats", record.offset)
    if record.headers.get("WARC-Profile") != IDENTICAL:
        return original, b""
    try:
        return original, bodies.body(original)
    except DamagedWarc as error:
        what = f"has its body in another record, and {error.place} {error.what}"
        raise DamagedWarc(file.name, what, record.offset, error.advice) from error


def _capture(headers: Headers, block: bytes, asked: _Asked) -> Capture:
    head, _, body = block.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    status = status_line.partition(" ")[2].partition(" ")[0]
    at, fields = headers.get("WARC-Date"), asked.fields
    truncated = headers.get("WARC-Truncated")
    return Capture(
        url=headers.get("WARC-Target-URI"),
        status=int(status) if _STATUS.fullmatch(status) else 0,
        headers=header_lines(lines),
        body=body,
        captured_at=at,
        recorded_at=fields.get("recorded-at", at),
        method=asked.method,
        request_headers=asked.headers,
        requested_url=fields.get("requested-url"),
        via=fields.get("via"),
        channel=fields.get("channel"),
        reason=fields.get("reason"),
        crawl=fields.get("crawl"),
        truncated=truncated if truncated in TRUNCATED else None,  # type: ignore[arg-type]
        ip=headers.get("WARC-IP-Address") or None,
        protocol=headers.get("WARC-Protocol") or None,
        source=next((name for name in PROVIDERS if name == fields.get("source")), "live"),
        service_url=fields.get("service-url"),
    )


def _parse_request(block: bytes) -> _Asked:
    first, *lines = block.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    return _Asked({}, first.partition(" ")[0], header_lines(lines))


def parse_fields(block: bytes) -> dict[str, str]:
    """The fields of a metadata or warcinfo record by their names."""
    pairs = (line.partition(":") for line in block.decode("utf-8", "replace").split("\r\n"))
    return {name: value.strip() for name, separator, value in pairs if separator}
