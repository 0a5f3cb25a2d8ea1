"""Refuse pages that would cost a parser too much time or memory, by their bytes, before they are parsed.

Lexbor's time is quadratic in the depth of nesting (100,000 nested ``<div>``: 21 s) and in the attributes of
one tag (100,000: 52 s); its memory grows with unclosed formatting elements, which HTML5 repeats in each
paragraph.
"""

from __future__ import annotations

import re

from archive.text.wordlists import word_set


def _byte_set(names: str) -> frozenset[bytes]:
    return frozenset(name.encode() for name in word_set(names))


MAX_HTML = 16 * 1024 * 1024  # bytes in UTF-8; an article page of the site has 60,000
# A page with more bytes or tags is read apart (`archive.extract.sandbox`). At the bounds the worst shapes
# found take 1.4 s; an article page of the site has 1,500 tags
HEAVY_BYTES = 2**20
HEAVY_TAGS = 10_000
# Pages below both bounds are not measured: 3,000 nested tags take 40 ms, 25,000 attributes 1.6 s
_HARMLESS_TAGS = 3_000
_HARMLESS_BYTES = 100_000
MAX_DEPTH = 512  # as browsers; less than 1 ms
MAX_ATTRIBUTES = 5_000  # of one tag; 0.1 s
_MAX_REPEATED = 2_000_000  # formatting elements that a parser makes of unclosed ones; 130 MB
_TOKEN = re.compile(
    rb"<!--.*?(?:-->|\Z)|<(/?)([a-zA-Z][^\s/>\"'<]*)((?:[^>\"']|\"[^\"]*\"|'[^']*')*+)(?:>|\Z|[\"'])",
    re.DOTALL,
)
# What may be a tag with too many attributes
_LONG_TAG = re.compile(rb"<[a-zA-Z](?:[^>\"']{10000}|(?:[^>\"']*+(?:\"[^\"]*+\"|'[^']*+')){2500})")
_ATTRIBUTE = re.compile(rb"[^\s/>=\"']+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>]*))?|[\"']")
_FORMATTING = _byte_set("a b big code em font i nobr s small strike strong tt u")
# Void, or closed by the next of its kind: these never nest in each other
_NEVER_DEEP = _byte_set(
    """
    p li dd dt option optgroup tr td th tbody thead tfoot colgroup col caption rb rt rtc rp area base br embed
    hr img input link meta param source track wbr html head body
    """
)
_DRAWING = _byte_set("path rect circle line polygon g use polyline ellipse stop")  # of SVG, where "/>" closes
_RAW = _byte_set("script style textarea title xmp iframe noscript noembed noframes")


def is_heavy(html: bytes, tags: int = HEAVY_TAGS) -> bool:
    """True if reading a page may take more than a moment. Decided by its bytes, so a rebuild decides
    alike."""
    return len(html) <= MAX_HTML and (len(html) > HEAVY_BYTES or html.count(b"<") > tags)


def is_hostile(html: bytes) -> str | None:
    """Why a page must not be parsed, or None."""
    if len(html) > MAX_HTML:
        return f"the page has {len(html):,} bytes, more than {MAX_HTML:,}"
    if html.count(b"<") <= _HARMLESS_TAGS and (len(html) <= _HARMLESS_BYTES or not _LONG_TAG.search(html)):
        return None
    return _measure(html)


def _measure(html: bytes) -> str | None:
    nesting = _Nesting()
    position = 0
    while found := _TOKEN.search(html, position):
        position = found.end()
        name, inside = (found[2] or b"").lower(), found[3] or b""
        if _has_many_attributes(inside):
            return f"a tag with more than {MAX_ATTRIBUTES:,} attributes"
        if found[1]:
            nesting.close(name)
        elif not (inside.endswith(b"/") and name in _DRAWING):
            nesting.open(name)
        if name in _RAW and not found[1]:
            end = re.compile(b"</" + name, re.IGNORECASE).search(html, position)
            position = end.start() if end else len(html)
        if nesting.depth > MAX_DEPTH:
            return f"elements nested more than {MAX_DEPTH} deep"
        if nesting.repeated > _MAX_REPEATED:
            return "unclosed formatting elements beyond all bounds"
    return None


class _Nesting:
    """The nesting as a parser follows it; an end tag that was never opened closes nothing."""

    def __init__(self) -> None:
        self.depth = self.repeated = self._formatting = 0
        self._opened: dict[bytes, int] = {}

    def open(self, name: bytes) -> None:
        if name and name not in _NEVER_DEEP:
            self._opened[name] = self._opened.get(name, 0) + 1
            self.depth += 1
            self._formatting += name in _FORMATTING
        self.repeated += self._formatting

    def close(self, name: bytes) -> None:
        if name in _NEVER_DEEP:
            self.repeated += self._formatting
        elif self._opened.get(name, 0):
            self._opened[name] -= 1
            self.depth -= 1
            self._formatting -= name in _FORMATTING


def _has_many_attributes(inside: bytes) -> bool:
    return len(inside) > 2 * MAX_ATTRIBUTES and sum(1 for _ in _ATTRIBUTE.finditer(inside)) > MAX_ATTRIBUTES
