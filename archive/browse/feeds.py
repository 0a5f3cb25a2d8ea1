"""Lists as files: Atom feeds (RFC 4287), JSON Lines and CSV of changes, new posts and searches."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
import xml.etree.ElementTree as ET  # writes only: nothing foreign is parsed
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar
from urllib.parse import urlsplit

from datasette.utils.asgi import Response

from archive.browse import search as search_page
from archive.browse.changes import Asked, at_seqs, read, read_gone, select
from archive.browse.context import Frame, open_frame, rows
from archive.browse.figures import Figure
from archive.browse.front import NEWEST
from archive.browse.language import Language
from archive.clock import now
from archive.model import GONE_STATES
from archive.read import feed
from archive.read.database import cite, json_line
from archive.read.find import find
from archive.text.spreadsheet import guard_cell

T = TypeVar("T")

_ENTRIES = 50
_LINES = 10_000  # of one file
_COLUMNS = ["seq", "said_at", "learnt_at", "kind", "severity", "stealth", "source", "key", "title", "classes"]
_COLUMNS += ["claims", "figure_before", "figure_after", "sentence_before", "sentence_after", "page"]
_RESULT_COLUMNS = [
    "source",
    "key",
    "title",
    "published_at",
    "state",
    "versions",
    "first_captured_at",
    "url",
    "text",
]
_GONE_COLUMNS = [*_RESULT_COLUMNS, "missing_since", "missing_looks", "last_captured_at"]
_RESULT = """select a.source, a.key, a.edition, a.post_id, a.url, a.state, a.versions, v.title,
             v.plain_title, v.text,
    v.published_at, v.author, v.first_captured_at, v.cited_at
    from articles a join versions v on v.version_id = a.newest_version_id where a.article_id = ?"""
_TEXT = 2_000  # characters of a post in its entry
_ATOM = "http://www.w3.org/2005/Atom"
# Characters XML 1.0 cannot hold
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


async def new(datasette: Any, request: Any) -> Response:
    """The newest posts, by what the site says of their publication."""
    frame = await open_frame(datasette, request)
    posts = await frame.ask(lambda conn: rows(conn, NEWEST, _ENTRIES))
    feed = _Feed(frame, frame.language("feed.of_new"), frame.to("new.atom"), frame.to())
    for row in posts:
        _add_post(frame, feed, row)
    return feed.answer()


def _add_post(frame: Frame, feed: _Feed, row: dict[str, Any], updated: str = "") -> None:
    name = f"sohr:{row['source']}:{row['key']}"
    title = row["title"] or row["plain_title"] or frame.language("site.no_title")
    address = frame.read_absolute(row)
    post = f"post/{row['source']}/{row['key']}"
    entry = feed.entry(post, title, updated or row["first_captured_at"], address, row["author"])
    if row["published_at"]:
        ET.SubElement(entry, "published").text = row["published_at"]
    edition = frame.language.name("edition", row["edition"]) if row["edition"] else row["source"]
    ET.SubElement(entry, "summary").text = _clean(f"{name}, {edition}. {(row['text'] or '')[:_TEXT]}")


async def changes(datasette: Any, request: Any) -> Response:
    """The changes that the page of the same address shows, newest first."""
    frame = await open_frame(datasette, request)
    asked = read(frame)
    given = {name: value for name, value in asdict(asked).items() if value}
    t = frame.language
    here, page = frame.to("changes.atom", **given), frame.to("changes", **given)
    feed = _Feed(frame, t("feed.of_changes"), here, page)
    for row in await frame.ask(lambda conn: at_seqs(conn, select(conn, asked, limit=_ENTRIES)[0])):
        kind = t.name("kind", row["kind"])
        what = [t.name("class", word) for word in row["words"]] or [kind]
        if row["stealth"] == 1:
            what.append(t("feed.silent"))
        address = frame.read_absolute(row)
        if row["before"] and row["after"] and row["before"] != row["after"]:
            address = frame.read_absolute(row, f"/diff/{row['before']}/{row['after']}")
        title = row["title"] or row["plain_title"] or row["url"]
        entry = feed.entry(
            f"change/{row['seq']}", t.text("feed.entry", kind=kind, title=title), row["learnt_at"], address
        )
        figures = [
            t.text(
                "feed.figure",
                before=f.before or t("feed.none"),
                after=f.after or t("feed.none"),
                sentence=f.sentence_after or f.sentence_before or "",
            )
            for f in row["changed"][:10]
        ]
        claims = [_describe_claim(t, name, values) for name, values in row["claims"]]
        ET.SubElement(entry, "summary").text = _clean("\n".join([t.join(what), *figures, *claims]))
        ET.SubElement(entry, "category", term=row["kind"])
    return feed.answer()


def _describe_claim(t: Language, name: str, values: list[Any] | None) -> str:
    field = t.name("field", name)
    if values is None:
        return field
    before, after = (t("change.not_stated") if value is None else str(value) for value in values)
    return t.text("change.claim", field=field, before=before, after=after)


async def change_lines(datasette: Any, request: Any) -> Response:
    """``changes.jsonl``: the feed as `sohr-archive changes` writes it (``?after=``, ``&limit=``). With the
    page's filters, the changes that the page shows, newest first."""
    frame = await open_frame(datasette, request)
    limit = min(frame.number("limit", 1000), _LINES)
    asked = read(frame)

    def ask(conn: sqlite3.Connection) -> bytes:
        if asked == Asked() and not frame.argument("view"):
            return b"".join(json_line(record) for record in feed.changes(conn, frame.number("after"), limit))
        seqs, _ = select(conn, asked, limit=limit)
        return b"".join(json_line(record) for seq in seqs for record in feed.changes(conn, seq - 1, 1))

    body = (await frame.ask(_with_rows(ask))).decode()
    return frame.text(body, "application/x-ndjson", Access_Control_Allow_Origin="*")


async def change_table(datasette: Any, request: Any) -> Response:
    """``changes.csv``: the changes that the page shows, one line for each figure that changed."""
    frame = await open_frame(datasette, request)
    asked, limit = read(frame), min(frame.number("limit", 1000), _LINES)
    table = [_COLUMNS]
    for row in await frame.ask(lambda conn: at_seqs(conn, select(conn, asked, limit=limit)[0])):
        claims = " ".join(name for name, _ in row["claims"])
        start = [row[name] for name in _COLUMNS[:9]] + [" ".join(row["words"]), claims]
        for figure in row["changed"] or [Figure(None, None, None, None)]:
            sentences = [figure.sentence_before, figure.sentence_after]
            end = [figure.before, figure.after, *sentences, frame.read_absolute(row)]
            table.append(start + end)
    return frame.text(_csv(table), "text/csv")


def _csv(table: list[list[Any]]) -> str:
    """Rows as CSV; a cell that a spreadsheet would take for a formula gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in table:
        writer.writerow(map(guard_cell, row))
    return out.getvalue()


def _with_rows(ask: Callable[[sqlite3.Connection], T]) -> Callable[[sqlite3.Connection], T]:
    """Give a function of a connection rows by name, as the feed reads them."""

    def with_rows(conn: sqlite3.Connection) -> T:
        before, conn.row_factory = conn.row_factory, sqlite3.Row
        try:
            return ask(conn)
        finally:
            conn.row_factory = before

    return with_rows


async def search(datasette: Any, request: Any) -> Response:
    """``search.csv``, ``search.jsonl``, ``search.atom``: the results of a search with the same filters."""
    frame = await open_frame(datasette, request)
    asked = search_page.read(frame)
    form = request.url_vars["form"]
    size = _ENTRIES if form == "atom" else _LINES

    def ask(conn: sqlite3.Connection) -> list[dict[str, Any]]:
        if asked.query.problem:
            return []
        newest_first = not asked.by_rank or form == "atom"
        ids = find(conn, asked.query, asked.filters, newest_first=newest_first, size=size).ids
        return [row for article_id in ids for row in rows(conn, _RESULT, article_id)]

    found = await frame.ask(ask)
    if form == "atom":
        given = {name: value for name, value in asked.parameters().items() if value}
        here, page = frame.to("search.atom", **given), frame.to("search", **given)
        t = frame.language
        words = asked.query.typed or t("feed.any_words")
        feed = _Feed(frame, t.text("feed.of_search", words=words), here, page)
        for row in found:
            _add_post(frame, feed, row)
        return feed.answer()
    return _table(frame, form, _RESULT_COLUMNS, found)


async def missing(datasette: Any, request: Any) -> Response:
    """``missing.csv``, ``missing.jsonl``, ``missing.atom``: the articles that are not on the site."""
    frame = await open_frame(datasette, request)
    form, state = request.url_vars["form"], frame.chosen("state", GONE_STATES)
    limit = _ENTRIES if form == "atom" else _LINES
    found = await frame.ask(lambda conn: read_gone(conn, state, limit))
    if form != "atom":
        return _table(frame, form, _GONE_COLUMNS, found)
    here, page = frame.to("missing.atom", state=state), frame.to("missing", state=state)
    feed = _Feed(frame, frame.language("missing.page"), here, page)
    for row in found:
        _add_post(frame, feed, row, row["missing_since"] or row["last_captured_at"])
    return feed.answer()


def _table(frame: Frame, form: str, columns: list[str], found: list[dict[str, Any]]) -> Response:
    """Posts as CSV or JSON Lines, each with its citation and the address of its page."""
    records = [
        {name: row[name] for name in columns}
        | {
            "citation": cite(row["source"], row["key"], row["cited_at"]) if row["cited_at"] else None,
            "page": frame.read_absolute(row),
        }
        for row in found
    ]
    if form == "csv":
        names = [*columns, "citation", "page"]
        return frame.text(
            _csv([names, *([record[name] for name in names] for record in records)]), "text/csv"
        )
    return frame.text(b"".join(map(json_line, records)).decode(), "application/x-ndjson")


class _Feed:
    def __init__(self, frame: Frame, name: str, here: str, page: str) -> None:
        self._frame = frame
        self._root = ET.Element("feed", xmlns=_ATOM)
        self._tag = f"tag:{urlsplit(frame.site).hostname or 'archive'},2026:"
        self._updated = ""
        ET.SubElement(self._root, "title").text = _clean(frame.language.text("feed.title", name=name))
        ET.SubElement(self._root, "id").text = self._tag + here
        for rel, kind, address in (("self", "application/atom+xml", here), ("alternate", "text/html", page)):
            whole = str(frame.datasette.absolute_url(frame.request, address))
            ET.SubElement(self._root, "link", rel=rel, type=kind, href=whole)
        author = ET.SubElement(self._root, "author")
        ET.SubElement(author, "name").text = frame.language("site.author")

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
