"""Other people's WARC and WACZ files (wget, browsertrix, ArchiveWeb.page, Heritrix, warcio, Common Crawl) -> Captures. Reads, keeps nothing."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, ClassVar, cast

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataReader

from archive.errors import UNREADABLE, ArchiveError
from archive.model import Capture
from archive.sites.sohr.listings import instant

MOST = 64 * 2**20  # bytes of a body: a post is a thousandth of it
_ZSTD, _ZIP = b"\x28\xb5\x2f\xfd", b"PK\x03\x04"


class UnreadableFile(ArchiveError):
    """Raised when a file is no WARC or WACZ, or breaks off; what was read before stays."""

    exit_status: ClassVar[int] = UNREADABLE


def captures(path: Path, counts: Counter[str]) -> Iterator[Capture]:
    """The HTTP responses of a file, in its order; what is passed over is counted. Raises UnreadableFile."""
    number = 0
    try:
        for name, stream in _streams(path):
            for record in ArchiveIterator(stream, check_digests=True):
                number += 1
                capture = _capture(record, counts)
                if capture:
                    yield capture
            if not number:
                raise UnreadableFile(f"{name} holds no WARC record: give a WARC or WACZ file")
    except UnreadableFile:
        raise
    except OSError as error:
        raise UnreadableFile(f"{path.name} cannot be read ({error.strerror or error}): give a WARC or WACZ file") from error
    except Exception as error:  # noqa: BLE001  # of a damaged file the reader raises whatever its parser met: AttributeError, zlib.error, EOFError, ...
        done = f"behind its record {number} ({error}); what was whole is taken" if number else f"as WARC or WACZ ({error})"
        raise UnreadableFile(f"{path.name} cannot be read {done}") from error


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
    """A response as a capture; None for any other record."""
    if record.rec_type != "response" or record.http_headers is None:
        counts["revisit" if record.rec_type == "revisit" else "no_response"] += 1
        return None
    headers = record.rec_headers
    url, at = headers.get_header("WARC-Target-URI") or "", instant(headers.get_header("WARC-Date"))
    status = record.http_headers.get_statuscode()
    if at is None or not status.isdigit() or not url.startswith(("http://", "https://")):
        counts["incomplete"] += 1
        return None
    chunked = "chunked" in (record.http_headers.get_header("transfer-encoding") or "").lower()
    stream = ChunkedDataReader(record.raw_stream, decomp_type=None) if chunked else record.raw_stream
    body = _read(stream)
    if body is None:
        counts["too_large"] += 1
        return None
    while record.raw_stream.read(1 << 16):
        pass  # to its end, so that the digest is complete
    if getattr(record.raw_stream, "limit", 0) > 0:
        counts["cut_short"] += 1
        return None
    if record.digest_checker is not None and record.digest_checker.passed is False:
        counts["wrong_digest"] += 1
        return None
    cut = headers.get_header("WARC-Truncated")
    return Capture(
        url=url,
        status=int(status),
        headers=tuple((k, v) for k, v in record.http_headers.headers if k.lower() != "transfer-encoding"),
        body=body,
        captured_at=at,
        channel="import",
        truncated=(cut if cut in ("length", "time", "disconnect") else "unspecified") if cut else None,
        ip=headers.get_header("WARC-IP-Address"),
    )


def _read(stream: Any) -> bytes | None:
    out = bytearray()
    while chunk := stream.read(1 << 16):
        out += chunk
        if len(out) > MOST:
            return None
    return bytes(out)
