"""Bytes as sent -> bytes of the document -> text. Bounded: a small body that unpacks to gigabytes is refused,
not unpacked.

Content-Encoding is undone in the order RFC 9110 8.4 names (the last listed was applied last). The charset
follows the bytes where they are plain: text that is valid UTF-8 and not mere ASCII is UTF-8, whatever header
or meta tag says.
"""

from __future__ import annotations

import codecs
import importlib
import re
import zlib
from typing import Any

from archive.model import Capture

MAX_BODY = 64 * 1024 * 1024  # bytes of a document, unpacked; an article of the site is 0.06 MB
_CHUNK = 1024 * 1024
# Bytes in which a meta charset is looked for; the HTML standard says 1024, WordPress plugins push it down
_PRESCAN = 4096
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:.\-]{2,40})", re.IGNORECASE)
_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:.\-]{2,40})", re.IGNORECASE)
# What a label may name: encodings of text that browsers read. Python's other codecs (base64, utf_7,
# unicode_escape) are no charsets of pages.
_KNOWN = re.compile(
    r"^(?:utf-8|utf-16(?:-[lb]e)?|cp125[0-8]|cp874|cp866|iso8859-\d+|koi8-[ru]|mac-\w+|gb2312|gbk|gb18030|big5|euc_(?:jp|kr)|shift_jis|ascii)$"
)
_AS_BROWSERS_DO = {"ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-6": "cp1256", "iso8859-9": "cp1254"}


class Undecodable(ValueError):
    """Raised when a body is not what its Content-Encoding says, or is larger unpacked than `MAX_BODY`, by
    `decode_body`."""


class TooLarge(Undecodable):
    """Raised when a body is larger unpacked than the limit: a packing bomb, or no article."""


class Cut(Undecodable):
    """Raised when the packed stream ends before its end: the connection was cut."""


def decode_body(capture: Capture, limit: int = MAX_BODY) -> bytes:
    """The document's bytes, Content-Encoding undone, at most ``limit``."""
    named = ",".join(value for name, value in capture.headers if name.lower() == "content-encoding")
    body = capture.body
    for coding in reversed([token.strip().lower() for token in named.split(",")]):
        if coding in ("", "identity", "none", "utf-8", "8bit"):
            continue
        body = _undo(coding, body, limit)
    if len(body) > limit:
        raise TooLarge(f"the body is larger than {limit} bytes")
    return body


def _undo(coding: str, body: bytes, limit: int) -> bytes:
    if not body:
        return body
    if coding in ("gzip", "x-gzip"):
        if body[:2] != b"\x1f\x8b":
            # A server that names the coding and sends plain text: seen behind misconfigured caches
            return body
        return _inflate(body, limit, 31)
    if coding == "deflate":
        try:
            return _inflate(body, limit, 15)
        except (Cut, TooLarge):
            raise
        except Undecodable:
            return _inflate(body, limit, -15)  # raw deflate, as old servers send it
    if coding == "br":
        return _brotli(body, limit)
    if coding == "zstd":
        return _zstd(body, limit)
    raise Undecodable(f"Content-Encoding {coding!r} is not known")


def _inflate(body: bytes, limit: int, window: int) -> bytes:
    out = bytearray()
    rest = body
    while rest:
        unpacker = zlib.decompressobj(window)
        while not unpacker.eof:
            try:
                out += unpacker.decompress(rest, limit + 1 - len(out))
            except zlib.error as error:
                if out and window == 31 and rest is not body:
                    return bytes(out)  # bytes after the last member: ignored, as every browser does
                raise Undecodable(f"the body does not unpack: {error}") from error
            if len(out) > limit:
                raise TooLarge(f"the body unpacks to more than {limit} bytes")
            rest = unpacker.unconsumed_tail
            if not rest and not unpacker.eof:
                raise Cut("the packed body ends before its end")
        rest = unpacker.unused_data
        if window != 31 or rest[:2] != b"\x1f\x8b":
            break
    return bytes(out)


def _brotli(body: bytes, limit: int) -> bytes:
    try:
        brotli: Any = importlib.import_module("brotli")
    except ImportError as error:
        raise Undecodable(
            "the body is packed with brotli, which is not installed: pip install brotli"
        ) from error
    out = bytearray()
    unpacker = brotli.Decompressor()
    try:
        out += unpacker.process(body, output_buffer_limit=_CHUNK)
        while not unpacker.is_finished():
            if unpacker.can_accept_more_data():
                raise Cut("the packed body ends before its end")
            out += unpacker.process(b"", output_buffer_limit=_CHUNK)
            if len(out) > limit:
                raise TooLarge(f"the body unpacks to more than {limit} bytes")
    except brotli.error as error:
        raise Undecodable(f"the body does not unpack: {error}") from error
    return bytes(out)


def _zstd(body: bytes, limit: int) -> bytes:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            zstd: Any = importlib.import_module(name)
        except ImportError:
            continue
        unpacker = zstd.ZstdDecompressor()
        try:
            out = bytes(unpacker.decompress(body, limit + 1))
            while not unpacker.eof and not unpacker.needs_input and len(out) <= limit:
                out += bytes(unpacker.decompress(b"", limit + 1 - len(out)))
        except zstd.ZstdError as error:
            raise Undecodable(f"the body does not unpack: {error}") from error
        if len(out) > limit:
            raise TooLarge(f"the body unpacks to more than {limit} bytes")
        if not unpacker.eof:
            raise Cut("the packed body ends before its end")
        return out
    raise Undecodable("the body is packed with zstd, which is not installed: pip install backports.zstd")


def decode_text(capture: Capture, body: bytes | None = None) -> str:
    """The document as text. ``body`` spares unpacking it twice. Never fails on a charset: what cannot be read
    becomes U+FFFD."""
    return to_utf8(capture, decode_body(capture) if body is None else body).decode("utf-8", "replace")


def to_utf8(capture: Capture, body: bytes) -> bytes:
    """An unpacked document in UTF-8, without a byte order mark: the bytes themselves where they are that
    already, which nearly all are."""
    if not body.startswith(_MARKS) and not _wide(body):
        try:
            body.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            return body
    return _decode(capture, body).encode("utf-8", "replace")


def _decode(capture: Capture, body: bytes) -> str:
    for mark, name in zip(_MARKS, ("utf-8", "utf-16-le", "utf-16-be"), strict=True):
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    wide = _wide(body)
    if wide:
        return body.decode(wide, "replace")
    text = body.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    # Sequences of two bytes and more that are valid: rare by chance
    sound = len(text) - len(text.encode("ascii", "ignore")) - broken
    if sound >= 4 * broken:
        return text
    stated = [
        name for name in (_label(_HEADER, capture.header("content-type") or ""), _meta_label(body)) if name
    ]
    for name in stated:
        if name != "utf-8" and not name.startswith("utf-16"):
            return body.decode(name, "replace")
    if stated and broken <= 8 + sound:
        return text
    arabic = re.search(rb"<html[^>]{0,300}\blang\s*=\s*[\"']?ar\b", body[:_PRESCAN], re.IGNORECASE)
    return body.decode("cp1256" if arabic else "cp1252", "replace")


def _wide(body: bytes) -> str | None:
    """UTF-16 without a byte order mark: every second byte of its markup is NUL."""
    head = body[:256]
    if len(head) >= 16 and head.count(0) > len(head) // 3:
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
    return None


def _meta_label(body: bytes) -> str | None:
    found = _META.search(body[:_PRESCAN])
    return _codec(found[1].decode("ascii", "replace")) if found else None


def _label(pattern: re.Pattern[str], value: str) -> str | None:
    found = pattern.search(value)
    return _codec(found[1]) if found else None


def _codec(label: str) -> str | None:
    """The codec a label names as browsers read it; None for a label that names no charset of pages."""
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return None
    if name == "utf-8-sig":
        name = "utf-8"
    return _AS_BROWSERS_DO.get(name, name) if _KNOWN.match(name) else None
