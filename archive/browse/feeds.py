"""Atom feeds of new posts and of changes (RFC 4287)."""

from __future__ import annotations

import re
import sqlite3
import xml.etree.ElementTree as ET  # writes only: nothing foreign is parsed
from typing import Any
from urllib.parse import urlsplit

from datasette.utils.asgi import Response

from archive.browse.changes import at_seqs
from archive.browse.context import Frame, open_frame, rows
from archive.browse.front import NEWEST
from archive.browse.labels import CLASSES, EDITIONS, KINDS
from archive.clock import now

_ENTRIES = 50
_TEXT = 2_000  # characters of a post in its entry
_ATOM = "http://www.w3.org/2005/Atom"
# Characters XML 1.0 cannot hold
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


async def new(datasette: Any, request: Any) -> Response:
    """The newest posts, by what the site says of their publication."""
    frame = await open_frame(datasette, request)
    posts = await frame.ask(lambda conn: rows(conn, NEWEST, _ENTRIES))
    feed = _Feed(frame, "new posts", "new.atom", frame.to())
    for row in posts:
        name = f"sohr:{row['source']}:{row['key']}"
        title = row["title"] or row["plain_title"] or "(no title)"
        entry = feed.entry(
            f"post/{row['source']}/{row['key']}",
            title,
            row["first_captured_at"],
            _article(frame, row),
            row["author"],
        )
        ET.SubElement(entry, "published").text = row["published_at"]
        ET.SubElement(entry, "summary").text = _clean(
            f"{name}, {EDITIONS[row['edition']]}. {row['text'][:_TEXT]}"
        )
    return feed.answer()


async def changes(datasette: Any, request: Any) -> Response:
    """The newest changes of what was known: edits, disappearances, returns."""
    frame = await open_frame(datasette, request)

    def ask(conn: sqlite3.Connection) -> list[dict[str, Any]]:
        seqs: list[int] = []
        for kind in KINDS:
            if kind not in ("created", "backfilled", "reparsed"):
                seqs += [
                    row[0]
                    for row in conn.execute(
                        "select seq from changes where kind = ? order by seq desc limit ?", (kind, _ENTRIES)
                    )
                ]
        return at_seqs(conn, sorted(seqs, reverse=True)[:_ENTRIES])

    feed = _Feed(frame, "changes", "changes.atom", frame.to("changes"))
    for row in await frame.ask(ask):
        what = ", ".join(CLASSES.get(word, word) for word in row["words"]) or KINDS[row["kind"]]
        if row["stealth"] == 1:
            what += ", silently"
        address = _article(frame, row)
        if row["before"] and row["after"] and row["before"] != row["after"]:
            address = frame.read_absolute(row, f"/diff/{row['before']}/{row['after']}")
        entry = feed.entry(
            f"change/{row['seq']}",
            f"{KINDS[row['kind']]}: {row['title'] or row['plain_title'] or row['url']}",
            row["learnt_at"],
            address,
        )
        told = [
            f"{f.before or 'none'} → {f.after or 'none'}: {f.sentence_after or f.sentence_before or ''}"
            for f in row["changed"][:10]
        ]
        ET.SubElement(entry, "summary").text = _clean("\n".join([what, *told]))
        ET.SubElement(entry, "category", term=row["kind"])
    return feed.answer()


def _article(frame: Frame, row: dict[str, Any]) -> str:
    return frame.read_absolute(row)


class _Feed:
    def __init__(self, frame: Frame, name: str, here: str, page: str) -> None:
        self._frame = frame
        self._root = ET.Element("feed", xmlns=_ATOM)
        self._tag = f"tag:{urlsplit(frame.site).hostname or 'archive'},2026:"
        self._updated = ""
        ET.SubElement(self._root, "title").text = f"SOHR archive: {name}"
        ET.SubElement(self._root, "id").text = self._tag + here
        ET.SubElement(self._root, "link", rel="self", type="application/atom+xml", href=frame.absolute(here))
        ET.SubElement(
            self._root,
            "link",
            rel="alternate",
            type="text/html",
            href=str(frame.datasette.absolute_url(frame.request, page)),
        )
        ET.SubElement(
            ET.SubElement(self._root, "author"), "name"
        ).text = "Syrian Observatory for Human Rights, as archived"

    def entry(
        self, name: str, title: str, updated: str, address: str, author: str | None = None
    ) -> ET.Element:
        entry = ET.SubElement(self._root, "entry")
        ET.SubElement(entry, "id").text = self._tag + name
        ET.SubElement(entry, "title").text = _clean(title)
        ET.SubElement(entry, "updated").text = updated
        ET.SubElement(entry, "link", rel="alternate", type="text/html", href=address)
        if author:
            ET.SubElement(ET.SubElement(entry, "author"), "name").text = _clean(author)
        self._updated = max(self._updated, updated)
        return entry

    def answer(self) -> Response:
        updated = ET.Element("updated")
        updated.text = self._updated or now()
        self._root.insert(2, updated)
        body = '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(self._root, encoding="unicode")
        return self._frame.text(body, "application/atom+xml")


def _clean(text: str) -> str:
    return _NO_XML.sub("", text)
