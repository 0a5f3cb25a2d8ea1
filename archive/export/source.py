"""What the writers of an export get: the selected versions, counted while they are read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive.read.records import read_records
from archive.read.selection import EVERYTHING, Selection
from archive.store.fields import VERSION_FIELDS, Field

Records = Iterator[dict[str, Any]]


@dataclass(slots=True)
class Source:
    """The selected versions of an archive.

    ``facts`` is what the export says of itself, ``read`` gives a record for each row of a table with these
    ``columns``, and ``progress`` is called once for each version.
    """

    conn: sqlite3.Connection
    folder: Path
    facts: dict[str, str]
    selection: Selection = EVERYTHING
    columns: tuple[Field, ...] = VERSION_FIELDS
    read: Callable[[sqlite3.Connection, Selection], Records] = read_records
    progress: Callable[[], object] = lambda: None
    versions: int = field(default=0, init=False)
    articles: int = field(default=0, init=False)
    _last: tuple[str, str] | None = field(default=None, init=False)

    def count(
        self, article: Mapping[str, Any] | sqlite3.Row, version: Mapping[str, Any] | sqlite3.Row
    ) -> None:
        """Count a version, or an article without text (its ``number`` is None)."""
        self.versions += version["number"] is not None
        self.articles += self._last != (article["source"], article["key"])
        self._last = (article["source"], article["key"])
        self.progress()

    def records(self) -> Records:
        """The records of a table, counted."""
        for record in self.read(self.conn, self.selection):
            self.count(record, record)
            yield record
