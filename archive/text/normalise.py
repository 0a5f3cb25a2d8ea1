"""Normalise text to decide whether two captures of an article are the same version."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

# Marks of direction (UAX 9) change the layout of a line, not its words
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# Characters without width or shape: soft hyphen, zero-width spaces and joiners, byte order mark, object mark
_WIDTHLESS = "\u00ad\u034f\u180e\u200b\u200c\u200d\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffc"
_SHAPELESS = re.compile(f"[{_BIDI}{_WIDTHLESS}]")
_IN_NUMBER = re.compile(rf"(?<=\d)[{_WIDTHLESS}]+(?=\d)")
# A setting or a release of WordPress turns straight quotes and three dots into curly ones
_QUOTES = (*((mark, '"') for mark in "“”„‟«»″"), *((mark, "'") for mark in "‘’‚‛‹›′"), ("…", "..."))
# White space beside a digit counts, its amount does not: "3 1" is not "31", "12, 130" is not "12,130"
# It begins with a space, so that a search skips all else
_BESIDE_DIGIT = re.compile(r"\s(?<!\s\s)(?:(?<=\d\s)\s*+|\s*+(?=\d))")


def strip_shapeless(text: str) -> str:
    """The text without characters that have no shape; between two digits they become a space."""
    if text.isascii() or not _SHAPELESS.search(text):
        return text
    for mark in _BIDI:
        text = text.replace(mark, "")
    return _SHAPELESS.sub("", _IN_NUMBER.sub(" ", text))


def fold_quotes(text: str) -> str:
    """The text with straight quotes, and three dots for an ellipsis."""
    for mark, plain in () if text.isascii() else _QUOTES:
        text = text.replace(mark, plain)
    return text


def normalise(text: str) -> str:
    """The text as `same_sha256` compares it: NFC, quotes and ellipsis folded, without shapeless characters
    and white space.

    Beside a digit, white space or a line end stays as one mark and each cell edge (tab) as another.
    """
    text = strip_shapeless(text)
    text = _BESIDE_DIGIT.sub("\0" if "\t" not in text else _mark, text)
    text = "".join(text.split()).strip("\0")
    return text if text.isascii() else unicodedata.normalize("NFC", fold_quotes(text))


def _mark(run: re.Match[str]) -> str:
    return "\1" * run[0].count("\t") or "\0"


_normalise_cached = lru_cache(maxsize=8)(normalise)  # a text is compared several times


def same_sha256(title: str, lines_text: str) -> str:
    """Digest (hex) that two captures of the same version share."""
    both = f"{_normalise_cached(title)}\n{_normalise_cached(lines_text)}"
    return hashlib.sha256(both.encode("utf-8", "surrogatepass")).hexdigest()


def text_sha256(text: str) -> str:
    """Digest (hex) of a text as stored, in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
