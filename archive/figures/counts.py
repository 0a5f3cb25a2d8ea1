"""The counts of a sentence: its numbers without dates, times, measures and names; ranges, and how exact."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

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
    "(?:square |sq\\.? |cubic |metric |nautical )?(?:kms?|kilometers?|kilometres?|meters?|metres?"
    "|millimeters?|millimetres?|centimeters?|centimetres?|cm|mm|m|miles?|feet|foot|hectares?|acres?|dunums?|kgs?"
    "|kilograms?|grams?|tons?|tonnes?|liters?|litres?|barrels? of oil|degrees?|calibers?|calibres?)[²³2]?"
    "|(?:(?:more|last|past|full|long|consecutive|straight|successive)[ -])?(?:seconds?|minutes?|hours?"
    "|days?|nights?|weeks?|months?|years?|decades?|century|centuries)"
    "|am|pm|a\\.m|p\\.m|o['’]clock|(?:Syrian |Turkish |American |US )?(?:dollars?|liras?|pounds?)|cents?"
    "|euros?|SYP|USD|per cent|percent|thirds?|quarters?|fifths?|storey|story|times|fold"
    "|كم|كلم|كيلو ?مترا?|كيلومترات|مترا?|أمتار|امتار|ميلا?|أميال|هكتارا?|دونما?|دونمات|طنا?|أطنان|لترا?"
    "|كيلو ?غراما?"
    "|ثانية|ثوان|ثواني|دقيقة|دقائق|ساعة|ساعات|يوما?|أيام|ايام|ليلة|ليال|أسبوعا?|أسابيع|شهرا?|أشهر|اشهر"
    "|شهور|عاما?|أعوام|اعوام|سنة|سنوات|سنين|دولارا?|دولارات|ليرة|ليرات|يورو|صباحا|مساء|ظهرا"
    "|مرة|مرات|أضعاف|اضعاف"
)
_MEASURE_AFTER = re.compile(  # what stands after a number that counts nothing
    rf" ?(?:[%٪°²³]|[*×x/:–-]\d|[*×])|(?:st|nd|rd|th)\b|[ -](?:{_MEASURES})(?!\w)"
    r"| (?:في|ب)(?: ?ال)?م(?:ئ|ائ)[ةه]| بالم(?:ئ|ائ)[ةه]"
    r"|(?:(?:[,،] \d{1,2}){0,9}[,،]? (?:and |or |و|أو )\d{1,2})?"  # "5, 6 and 7 May"
    r"(?: of| من| من شهر| شهر)? ?[ /]?"
    rf"(?:{MONTHS})(?!\w)|[ /](?:من )?(?:الشهر|الجاري)|[a-z]",
    re.IGNORECASE,
)
_NAMES = (
    "no\\.?|number|articles?|resolution|chapters?|pages?|phase|route|highway|decree|law|aged?|age of|at age"
    "|one in|one in every|out of every|half past"
    "|رقم|القرار|المادة|المرسوم|القانون|الساعة|العمر|عمره|عمرها|بعمر|من كل"
    "|الفوج|اللواء|الفرقة|الكتيبة|فوج|لواء|فرقة|كتيبة|قاعدة"
)
# With a capital they are names: "near Checkpoint 7", but "at the checkpoint 7 men waited"
_CAPITALS = "Brigade|Battalion|Regiment|Division|Checkpoint|Unit|Area|Day|Week|Phase|Camp|Block|Base"
_NAME_BEFORE = re.compile(  # what stands before one
    rf"(?:[$€£#*×]|\d[x:/]|[a-z]|\w-|\d[.,٫]|[ء-ي]/|(?<!\w)(?:{MONTHS})(?:[/ ](?:{MONTHS}))? (?:the )?"
    rf"|(?<!\w)(?:[وبفل]?(?:{_NAMES})|(?-i:{_CAPITALS})) )$",
    re.IGNORECASE,
)
_AGE_BEFORE = re.compile(r"(?<!\w)aged \d{1,3}(?:, \d{1,3})*,? and $", re.IGNORECASE)
_SINGLES = (
    "another|every|each|this|that|the|any|which|last|latest|first|as|by|آن|وقت|يوم|جانب|كل|عام|شهر|مكان"
)
_SINGLE_BEFORE = re.compile(rf"(?<!\w)(?:{_SINGLES}) $", re.IGNORECASE)
_SINGLE_AFTER = re.compile(
    r" (?:hand|side|point|by one|of (?!them|whom|which)|(?:من|في) كل |in (?:every )?(?:\d"
    r"|(?:two|three|four|five|six|seven|eight|nine|ten|twenty)\b))|['’]s\b",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[.,;:!?)]|$")
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
    "more than": "more than|over|above|exceeds|exceeded|exceeding|upwards of|in excess of|أكثر من|أزيد من"
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
    r"(?P<least>\+|[ -]plus\b| or more\b| at least\b| على الأقل| أو أكثر| فأكثر)|(?P<about>-odd\b| or so\b"
    r"| approximately\b| تقريبا)",
    re.IGNORECASE,
)


def _words(*patterns: str) -> frozenset[str]:
    """All words that patterns spell, with and without a last letter that may lack."""
    found = [match.groups() for match in re.finditer(r"(\w+)(\??)", "|".join(patterns).lower())]
    return frozenset([word for word, _ in found] + [word[:-1] for word, may_lack in found if may_lack])


# Next to any other word a number is of no name, no measure, and not "at least": spares the patterns above
_DECIDE_BEFORE = _words(MONTHS, _NAMES, _CAPITALS, _SINGLES, *_APPROX.values(), "other|total|and")
_DECIDE_AFTER = _words(MONTHS, _MEASURES, "of|or|at|approximately|plus|hand|side|point|by|and")
_LONGEST_BEFORE = 26  # characters of what decides before a number
_RANGE = frozenset(("-", "–", "—", " - ", " – ", " to ", " or ", " أو ", " او ", " إلى ", " الى "))
_TO = frozenset((" to ", " إلى ", " الى "))


class Count(NamedTuple):
    """What counts something: places are of the plain sentence; ``head``: where its "at least" begins."""

    start: int
    end: int
    value: float
    value_to: float | None
    approx: str | None
    head: int
    is_dual: bool
    needs_noun: bool  # 2019, or "one" at the end of a clause: a count only with a noun


def find_counts(plain: str, at: int = 0) -> Iterator[Count]:
    """The counts of a plain sentence, in order; ``at`` is where the sentence begins, for their places."""
    numbers = find_numbers(plain)
    i = 0
    while i < len(numbers):
        first = last = numbers[i]
        i += 1
        if i < len(numbers) and _is_range(plain, first, numbers[i]):
            last = numbers[i]
            i += 1
        if found := _count(plain, first, last, at):
            yield found


def _is_range(plain: str, first: Number, last: Number) -> bool:
    if last.start - first.end > 5 or first.is_dual or last.is_dual:
        return False
    between = plain[first.end : last.start]
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


def _count(plain: str, first: Number, last: Number, at: int) -> Count | None:
    before = plain[max(0, first.start - _LONGEST_BEFORE) : first.start]
    is_free_before, is_free_after = _is_free_before(before), _is_free_after(plain, last.end)
    if not is_free_after and _MEASURE_AFTER.match(plain, last.end):
        return None
    if not is_free_before and _NAME_BEFORE.search(before):
        return None
    if not is_free_before and _AGE_BEFORE.search(before) and plain[last.end : last.end + 1] in ",.;)":
        return None
    is_year_like = bool(_YEAR.fullmatch(first.text))
    if _says_other(plain, before, first, last, is_year_like):
        return None
    approx, head = None, first.start
    if not is_free_before and (match := _APPROX_BEFORE.search(before)):
        approx = next(name for n, name in enumerate(_APPROX) if match[f"a{n}"])
        head = first.start - len(before) + match.start()
    elif not is_free_after and (match := _APPROX_AFTER.match(plain, last.end)):
        approx = "at least" if match["least"] else "about"
    value, value_to = float(first.value), None
    if first is not last:
        value, value_to = float(_low(first, last)), float(last.value)
    needs_noun = is_year_like or (first.text.lower() == "one" and _ENDS.match(plain, last.end) is not None)
    return Count(
        at + first.start, at + last.end, value, value_to, approx, at + head, first.is_dual, needs_noun
    )


def _says_other(plain: str, before: str, first: Number, last: Number, is_year_like: bool) -> bool:
    """Whether a number is "one of ...", the label of a sentence, or a year."""
    if not first.text.isdecimal():
        is_one = first.value == "1"
        return is_one and bool(_SINGLE_BEFORE.search(before) or _SINGLE_AFTER.match(plain, last.end))
    if not before.strip() and _LABEL.match(plain, last.end):
        return True
    return is_year_like and bool(_IN_YEAR.search(before))


def _is_free_before(before: str) -> bool:
    """Whether the word before a number says neither a name nor "at least"."""
    if not before:
        return True
    word = before[before.rfind(" ", 0, -1) + 1 : -1].casefold()
    if before[-1] != " " or not word.isalpha():
        return False
    return word not in _DECIDE_BEFORE and word[1:] not in _DECIDE_BEFORE


def _is_free_after(plain: str, end: int) -> bool:
    """Whether what stands after a number says neither a measure nor "or more"."""
    if plain[end : end + 1] in ",.)":
        return not plain[end + 2 : end + 3].isdecimal()
    space = plain.find(" ", end + 1)
    word = plain[end + 1 : space if space > 0 else None].rstrip(".,")
    return plain[end] == " " and word.isascii() and word.isalpha() and word.lower() not in _DECIDE_AFTER
