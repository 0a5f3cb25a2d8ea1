"""What a reader searches for, as FTS5 takes it safely, and where it stands in a text as the site wrote it. Pure.

The search knows folded text only. A fold never joins or parts words across white space, so each word of the original is folded by itself and
compared: that maps a match back to the original, whatever marks stand inside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from archive.text import fold

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
    """What is asked for: phrases in quotation marks, words, prefixes. Never raises; what has no letter or digit is left out."""
    found: list[Term] = []
    straight = re.sub("[“”„‟«»″]", '"', asked)
    for quoted, word in _ASKED.findall(straight):
        part = quoted or word
        words = tuple(_TOKEN.findall(fold(part)))
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
    words = list(_words(text[:_MAX_MARKED]))
    at = 0
    while at < len(words):
        length = max((len(term.words) for term in wanted if _stands(words, at, term)), default=0)
        if length:
            yield words[at][1], max(end for _, _, end in words[at : at + length])
        at += length or 1


def _stands(words: list[tuple[str, int, int]], at: int, term: Term) -> bool:
    size = len(term.words)
    if at + size > len(words):
        return False
    last = words[at + size - 1][0]
    return all(words[at + n][0] == term.words[n] for n in range(size - 1)) and (
        last.startswith(term.words[-1]) if term.is_prefix else last == term.words[-1]
    )


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    """Folded words and where they stand in the original: exactly where that can be told, else with the marks inside the word."""
    for chunk in _CHUNK.finditer(text):
        folded = _folded(chunk[0])
        if len(folded) == 1:
            edges = _EDGES.match(chunk[0])
            start, end = edges.span(1) if edges else (0, len(chunk[0]))
            yield folded[0], chunk.start() + start, chunk.start() + end
            continue
        pieces = [(piece.start(), piece.end(), _folded(piece[0])) for piece in _TOKEN.finditer(chunk[0])]
        if tuple(word for *_, words in pieces for word in words) == folded and all(len(words) == 1 for *_, words in pieces):
            yield from ((words[0], chunk.start() + start, chunk.start() + end) for start, end, words in pieces)
        else:
            yield from ((word, chunk.start(), chunk.end()) for word in folded)


@lru_cache(maxsize=1 << 15)
def _folded(chunk: str) -> tuple[str, ...]:
    return tuple(_TOKEN.findall(fold(chunk)))
