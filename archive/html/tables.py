"""Rows of tables as lines: a cell for each column, also where a cell reaches over several."""

from __future__ import annotations

from collections.abc import Mapping

from selectolax.lexbor import LexborNode

_MOST_COLUMNS, _MOST_ROWS = 100, 65_534  # that a cell may span; HTML's bound for rows


class Table:
    """The columns of a table that cells of earlier rows still occupy."""

    def __init__(self) -> None:
        self.spans: dict[int, int] = {}  # column -> rows

    def end_row(self) -> None:
        self.spans = {column: rows - 1 for column, rows in self.spans.items() if rows > 1}


class Row:
    """The cells of a table row: one for each column, "" where another cell reaches into it."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.cells: list[str] = []
        self.depth = 0  # rows of nested tables around the text
        self._reached = dict(table.spans)

    def start_cell(self) -> None:
        while self._reached.pop(len(self.cells), 0):
            self.cells.append("")

    def end_cell(self, text: str, attributes: Mapping[str, str | None]) -> None:
        columns = _span(attributes.get("colspan"), _MOST_COLUMNS) or 1
        rows = _span(attributes.get("rowspan"), _MOST_ROWS) or _MOST_ROWS  # 0: to the end of its section
        for column in range(len(self.cells), len(self.cells) + columns):
            if rows > 1:
                self.table.spans[column] = rows
        self.cells += [text] + [""] * (columns - 1)

    def text(self) -> str:
        # Columns are counted from the first cell, so empty cells after the last one move no figure
        return "\t".join(self.cells).rstrip()


def is_row(row: LexborNode) -> bool:
    """True for a row of data; False for a row that lays out a page (lists or several paragraphs in a
    cell)."""
    cells = [cell for cell in row.iter() if cell.tag in ("td", "th")]
    for cell in cells:
        if cell.css_first("li, h1, h2, h3, h4, h5, h6, blockquote") is not None:
            return False
        if len(cell.css("p")) > (1 if len(cells) == 1 else 2) or (
            len(cells) == 1 and cell.css_first("br") is not None
        ):
            return False
    return True


def _span(value: str | None, most: int) -> int:
    """The number of columns or rows of a cell, from its attribute."""
    value = (value or "").strip()
    return min(int(value[:6]), most) if value.isascii() and value.isdigit() else 1
