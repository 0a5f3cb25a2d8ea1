"""Arabic words made from the tables of a grammar: regular nouns and verbs with article, prepositions, duals,
plurals, possessives, persons and tenses. Independent of the stemmer: none of its families is used."""

from __future__ import annotations

_BEFORE = ("", "و", "ب", "ل", "ك", "ال", "وال", "بال", "لل", "كال")
_POSSESSIVE = ("ه", "ها", "هم", "نا")
# Nouns with the plural in ات, nouns of persons with ون and ين, nouns in ة, and strong verbs of three letters
_THINGS = "مطار قرار اجتماع احتجاج قطاع اضراب حصار انسحاب اعلان اختبار امتحان مؤتمر مستودع معبر"
_PERSONS = "مهندس معلم مزارع موظف سائق مسعف مراسل ناشط صحفي محامي مسافر مدرب"
_FEMININE = "سيارة شاحنة دورية محطة شركة بوابة حافلة دراجة مظاهرة مستوطنة جامعة كتيبة"
_VERBS = "دخل خرج كشف رفض نشر حضر سمع كتب فتح منع طلب نقل سقط هرب"


def families() -> list[list[str]]:
    """Each family is all forms of one word, as written."""
    found = []
    for word in _THINGS.split():
        ends = ("", "ان", "ين", "ات", *_POSSESSIVE, *(f"ات{end}" for end in ("ه", "ها", "هم")))
        found.append(_nouns(word, ends))
    found += [_nouns(word, ("", "ان", "ين", "ون", *_POSSESSIVE)) for word in _PERSONS.split()]
    for word in _FEMININE.split():
        stem = word[:-1]
        found.append(_nouns(stem, ("ة", "تان", "تين", "ات", *(f"ت{end}" for end in ("ه", "ها", "هم")))))
    for word in _VERBS.split():
        past = [f"{before}{word}{end}" for before in ("", "و", "ف") for end in ("", "ت", "وا", "ا", "نا")]
        persons = [f"{v}{word}{end}" for v in "يت" for end in ("", "ون", "ان", "ه", "ها", "هم")]
        found.append([*past, *(f"{before}{one}" for before in ("", "و", "ف", "س", "وس") for one in persons)])
    return found


def _nouns(stem: str, ends: tuple[str, ...]) -> list[str]:
    """A noun with an article takes no possessive."""
    return [
        f"{before}{stem}{end}"
        for before in _BEFORE
        for end in ends
        if not ("ل" in before[-1:] and len(before) > 1 and end.endswith(("ه", "ها", "هم", "نا")))
    ]
