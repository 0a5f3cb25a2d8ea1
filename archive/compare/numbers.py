"""Read the numbers of a sentence: digits of both scripts, and English and Arabic number words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass


def _words(text: str) -> list[str]:
    return text.split()


_SMALL = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen"
)
_ENGLISH = {word: value for value, word in enumerate(_SMALL.split(), 1)} | {
    word: value
    for value, word in zip(
        range(20, 100, 10), _words("twenty thirty forty fifty sixty seventy eighty ninety"), strict=True
    )
}
_ONES = "|".join(_SMALL.split()[:9])
_TENS = "|".join(word for word, value in _ENGLISH.items() if value >= 20)
_TEENS = "|".join(_SMALL.split()[9:])
_UP_TO_99 = (
    rf"(?:(?:{_TENS})(?:[ \-‐‑–](?:{_ONES})\b)?|{_TEENS}"
    rf"|(?<!\bno )(?:{_ONES})(?!(?<=one)(?:[-‐‑–]\w| another\b)))"
)
_UP_TO_999 = rf"(?:(?:{_UP_TO_99} )?hundred(?: (?:and )?{_UP_TO_99}\b)?|{_UP_TO_99})"
_ENGLISH_NUMBER = rf"\b(?:(?:{_UP_TO_999} )?thousand(?: (?:and )?{_UP_TO_999}\b)?|{_UP_TO_999})\b"

# Spelt without hamza on alif (see `_ALIF`). Vague plurals (عشرات, مئات, آلاف) are no numbers; الاثنين is
# Monday.
_ARABIC_ONES = {
    "واحد": 1, "واحدة": 1, "اثنان": 2, "اثنين": 2, "اثنتان": 2, "اثنتين": 2, "ثلاثة": 3, "ثلاث": 3,
    "اربعة": 4, "اربع": 4, "خمسة": 5, "خمس": 5, "ستة": 6, "ست": 6, "سبعة": 7, "سبع": 7,
    "ثمانية": 8, "ثماني": 8, "ثمان": 8, "تسعة": 9, "تسع": 9,
}  # fmt: skip
_ARABIC_TENS = {
    ten + ending: value
    for value, ten in zip(
        range(20, 100, 10), ("عشر", "ثلاث", "اربع", "خمس", "ست", "سبع", "ثمان", "تسع"), strict=True
    )
    for ending in ("ون", "ين")
}
_ARABIC_TEENS = {"احد": 11, "احدى": 11, "اثنا": 12, "اثني": 12, "اثنتا": 12, "اثنتي": 12} | {
    word: 10 + value for word, value in _ARABIC_ONES.items() if value > 2
}
# Duals. مدنيين, مقاتلين, مسلحين, مواطنين are also plurals, so only their -ان is two.
_ARABIC_DUALS = (
    _words("شخص طفل عنصر جندي قتيل جريح شهيد رجل شاب امرات طفلت سيدت ضابط مراة"),
    _words("مدني مقاتل مسلح مواطن"),
)
_ARABIC = (
    _ARABIC_ONES
    | _ARABIC_TENS
    | {f"{teen} {ten}": value for teen, value in _ARABIC_TEENS.items() for ten in ("عشر", "عشرة")}
    | {
        f"{one} و{ten}": v + w
        for one, v in (_ARABIC_ONES | {"احد": 1, "احدى": 1}).items()
        for ten, w in _ARABIC_TENS.items()
    }
    | {f"{one} الاف": value * 1000 for one, value in _ARABIC_ONES.items() if value > 2}
    | {
        one + hundred: _ARABIC_ONES[one] * 100
        for one in _words("ثلاث اربع خمس ست سبع ثمان ثماني تسع")
        for hundred in ("مئة", "مائة")
    }
    | {"عشرة": 10, "عشر": 10, "عشرة الاف": 10_000, "مئة": 100, "مائة": 100, "الف": 1000, "الفا": 1000}
    | dict.fromkeys(("مئتان", "مئتين", "مئتي", "مائتان", "مائتين", "مائتي"), 200)
    | dict.fromkeys(("الفان", "الفين", "الفي"), 2000)
    | dict.fromkeys((noun + "ان" for nouns in _ARABIC_DUALS for noun in nouns), 2)
    | dict.fromkeys((noun + "ين" for noun in _ARABIC_DUALS[0]), 2)
)
_ALIF = str.maketrans("أإآ", "ااا")  # one character for one, so that positions hold

_NUMBER = re.compile(
    # 1,066 and 1٬066 (whole groups of three: "3,5" is two numbers), decimals ("29.6.2014" is three), any
    # digits
    r"(?P<digits>(?<!\d)\d{1,3}(?:[,٬]\d{3})+(?!\d)(?:[.٫]\d+(?![.٫]?\d))?"
    r"|(?<!\d)(?<!\d[.٫])\d+[.٫]\d+(?![.٫]?\d)|\d+)"
    rf"|(?<!\w)(?:(?=[efhnost])(?P<english>{_ENGLISH_NUMBER})"
    rf"|[وب]?(?=[{''.join(sorted({word[0] for word in _ARABIC}))}])"
    rf"(?P<arabic>{'|'.join(sorted(_ARABIC, key=len, reverse=True))})(?!\w))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written, and its value: ASCII digits without separators or leading zeros."""

    text: str
    value: str
    start: int
    end: int


def _value(kind: str, text: str) -> str:
    if kind == "arabic":
        return str(_ARABIC[text.translate(_ALIF)])
    if kind == "english":
        total = part = 0
        for word in re.findall("[a-z]+", text.lower()):
            if word == "thousand":
                total, part = total + max(part, 1) * 1000, 0
            elif word == "hundred":
                part = max(part, 1) * 100
            else:
                part += _ENGLISH.get(word, 0)  # 0: "and"
        return str(total + part)
    if not text.isascii():
        text = (
            "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
            .replace("٬", ",")
            .replace("٫", ".")
        )
    whole, _, decimals = text.replace(",", "").partition(".")
    return (whole.lstrip("0") or "0") + ("." + decimals.rstrip("0") if decimals.strip("0") else "")


def find_numbers(plain: str) -> list[Number]:
    """Every number of a sentence in order; dates, years and model names (T-72) count too."""
    found = []
    for m in _NUMBER.finditer(plain.translate(_ALIF)):
        kind = m.lastgroup or "digits"
        start, end = m.span(kind)
        found.append(Number(plain[start:end], _value(kind, plain[start:end]), start, end))
    return found
