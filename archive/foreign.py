"""Other people's WARC and WACZ files (wget, browsertrix, ArchiveWeb.page, Heritrix, warcio, Common Crawl) -> Captures. Reads, keeps nothing.

A capture is taken as its record has it, header bytes included, or not at all: a record that is shorter than it says, or does not match a
digest of its own, is passed over and counted. Only the transfer coding is undone, as in our own records.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, ClassVar, cast

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from archive.clock import now
from archive.errors import UNREADABLE, ArchiveError
from archive.model import Capture
from archive.sites.sohr.listings import instant
from archive.warc import header_lines, one_line

MOST = 64 * 2**20  # bytes of a record: a post is a thousandth of it
_ZSTD, _ZIP = b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
_STATUS = re.compile(r"HTTP/[0-9.]+ ([1-5][0-9][0-9])(?: |$)")
_ADDRESS = re.compile(r"https?://[!-~\u00a1-\U0010ffff]+")  # no space, no control character: it becomes a line of our records
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")
_BLANK = re.compile(rb"\r?\n\r?\n")  # behind the headers
_CUT = ("length", "time", "disconnect", "unspecified")


class UnreadableFile(ArchiveError):
    """Raised when a file is no WARC or WACZ, or breaks off; what was read before stays."""

    exit_status: ClassVar[int] = UNREADABLE


def captures(path: Path, counts: Counter[str]) -> Iterator[Capture]:
    """The HTTP responses of a file, in its order; what is passed over is counted. Raises UnreadableFile."""
    number = 0
    try:
        for name, stream in _streams(path):
            number = 0
            for record in ArchiveIterator(stream, no_record_parse=True):
                if record.format != "warc":
                    raise ArchiveLoadFailed("not a WARC record")  # warcio takes any line of five words for one of ARC, the older format
                number += 1
                capture = _capture(record, counts)
                if capture:
                    yield capture
            if not number:
                raise UnreadableFile(f"{name} holds no WARC record: give a WARC or WACZ file")
    except (GeneratorExit, ArchiveError):
        raise
    except OSError as error:
        raise UnreadableFile(f"{path.name} cannot be read ({error.strerror or error}): give a WARC or WACZ file") from error
    except Exception as error:  # of a damaged file the reader raises whatever its parser met: AttributeError, zlib.error, EOFError, ...
        done = f"behind its record {number}; what was whole is taken" if number else "as WARC or WACZ: it is none, or damaged"
        raise UnreadableFile(f"{path.name} cannot be read {done} ({_printable(error)})") from error


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
            names = [n for n in package.namelist() if n.startswith("archive/") and n.endswith((".warc", ".warc.gz"))]
            if not names:
                raise UnreadableFile(f"{path.name} is a zip file without WARC files in archive/: it is no WACZ")
            for name in names:
                with package.open(name) as member:
                    yield f"{path.name}/{name}", member
        elif magic == _ZSTD:
            from backports import zstd  # Scrapy brings it; Python 3.14 has it as compression.zstd

            yield path.name, cast("IO[bytes]", stack.enter_context(zstd.open(file, "rb")))
        else:
            yield path.name, file


def _capture(record: Any, counts: Counter[str]) -> Capture | None:
    """A response as a capture; None for any other record, and for one that is not as it says."""
    headers = record.rec_headers
    if record.rec_type != "response" or not (headers.get_header("Content-Type") or "").startswith("application/http"):
        counts["revisit" if record.rec_type == "revisit" else "no_response"] += 1
        return None
    length = headers.get_header("Content-Length") or ""
    url, at = (headers.get_header("WARC-Target-URI") or "").strip("<>"), instant(headers.get_header("WARC-Date"))
    if at is None or not length.isdecimal() or not _ADDRESS.fullmatch(url) or at > now():
        counts["incomplete"] += 1  # or from a time that has not come yet
        return None
    if int(length) > MOST:
        counts["too_large"] += 1
        return None
    block = record.raw_stream.read()
    if len(block) != int(length):
        counts["cut_short"] += 1
        return None
    blank = _BLANK.search(block)
    head, body = (block[: blank.start()], block[blank.end() :]) if blank else (b"", block)
    if not _is_intact(headers, block, body):
        counts["wrong_digest"] += 1
        return None
    first, *lines = re.split(r"\r?\n", head.decode("latin-1"))
    status = _STATUS.match(first)
    if status is None:
        counts["incomplete"] += 1
        return None
    return _response(headers, url, at, int(status[1]), header_lines([one_line(line) for line in lines]), body)


def _is_intact(headers: Any, block: bytes, body: bytes) -> bool:
    """Whether a record matches its digest: of its block; where it has none of that, of its payload, with or without transfer coding."""
    if digest := headers.get_header("WARC-Block-Digest"):
        return _matches(digest, block)
    digest = headers.get_header("WARC-Payload-Digest")
    return digest is None or _matches(digest, body) or _matches(digest, _dechunked(body)[0])


def _response(headers: Any, url: str, at: str, status: int, http: tuple[tuple[str, str], ...], body: bytes) -> Capture:
    is_chunked = any(name.lower() == "transfer-encoding" and "chunked" in value.lower() for name, value in http)
    body, is_whole = _dechunked(body) if is_chunked else (body, True)
    stated = [value.strip() for name, value in http if name.lower() == "content-length"]
    if not is_chunked and stated and stated[-1].isdecimal() and len(body) < int(stated[-1][:12]):
        is_whole = False
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


def _plain(value: str | None) -> str | None:
    return value if value and re.fullmatch(r"[0-9A-Fa-f.:]{2,45}", value) else None


def _dechunked(body: bytes) -> tuple[bytes, bool]:
    """A body without its transfer coding, and whether it had its end; some tools undo the coding and keep the header, then it is as it is."""
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


def _matches(digest: str, content: bytes) -> bool:
    """Whether a digest (``sha1:BASE32``, ``sha256:HEX``, ...) is the content's; one of an unknown kind says nothing."""
    name, _, value = digest.partition(":")
    try:
        made = hashlib.new(name.strip().lower().replace("-", ""), content, usedforsecurity=False).digest()
    except (ValueError, TypeError):
        return True
    spellings = (made.hex(), base64.b32encode(made).decode(), base64.b64encode(made).decode(), base64.urlsafe_b64encode(made).decode())
    return value.strip().rstrip("=").lower() in {spelling.rstrip("=").lower() for spelling in spellings}
