"""Cells that a spreadsheet would take for a formula."""

from __future__ import annotations

import pytest

from archive.text.spreadsheet import guard_cell

ODD = (
    "=1+1",
    "+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\n=1",
    "\r\n=1",
    "  =1",
    "\u00a0=1",
    "\ufeff=1",
    "\u200f+1",
    "＝1",
    "－1",
)


@pytest.mark.parametrize("cell", ODD)
def test_a_formula_gets_an_apostrophe(cell: str) -> None:
    """Also after white space and invisible characters, and written in full width."""
    assert guard_cell(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", " ", "a=1", "'=1", "• 3 = 4", "−1", "31", 31, -1, None, True])
def test_other_cells_stay(cell: object) -> None:
    """Numbers, signs within a text, and a minus that no program calculates with."""
    assert guard_cell(cell) is cell
