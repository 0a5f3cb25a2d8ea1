"""The words of the replica's posts, as pairs (English, Arabic). Towns, outlets and persons are invented; so
is every sentence built of them."""

from __future__ import annotations

import random
from typing import Literal

Edition = Literal["en", "ar"]
EDITIONS: tuple[Edition, ...] = ("en", "ar")
Pair = tuple[str, str]

PROVINCES: tuple[Pair, ...] = (
    ("Aleppo", "حلب"), ("Idlib", "إدلب"), ("Daraa", "درعا"), ("Deir Ezzor", "دير الزور"), ("Al-Raqqah", "الرقة"), ("Al-Hasakah", "الحسكة"),
    ("Homs", "حمص"), ("Hama", "حماة"), ("Rif Dimashq", "ريف دمشق"), ("Damascus", "دمشق"), ("Latakia", "اللاذقية"), ("Al-Suwaidaa", "السويداء"),
)  # fmt: skip
TOWNS: tuple[Pair, ...] = (
    ("Tel Marjan", "تل مرجان"), ("Kafr Warda", "كفر وردة"), ("Al-Wadiyah", "الوادية"), ("Umm Zaytun", "أم زيتون"), ("Khirbet Al-Noor", "خربة النور"),
    ("Beit Sarab", "بيت سراب"), ("Ain Dalia", "عين داليا"), ("Jub Al-Rih", "جب الريح"), ("Al-Marsad Hill", "تلة المرصد"), ("Qasr Anbar", "قصر عنبر"),
    ("Sheikh Ramal", "شيخ رمال"), ("Al-Tawahin", "الطواحين"), ("Hawsh Lina", "حوش لينا"), ("Nahr Al-Asal", "نهر العسل"),
)  # fmt: skip
EVENTS: tuple[Pair, ...] = (
    ("a landmine explosion", "انفجار لغم"), ("artillery shelling", "قصف مدفعي"),
    ("a drone strike", "ضربة بطائرة مسيّرة"), ("random gunfire", "رصاص عشوائي"),
    ("an attack by unknown gunmen", "هجوم مسلحين مجهولين"), ((
        "the collapse of a damaged "
        "house"
    ), "انهيار منزل متصدّع"),
    ("a road ambush", "كمين على الطريق"),
    ("the blast of an old shell", "انفجار قذيفة قديمة"), ("a tribal quarrel", "اقتتال عشائري"), ("sniper fire", "رصاص قنّاص"),
)  # fmt: skip
GROUPS: tuple[Pair, ...] = (
    ("civilians", "مدنيين"), ("regime soldiers", "جنود من قوات النظام"), ("SDF-held area residents", "سكان مناطق قسد"),
    ("Iranian-backed militiamen", "عناصر من الميليشيات"),
    ("ISIS members", "عناصر من التنظيم"), ("members of local factions", "عناصر من فصائل محلية"),
    ("women", "نساء"), ("children", "أطفال"), ("shepherds", "رعاة"),
)  # fmt: skip
KICKERS: tuple[Pair, ...] = (
    ("Ongoing unrest", "فوضى مستمرة"), ("New incident", "حادثة جديدة"), ("Daily toll", "حصيلة يومية"), ("Desert front", "جبهة البادية"),
    ("War leftovers", "مخلّفات الحرب"), ("Living conditions", "أوضاع معيشية"),
)  # fmt: skip
OBFUSCATED = ("kil*led", "IS-IS", "Dea*th", "att*ack", "k-illed", "expl*odes", "Gu*nmen")
TOPICS: tuple[Pair, ...] = (
    ("Investigations", "تحقيقات"),
    ("Prisons", "معتقلات"),
    ("Displacement", "نزوح"),
    ("Water crisis", "أزمة المياه"),
    ("Anti-ISIS front", "جبهة التنظيم"),
)

# address of a category -> its name; the first of each is the parent of the next two
CATEGORIES: dict[Edition, dict[str, str]] = {
    "en": {
        "news": "News",
        "news/syria-news": "Syria News",
        "news/daily-toll": "Daily Toll",
        "reports": "Reports",
        "human-rights": "Human Rights",
        "press": "SOHR In Press",
    },
    "ar": {
        "أخبار": "أخبار",
        "أخبار/أخبار-سورية": "أخبار سورية",
        "أخبار/حصيلة-يومية": "حصيلة يومية",
        "تقارير": "تقارير",
        "حقوق-الإنسان": "حقوق الإنسان",
        "صحافة": "المرصد في الصحافة",
    },
}
AUTHORS: dict[Edition, tuple[str, ...]] = {
    "en": ("Editor N", "Desk Two", "SOHR Desk"),
    "ar": ("المحرر ن", "قسم الأخبار"),
}
SITE_NAME: dict[Edition, str] = {
    "en": "The Syrian Observatory For Human Rights",
    "ar": "المرصد السوري لحقوق الإنسان",
}
_EASTERN = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


class Voice:
    """A seeded chooser of words in one edition's language."""

    def __init__(self, edition: Edition, seed: str) -> None:
        self.edition: Edition = edition
        self.random = random.Random(seed)
        self._side = 0 if edition == "en" else 1

    def say(self, english: str, arabic: str) -> str:
        """The sentence in this edition's language."""
        return (english, arabic)[self._side]

    def pick(self, pairs: tuple[Pair, ...]) -> str:
        """One of the words, in this edition's language."""
        return self.random.choice(pairs)[self._side]

    def several(self, pairs: tuple[Pair, ...], count: int) -> list[str]:
        """Different words, in this edition's language."""
        return [pair[self._side] for pair in self.random.sample(pairs, count)]

    def number(self, low: int, high: int) -> str:
        """A number as the site writes it: with thousands separators in English, now and then in Eastern
        Arabic digits."""
        return self.figure(self.random.randint(low, high))

    def figure(self, value: int) -> str:
        """A given number as the site writes it."""
        if self.edition == "en":
            return f"{value:,}"
        return str(value).translate(_EASTERN) if self.random.random() < 0.2 else str(value)
