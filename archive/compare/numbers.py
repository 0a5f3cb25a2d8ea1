"""Read the numbers of a sentence: digits of all scripts, and English and Arabic number words.

Words are tokens (one, twenty, hundred, thousand, half; Arabic alike). Tokens that stand together are one
number: ones after tens in English and before them in Arabic, hundreds, then falling scales.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from archive.compare.number_words import ARABIC, ENGLISH, PARTS, find_arabic, fold_letters


class Number(NamedTuple):
    """A number as written, and its value: ASCII digits without separators or leading zeros.

    ``scale`` is 1,000 for "12 thousand" and 1 for "12" and "12,000": a range may leave it out once.
    ``is_dual``: a noun that says two by its form (شخصين).
    """

    text: str
    value: str
    start: int
    end: int
    scale: int = 1
    is_dual: bool = False


_SCALE = "(?:hundred|dozen|thousand|million|billion|trillion)"
# Words and numbers of a folded text. 1,066, 1٬066, 1'066 and 1 066 (whole groups of three: "3,5" is two
# numbers), decimals ("29.6.2014" is three; "1,5 million" is one), any digits
# It begins with its digit, so that a search skips all else
_WITH_DIGITS = (
    r"\d(?:\d*+(?=[^\d.,٬،٫'’ ]| \D|$)|(?<!\d\d)\d{0,2}(?:[,٬،'’]\d{3})+(?!\d)(?:[.٫]\d+(?![.٫]?\d))?"
    r"|(?<![\w.,٬٫:/-]\d)(?<!\d \d)(?<!0)\d{0,2}(?: \d{3})+(?![\d,]| \d|[.:/]\d)"
    r"|(?<![\d.]\d)\d{0,2}(?:\.\d{3}){2,}(?![.]?\d)"
    r"|(?<!\d\d)(?<!\d[.٫]\d)\d*[.٫]\d+(?![.٫]?\d)"
    r"|(?<![\d.,٫٬]\d)\d{0,2},\d{1,2}(?= (?:million|billion|مليون|مليار))|\d*)"
)
_SEPARATORS = str.maketrans({"٬": ",", "،": ",", "'": ",", "’": ",", " ": ",", "٫": "."})
_DIGITS = re.compile(_WITH_DIGITS)
_TOKEN = re.compile(rf"(?<!\w)([a-z]+|[ء-ي]+)(?!\w)|{_WITH_DIGITS}")
# What begins with a, and, half, quarter or three and is one token
_SPECIAL = re.compile(
    rf"(?P<q>(?:an? )?(?:half|quarter|three[- ]quarters)(?: of)?(?:[ -]an?)?)(?=[ -]{_SCALE}\b)"
    rf"|(?P<p>and[ -]an?[ -](?:half|quarter))\b|(?P<o>an?)(?=[ -]{_SCALE}\b)"
)
_BEGIN_SPECIAL = frozenset(("a", "an", "and", "half", "quarter", "three"))
_NEEDED = ENGLISH.keys() | {"half", "quarter"}  # without one of these there is no number in English words
_ENGLISH_WORD = re.compile("[a-z]+")
_ARABIC_LETTER = re.compile("[ء-ي]")
_TIGHT = frozenset(" -‐‑–")  # between two words of one number
_AND = frozenset((" and ", "-and-"))
_WA = (" و", " و ")
_IS_VAGUE = re.compile(r"\b(?:several|few|many|couple(?: of)?|tens of|dozens of)[ -]$", re.IGNORECASE)
_ORDINALS = (
    "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|\\w+teenth|\\w+tieth"
)
_IS_ORDINAL = re.compile(rf"(?:[ -]|[ -]and[ -])(?:{_ORDINALS}|hundredth|thousandth)\b", re.IGNORECASE)
_THE_SCALE = re.compile(r" ال(?:الف|مليون|مليار)(?!\w)")  # "مليون ونصف المليون"
_IS_CONSTRUCT = re.compile(r"ا \w")
# الخامس عشر, الثانية عشرة
_AFTER_ORDINAL = re.compile(r"(?:حادي|ثاني|ثالث|رابع|خامس|سادس|سابع|ثامن|تاسع)ه? و?(?:ال)?$")


class _Token(NamedTuple):
    role: str
    value: Decimal | None  # None for digits: read when needed
    start: int
    end: int
    prefix: str
    is_arabic: bool


def _tokens(plain: str, folded: str) -> Iterator[_Token]:
    end = 0
    for match in _TOKEN.finditer(folded):
        if match.start() < end:
            continue  # within the token before
        word = match[1]
        if word is None:
            token: _Token | None = _Token("n", None, match.start(), match.end(), "", False)
        elif word < "{":
            token = _english(folded, word, match.start())
        else:
            token = _arabic(plain, folded, word, match.start())
        if token:
            end = token.end
            yield token


def _english(folded: str, word: str, start: int) -> _Token | None:
    if word in _BEGIN_SPECIAL and (special := _SPECIAL.match(folded, start)):
        role = special.lastgroup or ""
        value = Decimal(1) if role == "o" else PARTS[re.findall("half|quarters?", special[0])[-1]]
        return _Token(role, value, start, special.end(), "", False)
    found = ENGLISH.get(word)
    return _Token(found.role, found.value, start, start + len(word), "", False) if found else None


def _arabic(plain: str, folded: str, word: str, start: int) -> _Token | None:
    end = start + len(word)
    is_and = word in ("واحد", "واحدي") and (folded.startswith(" عشر", end) or plain[start + 1] == "أ")
    found = ("و", ARABIC["احد"]) if is_and else find_arabic(word)  # وأحد is no واحد
    if found is None:
        return None
    prefix, known = found
    if known.role == "q" and (the_scale := _THE_SCALE.match(folded, end)):
        end = the_scale.end()
    return _Token(known.role, known.value, start + len(prefix), end, prefix, True)


class _Sentence:
    """The tokens of a sentence. The methods read from token ``i`` and return a value with the next token."""

    def __init__(self, plain: str, folded: str) -> None:
        self.plain, self.folded = plain, folded
        self.tokens = list(_tokens(plain, folded))

    def _gap(self, i: int) -> str:
        """What stands before token ``i``, back to the token before it."""
        return self.plain[self.tokens[i - 1].end : self.tokens[i].start]

    def _role(self, i: int, gaps: frozenset[str] | tuple[str, ...]) -> str:
        """The role of token ``i`` if one of the gaps is before it, else "-"."""
        return self.tokens[i].role if 0 < i < len(self.tokens) and self._gap(i) in gaps else "-"

    def _value(self, i: int) -> Decimal:
        token = self.tokens[i]
        if token.value is not None:
            return token.value
        is_scaled = self._role(i + 1, _TIGHT) in "sS"
        return Decimal(_digits(self.plain[token.start : token.end], is_scaled))

    def _tail_gaps(self, i: int) -> frozenset[str] | tuple[str, ...]:
        """What may stand before a smaller part after token ``i``."""
        if any(token.is_arabic for token in self.tokens[i : i + 2]):
            return _WA
        return _TIGHT | _AND

    def _below_hundred(self, i: int) -> tuple[Decimal, int] | None:
        token = self.tokens[i]
        value = self._value(i)
        if token.role in "oe" and token.is_arabic:
            if self._role(i + 1, (" ",)) == "t" and not self.tokens[i + 1].prefix:
                return value + 10, i + 2
            if self._role(i + 1, (*_WA, " وال")) == "d" and self.tokens[i + 1].is_arabic:
                return value + self._value(i + 1), i + 2
        if token.role == "d" and token.prefix.endswith("ال"):
            return None  # a street's name, a day, a century
        if token.role == "d" and not token.is_arabic and self._role(i + 1, _TIGHT) == "o":
            return value + self._value(i + 1), i + 2
        if token.role == "t" and token.is_arabic and _AFTER_ORDINAL.search(self.folded, 0, token.start):
            return None
        return (value, i + 1) if token.role in "otd" else None

    def _group(self, i: int) -> tuple[Decimal, int] | None:
        """A number below 1,000, or digits."""
        role = self.tokens[i].role
        if role == "n":
            return self._value(i), i + 1
        if role in "hf":
            value, end = self._value(i), i + 1
        else:
            below = self._below_hundred(i)
            if below is None or self._role(below[1], _TIGHT) != "h":
                return below
            value, end = below[0] * 100, below[1] + 1  # "twelve hundred" too
        if self._role(end, self._tail_gaps(end - 1)) in "oetd":
            tail = self._below_hundred(end)
            if tail and self._role(tail[1], _TIGHT) != "h":  # "two hundred and three hundred"
                return value + tail[0], tail[1]
        return value, end

    def _part(self, i: int) -> tuple[Decimal, int, int] | None:
        """Value, scale and next token of a group with its scale."""
        role, value = self.tokens[i].role, Decimal(1)
        end = i
        if role == "w":
            scale, value, end = int(self._value(i) / 2), Decimal(2), i + 1
        elif role == "s":
            scale, end = int(self._value(i)), i + 1
            if _IS_CONSTRUCT.match(self.folded, self.tokens[i].end - 1):
                value = Decimal(2)  # "مليونا شخص": a dual that has lost its last letter
        else:
            found = (self._value(i), i + 1) if role == "q" else self._group(i)
            if found is None:
                return None
            value, end = found
            if self._role(end, _TIGHT) == "p":
                value, end = value + self._value(end), end + 1
            if self._role(end, _TIGHT) not in "sS" or self.tokens[end].prefix:
                return None if role == "q" else (value, 1, end)
            scale, end = int(self._value(end)), end + 1
        more, end = self._half(end, scale)
        return value * scale + more, scale, end

    def _half(self, i: int, scale: int) -> tuple[Decimal, int]:
        """The part of a scale after it, if one is there: "a million and a half", "مليون ونصف المليون"."""
        if self._role(i, (" ",)) != "p" and self._role(i, _WA) not in "pq":
            return Decimal(0), i
        is_said_twice = self._role(i + 1, (" ",)) == "s" and self._value(i + 1) == scale
        return self._value(i) * scale, i + 1 + is_said_twice

    def number(self, i: int) -> tuple[Number | None, int]:
        """The number that begins with token ``i``, if one does."""
        start, token = i, self.tokens[i]
        needed = {"S": "", "p": "", "q": "s", "e": "td"}.get(token.role)  # the roles of the next token
        if needed is not None and self._role(i + 1, _TIGHT.union(_WA)) not in needed:
            return None, i + 1
        if token.role in "nx" and self._role(i + 1, _TIGHT) not in "sSp":  # by far the most
            is_said_twice = token.role == "x" and self._role(i + 1, (" ",)) == "o" and self._value(i + 1) == 2
            after = i + 1 + is_said_twice  # "صاروخان اثنان"
            return self._made(start, after, None, 1), after
        part = self._part(i)
        if part is None:
            return None, i + 1
        value, scale, i = part
        first = scale
        while scale >= 1000 and self._has_tail(i):
            part = self._part(i)
            if part is None or part[1] >= scale or part[0] >= scale:
                break  # "five thousand and six thousand"
            if self.tokens[i].role == "n" and part[1] == 1 and not self.tokens[i - 1].is_arabic:
                break  # "two thousand 500"
            value, scale, i = value + part[0], part[1], part[2]
            first = 1
        return self._made(start, i, value, first), i

    def _has_tail(self, i: int) -> bool:
        """Whether token ``i`` may go on with the scale before it: "two thousand, five hundred and six"."""
        if self._role(i, self._tail_gaps(i - 1)) in "noetdhfsw":
            return True
        if self._role(i, (", ",)) not in "otd" or self.tokens[i].is_arabic:
            return False
        if self._role(i + 1, _TIGHT) == "h":
            return not self.folded.startswith(" of", self.tokens[i + 1].end)
        after = i + 2 if self._role(i + 1, _TIGHT) == "o" else i + 1  # "two million, thirty-five thousand"
        return self._role(after, _TIGHT) == "s"

    def _made(self, first: int, after: int, value: Decimal | None, scale: int) -> Number | None:
        token, last = self.tokens[first], self.tokens[after - 1]
        written = self.plain[token.start : last.end]
        if value is None and token.role == "n":
            return Number(written, _digits(written), token.start, last.end)
        if not token.is_arabic and self._is_no_number(token, last, after - first):
            return None
        number = format((token.value if value is None else value) or Decimal(0), "f")
        number = number.rstrip("0").rstrip(".") if "." in number else number
        return Number(written, number, token.start, last.end, scale, token.role == "x")

    def _is_no_number(self, token: _Token, last: _Token, count: int) -> bool:
        """Several hundred, twenty-first, no one, one another, one-sided."""
        before = self.plain[max(0, token.start - 12) : token.start]
        if token.role in "hs" and _IS_VAGUE.search(before):
            return True
        if last.role in "dhs" and _IS_ORDINAL.match(self.plain, last.end):
            return True
        if token.role != "o" or count > 1:
            return False
        if re.search(r"\bno $", before, re.IGNORECASE):
            return True
        after = self.plain[last.end : last.end + 12]
        if re.match("[ -](?:hundred|thousand)th", after):
            return True
        return token.value == 1 and bool(re.match(r"[-‐‑–]\w| another\b", after))


def _digits(text: str, is_scaled: bool = False) -> str:
    """``is_scaled``: a thousand or a million follows, so that 1.066 is no count of whole things."""
    if text.isdecimal() and text.isascii() and text[0] != "0":
        return text
    if not text.isascii():
        text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    text = text.translate(_SEPARATORS)
    if re.fullmatch(r"\d+,\d{1,2}", text):
        text = text.replace(",", ".")  # "1,5 million"
    elif text.count(".") > 1 or (not is_scaled and re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", text)):
        text = text.replace(".", "")
    whole, _, decimals = text.replace(",", "").partition(".")
    return (whole.lstrip("0") or "0") + ("." + decimals.rstrip("0") if decimals.strip("0") else "")


def find_numbers(plain: str) -> list[Number]:
    """Every number of a sentence in order; dates, years and model names (T-72) count too."""
    lower = plain.lower()
    folded = fold_letters(lower if len(lower) == len(plain) else plain)
    is_english = folded.isascii() or not _ARABIC_LETTER.search(folded)
    if is_english and _NEEDED.isdisjoint(_ENGLISH_WORD.findall(folded)):
        return [Number(m[0], _digits(m[0]), m.start(), m.end()) for m in _DIGITS.finditer(plain)]
    sentence = _Sentence(plain, folded)
    found, i = [], 0
    while i < len(sentence.tokens):
        number, i = sentence.number(i)
        if number:
            found.append(number)
    return found
