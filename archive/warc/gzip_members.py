"""Gzip members: how one WARC record lies in its file. What is packed already is stored as it is; all else is
packed."""

from __future__ import annotations

import hashlib
import struct
import zlib
from functools import lru_cache

from warcio.statusandheaders import StatusAndHeaders

_GZIP = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # deflate, without a name or a time, of no particular system
_BLOCK = 0xFFFF  # bytes, the most that a stored block of deflate takes
_END = b"\r\n\r\n"


@lru_cache(maxsize=1)
def payload_sha256(body: bytes) -> str:
    """The digest of a body; the last one is remembered, for a capture is asked for it several times in a
    row."""
    return hashlib.sha256(body).hexdigest()


def member(headers: dict[str, str], block: bytes, content_type: str) -> bytes:
    """One record as one gzip member."""
    stated = StatusAndHeaders(
        "",
        [*headers.items(), ("Content-Type", content_type), ("Content-Length", str(len(block)))],
        protocol="WARC/1.1",
    )
    head = stated.to_bytes(encoding="utf-8")  # warcio's writer would spell the HTTP headers of a revisit anew
    if len(block) < 4096:
        # A short record's time goes into tables for a long one
        return _packed(zlib.compressobj(6, zlib.DEFLATED, 16 + 12, 5), head, block)
    if content_type == "application/json":
        return _packed(zlib.compressobj(6, zlib.DEFLATED, 16 + 15), head, block)
    body = block.find(_END) + len(_END)
    if b"\ncontent-encoding:" in block[:body].lower():
        return _stored(head + block[:body], block[body:] + _END)
    return _packed(zlib.compressobj(1, zlib.DEFLATED, 16 + 15), head, block)


def _packed(deflate: zlib._Compress, head: bytes, block: bytes) -> bytes:
    return deflate.compress(head + block + _END) + deflate.flush()


def _stored(head: bytes, packed: bytes) -> bytes:
    """A head that is packed and a body that came packed: nothing is gained by packing that again, and it is
    most of a record's time."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -12, 5)
    # Ends on a whole byte, and is not the last block
    parts = [_GZIP, deflate.compress(head), deflate.flush(zlib.Z_FULL_FLUSH)]
    for at in range(0, len(packed), _BLOCK):
        piece = packed[at : at + _BLOCK]
        parts += (struct.pack("<BHH", at + _BLOCK >= len(packed), len(piece), len(piece) ^ _BLOCK), piece)
    parts.append(
        struct.pack("<II", zlib.crc32(packed, zlib.crc32(head)), (len(head) + len(packed)) & 0xFFFFFFFF)
    )
    return b"".join(parts)
