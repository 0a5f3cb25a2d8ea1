"""How to cite a version: in text, for BibTeX, as JSON. What is cited is what the site said at an instant, and
where the bytes lie that show it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

from datasette.utils.asgi import NotFound, Response

from archive.browse.context import Frame, open_frame, rows
from archive.read.database import cite

NAME = "Syrian Observatory for Human Rights"
_SQL = """
select a.source, a.key, a.edition, a.post_id, a.url, v.version_id, v.number, v.title, v.plain_title, v.author, v.published_at, v.modified_at,
       v.language, v.text_sha256, v.first_captured_at, v.last_captured_at, v.captures, c.captured_at, c.status, c.payload_sha256, c.record_id,
       c.offset, c.length, f.name as warc_file, f.serial as warc_serial
from versions v join articles a using (article_id) join captures c on c.capture_id = v.first_capture_id join warc_files f using (warc_file_id)
where a.source = ? and a.key = ? and v.number = ?
"""
_TYPES = {"txt": "text/plain", "bib": "application/x-bibtex", "json": "application/json"}


@dataclass(frozen=True, slots=True)
class Citation:
    """Everything a reader needs to find and check what is cited. Times are UTC, sizes bytes."""

    citation: str
    title: str
    author: str | None
    published_at: str | None
    modified_at: str | None
    url: str
    language: str | None
    version: int
    first_captured_at: str
    last_captured_at: str
    captures: int
    text_sha256: str
    payload_sha256: str
    warc_file: str
    warc_serial: int
    offset: int
    length: int
    record_id: str
    read_at: str  # address of the article's page in this archive

    def text(self) -> str:
        """For a footnote."""
        when = f", published {self.published_at}" if self.published_at else ""
        return (
            f"{self.author or NAME}: “{self.title or '(no title)'}”{when}. {self.url}\n"
            f"As captured {self.first_captured_at} (same text until {self.last_captured_at}): {self.citation}\n"
            f"SHA-256 of the text {self.text_sha256}\n"
            f"WARC {self.warc_file}, offset {self.offset}, length {self.length}, record {self.record_id}, SHA-256 of the body {self.payload_sha256}\n"
        )

    def bibtex(self) -> str:
        """For LaTeX (Unicode; braces and backslashes of the site's words are escaped)."""
        key = self.citation.replace("sohr:", "sohr-").replace(":", "-").replace("@", "-")
        fields = {
            "author": f"{{{_tex(self.author or NAME)}}}",
            "title": f"{{{_tex(self.title or '(no title)')}}}",
            "year": (self.published_at or self.first_captured_at)[:4],
            "date": (self.published_at or "")[:10],
            "url": _tex_url(self.url),
            "urldate": self.first_captured_at[:10],
            "note": f"{self.citation}, SHA-256 of the text {self.text_sha256}, WARC {_tex(self.warc_file)}, offset {self.offset}",
        }
        lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
        return f"@online{{{key},\n{lines}}}\n"

    def json(self) -> str:
        """For programs."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n"


def _tex(text: str) -> str:
    special = {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
    }
    special |= {sign: "\\" + sign for sign in "&%$#_"}
    return " ".join("".join(special.get(sign, sign) for sign in text).split())


def _tex_url(url: str) -> str:
    return "".join(f"%{ord(sign):02X}" if sign in "{}\\ " else sign for sign in url)


def citation(conn: sqlite3.Connection, frame: Frame, source: str, key: str, number: int) -> Citation | None:
    """The citation of a version; None where there is no such version."""
    found = rows(conn, _SQL, source, key, number)
    if not found:
        return None
    row: dict[str, Any] = found[0]
    names = Citation.__slots__
    given = {name: row[name] for name in names if name in row}
    return Citation(
        **given
        | {
            "citation": cite(source, key, row["first_captured_at"]),
            "title": row["title"] or row["plain_title"],
            "version": number,
            "read_at": frame.read_absolute(row, version=number),
        }
    )


async def answer(datasette: Any, request: Any) -> Response:
    """``cite.txt``, ``cite.bib``, ``cite.json`` of a version (``?version=``; without it, of the newest)."""
    frame = await open_frame(datasette, request)
    source, key = frame.article
    newest = "select v.number from articles a join versions v on v.version_id = a.newest_version_id where a.source = ? and a.key = ?"

    def ask(conn: sqlite3.Connection) -> Citation | None:
        row = conn.execute(newest, (source, key)).fetchone()
        number = frame.number("version") or (row[0] if row else 0)
        return citation(conn, frame, source, key, number)

    found = await frame.ask(ask)
    if found is None:
        raise NotFound(f"The archive does not hold {source} {key} in that version.")
    form = request.url_vars["form"]
    body = {"txt": found.text, "bib": found.bibtex, "json": found.json}[form]()
    return frame.text(body, _TYPES[form])
