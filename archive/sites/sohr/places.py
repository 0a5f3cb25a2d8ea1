"""The governorates and deserts that the site names, as it spells them in both editions."""

from __future__ import annotations

import re

_GOVERNORATES = {  # without "Al-" and "ال"; in Arabic ة is written ه too
    "Rif Dimashq": "Rif[ -]Dimashq|Damascus countryside|countryside of Damascus|Rural Damascus|ريف دمشق",
    "Damascus": "Damascus|دمشق",
    "Quneitra": "Quneitra|Qunaitra|قنيطر[ةه]",
    "Daraa": "Dar['’]?aa?|Deraa|درعا",
    "Al-Suwaidaa": "S[uw]+[ae]i?[iy]?d[ae]+|سويداء?",
    "Homs": "Homs|حمص",
    "Tartus": "Tart[uo]u?s|طرطوس",
    "Latakia": "Lat[ta]*[qk]iy?ah?|لاذقي[ةه]",
    "Hama": "Hamah?|حما[ةه]",
    "Idlib": "Idlib|[إا]دلب",
    "Aleppo": "Aleppo|حلب",
    "Al-Raqqah": "Raqq?ah?|رق[ةه]",
    "Deir Ezzor": "D(?:ei|e)r[ -]e?z-?[ -]?Zor|Deir Al-Zour|دير ?الزور",
    "Al-Hasakah": "Has+ak[ae]h?|حسك[ةه]",
}
SYRIAN_DESERT = "Syrian desert"
_NAMES = "|".join(f"(?P<p{n}>{spelt.lower()})" for n, spelt in enumerate(_GOVERNORATES.values()))
_AL = "(?:a[ls]-? ?|[وبلف]?ال|لل|[وبلف])?"
_PLACE = re.compile(
    r"(?<!\w)(?=a[ls]|cou|d[aei]|h[ao]|idl|la|qu|r[aiu]|s[uwy]|ta|[ء-ي])"  # spares most words the rest
    r"(?:(?P<syrian>syrian deserts?\b|(?:[وبلف]?ال|لل)بادي[ةه] السوري[ةه])"
    rf"|(?P<before>deserts? of |{_AL}بادي[ةه] )?{_AL}(?:{_NAMES})(?!\w)(?P<after> deserts?\b)?)"
)
# One of these is in every place, at most so many characters after its beginning
_FRAGMENT = re.compile(
    "damas|dimash|neit|nait|dar|dera|sw|su|homs|tart|lat|ham|idlib|alep|raq|zor|zour|has|desert|دمشق|نيطر|درعا"
    "|سويدا|حمص|طرطوس|لاذق|حما|دلب|حلب|رق|دير|حسك|بادي"
)
_BEFORE = 30
_CANONICAL = {f"p{n}": name for n, name in enumerate(_GOVERNORATES)}


def find_places(text: str) -> set[str]:
    """The governorates and deserts that a text names, each by one English name: Homs, Homs desert."""
    found: set[str] = set()
    lower = text.lower()
    first = _FRAGMENT.search(lower)
    if first is None:  # most sentences name none
        return found
    for match in _PLACE.finditer(lower, max(0, first.start() - _BEFORE)):
        if match["syrian"]:
            found.add(SYRIAN_DESERT)
            continue
        name = next(_CANONICAL[group] for group in _CANONICAL if match[group])
        found.add(f"{name} desert" if match["before"] or match["after"] else name)
    return found
