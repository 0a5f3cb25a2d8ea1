"""The citation of a version on its page, and as a file."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from io import BytesIO
from typing import Any

from datasette.utils.asgi import NotFound, Response

from archive.browse.context import HEADERS, Frame, open_frame
from archive.errors import CannotWrite
from archive.export.proof import write_proof
from archive.export.signature import read_key
from archive.folder import WARC
from archive.read.cite import Citation
from archive.read.records import Version, make_version
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
    """``cite.txt``, ``cite.bib``, ``cite.json`` of a version (``?version=``; without it, of the newest), and
    the package that proves it, ``cite.wacz``."""
    frame = await open_frame(datasette, request)
    source, key = frame.article

    def ask(conn: sqlite3.Connection) -> tuple[Citation, Version] | None:
        for article in read_articles(conn, "where source = ? and key = ?", source, key):
            number = frame.number("version")
            which, value = ("number", number) if number else ("version_id", article["newest_version_id"])
            found = read_versions(conn, f"v.article_id = ? and v.{which} = ?", article["article_id"], value)
            for row in found:
                return cite_row(frame, article, row), make_version(article, row)
        return None

    asked = await frame.ask(ask)
    if asked is None:
        raise NotFound(frame.language.text("not_found.article", source=source, key=key))
    found, version = asked
    form = request.url_vars["form"]
    if form == "wacz":
        return await _package(frame, version)
    body = found.text() if form == "txt" else found.bibtex() if form == "bib" else write_json(found)
    return frame.text(body, _TYPES[form])


def has_evidence(frame: Frame) -> bool:
    """Whether the WARC files lie beside the database; a published copy has none."""
    return frame.folder is not None and (frame.folder / WARC).is_dir()


async def _package(frame: Frame, version: Version) -> Response:
    """The package of a version; signed where the archive's key is there and readable for this process, which
    makes none."""
    if frame.folder is None or not has_evidence(frame):
        raise NotFound(frame.language.text("not_found.evidence"))
    out = BytesIO()
    try:
        key = read_key(frame.folder)
    except CannotWrite:
        key = None
    await asyncio.to_thread(write_proof, frame.folder, version, out, key)
    name = f"{version.source}-{version.post_id or 'page'}-{version.number}.wacz"
    headers = HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(out.getvalue(), content_type="application/wacz", headers=headers)
