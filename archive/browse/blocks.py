"""A version's text as paragraphs, lists, tables and headings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archive.store.line_kinds import decode_kinds


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of a text that belong together: entries of a list, rows of a table, or one line alone."""

    kind: str
    lines: tuple[tuple[int, str], ...]  # (depth, text)
    notes: tuple[Any, ...] = ()  # what a page says after it

    @property
    def rows(self) -> list[list[str]]:
        """The cells of a table."""
        return [text.split("\t") for _, text in self.lines]


def blocks(text: str, kinds: str) -> list[Block]:
    """A version's text as blocks; ``kinds`` is the column `lines`. If the two do not fit, every line is a
    paragraph."""
    lines = text.split("\n") if text else []
    try:
        read = decode_kinds(kinds)
    except (ValueError, TypeError):
        read = []
    if len(read) != len(lines):
        read = [("paragraph", 0)] * len(lines)
    found: list[Block] = []
    run: list[tuple[int, str]] = []
    for place, ((kind, depth), line) in enumerate(zip(read, lines, strict=True)):
        run.append((depth, line))
        goes_on = kind in ("list", "row") and place + 1 < len(read) and read[place + 1][0] == kind
        if not goes_on:
            found.append(Block(kind, tuple(run)))
            run = []
    return found
