"""Which numbers changed between two versions, and what a number is."""

from __future__ import annotations

import pytest

from archive.compare.classes import Difference, Figure
from tests.comparing import TOLL, pairs, said


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
