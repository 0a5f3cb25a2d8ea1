"""Decode a response: Content-Encoding, media type and charset, read as browsers read them.

Codings are undone in the order of RFC 9110 8.4 (the last listed was applied last). Valid UTF-8 that is not
mere ASCII is UTF-8, whatever a header or meta tag says. Every step is bounded.
"""

from __future__ import annotations

import importlib
import re
import zlib
from collections.abc import Callable
from typing import Any

import webencodings

from archive.errors import ArchiveError
from archive.model import Capture

MAX_BODY = 64 * 1024 * 1024  # bytes of a document, unpacked; an article of the site has 0.06 MB
_PIECE = 16_384
_CHUNK = 1024 * 1024
# Bytes in which a meta charset is looked for; the HTML standard says 1024, WordPress plugins push it down
_PRESCAN = 4096
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([^\s\"';,]{1,40})", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"\s*<\?xml\b[^>]*?\bencoding\s*=\s*[\"']\s*([^\s\"']{1,40})")
# A meta tag; what must not be mistaken for one (comments, scripts, attributes of other tags) is matched first
_PRESCAN_TOKEN = re.compile(
    rb"<!--.*?(?:-->|\Z)|<(script|style|title|textarea|template)\b.*?(?:</\1|\Z)"
    rb"|<meta[\s/]((?:[^>\"']|\"[^\"]*\"|'[^']*')*+)|</?[a-z](?:[^>\"']|\"[^\"]*\"|'[^']*')*+",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(rb"([a-z-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
# MIME Sniffing standard: bytes that no text contains, the length of a resource header, the signs of HTML
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_HEADER_LENGTH = 1445
_STARTS_AS_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*<(?:!--|(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b"
    rb"|body|br|p)[ \t\r\n>])",
    re.IGNORECASE,
)
_HTML = re.compile(
    rb"<\s*(?:!doctype\s+html|html|head|body|title|meta|div|p|article|script|h1)\b", re.IGNORECASE
)
_DOCUMENT = re.compile(rb"<(?:!doctype\s+html|html)\b", re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"\s*([\w!#$&^.+*-]+/[\w!#$&^.+*-]+)\s*(?:;|$)")
# The last two: HTML under a wrong name
_HTML_TYPES = frozenset(("text/html", "application/xhtml+xml", "text/plain", "application/octet-stream"))
# As browsers, and servers that put other labels into the header
_NO_CODING = frozenset(("", "identity", "none", "utf-8", "utf8", "8bit", "chunked"))
_PACKED = (b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd")  # how gzip and zstd begin; no text does
# The second kind of frame holds no content and is skipped
_ZSTD_FRAMES = (_PACKED[1], *(bytes((low, 0x2A, 0x4D, 0x18)) for low in range(0x50, 0x60)))
_MOST_PACKED = 3  # times that a body is packed without saying so
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
_CLOSING_TAG = re.compile(
    rb"</(?:html|rss|feed|rdf:RDF|(?:\w+:)?urlset|(?:\w+:)?sitemapindex)\s*>(?:\s|<!--(?:(?!-->).)*-->)*\Z",
    re.IGNORECASE | re.DOTALL,
)
_ARABIC = re.compile("[\u0621-\u064a]{2,}")


class Undecodable(ArchiveError):
    """Raised when a body is not what its Content-Encoding says, by `decode_body`."""


class TooLarge(Undecodable):
    """Raised when a body unpacks to more bytes than the limit, by `decode_body`."""


class Cut(Undecodable):
    """Raised when the packed stream stops before its end, by `decode_body`."""


def decode_body(capture: Capture, limit: int = MAX_BODY) -> bytes:
    """The document's bytes, Content-Encoding undone, at most ``limit``. A plain body under a wrong label is
    returned as it is; one that is packed once more, or without a label, is unpacked."""
    named = ",".join(value for name, value in capture.headers if name.lower() == "content-encoding")
    body, failure = capture.body, None
    for coding in reversed([token.partition(";")[0].strip(" \t\"'").lower() for token in named.split(",")]):
        if body and coding not in _NO_CODING:
            try:
                body = _undo(coding, body, limit)
            except Undecodable as error:
                failure = error
    for _ in range(_MOST_PACKED):
        if body.startswith(_PACKED):
            body, failure = _undo("gzip" if body.startswith(_PACKED[0]) else "zstd", body, limit), None
    if failure and _BINARY.search(body[:_HEADER_LENGTH]):
        raise failure
    if len(body) > limit:
        raise TooLarge(f"the body is larger than {limit} bytes")
    return body


def is_cut(capture: Capture, body: bytes) -> bool:
    """True if the answer ended too early, and neither its packing nor a closing tag proves the unpacked body
    whole. The length of an answer may be that of the unpacked body, or its last chunk may be missing."""
    return bool(capture.truncated) and body == capture.body and not _CLOSING_TAG.search(body[-1000:])


def _undo(coding: str, body: bytes, limit: int) -> bytes:
    if coding in ("gzip", "x-gzip"):
        window = 31 if body.startswith(_PACKED[0][:2]) else 15 if _ZLIB.match(body) else 0
        return _inflate(body, limit, window) if window else body
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
    """Unpack a zlib, raw (-15) or gzip (31) stream; of gzip all members, and bytes after them are ignored."""
    begins = _PACKED[0][:2] if window == 31 else ()
    return _unpack(body, limit, lambda: zlib.decompressobj(window), begins, zlib.error)


def _unpack(
    body: bytes,
    limit: int,
    start: Callable[[], Any],
    begins: bytes | tuple[bytes, ...],
    errors: type[Exception],
) -> bytes:
    """Unpack a stream and those after it that begin with one of ``begins``; other bytes after it are ignored.
    ``start`` makes an unpacker that raises ``errors``."""
    out, at, has_first = bytearray(), 0, False
    unpacker = start()
    while at < len(body):
        # In pieces: zlib copies what stands after a member, and a small body may hold a million of them
        piece = body[at : at + _PIECE]
        try:
            out += unpacker.decompress(piece, limit + 1 - len(out))
        except errors as error:
            if has_first:
                raise Cut(f"the body unpacks to {len(out)} bytes, then no more: {error}") from error
            raise Undecodable(f"the body does not unpack: {error}") from error
        if len(out) > limit:
            raise TooLarge(f"the body unpacks to more than {limit} bytes")
        at += len(piece)
        if unpacker.eof:
            at, has_first = at - len(unpacker.unused_data), True
            if not begins or not body.startswith(begins, at):
                return bytes(out)
            unpacker = start()
    if body:
        raise Cut("the packed body ends before its end")
    return b""


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
        return _unpack(body, limit, zstd.ZstdDecompressor, _ZSTD_FRAMES, zstd.ZstdError)
    raise Undecodable("the body is packed with zstd, which is not installed: pip install backports.zstd")


def media_type(capture: Capture) -> str | None:
    """The last valid type that the Content-Type headers name, in lower case (Fetch standard); None if they
    name none or an unknown one."""
    found = None
    for name, value in capture.headers:
        if name.lower() == "content-type":
            for part in value.split(","):
                named = _MEDIA_TYPE.match(part)
                if named and named[1] != "*/*":
                    found = named[1].lower()
    return None if found in ("unknown/unknown", "application/unknown") else found


def is_html(capture: Capture, body: bytes) -> bool:
    """True if a browser would show the unpacked body as a page. Without a media type its first bytes
    decide."""
    kind = media_type(capture)
    head = body[:16_384].replace(b"\0", b"")
    if kind is None:
        return bool(_STARTS_AS_HTML.match(head) or _DOCUMENT.search(head))
    return kind in _HTML_TYPES and _HTML.search(head) is not None


def decode_text(capture: Capture, body: bytes | None = None) -> str:
    """The document as text; unreadable bytes become U+FFFD. Pass the unpacked ``body`` if it is at hand."""
    return to_utf8(capture, decode_body(capture) if body is None else body).decode("utf-8", "replace")


def to_utf8(capture: Capture, body: bytes) -> bytes:
    """An unpacked document in UTF-8 without a byte order mark; nearly always the bytes themselves."""
    if not body.startswith(tuple(mark for mark, _ in _MARKS)) and not _wide(body):
        try:
            body.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            return body
    return _decode(capture, body).encode("utf-8", "replace")


def _decode(capture: Capture, body: bytes) -> str:
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    if wide := _wide(body):
        return body.decode(wide, "replace")
    text = body.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    # Valid sequences of two bytes and more are rare by chance
    valid = len(text) - len(text.encode("ascii", "ignore")) - broken
    if valid >= 4 * broken:
        return text
    header = _CHARSET.search(capture.header("content-type") or "")
    declared = _XML_ENCODING.match(body[:_PRESCAN])
    xml = declared[1].decode("latin-1") if declared else ""
    labels = [header[1] if header else "", xml, _meta_charset(body)]
    stated = [found for label in labels if (found := webencodings.lookup(label))]
    for encoding in stated:
        if encoding.name not in ("utf-8", "utf-16le", "utf-16be", "replacement", "x-user-defined"):
            return body.decode(encoding.codec_info.name, "replace")
    if stated and broken <= 8 + valid:
        return text
    # No usable label: windows-1256 if that gives words of Arabic letters, else windows-1252
    arabic = body.decode("cp1256", "replace")
    letters = sum(len(word) for word in _ARABIC.findall(arabic))
    return (
        arabic
        if 2 * letters > len(arabic) - len(arabic.encode("ascii", "ignore"))
        else body.decode("cp1252", "replace")
    )


def _wide(body: bytes) -> str | None:
    """UTF-16 without a byte order mark: every second byte of its markup is NUL."""
    head = body[:256]
    if len(head) >= 16 and head.count(0) > len(head) // 3:
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
    return None


def _meta_charset(body: bytes) -> str:
    """The charset label of the first meta tag that states one, or ""."""
    for token in _PRESCAN_TOKEN.finditer(body[:_PRESCAN]):
        if token[2] is None:
            continue
        stated: dict[bytes, str] = {
            name.lower(): (a or b or c).decode("latin-1") for name, a, b, c in _ATTRIBUTE.findall(token[2])
        }
        if b"charset" in stated:
            return stated[b"charset"].strip()
        if stated.get(b"http-equiv", "").lower() == "content-type":
            found = _CHARSET.search(stated.get(b"content", ""))
            if found:
                return found[1]
    return ""
