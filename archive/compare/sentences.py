"""Split texts into sentences and pair the sentences of two texts, by keys from strict to loose."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from itertools import chain

from archive.compare.alignment import Gap, Pairs, align, gaps_of, heaviest
from archive.compare.numbers import Number, find_numbers
from archive.text.normalise import fold_quotes, normalise, strip_shapeless
from archive.text.wordlists import word_set

MAX_PAIRINGS = 1600  # sentences before times after in one gap; above it, sentences are paired by position
# Dice coefficient of the words from which two sentences are one, reworded
MIN_LIKENESS = 0.5
MAX_SENTENCE = 600  # characters of a sentence beside a figure; longer ones are cut around it

_LETTER = r"[^\W\d_]"
# Latin accents and Arabic vowel marks that NFC does not compose
_MARKS = "\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"
_AFTER_LETTER = rf"(?:(?<={_LETTER})|(?<=[{_MARKS}]))"
# White space goes, but not between digits: "3 1 killed" and "31 killed" are two statements.
_SPACE = re.compile(r"(?<!\d)\s+|\s+(?!\d)")
_DASHES = re.compile("[‐‑‒–—―−]")
_BULLET = re.compile(r"^\s*(?:[•·▪●◦*–—-]\s*)+")
_LIGHT = re.compile(r"""(?<!\w)[.,;:،؛"']|[.,;:،؛"'](?!\w)""")
_VOWELS = re.compile("[\u064b-\u0652\u0670]")
# Inside words only: `4*4` and "2011ـ2024" keep theirs
_NOISE = re.compile(rf"{_AFTER_LETTER}(?:\*+(?={_LETTER})|ـ+)")
_ARABIC_DOT = re.compile(rf"(?<=[\u0620-\u064a{_MARKS}])\.(?=[\u0620-\u064a])")
_HYPHEN = re.compile(rf"(?<!{_LETTER})({_LETTER}+)[-‐‑](?={_LETTER})")
# A hyphen after these is spelling, not noise: Al-Raqqah, anti-ISIS, de-escalation (SITE.md).
_PREFIXES = word_set(
    "al el as ad ar at az an ash anti co counter de ex mid non post pre pro re self semi sub un"
)


def _plain(text: str) -> str:
    """The text from which numbers are read: one line without bidi marks, noise inside words and vowel marks.
    Hyphens stay ("twenty-five")."""
    folded = _NOISE.sub("", unicodedata.normalize("NFC", strip_shapeless(text)))
    return re.sub(r"\s+", " ", _VOWELS.sub("", folded)).strip()


def _light(text: str) -> str:
    folded = fold_quotes(unicodedata.normalize("NFC", strip_shapeless(text)))
    folded = _DASHES.sub("-", _LIGHT.sub(" ", _BULLET.sub("", folded)))
    return _SPACE.sub("", re.sub(r"\s+", " ", _VOWELS.sub("", folded)).strip())


def _bare(text: str) -> str:
    folded = _ARABIC_DOT.sub("", _NOISE.sub("", unicodedata.normalize("NFC", strip_shapeless(text))))
    return _light(_HYPHEN.sub(lambda m: m[0] if m[1].lower() in _PREFIXES else m[1], folded))


# Not after a single letter: "U.S. forces"
_SENTENCE_END = re.compile(
    rf"[.!?؟…](?<![.!?؟…][.!?؟…])(?:(?<!{_LETTER}[.!?؟…])|(?<={_LETTER}{_LETTER}[.!?؟…]))[.!?؟…]*+[\"'”’»)\]]*+\s+"
)
# No sentence ends after these; after the second ones not before a number: "Dr. Salem", "Sept. 4"
_TITLES = word_set("dr mr mrs ms gen col lt maj capt sgt brig prof eng st")
_BEFORE_NUMBER = word_set("no nos approx ca jan feb mar apr jun jul aug sep sept oct nov dec")


class Sentence:
    """A sentence, a line or a headline with its keys, each computed on first use."""

    def __init__(self, raw: str) -> None:
        self.raw = raw

    @cached_property
    def same(self) -> str:
        return normalise(self.raw)

    @cached_property
    def light(self) -> str:
        return _light(self.raw)

    @cached_property
    def bare(self) -> str:
        return _bare(self.raw)

    @cached_property
    def plain(self) -> str:
        return _plain(self.raw)

    @cached_property
    def numbers(self) -> list[Number]:
        return find_numbers(self.plain)

    @cached_property
    def values(self) -> list[str]:
        return [number.value for number in self.numbers]

    @cached_property
    def cells(self) -> list[list[str]] | None:
        """The values of each cell of a table row; None for other lines."""
        if "\t" not in self.raw:
            return None
        return [[number.value for number in find_numbers(_plain(cell))] for cell in self.raw.split("\t")]

    @cached_property
    def atoms(self) -> list[str | Number]:
        """Words and numbers in order."""
        atoms: list[str | Number] = []
        at = 0
        for number in self.numbers:
            atoms += _WORD.findall(self.plain, at, number.start)
            atoms.append(number)
            at = number.end
        return atoms + _WORD.findall(self.plain, at)

    @cached_property
    def masked(self) -> str:
        """The bare key with each number as #: equal for two lines that differ in their numbers only."""
        cuts = [0, *chain.from_iterable((n.start, n.end) for n in self.numbers), len(self.plain)]
        return _bare("#".join(self.plain[a:b] for a, b in zip(cuts[::2], cuts[1::2], strict=True)))

    @cached_property
    def words(self) -> frozenset[tuple[str, int]]:
        """The words as a bag: (word, how many times so far). Each number counts as the word #."""
        seen: Counter[str] = Counter()
        bag = set()
        for atom in self.atoms:
            word = atom.casefold() if isinstance(atom, str) else "#"
            seen[word] += 1
            bag.add((word, seen[word]))
        return frozenset(bag)

    def beside(self, number: Number | None) -> str:
        """The sentence to show with a number; of a very long one the part around the number."""
        if len(self.raw) <= MAX_SENTENCE:
            return self.raw
        middle = number.start if number else 0
        start = max(0, middle - MAX_SENTENCE // 2)
        start = self.plain.find(" ", start, middle) + 1 or start if start else 0
        end = start + MAX_SENTENCE
        end = (
            max(self.plain.rfind(" ", middle, end), (number.end if number else 0))
            if end < len(self.plain)
            else end
        )
        return self.plain[start:end] if end > start else self.plain[start : start + MAX_SENTENCE]


_WORD = re.compile(rf"(?:{_LETTER}[{_MARKS}]*)+")


def sentence_spans(line: str) -> Iterator[tuple[int, int]]:
    """Where the sentences of a line begin and end, with the spaces after them. A table row is one."""
    at = 0
    ends = () if "\t" in line else _ends(line)
    for end in chain(ends, (len(line),)):
        yield at, end
        at = end


def _ends(line: str) -> Iterator[int]:
    for match in _SENTENCE_END.finditer(line):
        word = line[line.rfind(" ", 0, match.start()) + 1 : match.start()].lower()
        if word not in _TITLES and not (
            word in _BEFORE_NUMBER and line[match.end() : match.end() + 1].isdecimal()
        ):
            yield match.end()


def split_sentences(text: str) -> list[Sentence]:
    parts = (
        line[start:end] if "\t" in line else line[start:end].strip()
        for line in text.split("\n")
        for start, end in sentence_spans(line)
    )
    return [Sentence(part) for part in parts if part]


def likeness(before: Sentence, after: Sentence) -> float:
    """Dice coefficient of the words; 0 below `MIN_LIKENESS`."""
    size = len(before.words) + len(after.words)
    if 2 * min(len(before.words), len(after.words)) < MIN_LIKENESS * size:
        return 0.0  # cannot reach it: spares the intersection
    likeness = 2 * len(before.words & after.words) / size if size else 0.0
    return likeness if likeness >= MIN_LIKENESS else 0.0


def has_same_numbers(before: Sentence, after: Sentence) -> bool:
    """True if both hold the same numbers in order, in table rows also in the same cells."""
    if before.values != after.values:
        return False
    return before.cells is None or after.cells is None or before.cells == after.cells


def pair_sentences(before: Sequence[Sentence], after: Sequence[Sentence], gap: Gap) -> Pairs:
    """Pair the sentences of a gap: by ever looser keys, then by likeness."""
    pairs: Pairs = []
    gaps = [gap]
    keys: tuple[Callable[[Sentence], str], ...] = (lambda s: s.same, lambda s: s.bare, lambda s: s.masked)
    ways: list[Callable[[Sequence[Sentence], Sequence[Sentence]], Pairs]] = [
        *(partial(_pair_by_key, key) for key in keys),
        _pair_by_likeness,
    ]
    for find in ways:
        left: list[Gap] = []
        for i0, i1, j0, j1 in gaps:
            found = find(before[i0:i1], after[j0:j1])
            moved = [(i0 + i, j0 + j) for i, j in found]
            pairs += moved
            left += gaps_of(moved, (i0, i1, j0, j1))
        gaps = left
    return sorted(pairs)


def _pair_by_key(
    key: Callable[[Sentence], str], before: Sequence[Sentence], after: Sequence[Sentence]
) -> Pairs:
    return align([key(s) for s in before], [key(s) for s in after]) if before and after else []


def _pair_by_likeness(before: Sequence[Sentence], after: Sequence[Sentence]) -> Pairs:
    if len(before) * len(after) > MAX_PAIRINGS:
        return [(k, k) for k in range(min(len(before), len(after))) if likeness(before[k], after[k])]
    return heaviest(len(before), len(after), lambda i, j: likeness(before[i], after[j]))
