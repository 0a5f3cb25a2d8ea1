"""The evidence page: one capture as its WARC file has it, and the archived page without anything that acts.

Only rows of `captures` name files: no part of an address becomes a path.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasette.utils.asgi import NotFound, Response

from archive.browse.context import HEADERS, Frame, open_frame, rows
from archive.browse.inert import POLICY, inert, source
from archive.browse.language import Language
from archive.browse.memento import headers_of
from archive.errors import DamagedWarc
from archive.html.decode import Undecodable, decode_text
from archive.model import Capture
from archive.warc.manifests import find_seal
from archive.warc.reader import read_response
from archive.warc.timestamps import find_token

# As `archive.warc.files` names its files: no slash, no way up
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*-[0-9-]{8,10}-[0-9]{6}\.warc\.gz")
_SQL = """select c.*, f.serial, f.name as warc, f.sha256 as warc_sha256, f.closed_at, k.name as crawl,
          a.edition, a.post_id, a.key,
    a.url as article_url
    from captures c join warc_files f using (warc_file_id) left join crawls k using (crawl_id) left join
    articles a on a.article_id = c.article_id
    where f.serial = ? and c.offset = ?"""
_VERSIONS = (
    "select number, title, plain_title, language from versions where article_id = ? and ? in "
    "(first_capture_id, last_capture_id) order by number"
)
_MAX_SHOWN = 8 * 1024 * 1024  # bytes of a page that are shown


@dataclass(frozen=True, slots=True)
class Read:
    """A capture read from its WARC file; ``why_not`` is a key of the catalogue if it could not be read."""

    capture: Capture | None
    why_not: str = ""
    digest: str = ""
    detail: str = ""  # the name of the file, or the error

    @property
    def is_page(self) -> bool:
        """Whether the capture has a body to show."""
        return self.capture is not None and bool(self.capture.body)


async def page(datasette: Any, request: Any) -> Response:
    """Show a capture: request, response, headers, digest and place."""
    frame = await open_frame(datasette, request)
    row = await _row(frame)
    read = await asyncio.to_thread(read_back, frame.folder, row)
    versions = await frame.ask(lambda conn: _versions(conn, row))
    seal = find_seal(frame.folder, row["serial"], row["offset"]) if frame.folder else None
    context = {
        "row": row,
        "capture": read.capture,
        "read_back": read,
        "versions": versions,
        "holds": read.digest == row["payload_sha256"],
        "seal": seal,
        "token": find_token(frame.folder, seal) if frame.folder and seal else None,
    }
    return await frame.page("sohr_capture.html", context)


async def shown(datasette: Any, request: Any) -> Response:
    """Show the archived page without anything that acts."""
    frame = await open_frame(datasette, request)
    row = await _row(frame)
    read = await asyncio.to_thread(read_back, frame.folder, row)
    if read.capture is None:
        raise NotFound(frame.language.text(read.why_not, file=read.detail, why=read.detail))
    body = await asyncio.to_thread(_render, read.capture, frame.language)
    headers = HEADERS | {
        "Content-Security-Policy": POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Robots-Tag": "noindex, nofollow",
        **headers_of(frame, row),
    }
    return Response(body, content_type="text/html; charset=utf-8", headers=headers)


def _versions(conn: sqlite3.Connection, row: dict[str, Any]) -> list[dict[str, Any]]:
    return rows(conn, _VERSIONS, row["article_id"], row["capture_id"])


async def _row(frame: Frame) -> dict[str, Any]:
    serial, offset = frame.path("serial"), frame.path("offset")
    found = (
        await frame.ask(lambda conn: rows(conn, _SQL, serial, offset)) if max(serial, offset) < 2**63 else []
    )
    if not found:
        raise NotFound(frame.language.text("not_found.capture", offset=offset, serial=serial))
    return found[0]


def read_back(folder: Path | None, row: dict[str, Any]) -> Read:
    """Read the exchange from its WARC file and check its digest; or return why that failed."""
    name = str(row["warc"])
    if not _NAME.fullmatch(name.removesuffix(".open")):
        return Read(None, "capture.bad_name")
    if folder is None:
        return Read(None, "capture.in_memory")
    plain = folder / "warc" / name.removesuffix(".open")
    places = (plain, plain.with_name(plain.name + ".open"))
    path = next((place for place in places if place.is_file() and not place.is_symlink()), None)
    if path is None:
        return Read(None, "capture.not_here", detail=plain.name)
    try:
        capture = read_response(path, int(row["offset"]))
    except (DamagedWarc, OSError, ValueError) as error:
        return Read(None, "capture.unreadable", detail=str(error))
    digest = hashlib.sha256(capture.body).hexdigest()
    if digest != row["payload_sha256"]:
        return Read(None, "capture.differs", digest)
    return Read(capture, digest=digest)


def _render(capture: Capture, t: Language) -> str:
    try:
        text = decode_text(capture)
    except Undecodable as error:
        return source(t.text("capture.not_decoded", why=error), t)
    kind = (capture.header("content-type") or "text/html").split(";")[0].strip().lower()
    if len(text) > _MAX_SHOWN:
        return source(text[:_MAX_SHOWN], t)
    return inert(text, t) if kind in ("text/html", "application/xhtml+xml", "") else source(text, t)
