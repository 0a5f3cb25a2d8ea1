"""Text as search sees it: spelling, accents and hidden words are folded."""

from __future__ import annotations

import re
import unicodedata

from archive.text.deobfuscate import HiddenWords, deobfuscate

_MARKS = re.compile(r"[\u0640\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u00ad]")
_LETTERS = str.maketrans(
    {"ٱ": "ا", "ى": "ي", "ی": "ي", "ې": "ي", "ة": "ه", "ۀ": "ه", "ہ": "ه", "ک": "ك", "گ": "ك", "ء": None}
    | {"٫": ".", "٬": ",", "،": ",", "؛": ";", "؟": "?"}
    | {chr(0x0660 + n): str(n) for n in range(10)}
    | {chr(0x06F0 + n): str(n) for n in range(10)}
    | dict.fromkeys("“”„‟«»″", '"')
    | dict.fromkeys("‘’‚‛‹›′ʼ`´", "'")
    | dict.fromkeys("‐‑‒–—―", "-")
)


class _Folding(dict[int, int | str | None]):
    """The replacement of each character (None: removed), computed on first use."""

    def __missing__(self, code: int) -> int | str | None:
        found: int | str | None = None if unicodedata.combining(chr(code)) else _LETTERS.get(code, code)
        self[code] = found
        return found


_FOLDING = _Folding()
_ARTICLE = re.compile(r"(?<![\u0621-\u064a])(?:[وفبك]?ال|لل)+(?=[\u0621-\u064a]{3})")


# Typography in Latin text; replacing it first is faster than the general way
_TYPOGRAPHY = (
    *((mark, '"') for mark in "“”„‟«»"),
    *((mark, "'") for mark in "‘’‚‛‹›ʼ`"),
    *((mark, "-") for mark in "‐‑‒–—―"),
    ("…", "..."),
    ("\u00a0", " "),
)


def _ascii(text: str) -> str | None:
    """ASCII text with typography, folded (hidden words stay); None for any other text."""
    for mark, plain in _TYPOGRAPHY:
        text = text.replace(mark, plain)
    return text.lower() if text.isascii() else None


def fold(text: str, hidden: HiddenWords) -> str:
    """The text as search sees it, both in the index and in a query.

    Both languages: case, accents and harakat, tatweel, curly quotes, long dashes and hidden words are folded.
    Arabic: also the forms of alef and ya, hamza, ta marbuta and Arabic-Indic digits; the article (with و ف ب
    ك, or لل) is removed, so that الأمن and أمن find each other.
    """
    latin = _ascii(text)
    folded = text if latin is None else latin
    if latin is not None and (folded := deobfuscate(latin, hidden)[0]) == latin:
        return folded
    for _ in range(4):  # nearly always once; the next round proves it
        before = folded
        decomposed = unicodedata.normalize("NFKD", _MARKS.sub("", folded).casefold())
        plain = decomposed.translate(_FOLDING)
        folded = deobfuscate(plain, hidden)[0]
        if folded == plain and folded.isascii() and folded == folded.lower():
            break
        folded = folded if folded.isascii() else _ARTICLE.sub("", folded)
        if folded == before:
            break
    return folded
