"""Two versions of an article, word by word: side by side, or as one text."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from datasette.utils.asgi import NotFound, Response
from markupsafe import Markup

from archive.browse.context import Frame, open_frame, rows
from archive.browse.drawing import Moment, axis
from archive.compare.classes import Figure, compare
from archive.compare.sentences import Sentence, has_same_numbers
from archive.compare.words import LinePair, Segment, side_by_side, word_diff
from archive.model import Text
from archive.read.diff import inline, is_rtl, mark_html
from archive.store.fields import PAGE_FIELDS

_AROUND = 2  # unchanged lines shown beside a changed one
_DRAWN = 8  # versions on a time axis
_SQL = """select v.*, a.edition, a.post_id, a.source, a.key, a.url, a.last_captured_at as last_look,
    c.offset, c.length, c.captured_at, f.serial, f.name as warc
    from articles a join versions v using (article_id) join captures c on c.capture_id = v.first_capture_id
    join warc_files f using (warc_file_id) where a.source = ? and a.key = ? and v.number = ?"""
_CHANGE = """select seq, stealth, severity, said_at from changes
    where article_id = ? and previous_version_id = ? and version_id = ? and kind = 'updated'"""
_NEXT_FIGURE = """select a.edition, a.post_id, a.key, o.number as before, n.number as after
    from changes c join articles a using (article_id) join versions n on n.version_id = c.version_id
    join versions o on o.version_id = c.previous_version_id
    where c.kind = 'updated' and c.severity = 3 and c.figures != '[]' and c.seq < ?
        and not exists (select 1 from changes r where r.retracts = c.seq) order by c.seq desc limit 1"""


@dataclass(frozen=True, slots=True)
class Hunk:
    """A changed line pair, numbered from 1; or unchanged ones, which may be folded."""

    pairs: tuple[LinePair, ...]
    number: int = 0
    what: str = ""  # the class of the change
    is_folded: bool = False


def hunks(compared: Sequence[LinePair], *, whole: bool = False, around: int = _AROUND) -> list[Hunk]:
    """Line pairs as a reader wants them: each change for itself, a few unchanged lines around it, the others
    folded unless ``whole``."""
    changed = [place for place, pair in enumerate(compared) if pair.op != "same"]
    near = {place + off for place in changed for off in range(-around, around + 1)}
    found: list[Hunk] = []
    start = number = 0
    for place, pair in enumerate(compared):
        if pair.op != "same":
            number += 1
            found.append(Hunk((pair,), number, what_changed(pair)))
            start = place + 1
        elif (
            place + 1 == len(compared)
            or compared[place + 1].op != "same"
            or (place in near) != (place + 1 in near)
        ):
            run = tuple(compared[start : place + 1])
            found.append(Hunk(run, is_folded=not whole and place not in near and len(run) > 2))
            start = place + 1
    return found


def what_changed(pair: LinePair) -> str:
    """The class of a changed line pair. 1066 and 1,066 are the same number."""
    if pair.op != "changed":
        return f"text_{pair.op}"
    before, after = (Sentence("".join(s.text for s in side)) for side in (pair.before, pair.after))
    return "rewording" if has_same_numbers(before, after) else "figures"


def marked(segments: Iterable[Segment], *, rtl: bool = False) -> Markup:
    """Segments as HTML: see `mark_html`."""
    return Markup(mark_html(segments, rtl=rtl))  # noqa: S704  # it escapes every text


def sentence_of(figure: Figure, op: str) -> list[Segment]:
    """The sentence of a figure on one side: ``op`` is removed or added."""
    before, after = figure.sentence_before, figure.sentence_after
    if before and after:
        return [s for s in word_diff(before, after) if s.op in ("same", op)]
    return [Segment("same", (before if op == "removed" else after) or "")]


def changed_only(figures: Iterable[Figure]) -> list[Figure]:
    """The figures that differ, each once."""
    return list(dict.fromkeys(figure for figure in figures if figure.before != figure.after))


def count_words(compared: Iterable[LinePair]) -> tuple[int, int]:
    """How many words were added and removed."""
    added = removed = 0
    for pair in compared:
        added += sum(len(s.text.split()) for s in pair.after if s.op == "added")
        removed += sum(len(s.text.split()) for s in pair.before if s.op == "removed")
    return added, removed


def time_axis(
    conn: sqlite3.Connection,
    frame: Frame,
    article: dict[str, Any],
    shown: Sequence[int],
    *,
    rtl: bool = False,
) -> Markup:
    """The last versions of an article at their instants, with the words that each added and removed. Empty
    for a single version."""
    sql = (
        "select number, first_captured_at, text from versions where article_id = ? order by number desc "
        "limit ?"
    )
    versions = rows(conn, sql, article["article_id"], _DRAWN + 1)[::-1]
    moments = []
    for place, version in enumerate(versions[-_DRAWN:]):
        previous = place + len(versions) - len(versions[-_DRAWN:]) - 1
        words = None
        if previous >= 0:
            words = count_words(side_by_side(lines_of(versions[previous]["text"]), lines_of(version["text"])))
        address = frame.read(article, version=version["number"])
        at, number = version["first_captured_at"], version["number"]
        name = frame.language("axis.version", number=number)
        moments.append(Moment(at, name, address, words, number in shown))
    last = article["last_look"] or versions[-1]["first_captured_at"]
    return axis(frame.language, moments, last, rtl=rtl) if moments[1:] else Markup("")


async def page(datasette: Any, request: Any) -> Response:
    """Two versions (``?view=inline``: as one text; ``?all=1``: unchanged text not folded)."""
    frame = await open_frame(datasette, request)
    source, key = frame.article
    numbers = frame.path("one"), frame.path("other")
    context = await frame.ask(lambda conn: _read(conn, frame, source, key, *numbers))
    if context is None:
        one, other = numbers
        raise NotFound(
            frame.language.text("not_found.versions", one=one, other=other, source=source, key=key)
        )
    return await frame.page("sohr_diff.html", context)


def _read(
    conn: sqlite3.Connection, frame: Frame, source: str, key: str, one: int, other: int
) -> dict[str, Any] | None:
    if max(one, other) > 2**31:
        return None
    pair = [rows(conn, _SQL, source, key, number) for number in (one, other)]
    if not all(pair):
        return None
    before, after = pair[0][0], pair[1][0]
    rtl = is_rtl(after["edition"], after["language"])
    difference = compare(Text(before["title"], before["text"]), Text(after["title"], after["text"]))
    compared = side_by_side(lines_of(before["text"]), lines_of(after["text"]))
    title = side_by_side([before["title"] or ""], [after["title"] or ""])
    if title[0].op != "same":
        compared = [*title, *compared]
    whole = bool(frame.argument("all"))
    compared_fields = [of.name for of in PAGE_FIELDS if of.label] + ["layout"]
    numbers = "select number from versions where article_id = ? order by number"
    change = next(
        iter(rows(conn, _CHANGE, before["article_id"], before["version_id"], after["version_id"])), None
    )
    return {
        "before": before,
        "after": after,
        "rtl_text": rtl,
        "difference": difference,
        "figures": changed_only(difference.figures),
        "has_title": title[0].op != "same",
        "hunks": hunks(compared, whole=whole),
        "marked": lambda segments: marked(segments, rtl=rtl),
        "one_text": inline,
        "sentence_of": sentence_of,
        "is_inline": frame.chosen("view", ("inline",)) == "inline",
        "is_whole": whole,
        "change": change,
        "next_figure": next(iter(rows(conn, _NEXT_FIGURE, change["seq"])), None) if change else None,
        "axis": time_axis(conn, frame, after, (one, other), rtl=rtl),
        "stated": [
            (name, before[name], after[name])
            for name in compared_fields
            if name == "modified_at" or before[name] != after[name]
        ],
        "numbers": [row[0] for row in conn.execute(numbers, (before["article_id"],))],
    }


def lines_of(text: str) -> list[str]:
    """The lines of a version's text."""
    return text.split("\n") if text else []
