"""Pages that would take a parser out of bounds: seen in the bytes, before it is parsed.

Lexbor's time is quadratic in the depth of nesting (100,000 nested ``<div>``: 21 s, measured), its memory in
unclosed formatting elements, which HTML5 repeats in every new paragraph, and in the attributes of one tag. A
page of few tags can do no harm and is not looked at.
"""

from __future__ import annotations

import re

from archive.text.wordlists import word_set


def _bytes(names: str) -> frozenset[bytes]:
    return frozenset(name.encode() for name in word_set(names))


MAX_HTML = 16 * 1024 * 1024  # bytes in UTF-8; an article page of the site has 60,000
# A page with more than this, or more than so many tags, is read apart (`archive.extract.sandbox`):
HEAVY_BYTES = 2**20
# ... at the bounds the worst shapes found take 1.4 s; an article page of the site has 1,500 tags and 60,000
# bytes
HEAVY_TAGS = 10_000
MAX_DEPTH = 512  # as browsers: deeper elements are not nested any further there
_HARMLESS = 3000  # tags: nested all, 20 ms; all formatting, 130 MB for a moment
_MAX_REPEATED = 2_000_000  # formatting elements that a parser would make of unclosed ones
_TOKEN = re.compile(
    rb"<!--.*?(?:-->|\Z)|<(/?)([a-zA-Z][^\s/>\"'<]*)((?:[^>\"']|\"[^\"]*\"|'[^']*')*+)(?:>|\Z|[\"'])",
    re.DOTALL,
)
_FORMATTING = _bytes(
    """
    a b big code em font i nobr s small strike strong tt u
    """
)
# void, or closed by the next of its kind: these never nest in each other
_NEVER_DEEP = _bytes(
    """
    p li dd dt option optgroup tr td th tbody thead tfoot colgroup col caption rb rt rtc rp area base br embed hr img input link meta param
    source track wbr html head body
    """
)
_DRAWING = _bytes("path rect circle line polygon g use polyline ellipse stop")  # of SVG, where "/>" closes
_RAW = _bytes("script style textarea title xmp iframe noscript noembed noframes")
_MAX_ATTRIBUTES = 1000
_LONG_TAG = re.compile(rb"<[a-zA-Z][^<>]{20000,}")
# One attribute, however long: page builders put JSON there
_VALUE = re.compile(rb"=\s*(?:\"[^\"]*\"|'[^']*')")


def is_heavy(html: bytes, tags: int = HEAVY_TAGS) -> bool:
    """Whether reading a page may take more than a moment: told by its bytes alone, so that a rebuild tells
    alike."""
    return len(html) <= MAX_HTML and (len(html) > HEAVY_BYTES or html.count(b"<") > tags)


def is_hostile(html: bytes) -> str | None:
    """Why a page is not to be parsed, or None."""
    if len(html) > MAX_HTML:
        return f"the page has {len(html):,} bytes, more than {MAX_HTML:,}"
    if _attributes(html) > _MAX_ATTRIBUTES:
        return f"a tag with more than {_MAX_ATTRIBUTES:,} attributes"
    if html.count(b"<") <= _HARMLESS:
        return None
    return _measure(html)


def _attributes(html: bytes) -> int:
    """The most attributes that one very long tag seems to have; a tag that carries a picture (``data:``) is
    long for another reason."""
    if all(html.find(b"<", start, start + 10_000) >= 0 for start in range(0, len(html) - 10_000, 10_000)):
        return 0  # a stretch of 20,000 bytes without "<" would fill one of these
    tags = (found[0] for found in _LONG_TAG.finditer(html))
    bare = (_VALUE.sub(b"=", tag) for tag in tags if b"data:" not in tag[:2000])
    return max((tag.count(b"=") + len(tag.split()) for tag in bare), default=0)


def _measure(html: bytes) -> str | None:
    """Follow the nesting as a parser would, from below: names that were never opened close nothing."""
    opened: dict[bytes, int] = {}
    depth = formatting = repeated = 0
    position = 0
    while found := _TOKEN.search(html, position):
        position = found.end()
        name = (found[2] or b"").lower()
        if not name or name in _NEVER_DEEP:
            repeated += formatting
        elif found[1]:
            if opened.get(name, 0):
                opened[name] -= 1
                depth -= 1
                formatting -= name in _FORMATTING
        elif name in _RAW:
            end = re.compile(b"</" + name, re.IGNORECASE).search(html, position)
            position = end.start() if end else len(html)
            opened[name] = opened.get(name, 0) + 1
            depth += 1
        elif not (found[3] or b"").endswith(b"/") or name not in _DRAWING:
            opened[name] = opened.get(name, 0) + 1
            depth += 1
            formatting += name in _FORMATTING
            repeated += formatting
        if depth > MAX_DEPTH:
            return f"elements nested more than {MAX_DEPTH} deep"
        if repeated > _MAX_REPEATED:
            return "unclosed formatting elements beyond all bounds"
    return None
