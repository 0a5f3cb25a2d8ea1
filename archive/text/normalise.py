"""Text for comparison, for search, and without the tricks that hide words from filters. The stored text stays
as the site wrote it.

Three different things: `normalise` decides whether two captures say the same (nearly nothing is folded);
`fold` decides what a search finds (much is folded); `deobfuscate` gives the plain headline beside the
published one, with a map back.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Container, Iterator
from functools import lru_cache
from typing import NamedTuple

from archive.text.wordlists import COMPOUNDS, FIRST_PARTS, HIDDEN_AR, HIDDEN_EN

# Marks of direction: they change how a line is laid out, never what it says (Unicode, UAX 9, explicit
# formatting characters).
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
# WordPress turns straight quotes and three dots into curly ones by a setting and by its release: not an edit.
_QUOTES = (*((mark, '"') for mark in "“”„‟«»″"), *((mark, "'") for mark in "‘’‚‛‹›′"), ("…", "..."))
# "3" below "1 wounded" is not 31: where white space alone keeps two numbers apart, that it is there says
# something, how much of it does not.
_APART = re.compile(r"(?<=\d)\s+(?=\d)")


@lru_cache(maxsize=8)  # the text of the page in hand is compared with others several times
def normalise(text: str) -> str:
    """The text as `same_sha256` compares it: NFC, bidi marks and white space removed, quotes and ellipsis
    folded, nothing else.

    White space between two digits is kept as one mark, for a changed digit always makes a version: ``3 1`` is
    not ``31``.
    """
    if text.isascii():
        return "".join(_APART.sub("\0", text).split())
    for mark in _BIDI:  # one after another: each is found, or found missing, as fast as memory is read
        text = text.replace(mark, "")
    text = "".join(_APART.sub("\0", text).split())
    for mark, plain in _QUOTES:
        text = text.replace(mark, plain)
    return unicodedata.normalize("NFC", text)


def same_sha256(title: str, lines_text: str) -> str:
    """Digest (hex) by which two captures of an article are the same version. The line feed between both
    cannot occur in either."""
    return hashlib.sha256(
        f"{normalise(title)}\n{normalise(lines_text)}".encode("utf-8", "surrogatepass")
    ).hexdigest()


def text_sha256(text: str) -> str:
    """Digest (hex) of a text exactly as it is stored, in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


# ---- headlines without tricks


class Span(NamedTuple):
    """A word that was restored: ``plain[start:end]`` stands for ``title[original_start:original_end]``."""

    start: int
    end: int
    original_start: int
    original_end: int


# Of a word: no headline breaks one into more, and time grows with the third power of their number
MOST_PARTS = 12
_LETTER = r"[^\W\d_\u0640]"  # tatweel is a letter to Unicode, and none to a reader
# A word with tricks in it: letters with `*`, `-`, `.`, `_`, tatweel or characters without width between them.
_TRICKED = re.compile(
    rf"{_LETTER}[\u064b-\u0652]*(?:[*\-._\u0640\u200b-\u200d\u2060\ufeff]+{_LETTER}[\u064b-\u0652]*|{_LETTER}[\u064b-\u0652]*)*"
)
_TRICK = re.compile(r"[*\-._\u0640\u200b-\u200d\u2060\ufeff]")
# Tricks with a letter behind them: where to look closer
_INSIDE = re.compile(r"[*\-._\u0640\u200b-\u200d\u2060\ufeff]+(?=[^\W\d_\u0640])")
# What a word with tricks is made of
_PART = re.compile(r"[^\W\d_]|[\u064b-\u0652*\-._\u0640\u200b-\u200d\u2060\ufeff]")
_ALWAYS = re.compile(r"(?<=[^\W\d_\u0640])\*+(?=[^\W\d_\u0640])")
_AR_LETTER = r"[\u0621-\u063a\u0641-\u064a\u0671-\u06d3]"
_NO_WIDTH = re.compile(
    rf"(?:(?<={_AR_LETTER})|(?<=[\u064b-\u0652]))[\u0640\u200b-\u200d\u2060\ufeff]+(?={_AR_LETTER})|(?<=[A-Za-z])[\u200b\u2060\ufeff]+(?=[A-Za-z])"
)
_WORD = re.compile(rf"{_LETTER}+")
_JOINED = re.compile(r"[^\W\d_\u0640]|[-._]")  # what a word, or several with hyphens between them, is made of
_HYPHENED = re.compile(rf"{_LETTER}+(?:[-._]{_LETTER}+)+")
_ARABIC = re.compile(_AR_LETTER)


class _Words:
    """The words of a text, by a pattern, without their case. A text is taken apart only where what is looked
    for stands in it at all."""

    def __init__(self, text: str, pattern: re.Pattern[str]) -> None:
        self._text, self._pattern = text, pattern
        self._folded: str | None = None
        self._words: frozenset[str] | None = None

    def __contains__(self, word: object) -> bool:
        if self._folded is None:
            self._folded = self._text.casefold()
        word, folded = str(word), self._folded
        at = folded.find(word)
        # A letter that folds to two: places are not the same in both
        if at >= 0 and len(folded) != len(self._text):
            self._words = self._words or frozenset(
                found.casefold() for found in self._pattern.findall(self._text)
            )
            return word in self._words
        while at >= 0:
            end = at + len(word)
            while at and _JOINED.match(folded[at - 1]):
                at -= 1
            while end < len(folded) and _JOINED.match(folded[end]):
                end += 1
            if any(found.casefold() == word for found in self._pattern.findall(self._text[at:end])):
                return True
            at = folded.find(word, end)
        return False


def plain_title(title: str, body: str = "") -> str:
    """The headline as it reads without the tricks; equal to ``title`` where it has none."""
    return deobfuscate(title, body)[0]


def deobfuscate(title: str, body: str = "") -> tuple[str, tuple[Span, ...]]:
    """The plain text and the words that were restored.

    ``*`` between letters is always noise, tatweel and characters without width inside an Arabic word
    likewise. ``-`` (and ``.``, ``_`` in Arabic) go only where the joined word is known, from the article's
    own ``body`` first, then from a curated list, and the parts are no real compound.
    """
    if not _INSIDE.search(title):
        return title, ()
    known, hyphened = _Words(body, _WORD), _Words(body, _HYPHENED)
    out: list[str] = []
    spans: list[Span] = []
    length = position = 0
    for found in _tricked(title):
        word = found[0]
        plain = _NO_WIDTH.sub("", _ALWAYS.sub("", word))
        if re.search(r"[-._]", plain):
            plain = _join(plain, known, hyphened) if body else _join_alone(plain)
        if plain != word:
            out.append(title[position : found.start()])
            length += found.start() - position
            spans.append(Span(length, length + len(plain), found.start(), found.end()))
            out.append(plain)
            length += len(plain)
            position = found.end()
    out.append(title[position:])
    return "".join(out), tuple(spans)


def _tricked(text: str) -> Iterator[re.Match[str]]:
    """The words with tricks in them, in order. A text has thousands of words and few of these: only around a
    trick is looked closer."""
    end = 0
    for inside in _INSIDE.finditer(text):
        first = inside.start()
        if first < end or not first or not _PART.match(text[first - 1]):
            continue
        while first > end and _PART.match(text[first - 1]):
            first -= 1
        for found in _TRICKED.finditer(text, first):
            if found.start() > inside.start():
                break
            end = found.end()
            if end > inside.start():
                if _TRICK.search(found[0]):
                    yield found
                break


def _join(word: str, known: Container[str], hyphened: Container[str]) -> str:
    """Join the parts of a word that belong together, the longest run of parts first: ``anti-IS-IS`` ->
    ``anti-ISIS``."""
    if word.casefold() in hyphened:
        return word  # the article itself writes it so in its text
    pieces = re.split(r"([-._]+)", word)
    parts, joints = pieces[::2], pieces[1::2]
    if len(parts) > MOST_PARTS:
        return word
    size = len(parts)
    while size > 1:
        for first in range(len(parts) - size + 1):
            run = parts[first : first + size]
            if _belongs(run, joints[first : first + size - 1], known):
                parts[first : first + size] = ["".join(run)]
                del joints[first : first + size - 1]
                size = len(parts) + 1
                break
        size -= 1
    return "".join(part + joint for part, joint in zip(parts, [*joints, ""], strict=True))


@lru_cache(maxsize=4096)
def _join_alone(word: str) -> str:
    """`_join` by the curated list alone: the same few compounds come in every text."""
    return _join(word, frozenset(), frozenset())


def _belongs(run: list[str], joints: list[str], known: Container[str]) -> bool:
    joined = "".join(run).casefold()
    if _ARABIC.search(joined):
        bare = "".join(char for char in joined if not unicodedata.combining(char))
        # "د.محمد" is a title and a name: one letter before a dot is an abbreviation unless the whole word is
        # known to be hidden
        return bare in HIDDEN_AR or (bare in known and len(bare) > 2 and len(run[0]) > 1)
    if any(joint.strip("-") for joint in joints):
        return False  # a dot or an underscore inside Latin letters: addresses, initials, file names
    if "-".join(run).casefold() in COMPOUNDS:
        return False
    if joined in HIDDEN_EN:
        return True
    return len(joined) > 3 and run[0].casefold() not in FIRST_PARTS and joined in known


# ---- search

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
    """What becomes of a character: nothing of combining ones, another of some. Asked of each character once,
    then known."""

    def __missing__(self, code: int) -> int | str | None:
        found: int | str | None = None if unicodedata.combining(chr(code)) else _LETTERS.get(code, code)
        self[code] = found
        return found


_FOLDING = _Folding()
_ARTICLE = re.compile(r"(?<![\u0621-\u064a])(?:[وفبك]?ال|لل)+(?=[\u0621-\u064a]{3})")


# What a text in Latin letters has besides ASCII. Each becomes what folding makes of it, as fast as memory is
# read; the rest is then lower case.
_TYPOGRAPHY = (
    *((mark, '"') for mark in "“”„‟«»"),
    *((mark, "'") for mark in "‘’‚‛‹›ʼ`"),
    *((mark, "-") for mark in "‐‑‒–—―"),
    ("…", "..."),
    ("\u00a0", " "),
)


def _ascii(text: str) -> str | None:
    """A text that is ASCII but for typography, folded but for its tricks; None for any other."""
    for mark, plain in _TYPOGRAPHY:
        text = text.replace(mark, plain)
    return text.lower() if text.isascii() else None


def fold(text: str) -> str:
    """The text as search sees it, used alike when it is written and when it is asked for.

    Both languages: case, accents and harakat, tatweel, curly quotes, long dashes, hidden words (`deobfuscate`
    with the curated list alone). Arabic: one alef, hamza without its seat, ya, ta marbuta, Arabic-Indic
    digits; the article (with و ف ب ك, or لل) is taken off, so that الأمن and أمن find each other.
    """
    latin = _ascii(text)
    folded = text if latin is None else latin
    if latin is not None and (folded := deobfuscate(latin)[0]) == latin:
        return folded
    for _ in range(4):  # once is enough for all but freaks; the second round proves it
        before = folded
        decomposed = unicodedata.normalize("NFKD", _MARKS.sub("", folded).casefold())
        plain = decomposed.translate(_FOLDING)
        folded = deobfuscate(plain)[0]
        if folded == plain and folded.isascii() and folded == folded.lower():
            break  # what is small ASCII letters and has no tricks stays as it is
        folded = folded if folded.isascii() else _ARTICLE.sub("", folded)
        if folded == before:
            break
    return folded
