"""Two versions of an article, word by word: side by side, or one text with what went and what came."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from datasette.utils.asgi import NotFound, Response

from archive.browse.context import Frame, open_frame, rows
from archive.browse.labels import SEVERITY_SENTENCES
from archive.compare.classes import Figure, Text, compare
from archive.compare.words import LinePair, Segment, side_by_side, word_diff
from archive.store.fields import PAGE_FIELDS

_AROUND = 2  # unchanged lines shown beside a changed one
_SQL = """
select v.*, a.edition, a.post_id, a.source, a.key, a.url, c.offset, c.captured_at, f.serial, f.name as warc
from articles a join versions v using (article_id) join captures c on c.capture_id = v.first_capture_id join warc_files f using (warc_file_id)
where a.source = ? and a.key = ? and v.number = ?
"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows that follow each other; ``is_folded``: unchanged ones that a reader may unfold."""

    rows: tuple[LinePair, ...]
    is_folded: bool = False


def stretches(compared: list[LinePair], around: int = _AROUND) -> list[Stretch]:
    """Rows as a reader wants them: changes with a little around, long unchanged runs folded."""
    near = {
        place + off
        for place, row in enumerate(compared)
        if row.op != "same"
        for off in range(-around, around + 1)
    }
    found: list[Stretch] = []
    start = 0
    for place in range(1, len(compared) + 1):
        if place == len(compared) or (place in near) != (start in near):
            run = tuple(compared[start:place])
            found.append(Stretch(run, start not in near and len(run) > 2))
            start = place
    return found


def inline(row: LinePair) -> list[Segment]:
    """A row as one line: what went, then what came, in the order of the text."""
    if row.op != "changed":
        return list(row.before or row.after)
    return word_diff("".join(s.text for s in row.before), "".join(s.text for s in row.after))


def told_apart(figure: Figure) -> list[Segment]:
    """The sentence of a figure, with what went and what came; where there is one sentence only, it stands as
    it is."""
    before, after = figure.sentence_before, figure.sentence_after
    return word_diff(before, after) if before and after else [Segment("same", before or after or "")]


def called_out(figures: tuple[Figure, ...]) -> list[Figure]:
    """The figures that differ, each once."""
    return list(dict.fromkeys(figure for figure in figures if figure.before != figure.after))


async def page(datasette: Any, request: Any) -> Response:
    """Two versions (``?view=inline``: as one text; ``?all=1``: without folding what is the same)."""
    frame = await open_frame(datasette, request)
    source, key = frame.article
    numbers = frame.path("one"), frame.path("other")
    found = await frame.ask(lambda conn: _read(conn, frame, source, key, *numbers))
    if found is None:
        raise NotFound(f"The archive does not hold {source} {key} in versions {numbers[0]} and {numbers[1]}.")
    return await frame.page("sohr_diff.html", found)


def _read(
    conn: sqlite3.Connection, frame: Frame, source: str, key: str, one: int, other: int
) -> dict[str, Any] | None:
    if max(one, other) > 2**31:
        return None
    pair = [rows(conn, _SQL, source, key, number) for number in (one, other)]
    if not all(pair):
        return None
    before, after = pair[0][0], pair[1][0]
    difference = compare(Text(before["title"], before["text"]), Text(after["title"], after["text"]))
    compared = side_by_side(_lines(before["text"]), _lines(after["text"]))
    told = "select seq, stealth, severity, said_at from changes where article_id = ? and previous_version_id = ? and version_id = ? and kind = 'updated'"
    labels = {of.name: of.label for of in PAGE_FIELDS if of.label} | {"layout": "Layout"}
    stated = [(label, before[name], after[name]) for name, label in labels.items()]
    return {
        "before": before,
        "after": after,
        "difference": difference,
        "sentence": SEVERITY_SENTENCES[difference.severity],
        "figures": called_out(difference.figures),
        "title": word_diff(before["title"], after["title"]),
        "stretches": [Stretch(tuple(compared))] if frame.argument("all") else stretches(compared),
        "inline": inline,
        "told": told_apart,
        "is_inline": frame.chosen("view", ("inline",)) == "inline",
        "is_whole": bool(frame.argument("all")),
        "change": next(
            iter(rows(conn, told, before["article_id"], before["version_id"], after["version_id"])), None
        ),
        "stated": [entry for entry in stated if entry[1] != entry[2]],
        "numbers": [
            row[0]
            for row in conn.execute(
                "select number from versions where article_id = ? order by number", (before["article_id"],)
            )
        ],
    }


def _lines(text: str) -> list[str]:
    return text.split("\n") if text else []
