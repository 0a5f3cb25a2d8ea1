"""Which layouts read the articles, and what waits in quarantine: for `sohr-archive layouts`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from archive.compare.words import word_diff
from archive.extract.reread import Evidence
from archive.model import ArticleKey, Extract
from archive.outcome import QUARANTINED
from archive.read.database import cite

SHOWN = 3  # differences of a layout
ALL_NEW = 200  # characters of a text that has no other to compare it with
AROUND = 60  # characters of unchanged text before a difference


@dataclass(frozen=True, slots=True)
class Difference:
    """What a quarantined capture changes in its article's text. ``capture`` is a citation."""

    capture: str
    difference: str


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout: the versions it read, its captures in quarantine, the differences of the newest of them."""

    layout: str
    versions: int
    quarantined: int
    confirmed_at: str | None
    differences: tuple[Difference, ...]


def read_layouts(conn: sqlite3.Connection, folder: Path) -> list[Layout]:
    """The layouts of an archive, those with most versions first."""
    versions = dict(conn.execute("select layout, count(*) from versions group by layout").fetchall())
    sql = "select layout, count(*) from captures where outcome = ? group by layout"
    waiting = dict(conn.execute(sql, (QUARANTINED,)).fetchall())
    sql = "select substr(key, 8), value from about where key like 'layout:%'"
    confirmed = dict(conn.execute(sql).fetchall())
    return [
        Layout(
            name,
            versions.get(name, 0),
            waiting.get(name, 0),
            confirmed.get(name),
            tuple(_differences(conn, folder, name)) if waiting.get(name) else (),
        )
        for name in sorted({*versions, *waiting}, key=lambda name: (-versions.get(name, 0), name))
    ]


def _differences(conn: sqlite3.Connection, folder: Path, layout: str) -> Iterable[Difference]:
    rows = conn.execute(
        """select c.capture_id, c.captured_at, a.source, a.key, v.text
           from captures c join articles a using (article_id)
           left join versions v on v.version_id = a.newest_version_id
           where outcome = ? and c.layout = ? order by c.capture_id desc limit ?""",
        (QUARANTINED, layout, SHOWN),
    ).fetchall()
    evidence = Evidence.of(conn, folder)
    for capture_id, at, source, key, text in rows:
        reading = evidence.extract(capture_id, ArticleKey(source, key))
        if isinstance(reading, Extract):
            new = f"reads: {reading.text[:ALL_NEW]}" if text is None else difference(text, reading.text)
            yield Difference(cite(source, key, at), new)


def difference(before: str, after: str) -> str:
    """The first ten differences of two texts, one on a line, with the text before each."""
    pieces = []
    lead = ""
    for segment in word_diff(before, after):
        if segment.op != "same":
            mark = "-" if segment.op == "removed" else "+"
            pieces.append(f"{mark} ...{lead}[{segment.text[:300]}]".replace("\n", " / "))
        lead = segment.text[-AROUND:] if segment.op == "same" else ""
    return "\n".join(pieces[:10])


def render_layout(layout: Layout) -> str:
    """A layout as text."""
    trust = f", confirmed {layout.confirmed_at}" if layout.confirmed_at else ""
    waiting = f", {layout.quarantined} captures in quarantine" if layout.quarantined else ""
    lines = [f"{layout.layout}: {layout.versions} versions{trust}{waiting}"]
    for one in layout.differences:
        lines += [f"  {one.capture}", *(f"    {line}" for line in one.difference.splitlines())]
    if layout.quarantined:
        lines.append(f"  if this is what the articles say: sohr-archive layouts --confirm {layout.layout}")
    return "\n".join(lines)
