"""What `archive.compare.classes` says about two versions. The sentences are SOHR's forms (SITE.md), the names
and numbers invented."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.compare.classes import Difference, compare, metadata_changes
from archive.compare.sentences import MAX_SENTENCE
from archive.compare.words import side_by_side, word_diff
from archive.model import CLASSES, Text
from archive.text.normalise import normalise
from tests.comparing import ODD, SIZES, TOLD, TOLL, said


def headlines(before: str, after: str) -> Difference:
    return compare(Text(before, TOLL), Text(after, TOLL))


# ---- classes


@pytest.mark.parametrize(
    ("before", "after", "classes", "severity"),
    [
        ("It rained.\nSOHR warns.", "It rained.", ("text_removed",), 2),
        ("It rained.", "It rained.\nSOHR warns.", ("text_added",), 2),
        (
            "SOHR activists reported heavy clashes.",
            "SOHR activists reported violent clashes.",
            ("rewording",),
            1,
        ),
        ("A siege – 3 dead.", "A siege - 3 dead.", ("rewording",), 1),
        ("• Homs, 3 dead", "- Homs: 3 dead.", ("rewording",), 1),
        ("It rained. SOHR warns.", "SOHR warns. It rained.", ("order",), 2),
        ("Homs: 3\nHama: 4", "Hama: 4\nHoms: 3", ("order",), 3),
    ],
)
def test_classes(before: str, after: str, classes: tuple[str, ...], severity: int) -> None:
    """Each class by itself."""
    difference = said(before, after)
    assert (difference.classes, difference.severity) == (classes, severity)


@pytest.mark.parametrize(
    ("before", "after", "classes", "severity"),
    [
        ("Gunmen attack a checkpoint", "Gunmen storm a checkpoint", ("title",), 2),
        ("Homs | 3 dead", "Homs | 31 dead", ("figures", "title"), 3),
        ("Homs | 3 dead", "Homs | 3 wounded", ("title",), 3),
        ("Gunmen kil*led 3 in Homs", "Gunmen killed 3 in Homs", ("obfuscation",), 1),
        ("", "Gunmen", ("title",), 2),
    ],
)
def test_headlines(before: str, after: str, classes: tuple[str, ...], severity: int) -> None:
    """A headline that is reworded has a class of its own; one that lost its asterisks was not reworded."""
    difference = headlines(before, after)
    assert (difference.classes, difference.severity) == (classes, severity)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("IS*IS kil*led 3", "ISIS killed 3"),
        ("IS-IS att-ack", "ISIS attack"),
        ("H*T*S in a w*a*r", "HTS in a war"),
        ("مقـتـل ٣ أشخاص", "مقتل ٣ أشخاص"),
        ("ق.تل 3", "قتل 3"),
    ],
)
def test_obfuscation(before: str, after: str) -> None:
    """Marks inside words have a class of their own, in both directions, and do not hide a changed figure."""
    for difference in (said(before, after), said(after, before)):
        assert difference == Difference(("obfuscation",), 1, ())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a 4*4 car", "a 44 car"),
        ("13-16 dead", "1316 dead"),
        ("2011ـ2024", "20112024"),
        ("kil*led 3", "killed 31"),
        ("3\u200b1 dead", "31 dead"),
        ("3*1 dead", "31 dead"),
    ],
)
def test_a_digit_is_never_noise(before: str, after: str) -> None:
    """What looks like noise between digits changes a number."""
    difference = said(before, after)
    assert difference.severity == 3
    assert "figures" in difference.classes
    assert "obfuscation" not in difference.classes


def test_a_compound_is_not_noise() -> None:
    """de-escalation -> deescalation is spelling: a rewording, not an obfuscated word."""
    assert said("anti-ISIS forces want de-escalation", "anti-ISIS forces want deescalation").classes == (
        "rewording",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("12, 130 killed", "12,130 killed"),
        ("a mine left 3.\n5 hurt", "a mine left 3.5 hurt"),
        ("Aleppo\t5\t", "Aleppo\t\t5"),
        ("Aleppo\t5 men\t\t2", "Aleppo\t\t5 men\t2"),
        ("Homs\t3\t4\nHama\t1\t2", "Homs\t3\t4\nHama\t12\t"),
    ],
)
def test_white_space_and_cell_edges_beside_a_digit_count(before: str, after: str) -> None:
    """A figure in another column, or two numbers made one, is the most severe change."""
    for difference in (said(before, after), said(after, before)):
        assert "figures" in difference.classes
        assert difference.severity == 3


def test_several_classes_hold_at_once_in_their_order() -> None:
    """A version that changes in many ways says so, in the order of CLASSES."""
    before = Text(
        "Gunmen att*ack a base",
        "3 killed in Homs.\nIt rained all day.\nSOHR activists reported heavy clashes.",
    )
    after = Text(
        "Gunmen attack a base",
        "31 killed in Homs.\nSOHR activists reported violent clashes.\nNo party took responsibility.",
    )
    difference = compare(before, after)
    assert difference.classes == ("figures", "text_added", "text_removed", "rewording", "obfuscation")
    assert difference.severity == 3


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("He said “no”. 3 dead…", 'He said "no".  3 dead...'),
        ("One. Two.\nThree", "One.\nTwo. Three"),
        ("a\u00a0b\n\n", "a b"),
        ("\u200fقتل", "قتل"),
        ("e\u0301", "é"),
        ("kil\u200bl\u00aded 3\u2060 in\ufeff Homs\ufffc", "killed 3 in Homs"),
        ("cut in\ntwo lines, 3 dead", "cut in two lines, 3 dead"),
    ],
)
def test_what_makes_no_version_makes_no_class(before: str, after: str) -> None:
    """White space, quotes, ellipsis, bidi marks and composition: the caller never asks, and the answer would
    be nothing."""
    assert said(before, after) == Difference((), 0, ())


def test_a_long_sentence_is_shown_around_its_number() -> None:
    """Beside a figure stands a part of a very long sentence, not all of it."""
    before = "word " * 5000 + "3 killed " + "word " * 5000
    figure = said(before, before.replace("3", "31")).figures[0]
    assert (figure.before, figure.after) == ("3", "31")
    for shown, part in ((figure.sentence_before, "word 3 killed"), (figure.sentence_after, "word 31 killed")):
        assert shown is not None
        assert part in shown
        assert len(shown) <= MAX_SENTENCE


# ---- properties of all texts


@given(TOLD, TOLD)
def test_the_way_back_is_told_as_the_way_there(a: Text, b: Text) -> None:
    """Exchanging the sides exchanges added and removed, before and after, and nothing else."""
    there, back = compare(a, b), compare(b, a)
    mirror = {"text_added": "text_removed", "text_removed": "text_added"}
    assert {mirror.get(name, name) for name in there.classes} == set(back.classes)
    assert there.severity == back.severity
    assert [(f.before, f.sentence_before, f.after, f.sentence_after) for f in there.figures] == [
        (f.after, f.sentence_after, f.before, f.sentence_before) for f in back.figures
    ]


@given(ODD, ODD, ODD, ODD)
def test_any_texts_compare(title: str, text: str, other_title: str, other_text: str) -> None:
    """Classes are known, in order, without repeats; figures that changed mean severity 3; no class means
    severity 0; a new version has a class."""
    difference = compare(Text(title, text), Text(other_title, other_text))
    assert list(difference.classes) == [name for name in CLASSES if name in difference.classes]
    assert difference.severity == 3 or not difference.figures
    assert all(figure.before != figure.after for figure in difference.figures)
    assert (difference.severity == 0) == (not difference.classes)
    if not difference.classes:
        assert (normalise(title), normalise(text)) == (normalise(other_title), normalise(other_text))
    assert compare(Text(title, text), Text(title, text)) == Difference((), 0, ())


@given(
    ODD,
    ODD,
    st.text("0123456789٠١٢٣٤٥٦٧٨٩۰۱۲۳", min_size=2, max_size=2).filter(lambda d: int(d[0]) != int(d[1])),
)
def test_one_other_digit_is_always_severe(head: str, tail: str, digits: str) -> None:
    """Wherever in whatever text a digit is changed for another, it is severity 3 and never obfuscation."""
    difference = compare(Text("t", head + digits[0] + tail), Text("t", head + digits[1] + tail))
    assert difference.severity == 3
    assert "figures" in difference.classes
    assert "obfuscation" not in difference.classes
    assert compare(Text(head + digits[0] + tail, "t"), Text(head + digits[1] + tail, "t")).severity == 3


@given(st.text("ab*-ـ3 .", max_size=20), st.text("ab*-ـ3 .", max_size=20))
def test_obfuscation_alone_leaves_every_digit(before: str, after: str) -> None:
    """Where only obfuscation is reported, both sides have the same digits in the same order."""
    if compare(Text("t", before), Text("t", after)).classes == ("obfuscation",):
        assert [c for c in before if c.isdigit()] == [c for c in after if c.isdigit()]


# ---- cost


def _prose(seed: int, lines: int) -> list[str]:
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefghijklmnoprstu", k=rng.randint(2, 9))) for _ in range(4000)]
    return [
        " ".join([*rng.choices(words, k=15), str(rng.randrange(500)), *rng.choices(words, k=5)]) + "."
        for _ in range(lines)
    ]


def _half_edited(lines: list[str]) -> list[str]:
    return [line.replace("a", "e") if n % 2 else line for n, line in enumerate(lines)]


@pytest.mark.parametrize("lines", [450, pytest.param(900, marks=pytest.mark.slow)])
@pytest.mark.parametrize("half", [False, True], ids=["other", "half"])
@pytest.mark.parametrize("join", ["\n", " "], ids=["lines", "one line"])
def test_long_texts(lines: int, half: bool, join: str) -> None:
    """100 KB compare in about half a second, all other or half edited, in lines or in one; 5 s of CPU leave
    room for a busy machine. `make test` tries 50 KB in half that time."""
    before = _prose(1, lines)
    after = _half_edited(before) if half else _prose(2, lines)
    started = time.process_time()
    compare(Text("", join.join(before)), Text("", join.join(after)))
    word_diff(join.join(before), join.join(after))
    side_by_side(join.join(before).split("\n"), join.join(after).split("\n"))
    assert time.process_time() - started < 5 * lines / 900


@pytest.mark.parametrize(
    "unit", ["a*", "a-", "'", ".", "1,", "\u0301", "one hundred ", "x", " ", ". ", "* ", "١٬"]
)
@pytest.mark.parametrize("size", SIZES)
def test_hostile_repetition(unit: str, size: int) -> None:
    """50 KB of one sign after another cost no more than linear time: no pattern walks back over them again
    and again. `make test` tries 20 KB."""
    text = unit * (size // len(unit))
    started = time.process_time()
    compare(Text("", text), Text("", text + "1 b " + unit.upper() * 100))
    compare(Text("", text), Text("", "y" + text.replace(unit[0], "z")))
    assert time.process_time() - started < 10 * size / 50_000


# ---- other claims


def test_claims_that_changed() -> None:
    """Only what differs, as [before, after]; what is absent is None; terms are sets; a tuple is a list."""
    assert metadata_changes(
        {"author": "SOHR", "tags": ["b", "a"], "links": (("u", "t"),), "modified_at": "2026-01-01T00:00:00Z"},
        {
            "author": None,
            "tags": ("a", "b"),
            "links": [["u", "t"]],
            "modified_at": "2026-01-02T00:00:00Z",
            "language": "en",
            "image": None,
        },
    ) == {
        "author": ["SOHR", None],
        "modified_at": ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"],
        "language": [None, "en"],
    }
