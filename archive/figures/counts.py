"""The counts of a sentence: its numbers without dates, times, measures and names; ranges, and how exact."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from archive.compare.numbers import Number, find_numbers
from archive.figures.units import GLUED

MONTHS = (
    "January|February|March|April|May|June|July|August|September|October|November|December"
    "|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\\.?"
    "|Ramadan|Shawwal|Muharram|Rajab|Sha['’]?ban|Dhu al-[HQ]i\\w+"
    "|كانون الثاني|كانون الأول|كانون الاول|تشرين الأول|تشرين الاول|تشرين الثاني|شباط|آذار|اذار|نيسان"
    "|أيار|ايار"
    "|حزيران|تموز|آب|أيلول|ايلول|يناير|فبراير|مارس|أبريل|ابريل|إبريل|مايو|يونيو|يوليو|أغسطس|اغسطس"
    "|سبتمبر|أكتوبر|اكتوبر"
    "|نوفمبر|ديسمبر|رمضان|شوال|محرم|رجب|شعبان|ذي الحجة|ذي القعدة"
)
_MEASURES = (
    "(?:square |sq\\.? |cubic |metric |nautical )?(?:kms?|kilometers?|kilometres?|meters?|metres?"
    "|millimeters?|millimetres?|centimeters?|centimetres?|cm|mm|m|miles?|feet|foot|hectares?|acres?|dunums?|kgs?"
    "|kilograms?|grams?|tons?|tonnes?|liters?|litres?|barrels? of oil|degrees?|calibers?|calibres?)[²³2]?"
    "|(?:(?:more|last|past|full|long|consecutive|straight|successive)[ -])?"
    "(?:seconds?|secs?|minutes?|mins?|hours?|hrs?"
    "|days?|nights?|weeks?|months?|years?|decades?|century|centuries)"
    "|am|pm|a\\.m|p\\.m|o['’]clock|(?:Syrian |Turkish |American |US )?(?:dollars?|liras?|pounds?)|cents?"
    "|euros?|SYP|USD|per cent|percent|thirds?|quarters?|fifths?|storey|story|times|fold"
    "|كم|كلم|مم|ملم|سم"
    "|كيلو ?مترا?|كيلومترات|مترا?|أمتار|امتار|ميلا?|أميال|هكتارا?|دونما?|دونمات|طنا?|أطنان|لترا?"
    "|كيلو ?غراما?"
    "|ثانية|ثوان|ثواني|دقيقة|دقائق|ساعة|ساعات|يوما?|أيام|ايام|ليلة|ليال|أسبوعا?|أسابيع|شهرا?|أشهر|اشهر"
    "|شهور|عاما?|أعوام|اعوام|سنة|سنوات|سنين|دولارا?|دولارات|ليرة|ليرات|يورو|صباحا|مساء|ظهرا"
    "|مرة|مرات|أضعاف|اضعاف|أثلاث|أرباع|ارباع|أخماس|اخماس|أعشار"
)
_MEASURE_AFTER = re.compile(  # what stands after a number that counts nothing
    rf" ?(?:[%٪°²³]|[*×x/:–-]\d|[*×])|\.\d{{1,2}}\.\d|(?:st|nd|rd|th)\b|[ -](?:{_MEASURES})(?!\w)"
    r"| (?:في|ب)(?: ?ال)?م(?:ئ|ائ)[ةه]| بالم(?:ئ|ائ)[ةه]"
    r"|(?: of| من| من شهر| شهر)? ?[ /]?"
    rf"(?:{MONTHS})(?!\w)|[ /](?:من )?(?:الشهر|الجاري)|[a-z]",
    re.IGNORECASE,
)
_NAMES = (
    "nos?\\.?|№|number|(?:boy|girl|man|woman|child|youth|teenager) of"
    "|articles?|resolution|chapters?|pages?|phase|route|highway|decree|law|aged?|ages|age of|at age"
    "|one in|one in every|out of every|half past"
    "|رقم|الرقم|القرار|المادة|مادة|الفقرة|البند|الصفحة|صفحة|المرسوم|القانون|بتاريخ|القناة|قناة|طراز|عيار|غراد|ميغ|سوخوي"
    "|إف|اف|إس|اس|تي|الساعة|العمر|عمره|عمرها|بعمر|من كل"
    "|الفوج|اللواء|الفرقة|الكتيبة|فوج|لواء|فرقة|كتيبة|قاعدة"
)
# With a capital they are names: "near Checkpoint 7", but "at the checkpoint 7 men waited"
_CAPITALS = (
    "Brigade|Battalion|Regiment|Division|Checkpoint|Unit|Area|Day|Week|Phase|Camp|Block|Base|Channel|Hall|Room"
    "|Flight|Gate|Sector|Zone|Hill|Line|Street|Road|Grade|Level|Station|Section|Paragraph|Clause|Part|Type|Model"
)
_NAME_BEFORE = re.compile(  # what stands before one
    rf"(?:[$€£#*×]|\d[x:/]|[a-z]|\w-|\d[.,٫]|[ء-ي]/"
    rf"|(?<!\w)(?:[وبفل]?(?:{_NAMES})|(?-i:{_CAPITALS})) )$",
    re.IGNORECASE,
)
_LABEL_NOUNS = frozenset(_CAPITALS.lower().split("|"))  # "in hall 3." too
_DAY = r"\d{1,2}(?:st|nd|rd|th)?(?![\d,]?\d)"
_MONTH = rf"(?:{MONTHS})(?:[/ ](?:{MONTHS}))?(?!\w)"
_YEAR_OF_DATE = r"(?:,? (?:of |من )?(?:ال)?(?:عام |سنة )?(?:1[349]|20|١٩|٢٠)\d\d(?!\d))?"
_DAYS_JOIN = "[,،] ?| ?[-–/] ?| and |, and | or | to |، ?و| ?و ?| أو | إلى | الى | حتى "
# Dates of which several days share a month ("5, 6 and 7 May", "April 5, 6 and 7,"), or with a number after
# them ("6 April three men"); and telephone numbers
_OTHER_SPANS = re.compile(
    rf"(?<![\w.,])(?:{_DAY}(?:(?:{_DAYS_JOIN}){_DAY}){{0,9}}"
    rf"(?: of| من)?(?: شهر)? ?/?{_MONTH}{_YEAR_OF_DATE}|(?:[+]|0)\d{{2,}}(?:[ -]\d{{2,}})+)"
    rf"|(?<!\w){_MONTH}(?: (?:the )?{_DAY}(?:(?:, {_DAY})*,? and {_DAY}(?=[,.:;)]|$)"
    rf"| ?(?:-|–| to | and ) ?{_DAY})?)?{_YEAR_OF_DATE}",
    re.IGNORECASE,
)
# One of these is in each of them, but for those in Arabic
_MAY_BE_OTHER = re.compile(
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|ram|sha|muh|raj|dhu)|[+0]\d+[ -]\d", re.IGNORECASE
)
_AGE_BEFORE = re.compile(r"(?<!\w)aged \d{1,3}(?:, \d{1,3})*,? and $", re.IGNORECASE)
_SINGLES = (
    "another|every|each|this|that|the|any|which|last|latest|first|as|by|آن|وقت|يوم|جانب|جهة|كل|عام|شهر|مكان"
)
_SINGLE_BEFORE = re.compile(rf"(?<!\w)(?:{_SINGLES}) $", re.IGNORECASE)
_SINGLE_AFTER = re.compile(
    r" (?:hand|side|point|by one|of (?!them|whom|which)|(?:من|في) كل |in (?:every )?(?:\d"
    r"|(?:two|three|four|five|six|seven|eight|nine|ten|twenty)\b))|['’]s\b",
    re.IGNORECASE,
)
_PERSON_BEFORE = re.compile(r"(?:(?<!in )\b[A-Z][\w'’-]+|\b(?:boy|girl|man|woman|child|youth|teenager)), $")
_ENDS = re.compile(r"[.,;:!?)]|$")
_LABEL = re.compile(r"[.)]\s|[-–] ")  # "1. ", "2- " at the head of a sentence
_YEAR = re.compile(r"(?:19|20)\d\d")
_IN_YEAR = re.compile(
    r"(?<!\w)(?:in|since|of|early|late|mid|until|till|from|to|by|year|during|and|the|its|their|ال?عام|لعام|سنة|منذ"
    r"|مطلع|نهاية"
    r"|أواخر|بداية|خلال|حتى|و)[ -]?$",
    re.IGNORECASE,
)
_APPROX = {
    "at least": "at least|not? (?:less|fewer) than|a minimum of|(?:ما ?)?لا ?يقل عن"
    "|(?:ما )?لا تقل عن|على الأقل|على الاقل",
    "more than": "more than|over|above|exceeds|exceeded|exceeding|upwards of|in excess of|أكثر من|اكثر من"
    "|أزيد من|ازيد من|(?:ما )?يزيد (?:عن|على)|(?:ما )?تزيد (?:عن|على)|تجاوز|يتجاوز|تجاوزت|فاق",
    "nearly": "nearly|almost|close to|قرابة|قرابه|(?:ما )?يقارب|ما يقرب من|زهاء",
    "about": "about|around|approximately|approx\\.?|circa|ca?\\.|roughly|some|an estimated|estimated|نحو"
    "|حوالي|حوالى|بحدود|في حدود|تقريبا",
    "up to": "up to|as many as|a maximum of|at most|(?:no|not) more than|ما يصل إلى|ما يصل الى"
    "|(?:ما )?لا يزيد (?:عن|على)",
    "less than": "less than|fewer than|under|below|أقل من|اقل من|ما دون",
}
_APPROX_BEFORE = re.compile(
    "(?:(?P<tilde>[~≈] ?)|(?<!\\w)[وبفل]?(?:"
    + "|".join(f"(?P<a{n}>{words})" for n, words in reversed([*enumerate(_APPROX.values())]))
    + ") (?:the |a total of |other )?)$",
    re.IGNORECASE,
)
_APPROX_AFTER = re.compile(
    r"(?P<least>\+|[ -]plus\b| or more\b| at least\b| على ال[أا]قل| [أا]و [أا]كثر| ف[أا]كثر)|(?P<about>-odd\b"
    r"| or so\b| approximately\b| تقريبا)",
    re.IGNORECASE,
)


def _words(*patterns: str) -> frozenset[str]:
    """All words that patterns spell, with and without a last letter that may lack."""
    found = [match.groups() for match in re.finditer(r"(\w+)(\??)", "|".join(patterns).lower())]
    return frozenset([word for word, _ in found] + [word[:-1] for word, may_lack in found if may_lack])


# "30 shells at least", but not "30 men, at least 3 of them", nor "3 men or more women"
_APPROX_LATER = re.compile(
    r"(?: [\w'’-]+){1,2} (?:(?P<least>at least|or more(?! (?!were |was |have |had |died)\w)|على ال[أا]قل"
    r"|[أا]و [أا]كثر)"
    r"|(?P<about>or so(?! \w)|تقريبا))(?!\w)",
    re.IGNORECASE,
)
_ARABIC_LATER = re.compile("لى ال|كثر|تقريبا")
# Next to any other word a number is of no name, no measure, and not "at least": spares the patterns above
_DECIDE_BEFORE = _words(MONTHS, _NAMES, _CAPITALS, _SINGLES, *_APPROX.values(), "other|total|and")
_DECIDE_AFTER = _words(MONTHS, _MEASURES, "of|or|at|approximately|plus|hand|side|point|by|and")
_LONGEST_BEFORE = 26  # characters of what decides before a number
_RANGE = frozenset(("-", "–", "—", " - ", " – ", " to ", " or ", " أو ", " او ", " إلى ", " الى "))
_TO = frozenset((" to ", " إلى ", " الى "))
_CHANGES = (
    "rose|rises?|risen|rising|increas\\w+|grew|grown?|grows|jump\\w*|climb\\w*|soar\\w*|surg\\w+|went|gone|goes"
    "|go|raised?|fell|falls?|fallen|dropp?\\w*|declin\\w+|decreas\\w+|reduc\\w+|shr[aiu]nk\\w*|changed"
    "|ارتفع\\w*|يرتفع|ترتفع|ازداد\\w*|زاد\\w*|انخفض\\w*|تراجع\\w*"
)
# Before "12 to 97" it says two figures, not a range: "from", "rose by", "is up", "increased"
_IS_CHANGE = re.compile(
    rf"(?<!\w)(?:(?:from|من|{_CHANGES}|بمقدار|بواقع)|(?:{_CHANGES})(?: [\w'’-]+){{0,5}} (?:by|ب)"
    r"|(?:is|are|was|were|goes|went|now|[,;:–-]|^)(?: \w+)? (?:up|down)) (?:by )?"
    r"(?:(?:at least|more than|about|around|nearly|almost|some|another|[أا]كثر من|نحو) )?$",
    re.IGNORECASE,
)
_LONGEST_CHANGE = 80  # characters of it
# "From 13 to 16 men left" begins a clause, and has its noun
_IS_FROM = re.compile(r"(?:^|[,;:–-] |[•*-] ?)(?:from|من) $", re.IGNORECASE)
_NOUN_FOLLOWS = re.compile(
    r" (?!(?:in|on|at|by|since|within|over|during|yesterday|today|this|last|and|or|after|as)\b)"
    r"(?!(?:في|خلال|منذ|بعد) )[^\W\d]"
)
# "Nine out of ten houses", "three in four children": neither counts anything
_SHARE = re.compile(r" (?:out of|in|of|من|من بين|في) (?P<each>(?:every|each|كل) )?$", re.IGNORECASE)
_SHARE_BEFORE = re.compile(
    r"(?:^|[.,;:–-] ?|(?<!\w)(?:nearly|almost|about|around|roughly|some|than|that) )$", re.IGNORECASE
)
_SHARED = re.compile(
    r" (?:of (?:the|all)|children|people|families|women|men|girls|boys|houses|homes|households|persons"
    r"|residents|students|refugees|adults|civilians|Syrians)\b",
    re.IGNORECASE,
)
_WHOLES = frozenset(("10", "100", "1000"))
_MOST_DIGITS = 15  # of a value: more are not exact, and no count


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
    if not numbers:
        return
    sentence = _Sentence(plain, at)
    i = 0
    while i < len(numbers):
        first = last = numbers[i]
        i += 1
        if i < len(numbers) and numbers[i].start - first.end <= _LONGEST_BETWEEN:
            if _is_range(plain, first, numbers[i]):
                last = numbers[i]
                i += 1
            elif _is_share(plain, first, numbers[i]) or _is_measured(plain, first, numbers[i]):
                i += 1
                continue
        if found := sentence.count(first, last, numbers[i].start if i < len(numbers) else None):
            yield found


_LONGEST_BETWEEN = 14  # characters between two numbers that are a range or a share


def _is_range(plain: str, first: Number, last: Number) -> bool:
    if last.start - first.end > 5 or first.is_dual or last.is_dual:
        return False
    between = plain[first.end : last.start]
    if between in (" and ", " و", " و "):
        is_range = plain[max(0, first.start - 8) : first.start].lower().endswith(("between ", "بين "))
    else:
        is_range = between in _RANGE and not (between in _TO and _is_change(plain, first, last))
    is_year = _YEAR.fullmatch(first.value) and _YEAR.fullmatch(last.value)
    return is_range and not is_year and _low(first, last) < Decimal(last.value)


def _is_change(plain: str, first: Number, last: Number) -> bool:
    """Whether "12 to 97" is what a number was or rose by, and what it is now."""
    before = plain[max(0, first.start - _LONGEST_CHANGE) : first.start]
    if not _IS_CHANGE.search(before):
        return False
    return not (_IS_FROM.search(before) and _NOUN_FOLLOWS.match(plain, last.end))


def _is_measured(plain: str, first: Number, last: Number) -> bool:
    """Whether two numbers measure one thing: "rose by 5 to 10 percent"."""
    return plain[first.end : last.start] in _TO and _MEASURE_AFTER.match(plain, last.end) is not None


def _is_share(plain: str, part: Number, whole: Number) -> bool:
    """Whether two numbers are a share: nine out of ten, three in every four."""
    match = _SHARE.fullmatch(plain, part.end, whole.start)
    if match is None or Decimal(part.value) >= Decimal(whole.value):
        return False
    if match["each"] or (whole.value in _WHOLES and match[0] == " out of "):
        return True
    is_small = whole.value in _WHOLES or Decimal(whole.value) < 10
    before = plain[max(0, part.start - 10) : part.start]
    return (
        is_small
        and match[0].lower() == " in "
        and _SHARE_BEFORE.search(before) is not None
        and _SHARED.match(plain, whole.end) is not None
    )


def _low(first: Number, last: Number) -> Decimal:
    """The first value of a range: "two to three thousand" begins at 2,000."""
    value = Decimal(first.value)
    is_shared = first.scale == 1 < last.scale and value < Decimal(last.value) / last.scale
    return value * last.scale if is_shared else value


class _Sentence:
    """A plain sentence that begins at ``at`` of its line."""

    def __init__(self, plain: str, at: int) -> None:
        self._plain, self._at = plain, at
        self._has_later = "least" in plain or "or more" in plain or "or so" in plain
        if not plain.isascii():
            self._has_later = self._has_later or _ARABIC_LATER.search(plain) is not None
        self._others: list[tuple[int, int]] | None = None

    def count(self, first: Number, last: Number, following: int | None) -> Count | None:
        """The count of a number or a range; None if it counts nothing. ``following``: the next number."""
        plain = self._plain
        before = plain[max(0, first.start - _LONGEST_BEFORE) : first.start]
        is_free_before, is_free_after = _is_free_before(before), _is_free_after(plain, last.end)
        if len(last.value) > _MOST_DIGITS:
            return None
        if not is_free_after and (_MEASURE_AFTER.match(plain, last.end) or self._is_of_other(first)):
            return None
        if not is_free_before and self._is_named(before, first, last):
            return None
        is_year_like = first.text.isdecimal() and _YEAR.fullmatch(first.value) is not None
        if _says_other(plain, before, first, last, is_year_like):
            return None
        approx, head = None, first.start
        if not is_free_before and (match := _APPROX_BEFORE.search(before)):
            approx = "about" if match["tilde"] else next(n for i, n in enumerate(_APPROX) if match[f"a{i}"])
            head = first.start - len(before) + match.start()
        else:
            approx = self._approx_after(last.end, is_free_after, following)
        value, value_to = float(first.value), None
        if first is not last:
            value, value_to = float(_low(first, last)), float(last.value)
        needs_noun = is_year_like or _needs_noun(plain, first, last.end)
        start, end, head = self._at + first.start, self._at + last.end, self._at + head
        return Count(start, end, value, value_to, approx, head, first.is_dual, needs_noun)

    def _approx_after(self, end: int, is_free: bool, following: int | None) -> str | None:
        if is_free and not self._has_later:
            return None
        match = None if is_free else _APPROX_AFTER.match(self._plain, end)
        if match is None and self._has_later:
            match = _APPROX_LATER.match(self._plain, end)
            if match and match.end() + 1 == following:  # "30 people at least 5 of them children"
                return None
        return None if match is None else "at least" if match["least"] else "about"

    def _is_named(self, before: str, first: Number, last: Number) -> bool:
        """Whether what stands before a number makes it a name, an age or a date."""
        if _NAME_BEFORE.search(before) or _is_age(self._plain, before, first, last):
            return True
        return self._is_of_other(first)

    def _is_of_other(self, number: Number) -> bool:
        """Whether a number stands in a date or a telephone number."""
        if self._others is None:
            may_be = not self._plain.isascii() or _MAY_BE_OTHER.search(self._plain)
            spans = _OTHER_SPANS.finditer(self._plain) if may_be else ()
            self._others = [match.span() for match in spans]
        return any(start <= number.start < end for start, end in self._others)


def _needs_noun(plain: str, number: Number, end: int) -> bool:
    """Whether a number is "one" at the end of a clause, or glued to a word: "12-member"."""
    if plain.startswith("-", end):
        return GLUED.match(plain, end) is not None
    return number.text.lower() == "one" and _ENDS.match(plain, end) is not None


def _is_age(plain: str, before: str, first: Number, last: Number) -> bool:
    """Whether a number is an age: "aged 17 and 19", "Salem, 15, was"."""
    if before.endswith("and ") and _AGE_BEFORE.search(before):
        return plain[last.end : last.end + 1] in ",.;)"
    is_apart = before.endswith(", ") and first.text.isdecimal() and len(first.text) <= 2
    is_apart = is_apart and plain.startswith(", ", last.end)
    return is_apart and _PERSON_BEFORE.search(before) is not None


def _says_other(plain: str, before: str, first: Number, last: Number, is_year_like: bool) -> bool:
    """Whether a number is "one of ...", the label of a sentence, or a year."""
    if not first.text.isdecimal():
        is_one = first.value == "1"
        return is_one and bool(_SINGLE_BEFORE.search(before) or _SINGLE_AFTER.match(plain, last.end))
    if not before.strip(" (•·*–-") and _LABEL.match(plain, last.end):
        return True
    if before[before.rfind(" ", 0, -1) + 1 : -1].lower() in _LABEL_NOUNS and _ENDS.match(plain, last.end):
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
        return not any(letter.isdecimal() for letter in plain[end + 1 : end + 3])
    space = plain.find(" ", end + 1)
    word = plain[end + 1 : space if space > 0 else None].rstrip(".,")
    return plain[end] == " " and word.isascii() and word.isalpha() and word.lower() not in _DECIDE_AFTER
