"""The figures of a text: their places, their values, and what they count."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.figures import lines as lines_of_figures
from archive.figures.reading import Figure, read_figures
from tests.comparing import SIZES

HERE = Path(__file__).parent / "figures"
SEEDS = Path(os.environ.get("SOHR_SEEDS", ""))


def read_list(name: str) -> list[tuple[str, list[str]]]:
    """Sentences, each with its figures as `named` writes them."""
    lines = [line for line in (HERE / name).read_text("utf-8").splitlines() if not line.startswith("#")]
    pairs = [line.rpartition("\t")[::2] for line in lines]
    return [(sentence, [one.strip() for one in found.split(";") if one.strip()]) for sentence, found in pairs]


SENTENCES = read_list("sentences.tsv")


def named(figure: Figure) -> str:
    """A figure as sentences.tsv writes it."""
    to = f"..{figure.value_to:.15g}" if figure.value_to is not None else ""
    approx = f" {figure.approx}" if figure.approx else ""
    return f"{figure.written} = {figure.value:.15g}{to}{approx} | {figure.unit or ''}"


@pytest.mark.parametrize(("sentence", "expected"), SENTENCES, ids=range(len(SENTENCES)))
def test_sentences(sentence: str, expected: list[str]) -> None:
    """What counts is read with its value and its noun; dates, times, measures and names are left out."""
    text = sentence.replace("\\u200f", "\u200f")
    figures = read_figures("en", "", text, [])
    written = [named(figure).replace("\u200f", "").strip() for figure in figures]
    assert written == expected
    for figure in figures:
        assert text[figure.start : figure.end] == figure.written
        if figure.unit is not None:
            assert text[figure.unit_start : figure.unit_end].strip()


def test_written_numbers() -> None:
    """Seven hundred sentences from the grammars of both languages: each kind of number, and what is none."""
    found = {
        sentence: (expected, [named(figure).strip() for figure in read_figures("en", "", sentence, [])])
        for sentence, expected in read_list("written.tsv")
    }
    assert len(found) > 700
    assert {sentence: both for sentence, both in found.items() if both[0] != both[1]} == {}


@pytest.mark.parametrize(
    ("sentence", "since", "place"),
    [
        ("12 civilians fell in the western countryside of Damascus.", None, "Rif Dimashq"),
        ("12 civilians fell in Damascus countryside, not in the city.", None, "Rif Dimashq"),
        ("12 civilians fell in the deserts of Hama since mid-2023.", "mid-2023", "Hama desert"),
        ("From early 2024 until now 12 civilians fell in Homs and Idlib.", "early 2024", None),
        ("From March 2019 to May 2021 12 civilians fell.", None, None),
        ("Since the start of the year 12 civilians fell in As-Suwayda.", None, "Al-Suwaidaa"),
        ("قتل 12 مدنياً في ريف دمشق منذ بداية عام 2024.", "بداية عام 2024", "Rif Dimashq"),
        ("قتل 12 مدنياً بمدينة دمشق من 2019 إلى 2021.", None, "Damascus"),
        ("قتل 12 مدنياً في حماة منذ عام ٢٠٢٤.", "عام ٢٠٢٤", "Hama"),
        ("Since Sept. 4, 12 civilians fell.", "Sept. 4", None),
        ("قتل 12 مدنياً في ديرالزور.", None, "Deir Ezzor"),
    ],
)
def test_since_when_and_where(sentence: str, since: str | None, place: str | None) -> None:
    """A date that a sentence counts from, and its one place; a span of years is no "since"."""
    figure = read_figures("en", "", sentence, [])[0]
    assert (figure.written, figure.unit) == ("12", "civilians")
    assert (figure.since, figure.place) == (since, place)


@pytest.mark.parametrize("written", ["9" * 16, "9" * 400, "1," + "000," * 130 + "000"])
def test_a_number_too_long_to_be_exact_is_no_figure(written: str) -> None:
    """No value is infinite or rounded."""
    figures = read_figures("en", "", f"• {written} civilians and 3 women.", [])
    assert [figure.value for figure in figures] == [3]


PARTS = st.sampled_from(
    (
        "{} civilians were killed in Homs.",
        "At least {} fighters, including {} officers, left.",
        "• {} ISIS members.",
        "Raids since early 2024 left {} dead:",
        "\u200fمقتل {} مدنيين",
        "- Hama desert: {} operations left {} fatalities:",
        "إصابة {} أشخاص منذ مطلع العام 2023 في ريف حلب.",
        "A line\u00a0with  {} cars, twenty-five homes and 4*4 wheels.",
        "No figure here, only the 3rd of May 2019.",
        "",
        "ki*lled {} wo\u200bmen on 3/18/2019 at 10:30.",
        "Homs\t{}\t{}",
    )
)
DIGITS = st.integers(2, 899).map(str)


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, str]:
    """A title and a text with figures of up to three digits."""
    lines = draw(st.lists(PARTS, min_size=2, max_size=9))
    filled = [line.format(*(draw(DIGITS) for _ in range(2))) for line in lines]
    return filled[0], "\n".join(filled[1:])


@given(texts())
def test_a_figure_stands_where_it_says(text: tuple[str, str]) -> None:
    """Places are code points of the title or the text; sentence and heading contain what they should."""
    title, body = text
    for figure in read_figures("en", title, body, []):
        of = body if figure.line else title
        assert of[figure.start : figure.end] == figure.written
        assert figure.sentence_start <= figure.start < figure.end <= figure.sentence_end
        assert "\n" not in of[figure.sentence_start : figure.sentence_end]
        if figure.heading_start is not None:
            assert body[figure.heading_start : figure.heading_end].endswith(":")
            assert figure.heading_start < figure.start


def test_a_dual_is_its_own_noun() -> None:
    """The unit of شخصين stands where the word does, also in a line with spaces that a reader does not see."""
    text = "وإصابة  شخصين"
    (figure,) = read_figures("ar", "", text, [])
    assert (figure.written, figure.value, figure.unit) == ("شخصين", 2, "people")
    assert (figure.unit_start, figure.unit_end) == (figure.start, figure.end) == (8, 13)


# Here one number says how the other is read
PAIRS = st.sampled_from(
    (
        "{} out of {} houses burnt.",
        "{} in {} children left.",
        "Three in {} children left.",
        "The toll rose by {} to {}.",
    )
)
LINES = st.lists(PARTS.filter(lambda part: "{}" in part) | PAIRS, min_size=1, max_size=4)


@given(LINES, st.data())
def test_remembered_lines_read_the_same(lines: list[str], data: st.DataObject) -> None:
    """A line that was met with other digits reads as one that is met for the first time."""
    numbers = st.sampled_from(
        (
            "1",
            "5",
            "37",
            "0",
            "12",
            "9",
            "10",
            "99",
            "100",
            "1,066",
            "1,5",
            "2,019",
            "2019",
            "1900",
            "13-16",
            "9-2",
        )
    )
    for _ in range(3):
        text = "\n".join(line.format(data.draw(numbers), data.draw(numbers)) for line in lines)
        found = read_figures("en", "", text, [])
        lines_of_figures._by_form.clear()
        lines_of_figures._read_line.cache_clear()
        assert found == read_figures("en", "", text, [])


@given(texts(), st.data())
def test_another_digit_changes_its_figure_alone(text: tuple[str, str], data: st.DataObject) -> None:
    """No other row changes, and of this one nothing but what is written and its value."""
    title, body = text
    before = read_figures("en", title, body, [])
    places = [
        (figure.line, at)
        for figure in before
        for at in range(figure.start, figure.end)
        if (body if figure.line else title)[at].isdecimal()
    ]
    if not places:
        return
    line, at = data.draw(st.sampled_from(places))
    of = body if line else title
    other = data.draw(st.sampled_from([digit for digit in "3456789" if digit != of[at]]))
    changed = of[:at] + other + of[at + 1 :]
    after = read_figures("en", *((title, changed) if line else (changed, body)), [])
    differ = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(differ) == 1
    ((old, new),) = differ
    assert old.line == line and old.start <= at < old.end and new.value != old.value
    assert new == old._replace(written=new.written, value=new.value)


@pytest.mark.parametrize(
    "unit", ["1 ", "1-", "one hundred ", "a half ", "3 killed and ", "\u200f", "مئة و", "number of "]
)
@pytest.mark.parametrize("size", SIZES)
def test_hostile_repetition(unit: str, size: int) -> None:
    """50 KB of one thing after another cost linear time. `make test` tries 20 KB."""
    text = unit * (size // len(unit))
    started = time.process_time()
    read_figures("en", text, text + "\n" + text, [])
    assert time.process_time() - started < 10 * size / 50_000


@pytest.mark.seeds
@pytest.mark.skipif(
    not SEEDS.joinpath("expected.json").is_file(), reason="SOHR_SEEDS names no folder of articles"
)
@pytest.mark.parametrize("name", ["000", "003"])
def test_reference_articles(name: str) -> None:
    """Two real posts give their whole toll block: place, value, noun, since, place name and heading."""
    articles = json.loads(SEEDS.joinpath("expected.json").read_text("utf-8"))
    article = next(one for one in articles if one["file"].startswith(name))
    text = "\n".join(article["lines"])
    found = []
    for figure in read_figures("en", article["title"], text, []):
        heading = None if figure.heading_start is None else text.count("\n", 0, figure.heading_start) + 1
        found.append(
            [figure.line, figure.start, figure.end, figure.value, figure.approx, figure.unit, figure.since,
             figure.place, heading]
        )  # fmt: skip
    assert found == json.loads((HERE / "reference.json").read_text("utf-8"))[name]
