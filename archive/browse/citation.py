"""The citation of a version on its page, and as a file."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from datasette.utils.asgi import NotFound, Response

from archive.browse.context import Frame, open_frame
from archive.read.cite import Citation
from archive.read.records import make_version
from archive.read.selection import SelectedVersion, read_articles, read_versions
from archive.store.row_types import ArticleRow

_TYPES = {"txt": "text/plain", "bib": "application/x-bibtex", "json": "application/json"}


def cite_row(frame: Frame, article: ArticleRow, row: SelectedVersion) -> Citation:
    """The citation of a version."""
    read_at = frame.read_absolute(dict(article), version=row["number"])
    return Citation.of(make_version(article, row), row["payload_sha256"], frame.folder, read_at)


def write_json(cited: Citation) -> str:
    """A citation as readable JSON."""
    return json.dumps(cited.as_record(), ensure_ascii=False, indent=2) + "\n"


async def answer(datasette: Any, request: Any) -> Response:
    """``cite.txt``, ``cite.bib``, ``cite.json`` of a version (``?version=``; without it, of the newest)."""
    frame = await open_frame(datasette, request)
    source, key = frame.article

    def ask(conn: sqlite3.Connection) -> Citation | None:
        for article in read_articles(conn, "where source = ? and key = ?", source, key):
            number = frame.number("version")
            which, value = ("number", number) if number else ("version_id", article["newest_version_id"])
            found = read_versions(conn, f"v.article_id = ? and v.{which} = ?", article["article_id"], value)
            for row in found:
                return cite_row(frame, article, row)
        return None

    found = await frame.ask(ask)
    if found is None:
        raise NotFound(frame.language.text("not_found.article", source=source, key=key))
    form = request.url_vars["form"]
    body = found.text() if form == "txt" else found.bibtex() if form == "bib" else write_json(found)
    return frame.text(body, _TYPES[form])
