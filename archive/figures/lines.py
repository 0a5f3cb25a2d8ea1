"""The counts of a line, and what a reader knows of each. Posts repeat their lines from day to day with other
numbers, so lines are remembered."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property, lru_cache
from typing import NamedTuple

from archive.compare.sentences import sentence_spans
from archive.figures.counts import MONTHS, Count, find_counts
from archive.figures.units import Unit, find_own_unit, find_unit, fold
from archive.sites.sohr.places import find_places

_REMEMBERED = 4_096  # lines of each kind
_LONGEST_REMEMBERED = 1_000  # characters of them

_DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_NO_SHAPE = _DIRECTIONS + "\u00ad\u034f\u180e\u200b-\u200d\u2060-\u206f\ufeff\ufff9-\ufffc"
_MARKS = "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"  # Arabic vowels, and a hamza that stands alone
_LETTER = r"[^\W\d_]"
# What a reader does not see inside words, and all spaces of a run but one
_UNSEEN = re.compile(rf"[{_NO_SHAPE}{_MARKS}]+|(?<={_LETTER})\*+(?={_LETTER})|(?<=\w)ـ+|(?<= ) +")
_MARKED = re.compile(f"[{_MARKS}ـ]")
_MARKS_HERE = re.compile(f"[{_MARKS}]*")
_STAR_IN_WORD = re.compile(rf"\*{_LETTER}")
_PARTS_DIGITS = re.compile(rf"\d(?![{_DIRECTIONS}]+\d)[^\d ]+\d")
_SPACE = re.compile(r"[^\S\n\t ]")

_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_YEAR = r"(?:19|20|١٩|٢٠)\d\d"
_DATE = (
    rf"(?:{_DAY}(?: of| من)?(?: شهر)? ?(?:{MONTHS})(?:[/ ](?:{MONTHS}))?(?:,? (?:من )?(?:ال)?(?:عام "
    rf"|سنة )?{_YEAR})?"
    rf"|(?:{MONTHS})(?:[/ ](?:{MONTHS}))?(?: {_DAY}(?!\d))?(?:,? (?:of |من )?(?:ال)?(?:عام |سنة )?{_YEAR})?"
    rf"|\d{{1,4}}[/.-]\d{{1,2}}[/.-]\d{{1,4}}|(?:ال)?(?:عام |سنة )?{_YEAR})(?![\w])"
)
_SINCE = re.compile(
    r"(?<!\w)(?:since|from|منذ)(?: يوم| تاريخ)? (?:the )?(?P<since>(?>(?:(?:early|late|mid|start|beginning"
    r"|end|outset|year)"
    r"(?: of)?[ -](?:the )?(?:year )?|(?:مطلع|بداية|أوائل|أواخر|نهاية|منتصف|بدء) (?:شهر )?|ال ?(?=\d))?"
    rf"{_DATE}))(?! (?:to|until|till|through|إلى|حتى) (?:\d|{MONTHS}|(?:ال)?عام ))",
    re.IGNORECASE,
)
_SINCE_WORD = re.compile("[Ss]ince|[Ff]rom|منذ")  # a search for these is fast
_BULLET = re.compile(r"\s*([•·▪●◦*–—-])")
_NO_WORD = re.compile(r"[^\w#+%]+")
# A number that stands alone, and is no year. Two that are alike in digits and commas are of one length
_FREE = re.compile(
    r"([1-9](?<![\w.,:/*×#+\-–—٫٬،][1-9])(?:[0-9]{0,3}|[0-9]{0,2}(?:,[0-9]{3})+)(?<!(?:19|20)[0-9][0-9]))"
    r"(?![\w,:/*×+\-–—٫٬،])(?!\.[0-9])"
)
_SMALL = "two|three|four|five|six|seven|eight|nine|ten"
_DASH_OR_TO = " - | – | to | or | أو | او | إلى | الى "
# Here values tell how a line is read: whether two numbers are a range, or a share. \0 is a number
_VALUES_DECIDE = re.compile(
    rf"\0(?:{_DASH_OR_TO}| in (?:\0|{_SMALL}|a )|"
    + "|".join(
        rf"(?<={before}\0)" for before in (*_DASH_OR_TO.split("|"), *map("{} in ".format, _SMALL.split("|")))
    )
    + ")"
)
_WORDS_DECIDE = ("between ", "بين ", " out of ", " every ", " each ", " كل ")
_GOES_ON = re.compile(r"(?: \w+)?(?: ليصل)? (?:to|from|الي) ")


class Counted(NamedTuple):
    """A count with its unit. Places are of the line; ``value`` is None where the digits there say it."""

    start: int
    end: int
    value: float | None
    value_to: float | None
    approx: str | None
    unit: str | None
    unit_start: int | None
    unit_end: int | None


class Sentence(NamedTuple):
    """A sentence with at least one count. Places are of the line; ``masked`` has # for each count."""

    start: int
    end: int
    since: str | None
    places: frozenset[str]
    masked: str
    counts: list[Counted]


class Line:
    """A line as a reader sees it. Lines that differ in the digits of their counts alone share one."""

    def __init__(self, raw: str) -> None:
        self._raw = raw
        self._plain, self._places = _show(raw)
        self._spans: list[tuple[int, int]] = []  # of the sentences, in ``plain``
        self.sentences: list[Sentence] = []
        for start, end in sentence_spans(self._plain):
            if counts := _count(self._plain[start:end]):
                self._spans.append((start, end))
                self.sentences.append(self._sentence(start, self._plain[start:end], counts))
        bullet = _BULLET.match(raw)
        self.bullet = bullet[1] if bullet else ""
        self.ends_with_colon = raw.rstrip().endswith((":", "："))
        self.is_row = "\t" in raw
        self.is_blank = not raw.strip()

    def _sentence(self, start: int, plain: str, counts: list[tuple[Count, Unit | None]]) -> Sentence:
        rows = []
        for count, unit in counts:
            at = self._span(start + count.start, start + count.end)
            stands = self._span(start + unit.start, start + unit.end) if unit else (None, None)
            name = unit.name if unit else None
            rows.append(Counted(*at, count.value, count.value_to, count.approx, name, *stands))
        span = self._span(start, start + len(plain.rstrip()))
        return Sentence(*span, _find_since(plain), frozenset(find_places(plain)), _mask(plain, counts), rows)

    def _span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the line as written of a part of ``plain``."""
        if self._places is None:
            return start, end
        last = self._places[end - 1] + 1
        return self._places[start], _MARKS_HERE.match(self._raw, last).end()  # type: ignore[union-attr]

    @cached_property
    def masked(self) -> str:
        """The whole line with # for each count: what makes two headings the same."""
        parts: list[str] = []
        at = 0
        for (start, end), sentence in zip(self._spans, self.sentences, strict=True):
            parts += (_key_of(self._plain[at:start]), sentence.masked)
            at = end
        return "".join((*parts, _key_of(self._plain[at:])))

    @cached_property
    def since(self) -> str | None:
        """The one date that the line names."""
        return _find_since(self._plain)

    @cached_property
    def places(self) -> frozenset[str]:
        """The places that it names."""
        return frozenset(find_places(self._plain))

    def forget(self, parts: list[str]) -> bool:
        """Leave the value of each count to its digits, for lines with other ones. False where they decide
        more than a value. ``parts``: texts and free numbers by turns."""
        if self._places is not None:
            return False
        masked = "\0".join(parts[::2]).lower()
        if _VALUES_DECIDE.search(masked) or any(words in masked for words in _WORDS_DECIDE):
            return False
        counts = {(c.start, c.end): (s, n) for s in self.sentences for n, c in enumerate(s.counts)}
        since = " ".join(filter(None, (self.since, *(sentence.since for sentence in self.sentences))))
        at = 0
        for text, number in zip(parts[::2], parts[1::2], strict=False):
            start, at = at + len(text), at + len(text) + len(number)
            sentence, n = counts.get((start, at), (None, 0))
            if sentence is None or number in since or sentence.counts[n].value_to is not None:
                return False
            sentence.counts[n] = sentence.counts[n]._replace(value=None)
        return True


_by_form: dict[tuple[object, ...], Line | None] = {}  # None: digits decide


def read_line(raw: str) -> Line:
    """What a line says."""
    if len(raw) > _LONGEST_REMEMBERED:
        return Line(raw)
    parts = _FREE.split(raw)
    if len(parts) == 1:
        return _read_line(raw)
    form = (*parts[::2], *map(len, parts[1::2]))
    if form not in _by_form:
        if len(_by_form) >= _REMEMBERED:
            _by_form.clear()
        line = Line(raw)
        _by_form[form] = line if line.forget(parts) else None
    return _by_form[form] or _read_line(raw)


_read_line = lru_cache(_REMEMBERED)(Line)


def _count(plain: str) -> list[tuple[Count, Unit | None]]:
    """The counts of a sentence, and what they count."""
    counts: list[Count] = []
    at = 0
    for cell in plain.split("\t"):
        counts += find_counts(cell, at)
        at += len(cell) + 1
    if not counts:
        return []
    folded = fold(plain)
    units: list[Unit | None] = []
    for n, count in enumerate(counts):
        unit, before = _unit(folded, counts, n), units[-1] if n else None
        if unit is None and before is not None and before.end <= counts[n - 1].start:
            # "The number of fatalities rose from 13 to 16": both count them
            unit = before if _GOES_ON.fullmatch(folded, counts[n - 1].end, count.head) else None
        units.append(unit)
    both = zip(counts, units, strict=True)
    return [(count, unit) for count, unit in both if unit is not None or not count.needs_noun]


def _unit(folded: str, counts: list[Count], n: int) -> Unit | None:
    count = counts[n]
    if count.is_dual:
        return find_own_unit(folded, count.start, count.end)
    floor = counts[n - 1].end if n else 0
    ceiling = counts[n + 1].head if n + 1 < len(counts) else len(folded)
    return find_unit(folded, count.head, count.end, floor, ceiling)


def _mask(plain: str, counts: Iterable[tuple[Count, Unit | None]]) -> str:
    """The sentence with # for each count, and one form for its noun."""
    spans = [(count.start, count.end, "#") for count, _ in counts]
    spans += [(unit.start, unit.end, unit.lemma) for count, unit in counts if unit and not count.is_dual]
    parts: list[str] = []
    at = 0
    for start, end, instead in sorted(spans):
        if start >= at:
            parts += (plain[at:start], instead)
            at = end
    parts.append(plain[at:])
    return _key_of("".join(parts))


def _key_of(wording: str) -> str:
    """What two sentences share that differ in punctuation, case, hamza, and "were" for "was"."""
    key = fold(_NO_WORD.sub(" ", wording)).strip()
    return key.replace(" were ", " was ").replace(" have ", " has ").replace(" are ", " is ")


def _show(raw: str) -> tuple[str, list[int] | None]:
    """A line without what a reader does not see, and the place of each character; None: nothing is left
    out."""
    is_bare = raw.isascii() or (raw.isprintable() and not _MARKED.search(raw))
    if is_bare and "  " not in raw and not _STAR_IN_WORD.search(raw):
        return raw, None
    spaced = _SPACE.sub(" ", raw)
    parts: list[str] = []
    places: list[int] = []
    at = 0
    for match in _UNSEEN.finditer(spaced):
        start, end = match.span()
        if _PARTS_DIGITS.match(spaced, max(0, start - 1)):
            start += 1  # it stays as one space
            parts.append(spaced[at : start - 1] + " ")
        else:
            parts.append(spaced[at:start])
        places += range(at, start)
        at = end
    if not parts:
        return spaced, None
    return "".join((*parts, spaced[at:])), [*places, *range(at, len(spaced))]


def _find_since(plain: str) -> str | None:
    """The one date or year since which a sentence counts, as written; None where it names none or two."""
    words = _SINCE_WORD.finditer(plain)
    found = {match["since"] for word in words if (match := _SINCE.match(plain, word.start()))}
    return found.pop() if len(found) == 1 else None
