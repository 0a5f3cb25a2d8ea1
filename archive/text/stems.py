"""Words with the same stem, so that a search for one finds the others: `landmine` and `landmines`, قتل and
مقتل.

English uses Snowball's stemmer. Arabic uses a light stemmer of our own with a list of irregular families,
which does better on this subject's words than Snowball's (tests/stems.txt, measured by tests/test_stems.py).
Words are folded (`archive.text.fold`): no hamza, no article (so ألغام is غام), ya for alef maqsura, ha for ta
marbuta.
"""

from __future__ import annotations

import re
from functools import lru_cache

from snowballstemmer import stemmer

_ENGLISH = stemmer("english")
_LATIN = re.compile(r"[a-z]{3,}")
_ARABIC = re.compile(r"[\u0621-\u064a]{3,}")
_ENGLISH_ENDINGS = (
    "", "e", "s", "es", "d", "ed", "er", "ers", "ing", "ings", "y", "ies", "ied", "ying", "ion", "ions",
    "ive", "al", "als", "ly", "ment", "ments", "ation", "ations", "ity", "ities",
)  # fmt: skip
_BEFORE = ("", "و", "ف", "ب", "ل", "ك")  # and, so, with, for, like
_VERB = tuple(b + v for b in ("", "و", "ف", "س", "وس") for v in "يت")  # and, so, will; he, she or they
_VERB_AFTER = ("", "ا", "ه", "ها", "هم", "وا", "ون", "ان")
_AFTER = (
    "", "ا", "ه", "ي", "ت", "ها", "هم", "هما", "هن", "نا", "وا", "ون", "ين", "ان", "ات", "تا", "تها", "ته",
    "تهم", "اتها", "اته", "اتهم", "يه", "يون", "يين", "يات", "تين", "تان",
)  # fmt: skip
_LONGEST_FIRST = sorted((ending for ending in _AFTER if ending), key=len, reverse=True)
# Irregular plurals and derived words that this site uses often: each line is one family
_FAMILIES = """
قتل مقتل مقتلهم مقتله مقتلها قتلي قتيل قتيله قتيلا قتلا قاتل قاتلوا قتله مقتول مقتولا
جرح جريح جرحي جراح جريحا جريحه جرحوا
لغم غام لغما
طفل اطفال طفله طفلا طفولته
مدني مدنيين مدنيون مدنيا مدنيه
شهيد شهدا استشهد استشهاد شهيدا
رجل رجال رجلا
امراه نسا مراه
شخص اشخاص شخصا
عنصر عناصر عنصرا
قذيفه قذايف قذيفتين
صاروخ صواريخ صاروخا
طايره طايرات طيران
مسلح مسلحين مسلحون مسلحه
جندي جنود جنديا
معتقل معتقلين معتقلون اعتقال اعتقالات اعتقل اعتقلت يعتقل
انفجار انفجارات انفجر انفجرت تفجير تفجيرات مفخخه متفجره
قصف يقصف قصفت قصفا
غاره غارات
قريه قري
مدينه مدن
بلده بلدات
منطقه مناطق
ميليشيا ميليشيات
حاجز حواجز
هجوم هجمات هاجم هاجمت مهاجم
اشتباك اشتباكات اشتبك
بيت بيوت
منزل منازل
قوه قوات
فصيل فصايل
تنظيم تنظيمات
جثه جثث جثمان
ضحيه ضحايا
اسير اسري
نازح نازحين نازحون نزوح
لاجي لاجيين لاجيون
مخيم مخيمات
سجن سجون سجين سجنا
سلاح اسلحه
عبوه عبوات
خطف اختطاف مخطوف مخطوفين اختطف
"""


def _light(word: str) -> str:
    """Strip one ending, then one prefix, as long as three letters remain."""
    for ending in _LONGEST_FIRST:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    for prefix in _VERB:
        if len(word) == len(prefix) + 3 and word.startswith(prefix):
            return word[-3:]
    return word[1:] if word[0] in _BEFORE and len(word) > 4 else word


_IRREGULAR: dict[str, str] = {}
_MEMBERS: dict[str, tuple[str, ...]] = {}
for _line in _FAMILIES.split("\n"):
    for _word in _line.split():
        _IRREGULAR.setdefault(_word, _line.split()[0])
    if _line:
        _MEMBERS[_line.split()[0]] = tuple(_line.split())


MOST_LETTERS = 60  # of a word; stemming takes the square of its length


@lru_cache(maxsize=1 << 12)
def stem(word: str) -> str:
    """The stem of a folded word; the word itself if it is neither English nor Arabic, or too long for one."""
    if len(word) > MOST_LETTERS:
        return word
    if _LATIN.fullmatch(word):
        return str(_ENGLISH.stemWord(word))
    if not _ARABIC.fullmatch(word):
        return word
    if found := _IRREGULAR.get(word):
        return found
    if word[0] in _BEFORE and (found := _IRREGULAR.get(word[1:])):
        return found
    light = _light(word)
    return _IRREGULAR.get(light, light)


@lru_cache(maxsize=1 << 10)
def forms(word: str) -> tuple[str, ...]:
    """The folded words that have the stem of a word, itself first. At most a few hundred, so that a query can
    name them all and the index needs no stems."""
    root = stem(word)
    made: set[str] = set()
    if _LATIN.fullmatch(word):
        made = _english_forms(word, root)
    elif _ARABIC.fullmatch(word):
        made = {f"{b}{member}" for member in (root, word, *_MEMBERS.get(root, ())) for b in _BEFORE}
        made |= {f"{b}{root}{a}" for b in _BEFORE for a in _AFTER}
        made |= {f"{v}{root}{a}" for v in _VERB for a in _VERB_AFTER}
    return (word, *sorted(one for one in made if one != word and stem(one) == root))


def _english_forms(word: str, root: str) -> set[str]:
    bases = {word, root, root.removesuffix("i") + "y", root + root[-1]}
    bases |= {word.removesuffix("e"), word.removesuffix("ie")}
    before_i = {base.removesuffix("y") for base in bases}
    return {b + e for e in _ENGLISH_ENDINGS for b in (before_i if e[:2] in ("ie", "yi") else bases)}
