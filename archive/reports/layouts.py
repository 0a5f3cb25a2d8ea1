"""Which layouts read the articles, and what waits in quarantine: for `sohr-archive layouts`."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive.compare.words import word_diff
from archive.extract.reread import Evidence
from archive.model import ArticleKey, Extract
from archive.read.database import cite
from archive.sites.sohr.addresses import Site

SHOWN = 3  # differences of a layout that are shown
ALL_NEW = 200  # characters of a text, where there is none to compare it with
AROUND = 60  # characters of unchanged text around a difference


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout: versions it read, captures of its that are quarantined, and the differences of a few of
    those."""

    name: str
    versions: int
    quarantined: int
    confirmed_at: str | None
    differences: tuple[tuple[str, str], ...]  # (citation of the capture, what differs)

    def as_record(self) -> dict[str, Any]:
        """For JSON."""
        differences = [{"capture": capture, "difference": text} for capture, text in self.differences]
        return {
            "layout": self.name,
            "versions": self.versions,
            "quarantined": self.quarantined,
            "confirmed_at": self.confirmed_at,
            "differences": differences,
        }

    def told(self) -> str:
        """For people."""
        trust = f", confirmed {self.confirmed_at}" if self.confirmed_at else ""
        lines = [
            f"{self.name}: {self.versions} versions{trust}"
            + (f", {self.quarantined} captures in quarantine" if self.quarantined else "")
        ]
        for capture, text in self.differences:
            lines += [f"  {capture}", *(f"    {line}" for line in text.splitlines())]
        if self.quarantined:
            lines.append(
                f"  if that is the article and nothing else: sohr-archive layouts --confirm {self.name}"
            )
        return "\n".join(lines)


def read_layouts(conn: sqlite3.Connection, folder: Path) -> list[Layout]:
    """The layouts of an archive, those with most versions first."""
    versions = dict(conn.execute("select layout, count(*) from versions group by layout").fetchall())
    waiting = dict(
        conn.execute(
            "select layout, count(*) from captures where outcome = 'quarantined' group by layout"
        ).fetchall()
    )
    names = sorted({*versions, *waiting}, key=lambda name: (-versions.get(name, 0), name))
    confirmed = dict(
        conn.execute("select substr(key, 8), value from about where key like 'layout:%'").fetchall()
    )
    return [
        Layout(
            name,
            versions.get(name, 0),
            waiting.get(name, 0),
            confirmed.get(name),
            _differences(conn, folder, name) if waiting.get(name) else (),
        )
        for name in names
    ]


def _differences(conn: sqlite3.Connection, folder: Path, layout: str) -> tuple[tuple[str, str], ...]:
    rows = conn.execute(
        """select c.capture_id, c.captured_at, a.source, a.key, v.text from captures c join articles a using (article_id)
           left join
           versions v on v.version_id = a.newest_version_id where outcome = 'quarantined' and c.layout = ? order by c.capture_id desc limit ?""",
        (layout, SHOWN),
    ).fetchall()
    home = conn.execute("select value from about where key = 'home'").fetchone()[0]
    evidence = Evidence(folder, lambda sql, *values: conn.execute(sql, values).fetchall(), Site(home))
    found = []
    for capture_id, at, source, key, text in rows:
        reading = evidence.extract(capture_id, ArticleKey(source, key))
        if isinstance(reading, Extract):
            found.append(
                (
                    cite(source, key, at),
                    shown(text, reading.text) if text is not None else f"reads: {reading.text[:ALL_NEW]}",
                )
            )
    return tuple(found)


def shown(before: str, after: str) -> str:
    """The differences of two texts in one line each, with a little around them."""
    pieces = []
    segments = word_diff(before, after)
    for number, segment in enumerate(segments):
        if segment.op == "same":
            continue
        lead = segments[number - 1].text[-AROUND:] if number and segments[number - 1].op == "same" else ""
        pieces.append(
            f"{'-' if segment.op == 'removed' else '+'} ...{lead}[{segment.text[:300]}]".replace("\n", " / ")
        )
    return "\n".join(pieces[:10])
