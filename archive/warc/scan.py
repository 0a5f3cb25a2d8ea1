"""Every record of a WARC file with its digests, and every damaged place: what `verify` compares with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from archive.warc.fields import check_exchange, parse_event
from archive.warc.files import WarcFile
from archive.warc.reader import is_event, parse_fields
from archive.warc.records import Damage, NoRecord, Record, read_records
from archive.warc.revisits import NOT_MODIFIED, Original, original_of


@dataclass(frozen=True, slots=True)
class Scanned:
    """A record without its bytes; ``kind`` is WARC's, or ``event``."""

    kind: str
    record_id: str
    length: int
    payload_sha256: str | None
    at: str  # WARC-Date: of an exchange, when the site said it
    recorded_at: str  # when the archive learnt it
    original: Original | None = None  # of a revisit


@dataclass(frozen=True, slots=True)
class Scan:
    """The whole records of a file and its damaged places, both by offset."""

    records: dict[int, Scanned] = field(default_factory=dict)
    damage: dict[int, Damage] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """Where the last whole record ends."""
        return max((offset + record.length for offset, record in self.records.items()), default=0)


def scan_file(file: WarcFile, size: int) -> Scan:
    """Scan so many bytes of a file. Raises OSError."""
    scan = Scan()
    recorded: dict[str, str] = {}  # by the id of the response that follows at once
    for found in read_records(file.path, stop=size):
        if isinstance(found, Record) and found.headers.kind == "metadata":
            beside = found.headers.get("WARC-Concurrent-To")
            at = parse_fields(found.block).get("recorded-at")
            if beside:
                recorded = {} if at is None else {beside: at}
        scanned = _scan(found, recorded) if isinstance(found, Record) else found
        if isinstance(scanned, Damage):
            scan.damage[found.offset] = scanned
        else:
            scan.records[found.offset] = scanned
    return scan


def _scan(record: Record, recorded: dict[str, str]) -> Scanned | Damage:
    kind, stated = record.headers.kind, record.headers.get("WARC-Payload-Digest")
    payload, original = None, None
    try:
        if is_event(record):
            parse_event(record.block)
        elif kind in ("response", "revisit"):
            check_exchange(record.headers, recorded.get(record.record_id))
    except NoRecord as error:
        return Damage(record.offset, error.what)
    if kind in ("response", "revisit"):
        payload = hashlib.sha256(record.body).hexdigest()
    if kind == "revisit":
        original = original_of(record.headers)
        if original is None:
            return Damage(record.offset, "does not say what it repeats")
        if record.headers.get("WARC-Profile") != NOT_MODIFIED:
            payload = original.payload_sha256
    elif payload and stated.startswith("sha256:") and stated != f"sha256:{payload}":
        return Damage(record.offset, "has a payload that does not match its digest")
    kind = "event" if is_event(record) else kind
    at = record.headers.get("WARC-Date")
    recorded_at = recorded.get(record.record_id) or at
    return Scanned(kind, record.record_id, record.length, payload, at, recorded_at, original)
