"""What `archive.compare.classes` says about two versions. The sentences are SOHR's forms (SITE.md), the names
and numbers invented."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.compare.classes import Difference, Figure, compare, metadata_changes
from archive.compare.sentences import MAX_SENTENCE
from archive.compare.words import Segment, side_by_side, word_diff
from archive.model import CLASSES, Text
from archive.text.normalise import normalise

TITLE = "Homs province | Landmine explosion in the desert"
TOLL = "\n".join(
    (
        "Here is a regional distribution of the casualties since early 2024:",
        "• Deir Ezzor: 28 operations left 31 soldiers dead.",
        "• Al-Raqqah: 13 operations left 9 soldiers and three civilians dead.",
        "• Homs desert: 28 operations left 31 soldiers dead.",
        "SOHR warns of the consequences.",
    )
)
# Words, numbers, Arabic with marks, signs, line ends, emoji sequences: what a page may hold.
SIGNS = (
    *"ab3٣ .,*-–\n\r\t“\"'",
    "قت",
    "ُ",
    "ـ",
    "é",
    "e\u0301",
    "\u200f",
    "\u200d",
    "\u200c",
    "👩",
    "🇸",
    "🏽",
    "\u0600",
    "\u00a0",
    "_",
    "½",
)
ODD = st.lists(st.sampled_from(SIGNS) | st.characters(), max_size=60).map("".join)
# Texts of few different sentences, so that moves, repeats and near misses come up.
PARTS = (
    *(
        "3 killed in Homs.",
        "31 killed in Homs.",
        "Five kil*led.",
        "Five killed.",
        "SOHR warns.",
        "SOHR warns again.",
    ),
    *("Hama:", "“Hama”:", "مقتل شخصين.", ""),
)
LINES = st.lists(st.tuples(st.sampled_from(PARTS), st.sampled_from(" \n")), max_size=7)
TOLD = st.builds(Text, st.sampled_from(PARTS), LINES.map(lambda parts: "".join(map("".join, parts))))


def said(before: str, after: str) -> Difference:
    """The difference between two texts below one headline."""
    return compare(Text(TITLE, before), Text(TITLE, after))


def headlines(before: str, after: str) -> Difference:
    return compare(Text(before, TOLL), Text(after, TOLL))


def pairs(difference: Difference) -> list[tuple[str | None, str | None]]:
    return [(f.before, f.after) for f in difference.figures]


# ---- figures


def test_three_to_thirty_one_is_the_most_severe_there_is() -> None:
    """A changed toll is reported with the number and its sentence, before and after, and with nothing
    else."""
    assert said(
        "A raid. It killed 3 people in Idlib. SOHR warns.",
        "A raid. It killed 31 people in Idlib. SOHR warns.",
    ) == Difference(
        ("figures",), 3, (Figure("3", "31", "It killed 3 people in Idlib.", "It killed 31 people in Idlib."),)
    )


def test_one_number_in_a_running_toll() -> None:
    """Of lines that look alike only the one that changed is reported, without its numbers that stay."""
    difference = said(
        TOLL, TOLL.replace("Homs desert: 28 operations left 31", "Homs desert: 29 operations left 31")
    )
    assert difference.classes == ("figures",)
    assert pairs(difference) == [("28", "29")]
    assert difference.figures[0].sentence_before == "• Homs desert: 28 operations left 31 soldiers dead."


def test_all_numbers_of_a_toll_at_once() -> None:
    """Lines are matched by their words when every number in them changed."""
    difference = said(
        "Homs: 1 dead\nHama: 2 dead\nIdlib: 3 dead", "Homs: 4 dead\nHama: 5 dead\nIdlib: 6 dead"
    )
    assert pairs(difference) == [("1", "4"), ("2", "5"), ("3", "6")]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("killed 3 and 5 hurt", "killed 5 and 7 hurt", [("3", "5"), ("5", "7")]),
        ("It killed 3 people", "It killed 2 soldiers and 3 people", [(None, "2")]),
        ("3, 5 and 7 fell in Homs", "5 and 7 fell in Homs", [("3", None)]),
        ("It killed people there", "It killed 1,066 people there", [(None, "1,066")]),
    ],
)
def test_numbers_are_matched_by_their_words(
    before: str, after: str, expected: list[tuple[str | None, str | None]]
) -> None:
    """Which number became which is read from the words around them."""
    assert pairs(said(before, after)) == expected


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1,066 and 1٬066 and ١٬٠٦٦ and 12,345.6", ["1,066", "1٬066", "١٬٠٦٦", "12,345.6"]),
        ("٣ ۱۲ 3.5 3٫5", ["٣", "۱۲", "3.5", "3٫5"]),
        (
            "29/6/2014, 29.6.2014, 10:30, 13-16, 4*4, 3,5",
            ["29", "6", "2014", "29", "6", "2014", "10", "30", "13", "16", "4", "4", "3", "5"],
        ),
        ("T-72 and the 3rd", ["72", "3"]),
        (
            "twenty-five, two hundred and six, five thousand",
            ["twenty-five", "two hundred and six", "five thousand"],
        ),
        ("A three-year-old girl and Seven men", ["three", "Seven"]),
        ("no one, someone, one another, one-sided, often, dozens, hundreds, the second", []),
        ("مقتل ثلاثة وإصابة خمسة وعشرين", ["ثلاثة", "خمسة وعشرين"]),
        ("أحد عشر، ثلاثمئة، خمسة آلاف، وأربعة، مئتي", ["أحد عشر", "ثلاثمئة", "خمسة آلاف", "أربعة", "مئتي"]),
        ("مقتل شخصين ومدنيان وثَلاثـة", ["شخصين", "مدنيان", "ثلاثة"]),
        ("مدنيين يوم الاثنين، عشرات ومئات، لست أحد", []),
    ],
)
def test_what_a_number_is(text: str, numbers: list[str]) -> None:
    """Digits of three scripts, separators, English and Arabic words and duals; nothing vague, and no plural
    taken for a dual."""
    assert [f.before for f in said(text, "").figures] == numbers


def test_a_figure_written_otherwise_is_not_a_changed_figure() -> None:
    """three -> 3 and 1066 -> 1,066 mean the same: no class `figures`; the sentence holds a figure, so it
    stays severe."""
    for before, after in (
        ("It killed three people", "It killed 3 people"),
        ("1066 fell in Homs", "1,066 fell in Homs"),
    ):
        difference = said(before, after)
        assert (difference.classes, difference.severity) == (("rewording",), 3)


def test_the_sentence_around_a_figure() -> None:
    """Civilians -> fighters under the same number is as severe as another number, and no figure changed."""
    difference = said("The raid killed 3 civilians in Homs.", "The raid killed 3 fighters in Homs.")
    assert (difference.classes, difference.severity, pairs(difference)) == (("rewording",), 3, [])


def test_a_figure_that_came_or_went() -> None:
    """A sentence with a number that came or went is severe; its other side is None."""
    went = said(TOLL, "\n".join(TOLL.split("\n")[:2] + TOLL.split("\n")[3:]))
    assert (went.classes, went.severity) == (("figures", "text_removed"), 3)
    assert went.figures[0] == Figure(
        "13", None, "• Al-Raqqah: 13 operations left 9 soldiers and three civilians dead.", None
    )


def test_a_space_between_digits_is_a_statement() -> None:
    """3 1 is not 31, on one line or two."""
    assert said("killed 3 1", "killed 31").severity == 3
    assert said("killed 3\n1 wounded", "killed 31 wounded").severity == 3


# ---- the other classes


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


@pytest.mark.parametrize("after", [_prose(2, 900), _half_edited(_prose(1, 900))], ids=["other", "half"])
@pytest.mark.parametrize("join", ["\n", " "], ids=["lines", "one line"])
def test_a_hundred_kilobytes(after: list[str], join: str) -> None:
    """100 KB compare in about half a second, all other or half edited, in lines or in one; 5 s of CPU leave
    room for a busy machine."""
    before = _prose(1, 900)
    started = time.process_time()
    compare(Text("", join.join(before)), Text("", join.join(after)))
    word_diff(join.join(before), join.join(after))
    side_by_side(join.join(before).split("\n"), join.join(after).split("\n"))
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "unit", ["a*", "a-", "'", ".", "1,", "\u0301", "one hundred ", "x", " ", ". ", "* ", "١٬"]
)
def test_hostile_repetition(unit: str) -> None:
    """50 KB of one sign after another cost no more than linear time: no pattern walks back over them again
    and again."""
    text = unit * (50_000 // len(unit))
    started = time.process_time()
    compare(Text("", text), Text("", text + "1 b " + unit.upper() * 100))
    compare(Text("", text), Text("", "y" + text.replace(unit[0], "z")))
    assert time.process_time() - started < 10


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
