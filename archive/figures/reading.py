"""Read the figures of a text, each with its place, what it counts, since when and where. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from archive.figures.lines import read_line

MAX_FIGURES = 2_000  # of a version: a post with a year of tolls has some hundred; for hostile pages
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


class _Placed:
    """A line in its text."""

    def __init__(self, raw: str, start: int, kind: str) -> None:
        self.raw, self.start = raw, start
        self.said = read_line(raw)
        self.mark = self.said.bullet or ("list" if kind == "list" else "")
        self.is_heading = kind == "heading" or self.said.ends_with_colon
        self.is_row = kind == "row" or self.said.is_row


def read_figures(source: str, title: str, text: str, kinds: Sequence[str]) -> list[Figure]:
    """The figures of a version. ``source`` is its edition, or the host of another site; ``kinds`` the kind of
    each line of its text."""
    found = list(_figures(source, 0, _Placed(title, 0, "title"), None))
    headings = _Headings()
    start = 0
    for number, raw in enumerate(text.split("\n"), 1):
        line = _Placed(raw, start, kinds[number - 1] if number <= len(kinds) else "")
        heading = headings.above(line)
        if line.said.sentences:
            found += _figures(f"{source}\0{headings.context}", number, line, heading)
            if len(found) > MAX_FIGURES:
                break
        start += len(raw) + 1
    del found[MAX_FIGURES:]
    if len({figure.series for figure in found}) == len(found):
        return found
    # A sentence that stands twice in one text says not which figure follows which in another text
    times = Counter(figure.series for figure in found)
    return [
        figure._replace(series=_key(figure.series, n)) if times[figure.series] > 1 else figure
        for n, figure in enumerate(found)
    ]


class _Headings:
    """The heading of each line, two levels deep: "Here are the attacks:", "- Homs desert: 28 operations:"."""

    def __init__(self) -> None:
        self._top: _Placed | None = None
        self._current: _Placed | None = None
        self._mark: str | None = None  # of the lines below the current heading, once one is there
        self._base = ""  # the date of the last heading that states one: "since early 2024 ...:"

    @property
    def context(self) -> str:
        """What figures of one series share beside their own heading: the heading above it, and the base."""
        return f"{self._base}\0{self._top.said.masked if self._top else ''}"

    def above(self, line: _Placed) -> _Placed | None:
        """The heading of the next line."""
        if line.said.is_blank:
            return None
        if line.is_heading:
            self._base = line.said.since or self._base
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


def _figures(context: str, number: int, line: _Placed, heading: _Placed | None) -> Iterator[Figure]:
    at, raw = line.start, line.raw
    head, head_end = (heading.start, heading.start + len(heading.raw)) if heading else (None, None)
    for sentence in line.said.sentences:
        since = sentence.since or (heading.said.since if heading else None)
        places = sentence.places or (heading.said.places if heading else ())
        place = next(iter(places)) if len(places) == 1 else None
        key = f"{context}\0{heading.said.masked if heading else ''}\0{sentence.masked}"
        for count, series in zip(sentence.counts, _keys(key, len(sentence.counts)), strict=True):
            start, end, value, value_to, approx, unit, noun, noun_end = count
            written = raw[start:end]
            if value is None:
                value = float(written.replace(",", ""))
            if noun is not None and noun_end is not None:
                noun, noun_end = at + noun, at + noun_end
            yield Figure(
                number, at + start, at + end, written, value, value_to, approx, unit, noun, noun_end,
                since, place, at + sentence.start, at + sentence.end, head, head_end, series,
            )  # fmt: skip


@lru_cache(1 << 12)
def _keys(key: str, count: int) -> list[int]:
    return [_key(key, n) for n in range(count)]


def _key(*parts: object) -> int:
    digest = hashlib.blake2b("\0".join(map(str, parts)).encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), signed=True)
