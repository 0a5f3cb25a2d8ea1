"""What a reader types into the search: its query language, its FTS5 expression, and where matches stand.

The index has folded words only. Folding never joins or splits words across white space, so each word of a
text is folded by itself to find the place of a match, whatever marks stand inside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from archive.sites.sohr.hidden_words import HIDDEN
from archive.text.fold import fold
from archive.text.stems import forms

MAX_TERMS = 16  # words or phrases of one search
MAX_TYPED = 4000  # characters of one; what follows is ignored, as further terms are
_MAX_MARKED = 200_000  # characters of a text in which matches are looked for
# A copy from an Arabic page may bring them, before a minus or a quotation mark too
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ITEM = re.compile(r'(-?)"([^"]*)"|(\S+)')
_TOKEN = re.compile(r"[^\W_]+")  # letters and digits, as the tokenizer unicode61 cuts them
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")
_CHUNK = re.compile(r"\S+")
_EDGES = re.compile(r"^[\W_]*(.*?)[\W_]*$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Term:
    """One word or phrase of a query, folded: it matches where one of the alternatives stands.

    ``is_prefix``: the last word may be longer (``kill*``).
    """

    typed: str
    alternatives: tuple[tuple[str, ...], ...]
    is_prefix: bool = False

    def expression(self) -> str:
        """In FTS5's language; every word is quoted, so that none is an operator."""
        star = "*" if self.is_prefix else ""
        return " OR ".join(f'"{" ".join(words)}"{star}' for words in self.alternatives)


@dataclass(frozen=True, slots=True)
class Query:
    """A search: one term of each clause must stand, and none of ``excluded``."""

    typed: str = ""
    clauses: tuple[tuple[Term, ...], ...] = ()
    excluded: tuple[Term, ...] = ()

    @property
    def terms(self) -> list[Term]:
        """All terms that may stand, for marks."""
        return [term for clause in self.clauses for term in clause]

    @property
    def problem(self) -> str | None:
        """Why nothing can be searched for, as a sentence for the reader."""
        if self.clauses or not self.typed:
            return None
        if self.excluded:
            return "Add a word to find: this search only leaves words out."
        return "There is no letter or digit in this search."

    def expression(self) -> str:
        """The query in FTS5's language; empty if there is nothing to search for."""
        wanted = " AND ".join(f"({' OR '.join(t.expression() for t in clause)})" for clause in self.clauses)
        if not wanted or not self.excluded:
            return wanted
        return f"({wanted}) NOT ({' OR '.join(term.expression() for term in self.excluded)})"


def parse_query(typed: str, *, exact: bool = False) -> Query:
    """Read a query. Never raises; parts without a letter or digit are ignored.

    All words must stand. ``OR`` between two terms: one of them. ``-word``: not that. ``"two words"``: next to
    each other, exactly. ``word*``: every longer word too. Other words also find words of the same stem,
    unless ``exact``. A number is found with and without thousands separators.
    """
    typed = _DIRECTIONS.sub("", typed[:MAX_TYPED])
    clauses: list[tuple[Term, ...]] = []
    excluded: list[Term] = []
    joins = False
    for minus, quoted, word in islice(_ITEM.findall(re.sub("[“”„‟«»″]", '"', typed)), 4 * MAX_TERMS):
        if word in ("OR", "|"):
            joins = True
            continue
        is_excluded = bool(minus) or (word.startswith("-") and len(word) > 1)
        term = _term(quoted or word.removeprefix("-"), is_phrase=not word, exact=exact)
        if term is None or len(clauses) + len(excluded) >= MAX_TERMS:
            continue
        if is_excluded:
            excluded.append(term)
        elif joins and clauses:
            clauses[-1] += (term,)
        elif (term,) not in clauses:
            clauses.append((term,))
        joins = False
    return Query(typed.strip(), tuple(clauses), tuple(excluded))


def _term(typed: str, *, is_phrase: bool, exact: bool) -> Term | None:
    folded = fold(typed, HIDDEN)
    words = tuple(_TOKEN.findall(folded))
    if not words:
        return None
    is_prefix = not is_phrase and typed.endswith("*")
    alternatives = [words]
    number = folded.strip("\"'()[]{}.:;!?*")
    if _GROUPED.fullmatch(number):
        alternatives.append((number.replace(",", ""),))
    elif number.isdecimal() and len(number) > 3:
        alternatives.append(tuple(f"{int(number):,}".split(",")))
    if len(words) == 1 and not (is_phrase or is_prefix or exact):
        alternatives += [(form,) for form in forms(words[0])[1:]]
    return Term(typed, tuple(alternatives), is_prefix)


def spans(text: str, wanted: Sequence[Term]) -> Iterator[tuple[int, int]]:
    """Where matches stand in the text as the site wrote it, in order, without overlap."""
    starts = tuple(term.alternatives[0][0] for term in wanted if term.is_prefix and _is_word(term))
    phrases = _phrases(term for term in wanted if not (term.is_prefix and _is_word(term)))
    if not phrases and not starts:
        return
    longest = 1 + max((len(rest) for rests in phrases.values() for rest in rests), default=0)
    words_of_text = _words(text[:_MAX_MARKED])
    ahead = list(islice(words_of_text, longest))  # no more than a match needs
    while ahead:
        words = [word for word, _, _ in ahead]
        matches = [1 + len(rest) for rest in phrases.get(words[0], ()) if _begins(words[1:], rest)]
        length = max([int(bool(starts) and words[0].startswith(starts)), *matches])
        if length:
            yield ahead[0][1], max(end for _, _, end in ahead[:length])
        del ahead[: length or 1]
        ahead += islice(words_of_text, longest - len(ahead))


def _phrases(wanted: Iterable[Term]) -> dict[str, list[tuple[str, ...]]]:
    """By their first word, the other words of each phrase; the last ends with ``*`` if it is a prefix."""
    phrases: dict[str, list[tuple[str, ...]]] = {}
    for term in wanted:
        for words in term.alternatives:
            last = (words[-1] + "*",) if term.is_prefix else words[-1:]
            phrases.setdefault(words[0], []).append(words[1:-1] + last if len(words) > 1 else ())
    return phrases


def _begins(words: Sequence[str], wanted: Sequence[str]) -> bool:
    return len(wanted) <= len(words) and all(map(_is_same, words, wanted))


def _is_word(term: Term) -> bool:
    return len(term.alternatives[0]) == 1


def _is_same(word: str, wanted: str) -> bool:
    return word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted


def found_words(texts: Iterable[str], wanted: Sequence[Term]) -> list[str]:
    """The different words that matched in texts, as the site wrote them, in lower case."""
    return list(dict.fromkeys(text[a:b].casefold() for text in texts for a, b in spans(text, wanted)))


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    """Folded words and where they stand in the original."""
    for chunk in _CHUNK.finditer(text):
        at = chunk.start()
        for word, start, end in _placed(chunk[0]):
            yield word, at + start, at + end


@lru_cache(maxsize=1 << 15)
def _placed(chunk: str) -> tuple[tuple[str, int, int], ...]:
    """The folded words of a piece without white space, and their places in it. Where a place is not certain,
    it is the whole piece."""
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
