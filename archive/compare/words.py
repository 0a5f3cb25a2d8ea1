"""The words in which two texts differ, and their lines side by side."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Literal

from archive.compare.alignment import align, gaps_of
from archive.compare.sentences import Sentence, pair_sentences

_LETTER = r"[^\W\d_]"


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text that both sides have, or only one side."""

    op: Literal["same", "removed", "added"]
    text: str


@dataclass(frozen=True, slots=True)
class LinePair:
    """A line and its counterpart. ``before`` holds same and removed segments, ``after`` same and added ones.
    Line numbers count from 1."""

    op: Literal["same", "changed", "removed", "added"]
    number_before: int | None
    number_after: int | None
    before: tuple[Segment, ...]
    after: tuple[Segment, ...]


@cache
def _token_pattern() -> re.Pattern[str]:
    """Words, numbers, line ends, spaces and single other signs, never cutting a grapheme cluster."""
    blocks = chain(range(0x300, 0x1F000), range(0xE0100, 0xE01F0))
    marks = "".join(
        c for c in map(chr, blocks) if unicodedata.category(c)[0] == "M" and ord(c) <= sys.maxunicode
    )
    # Joiners, emoji modifiers and tags, and four letters that extend the sign before them
    e = f"[{marks}\u200c\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\uff9e\uff9f\u0e33\u0eb3]*"
    # Signs that belong to the sign after them
    p = "[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]*"
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
    """Append tokens, to the last block if it is of the same kind."""
    if not same and not removed and not added:
        return
    if not blocks or bool(blocks[-1].same) != bool(same):
        blocks.append(_Block([], [], []))
    blocks[-1].same += same
    blocks[-1].removed += removed
    blocks[-1].added += added


def word_diff(before: str, after: str) -> list[Segment]:
    """The words that stayed, were removed and were added. Same and removed segments add up to ``before``,
    same and added ones to ``after``.

    Segments are in logical order, so a page only needs ``dir`` for right-to-left text. A space or sign
    between two changes counts as changed: "3 killed" -> "31 wounded" is one change, not two.
    """
    old, new = _token_pattern().findall(before), _token_pattern().findall(after)
    # Align the tokens that are no space; the spaces beside them follow
    solid_old = [i for i, token in enumerate(old) if not token.isspace()]
    solid_new = [j for j, token in enumerate(new) if not token.isspace()]
    pairs = align([old[i] for i in solid_old], [new[j] for j in solid_new])
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
    return list(_segments(_merge_near_changes(blocks)))


def _merge_near_changes(blocks: list[_Block]) -> list[_Block]:
    """Merge changes of a line that only spaces and signs separate."""
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


def side_by_side(before_lines: Sequence[str], after_lines: Sequence[str]) -> list[LinePair]:
    """The lines of both texts side by side: each line once, in order."""
    old, new = [Sentence(line) for line in before_lines], [Sentence(line) for line in after_lines]
    pairs = align(before_lines, after_lines)
    whole = (0, len(old), 0, len(new))
    for gap in list(gaps_of(pairs, whole)):
        pairs += pair_sentences(old, new, gap)
    rows: list[LinePair] = []
    i0 = j0 = 0
    for i1, j1 in chain(sorted(pairs), ((len(old), len(new)),)):
        rows += (
            LinePair("removed", i + 1, None, _whole("removed", before_lines[i]), ()) for i in range(i0, i1)
        )
        rows += (LinePair("added", None, j + 1, (), _whole("added", after_lines[j])) for j in range(j0, j1))
        if i1 < len(old) and j1 < len(new):
            rows.append(_pair_lines(i1 + 1, j1 + 1, before_lines[i1], after_lines[j1]))
        i0, j0 = i1 + 1, j1 + 1
    return rows


def _whole(op: Literal["same", "removed", "added"], line: str) -> tuple[Segment, ...]:
    return (Segment(op, line),) if line else ()


def _pair_lines(number_before: int, number_after: int, before: str, after: str) -> LinePair:
    if before == after:
        return LinePair("same", number_before, number_after, _whole("same", before), _whole("same", after))
    segments = word_diff(before, after)
    return LinePair(
        "changed",
        number_before,
        number_after,
        tuple(s for s in segments if s.op != "added"),
        tuple(s for s in segments if s.op != "removed"),
    )
