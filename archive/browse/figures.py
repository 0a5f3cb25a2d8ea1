"""The figures of a post over its versions: which number became which, as far as the changes tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from archive.browse.drawing import steps

_MOST = 4  # chains in one picture


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that changed, came or went, with its sentences."""

    before: str | None
    after: str | None
    sentence_before: str | None
    sentence_after: str | None

    @property
    def pair(self) -> tuple[str, str]:
        """What became what: in lists a figure that changed in title and text is told once."""
        return self.before or "", self.after or ""


@dataclass(slots=True)
class _Chain:
    sentence: str | None
    said: str | None
    values: list[int | None] = field(default_factory=list)


def changed_figures(column: Sequence[Any]) -> list[Figure]:
    """The figures of a change that are not the same on both sides. ``column`` is ``changes.figures``,
    read."""
    found = []
    for entry in column:
        if isinstance(entry, Mapping):
            names = ("before", "after", "sentence_before", "sentence_after")
            figure = _figure([entry.get(name) for name in names])
        elif isinstance(entry, list) and len(entry) == 2:
            figure = _figure([*entry, None, None])
        else:
            continue
        if figure.before != figure.after and figure not in found:
            found.append(figure)
    return found


def _figure(values: Sequence[Any]) -> Figure:
    before, after, sentence_before, sentence_after = (
        None if value is None else str(value) for value in values
    )
    return Figure(before, after, sentence_before, sentence_after)


def picture(versions: Sequence[Mapping[str, Any]], changes: Sequence[Mapping[str, Any]]) -> Markup:
    """The chains of figures that changed, over the versions. Empty where there is none.

    ``versions`` have number and first_captured_at, in order; ``changes`` have before, after (numbers of
    versions) and figures (read).
    """
    places = {version["number"]: place for place, version in enumerate(versions)}
    chains: list[_Chain] = []
    for change in changes:
        start, end = places.get(change["before"]), places.get(change["after"])
        if start is None or end is None or end != start + 1:
            continue
        for figure in changed_figures(change["figures"]):
            old, new = _number(figure.before), _number(figure.after)
            if old is None or new is None:
                continue
            chain = next(
                (
                    c
                    for c in chains
                    if c.said == figure.before
                    and c.sentence == figure.sentence_before
                    and len(c.values) <= end
                ),
                None,
            )
            if chain is None:
                chain = _Chain(None, None, [None] * start + [old])
                chains.append(chain)
            chain.values += [chain.values[-1]] * (end - len(chain.values)) + [new]
            chain.said, chain.sentence = figure.after, figure.sentence_after
    for chain in chains:
        chain.values += [chain.values[-1]] * (len(versions) - len(chain.values))
    columns = [
        f"version {version['number']}, {str(version['first_captured_at'])[:10]}" for version in versions
    ]
    told = [(chain.sentence or f"now {chain.said}", chain.values) for chain in chains[:_MOST]]
    label = "Figures that changed: " + "; ".join(" to ".join(_run(chain.values)) for chain in chains[:_MOST])
    return steps(label, columns, told)


def _run(values: Sequence[int | None]) -> list[str]:
    told: list[str] = []
    for value in values:
        if value is not None and (not told or told[-1] != f"{value:,}"):
            told.append(f"{value:,}")
    return told


def _number(text: str | None) -> int | None:
    """A figure written in digits, Arabic-Indic ones too; None for one in words or with decimals."""
    plain = (text or "").replace(",", "").replace("٬", "")
    return int(plain) if plain.isdecimal() and len(plain) < 10 else None
