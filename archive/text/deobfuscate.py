"""Remove the tricks that hide words from filters in a headline, with a map back to the published text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple


@dataclass(frozen=True, eq=False, slots=True)
class HiddenWords:
    """The words that a site hides: lower case, joined. ``arabic`` without vowel marks."""

    english: frozenset[str]
    arabic: frozenset[str]
    compounds: frozenset[str]  # spelt with a hyphen, though the joined word is in `english`
    first_parts: frozenset[str]  # a word that begins with one of these and a hyphen is a compound


class Span(NamedTuple):
    """A restored word: ``plain[start:end]`` replaces ``title[original_start:original_end]``."""

    start: int
    end: int
    original_start: int
    original_end: int


# Parts of a word; the time to join them grows with the third power of their number
MOST_PARTS = 12
_LETTER = r"[^\W\d_\u0640]"  # tatweel is a letter in Unicode
# A word with tricks: letters with `*`, `-`, `.`, `_`, tatweel or characters without width between them
_TRICKED = re.compile(
    rf"{_LETTER}[\u064b-\u0652]*"
    rf"(?:[*\-._\u0640\u200b-\u200d\u2060\ufeff]+{_LETTER}[\u064b-\u0652]*|{_LETTER}[\u064b-\u0652]*)*"
)
_TRICK = re.compile(r"[*\-._\u0640\u200b-\u200d\u2060\ufeff]")
# Tricks before a letter. A long run of them (a line of stars) is looked at once
_SIGNS = r"[*\-._\u0640\u200b-\u200d\u2060\ufeff]"
_INSIDE = re.compile(rf"(?<!{_SIGNS}){_SIGNS}++(?=[^\W\d_\u0640])")
# A character of a word with tricks
_PART = re.compile(r"[^\W\d_]|[\u064b-\u0652*\-._\u0640\u200b-\u200d\u2060\ufeff]")
_ALWAYS = re.compile(r"(?<=[^\W\d_\u0640])\*+(?=[^\W\d_\u0640])")
_AR_LETTER = r"[\u0621-\u063a\u0641-\u064a\u0671-\u06d3]"
_NO_WIDTH = re.compile(
    rf"(?:(?<={_AR_LETTER})|(?<=[\u064b-\u0652]))[\u0640\u200b-\u200d\u2060\ufeff]+(?={_AR_LETTER})"
    r"|(?<=[A-Za-z])[\u200b\u2060\ufeff]+(?=[A-Za-z])"
)
_WORD = re.compile(rf"{_LETTER}+")
_JOINED = re.compile(r"[^\W\d_\u0640]|[-._]")  # a character of a word or of a hyphenated word
_HYPHENED = re.compile(rf"{_LETTER}+(?:[-._]{_LETTER}+)+")
_ARABIC = re.compile(_AR_LETTER)


class _Words:
    """The words of a text by a pattern, case folded. The text is only split around a word that is looked
    for."""

    def __init__(self, text: str, pattern: re.Pattern[str]) -> None:
        self._text, self._pattern = text, pattern
        self._folded: str | None = None
        self._words: frozenset[str] | None = None

    def __contains__(self, word: object) -> bool:
        if self._folded is None:
            self._folded = self._text.casefold()
        word, folded = str(word), self._folded
        at = folded.find(word)
        # If a letter folds to two, positions in both texts differ
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


def plain_title(title: str, hidden: HiddenWords, body: str = "") -> str:
    """The headline without the tricks."""
    return deobfuscate(title, hidden, body)[0]


def deobfuscate(title: str, hidden: HiddenWords, body: str = "") -> tuple[str, tuple[Span, ...]]:
    """The plain text and the restored words.

    ``*`` between letters is always removed, as are tatweel and characters without width inside an Arabic
    word. ``-`` (and ``.``, ``_`` in Arabic) are removed only if the joined word occurs in ``body`` or in
    ``hidden`` and the parts are no real compound.
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
            plain = _join(plain, hidden, known, hyphened) if body else _join_alone(plain, hidden)
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
    """The words with tricks, in order. Only the surroundings of a trick are searched: a text has few of
    them."""
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


def _join(word: str, hidden: HiddenWords, known: Container[str], hyphened: Container[str]) -> str:
    """Join the parts of a word that belong together, longest run first: ``anti-IS-IS`` -> ``anti-ISIS``."""
    if word.casefold() in hyphened:
        return word  # the article writes it so in its text
    pieces = re.split(r"([-._]+)", word)
    parts, joints = pieces[::2], pieces[1::2]
    if len(parts) > MOST_PARTS:
        return word
    size = len(parts)
    while size > 1:
        for first in range(len(parts) - size + 1):
            run = parts[first : first + size]
            if _belongs(run, joints[first : first + size - 1], hidden, known):
                parts[first : first + size] = ["".join(run)]
                del joints[first : first + size - 1]
                size = len(parts) + 1
                break
        size -= 1
    return "".join(part + joint for part, joint in zip(parts, [*joints, ""], strict=True))


@lru_cache(maxsize=4096)
def _join_alone(word: str, hidden: HiddenWords) -> str:
    """`_join` by ``hidden`` alone; cached, because every text has the same few compounds."""
    return _join(word, hidden, frozenset(), frozenset())


def _belongs(run: list[str], joints: list[str], hidden: HiddenWords, known: Container[str]) -> bool:
    joined = "".join(run).casefold()
    if _ARABIC.search(joined):
        bare = "".join(char for char in joined if not unicodedata.combining(char))
        # "د.محمد" is a title and a name: one letter before a dot is an abbreviation unless the word is in
        # `hidden`
        return bare in hidden.arabic or (bare in known and len(bare) > 2 and len(run[0]) > 1)
    if any(joint.strip("-") for joint in joints):
        return False  # a dot or an underscore inside Latin letters: addresses, initials, file names
    if "-".join(run).casefold() in hidden.compounds:
        return False
    if joined in hidden.english:
        return True
    return len(joined) > 3 and run[0].casefold() not in hidden.first_parts and joined in known
