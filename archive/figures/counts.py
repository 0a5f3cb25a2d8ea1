"""The counts of a sentence: its numbers without dates, times, measures and names; ranges, and how exact."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from archive.compare.numbers import Number, find_numbers

MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
    "|Jan\\.?|Feb\\.?|Aug\\.?|Sept?\\.?|Oct\\.?|Nov\\.?|Dec\\.?"
    "|كانون الثاني|كانون الأول|كانون الاول|تشرين الأول|تشرين الاول|تشرين الثاني|شباط|آذار|اذار|نيسان"
    "|أيار|ايار"
    "|حزيران|تموز|آب|أيلول|ايلول|يناير|فبراير|مارس|أبريل|ابريل|إبريل|مايو|يونيو|يوليو|أغسطس|اغسطس"
    "|سبتمبر|أكتوبر|اكتوبر"
    "|نوفمبر|ديسمبر"
)
_MEASURES = (
    "(?:square |cubic )?(?:km|kms|kilomet(?:er|re)s?|met(?:er|re)s?|cm|mm|m|miles?|feet|foot|hectares?"
    "|acres?|dunums?|kg|kgs"
    "|kilograms?|tons?|tonnes?|lit(?:er|re)s?|barrels? of oil|degrees?|calibers?|calibres?)[²³2]?"
    "|(?:(?:more|last|past|full|long|consecutive|straight|successive)[ -])?(?:seconds?|minutes?|hours?"
    "|days?|nights?|weeks?|months?|years?|decades?|centur(?:y|ies))"
    "|am|pm|a\\.m|p\\.m|o['’]clock|dollars?|cents?|liras?|pounds?|euros?|SYP|USD|per ?cent"
    "|thirds?|quarters?|fifths?|storey|story"
    "|كم|كلم|كيلو ?مترا?|كيلومترات|مترا?|أمتار|امتار|ميلا?|أميال|هكتارا?|دونما?|دونمات|طنا?|أطنان|لترا?"
    "|كيلو ?غراما?"
    "|ثانية|ثوان|ثواني|دقيقة|دقائق|ساعة|ساعات|يوما?|أيام|ايام|ليلة|ليال|أسبوعا?|أسابيع|شهرا?|أشهر|اشهر"
    "|شهور|عاما?|أعوام"
    "|اعوام|سنة|سنوات|سنين|دولارا?|دولارات|ليرة|ليرات|يورو|صباحا|مساء|ظهرا"
)
_MEASURE_AFTER = re.compile(  # what stands after a number that counts nothing
    rf" ?(?:[%٪°²³]|[*×x/:]\d|[*×])|(?:st|nd|rd|th)\b|[ -](?:{_MEASURES})(?!\w)"
    r"| (?:في|ب)(?: ?ال)?م(?:ئ|ائ)[ةه]| بالم(?:ئ|ائ)[ةه]"
    rf"|(?: of| من| من شهر| شهر)? ?[ /]?(?:{MONTHS})(?!\w)|[ /](?:من )?(?:الشهر|الجاري)|[a-z]",
    re.IGNORECASE,
)
_NAME_BEFORE = re.compile(  # what stands before one
    rf"(?:[$€£#*×]|\d[x:/]|[a-z]|\w-|\d[.,٫]|[ء-ي]/|(?<!\w)(?:{MONTHS})(?:[ /](?:{MONTHS}))? (?:the )?"
    r"|(?<!\w)(?:no\.?|number|articles?|resolution|chapters?|pages?|phase|route|highway|decree|law"
    r"|aged?|age of|at age"
    r"|رقم|القرار|المادة|المرسوم|القانون|الساعة|العمر|عمره|عمرها|بعمر|الفوج|اللواء|الفرقة) )$",
    re.IGNORECASE,
)
_SINGLE_BEFORE = re.compile(
    r"(?<!\w)(?:another|every|each|this|that|the|any|which|last|latest|first|as|by|آن|وقت|يوم|جانب|كل"
    r"|عام|شهر|مكان) $",
    re.IGNORECASE,
)
_SINGLE_AFTER = re.compile(r" (?:hand|side|point|by one|of (?!them|whom|which))|['’]s\b", re.IGNORECASE)
_LABEL = re.compile(r"[.)]\s|[-–] ")  # "1. ", "2- " at the head of a sentence
_YEAR = re.compile(r"(?:19|20)\d\d")
_IN_YEAR = re.compile(
    r"(?<!\w)(?:in|since|of|early|late|mid|until|till|from|to|by|year|during|and|ال?عام|لعام|سنة|منذ"
    r"|مطلع|نهاية"
    r"|أواخر|بداية|خلال|حتى|و)[ -]?$",
    re.IGNORECASE,
)
_APPROX = {
    "at least": "at least|not? (?:less|fewer) than|a minimum of|(?:ما )?لا يقل عن|على الأقل",
    "more than": "more than|over|above|exceed(?:s|ed|ing)|upwards of|in excess of|أكثر من|أزيد من"
    "|(?:ما )?يزيد (?:عن|على)"
    "|تجاوز|يتجاوز|تجاوزت|فاق",
    "nearly": "nearly|almost|close to|قرابة|(?:ما )?يقارب|زهاء",
    "about": "about|around|approximately|approx\\.|roughly|some|an estimated|estimated|نحو|حوالي|حوالى"
    "|بحدود|في حدود",
    "up to": "up to|as many as|a maximum of|at most|(?:no|not) more than|ما يصل إلى|لا يزيد (?:عن|على)",
    "less than": "less than|fewer than|under|below|أقل من|ما دون",
}  # fmt: skip
_APPROX_BEFORE = re.compile(
    "(?<!\\w)[وبفل]?(?:"
    + "|".join(f"(?P<a{n}>{words})" for n, words in reversed([*enumerate(_APPROX.values())]))
    + ") (?:the |a total of |other )?$",
    re.IGNORECASE,
)
_APPROX_AFTER = re.compile(
    r"(?P<least>\+| or more\b| at least\b| على الأقل| أو أكثر| فأكثر)|(?P<about> or so\b"
    r"| approximately\b| تقريبا)",
    re.IGNORECASE,
)
_LONGEST_BEFORE = 26  # characters of what decides before a number
_RANGE = frozenset(("-", "–", "—", " - ", " – ", " to ", " or ", " أو ", " او ", " إلى ", " الى "))
_TO = frozenset((" to ", " إلى ", " الى "))


@dataclass(frozen=True, slots=True)
class Count:
    """What counts something: places are of the plain sentence; ``head``: where its "at least" begins."""

    start: int
    end: int
    value: float
    value_to: float | None
    approx: str | None
    head: int
    is_dual: bool
    is_year_like: bool  # 2019: a count only with a noun


def find_counts(plain: str) -> Iterator[Count]:
    """The counts of a plain sentence, in order."""
    numbers = find_numbers(plain)
    i = 0
    while i < len(numbers):
        first = last = numbers[i]
        i += 1
        if i < len(numbers) and _is_range(plain, first, numbers[i]):
            last = numbers[i]
            i += 1
        if found := _count(plain, first, last):
            yield found


def _is_range(plain: str, first: Number, last: Number) -> bool:
    between = plain[first.end : last.start]
    if len(between) > 5 or first.is_dual or last.is_dual:
        return False
    before = plain[max(0, first.start - 8) : first.start].lower()
    if between in (" and ", " و"):
        is_range = before.endswith(("between ", "بين "))
    else:
        is_range = between in _RANGE and not (between in _TO and before.endswith(("from ", "من ")))
    is_year = _YEAR.fullmatch(first.text) and _YEAR.fullmatch(last.text)
    return is_range and not is_year and _low(first, last) < Decimal(last.value)


def _low(first: Number, last: Number) -> Decimal:
    """The first value of a range: "two to three thousand" begins at 2,000."""
    value = Decimal(first.value)
    is_shared = first.scale == 1 < last.scale and value < Decimal(last.value) / last.scale
    return value * last.scale if is_shared else value


def _count(plain: str, first: Number, last: Number) -> Count | None:
    before = plain[max(0, first.start - _LONGEST_BEFORE) : first.start]
    if _MEASURE_AFTER.match(plain, last.end) or _NAME_BEFORE.search(before):
        return None
    is_one = first.value == "1" and not first.text.isdecimal()
    if is_one and (_SINGLE_BEFORE.search(before) or _SINGLE_AFTER.match(plain, last.end)):
        return None
    if not before.strip() and first.text.isdecimal() and _LABEL.match(plain, last.end):
        return None
    is_year_like = bool(_YEAR.fullmatch(first.text))
    if is_year_like and _IN_YEAR.search(before):
        return None
    approx, head = None, first.start
    if match := _APPROX_BEFORE.search(before):
        approx = next(name for n, name in enumerate(_APPROX) if match[f"a{n}"])
        head = first.start - len(before) + match.start()
    elif match := _APPROX_AFTER.match(plain, last.end):
        approx = "at least" if match["least"] else "about"
    low = _low(first, last)
    value_to = None if first is last else float(last.value)
    return Count(first.start, last.end, float(low), value_to, approx, head, first.is_dual, is_year_like)
