"""Revisit records: an answer that repeats an earlier one is stored without its body and names its original.

WARC 1.1 has two kinds. *Identical payload*: the body is byte for byte that of an earlier response. *Server
not modified*: status 304. Both name the original as WARC does (id, address, date, digest of the body) and, in
a header of our own, by the serial number of its file and its offset: it is found without a database. An
original is always a response, never another revisit.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from archive.errors import DamagedWarc
from archive.warc.files import find_file
from archive.warc.records import Headers, Record, read_records

SMALLEST = 1024  # bytes of a body: a reference to a smaller one takes as much room as it saves
IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
PLACE = "Sohr-Refers-To"
_PLACE = re.compile(r"([0-9]{1,9}):([0-9]{1,18})")
# Answers that repeat mostly repeat the same few (robots.txt, a page that says 404).
_CACHED, _CACHED_BYTES = 32, 1 << 20


@dataclass(frozen=True, slots=True)
class Original:
    """The response that a revisit refers to."""

    serial: int  # of its file
    offset: int
    record_id: str
    url: str
    at: str  # its WARC-Date
    payload_sha256: str


def headers_of(original: Original, profile: str) -> dict[str, str]:
    """What a revisit record says of its original."""
    return {
        "WARC-Profile": profile,
        "WARC-Refers-To": original.record_id,
        "WARC-Refers-To-Target-URI": original.url,
        "WARC-Refers-To-Date": original.at,
        "WARC-Payload-Digest": f"sha256:{original.payload_sha256}",
        PLACE: f"{original.serial}:{original.offset}",
    }


def original_of(headers: Headers) -> Original | None:
    """The original that a revisit record names; None where it does not name it as ours do."""
    place = _PLACE.fullmatch(headers.get(PLACE))
    names = ("WARC-Refers-To", "WARC-Refers-To-Target-URI", "WARC-Refers-To-Date")
    record_id, url, at = (headers.get(name) for name in names)
    kind, _, digest = headers.get("WARC-Payload-Digest").partition(":")
    if place is None or not (record_id and url and at) or kind != "sha256":
        return None
    return Original(int(place[1]), int(place[2]), record_id, url, at, digest)


class Bodies:
    """Reads the bodies of originals; the last ones are cached. ``folder`` holds the WARC files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._cache: OrderedDict[Original, bytes] = OrderedDict()

    def body(self, original: Original) -> bytes:
        """The original's body, its digests checked. Raises DamagedWarc."""
        if original in self._cache:
            self._cache.move_to_end(original)
            return self._cache[original]
        body = _read(self._folder, original)
        if len(body) <= _CACHED_BYTES:
            self._cache[original] = body
            if len(self._cache) > _CACHED:
                self._cache.popitem(last=False)
        return body


def _read(folder: Path, original: Original) -> bytes:
    path = find_file(folder, original.serial)
    if path is None:
        name = f"WARC file {original.serial}"
        raise DamagedWarc(name, "is not there", original.offset, "restore that file from a copy")
    try:
        record = next(read_records(path, original.offset), None)
    except OSError as error:
        raise DamagedWarc(path.name, f"cannot be read ({error.strerror})", original.offset) from error
    if not isinstance(record, Record):
        what = record.what if record else "is not there"
    elif record.headers.kind != "response" or record.record_id != original.record_id:
        what = "is not the one that is referred to"
    elif hashlib.sha256(record.body).hexdigest() != original.payload_sha256:
        what = "has another body than it had"
    else:
        return record.body
    raise DamagedWarc(path.name, what, original.offset, f"restore {path.name} from a copy")
