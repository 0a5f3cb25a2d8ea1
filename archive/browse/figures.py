"""The figures of a post over its versions: which number became which, by the changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from archive.browse.drawing import steps
from archive.browse.language import Language

_MOST = 4  # chains in one picture


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that changed or was added or removed, with its sentences."""

    before: str | None
    after: str | None
    sentence_before: str | None
    sentence_after: str | None

    @property
    def pair(self) -> tuple[str, str]:
        """Both values: lists show a figure that changed in title and text once."""
        return self.before or "", self.after or ""


def measure(figures: Iterable[Figure]) -> float:
    """How far the figures of an edit moved: the greatest factor between before and after. A figure that came
    or went counts as if it had been 0."""
    factors = [1.0]
    for figure in figures:
        both = sorted((_number(figure.before) or 0, _number(figure.after) or 0))
        factors.append((both[1] + 1) / (both[0] + 1))
    return max(factors)


@dataclass(slots=True)
class _Chain:
    sentence: str | None
    figure: str | None
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


def picture(
    t: Language,
    versions: Sequence[Mapping[str, Any]],
    changes: Sequence[Mapping[str, Any]],
    last: str = "",
    *,
    rtl: bool = False,
) -> Markup:
    """The figures that changed, over the versions; empty below three versions.

    ``versions`` have number and first_captured_at, in order; ``changes`` have before, after (numbers of
    versions) and figures (read); ``last`` is the instant of the last look.
    """
    places = {version["number"]: place for place, version in enumerate(versions)}
    chains: list[_Chain] = []
    for change in changes:
        start, end = places.get(change["before"]), places.get(change["after"])
        if start is not None and end == start + 1:
            for figure in changed_figures(change["figures"]):
                _extend(chains, figure, start)
    for chain in chains:
        chain.values += [chain.values[-1]] * (len(versions) - len(chain.values))
    drawn = [
        (chain.sentence or t.text("steps.now", figure=chain.figure), chain.values) for chain in chains[:_MOST]
    ]
    runs = [t.text("steps.run").join(_run(chain.values)) for chain in chains[:_MOST]]
    label = t.text("steps.label", figures="; ".join(runs))
    instants = [str(version["first_captured_at"]) for version in versions]
    return steps(label, instants, max(last, *instants), drawn, rtl=rtl) if instants else Markup("")


def _extend(chains: list[_Chain], figure: Figure, start: int) -> None:
    """Add a figure that changed after version ``start`` to the chain that ends with it, or to a new one."""
    old, new = _number(figure.before), _number(figure.after)
    if old is None or new is None:
        return
    end = start + 1
    for chain in chains:
        if (chain.figure, chain.sentence) == (figure.before, figure.sentence_before) and len(
            chain.values
        ) <= end:
            break
    else:
        chain = _Chain(None, None, [None] * start + [old])
        chains.append(chain)
    chain.values += [chain.values[-1]] * (end - len(chain.values)) + [new]
    chain.figure, chain.sentence = figure.after, figure.sentence_after


def _run(values: Sequence[int | None]) -> list[str]:
    run: list[str] = []
    for value in values:
        if value is not None and (not run or run[-1] != f"{value:,}"):
            run.append(f"{value:,}")
    return run


def _number(text: str | None) -> int | None:
    """A figure written in digits, Arabic-Indic ones too; None for one in words or with decimals."""
    plain = (text or "").replace(",", "").replace("٬", "")
    return int(plain) if plain.isdecimal() and len(plain) < 10 else None
