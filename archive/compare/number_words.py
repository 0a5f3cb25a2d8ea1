"""English and Arabic words that numbers are made of, each with its role in a number."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple


class Word(NamedTuple):
    """``role``: n digits, o 1 to 9, e a stem of 11 and 12, t 10 to 19, d tens, h hundred, f 200 to 900 in one
    word, s scale, S scale in the plural, w twice a scale, q a part of a scale, p a part that is added,
    x complete."""

    role: str
    value: Decimal


def _words(text: str) -> list[str]:
    return text.split()


def _entries(role: str, words: str, values: Iterable[float]) -> dict[str, Word]:
    """A word, or several with / between them, for each value."""
    found = zip(words.split(), values, strict=True)
    return {form: Word(role, Decimal(str(value))) for forms, value in found for form in forms.split("/")}


_SCALES = (10**3, 10**6, 10**9, 10**12)
_TENS = range(20, 100, 10)
ENGLISH = (
    _entries("o", "one two three four five six seven eight nine", range(1, 10))
    | _entries(
        "t",
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
        range(10, 20),
    )
    | _entries("d", "twenty thirty forty/fourty fifty sixty seventy eighty ninety", _TENS)
    | _entries("h", "hundred", (100,))
    | _entries("s", "dozen thousand million billion trillion", (12, *_SCALES))
    | _entries("S", "thousands millions billions trillions", _SCALES)
)
PARTS = {"half": Decimal("0.5"), "quarter": Decimal("0.25"), "quarters": Decimal("0.75")}
# Spelt as `fold_letters` leaves them. Vague plurals (عشرات, مئات) are no numbers; الاثنين is Monday.
_DUALS = _words(
    "شخص طفل عنصر جندي قتيل جريح شهيد رجل شاب امرات طفلت سيدت ضابط فتات غارت عمليت هجوم ضربت صاروخ قذيفت"
    " عبوت لغم انفجار سيارت مدنيت شقيق اسير جثت عائلت اسرت رضيع قائد عضو رهينت منزل دبابت اليت شاحنت"
    " مروحيت مسيرت برميل دراجت حافلت"
)
# مدنيين, مقاتلين, معتقلين are also plurals, so only their -ان is two
_DUALS_IN_AN = _words("مدني مقاتل مسلح مواطن معتقل صحفي مسعف عامل لاجئ نازح")
_HUNDREDS = _words("ثلاث اربع خمس ست سبع ثمان/ثماني تسع")
ARABIC = (
    _entries(
        "o",
        "واحد/واحده اثنان/اثنين/اثنتان/اثنتين ثلاثه/ثلاث اربعه/اربع خمسه/خمس سته/ست سبعه/سبع"
        " ثمانيه/ثماني/ثمان تسعه/تسع",
        range(1, 10),
    )
    | _entries("e", "احد/احدي اثنا/اثني/اثنتا/اثنتي", (1, 2))
    | _entries("t", "عشره/عشر", (10,))
    | {
        stem + ending: Word("d", Decimal(value))
        for value, stem in zip(_TENS, _words("عشر ثلاث اربع خمس ست سبع ثمان تسع"), strict=True)
        for ending in ("ون", "ين")
    }
    | _entries("h", "مئه/مائه", (100,))
    | {
        stem + hundred: Word("f", Decimal(value))
        for value, stems in zip(range(300, 1000, 100), _HUNDREDS, strict=True)
        for stem in stems.split("/")
        for hundred in ("مئه", "مائه")
    }
    | _entries("f", "مئتان/مئتين/مئتي/مئتا/مائتان/مائتين/مائتي/مائتا", (200,))
    | _entries("s", "الف/الفا مليون/مليونا مليار/مليارا/بليون تريليون", _SCALES)
    | _entries("S", "الاف ملايين مليارات/بلايين تريليونات", _SCALES)
    | _entries(
        "w",
        "الفان/الفين/الفي مليونان/مليونين/مليوني ملياران/مليارين/ملياري",
        [2 * scale for scale in _SCALES[:3]],
    )
    | _entries("q", "نصف ربع", (0.5, 0.25))
    | {noun + "ان": Word("x", Decimal(2)) for noun in (*_DUALS, *_DUALS_IN_AN)}
    | {noun + "ين": Word("x", Decimal(2)) for noun in _DUALS}
)
_SPELLINGS = (*((alif, "ا") for alif in "أإآٱ"), ("ة", "ه"), ("ى", "ي"), ("ی", "ي"))
_PREFIXES = ("و", "ب", "وب", "ل", "ك", "ف", "ول", "ال", "وال", "بال", "لل", "وبال")


def fold_letters(text: str) -> str:
    """One spelling of Arabic letters, one for one, so that places hold."""
    for letter, plain in () if text.isascii() else _SPELLINGS:
        text = text.replace(letter, plain)
    return text


@lru_cache(maxsize=1 << 14)
def find_arabic(word: str) -> tuple[str, Word] | None:
    """What is written together with a number word (and, the, in), and the word; None for other words."""
    if word in ARABIC:
        return "", ARABIC[word]
    for prefix in _PREFIXES:
        found = ARABIC.get(word[len(prefix) :]) if word.startswith(prefix) else None
        if found is None or (prefix not in ("و", "ب", "وب") and len(word) < len(prefix) + 4):
            continue  # "لست" is "I am not"
        # "بالمئة" is percent, "الاثنين" Monday
        if prefix.endswith(("ال", "لل")) and not (
            found.role in "dx" or (word[-1] == "ه" and found.role in "ot")
        ):
            continue
        return prefix, found
    return None
