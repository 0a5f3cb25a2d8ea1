"""Matches of a search as HTML: the text as the site wrote it, with ``<mark>`` around them.
`archive.read.search` tells where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from markupsafe import Markup, escape

from archive.read.search import Term, spans


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of a text with its marks."""

    html: Markup
    is_cut_before: bool
    is_cut_after: bool


def marked(text: str, wanted: Sequence[Term]) -> Markup:
    """The text, escaped, with ``<mark>`` around what was asked for."""
    return _mark(text, list(spans(text, wanted)))


def snippet(text: str, wanted: Sequence[Term], around: int = 130) -> Snippet:
    """The text around the first match; where there is none, its beginning."""
    walk = spans(text, wanted)
    first = next(walk, None)
    middle = first[0] if first else 0
    start = max(0, middle - around)
    if start:
        start = text.find(" ", start, middle) + 1 or start
    end = min(len(text), middle + 2 * around)
    if end < len(text):
        end = max(text.rfind(" ", middle, end), first[1] if first else 0) if " " in text[middle:end] else end
    found = [first, *takewhile(lambda span: span[0] < end, walk)] if first else []
    inside = [(a - start, b - start) for a, b in found if a >= start and b <= end]
    return Snippet(_mark(text[start:end], inside), start > 0, end < len(text))


def _mark(text: str, found: Sequence[tuple[int, int]]) -> Markup:
    parts: list[str] = []
    at = 0
    for start, end in found:
        if start < at:
            continue
        parts += [str(escape(text[at:start])), "<mark>", str(escape(text[start:end])), "</mark>"]
        at = end
    return Markup("".join(parts)) + escape(text[at:])  # noqa: S704  # every part of the text was escaped above
