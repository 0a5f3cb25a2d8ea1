"""The languages of the reading pages: each visible string, from one file for each language in ``languages/``.

The English file has the keys; a test requires every key in the other files too. The tables of Datasette and
the files for download are not translated.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from archive.read.cite import PROVENANCE
from archive.store.fields import VERSION_FIELDS

# Written elsewhere: the sentences of English, and the labels of fields in each language
LABELS = {
    "en": {f"field.{of.name}": of.label for of in VERSION_FIELDS if of.label},
    "ar": {f"field.{of.name}": of.label_ar for of in VERSION_FIELDS if of.label_ar},
}
ELSEWHERE = {f"provenance.{source}": sentence for source, sentence in PROVENANCE.items()}
_FOLDER = Path(__file__).parent / "languages"
_TAG = re.compile(r"<[^>]*>")
_QUALITY = re.compile(r"q\s*=\s*(0(?:\.\d*)?|1(?:\.0*)?)")


def _choose_english(n: int) -> str:
    return "one" if n == 1 else "other"


def _choose_arabic(n: int) -> str:
    if n < 3:
        return ("zero", "one", "two")[n]
    return "few" if 3 <= n % 100 <= 10 else "many" if n % 100 > 10 else "other"


# The forms of a string that counts, as Unicode CLDR names them
PLURALS: dict[str, Callable[[int], str]] = {"en": _choose_english, "ar": _choose_arabic}


@dataclass(frozen=True, slots=True)
class Language:
    """A language. ``language(key)`` is its string, ``language(key, 3)`` its form for 3."""

    code: str
    words: Mapping[str, Any] = field(repr=False)  # section.key -> string, list, or forms of a string

    def __call__(self, key: str, count: int | None = None, /, **values: object) -> Markup:
        """The string of a key as markup, with values filled in. What is not markup is escaped."""
        # The strings are ours, and format escapes the values
        return Markup(self._find(key, count)).format(**{"n": f"{count or 0:,}"} | values)  # noqa: S704

    def text(self, key: str, count: int | None = None, /, **values: object) -> str:
        """The same as text, for pictures, feeds and titles."""
        return _TAG.sub("", self._find(key, count)).format(**{"n": f"{count or 0:,}"} | values)

    def _find(self, key: str, count: int | None) -> str:
        found = self.words[key]
        if not isinstance(found, Mapping):
            return str(found)
        form = PLURALS[self.code](count or 0)
        return str((found.get("zero") if not count else "") or found.get(form) or found["other"])

    def name(self, section: str, code: object) -> str:
        """What people call a code of the tables: ``name("state", "live")``; an unknown code as it is."""
        return str(self.words.get(f"{section}.{'none' if code is None else code}", code))

    def join(self, words: Iterable[str]) -> str:
        """Words as a list."""
        return str(self.words["language.list"]).join(words)

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``."""
        return str(self.words["language.direction"])

    @property
    def is_rtl(self) -> bool:
        """Whether its pages run from right to left."""
        return self.direction == "rtl"

    def day(self, at: str | None) -> str:
        """The day of an instant: 5 Feb 2026."""
        return self._format("day", at)

    def long_day(self, at: str | None) -> str:
        """A day as a heading: Thursday, 5 February 2026."""
        return self._format("long_day", at)

    def moment(self, at: str | None) -> str:
        """An instant to the minute: 5 Feb 2026, 14:30."""
        return self._format("moment", at)

    def month(self, at: date) -> str:
        """A month: February 2026."""
        return self._format("month", at.isoformat())

    def _format(self, form: str, at: str | None) -> str:
        if not at:
            return ""
        try:
            read = datetime.fromisoformat(at)
        except ValueError:  # a day that the site wrote in its own way
            return at
        return str(self.words[f"language.{form}"]).format(
            day=read.day,
            month=self.words["language.months"][read.month - 1],
            short_month=self.words["language.short_months"][read.month - 1],
            year=read.year,
            weekday=self.words["language.weekdays"][read.weekday()],
            time=f"{read:%H:%M}",
        )

    def ago(self, at: str, now: str) -> str:
        """The time since an instant: 12 minutes ago."""
        seconds = (datetime.fromisoformat(now) - datetime.fromisoformat(at)).total_seconds()
        for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
            if (number := int(seconds // size)) >= 1:
                return self(f"ago.{unit}", number)
        return self("ago.now")

    def silence(self, stealth: int | None) -> Markup:
        """What the site's own modified time says about an edit."""
        return self("silent.unknown" if stealth is None else "silent.yes" if stealth else "silent.no")


def _read(code: str) -> Language:
    tables = tomllib.loads((_FOLDER / f"{code}.toml").read_text(encoding="utf-8"))
    words = {f"{name}.{key}": said for name, table in tables.items() for key, said in table.items()}
    return Language(code, ELSEWHERE | LABELS[code] | words)


LANGUAGES = {code: _read(code) for code in PLURALS}
ENGLISH = LANGUAGES["en"]


def choose_language(accepted: str) -> str:
    """The code of the language that a browser likes best (``Accept-Language``), English where it likes
    none."""
    liked: dict[str, float] = {}
    for entry in accepted.split(","):
        name, _, rest = entry.strip().partition(";")
        code = name.strip().lower().partition("-")[0]
        quality = _QUALITY.search(rest)
        liked[code] = max(liked.get(code, 0.0), float(quality[1]) if quality else 1.0)
    best = max(LANGUAGES, key=lambda code: liked.get(code, 0.0))
    return best if liked.get(best) else ENGLISH.code
