"""The figures that edits changed, one record a figure."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from archive.read.selection import EVERYTHING, Selection
from archive.store.fields import FIGURE_CHANGE_FIELDS

_ORDER = "order by f.source, cast(f.key as integer), f.key, f.said_at, f.seq, f.place"


def read_figure_changes(
    conn: sqlite3.Connection, selection: Selection = EVERYTHING
) -> Iterator[dict[str, Any]]:
    """The selected changes of figures with the columns `FIGURE_CHANGE_FIELDS`, by source, post id, time.

    ``since`` and ``until`` are of the edit, not of the post.
    """
    of_articles, article_values = selection.articles()
    of_versions, version_values = replace(selection, since=None, until=None).versions()
    names = ", ".join(f"f.{of.name}" for of in FIGURE_CHANGE_FIELDS)
    sql = f"""select {names} from figure_changes f join articles a on a.article_id = f.article_id
              join versions v on v.version_id = f.version_id
              where {of_articles} and {of_versions} and f.said_at between ? and ? {_ORDER}"""
    bounds = (selection.since or "", selection.until or "9999")
    for row in conn.execute(sql, (*article_values, *version_values, *bounds)):
        record = dict(zip(row.keys(), row, strict=True))
        yield record | {"stealth": None if row["stealth"] is None else bool(row["stealth"])}
