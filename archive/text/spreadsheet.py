"""Cells of a CSV for spreadsheets, which take some texts for formulas."""

from __future__ import annotations

import unicodedata

# Full-width signs too: an Excel for Chinese or Japanese takes them for the usual ones
_FORMULA = frozenset("=+-@＝＋－＠")


def guard_cell(value: object) -> object:
    """A cell; with an apostrophe in front if a spreadsheet would take its text for a formula. The first
    character decides, but for white space and invisible characters, which some programs drop."""
    if not isinstance(value, str):
        return value
    first = next((sign for sign in value if not _is_dropped(sign)), "")
    return f"'{value}" if first in _FORMULA else value


def _is_dropped(sign: str) -> bool:
    return sign.isspace() or unicodedata.category(sign) in ("Cf", "Cc")
