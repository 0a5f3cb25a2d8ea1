"""What figures count: a closed list of nouns in both languages, and where a figure's noun stands."""

from __future__ import annotations

import re
from typing import NamedTuple

from archive.compare.number_words import fold_letters

# Each unit has lemmas, separated by commas; the first form of a lemma stands for all its forms where
# sentences are compared. In Arabic without article and case ending; `fold` spells them.
_UNITS = {
    "killed": "fatality fatalities, death deaths, dead, martyr martyrs, قتيل قتلى قتيلان قتيلين,"
    " شهيد شهداء شهيدان شهيدين, ضحية ضحايا, وفاة وفيات",
    "bodies": "body bodies, corpse corpses, جثة جثث جثتان جثتين, جثمان جثامين",
    "injured": "injury injuries, جريح جرحى جريحان جريحين, مصاب مصابين مصابون, إصابات",
    "casualties": "casualty casualties",
    "arrested": "detainee detainees, arrest arrests, معتقل معتقلين معتقلون معتقلان",
    "kidnapped": "hostage hostages, مختطف مختطفين مختطفون, مخطوف مخطوفين, رهينة رهائن رهينتان رهينتين",
    "prisoners": "prisoner prisoners, captive captives, أسير أسرى أسيرين أسيران, سجين سجناء",
    "displaced": "نازح نازحين نازحون نازحان, IDP IDPs, displaced",
    "refugees": "refugee refugees, لاجئ لاجئين لاجئون لاجئان",
    "civilians": "civilian civilians, مدني مدنيين مدنيون مدنيان",
    "children": "child children, minor minors, طفل أطفال طفلان طفلين, طفلة طفلات طفلتان طفلتين",
    "women": "woman women, امرأة نساء امرأتان امرأتين, سيدة سيدات سيدتان سيدتين, مواطنة مواطنات",
    "men": "man men, رجل رجال رجلان رجلين",
    "people": "person people persons, individual individuals, شخص أشخاص شخصان شخصين, مواطن مواطنين مواطنون",
    "families": "family families, عائلة عائلات عائلتان عائلتين, أسرة أسر أسرتان أسرتين",
    "combatants": "combatant combatants, fighter fighters, soldier soldiers, militiaman militiamen,"
    " gunman gunmen, militant militants, rebel rebels, jihadist jihadists, jihadi jihadis,"
    " مقاتل مقاتلين مقاتلون مقاتلان, جندي جنود جنديان جنديين, مسلح مسلحين مسلحون مسلحان,"
    " عسكري عسكريين عسكريون عسكريان",
    "officers": "officer officers, ضابط ضباط ضابطان ضابطين",
    "members": "member members, عنصر عناصر عنصران عنصرين, عضو أعضاء عضوان عضوين",
    "journalists": "journalist journalists, صحفي صحفيين صحفيون صحفيان, إعلامي إعلاميين",
    "medics": "medic medics, paramedic paramedics, doctor doctors, nurse nurses, مسعف مسعفين مسعفون مسعفان,"
    " طبيب أطباء",
    "workers": "worker workers, عامل عمال عاملان",
    "shepherds": "shepherd shepherds, راع رعاة",
    "truffle pickers": "truffle picker,truffle pickers, truffle collector,truffle collectors",
    "students": "student students, طالب طلاب",
    "airstrikes": "airstrike airstrikes, air-strike air-strikes, air strike,air strikes, raid raids,"
    " strike strikes, غارة غارات غارتان غارتين, ضربة ضربات ضربتان ضربتين",
    "operations": "operation operations, عملية عمليات عمليتان عمليتين",
    "attacks": "attack attacks, هجوم هجمات هجومان هجومين",
    "explosions": "explosion explosions, blast blasts, انفجار انفجارات انفجاران انفجارين",
    "rockets": "rocket rockets, missile missiles, صاروخ صواريخ صاروخان صاروخين",
    "shells": "shell shells, قذيفة قذائف قذيفتان قذيفتين",
    "barrel bombs": "barrel bomb,barrel bombs, برميل براميل برميلان برميلين",
    "mines": "landmine landmines, mine mines, لغم ألغام لغمان لغمين",
    "drones": "drone drones, مسيرة مسيرات مسيرتان مسيرتين",
    "vehicles": "vehicle vehicles, car cars, truck trucks, سيارة سيارات سيارتان سيارتين,"
    " آلية آليات آليتان آليتين, شاحنة شاحنات شاحنتان شاحنتين",
    "tanks": "tank tanks, دبابة دبابات دبابتان دبابتين",
    "houses": "house houses, home homes, منزل منازل منزلان منزلين",
}  # fmt: skip
# "the killing of 12"
_DEEDS = {
    "killed": "killing murder execution death deaths",
    "injured": "injury wounding",
    "arrested": "arrest detention",
    "kidnapped": "kidnapping abduction",
    "displaced": "displacement",
}
# Verbs and participles: "3 killed", "killing 3", "مقتل 3". A noun beside the number goes first.
_OUTCOMES = {
    "killed": ("killed killing kills dead died perished", "مقتل قتل قتلت استشهاد استشهد استشهدت"),
    "injured": ("injured injuring wounded wounding", "إصابة أصيب أصيبت جرح"),
    "arrested": ("arrested arresting arrests detained detaining", "اعتقال اعتقل اعتقلت"),
    "kidnapped": ("kidnapped kidnapping abducted abducting", "اختطاف خطف اختطف"),
    "displaced": ("displaced displacing", "نزوح تهجير"),
}


class Unit(NamedTuple):
    """A unit by its name, its lemma, and its place in the sentence."""

    name: str
    lemma: str
    start: int
    end: int


def fold(text: str) -> str:
    """One spelling of Arabic letters and Latin small letters, one for one."""
    lower = text.lower()
    return fold_letters(lower if len(lower) == len(text) else text)


def _nouns() -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for name, lemmas in _UNITS.items():
        for lemma in (part.strip() for part in lemmas.split(", ")):
            forms = lemma.split(",") if "," in lemma else lemma.split()
            found |= {fold(form): (name, fold(forms[0])) for form in forms}
    return found


NOUNS = _nouns()
_VERBS = {fold(verb): name for name, both in _OUTCOMES.items() for verb in " ".join(both).split()}
_ARABIC_VERBS = "|".join(verb for verb in _VERBS if not verb.isascii())
_PARTICIPLES = "killed|dead|died|injured|wounded|arrested|detained|kidnapped|abducted|displaced"
_ANY_NOUN = "|".join(sorted(map(re.escape, NOUNS), key=len, reverse=True))
_AL = "(?:[وبفلك]?ال|لل|[وبفلك])?"
_NOUN = re.compile(rf"(?<!\w){_AL}(?P<whole>(?P<noun>{_ANY_NOUN})(?:ا(?=\W|$))?)(?!\w|-\w)")
_HEADS = "|".join(sorted((n for n in NOUNS if n.isascii() and n not in _VERBS), key=len, reverse=True))
_BEGINNINGS = frozenset(noun[:3] for noun in NOUNS)
_NEXT_NOUN = re.compile(rf" (?P<whole>(?P<noun>{_HEADS}))\b")
_BEFORE_WORD = " +-\"'“”«»‘’"
_STEP = re.compile(
    # what is skipped on the way from a number to its noun: a few words without a comma, a clause or a place
    r"[ +-]+(?!(?:in|on|at|by|from|near|to|with|during|after|as|when|where|who|which|that|while|but"
    r"|until|since|for|were|was|have|has|had|left|and(?= (?:displac|dead|kill))"
    rf"|في|علي|الي|عن|خلال|بعد|قبل|قرب|حيث|الذي|الذين|بينما|منذ|جراء|[وف]?(?:{_ARABIC_VERBS}))\b)"
    r"[\"'“”«»‘’]?[\w'’*]+[\"'“”«»‘’]?"
)
_WERE = re.compile(
    r"(?: others?| more| of (?:them|whom))?(?: (?:was|were|been|have been|had been))? (?:also )?"
    rf"(?P<verb>{_PARTICIPLES})\b"
)
_VERB_BEFORE = re.compile(rf"(?<!\w)[وبفل]?(?P<verb>{'|'.join(sorted(_VERBS, key=len, reverse=True))}) $")
_DEED_NAMES = {deed: name for name, deeds in _DEEDS.items() for deed in deeds.split()}
_DEED_BEFORE = re.compile(rf"\b(?P<deed>{'|'.join(_DEED_NAMES)}) of $")
_OUTCOME_NOUNS = "|".join(
    noun for noun, (name, _) in NOUNS.items() if name in _OUTCOMES and not noun.isascii()
)
_THE_OUTCOME_BEFORE = re.compile(rf"(?<!\w)و?ال(?P<noun>{_OUTCOME_NOUNS}) $")  # القتلى 12 والجرحى 5
_THE_NOUN_BEFORE = re.compile(rf"(?<!\w){_AL}(?P<noun>{_ANY_NOUN}) ال$")  # الأطفال الثلاثة
_LONGEST_VERB = max(map(len, _VERBS)) + 3  # with a letter before and a space after
_LABEL_BEFORE = re.compile(rf"(?<!\w){_AL}(?P<noun>{_ANY_NOUN}|{_PARTICIPLES})(?: \w+){{0,2}} ?[:=] ?$")
_NUMBER_OF = re.compile(
    rf"(?:(?<!\w)(?:number|total|toll|count)s? of(?: \w+){{0,3}}? "
    rf"|(?<!\w)[وبفل]?(?:عدد|حصيله|تعداد|مجموع|اجمالي)(?: \w+){{0,2}}? {_AL})(?P<noun>{_ANY_NOUN})(?!\w)"
    r"|(?P<toll>death toll)"
)
_THE_NOUN_AFTER = re.compile(rf" ال(?P<noun>{_ANY_NOUN})(?!\w)")  # الثلاثة المدنيين
GLUED = re.compile(r"-(?!(?:odd|plus)\b)[a-z]")  # "a 12-member family": counts only with that noun
_GLUED_NOUN = re.compile(rf"-(?P<noun>{_ANY_NOUN})\b")
# Arabic has one and two after their noun: شخص واحد, جنديين اثنين
_NOUN_BEFORE = re.compile(rf"(?<!\w){_AL}(?P<noun>{_ANY_NOUN}) $")
_ONE_OR_TWO = re.compile("واحده?|اثن(?:ان|ين|تان|تين)")
_LONGEST_NOUN = max(map(len, NOUNS)) + 4
_STEPS = 7  # words from a number to its noun


def find_unit(folded: str, start: int, end: int, floor: int, ceiling: int) -> Unit | None:
    """The noun that the number at ``folded[start:end]`` counts; None where no rule names one.

    ``floor`` and ``ceiling``: where the number before it ends and the next one begins.
    """
    if folded[start].isalpha() and folded.startswith("ال", max(0, start - 2), start):
        match = _THE_NOUN_BEFORE.search(folded, floor, start) or _THE_NOUN_AFTER.match(folded, end, ceiling)
    elif GLUED.match(folded, end):
        match = _GLUED_NOUN.match(folded, end)
    elif folded[start] in "وا" and _ONE_OR_TWO.fullmatch(folded, start, end):
        match = _NOUN_BEFORE.search(folded, max(floor, start - _LONGEST_NOUN), start)
        if match is None:
            return _find_after(folded, end, ceiling) or _find_before(folded, start, floor)
    else:
        return _find_after(folded, end, ceiling) or _find_before(folded, start, floor)
    return Unit(*NOUNS[match["noun"]], *match.span("noun")) if match else None


def find_own_unit(folded: str, start: int, end: int) -> Unit | None:
    """The noun that is the number: of a dual, as شخصين."""
    match = _NOUN.match(folded[start:end])
    if match is None:
        return None
    return Unit(*NOUNS[match["noun"]], start + match.start("noun"), start + match.end("noun"))


def _find_after(folded: str, at: int, ceiling: int) -> Unit | None:
    if match := _WERE.match(folded, at, ceiling):
        verb = match["verb"]
        return Unit(_VERBS[verb], verb, *match.span("verb"))
    if folded.startswith((" وال", "وال"), at):
        return None  # begins another noun
    for _ in range(_STEPS):
        step = _STEP.match(folded, at, ceiling)
        if step is None:
            return None
        word = step.start() + len(step[0]) - len(step[0].lstrip(_BEFORE_WORD))
        begins = folded[word : word + 3]
        if (begins in _BEGINNINGS or not begins.isascii()) and (found := _NOUN.match(folded, word, ceiling)):
            while further := _NEXT_NOUN.match(folded, found.end(), ceiling):
                found = further
            return Unit(*NOUNS[found["noun"]], *found.span("whole"))
        at = step.end()
    return None


def _find_before(folded: str, start: int, floor: int) -> Unit | None:
    if match := _VERB_BEFORE.search(folded, max(floor, start - _LONGEST_VERB), start):
        return Unit(_VERBS[match["verb"]], match["verb"], *match.span("verb"))
    at = max(floor, start - _LONGEST_NOUN)
    if folded.endswith(" of ", at, start) and (match := _DEED_BEFORE.search(folded, at, start)):
        return Unit(_DEED_NAMES[match["deed"]], match["deed"], *match.span("deed"))
    if not folded[at:start].isascii() and (match := _THE_OUTCOME_BEFORE.search(folded, at, start)):
        return Unit(*NOUNS[match["noun"]], *match.span("noun"))
    end = folded[max(floor, start - 2) : start]
    if (":" in end or "=" in end) and (match := _LABEL_BEFORE.search(folded, floor, start)):
        word = match["noun"]
        name, lemma = NOUNS.get(word) or (_VERBS[word], word)
        return Unit(name, lemma, *match.span("noun"))
    part = folded[floor:start]
    if part.isascii() and "of" not in part and "toll" not in part:
        return None
    found = max(_NUMBER_OF.finditer(folded, floor, start), key=lambda match: match.start(), default=None)
    if found is None:
        return None
    if found["toll"]:
        return Unit("killed", "death toll", *found.span())
    name, lemma = NOUNS[found["noun"]]
    return Unit(name, lemma, *found.span("noun"))
