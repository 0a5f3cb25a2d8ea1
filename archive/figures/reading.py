"""Read the figures of a text, each with its place, what it counts, since when and where. Pure.

`RULES` is the release of these rules: raise it with every change that reads a figure otherwise.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from archive.compare.sentences import sentence_spans
from archive.figures.counts import MONTHS, Count, find_counts
from archive.figures.units import Unit, find_unit, fold
from archive.sites.sohr.places import find_places

RULES = 1
MAX_FIGURES = 2_000  # of a version: a post with a year of tolls has some hundred; for hostile pages

_DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_NO_SHAPE = _DIRECTIONS + "\u00ad\u034f\u180e\u200b-\u200d\u2060-\u206f\ufeff\ufff9-\ufffc"
_MARKS = "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"  # Arabic vowels, and a hamza that stands alone
_LETTER = r"[^\W\d_]"
# What a reader does not see inside words, and all spaces of a run but one
_UNSEEN = re.compile(rf"[{_NO_SHAPE}{_MARKS}]+|(?<={_LETTER})\*+(?={_LETTER})|(?<=\w)ـ+|(?<= ) +")
_MAY_BE_UNSEEN = re.compile(f"[{_NO_SHAPE}{_MARKS}ـ]")
_PARTS_DIGITS = re.compile(rf"\d(?![{_DIRECTIONS}]+\d)[^\d ]+\d")
_SPACE = re.compile(r"[^\S\n\t ]")

_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE = (
    rf"(?:{_DAY}(?: of| من)?(?: شهر)? ?(?:{MONTHS})(?:[/ ](?:{MONTHS}))?(?:,? (?:من )?(?:ال)?(?:عام "
    rf"|سنة )?(?:19|20)\d\d)?"
    rf"|(?:{MONTHS})(?:[/ ](?:{MONTHS}))?(?: {_DAY}(?!\d))?(?:,? (?:of |من )?(?:ال)?(?:عام |سنة )?(?:19"
    rf"|20)\d\d)?"
    r"|\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}|(?:ال)?(?:عام |سنة )?(?:19|20)\d\d)(?![\w])"
)
_SINCE = re.compile(
    r"(?<!\w)(?:since|from|منذ)(?: يوم| تاريخ)? (?:the )?(?P<since>(?:(?:early|late|mid|start|beginning"
    r"|end|outset|year)"
    r"(?: of|-)? (?:the )?(?:year )?|(?:مطلع|بداية|أوائل|أواخر|نهاية|منتصف|بدء) (?:شهر )?|ال ?(?=\d))?"
    rf"{_DATE})",
    re.IGNORECASE,
)
_BULLET = re.compile(r"\s*([•·▪●◦*–—-])")
_NO_WORD = re.compile(r"[^\w#+%]+")
_LONGEST_OF_BLOCK = 160  # characters of a line without a bullet that still belongs to the heading above


class Figure(NamedTuple):
    """A figure of a text. Line 0 is the title; places are code points of the title or else of the text.

    ``heading_start`` and ``heading_end``: the line above that heads this one; None without one. ``series``:
    64 bits that two figures share whose edition, heading and masked sentence agree.
    """

    line: int
    start: int
    end: int
    written: str
    value: float
    value_to: float | None
    approx: str | None
    unit: str | None
    unit_start: int | None
    unit_end: int | None
    since: str | None
    place: str | None
    sentence_start: int
    sentence_end: int
    heading_start: int | None
    heading_end: int | None
    series: int


class _Line:
    """A line of a text as a reader sees it, with the place of each character."""

    def __init__(self, raw: str, start: int, kind: str) -> None:
        self.raw, self.start = raw, start
        self.plain, self._places = _show(raw)
        bullet = _BULLET.match(raw)
        self.mark = bullet[1] if bullet else "list" if kind == "list" else ""
        self.is_heading = kind == "heading" or raw.rstrip().endswith((":", "："))
        self.is_row = kind == "row" or "\t" in raw

    def place(self, at: int) -> int:
        """The place in the text of a character of ``plain``."""
        return self.start + (at if self._places is None else self._places[at])

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The same of a part of it."""
        return self.place(start), self.place(end - 1) + 1

    @cached_property
    def sentences(self) -> list[_Counted]:
        """Its sentences with at least one count."""
        found = []
        for start, end in sentence_spans(self.plain):
            counted = _Counted(self.plain[start:end], start)
            if counted.counts:
                found.append(counted)
        return found

    @cached_property
    def masked(self) -> str:
        """The whole line with # for each count: what makes two headings the same."""
        parts: list[str] = []
        at = 0
        for sentence in self.sentences:
            parts += (_key_of(self.plain[at : sentence.start]), sentence.masked)
            at = sentence.start + len(sentence.plain)
        return "".join((*parts, _key_of(self.plain[at:])))

    @cached_property
    def since(self) -> str | None:
        return _find_since(self.plain)

    @cached_property
    def places(self) -> set[str]:
        return find_places(self.plain)


class _Counted:
    """A sentence with its counts and what they count."""

    def __init__(self, plain: str, start: int) -> None:
        self.plain, self.start = plain, start
        self.folded = fold(plain)
        counts: list[Count] = []
        at = 0
        for cell in plain.split("\t"):
            found = find_counts(cell)
            counts += (
                replace(count, start=count.start + at, end=count.end + at, head=count.head + at)
                for count in found
            )
            at += len(cell) + 1
        units = [self._unit(counts, n) for n in range(len(counts))]
        both = [(c, u) for c, u in zip(counts, units, strict=True) if u is not None or not c.is_year_like]
        self.counts = [count for count, _ in both]
        self.units = [unit for _, unit in both]

    def _unit(self, counts: Sequence[Count], n: int) -> Unit | None:
        count = counts[n]
        if count.is_dual:
            return find_unit(self.folded, count.start, count.start, count.start, count.end) or find_unit(
                " " + self.folded[count.start : count.end], 0, 0, 0, count.end - count.start + 1
            )
        floor = counts[n - 1].end if n else 0
        ceiling = counts[n + 1].head if n + 1 < len(counts) else len(self.folded)
        return find_unit(self.folded, count.head, count.end, floor, ceiling)

    @cached_property
    def masked(self) -> str:
        """The sentence with # for each count, and one form for its noun."""
        spans = [(count.start, count.end, "#") for count in self.counts]
        spans += [
            (unit.start, unit.end, unit.lemma)
            for count, unit in zip(self.counts, self.units, strict=True)
            if unit and not count.is_dual
        ]
        parts: list[str] = []
        at = 0
        for start, end, instead in sorted(spans):
            if start >= at:
                parts += (self.plain[at:start], instead)
                at = end
        parts.append(self.plain[at:])
        return _key_of("".join(parts))


def _key_of(wording: str) -> str:
    """What two sentences share that differ in punctuation, case and "were" for "was"."""
    return _NO_WORD.sub(" ", wording).replace(" were ", " was ").replace(" have ", " has ").strip().lower()


def read_figures(source: str, title: str, text: str, kinds: Sequence[str]) -> list[Figure]:
    """The figures of a version. ``source`` is its edition, or the host of another site; ``kinds`` the kind of
    each line of its text."""
    lines = text.split("\n")
    starts = accumulate((len(line) + 1 for line in lines), initial=0)
    known = [*kinds, *[""] * (len(lines) - len(kinds))]
    found: list[Figure] = []
    found += _figures(source, 0, _Line(title, 0, "title"), None)
    headings = _Headings()
    for number, (raw, start, kind) in enumerate(zip(lines, starts, known, strict=False), 1):
        line = _Line(raw, start, kind)
        heading = headings.above(line)
        found += _figures(f"{source}\0{headings.context}", number, line, heading)
        if len(found) > MAX_FIGURES:
            break
    # A sentence that stands twice in one text says not which figure follows which in another text
    times = Counter(figure.series for figure in found)
    return [
        figure._replace(series=_key(figure.series, n)) if times[figure.series] > 1 else figure
        for n, figure in enumerate(found[:MAX_FIGURES])
    ]


class _Headings:
    """The heading of each line, two levels deep: "Here are the attacks:", "- Homs desert: 28 operations:"."""

    def __init__(self) -> None:
        self._top: _Line | None = None
        self._current: _Line | None = None
        self._mark: str | None = None  # of the lines below the current heading, once one is there
        self._base = ""  # the date of the last heading that states one: "since early 2024 ...:"

    @property
    def context(self) -> str:
        """What figures of one series share beside their own heading: the heading above it, and the base."""
        return f"{self._base}\0{self._top.masked if self._top else ''}"

    def above(self, line: _Line) -> _Line | None:
        """The heading of the next line."""
        if not line.raw.strip():
            return None
        if line.is_heading:
            self._base = line.since or self._base
            heading = self._top if line.mark else None
            if not line.mark:
                self._top = line
            self._current, self._mark = line, None
            return heading
        if self._current is not None and self._current.mark and line.mark == self._current.mark:
            self._current, self._mark = self._top, line.mark  # beside the last heading, not below it
        elif self._mark is None:
            self._mark = line.mark
        is_long = not line.mark and not line.is_row and len(line.raw) > _LONGEST_OF_BLOCK
        if (not line.mark and self._mark) or is_long:
            self._top = self._current = self._mark = None
        return self._current


def _figures(context: str, number: int, line: _Line, heading: _Line | None) -> Iterator[Figure]:
    if not any(char.isdecimal() or char.isalpha() for char in line.raw):
        return
    for sentence in line.sentences:
        since = _find_since(sentence.plain) or (heading.since if heading else None)
        places = find_places(sentence.plain) or (heading.places if heading else set())
        begin, end = line.span(sentence.start, sentence.start + len(sentence.plain.rstrip()))
        key = f"{context}\0{heading.masked if heading else ''}\0{sentence.masked}"
        above = (heading.start, heading.start + len(heading.raw)) if heading else (None, None)
        for n, (count, unit) in enumerate(zip(sentence.counts, sentence.units, strict=True)):
            start, stop = line.span(sentence.start + count.start, sentence.start + count.end)
            stands = (
                line.span(sentence.start + unit.start, sentence.start + unit.end) if unit else (None, None)
            )
            yield Figure(
                line=number,
                start=start,
                end=stop,
                written=line.raw[start - line.start : stop - line.start],
                value=count.value,
                value_to=count.value_to,
                approx=count.approx,
                unit=unit.name if unit else None,
                unit_start=stands[0],
                unit_end=stands[1],
                since=since,
                place=next(iter(places)) if len(places) == 1 else None,
                sentence_start=begin,
                sentence_end=end,
                heading_start=above[0],
                heading_end=above[1],
                series=_key(key, n),
            )


def _key(*parts: object) -> int:
    digest = hashlib.blake2b("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), signed=True)


def _show(raw: str) -> tuple[str, list[int] | None]:
    """A line without what a reader does not see, and the place of each character; None: nothing is left
    out."""
    is_ascii = raw.isascii()
    if is_ascii and "*" not in raw and "  " not in raw:
        return raw, None
    spaced = raw if is_ascii else _SPACE.sub(" ", raw)
    if not is_ascii and "*" not in raw and "  " not in spaced and not _MAY_BE_UNSEEN.search(raw):
        return spaced, None
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
    if "since" not in plain and "from" not in plain and "منذ" not in plain and "Since" not in plain:
        return None
    found = {match["since"] for match in _SINCE.finditer(plain)}
    return found.pop() if len(found) == 1 else None
