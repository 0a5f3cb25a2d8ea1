"""Captures from the answers of public archives: what the site said, as the service has it, or why there is
none."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from archive.clock import FIRST_YEAR, format_time, read_http_date
from archive.model import Capture
from archive.public_archives.queries import asked_of, identity_of
from archive.warc.gzip_members import payload_sha256

if TYPE_CHECKING:
    from archive.warc.foreign import Revisit

_LONGEST_HEAD = 65_536  # bytes of the header of a WARC record
_ORIGINAL = re.compile(r"<([^<>]*)>\s*;\s*rel=\"?original\"?", re.IGNORECASE)
_SPAN = re.compile(r"bytes=([0-9]{1,18})-([0-9]{1,18})$")
_OWN = "x-archive-orig-"  # the site's headers, as the Wayback Machine repeats them
_EXCLUDED = b"AdministrativeAccessControlException"
EXCLUDED, ABSENT, ELSEWHERE, BROKEN, ERROR = "excluded", "absent", "elsewhere", "broken", "error"


@dataclass(frozen=True, slots=True)
class NotServed:
    """Why an answer holds no capture: the site is `EXCLUDED`, the capture `ABSENT`, only one of another
    time is (`ELSEWHERE`, at ``to``), the record is `BROKEN`; or the service is in trouble (`ERROR`), which
    says nothing of the capture."""

    reason: str
    detail: str
    to: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether asking again is useless."""
        return self.reason != ERROR


def read_memento(exchange: Capture) -> Capture | NotServed:
    """The capture in an answer of the Wayback Machine. Only ``Memento-Datetime`` shows that there is one: a
    404 or a redirect without it is the service's own."""
    at = read_http_date(exchange.header("memento-datetime") or "")
    if at is None or at.year < FIRST_YEAR:
        return _read_refusal(exchange)
    original = _ORIGINAL.search(exchange.header("link") or "")
    asked = (identity_of(exchange.url) or "").partition("/")[2]
    headers = _own_headers(exchange)
    return Capture(
        url=original[1] if original else asked,
        status=exchange.status,
        headers=headers,
        body=exchange.body,
        captured_at=format_time(at),
        recorded_at=exchange.captured_at,
        channel="wayback",
        crawl=exchange.crawl,
        truncated=exchange.truncated or ("unspecified" if _is_short(headers, exchange.body) else None),
        source="wayback",
        service_url=exchange.url,
    )


def _read_refusal(exchange: Capture) -> NotServed:
    where = exchange.url[:200]
    if _EXCLUDED in exchange.body or "AccessControl" in (
        exchange.header("x-archive-wayback-runtime-error") or ""
    ):
        return NotServed(EXCLUDED, "the site is excluded from the Wayback Machine")
    if exchange.status in (301, 302, 303, 307, 308):
        to = exchange.header("location") or ""
        return NotServed(ELSEWHERE, f"{where} leads to another capture, {to[:200]}", to)
    if exchange.status in (404, 410):
        return NotServed(ABSENT, f"the service does not have {where}")
    return NotServed(ERROR, f"{where}: status {exchange.status} without Memento-Datetime")


def _own_headers(exchange: Capture) -> tuple[tuple[str, str], ...]:
    headers = [
        (name[len(_OWN) :], value)
        for name, value in exchange.headers
        if name.lower().startswith(_OWN) and name.lower() != f"{_OWN}transfer-encoding"
    ]
    names = {name.lower() for name, _ in headers}
    stated = exchange.header("content-type")
    if "content-type" not in names and stated:
        headers.append(("Content-Type", stated))
    if "content-encoding" not in names and exchange.body[:2] == b"\x1f\x8b":
        headers.append(("Content-Encoding", "gzip"))  # packed by the service
    return tuple(headers)


def _is_short(headers: tuple[tuple[str, str], ...], body: bytes) -> bool:
    """Whether a body that was not packed has fewer bytes than the site stated."""
    stated = {name.lower(): value.strip() for name, value in headers}
    length = stated.get("content-length", "")
    is_packed = "content-encoding" in stated
    return not is_packed and length.isdecimal() and len(body) < int(length[:12])


def without_page(exchange: Capture) -> Capture:
    """An answer whose page is kept as a capture of its own, which states the page's digest. Of a packed
    record of Common Crawl its own header stays, with its digests, and the digest of the bytes that came."""
    if exchange.header("memento-datetime"):
        return replace(exchange, body=b"", truncated="unspecified")
    head, end, _ = zlib.decompressobj(31).decompress(exchange.body, _LONGEST_HEAD).partition(b"\r\n\r\n")
    came = f"\r\nSohr-Packed: {len(exchange.body)} bytes, sha256:{payload_sha256(exchange.body)}"
    return replace(exchange, body=head + came.encode() + end, truncated="unspecified")


def is_without_page(exchange: Capture) -> bool:
    """Whether `without_page` made this answer."""
    return exchange.truncated is not None and exchange.body.startswith(b"WARC/")


def _length_of(asked: str) -> int:
    """How many bytes were asked for."""
    span = _SPAN.search(asked)
    return int(span[2]) - int(span[1]) + 1 if span else 0


def read_record(exchange: Capture, url: str, digest: str) -> Capture | Revisit | NotServed:
    """The capture in an answer of Common Crawl: one gzip member with a WARC record, of the address and with
    the digest that its index states. A `Revisit` still needs the body it refers to."""
    from archive.warc.foreign import (  # on first use: Scrapy imports all spiders
        Response,
        Revisit,
        read_member,
    )
    from archive.warc.payloads import digest_matches

    where = asked_of(exchange)[:300]
    if exchange.status in (404, 410, 416):
        return NotServed(ABSENT, f"the service does not have {where}")
    if exchange.status != 206:
        return NotServed(ERROR, f"{where}: status {exchange.status} instead of the bytes asked for")
    found = read_member(exchange.body)
    if isinstance(found, str) and len(exchange.body) < _length_of(where):
        return NotServed(ERROR, f"{where}: {len(exchange.body)} bytes came, fewer than asked for")
    if isinstance(found, str):
        return NotServed(BROKEN, f"{where} holds no response: {found}")
    if found.capture.url != url:
        return NotServed(BROKEN, f"{where} is of {found.capture.url[:200]}")
    capture = replace(
        found.capture,
        recorded_at=exchange.captured_at,
        channel="commoncrawl",
        crawl=exchange.crawl,
        source="commoncrawl",
        service_url=asked_of(exchange),
    )
    if isinstance(found, Revisit):
        return replace(found, capture=capture)
    assert isinstance(found, Response)  # there is nothing else
    if digest and not digest_matches(f"sha1:{digest}", capture.body) and not capture.truncated:
        return NotServed(BROKEN, f"{where} has another digest than the index states")
    return capture
