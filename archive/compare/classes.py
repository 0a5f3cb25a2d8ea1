"""What changed between two versions of an article: the classes of change, their severity and the figures.

Whether a version is new is decided elsewhere (`archive.text.normalise.same_sha256`). Two sentences are
compared on four levels; the first that holds decides:

1. same: equal after `archive.text.normalise.normalise` -> no class.
2. typography: equal but for dashes, light punctuation, bullets, vowel marks -> ``rewording``, severity 1.
3. obfuscation: equal but for noise inside words (``kil*led``, ``IS-IS``, tatweel) -> ``obfuscation``,
severity 1. 4. anything else is a real change.

Levels 2 and 3 require the same numbers on both sides; no level drops a digit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from archive.compare.addresses import address_key
from archive.compare.alignment import Gap, Pairs, align, gaps_of, heaviest
from archive.compare.numbers import Number
from archive.compare.sentences import Sentence, has_same_numbers, pair_sentences, split_sentences
from archive.model import CLASSES, Text
from archive.text.normalise import normalise

# Words before times words after, up to which figures are matched by weight; above it, by position
MAX_WEIGHED = 10_000
# A post with a year of tolls has some hundred; the bound is for hostile pages
MAX_FIGURES = 2_000


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that changed, before and after, as written; None where it or its sentence does not exist."""

    before: str | None
    after: str | None
    sentence_before: str | None
    sentence_after: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """``classes`` in the order of `CLASSES`, ``severity`` 0 to 3, and the numbers that changed, came or
    went."""

    classes: tuple[str, ...]
    severity: int
    figures: tuple[Figure, ...]


NOTHING = Difference((), 0, ())


@dataclass(frozen=True, slots=True)
class _Finding:
    classes: frozenset[str]
    severity: int
    figures: tuple[Figure, ...] = ()


def _typographic(before: Sentence, after: Sentence) -> _Finding | None:
    """Compare on levels 1 to 3 (see the module); None for a real change."""
    if before.same == after.same:
        return _Finding(frozenset(), 0)
    if has_same_numbers(before, after):
        if before.light == after.light:
            return _Finding(frozenset({"rewording"}), 1)
        if before.bare == after.bare:
            return _Finding(frozenset({"obfuscation"}), 1)
    return None


def _changed(before: Sentence, after: Sentence, reworded: str) -> _Finding:
    """Compare a sentence or headline with its later form. ``reworded`` is the class of a real change:
    `rewording` or `title`."""
    if finding := _typographic(before, after):
        return finding
    figures = _paired_figures(before, after)
    classes = set()
    if not has_same_numbers(before, after):
        classes.add("figures")
    if reworded == "title" or not classes or before.masked != after.masked:
        classes.add(reworded)
    return _Finding(frozenset(classes), 3 if figures else 2 if reworded == "title" else 1, figures)


def _paired_figures(before: Sentence, after: Sentence) -> tuple[Figure, ...]:
    """The numbers of a sentence and of its later form, matched by the words around them."""
    if not before.numbers and not after.numbers:
        return ()
    b, a = before.atoms, after.atoms
    matched = {i: j for i, j in _match_atoms(b, a) if isinstance(b[i], Number) and isinstance(a[j], Number)}
    taken = set(matched.values())
    found: list[tuple[int, str | Number | None, str | Number | None]] = [
        (matched.get(i, i), x, a[matched[i]] if i in matched else None) for i, x in enumerate(b)
    ]
    found += [(j, None, y) for j, y in enumerate(a) if j not in taken]
    numbers = [(at, x, y) for at, x, y in found if not isinstance(x, str) and not isinstance(y, str)]
    numbers.sort(key=lambda entry: entry[0])
    return tuple(
        Figure(x.text if x else None, y.text if y else None, before.beside(x), after.beside(y))
        for _, x, y in numbers
    )


def _match_atoms(before: list[str | Number], after: list[str | Number]) -> Pairs:
    def weight(i: int, j: int) -> float:
        x, y = before[i], after[j]
        if isinstance(x, str) or isinstance(y, str):
            return 2.0 if x == y else 0.0
        # "3 killed, 5 hurt" -> "5 killed, 7 hurt" is 3 -> 5 and 5 -> 7: words weigh more than equal numbers
        return 3.0 if x.value == y.value else 1.0

    words, others = ([x if isinstance(x, str) else 0 for x in atoms] for atoms in (before, after))
    if words == others:
        return [(k, k) for k in range(len(before))]
    if len(before) * len(after) <= MAX_WEIGHED:
        return heaviest(len(before), len(after), weight)
    return align(words, others)


def _is_changed(figure: Figure) -> bool:
    """Whether the number is another one: 1066 and 1,066 are the same."""
    if figure.before is None or figure.after is None:
        return True
    return Sentence(figure.before).values != Sentence(figure.after).values


def _unpaired_figures(before: Sentence | None, after: Sentence | None) -> tuple[Figure, ...]:
    """The numbers of a sentence that was added or removed."""
    numbers = (before or after or Sentence("")).numbers
    return tuple(
        Figure(
            n.text if before else None,
            n.text if after else None,
            before.beside(n) if before else None,
            after.beside(n) if after else None,
        )
        for n in numbers
    )


def _compare_texts(before: str, after: str) -> Iterator[_Finding]:
    if before == after or normalise(before) == normalise(after):
        return
    old, new = split_sentences(before), split_sentences(after)
    removed: list[Sentence] = []
    added: list[Sentence] = []
    whole = (0, len(old), 0, len(new))
    for gap in gaps_of(align([s.same for s in old], [s.same for s in new]), whole):
        yield from _compare_gap(old, new, gap, removed, added)
    yield from _compare_unpaired(removed, added)


def _compare_gap(
    old: list[Sentence], new: list[Sentence], gap: Gap, removed: list[Sentence], added: list[Sentence]
) -> Iterator[_Finding]:
    """Compare the sentences of a gap; append those without a counterpart to ``removed`` and ``added``."""
    i0, i1, j0, j1 = gap
    if i0 < i1 and j0 < j1:
        # A line or sentence was split or joined, and nothing else changed.
        joined = [Sentence(" ".join(s.raw for s in side)) for side in (old[i0:i1], new[j0:j1])]
        if finding := _typographic(*joined):
            yield finding
            return
    pairs = pair_sentences(old, new, gap)
    for i, j in pairs:
        yield _changed(old[i], new[j], "rewording")
    paired_before, paired_after = {i for i, _ in pairs}, {j for _, j in pairs}
    removed += (old[i] for i in range(i0, i1) if i not in paired_before)
    added += (new[j] for j in range(j0, j1) if j not in paired_after)


def _compare_unpaired(removed: list[Sentence], added: list[Sentence]) -> Iterator[_Finding]:
    """Sentences without a counterpart in their place: moved if the other side has them elsewhere, else
    removed or added."""
    elsewhere: dict[str, list[Sentence]] = {}
    for sentence in added:
        elsewhere.setdefault(sentence.bare, []).append(sentence)
    moved: set[int] = set()
    for sentence in removed:
        if same := elsewhere.get(sentence.bare):
            target = same.pop(0)
            moved.add(id(target))
            figures = _paired_figures(sentence, target)
            # A figure moved from under "Homs:" to under "Hama:" says something else
            yield _Finding(frozenset({"order"}), 3 if figures else 2, figures)
        else:
            figures = _unpaired_figures(sentence, None)
            yield _Finding(
                frozenset({"text_removed", "figures"} if figures else {"text_removed"}),
                3 if figures else 2,
                figures,
            )
    for sentence in added:
        if id(sentence) not in moved:
            figures = _unpaired_figures(None, sentence)
            yield _Finding(
                frozenset({"text_added", "figures"} if figures else {"text_added"}),
                3 if figures else 2,
                figures,
            )


_MIRROR = {"text_added": "text_removed", "text_removed": "text_added"}


def compare(before: Text, after: Text) -> Difference:
    """What changed between two versions. Severity:

    - 3: a figure, or a sentence with a figure, was changed, added, removed or moved
    - 2: text without figures was added, removed or moved, or the headline was reworded
    - 1: a sentence without figures was reworded, or only typography or obfuscation changed
    - 0: nothing that a reader can see (white space, quotes)

    ``compare(b, a)`` is ``compare(a, b)`` with before and after exchanged.
    """
    if before == after:
        return NOTHING
    # Equally good alignments are chosen by position: compare in one direction, so that both give the same
    # result
    swapped = (before.title, before.text) > (after.title, after.text)
    old, new = (after, before) if swapped else (before, after)
    findings = [
        _changed(Sentence(old.title), Sentence(new.title), "title"),
        *_compare_texts(old.text, new.text),
    ]
    classes = {name for finding in findings for name in finding.classes}
    figures = [figure for finding in findings for figure in finding.figures if _is_changed(figure)]
    if swapped:
        classes = {_MIRROR.get(name, name) for name in classes}
        figures = [Figure(f.after, f.before, f.sentence_after, f.sentence_before) for f in figures]
    return Difference(
        tuple(name for name in CLASSES if name in classes),
        max(finding.severity for finding in findings),
        tuple(figures[:MAX_FIGURES]),
    )


def metadata_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The claims that differ, as ``{field: [before, after]}`` in the order of ``before``, ready for JSON.

    An absent claim is None. Tuples equal lists; ``categories`` and ``tags`` are compared as sets, addresses
    of ``links`` and ``images`` without what is made anew for each request.
    """
    changes: dict[str, list[Any]] = {}
    for name in dict.fromkeys(chain(before, after)):
        old, new = _listed(before.get(name)), _listed(after.get(name))
        if _comparable(name, old) != _comparable(name, new):
            changes[name] = [old, new]
    return changes


def _comparable(name: str, value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if name in ("categories", "tags"):  # themes list them in different orders
        return sorted(value)
    if name == "images":
        return [address_key(url) for url in value]
    if name == "links":
        return [(address_key(link[0]), normalise(link[1])) for link in value]
    return value


def _listed(value: Any) -> Any:
    return [_listed(part) for part in value] if isinstance(value, tuple | list) else value
