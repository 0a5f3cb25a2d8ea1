"""Other people's WARC and WACZ files (wget, browsertrix, ArchiveWeb.page, Heritrix, warcio, Common Crawl) ->
Captures. Reads, keeps nothing.

A capture is taken as its record has it, header bytes included, or not at all: a record that is shorter than
it says, or does not match a digest of its own, is passed over and counted. Only the transfer coding is
undone, as in our own records. A revisit is taken with the body of the response it repeats, where the same
file holds that and the digest of the body is right.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, ClassVar, cast

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from archive.clock import now, read_time
from archive.errors import UNREADABLE, ArchiveError
from archive.model import Capture
from archive.warc.reader import header_lines
from archive.warc.writer import one_line

MOST = 64 * 2**20  # bytes of a record: a post is a thousandth of it
_MOST_HEADERS = 2**16  # bytes of the headers that a revisit holds
_ZSTD, _ZIP = b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
_STATUS = re.compile(r"HTTP/[0-9.]+ ([1-5][0-9][0-9])(?: |$)")
# No space, no control character: it becomes a line of our records
_ADDRESS = re.compile(r"https?://[!-~\u00a1-\U0010ffff]+")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")
_BLANK = re.compile(rb"\r?\n\r?\n")  # behind the headers
_CUT = ("length", "time", "disconnect", "unspecified")


class UnreadableFile(ArchiveError):
    """Raised when a file is no WARC or WACZ, or breaks off; what was read before stays."""

    exit_status: ClassVar[int] = UNREADABLE


@dataclass(frozen=True, slots=True)
class _Response:
    """A response, and by what a revisit may refer to it."""

    capture: Capture
    record_id: str
    digest: str  # of its payload, as stated


@dataclass(frozen=True, slots=True)
class _Revisit:
    """A revisit of an identical payload; what it says of the original is as WARC has it, or empty."""

    url: str
    at: str
    ip: str | None
    status: int | None  # None: it holds no headers, they are the original's
    http: tuple[tuple[str, str], ...]
    digest: str
    record_id: str
    of: tuple[str, str]  # address and date of the original

    @property
    def names(self) -> set[tuple[str, str]]:
        """By what its original can be known: id, address and date, or the same body of the same address."""
        return {(self.record_id, ""), self.of, (self.url, self.digest)}


def check(path: Path) -> None:
    """Whether a file holds WARC records at all, by its first. Raises UnreadableFile."""
    next(_records(path), None)


def captures(
    path: Path, counts: Counter[str], is_wanted: Callable[[str], bool] = lambda _: True
) -> Iterator[Capture]:
    """The HTTP responses of a file, in its order, behind them those that repeat another of the file; what is
    passed over is counted.

    Of addresses that are not wanted no repetition is looked up. Raises UnreadableFile.
    """
    revisits: list[_Revisit] = []
    room = MOST
    failure: UnreadableFile | None = None
    try:
        for record in _records(path):
            if record.rec_type == "revisit":
                revisit = _revisit(record, counts, is_wanted)
                revisits += [revisit] if revisit else []
                room -= 1000 + sum(len(value) for pair in revisit.http for value in pair) if revisit else 0
                if room < 0:
                    yield from _repeated(path, revisits, counts)
                    revisits, room = [], MOST
            elif found := _response(record, counts):
                yield found.capture
    except UnreadableFile as error:
        failure = error
    yield from _repeated(path, revisits, counts)
    if failure:
        raise failure


def _records(path: Path) -> Iterator[Any]:
    number = 0
    try:
        for name, stream in _streams(path):
            number = 0
            for record in ArchiveIterator(stream, no_record_parse=True):
                if record.format != "warc":
                    # Warcio takes any line of five words for one of ARC, the older format
                    raise ArchiveLoadFailed("not a WARC record")
                number += 1
                yield record
            if not number:
                raise UnreadableFile(f"{name} holds no WARC record: give a WARC or WACZ file")
    except (GeneratorExit, ArchiveError):
        raise
    except OSError as error:
        raise UnreadableFile(
            f"{path.name} cannot be read ({error.strerror or error}): give a WARC or WACZ file"
        ) from error
    # Of a damaged file the reader raises whatever its parser met: AttributeError, zlib.error, EOFError, ...
    except Exception as error:
        done = (
            f"behind its record {number}; what was whole is taken"
            if number
            else "as WARC or WACZ: it is none, or damaged"
        )
        raise UnreadableFile(f"{path.name} cannot be read {done} ({_printable(error)})") from error


def _repeated(path: Path, revisits: list[_Revisit], counts: Counter[str]) -> Iterator[Capture]:
    """Revisits with the body of their original, where that is in the file: it is read once more for them."""
    if not revisits:
        return
    waiting: dict[tuple[str, str], list[_Revisit]] = defaultdict(list)
    for one in revisits:
        for name in one.names:
            waiting[name].append(one)
    taken: set[int] = set()
    with suppress(UnreadableFile):  # told by the first reading
        for record in _records(path):
            header = record.rec_headers.get_header
            url, digest = _address(header("WARC-Target-URI")), header("WARC-Payload-Digest") or ""
            names = (
                (header("WARC-Record-ID") or "", ""),
                (url, read_time(header("WARC-Date")) or ""),
                (url, digest),
            )
            asking = (
                [one for name in names for one in waiting.get(name, ()) if id(one) not in taken]
                if record.rec_type == "response"
                else []
            )
            original = _response(record, Counter()) if asking else None
            for one in asking if original else ():
                is_it = original and (
                    one.digest == original.digest
                    or _matches(one.digest, original.capture.body, is_proof=True)
                )
                if original and is_it and id(one) not in taken:
                    taken.add(id(one))
                    yield _whole(one, original.capture)
            if len(taken) == len(revisits):
                return
    counts["revisit"] += len(revisits) - len(taken)


def _whole(revisit: _Revisit, original: Capture) -> Capture:
    http = (
        original.headers
        if revisit.status is None
        else tuple(pair for pair in revisit.http if pair[0].lower() != "transfer-encoding")
    )
    status = revisit.status or original.status
    truncated = original.truncated or (None if _is_as_long(http, original.body) else "disconnect")
    return replace(
        original,
        url=revisit.url,
        status=status,
        headers=http,
        captured_at=revisit.at,
        ip=revisit.ip,
        truncated=truncated,
    )


def _printable(error: Exception) -> str:
    return re.sub(r"[^ -~]+", " ", str(error))[:100].strip() or type(error).__name__


def _streams(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """The WARC streams in a file: itself, or those of a WACZ."""
    with ExitStack() as stack:
        file: IO[bytes] = stack.enter_context(open(path, "rb"))
        magic = file.read(4)
        file.seek(0)
        if magic == _ZIP:
            package = stack.enter_context(zipfile.ZipFile(file))
            names = [
                n
                for n in package.namelist()
                if n.startswith("archive/") and n.endswith((".warc", ".warc.gz"))
            ]
            if not names:
                raise UnreadableFile(
                    f"{path.name} is a zip file without WARC files in archive/: it is no WACZ"
                )
            for name in names:
                with package.open(name) as member:
                    yield f"{path.name}/{name}", member
        elif magic == _ZSTD:
            from backports import zstd  # Scrapy brings it; Python 3.14 has it as compression.zstd

            yield path.name, cast("IO[bytes]", stack.enter_context(zstd.open(file, "rb")))
        else:
            yield path.name, file


def _response(record: Any, counts: Counter[str]) -> _Response | None:
    """A response as a capture; None for any other record, and for one that is not as it says."""
    headers = record.rec_headers
    if record.rec_type != "response" or not (headers.get_header("Content-Type") or "").startswith(
        "application/http"
    ):
        counts["no_response"] += 1
        return None
    read = _read(record, counts, MOST)
    if read is None:
        return None
    url, at, block = read
    head, body = _parted(block)
    if not _is_intact(headers, block, body):
        counts["wrong_digest"] += 1
        return None
    status, http = _head(head)
    if status is None:
        counts["incomplete"] += 1
        return None
    capture = _made(headers, url, at, status, http, body)
    return _Response(
        capture, headers.get_header("WARC-Record-ID") or "", headers.get_header("WARC-Payload-Digest") or ""
    )


def _revisit(record: Any, counts: Counter[str], is_wanted: Callable[[str], bool]) -> _Revisit | None:
    """A revisit of an identical payload, and what it refers to; None for another, and for one that is not as
    it says."""
    headers = record.rec_headers
    profile, digest = (
        headers.get_header("WARC-Profile") or "",
        headers.get_header("WARC-Payload-Digest") or "",
    )
    if not profile.endswith("/identical-payload-digest") or not digest:
        counts["not_modified" if profile.endswith("/server-not-modified") else "revisit"] += 1
        return None
    read = _read(record, counts, _MOST_HEADERS)
    if read is None:
        return None
    url, at, block = read
    if not is_wanted(url):
        counts["other_page"] += 1
        return None
    if (stated := headers.get_header("WARC-Block-Digest")) and not _matches(stated, block):
        counts["wrong_digest"] += 1
        return None
    status, http = _head(_parted(block)[0])
    if block.strip() and status is None:
        counts["incomplete"] += 1
        return None
    of = (
        _address(headers.get_header("WARC-Refers-To-Target-URI")),
        read_time(headers.get_header("WARC-Refers-To-Date")) or "",
    )
    return _Revisit(
        url,
        at,
        _plain(headers.get_header("WARC-IP-Address")),
        status,
        http,
        digest,
        headers.get_header("WARC-Refers-To") or "",
        of,
    )


def _read(record: Any, counts: Counter[str], most: int) -> tuple[str, str, bytes] | None:
    """Address, time and block of a record; None where it is not as it says, or of more bytes than are
    read."""
    headers = record.rec_headers
    length = headers.get_header("Content-Length") or ""
    url, at = _address(headers.get_header("WARC-Target-URI")), read_time(headers.get_header("WARC-Date"))
    if at is None or not length.isdecimal() or not _ADDRESS.fullmatch(url) or at > now():
        counts["incomplete"] += 1  # or from a time that has not come yet
        return None
    if int(length) > most:
        counts["too_large"] += 1
        return None
    block: bytes = record.raw_stream.read()
    if len(block) != int(length):
        counts["cut_short"] += 1
        return None
    return url, at, block


def _address(value: str | None) -> str:
    return (value or "").strip("<>")


def _parted(block: bytes) -> tuple[bytes, bytes]:
    """Headers and body."""
    blank = _BLANK.search(block)
    return (block[: blank.start()], block[blank.end() :]) if blank else (b"", block)


def _head(head: bytes) -> tuple[int | None, tuple[tuple[str, str], ...]]:
    """Status, None where there is none, and headers."""
    first, *lines = re.split(r"\r?\n", head.decode("latin-1"))
    status = _STATUS.match(first)
    return int(status[1]) if status else None, header_lines([one_line(line) for line in lines])


def _is_intact(headers: Any, block: bytes, body: bytes) -> bool:
    """Whether a record matches its digest: of its block; where it has none of that, of its payload, with or
    without transfer coding."""
    if digest := headers.get_header("WARC-Block-Digest"):
        return _matches(digest, block)
    digest = headers.get_header("WARC-Payload-Digest")
    return digest is None or _matches(digest, body) or _matches(digest, _dechunked(body)[0])


def _made(
    headers: Any, url: str, at: str, status: int, http: tuple[tuple[str, str], ...], body: bytes
) -> Capture:
    is_chunked = any(
        name.lower() == "transfer-encoding" and "chunked" in value.lower() for name, value in http
    )
    body, is_whole = _dechunked(body) if is_chunked else (body, True)
    is_whole = is_whole and (is_chunked or _is_as_long(http, body))
    cut: Any = headers.get_header("WARC-Truncated") or (None if is_whole else "disconnect")
    return Capture(
        url=url,
        status=status,
        headers=tuple((name, value) for name, value in http if name.lower() != "transfer-encoding"),
        body=body,
        captured_at=at,
        channel="import",
        truncated=(cut if cut in _CUT else "unspecified") if cut else None,
        ip=_plain(headers.get_header("WARC-IP-Address")),
    )


def _is_as_long(http: tuple[tuple[str, str], ...], body: bytes) -> bool:
    """Whether a body has all the bytes its headers state."""
    stated = [value.strip() for name, value in http if name.lower() == "content-length"]
    return not (stated and stated[-1].isdecimal() and len(body) < int(stated[-1][:12]))


def _plain(value: str | None) -> str | None:
    return value if value and re.fullmatch(r"[0-9A-Fa-f.:]{2,45}", value) else None


def _dechunked(body: bytes) -> tuple[bytes, bool]:
    """A body without its transfer coding, and whether it had its end; some tools undo the coding and keep the
    header, then it is as it is."""
    out, position = bytearray(), 0
    while size := _CHUNK_SIZE.match(body, position):
        start, count = size.end(), int(size[1], 16)
        if not count:
            return bytes(out), True
        out += body[start : start + count]
        position = start + count + 2
        if position > len(body):
            return bytes(out), False
        if body[position - 2 : position] != b"\r\n":
            return body, True
    return (bytes(out), False) if position else (body, True)


def _matches(digest: str, content: bytes, *, is_proof: bool = False) -> bool:
    """Whether a digest (``sha1:BASE32``, ``sha256:HEX``, ...) is the content's; one of an unknown kind says
    nothing, so it is no proof either."""
    name, _, value = digest.partition(":")
    try:
        made = hashlib.new(name.strip().lower().replace("-", ""), content, usedforsecurity=False).digest()
    except (ValueError, TypeError):
        return not is_proof
    spellings = (
        made.hex(),
        base64.b32encode(made).decode(),
        base64.b64encode(made).decode(),
        base64.urlsafe_b64encode(made).decode(),
    )
    return value.strip().rstrip("=").lower() in {spelling.rstrip("=").lower() for spelling in spellings}
