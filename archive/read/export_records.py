"""Versions as records for JSON and for tables: all that is known of them, or only what the site said."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from archive.read.database import cite
from archive.read.records import placed, title_spans
from archive.read.selection import EVERYTHING, Selection, pairs, versions
from archive.store.claim_sets import unpack

_SAID = ("published_at", "modified_at", "author", "language", "canonical_url")
_LISTS = ("categories", "tags", "links", "images")
_OUTLET = ("source_outlet", "source_url")


def entries(conn: sqlite3.Connection, selection: Selection = EVERYTHING) -> Iterator[dict[str, Any]]:
    """Every selected version with what is known of it (`export_columns.COLUMNS`), by source, post id as a
    number, and first capture."""
    for article, version in versions(conn, selection):
        yield entry(article, version)


def entry(article: sqlite3.Row, version: sqlite3.Row) -> dict[str, Any]:
    """One version, ready for JSON."""
    record: dict[str, Any] = {
        name: article[name] for name in ("source", "key", "edition", "post_id", "url", "state", "day")
    }
    record |= {
        "number": version["number"],
        "is_latest": version["version_id"] == article["newest_version_id"],
    }
    title, plain, text = version["title"], version["plain_title"], version["text"]
    record |= {
        "title": title,
        "plain_title": plain,
        "title_spans": [span._asdict() for span in title_spans(title, text, plain)],
        "text": text,
    }
    lines = placed(text, version["lines"])
    record["lines"] = [
        {"text": line, "kind": kind, "depth": depth, "start": start, "end": end}
        for line, kind, depth, start, end in lines
    ]
    record |= {"text_sha256": version["text_sha256"]} | {name: version[name] for name in _SAID}
    lists = {name: _listed(version[name]) for name in _LISTS}
    lists["links"] = [{"url": url, "text": anchor} for url, anchor in lists["links"]]
    record |= lists | {name: version[name] for name in _OUTLET}
    record |= {"is_syndicated": bool(version["is_syndicated"]), "notes": _listed(version["notes"])}
    record["claims"] = [
        {"field": claim.field, "value": claim.value, "origin": claim.origin}
        for claim in unpack(version["claims"], version, article["post_id"])
    ]
    record |= {
        name: version[name]
        for name in (
            "first_captured_at",
            "last_captured_at",
            "recorded_at",
            "captures",
            "layout",
            "extractor",
        )
    }
    record["citation"] = cite(article["source"], article["key"], version["first_captured_at"])
    record["evidence"] = {name: version[name] for name in ("warc_file", "offset", "length", "record_id")}
    return record


def contents(conn: sqlite3.Connection, selection: Selection = EVERYTHING) -> Iterator[dict[str, Any]]:
    """What the site said, not when, where or how often it was asked: two archives of the same frozen site
    give the same records.

    Articles without text (protected, empty, unreadable) are one record without number, title and lines;
    articles that were never captured are none. ``missing`` stands for ``disappeared`` too, and terms are
    sorted: how often we looked, and which capture came first, is not content.
    """
    for article, version in pairs(conn, selection):
        if article["state"] is None:
            continue
        state = "missing" if article["state"] == "disappeared" else article["state"]
        record: dict[str, Any] = {name: article[name] for name in ("source", "key", "edition", "post_id")}
        record |= {
            "state": state,
            "moved_to": f"{article['to_source']}:{article['to_key']}" if article["to_source"] else None,
        }
        if version is None:
            yield record | {"number": None, "title": None, "lines": None}
            continue
        record |= {
            "number": version["number"],
            "title": version["title"],
            "lines": lines_of(version),
            "text_sha256": version["text_sha256"],
        }
        record |= {name: version[name] for name in _SAID}
        lists = {name: json.loads(version[name]) for name in _LISTS}
        record |= lists | {name: sorted(lists[name]) for name in ("categories", "tags")}
        yield (
            record
            | {name: version[name] for name in _OUTLET}
            | {"is_syndicated": bool(version["is_syndicated"])}
        )


def lines_of(version: sqlite3.Row) -> list[dict[str, Any]]:
    """A version's lines with their kind, and their depth where they have one: its columns ``text`` and
    ``lines`` put together."""
    return [
        {"text": line, "kind": kind} | ({"depth": depth} if depth else {})
        for line, kind, depth, _, _ in placed(version["text"], version["lines"])
    ]


def _listed(column: str) -> list[Any]:
    # Mostly empty, and the parser is a third of an export's time
    return [] if column == "[]" else json.loads(column)
