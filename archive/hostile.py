"""Pages that would take a parser out of bounds: seen in the text, before it is parsed.

Lexbor's time is quadratic in the depth of nesting (100,000 nested ``<div>``: 21 s, measured), its memory in unclosed formatting elements, which
HTML5 repeats in every new paragraph, and in the attributes of one tag. A page of few tags can do no harm and is not looked at.
"""

from __future__ import annotations

import re

MAX_TEXT = 16 * 1024 * 1024  # characters; an article page of the site has 60,000
MAX_DEPTH = 512  # as browsers: deeper elements are not nested any further there
_HARMLESS = 3000  # tags: nested all, 20 ms; all formatting, 130 MB for a moment
_MAX_REPEATED = 2_000_000  # formatting elements that a parser would make of unclosed ones
_TOKEN = re.compile(r"<!--.*?(?:-->|\Z)|<(/?)([a-zA-Z][^\s/>\"'<]*)((?:[^>\"']|\"[^\"]*\"|'[^']*')*+)(?:>|\Z|[\"'])", re.DOTALL)
_FORMATTING = frozenset(["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"])
_NEVER_DEEP = frozenset(
    ["p", "li", "dd", "dt", "option", "optgroup", "tr", "td", "th", "tbody", "thead", "tfoot", "colgroup", "col", "caption", "rb", "rt", "rtc", "rp", "area", "base", "br", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr", "html", "head", "body"]
)
_RAW = frozenset(("script", "style", "textarea", "title", "xmp", "iframe", "noscript", "noembed", "noframes"))
_MAX_ATTRIBUTES = 1000


def is_hostile(text: str) -> str | None:
    """Why a page is not to be parsed, or None."""
    if len(text) > MAX_TEXT:
        return f"the page has {len(text):,} characters, more than {MAX_TEXT:,}"
    if re.search(r"<[a-zA-Z][^<>]{20000}", text) and _attributes(text) > _MAX_ATTRIBUTES:
        return f"a tag with more than {_MAX_ATTRIBUTES:,} attributes"
    if text.count("<") <= _HARMLESS:
        return None
    return _measure(text)


def _attributes(text: str) -> int:
    return max((found.group().count("=") + len(found.group().split()) for found in re.finditer(r"<[a-zA-Z][^<>]{20000,}", text) if "data:" not in found.group()[:2000]), default=0)


def _measure(text: str) -> str | None:
    """Follow the nesting as a parser would, from below: names that were never opened close nothing."""
    opened: dict[str, int] = {}
    depth = formatting = repeated = 0
    position = 0
    while found := _TOKEN.search(text, position):
        position = found.end()
        name = (found[2] or "").lower()
        if not name or name in _NEVER_DEEP:
            repeated += formatting
        elif found[1]:
            if opened.get(name, 0):
                opened[name] -= 1
                depth -= 1
                formatting -= name in _FORMATTING
        elif name in _RAW:
            end = re.compile(rf"</{name}", re.IGNORECASE).search(text, position)
            position = end.start() if end else len(text)
            opened[name] = opened.get(name, 0) + 1
            depth += 1
        elif not (found[3] or "").endswith("/") or name not in ("path", "rect", "circle", "line", "polygon", "g", "use", "polyline", "ellipse", "stop"):
            opened[name] = opened.get(name, 0) + 1
            depth += 1
            formatting += name in _FORMATTING
            repeated += formatting
        if depth > MAX_DEPTH:
            return f"elements nested more than {MAX_DEPTH} deep"
        if repeated > _MAX_REPEATED:
            return "unclosed formatting elements beyond all bounds"
    return None
