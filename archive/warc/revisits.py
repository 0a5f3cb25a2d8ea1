"""Revisit records: an answer that repeats an earlier one is written without its body, and says which record
of ours holds it.

Two kinds, by WARC 1.1. *Identical payload*: the body is byte for byte that of an earlier response. *Server
not modified*: status 304, the site stands by an answer it gave before. Both name the original as WARC does
(id, address, date, digest of the body) and, in a header of our own, by the serial number of its file and its
offset: it is found with no database. An original is always a response, never another revisit.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders

from archive.errors import DamagedWarc

SMALLEST = 1024  # bytes of a body: below, a reference takes as much room as what it saves
IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
PLACE = "Sohr-Refers-To"
_PLACE = re.compile(r"([0-9]{1,9}):([0-9]{1,18})")
# Bodies kept at hand: what repeats mostly repeats the same (robots.txt, a page that says 404)
_KEPT, _KEPT_BYTES = 32, 1 << 20


class LostOriginal(DamagedWarc):
    """Raised when a revisit cannot be read, whole as it is, for want of its original; ``offset`` is the
    revisit's."""

    def __init__(self, sentence: str, offset: int) -> None:
        super().__init__(sentence)
        self.offset = offset


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


def original_of(headers: StatusAndHeaders) -> Original | None:
    """The original that a revisit record names; None where it does not say so as ours do."""
    place = _PLACE.fullmatch(headers.get_header(PLACE) or "")
    record_id, url, at = (
        headers.get_header(name) or ""
        for name in ("WARC-Refers-To", "WARC-Refers-To-Target-URI", "WARC-Refers-To-Date")
    )
    kind, _, digest = (headers.get_header("WARC-Payload-Digest") or "").partition(":")
    if place is None or not (record_id and url and at) or kind != "sha256":
        return None
    return Original(int(place[1]), int(place[2]), record_id, url, at, digest)


def find_file(folder: Path, serial: int) -> Path | None:
    """The WARC file with a serial number, closed or open."""
    found = (path for suffix in ("", ".open") for path in folder.glob(f"*-{serial:06d}.warc.gz{suffix}"))
    return next(found, None)


class Bodies:
    """Reads the bodies of originals, those read last kept at hand. ``folder`` holds the WARC files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: OrderedDict[Original, bytes] = OrderedDict()

    def body(self, original: Original) -> bytes:
        """The original's body, whole and with all its digests right. Raises DamagedWarc."""
        if original in self._kept:
            self._kept.move_to_end(original)
            return self._kept[original]
        where = f"the record at byte {original.offset} of WARC file {original.serial}"
        path = find_file(self._folder, original.serial)
        if path is None:
            raise DamagedWarc(f"{where} is not there: restore that file from a copy")
        body = _read(path, original, where)
        if len(body) <= _KEPT_BYTES:
            self._kept[original] = body
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return body


def _read(path: Path, original: Original, where: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            stream.seek(original.offset)
            record = next(iter(ArchiveIterator(stream, no_record_parse=True)))
            headers, kind, block = record.rec_headers, record.rec_type, record.raw_stream.read()
    except (OSError, ArchiveLoadFailed, StopIteration, EOFError, ValueError, zlib.error) as error:
        raise DamagedWarc(f"{where} is not there or damaged: restore {path.name} from a copy") from error
    if kind != "response" or headers.get_header("WARC-Record-ID") != original.record_id:
        raise DamagedWarc(f"{where} is another one than is referred to: run 'sohr-archive verify'")
    body: bytes = block.partition(b"\r\n\r\n")[2]
    is_whole = headers.get_header("Content-Length") == str(len(block))
    digest = headers.get_header("WARC-Block-Digest")
    if (
        not is_whole
        or digest != "sha256:" + hashlib.sha256(block).hexdigest()
        or hashlib.sha256(body).hexdigest() != original.payload_sha256
    ):
        raise DamagedWarc(f"{where} does not hold the body it held: restore {path.name} from a copy")
    return body
