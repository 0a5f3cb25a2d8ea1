"""Two versions of an article: what kind of change lies between them, which figures it touches, and where the words differ.

Pure functions of their arguments; nothing here decides *whether* a version is new (that is ``archive.text.same_sha256``), only what a
new one changed. Sources of the rules: issue 5 (classes, severities), SITE.md (running tolls, obfuscated words, bullets).

Two sentences are set against each other on four levels, the first that holds decides:

1. same: equal but for composition (NFC), bidi marks, white space, straight or curly quotes, "…" or "..." -> no class;
2. typography: also but for dashes, light punctuation, bullets, vowel marks -> ``rewording``, severity 1, with or without figures;
3. obfuscation: also but for noise inside words (``kil*led``, ``IS-IS``, tatweel) -> ``obfuscation``, severity 1;
4. anything else is a real change.

Levels 2 and 3 also ask that both sentences hold the same numbers, read as numbers; no level ever drops a digit.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain
from typing import Any, Literal

# In this order in `Difference.classes`. `title`: the headline was reworded (not: lost its asterisks, that is `obfuscation`).
# `order`: sentences stand elsewhere, word for word. `rewording` is of the text; of headlines only when nothing but typography changed.
CLASSES = ("figures", "title", "text_added", "text_removed", "rewording", "order", "obfuscation")

MAX_CELLS = 1 << 27  # cells of one exact alignment: 16 MB and about 10 ms; beyond it, lines that stand once on both sides anchor it
MAX_PAIRINGS = 1600  # sentences before x after in one gap weighed all against all; beyond it, by position
MAX_WEIGHED = 10_000  # words before x after of one sentence pair weighed for its figures; beyond it, a plain alignment
MIN_LIKENESS = 0.5  # Dice of words from which two sentences are one, reworded; below it one went and another came
MAX_FIGURES = 2_000  # a year of tolls in one post has some hundred; the bound is for hostile pages. Changed ones come first then
MAX_SENTENCE = 600  # characters of a sentence beside a figure; longer ones are cut around it


@dataclass(frozen=True, slots=True)
class Text:
    """What a version says: ``text`` is its lines joined by "\\n"."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a changed sentence, before and after, as written (noise inside words and vowel marks aside).

    ``None`` where there is no such number, or no such sentence. ``before == after``: the number stands, its sentence changed.
    """

    before: str | None
    after: str | None
    sentence_before: str | None
    sentence_after: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """``classes`` in the order of ``CLASSES``; ``severity`` 0 to 3; every number of every changed, added, removed or moved sentence."""

    classes: tuple[str, ...]
    severity: int
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text that both sides have, or only one."""

    op: Literal["same", "removed", "added"]
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line beside its counterpart. ``before`` holds same and removed segments, ``after`` same and added ones; line numbers from 1."""

    op: Literal["same", "changed", "removed", "added"]
    number_before: int | None
    number_after: int | None
    before: tuple[Segment, ...]
    after: tuple[Segment, ...]


NOTHING = Difference((), 0, ())

# --- What counts as equal: keys, from strict to loose -----------------------------------------------------------------------------


def _words(text: str) -> list[str]:
    """A list of words, written as a line (ruff would have a literal `.split()` written as a list of quotes)."""
    return text.split()


_LETTER = r"[^\W\d_]"
_MARKS = "\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"  # Latin accents and Arabic vowel marks left over by NFC
_AFTER_LETTER = rf"(?:(?<={_LETTER})|(?<=[{_MARKS}]))"
# As `archive.text.normalise` folds them (a test holds the two together): what is equal here is equal there, so a new version has a class.
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»″", '"') | dict.fromkeys("‘’‚‛‹›′", "'") | {"…": "..."})
# White space goes, but not between digits: "3 1 killed" and "31 killed" are two statements.
_SPACE = re.compile(r"(?<!\d)\s+|\s+(?!\d)")
_DASHES = re.compile("[‐‑‒–—―−]")
_BULLET = re.compile(r"^\s*(?:[•·▪●◦*–—-]\s*)+")
_LIGHT = re.compile(r"""(?<!\w)[.,;:،؛"']|[.,;:،؛"'](?!\w)""")
_VOWELS = re.compile("[\u064b-\u0652\u0670]")
# Inside words only: `4*4` and "2011ـ2024" keep theirs. Zero-width ones are never dropped beside a digit.
_NOISE = re.compile(rf"{_AFTER_LETTER}(?:\*+(?={_LETTER})|ـ+|[\u200b-\u200d\u00ad\u2060\ufeff]+(?={_LETTER}))")
_ARABIC_DOT = re.compile(rf"(?<=[\u0620-\u064a{_MARKS}])\.(?=[\u0620-\u064a])")
_HYPHEN = re.compile(rf"(?<!{_LETTER})({_LETTER}+)[-‐‑](?={_LETTER})")
# A hyphen behind these is spelling, not noise: Al-Raqqah, anti-ISIS, de-escalation (SITE.md).
_PREFIXES = frozenset(_words("al el as ad ar at az an ash anti co counter de ex mid non post pre pro re self semi sub un"))


def _same(text: str) -> str:
    return _SPACE.sub("", re.sub(r"\s+", " ", unicodedata.normalize("NFC", _BIDI.sub("", text)).translate(_QUOTES)).strip())


def _plain(text: str) -> str:
    """One line without bidi marks, noise inside words and vowel marks: what numbers are read from. Hyphens stay ("twenty-five")."""
    folded = _NOISE.sub("", unicodedata.normalize("NFC", _BIDI.sub("", text)))
    return re.sub(r"\s+", " ", _VOWELS.sub("", folded)).strip()


def _light(text: str) -> str:
    folded = unicodedata.normalize("NFC", _BIDI.sub("", text)).translate(_QUOTES)
    folded = _DASHES.sub("-", _LIGHT.sub(" ", _BULLET.sub("", folded)))
    return _SPACE.sub("", re.sub(r"\s+", " ", _VOWELS.sub("", folded)).strip())


def _bare(text: str) -> str:
    folded = _ARABIC_DOT.sub("", _NOISE.sub("", unicodedata.normalize("NFC", _BIDI.sub("", text))))
    return _light(_HYPHEN.sub(lambda m: m[0] if m[1].lower() in _PREFIXES else m[1], folded))


# --- Numbers ----------------------------------------------------------------------------------------------------------------------

_SMALL = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_ENGLISH = {word: value for value, word in enumerate(_SMALL.split(), 1)} | {
    word: value for value, word in zip(range(20, 100, 10), _words("twenty thirty forty fifty sixty seventy eighty ninety"), strict=True)
}
_ONES = "|".join(_SMALL.split()[:9])
_TENS = "|".join(word for word, value in _ENGLISH.items() if value >= 20)
_TEENS = "|".join(_SMALL.split()[9:])
_UP_TO_99 = rf"(?:(?:{_TENS})(?:[ -‐‑–](?:{_ONES})\b)?|{_TEENS}|(?<!\bno )(?:{_ONES})(?!(?<=one)(?:[-‐‑–]\w| another\b)))".replace(" -", r" \-")
_UP_TO_999 = rf"(?:(?:{_UP_TO_99} )?hundred(?: (?:and )?{_UP_TO_99}\b)?|{_UP_TO_99})"
_ENGLISH_NUMBER = rf"\b(?:(?:{_UP_TO_999} )?thousand(?: (?:and )?{_UP_TO_999}\b)?|{_UP_TO_999})\b"

# Spelt without hamza on alif (see `_ALIF`). Vague plurals (عشرات, مئات, آلاف) are no numbers; الاثنين is Monday and has the article.
_ARABIC_ONES = {
    "واحد": 1, "واحدة": 1, "اثنان": 2, "اثنين": 2, "اثنتان": 2, "اثنتين": 2, "ثلاثة": 3, "ثلاث": 3, "اربعة": 4, "اربع": 4, "خمسة": 5,
    "خمس": 5, "ستة": 6, "ست": 6, "سبعة": 7, "سبع": 7, "ثمانية": 8, "ثماني": 8, "ثمان": 8, "تسعة": 9, "تسع": 9,
}  # fmt: skip
_ARABIC_TENS = {
    ten + ending: value
    for value, ten in zip(range(20, 100, 10), ("عشر", "ثلاث", "اربع", "خمس", "ست", "سبع", "ثمان", "تسع"), strict=True)
    for ending in ("ون", "ين")
}
_ARABIC_TEENS = {"احد": 11, "احدى": 11, "اثنا": 12, "اثني": 12, "اثنتا": 12, "اثنتي": 12} | {
    word: 10 + value for word, value in _ARABIC_ONES.items() if value > 2
}
# Duals that can be nothing else. مدنيين, مقاتلين, مسلحين, مواطنين are plurals as well (of any number), so only their -ان is two.
_ARABIC_DUALS = (
    _words("شخص طفل عنصر جندي قتيل جريح شهيد رجل شاب امرات طفلت سيدت ضابط مراة"),
    _words("مدني مقاتل مسلح مواطن"),
)
_ARABIC = (
    _ARABIC_ONES
    | _ARABIC_TENS
    | {f"{teen} {ten}": value for teen, value in _ARABIC_TEENS.items() for ten in ("عشر", "عشرة")}
    | {f"{one} و{ten}": v + w for one, v in (_ARABIC_ONES | {"احد": 1, "احدى": 1}).items() for ten, w in _ARABIC_TENS.items()}
    | {f"{one} الاف": value * 1000 for one, value in _ARABIC_ONES.items() if value > 2}
    | {one + hundred: _ARABIC_ONES[one] * 100 for one in _words("ثلاث اربع خمس ست سبع ثمان ثماني تسع") for hundred in ("مئة", "مائة")}
    | {"عشرة": 10, "عشر": 10, "عشرة الاف": 10_000, "مئة": 100, "مائة": 100, "الف": 1000, "الفا": 1000}
    | dict.fromkeys(("مئتان", "مئتين", "مئتي", "مائتان", "مائتين", "مائتي"), 200)
    | dict.fromkeys(("الفان", "الفين", "الفي"), 2000)
    | dict.fromkeys((noun + "ان" for nouns in _ARABIC_DUALS for noun in nouns), 2)
    | dict.fromkeys((noun + "ين" for noun in _ARABIC_DUALS[0]), 2)
)
_ALIF = str.maketrans("أإآ", "ااا")  # one character for one, so that positions hold

_NUMBER = re.compile(
    # 1,066 and 1٬066 (whole groups of three only: "3,5" is two numbers), then decimals ("29.6.2014" is three), then any digits
    r"(?P<digits>(?<!\d)\d{1,3}(?:[,٬]\d{3})+(?!\d)(?:[.٫]\d+(?![.٫]?\d))?|(?<!\d)(?<!\d[.٫])\d+[.٫]\d+(?![.٫]?\d)|\d+)"
    rf"|(?<!\w)(?:(?=[efhnost])(?P<english>{_ENGLISH_NUMBER})"
    rf"|[وب]?(?=[{''.join(sorted({word[0] for word in _ARABIC}))}])(?P<arabic>{'|'.join(sorted(_ARABIC, key=len, reverse=True))})(?!\w))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Number:
    text: str
    value: str  # canonical: ASCII digits, no separators, no leading zeros; text, because a number may have any length
    start: int
    end: int


def _value(kind: str, text: str) -> str:
    if kind == "arabic":
        return str(_ARABIC[text.translate(_ALIF)])
    if kind == "english":
        total = part = 0
        for word in re.findall("[a-z]+", text.lower()):
            if word == "thousand":
                total, part = total + max(part, 1) * 1000, 0
            elif word == "hundred":
                part = max(part, 1) * 100
            else:
                part += _ENGLISH.get(word, 0)  # 0: "and"
        return str(total + part)
    if not text.isascii():
        text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text).replace("٬", ",").replace("٫", ".")
    whole, _, decimals = text.replace(",", "").partition(".")
    return (whole.lstrip("0") or "0") + ("." + decimals.rstrip("0") if decimals.strip("0") else "")


def _numbers(plain: str) -> list[_Number]:
    """Every number of a sentence in order. Dates, years and model names (T-72) count: a figure is a figure."""
    found = []
    for m in _NUMBER.finditer(plain.translate(_ALIF)):
        kind = m.lastgroup or "digits"
        start, end = m.span(kind)
        found.append(_Number(plain[start:end], _value(kind, plain[start:end]), start, end))
    return found


# --- Sentences --------------------------------------------------------------------------------------------------------------------

# Not behind a single letter: "U.S. forces". A wrong cut ("Dr. X") only makes the sentence beside a figure shorter.
_SENTENCE_END = re.compile(rf"(?:(?<!{_LETTER})|(?<={_LETTER}{_LETTER}))(?<![.!?؟…])[.!?؟…]++[\"'”’»)\]]*+\s+")


class _Sentence:
    """A sentence, a line or a headline with its keys, each computed when first asked for."""

    def __init__(self, raw: str) -> None:
        self.raw = raw

    @cached_property
    def same(self) -> str:
        return _same(self.raw)

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
    def numbers(self) -> list[_Number]:
        return _numbers(self.plain)

    @cached_property
    def values(self) -> list[str]:
        return [number.value for number in self.numbers]

    @cached_property
    def atoms(self) -> list[str | _Number]:
        """Words and numbers in order."""
        atoms: list[str | _Number] = []
        at = 0
        for number in self.numbers:
            atoms += _WORD.findall(self.plain, at, number.start)
            atoms.append(number)
            at = number.end
        return atoms + _WORD.findall(self.plain, at)

    @cached_property
    def masked(self) -> str:
        """The bare key with every number as #: equal for two lines of a toll that differ in their numbers only."""
        cuts = [0, *chain.from_iterable((n.start, n.end) for n in self.numbers), len(self.plain)]
        return _bare("#".join(self.plain[a:b] for a, b in zip(cuts[::2], cuts[1::2], strict=True)))

    @cached_property
    def words(self) -> frozenset[tuple[str, int]]:
        """The words as a bag (each with its how-manieth), numbers alike."""
        seen: Counter[str] = Counter()
        bag = set()
        for atom in self.atoms:
            word = atom.casefold() if isinstance(atom, str) else "#"
            seen[word] += 1
            bag.add((word, seen[word]))
        return frozenset(bag)

    def beside(self, number: _Number | None) -> str:
        """The sentence to show with a number: whole, or where it is very long the part around the number."""
        if len(self.raw) <= MAX_SENTENCE:
            return self.raw
        middle = number.start if number else 0
        start = max(0, middle - MAX_SENTENCE // 2)
        start = self.plain.find(" ", start, middle) + 1 or start if start else 0
        end = start + MAX_SENTENCE
        end = max(self.plain.rfind(" ", middle, end), (number.end if number else 0)) if end < len(self.plain) else end
        return self.plain[start:end] if end > start else self.plain[start : start + MAX_SENTENCE]


_WORD = re.compile(rf"(?:{_LETTER}[{_MARKS}]*)+")


def _sentences(text: str) -> list[_Sentence]:
    found = []
    for line in text.split("\n"):
        at = 0
        for end in chain((m.end() for m in _SENTENCE_END.finditer(line)), (len(line),)):
            if sentence := line[at:end].strip():
                found.append(_Sentence(sentence))
            at = end
    return found


# --- Alignment --------------------------------------------------------------------------------------------------------------------

_Pairs = list[tuple[int, int]]
_Gap = tuple[int, int, int, int]  # before[i0:i1] stands against after[j0:j1]


def _gaps(pairs: _Pairs, gap: _Gap) -> Iterator[_Gap]:
    """What lies between matched positions, both sides empty aside."""
    i, j, i1, j1 = gap[0], gap[2], gap[1], gap[3]
    for p, q in chain(pairs, ((i1, j1),)):
        if p > i or q > j:
            yield i, p, j, q
        i, j = p + 1, q + 1


def _align(before: Sequence[Hashable], after: Sequence[Hashable]) -> _Pairs:
    """Matching positions, increasing on both sides: a longest common subsequence, or where that is too dear one between anchors.

    Anchors are what stands once on both sides (patience diff); a stretch without any, too large for the exact way, is left unmatched,
    so that the cost is bounded whatever a page holds. difflib is quadratic and worse in such cases.
    """
    pairs: _Pairs = []
    work: list[_Gap] = [(0, len(before), 0, len(after))]
    while work:
        i0, i1, j0, j1 = work.pop()
        while i0 < i1 and j0 < j1 and before[i0] == after[j0]:
            pairs.append((i0, j0))
            i0, j0 = i0 + 1, j0 + 1
        while i0 < i1 and j0 < j1 and before[i1 - 1] == after[j1 - 1]:
            i1, j1 = i1 - 1, j1 - 1
            pairs.append((i1, j1))
        if i0 == i1 or j0 == j1:
            continue
        if (i1 - i0) * (j1 - j0) <= MAX_CELLS:
            pairs += ((i0 + i, j0 + j) for i, j in _exact(before[i0:i1], after[j0:j1]))
        elif anchors := [(i0 + i, j0 + j) for i, j in _anchors(before[i0:i1], after[j0:j1])]:
            pairs += anchors
            work += _gaps(anchors, (i0, i1, j0, j1))
    return sorted(pairs)


def _exact(before: Sequence[Hashable], after: Sequence[Hashable]) -> _Pairs:
    """Longest common subsequence by bits of large integers (Hyyrö 2004): a row costs a few additions, and all rows are kept to walk back."""
    places: dict[Hashable, int] = {}
    for j, token in enumerate(after):
        places[token] = places.get(token, 0) | 1 << j
    full = (1 << len(after)) - 1
    rows = [full]  # a zero bit at j: matching after[j] made the subsequence longer
    for token in before:
        v = rows[-1]
        u = v & places.get(token, 0)
        rows.append(((v + u) | (v - u)) & full)
    pairs: _Pairs = []
    i, j = len(before), len(after)
    while i and j:
        if rows[i] >> (j - 1) & 1:
            j -= 1
        else:
            i -= 1
            if rows[i] >> (j - 1) & 1:
                j -= 1
                pairs.append((i, j))
    return pairs[::-1]


def _anchors(before: Sequence[Hashable], after: Sequence[Hashable]) -> _Pairs:
    """What stands exactly once on both sides, as the longest run in the same order."""
    counts, others = Counter(before), Counter(after)
    place = {token: j for j, token in enumerate(after)}
    ends: list[int] = []  # smallest last position of a run of each length
    last: list[int] = []  # and which candidate that is
    candidates: list[tuple[int, int, int]] = []  # i, j, the candidate before it in its run
    for i, token in enumerate(before):
        if counts[token] == 1 and others[token] == 1:
            j = place[token]
            k = bisect_left(ends, j)
            candidates.append((i, j, last[k - 1] if k else -1))
            ends[k : k + 1], last[k : k + 1] = [j], [len(candidates) - 1]
    pairs: _Pairs = []
    at = last[-1] if last else -1
    while at >= 0:
        i, j, at = candidates[at]
        pairs.append((i, j))
    return pairs[::-1]


def _heaviest(n: int, m: int, weight: Callable[[int, int], float]) -> _Pairs:
    """The pairs, increasing on both sides, whose weights add up to most; weight 0 or less never pairs. n x m steps."""
    weights = [[weight(i, j) for j in range(m)] for i in range(n)]
    best = [[0.0] * (m + 1) for _ in range(n + 1)]
    for i in range(n - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            paired = weights[i][j] + best[i + 1][j + 1] if weights[i][j] > 0 else 0.0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], paired)
    pairs: _Pairs = []
    i = j = 0
    while i < n and j < m:
        if weights[i][j] > 0 and best[i][j] == weights[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _likeness(before: _Sentence, after: _Sentence) -> float:
    """Dice of the words, 0 below ``MIN_LIKENESS``."""
    size = len(before.words) + len(after.words)
    if 2 * min(len(before.words), len(after.words)) < MIN_LIKENESS * size:
        return 0.0  # cannot reach it: spares the intersection
    likeness = 2 * len(before.words & after.words) / size if size else 0.0
    return likeness if likeness >= MIN_LIKENESS else 0.0


def _pair(before: Sequence[_Sentence], after: Sequence[_Sentence], gap: _Gap) -> _Pairs:
    """Which sentences of a gap are one and the same, more or less: by ever looser keys, then by likeness."""
    pairs: _Pairs = []
    gaps = [gap]
    keys: tuple[Callable[[_Sentence], str], ...] = (lambda s: s.same, lambda s: s.bare, lambda s: s.masked)
    for key in keys:
        left: list[_Gap] = []
        for i0, i1, j0, j1 in gaps:
            found = _align([key(s) for s in before[i0:i1]], [key(s) for s in after[j0:j1]]) if i0 < i1 and j0 < j1 else []
            moved = [(i0 + i, j0 + j) for i, j in found]
            pairs += moved
            left += _gaps(moved, (i0, i1, j0, j1))
        gaps = left
    for i0, i1, j0, j1 in gaps:
        b, a = before[i0:i1], after[j0:j1]
        if len(b) * len(a) <= MAX_PAIRINGS:
            found = _heaviest(len(b), len(a), lambda i, j, b=b, a=a: _likeness(b[i], a[j]))  # type: ignore[misc]  # bound per turn
        else:
            found = [(k, k) for k in range(min(len(b), len(a))) if _likeness(b[k], a[k])]
        pairs += ((i0 + i, j0 + j) for i, j in found)
    return sorted(pairs)


# --- Classes of change ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Finding:
    classes: frozenset[str]
    severity: int
    figures: tuple[Figure, ...] = ()


def _typographic(before: _Sentence, after: _Sentence) -> _Finding | None:
    """Levels 1 to 3 of the module's docstring; None for a real change."""
    if before.same == after.same:
        return _Finding(frozenset(), 0)
    if before.values == after.values:
        if before.light == after.light:
            return _Finding(frozenset({"rewording"}), 1)
        if before.bare == after.bare:
            return _Finding(frozenset({"obfuscation"}), 1)
    return None


def _changed(before: _Sentence, after: _Sentence, reworded: str) -> _Finding:
    """One sentence (or headline) against itself; ``reworded`` is the class of a real change, `rewording` or `title`."""
    if finding := _typographic(before, after):
        return finding
    figures = _paired_figures(before, after)
    classes = set()
    if before.values != after.values:
        classes.add("figures")
    if reworded == "title" or not classes or before.masked != after.masked:
        classes.add(reworded)
    return _Finding(frozenset(classes), 3 if figures else 2 if reworded == "title" else 1, figures)


def _paired_figures(before: _Sentence, after: _Sentence) -> tuple[Figure, ...]:
    """The numbers of a sentence and its later wording, matched by the words around them."""
    if not before.numbers and not after.numbers:
        return ()
    b, a = before.atoms, after.atoms

    def weight(i: int, j: int) -> float:
        x, y = b[i], a[j]
        if isinstance(x, str) or isinstance(y, str):
            return 2.0 if x == y else 0.0
        return 3.0 if x.value == y.value else 1.0  # "3 killed, 5 hurt" -> "5 killed, 7 hurt": 3 -> 5, 5 -> 7, for the words' sake

    words_before, words_after = ([x if isinstance(x, str) else 0 for x in atoms] for atoms in (b, a))
    if words_before == words_after:
        pairs = [(k, k) for k in range(len(b))]
    elif len(b) * len(a) <= MAX_WEIGHED:
        pairs = _heaviest(len(b), len(a), weight)
    else:
        pairs = _align(words_before, words_after)
    of_before = {i: j for i, j in pairs if isinstance(b[i], _Number)}
    taken = set(of_before.values())
    found: list[tuple[int, _Number | None, _Number | None]] = []
    for i, x in enumerate(b):
        if isinstance(x, _Number):
            y = a[of_before[i]] if i in of_before else None
            found.append((of_before.get(i, i), x, y if isinstance(y, _Number) else None))
    found += [(j, None, y) for j, y in enumerate(a) if isinstance(y, _Number) and j not in taken]
    found.sort(key=lambda entry: entry[0])
    return tuple(Figure(x.text if x else None, y.text if y else None, before.beside(x), after.beside(y)) for _, x, y in found)


def _alone(before: _Sentence | None, after: _Sentence | None) -> tuple[Figure, ...]:
    """The numbers of a sentence that came, went, or moved as it stands."""
    numbers = (before or after or _Sentence("")).numbers
    return tuple(
        Figure(
            n.text if before else None,
            n.text if after else None,
            before.beside(n) if before else None,
            after.beside(n) if after else None,
        )
        for n in numbers
    )


def _compare_texts(before: str, after: str) -> Iterator[_Finding]:
    if before == after or _same(before) == _same(after):
        return
    old, new = _sentences(before), _sentences(after)
    removed: list[_Sentence] = []
    added: list[_Sentence] = []
    whole = (0, len(old), 0, len(new))
    for gap in _gaps(_align([s.same for s in old], [s.same for s in new]), whole):
        i0, i1, j0, j1 = gap
        if i0 < i1 and j0 < j1:
            # A line or a sentence cut in two, or joined, with nothing else changed.
            joined = [_Sentence(" ".join(s.raw for s in side)) for side in (old[i0:i1], new[j0:j1])]
            if finding := _typographic(*joined):
                yield finding
                continue
        pairs = _pair(old, new, gap)
        for i, j in pairs:
            yield _changed(old[i], new[j], "rewording")
        paired_before, paired_after = {i for i, _ in pairs}, {j for _, j in pairs}
        removed += (old[i] for i in range(i0, i1) if i not in paired_before)
        added += (new[j] for j in range(j0, j1) if j not in paired_after)
    yield from _came_and_went(removed, added)


def _came_and_went(removed: list[_Sentence], added: list[_Sentence]) -> Iterator[_Finding]:
    """Sentences without a counterpart in their place: moved where the other side has them elsewhere, else removed or added."""
    elsewhere: dict[str, list[_Sentence]] = {}
    for sentence in added:
        elsewhere.setdefault(sentence.bare, []).append(sentence)
    moved: set[int] = set()
    for sentence in removed:
        if same := elsewhere.get(sentence.bare):
            target = same.pop(0)
            moved.add(id(target))
            figures = _paired_figures(sentence, target)
            # Moved from under "Homs:" to under "Hama:", a figure says something else; a line without one went here and came there.
            yield _Finding(frozenset({"order"}), 3 if figures else 2, figures)
        else:
            figures = _alone(sentence, None)
            yield _Finding(frozenset({"text_removed", "figures"} if figures else {"text_removed"}), 3 if figures else 2, figures)
    for sentence in added:
        if id(sentence) not in moved:
            figures = _alone(None, sentence)
            yield _Finding(frozenset({"text_added", "figures"} if figures else {"text_added"}), 3 if figures else 2, figures)


_MIRROR = {"text_added": "text_removed", "text_removed": "text_added"}


def compare(before: Text, after: Text) -> Difference:
    """What changed between two versions. Severity:

    3 a figure, or a sentence that holds one, was changed, came, went or moved · 2 text without figures came, went or moved, or the
    headline was reworded · 1 a sentence without figures was reworded, or only typography or obfuscation changed · 0 nothing, as far as
    a reader can see (white space, quotes).

    The way back is told as the way there: ``compare(b, a)`` is ``compare(a, b)`` with before and after exchanged.
    """
    if before == after:
        return NOTHING
    # Ties between equally good alignments are broken by position; one canonical direction makes both ways break them alike.
    swapped = (before.title, before.text) > (after.title, after.text)
    old, new = (after, before) if swapped else (before, after)
    findings = [_changed(_Sentence(old.title), _Sentence(new.title), "title"), *_compare_texts(old.text, new.text)]
    held = {name for finding in findings for name in finding.classes}
    figures = [figure for finding in findings for figure in finding.figures]
    if swapped:
        held = {_MIRROR.get(name, name) for name in held}
        figures = [Figure(f.after, f.before, f.sentence_after, f.sentence_before) for f in figures]
    if len(figures) > MAX_FIGURES:
        figures.sort(key=lambda f: f.before == f.after)
    return Difference(tuple(name for name in CLASSES if name in held), max(finding.severity for finding in findings), tuple(figures[:MAX_FIGURES]))


# --- Words ------------------------------------------------------------------------------------------------------------------------


@cache
def _token_pattern() -> re.Pattern[str]:
    """Words, numbers, line ends, spaces and single other signs, each with what belongs to its last sign (Unicode's grapheme clusters)."""
    blocks = chain(range(0x300, 0x1F000), range(0xE0100, 0xE01F0))
    marks = "".join(c for c in map(chr, blocks) if unicodedata.category(c)[0] == "M" and ord(c) <= sys.maxunicode)
    # Joiners, emoji modifiers and tags, and four letters that Unicode counts as extending the sign before them.
    e = f"[{marks}\u200c\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\uff9e\uff9f\u0e33\u0eb3]*"
    p = "[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]*"  # signs that belong to what follows
    return re.compile(
        rf"{p}(?:{_LETTER}{e})+"
        rf"|{p}(?:\d{e})+(?:[.,٬٫](?:\d{e})+)*"
        r"|\r\n|[\r\n]"
        rf"|{p}(?:[^\S\r\n]{e})+"
        rf"|{p}[\U0001f1e6-\U0001f1ff]{{2}}{e}"
        rf"|{p}(?:[^\w\s]|_){e}(?:(?<=\u200d)[^\w\s]{e})*"
        r"|.",
        re.DOTALL,
    )


@dataclass(slots=True)
class _Block:
    same: list[str]  # tokens; empty in a changed block
    removed: list[str]
    added: list[str]


def _push(blocks: list[_Block], same: Sequence[str], removed: Sequence[str], added: Sequence[str]) -> None:
    """Append tokens, to the last block where it is of the kind."""
    if not same and not removed and not added:
        return
    if not blocks or bool(blocks[-1].same) != bool(same):
        blocks.append(_Block([], [], []))
    blocks[-1].same += same
    blocks[-1].removed += removed
    blocks[-1].added += added


def word_diff(before: str, after: str) -> list[Segment]:
    """The words that stand, went and came. Same and removed segments add up to ``before`` exactly, same and added ones to ``after``.

    Tokens are words (never ``Al-Raqqah`` as one, always a letter with its marks), numbers, spaces and single other signs, in logical
    order, so that right-to-left text needs nothing but ``dir`` where it is shown. A space or sign that alone stands between two changes
    counts as changed: "3 killed" -> "31 wounded" is one change, not two.
    """
    old, new = _token_pattern().findall(before), _token_pattern().findall(after)
    # Spaces are everywhere and say nothing: align what is not one, then let spaces beside it follow.
    solid_old = [i for i, token in enumerate(old) if not token.isspace()]
    solid_new = [j for j, token in enumerate(new) if not token.isspace()]
    pairs = _align([old[i] for i in solid_old], [new[j] for j in solid_new])
    blocks: list[_Block] = []
    i0 = j0 = 0
    for i1, j1 in chain(((solid_old[i], solid_new[j]) for i, j in pairs), ((len(old), len(new)),)):
        head = 0
        while i0 + head < i1 and j0 + head < j1 and old[i0 + head] == new[j0 + head]:
            head += 1
        tail = 0
        while i1 - tail > i0 + head and j1 - tail > j0 + head and old[i1 - tail - 1] == new[j1 - tail - 1]:
            tail += 1
        _push(blocks, old[i0 : i0 + head], (), ())
        _push(blocks, (), old[i0 + head : i1 - tail], new[j0 + head : j1 - tail])
        _push(blocks, old[i1 - tail : i1 + 1], (), ())
        i0, j0 = i1 + 1, j1 + 1
    return list(_segments(_without_crumbs(blocks)))


def _without_crumbs(blocks: list[_Block]) -> list[_Block]:
    """Blocks where a change swallows the spaces and signs between it and the next one of the same line."""
    kept: list[_Block] = []
    for k, block in enumerate(blocks):
        inner = 0 < k < len(blocks) - 1
        if block.same and inner and not re.search(r"[\w\r\n]", "".join(block.same)):
            kept[-1].removed += block.same
            kept[-1].added += block.same
        else:
            _push(kept, block.same, block.removed, block.added)
    return kept


def _segments(blocks: list[_Block]) -> Iterator[Segment]:
    for block in blocks:
        if block.same:
            yield Segment("same", "".join(block.same))
        if block.removed:
            yield Segment("removed", "".join(block.removed))
        if block.added:
            yield Segment("added", "".join(block.added))


def side_by_side(before_lines: Sequence[str], after_lines: Sequence[str]) -> list[Row]:
    """Both texts line beside line, for pages and the diff command. All lines of both sides are there, each once and in order."""
    old, new = [_Sentence(line) for line in before_lines], [_Sentence(line) for line in after_lines]
    pairs = _align(before_lines, after_lines)
    whole = (0, len(old), 0, len(new))
    for gap in list(_gaps(pairs, whole)):
        pairs += _pair(old, new, gap)
    rows: list[Row] = []
    i0 = j0 = 0
    for i1, j1 in chain(sorted(pairs), ((len(old), len(new)),)):
        rows += (Row("removed", i + 1, None, _whole("removed", before_lines[i]), ()) for i in range(i0, i1))
        rows += (Row("added", None, j + 1, (), _whole("added", after_lines[j])) for j in range(j0, j1))
        if i1 < len(old) and j1 < len(new):
            rows.append(_row(i1 + 1, j1 + 1, before_lines[i1], after_lines[j1]))
        i0, j0 = i1 + 1, j1 + 1
    return rows


def _whole(op: Literal["same", "removed", "added"], line: str) -> tuple[Segment, ...]:
    return (Segment(op, line),) if line else ()


def _row(number_before: int, number_after: int, before: str, after: str) -> Row:
    if before == after:
        return Row("same", number_before, number_after, _whole("same", before), _whole("same", after))
    segments = word_diff(before, after)
    return Row(
        "changed",
        number_before,
        number_after,
        tuple(s for s in segments if s.op != "added"),
        tuple(s for s in segments if s.op != "removed"),
    )


# --- Other claims -----------------------------------------------------------------------------------------------------------------

_UNORDERED = frozenset({"categories", "tags"})  # WordPress lists them in an order of its own; a theme may list them in another


def metadata_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The claims that differ, as ``{field: [before, after]}`` in the order of ``before``, ready for JSON; an absent claim is None.

    Tuples and lists are alike; ``categories`` and ``tags`` are sets. Everything else is compared as it stands.
    """
    changes: dict[str, list[Any]] = {}
    for name in dict.fromkeys(chain(before, after)):
        old, new = _listed(before.get(name)), _listed(after.get(name))
        if name in _UNORDERED and isinstance(old, list) and isinstance(new, list) and sorted(old) == sorted(new):
            continue
        if old != new:
            changes[name] = [old, new]
    return changes


def _listed(value: Any) -> Any:
    return [_listed(part) for part in value] if isinstance(value, tuple | list) else value
