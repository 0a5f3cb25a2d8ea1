"""What a reader searches for, as FTS5 takes it safely, and where it stands in a text as the site wrote it.
Pure.

The search knows folded text only. A fold never joins or parts words across white space, so each word of the
original is folded by itself and compared: that maps a match back to the original, whatever marks stand inside
it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from archive.sites.sohr.hidden_words import HIDDEN
from archive.text.fold import fold

MAX_TERMS = 16  # words or phrases of one search
_MAX_MARKED = 200_000  # characters of a text in which matches are looked for
_ASKED = re.compile(r'"([^"]*)"|(\S+)')
_TOKEN = re.compile(r"[^\W_]+")  # letters and digits, as the tokenizer unicode61 cuts them
_CHUNK = re.compile(r"\S+")
_EDGES = re.compile(r"^[\W_]*(.*?)[\W_]*$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Term:
    """Words that must follow each other, folded; ``is_prefix``: the last one may go on (``kill*``)."""

    words: tuple[str, ...]
    is_prefix: bool = False


def terms(asked: str) -> list[Term]:
    """What is asked for: phrases in quotation marks, words, prefixes. Never raises; what has no letter or
    digit is left out."""
    found: list[Term] = []
    straight = re.sub("[“”„‟«»″]", '"', asked)
    for quoted, word in _ASKED.findall(straight):
        part = quoted or word
        words = tuple(_TOKEN.findall(fold(part, HIDDEN)))
        term = Term(words, is_prefix=not quoted and part.endswith("*"))
        if words and term not in found:
            found.append(term)
    return found[:MAX_TERMS]


def expression(wanted: Sequence[Term]) -> str:
    """All terms must stand, in FTS5's language: every word is quoted, so that none is an operator."""
    return " AND ".join('"' + " ".join(term.words) + '"' + ("*" if term.is_prefix else "") for term in wanted)


def spans(text: str, wanted: Sequence[Term]) -> Iterator[tuple[int, int]]:
    """Where matches stand in the text as it is, in order, without overlap."""
    if not wanted:
        return
    words = _words(text[:_MAX_MARKED])
    longest = max(len(term.words) for term in wanted)
    begins = {term.words[0] for term in wanted if not (term.is_prefix and len(term.words) == 1)}
    stems = tuple(term.words[0] for term in wanted if term.is_prefix and len(term.words) == 1)
    # As many as a term has: who asks for the first match only reads no further
    ahead = list(islice(words, longest))
    while ahead:
        length = 0
        if (word := ahead[0][0]) in begins or (stems and word.startswith(stems)):
            length = max((len(term.words) for term in wanted if _stands(ahead, term)), default=0)
        if length:
            yield ahead[0][1], max(end for _, _, end in ahead[:length])
        del ahead[: length or 1]
        ahead += islice(words, longest - len(ahead))


def _stands(ahead: list[tuple[str, int, int]], term: Term) -> bool:
    size = len(term.words)
    if size > len(ahead):
        return False
    last = ahead[size - 1][0]
    return (last.startswith(term.words[-1]) if term.is_prefix else last == term.words[-1]) and all(
        ahead[n][0] == term.words[n] for n in range(size - 1)
    )


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    """Folded words and where they stand in the original."""
    for chunk in _CHUNK.finditer(text):
        at = chunk.start()
        for word, start, end in _placed(chunk[0]):
            yield word, at + start, at + end


@lru_cache(maxsize=1 << 15)
def _placed(chunk: str) -> tuple[tuple[str, int, int], ...]:
    """Folded words of what stands between white space, and where in it: exactly where that can be told, else
    with the marks inside the word."""
    folded = _folded(chunk)
    if len(folded) == 1:
        edges = _EDGES.match(chunk)
        start, end = edges.span(1) if edges else (0, len(chunk))
        return ((folded[0], start, end),)
    pieces = [(piece.start(), piece.end(), _folded(piece[0])) for piece in _TOKEN.finditer(chunk)]
    if tuple(word for *_, words in pieces for word in words) == folded and all(
        len(words) == 1 for *_, words in pieces
    ):
        return tuple((words[0], start, end) for start, end, words in pieces)
    return tuple((word, 0, len(chunk)) for word in folded)


def _folded(chunk: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(fold(chunk, HIDDEN)))
