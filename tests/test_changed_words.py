"""Two texts side by side: which words and lines changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.compare.words import Segment, side_by_side, word_diff
from tests.comparing import ODD, PARTS

# ---- words


def test_words_that_changed() -> None:
    """Words are whole, and a change is one change even over the space in it."""
    assert word_diff("3 killed in Al-Raqqah", "31 wounded in Al-Raqqa") == [
        Segment("removed", "3 killed"),
        Segment("added", "31 wounded"),
        Segment("same", " in Al-"),
        Segment("removed", "Raqqah"),
        Segment("added", "Raqqa"),
    ]


def test_arabic_words_stay_whole() -> None:
    """A vowel mark is never cut from its letter, and the order is the logical one."""
    assert word_diff("قُتل ثلاثة مدنيين", "قُتل خمسة مدنيين") == [
        Segment("same", "قُتل "),
        Segment("removed", "ثلاثة"),
        Segment("added", "خمسة"),
        Segment("same", " مدنيين"),
    ]
    assert word_diff("قتل", "قُتل") == [Segment("removed", "قتل"), Segment("added", "قُتل")]


def test_numbers_are_one_token() -> None:
    """1,066 -> 1,067 is one changed number, not one changed digit."""
    assert word_diff("1,066 dead", "1,067 dead")[:2] == [
        Segment("removed", "1,066"),
        Segment("added", "1,067"),
    ]


@given(ODD, ODD)
def test_a_word_diff_loses_nothing(before: str, after: str) -> None:
    """Same and removed are the text before, same and added the text after; no segment is empty; equal texts
    are one same segment."""
    segments = word_diff(before, after)
    assert "".join(s.text for s in segments if s.op != "added") == before
    assert "".join(s.text for s in segments if s.op != "removed") == after
    assert all(s.text for s in segments)
    assert word_diff(before, before) == ([Segment("same", before)] if before else [])


@given(ODD, ODD)
def test_a_word_diff_never_cuts_a_sign(before: str, after: str) -> None:
    """Segments end where Unicode's grapheme clusters end, on both sides."""
    regex = pytest.importorskip(
        "regex", reason="the only library at hand that knows grapheme clusters (comes with dateparser)"
    )
    segments = word_diff(before, after)
    for text, other in ((before, "added"), (after, "removed")):
        ends = {m.end() for m in regex.finditer(r"\X", text)}
        at = 0
        for segment in segments:
            if segment.op != other:
                at += len(segment.text)
                assert at in ends


# ---- lines


def test_lines_side_by_side() -> None:
    """Changed lines stand beside each other, gone and new ones alone, with their numbers."""
    rows = side_by_side(["Homs: 3", "It rained all day.", "Same"], ["Homs: 31", "Same", "Nobody claimed it."])
    assert [(r.op, r.number_before, r.number_after) for r in rows] == [
        ("changed", 1, 1),
        ("removed", 2, None),
        ("same", 3, 2),
        ("added", None, 3),
    ]
    assert rows[0].before == (Segment("same", "Homs: "), Segment("removed", "3"))
    assert rows[0].after == (Segment("same", "Homs: "), Segment("added", "31"))


@given(st.lists(st.sampled_from(PARTS) | ODD, max_size=8), st.lists(st.sampled_from(PARTS) | ODD, max_size=8))
def test_side_by_side_holds_every_line(before: list[str], after: list[str]) -> None:
    """Each line of both sides is there once, in order, under its number; `same` means equal to the letter."""
    rows = side_by_side(before, after)
    old = [(r.number_before, "".join(s.text for s in r.before)) for r in rows if r.number_before]
    new = [(r.number_after, "".join(s.text for s in r.after)) for r in rows if r.number_after]
    assert old == list(enumerate(before, 1))
    assert new == list(enumerate(after, 1))
    assert all(
        (r.op == "same")
        == (r.before == r.after and r.number_before is not None and r.number_after is not None)
        for r in rows
    )
