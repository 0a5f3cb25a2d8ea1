"""Figures as records of an export: those that edits changed, those of versions, and series of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from archive.figures.series import record
from archive.read.selection import EVERYTHING, Selection, versions
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


def read_figures(conn: sqlite3.Connection, selection: Selection = EVERYTHING) -> Iterator[dict[str, Any]]:
    """The figures of the selected versions with the columns `FIGURE_FIELDS`, by source, post id, first
    capture and place."""
    for _, version in versions(conn, selection):
        sql = "select * from figure_rows where version_id = ? order by line, start"
        yield from map(record, conn.execute(sql, (version["version_id"],)))


def read_series(conn: sqlite3.Connection, selection: Selection = EVERYTHING) -> Iterator[dict[str, Any]]:
    """The points of all series that are of the selected versions, series by series, in order of time."""
    of_articles, article_values = selection.articles()
    of_versions, version_values = selection.versions()
    sql = f"""select r.* from figures f cross join figure_rows r
                  on r.version_id = f.version_id and r.line = f.line and r.start = f.start
              join articles a on a.article_id = r.article_id join versions v on v.version_id = r.version_id
              where f.series = ? and {of_articles} and {of_versions} and (r.is_latest or not ?)
              order by r.at, cast(r.key as integer), r.key, r.number"""
    is_latest = selection.which == "latest"
    for row in conn.execute("select series from series order by series"):
        yield from map(record, conn.execute(sql, (row[0], *article_values, *version_values, is_latest)))
