"""Lines that differ between two requests of a page within minutes: boxes that show another headline or count
each time. A change of such a kind asks for the page once more. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from archive.compare.addresses import address_key
from archive.compare.alignment import align, gaps_of
from archive.model import Extract
from archive.text.normalise import normalise

SOON = timedelta(minutes=10)  # between two requests that show which lines are furniture
_MOST_LINES = 8  # of a box
_MOST_WORDS = 6  # of a label with its number
_ENDS = (".", "!", "?", "؟")
_NUMBER = re.compile(r"\d[\d.,٬٫]*")


@dataclass(frozen=True, slots=True)
class Said:
    """The lines of a text and the words of its links."""

    lines: Sequence[str]
    anchors: frozenset[str]

    def is_suspect(self, line: str) -> bool:
        """True for a line with a link, a number alone, or a label and a number; not for a sentence."""
        is_label = len(line.split()) <= _MOST_WORDS and not line.endswith(_ENDS)
        return (is_label and _NUMBER.search(line) is not None) or self.is_linked(line)

    def is_linked(self, line: str) -> bool:
        """True for a line with the words of a link."""
        return any(anchor in line for anchor in self.anchors)


@dataclass(frozen=True, slots=True)
class Furniture:
    """Lines and addresses of an answer that are furniture, and the lines of the version before that stood in
    their place."""

    lines: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    before: tuple[str, ...] = ()

    def pack(self) -> str:
        """As the column ``furniture`` of `captures` has it."""
        return json.dumps(asdict(self), ensure_ascii=False)


def unpack(column: str | None) -> Furniture | None:
    """What `Furniture.pack` wrote; None for a capture without furniture."""
    return Furniture(**{name: tuple(of) for name, of in json.loads(column).items()}) if column else None


def said(text: str, links: Iterable[Sequence[str]]) -> Said:
    """A text with links (address, words), as `find_furniture` compares it."""
    return Said(text.split("\n"), frozenset(words for _, words in links if words))


def is_suspicious(before: Said, found: Said) -> bool:
    """True if a line came or went that boxes have too."""
    old, new = _keys(before.lines), _keys(found.lines)
    gone, added = Counter(old) - Counter(new), Counter(new) - Counter(old)
    return any(
        key in keys and one.is_suspect(line)
        for one, keys, of in ((before, gone, old), (found, added, new))
        for line, key in zip(one.lines, of, strict=True)
    )


def find_furniture(before: Said, first: Extract, again: Extract) -> tuple[Furniture, Furniture] | None:
    """What is furniture in two answers to requests of a page; None if nothing is.

    A run of lines that differs is furniture if it holds a suspect line and none that the version before has.
    """
    one, two = (said(found.text, found.links) for found in (first, again))
    held = set(_keys(before.lines))
    kept: list[str] = []  # lines of the second answer
    slots: dict[int, list[str]] = {}  # place in `kept` -> lines of both answers
    dropped: list[str] = []
    other: list[str] = []
    done = 0
    old, new = _keys(one.lines), _keys(two.lines)
    for i0, i1, j0, j1 in gaps_of(align(old, new), (0, len(old), 0, len(new))):
        is_box = max(i1 - i0, j1 - j0) <= _MOST_LINES and (
            any(map(one.is_suspect, one.lines[i0:i1])) or any(map(two.is_suspect, two.lines[j0:j1]))
        )
        if is_box and not any(
            key in held and not one.is_suspect(line)
            for line, key in zip(one.lines[i0:i1], old[i0:i1], strict=True)
        ):
            kept += two.lines[done:j0]
            slots.setdefault(len(kept), []).extend((*one.lines[i0:i1], *two.lines[j0:j1]))
            dropped += one.lines[i0:i1]
            other += two.lines[j0:j1]
            done = j1
    if not slots:
        return None
    kept += two.lines[done:]
    places = tuple(_lines_in_slots(before, kept, slots, Said((), one.anchors | two.anchors)))
    addresses = _addresses(first), _addresses(again)
    return (
        Furniture(tuple(dropped), tuple(sorted(addresses[0] - addresses[1])), places),
        Furniture(tuple(other), tuple(sorted(addresses[1] - addresses[0])), places),
    )


def _lines_in_slots(before: Said, kept: list[str], slots: dict[int, list[str]], one: Said) -> Iterator[str]:
    """Lines of the version before that stand where furniture was, and look like it. ``one`` has its links."""
    old, new = _keys(before.lines), _keys(kept)
    for i0, i1, j0, j1 in gaps_of(align(old, new), (0, len(old), 0, len(new))):
        box = [line for at in range(j0, j1 + 1) for line in slots.get(at, ())]
        # Sentences may be those of the box if nothing else stands in their place
        sentences = 0 if j0 < j1 else sum(not one.is_suspect(line) for line in box)
        for line in before.lines[i0:i1]:
            if sentences and not before.is_suspect(line):
                sentences -= 1
                yield line
            elif _looks_like(box, one, line, before):
                yield line


def _looks_like(box: list[str], one: Said, line: str, before: Said) -> bool:
    """Whether a line has the label of a line of a box, or both have links."""
    if before.is_linked(line) and any(map(one.is_linked, box)):
        return True
    return _mask(line) in map(_mask, box)


def without_lines(text: str, lines: Iterable[str]) -> str:
    """A text without lines, each taken away as often as it is named."""
    less = Counter(lines)
    kept = []
    for line in text.split("\n"):
        if less[line] > 0:
            less[line] -= 1
        else:
            kept.append(line)
    return "\n".join(kept)


def without_furniture(found: Extract, furniture: Furniture) -> Extract:
    """What a page says without its furniture."""
    less, lines = Counter(furniture.lines), []
    for line in found.lines:
        if less[line.text] > 0:
            less[line.text] -= 1
        else:
            lines.append(line)
    gone = set(furniture.addresses)
    return replace(
        found,
        lines=tuple(lines),
        links=tuple(link for link in found.links if address_key(link[0]) not in gone),
        images=tuple(image for image in found.images if address_key(image) not in gone),
    )


def as_before(before: list[Any], after: list[Any], furniture: Furniture) -> list[Any]:
    """The links or images before, if only as many are gone as this answer has in furniture; else those
    after."""
    places = iter(before)
    is_within = all(entry in places for entry in after)
    return before if is_within and len(before) - len(after) <= len(furniture.addresses) else after


def _addresses(found: Extract) -> set[str]:
    return {address_key(url) for url in (*(url for url, _ in found.links), *found.images)}


def _keys(lines: Sequence[str]) -> list[str]:
    return [normalise(line) for line in lines]


def _mask(line: str) -> str:
    return _NUMBER.sub("#", line)
