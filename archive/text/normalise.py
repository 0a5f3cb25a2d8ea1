"""Normalise text to decide whether two captures of an article are the same version."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

# Marks of direction (UAX 9) change the layout of a line, not its words
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# A setting or a release of WordPress turns straight quotes and three dots into curly ones
_QUOTES = (*((mark, '"') for mark in "“”„‟«»″"), *((mark, "'") for mark in "‘’‚‛‹›′"), ("…", "..."))
# White space between two numbers counts, its amount does not: "3 1" is not "31"
_APART = re.compile(r"(?<=\d)\s+(?=\d)")


@lru_cache(maxsize=8)  # the same text is compared several times
def normalise(text: str) -> str:
    """The text as `same_sha256` compares it: NFC, without bidi marks and white space, quotes and ellipsis
    folded.

    White space between two digits is kept as one mark.
    """
    if text.isascii():
        return "".join(_APART.sub("\0", text).split())
    for mark in _BIDI:  # faster than one translate()
        text = text.replace(mark, "")
    text = "".join(_APART.sub("\0", text).split())
    for mark, plain in _QUOTES:
        text = text.replace(mark, plain)
    return unicodedata.normalize("NFC", text)


def same_sha256(title: str, lines_text: str) -> str:
    """Digest (hex) that two captures of the same version share."""
    return hashlib.sha256(
        f"{normalise(title)}\n{normalise(lines_text)}".encode("utf-8", "surrogatepass")
    ).hexdigest()


def text_sha256(text: str) -> str:
    """Digest (hex) of a text as stored, in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
