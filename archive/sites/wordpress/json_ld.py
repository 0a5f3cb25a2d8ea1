"""The JSON-LD that SEO plugins print into pages, read as leniently as search engines read it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from archive.sites.wordpress.rest import make_storable

_JSON_LD = re.compile(rb"<script[^>]{0,200}application/ld\+json[^>]{0,200}>", re.IGNORECASE)
_WRAPPERS = re.compile(
    r"/\*\s*<!\[CDATA\[\s*\*/|/\*\s*\]\]>\s*\*/|(?://\s*)?(?:<!\[CDATA\[|\]\]>)|<!--|(?://\s*)?-->"
)
_NOT_STORABLE = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)|\0")
_TRAILING_COMMA = re.compile(r",\s*([}\]])")
_END_SCRIPT = re.compile(rb"</script", re.IGNORECASE)
_LIMIT = 1_000_000  # bytes in which JSON-LD is read


def read_json_ld(html: bytes) -> Iterator[Any]:
    """The JSON-LD of a page, each script as a value; None for one that cannot be read."""
    if b"ld+json" not in html:
        return
    position = 0
    while opened := _JSON_LD.search(html, position, _LIMIT):
        closed = _END_SCRIPT.search(html, opened.end(), _LIMIT)
        if closed is None:
            return
        position = closed.end()
        yield _load(html[opened.end() : closed.start()].decode("utf-8", "replace"))


def _load(text: str) -> Any:
    """Read a JSON text as pages have it: in a comment or CDATA, with trailing commas, or escaped as HTML;
    None if it cannot be read. Lone surrogates and NUL become U+FFFD."""
    for version in _readings(text):
        try:
            found = json.loads(version.strip(), strict=False)
            return make_storable(found) if _NOT_STORABLE.search(version) else found
        except (ValueError, RecursionError):
            continue
    return None


def _readings(text: str) -> Iterator[str]:
    yield text
    bare = _WRAPPERS.sub("", text).strip()
    for version in (bare, unescape(bare)):
        yield version
        yield _TRAILING_COMMA.sub(r"\1", version)
