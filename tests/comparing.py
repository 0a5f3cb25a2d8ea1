"""Texts to compare: the site's forms of sentences with invented names and numbers, and odd texts."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st

from archive.compare.classes import Difference, compare
from archive.model import Text

TITLE = "Homs province | Landmine explosion in the desert"
TOLL = "\n".join(
    (
        "Here is a regional distribution of the casualties since early 2024:",
        "• Deir Ezzor: 28 operations left 31 soldiers dead.",
        "• Al-Raqqah: 13 operations left 9 soldiers and three civilians dead.",
        "• Homs desert: 28 operations left 31 soldiers dead.",
        "SOHR warns of the consequences.",
    )
)
# Words, numbers, Arabic with marks, signs, line ends, emoji sequences: what a page may hold.
SIGNS = (
    *"ab3٣ .,*-–\n\r\t“\"'",
    "قت",
    "ُ",
    "ـ",
    "é",
    "e\u0301",
    "\u200f",
    "\u200d",
    "\u200c",
    "👩",
    "🇸",
    "🏽",
    "\u0600",
    "\u00a0",
    "_",
    "½",
)
ODD = st.lists(st.sampled_from(SIGNS) | st.characters(), max_size=60).map("".join)
# Texts of few different sentences, so that moves, repeats and near misses come up.
PARTS = (
    *(
        "3 killed in Homs.",
        "31 killed in Homs.",
        "Five kil*led.",
        "Five killed.",
        "SOHR warns.",
        "SOHR warns again.",
    ),
    *("Hama:", "“Hama”:", "مقتل شخصين.", ""),
)
LINES = st.lists(st.tuples(st.sampled_from(PARTS), st.sampled_from(" \n")), max_size=7)
TOLD = st.builds(Text, st.sampled_from(PARTS), LINES.map(lambda parts: "".join(map("".join, parts))))
# Bytes of a text that repeats itself
SIZES = (20_000, pytest.param(50_000, marks=pytest.mark.slow))


def said(before: str, after: str) -> Difference:
    """The difference between two texts below one headline."""
    return compare(Text(TITLE, before), Text(TITLE, after))


def pairs(difference: Difference) -> list[tuple[str | None, str | None]]:
    return [(f.before, f.after) for f in difference.figures]
