"""Captures from other people's files (wget, Browsertrix, ArchiveWeb.page, Heritrix, warcio, Common Crawl).

A capture is taken as its record has it, header bytes included, or not at all. Only the transfer coding is
undone, as in our own records. What is left out is counted, and what is damaged is reported.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any

from archive.clock import format_time, now, read_time
from archive.errors import ArchiveError
from archive.model import Capture
from archive.warc.foreign_records import (
    MOST,
    ForeignRecord,
    Lost,
    check_digests,
    read_foreign,
)
from archive.warc.gzip_members import Member
from archive.warc.payloads import dechunk, digest_matches, split_http
from archive.warc.reader import TRUNCATED, header_lines
from archive.warc.records import Headers, NoRecord, read_headers
from archive.warc.writer import one_line

_END = b"\r\n\r\n"  # of a record
_MOST_HEADERS = 2**16  # bytes of the headers that a revisit holds
_STATUS = re.compile(r"HTTP/[0-9.]+ ([1-5][0-9][0-9])(?: |$)")
# No space, no control character: it becomes a line of our records.
_ADDRESS = re.compile(r"https?://[!-~\u00a1-\U0010ffff]+")
_IP = re.compile(r"[0-9A-Fa-f.:]{2,45}")
# Where a tool downloaded a capture from a web archive: /web/20200131120000id_/https://...
_MEMENTO = re.compile(r"/([0-9]{14})(?:[a-z]{2}_)?/")
_ANCIENT = re.compile(r"0[0-9]{3}-[0-9]{2}-[0-9]{2}T")  # a year that `read_time` refuses
_EXTRACT = re.compile(r"\.w?arc(\.gz|\.zst)?([?#]|$)")


@dataclass(frozen=True, slots=True)
class Response:
    """A response, and by what a revisit may refer to it."""

    capture: Capture
    record_id: str
    digest: str  # of its payload, as stated


@dataclass(frozen=True, slots=True)
class Revisit:
    """A revisit of an identical payload, as a capture without a body; what it says of its original is as WARC
    has it, or empty. Without a ``status`` it holds no headers: they are the original's."""

    capture: Capture
    digest: str
    record_id: str  # of the original
    url: str
    at: str | None

    def complete(self, original: Capture) -> Capture | None:
        """The capture with the original's body; None where that body does not match the digest."""
        if not digest_matches(self.digest, original.body):
            return None
        own = self.capture if self.capture.status else replace(original, captured_at=self.capture.captured_at)
        cut = original.truncated or (None if _is_whole(own.headers, original.body) else "disconnect")
        return replace(
            self.capture, status=own.status, headers=own.headers, body=original.body, truncated=cut
        )


@dataclass(slots=True)
class Report:
    """What became of a file: records by outcome, its damaged places, how many captures it has that were
    looked for, and why it was not read to its end."""

    counts: Counter[str] = field(default_factory=Counter)
    captures: int = 0
    failure: ArchiveError | None = None
    lost: list[Lost] = field(default_factory=list)

    def lose(self, lost: Lost) -> None:
        """Record a damaged place."""
        self.lost.append(lost)
        self.counts[lost.word] += 1


def read_captures(
    path: Path, report: Report, since: str, is_wanted: Callable[[str], bool] = lambda _: True
) -> Iterator[Response | Revisit]:
    """The HTTP responses of a file and the revisits of them, in order.

    All else is counted in the report: also addresses that are not wanted, and captures from before ``since``
    or after now. Raises UnreadableFile.
    """
    for found in read_foreign(path):
        if isinstance(found, Lost):
            report.lose(found)
            continue
        read = _READERS.get(found.headers.kind)
        taken = read(found) if read else "no_response"
        if isinstance(taken, str):
            if taken == "incomplete":
                what = "the record states no date, address or status that can be read"
                report.lose(Lost(path.name, found.offset, what, taken))
            else:
                report.counts[taken] += 1
        elif not is_wanted(taken.capture.url):
            report.counts["other_page"] += 1
        elif taken.capture.captured_at < since:
            report.counts["before_site"] += 1
        elif taken.capture.captured_at > now():
            report.counts["in_future"] += 1
        else:
            report.captures += 1
            yield taken


def read_member(content: bytes) -> Response | Revisit | str:
    """The response or revisit in one gzip member with one record whose digests are right; or what is wrong,
    in a few words."""
    member = Member(BytesIO(content), 0)
    unpacked = BufferedReader(member)
    try:
        headers = read_headers(unpacked)
    except NoRecord as error:
        return f"the record {error.what}"
    if headers.length > MOST:
        return "the record is too large"
    block = unpacked.read(headers.length)
    if len(block) != headers.length or unpacked.read(len(_END) + 1) != _END or member.end is None:
        return "the record is cut, or has more than it says"
    record = ForeignRecord(0, headers, block)
    if check_digests(record).is_proof is False:
        return "the record does not match its digest"
    read = _READERS.get(headers.kind)
    return read(record) if read else f"a record of type {headers.kind}"


def _read_response(record: ForeignRecord) -> Response | str:
    """A response; or the word it is counted under."""
    headers = record.headers
    if not headers.get("Content-Type").startswith("application/http"):
        return "no_response"
    if record.block is None:
        return "too_large"
    url, at = _address(headers.get("WARC-Target-URI")), _date(headers)
    head, body = split_http(record.block)
    status, http = _parse_head(head)
    if not at or status is None or not _ADDRESS.fullmatch(url):
        return "undated" if at == "" else "incomplete"
    is_chunked = any(
        name.lower() == "transfer-encoding" and "chunked" in value.lower() for name, value in http
    )
    body, is_whole = dechunk(body) if is_chunked else (body, _is_whole(http, body))
    cut: Any = headers.get("WARC-Truncated") or (None if is_whole else "disconnect")
    capture = Capture(
        url=url,
        status=status,
        headers=_without_transfer_coding(http),
        body=body,
        captured_at=at,
        channel="import",
        reason=record.note,
        truncated=(cut if cut in TRUNCATED else "unspecified") if cut else None,
        ip=_ip(headers),
        source="import",
    )
    return Response(capture, headers.get("WARC-Record-ID"), headers.get("WARC-Payload-Digest"))


def _read_revisit(record: ForeignRecord) -> Revisit | str:
    """A revisit of an identical payload; or the word another is counted under."""
    headers = record.headers
    profile, digest = headers.get("WARC-Profile"), headers.get("WARC-Payload-Digest")
    if profile.endswith("/server-not-modified"):
        return "not_modified"
    if not profile.endswith("/identical-payload-digest") or not digest:
        return "revisit"
    if record.block is None or len(record.block) > _MOST_HEADERS:
        return "too_large"
    url, at = _address(headers.get("WARC-Target-URI")), _date(headers)
    status, http = _parse_head(split_http(record.block)[0])
    if not at or (record.block.strip() and status is None) or not _ADDRESS.fullmatch(url):
        return "undated" if at == "" else "incomplete"
    capture = Capture(
        url,
        status or 0,
        _without_transfer_coding(http),
        b"",
        at,
        channel="import",
        ip=_ip(headers),
        source="import",
    )
    return Revisit(
        capture,
        digest,
        headers.get("WARC-Refers-To"),
        _address(headers.get("WARC-Refers-To-Target-URI")),
        read_time(headers.get("WARC-Refers-To-Date")),
    )


_READERS: dict[str, Callable[[ForeignRecord], Response | Revisit | str]] = {
    "response": _read_response,
    "revisit": _read_revisit,
}


def _date(headers: Headers) -> str | None:
    """When the site gave the answer; None for an unreadable date, empty where only the download is dated.

    A tool that downloads from a web archive may date its records by the download. The archive's address then
    has the time of the capture. A range of a WARC file that was downloaded has the dates of that file.
    """
    source = headers.get("WARC-Source-URI")
    if not source or headers.get("WARC-Source-Range") or _EXTRACT.search(source):
        stated_date = headers.get("WARC-Date")
        return stated_date if _ANCIENT.match(stated_date) else read_time(stated_date)
    stated = _MEMENTO.search(source)
    try:
        return format_time(datetime.strptime(stated[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)) if stated else ""
    except ValueError:
        return ""


def _address(value: str) -> str:
    return value.strip("<>")


def _ip(headers: Headers) -> str | None:
    value = headers.get("WARC-IP-Address")
    return value if _IP.fullmatch(value) else None


def _parse_head(head: bytes) -> tuple[int | None, tuple[tuple[str, str], ...]]:
    """Status (None where there is none) and headers of an HTTP answer."""
    first, *lines = re.split(r"\r?\n", head.decode("latin-1"))
    status = _STATUS.match(first)
    return int(status[1]) if status else None, header_lines([one_line(line) for line in lines])


def _without_transfer_coding(http: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in http if pair[0].lower() != "transfer-encoding")


def _is_whole(http: tuple[tuple[str, str], ...], body: bytes) -> bool:
    """Whether a body has all the bytes that its headers state."""
    stated = [value.strip() for name, value in http if name.lower() == "content-length"]
    return not (stated and stated[-1].isdecimal() and len(body) < int(stated[-1][:12]))
