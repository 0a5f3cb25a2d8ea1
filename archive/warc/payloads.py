"""Bodies of HTTP messages in records, and digests of what a record holds."""

from __future__ import annotations

import base64
import hashlib
import re

_BLANK = re.compile(rb"\r?\n\r?\n")  # after HTTP headers
_INTERIM = re.compile(rb"HTTP/[0-9.]+ 1(?!01)[0-9][0-9](?: |\r|\n|$)")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")


def payload_matches(stated: str, block: bytes) -> bool | None:
    """Whether a digest is that of a block's body, with or without transfer coding."""
    body = split_http(block)[1]
    matches = digest_matches(stated, body)
    return digest_matches(stated, dechunk(body)[0]) if matches is False else matches


def digest_matches(stated: str, content: bytes) -> bool | None:
    """Whether a digest (``sha1:BASE32``, ``sha256:HEX``, ...) is the content's; None for an unknown kind."""
    name, _, value = stated.partition(":")
    try:
        made = hashlib.new(name.strip().lower().replace("-", ""), content, usedforsecurity=False).digest()
    except (ValueError, TypeError):
        return None
    spellings = (
        made.hex(),
        base64.b32encode(made).decode(),
        base64.b64encode(made).decode(),
        base64.urlsafe_b64encode(made).decode(),
    )
    return value.strip().rstrip("=").lower() in {spelling.rstrip("=").lower() for spelling in spellings}


def split_http(block: bytes) -> tuple[bytes, bytes]:
    """Headers and body of an HTTP message; interim answers (100 Continue, 103 Early Hints) are dropped."""
    start = 0
    while blank := _BLANK.search(block, start):
        if not _INTERIM.match(block, start, blank.start()):
            return block[start : blank.start()], block[blank.end() :]
        start = blank.end()
    return b"", block[start:]


def dechunk(body: bytes) -> tuple[bytes, bool]:
    """A body without its transfer coding, and whether it is whole. Some tools undo the coding and keep the
    header: then it is returned as it is."""
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
