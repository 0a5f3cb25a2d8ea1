"""How the connection to a host was secured, as the provenance sheet shows it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from archive.clock import format_time
from archive.warc.fields import parse_event
from archive.warc.files import find_file
from archive.warc.reader import parse_fields
from archive.warc.records import NoRecord, Record, read_records

_PLACE = re.compile(r"\S+ ([0-9]{1,9}):([0-9]{1,18})")  # record id, serial number of its file, offset


def read_tls(folder: Path, path: Path, begin: int, end: int, record_id: str) -> dict[str, Any]:
    """Protocol and certificates, from the record that a capture names; None for both where it names none.

    The capture's records lie between two bytes of ``path``; ``record_id`` is the response's. Raises OSError.
    """
    found: dict[str, Any] = {"tls": None, "certificates": None}
    for record in read_records(path, begin, end):
        if isinstance(record, Record) and record.headers.get("WARC-Concurrent-To") == record_id:
            place = _PLACE.fullmatch(parse_fields(record.block).get("tls", ""))
            source = find_file(folder / "warc", int(place[1])) if place else None
            named = next(read_records(source, int(place[2])), None) if place and source else None
            found |= _read_event(named) if isinstance(named, Record) else {}
    return found


def _read_event(record: Record) -> dict[str, Any]:
    try:
        said = parse_event(record.block)
        if said["event"] == "tls":
            chain = [_certificate(one) for one in said["certificates"]]
            return {"tls": f"{said['protocol']} {said['cipher']}", "certificates": chain}
    except (NoRecord, ValueError):
        pass  # `verify` names a record that cannot be read
    return {}


def _certificate(pem: str) -> dict[str, str]:
    """A certificate of the site as a person reads it, and whole."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509 import load_pem_x509_certificate

    one = load_pem_x509_certificate(pem.encode())
    return {
        "subject": one.subject.rfc4514_string(),
        "issuer": one.issuer.rfc4514_string(),
        "valid_from": format_time(one.not_valid_before_utc),
        "valid_until": format_time(one.not_valid_after_utc),
        "sha256": one.fingerprint(SHA256()).hex(),
        "pem": pem,
    }
