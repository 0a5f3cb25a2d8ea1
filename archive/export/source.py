"""What an export contains, and what its writers get: the selected records, counted while they are read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive.read.figures import read_figure_changes, read_figures, read_series
from archive.read.records import read_contents, read_records
from archive.read.selection import EVERYTHING, Selection
from archive.store.fields import FIGURE_CHANGE_FIELDS, FIGURE_FIELDS, VERSION_FIELDS, Field

Records = Iterator[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Table:
    """What an export contains: its records' fields, how to read them, and what its counts call a record."""

    fields: tuple[Field, ...]
    read: Callable[[sqlite3.Connection, Selection], Records]
    counted: str
    primary_key: tuple[str, ...] = ()


VERSIONS = Table(VERSION_FIELDS, read_records, "versions", ("citation",))
CONTENTS = Table(VERSION_FIELDS, read_contents, "versions")  # only what the site said, as JSON Lines
TABLES = {
    "versions": VERSIONS,
    "figure-changes": Table(FIGURE_CHANGE_FIELDS, read_figure_changes, "figure_changes"),
    "figures": Table(FIGURE_FIELDS, read_figures, "figures"),
    "series": Table(FIGURE_FIELDS, read_series, "points"),
}


@dataclass(slots=True)
class Source:
    """The selected records of an archive. ``facts`` is what the export says of itself; ``progress`` is called
    once for each record."""

    conn: sqlite3.Connection
    folder: Path
    facts: dict[str, str]
    selection: Selection = EVERYTHING
    table: Table = VERSIONS
    progress: Callable[[], object] = lambda: None
    is_stripped: bool = False  # WARC records lose our contact and the site's cookies
    number: int = field(default=0, init=False)  # of records
    articles: int = field(default=0, init=False)
    _last: tuple[str, str] | None = field(default=None, init=False)
    _seen: set[tuple[str, str]] = field(default_factory=set, init=False)  # of series, which articles share

    def count(self, source: str, key: str, *, is_record: bool = True) -> None:
        """Count a record of an article; an article without text is no record."""
        self.number += is_record
        article = (source, key)
        self.articles += article != self._last and article not in self._seen
        self._last = article
        if self.table is TABLES["series"]:
            self._seen.add(article)
        self.progress()

    def records(self) -> Records:
        """The records of the table, counted."""
        for record in self.table.read(self.conn, self.selection):
            self.count(record["source"], record["key"], is_record=record.get("number", 1) is not None)
            yield record
