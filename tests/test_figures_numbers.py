"""Four hundred written numbers in invented sentences, made by grammar tables of this test's own."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest

from archive.compare.numbers import find_numbers


def words(text: str) -> list[str]:
    return text.split()


EN_SMALL = words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
EN_TENS = words("- - twenty thirty forty fifty sixty seventy eighty ninety")
AR_MASCULINE = words("- واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة عشرة")
AR_FEMININE = words("- واحدة اثنتان ثلاث أربع خمس ست سبع ثماني تسع عشر")
AR_TENS = words("- - عشر ثلاث أربع خمس ست سبع ثمان تسع")
AR_HUNDREDS = words("- مئة مئتان ثلاثمئة أربعمئة خمسمئة ستمئة سبعمئة ثمانمئة تسعمئة")
EN_SENTENCES = (
    "Observers in Tel Zafran documented the departure of {} families towards the river.",
    "{} soldiers reached the empty quarry at Wadi Sarab before dawn.",
    "The council of Kafr Nuhas, which lost {} houses to the flood, met again.",
    "Smoke was seen; the depot (it held {} crates) burnt for a day.",
)
AR_SENTENCES = (
    "وثق مراقبون في تل الزعفران مغادرة {} من السكان نحو النهر.",
    "وصل {} من العمال إلى المقلع القديم قبل الفجر.",
    "فقدت بلدة كفر نحاس {} من المنازل بسبب السيول.",
    "أحصى المجلس {} صناديق، ثم أغلق المستودع.",
)


def english(n: int, hundred_and: str = " and ", tie: str = "-") -> str:
    """A cardinal in words."""
    if n < 20:
        return EN_SMALL[n]
    if n < 100:
        return EN_TENS[n // 10] + (tie + EN_SMALL[n % 10] if n % 10 else "")
    if n < 1000:
        rest = hundred_and + english(n % 100, hundred_and, tie) if n % 100 else ""
        return f"{EN_SMALL[n // 100]} hundred{rest}"
    for size, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand")):
        if n >= size:
            rest = n % size
            join = hundred_and if rest < 100 else " "
            more = join + english(rest, hundred_and, tie) if rest else ""
            return f"{english(n // size, hundred_and, tie)} {name}{more}"
    raise AssertionError(n)


def arabic_below_hundred(n: int, ones: list[str], case: str) -> str:
    dual = "ان" if case == "ون" else "ين"
    named = ones[n % 10].replace("اثنان", f"اثن{dual}").replace("اثنتان", f"اثنت{dual}")
    if n <= 10:
        return ones[10] if n == 10 else named
    if n < 20:
        eleven, ten = ("أحد", "عشر") if ones is AR_MASCULINE else ("إحدى", "عشرة")
        return f"{eleven if n == 11 else named.removesuffix('ن')} {ten}"
    return (f"{named} و" if n % 10 else "") + AR_TENS[n // 10] + case


def arabic(n: int, ones: list[str] = AR_MASCULINE, case: str = "ون") -> str:
    """A cardinal in words; ``case`` ون is the nominative, ين the other cases."""
    dual = "ان" if case == "ون" else "ين"
    if n < 100:
        return arabic_below_hundred(n, ones, case)
    if n < 1000:
        hundreds = f"مئت{dual}" if n // 100 == 2 else AR_HUNDREDS[n // 100]
        return hundreds + (" و" + arabic(n % 100, ones, case) if n % 100 else "")
    for size, one, many in ((10**6, "مليون", "ملايين"), (1000, "ألف", "آلاف")):
        if n >= size:
            count, rest = divmod(n, size)
            counted = {1: one, 2: one + dual}.get(count)
            if counted is None:
                noun = many if 3 <= count % 100 <= 10 else one
                counted = f"{arabic(count, AR_MASCULINE, case)} {noun}"
            return counted + (" و" + arabic(rest, ones, case) if rest else "")
    raise AssertionError(n)


def english_list() -> Iterator[tuple[str, str]]:
    for n in (*range(2, 42), 50, 67, 78, 84, 99, 100, 101, 110, 115, 120, 199, 206, 250, 345, 512, 870, 999):
        yield english(n), str(n)
    chosen = random.Random(19)
    for n in (chosen.randrange(1000, 10 ** chosen.randrange(4, 10)) for _ in range(72)):
        yield english(n), str(n)
    for n in (125, 348, 2016, 7350, 12_605, 250_000):
        yield english(n, hundred_and=" "), str(n)
        yield english(n, tie=" "), str(n)
        yield english(n).capitalize(), str(n)
        yield english(n).replace(" ", "-"), str(n)
    for size, name in ((1000, "thousand"), (10**6, "million"), (10**9, "billion")):
        for written, tenths in (("12", 120), ("1.5", 15), ("3", 30), ("2.7", 27), ("0.5", 5), ("640", 6400)):
            yield f"{written} {name}", str(tenths * size // 10)
        yield f"half a {name}", str(size // 2)
        yield f"a {name}", str(size)
        yield f"a quarter of a {name}", str(size // 4)
        yield f"two and a half {name}", str(size * 5 // 2)
        yield f"a {name} and a half", str(size * 3 // 2)
    yield from (("a hundred", "100"), ("a hundred and six", "106"), ("half a dozen", "6"), ("a dozen", "12"))
    yield from (("two dozen", "24"), ("three dozen", "36"), ("three quarters of a million", "750000"))
    yield from (
        ("1,066", "1066"),
        ("40,000", "40000"),
        ("12,345.6", "12345.6"),
        ("007", "7"),
        ("3.50", "3.5"),
    )
    yield from (("2 million and 300 thousand", "2300000"), ("one-and-a-half million", "1500000"))
    for n in (*range(11, 20), 21, 25, 34, 47, 58, 63, 72, 89, 96):
        yield f"{english(n)} hundred", str(100 * n)
        yield f"{english(n)} hundred and {english(100 - n)}", str(100 * n + 100 - n)
    for n in (2506, 17_411, 305_999, 7_240_118):  # as style guides put the comma
        yield english(n).replace("thousand ", "thousand, ").replace("million ", "million, "), str(n)


def arabic_ones_after_eleven() -> Iterator[tuple[str, str]]:
    """Twenty-one to ninety-one with the word for one that eleven has."""
    for n in range(20, 100, 10):
        for one, case in (("إحدى", "ون"), ("إحدى", "ين"), ("أحد", "ون")):
            yield f"{one} و{AR_TENS[n // 10]}{case}", str(n + 1)
            yield f"مئة و{one} و{AR_TENS[n // 10]}{case}", str(n + 101)


def arabic_list() -> Iterator[tuple[str, str]]:
    for n in (
        *range(3, 33),
        45,
        59,
        68,
        77,
        99,
        100,
        103,
        111,
        112,
        125,
        200,
        202,
        217,
        350,
        468,
        583,
        619,
        999,
    ):
        yield arabic(n), str(n)
    for n in (*range(3, 20), 21, 34, 48, 95, 206, 512, 743):
        yield arabic(n, AR_FEMININE, "ين"), str(n)
    yield from arabic_ones_after_eleven()
    chosen = random.Random(91)
    for n in (chosen.randrange(1000, 10 ** chosen.randrange(4, 9)) for _ in range(40)):
        yield arabic(n), str(n)
    for n in (100, 106, 325, 800, 2400):
        yield arabic(n).replace("مئة", "مائة"), str(n)
        yield "و~" + arabic(n), str(n)
        yield arabic(n).replace("أ", "ا"), str(n)
    for n in (3, 7, 15, 42, 160, 2016):
        yield arabic(n).replace("ة", "ه"), str(n)
        yield "ب~" + arabic(n), str(n)
    eastern = str.maketrans("0123456789.,", "٠١٢٣٤٥٦٧٨٩٫٬")
    for written, value in (
        ("7", "7"),
        ("148", "148"),
        ("1,066", "1066"),
        ("40,000", "40000"),
        ("3.5", "3.5"),
    ):
        yield written.translate(eastern), value
        yield f"{written.translate(eastern)} ألف", format(float(value) * 1000, ".0f")
    for size, one, many in ((1000, "ألف", "آلاف"), (10**6, "مليون", "ملايين"), (10**9, "مليار", "مليارات")):
        for written, times in ((f"نصف {one}", 0.5), (f"ربع {one}", 0.25), (one, 1), (f"{one} ونصف", 1.5)):
            yield written, str(int(times * size))
        for written, times in ((f"{one}ين", 2), (f"{one}ان", 2), (f"{one}ي", 2), (f"{one}ين ونصف", 2.5)):
            yield written, str(int(times * size))
        for written, times in (
            (f"5 {many}", 5),
            (f"12 {one}اً", 12),
            (f"1.5 {one}", 1.5),
            (f"عشرة {many}", 10),
        ):
            yield written, str(int(times * size))
    for dual in words("شخصين شخصان طفلان طفلتين جنديين عنصران قتيلين جريحان غارتين عمليتان مدنيان مقاتلان"):
        yield dual, "2"
    for written, value in (("مليون و300 ألف", 1_300_000), ("ألف و200", 1200), ("مئتي ألف", 200_000)):
        yield written, str(value)
    for written, value in (("مئتا", 200), ("مائتي", 200), ("ثلاث مئة", 300), ("خمسمائة ألف", 500_000)):
        yield written, str(value)


GOLDEN = [*english_list(), *arabic_list()]


def test_there_are_four_hundred_and_half_are_arabic() -> None:
    assert len([*english_list()]) >= 200 <= len([*arabic_list()])


@pytest.mark.parametrize("place", range(4))
def test_every_written_number_is_read(place: int) -> None:
    """Each number is found alone in its sentence, whole, with its value."""
    wrong = []
    for written, value in GOLDEN:
        sentences = AR_SENTENCES if re.search("[ء-ي٠-٩]", written) else EN_SENTENCES
        sentence = sentences[place].format(written.replace("~", ""))
        plain = sentence.replace("\u064b", "")  # comparison removes vowel marks
        found = find_numbers(plain)
        bare = written.replace("\u064b", "").rpartition("~")[2]  # without "and" and "in"
        places = [plain[n.start : n.end] for n in found]
        if [(n.text, n.value) for n in found] != [(bare, value)] or places != [bare]:
            wrong.append((written, value, found))
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("between two hundred and three hundred", ["200", "300"]),
        ("five thousand and six thousand", ["5000", "6000"]),
        ("twenty-first, the first, one hundredth, the third, no one, one another, one-sided", []),
        ("several hundred, a few thousand, dozens, tens of thousands, hundreds of thousands", []),
        ("عشرات، مئات، آلاف، بضعة آلاف، عشرات الآلاف", []),
        ("الخامس عشر والثالثة عشرة والخامس والعشرين، بالمئة، في المائة، شارع الثلاثين", []),
        ("قتل ثلاثة وأصيب خمسة", ["3", "5"]),
        ("مئة وثلاثة آلاف", ["103000"]),
        ("two thousand 500, twenty 5", ["2000", "500", "20", "5"]),
    ],
)
def test_what_is_one_number_and_what_is_none(text: str, values: list[str]) -> None:
    """Ordinals, vague amounts and percent are no numbers; two numbers side by side stay two."""
    assert [number.value for number in find_numbers(text)] == values
