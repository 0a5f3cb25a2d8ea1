"""Make the data dictionary (five pages of docs/) and the JSON schemas from the software's tables of fields.

Run ``python -m archive.export.dictionary`` after a change; a test compares.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archive.outcome import MEANINGS
from archive.store.fields import (
    CHANGE_FIELDS,
    FIGURE_CHANGE_FIELDS,
    FIGURE_FIELDS,
    VERSION_FIELDS,
    Field,
    Type,
)

if TYPE_CHECKING:
    from archive.store.descriptions import Described

HERE = Path(__file__).parent
SCHEMAS = HERE / "schema"
DOCS = HERE.parents[1] / "docs"
_TIME = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"}
_DAY = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_SIMPLE: dict[Type, dict[str, Any]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "datetime": _TIME,
    "date": _DAY,
    "strings": {"type": "array", "items": {"type": "string"}},
    "object": {"type": "object"},
}
_WORDS = {
    "string": "text",
    "strings": "list of texts",
    "objects": "list of objects",
    "datetime": "time",
    "date": "day",
}
_MADE = """Made from the software by `python -m archive.export.dictionary`; a test keeps it up to date. Times
are UTC. What the site did not state is null."""
_VIEWS = (
    "latest_versions", "version_history", "edits", "figure_changes", "gone", "disappeared", "restored",
    "crawl_health", "coverage", "channel_coverage",
)  # fmt: skip
_FIGURES = ("figure_rows", "series_points", "figures", "series")
_CRAWL = (
    "crawls", "warc_files", "failures", "about", "claim_sets", "stretches", "listing_pages", "channels",
    "digests", "swept_ids", "coverage_days", "index_pages", "listed_captures",
)  # fmt: skip


def make_schemas() -> dict[str, dict[str, Any]]:
    """The JSON schemas (2020-12) of one line of an export or of the feed, by what it is."""
    return {
        "version": _schema("A version, as a line of `sohr-archive export`", VERSION_FIELDS),
        "change": _schema("A change, as a line of `sohr-archive changes`", CHANGE_FIELDS),
        "figure": _schema("A figure, as a line of `sohr-archive export --what figures`", FIGURE_FIELDS),
    }


def _schema(title: str, fields: Sequence[Field]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": {of.name: {"description": of.about} | _typed(of) for of in fields},
        "required": [of.name for of in fields],
        "additionalProperties": False,
    }


def _typed(of: Field) -> dict[str, Any]:
    if of.parts:
        parts = {name: _or_null(_SIMPLE[kind], name in of.nullable_parts) for name, kind in of.parts}
        one = {"type": "object", "properties": parts, "required": list(parts), "additionalProperties": False}
        typed: dict[str, Any] = one if of.type == "object" else {"type": "array", "items": one}
    else:
        typed = {**_SIMPLE[of.type], **of.limits}
    return _or_null(typed, of.is_nullable)


def _or_null(typed: dict[str, Any], is_nullable: bool) -> dict[str, Any]:
    if not is_nullable:
        return typed
    null = {"enum": [*typed["enum"], None]} if "enum" in typed else {}
    return typed | {"type": [typed["type"], "null"]} | null


def documents() -> dict[str, str]:
    """The pages of the data dictionary, by their names in docs/."""
    from archive.store.descriptions import TABLES  # needs the extra `browse`

    tables = {name: table for name, table in TABLES.items() if not table.is_hidden}
    views = [name for name in tables if name in _VIEWS]
    crawl = [name for name in tables if name in _CRAWL]
    others = [name for name in tables if name not in (*_VIEWS, *_FIGURES, *_CRAWL)]
    fields = [
        *_fields("A version in an export", VERSION_FIELDS),
        *_fields("A changed figure in an export", FIGURE_CHANGE_FIELDS),
        *_fields("A figure in an export", FIGURE_FIELDS),
        *_fields("A change in the feed", CHANGE_FIELDS),
        *_outcomes(),
    ]
    pages = {
        "dictionary.md": ["# Data dictionary", "", _MADE, *fields],
        "views.md": ["# Views of the database", "", _MADE, *_tables(views, tables)],
        "tables.md": ["# Tables of the database", "", _MADE, *_tables(others, tables)],
        "tables-of-figures.md": ["# Tables of figures", "", _MADE, *_tables(_FIGURES, tables)],
        "tables-of-the-crawl.md": ["# Tables that a crawl keeps", "", _MADE, *_tables(crawl, tables)],
    }
    return {name: "\n".join(lines) + "\n" for name, lines in pages.items()}


def _outcomes() -> Iterator[str]:
    yield from (
        "",
        "## What a capture turned out to be",
        "",
        "Also why something failed, in a crawl's sentence.",
    )
    yield from ("", "| outcome | what it means |", "|---|---|")
    yield from (f"| `{word}` | {_cell(MEANINGS[word])} |" for word in sorted(MEANINGS))


def _fields(title: str, fields: Sequence[Field]) -> Iterator[str]:
    yield from ("", f"## {title}", "", "| field | type | what it is |", "|---|---|---|")
    for of in fields:
        parts = f" ({', '.join(name for name, _ in of.parts)})" if of.parts else ""
        null = ", or null" if of.is_nullable else ""
        yield f"| `{of.name}` | {_WORDS.get(of.type, of.type)}{parts}{null} | {_cell(of.about)} |"


def _tables(names: Sequence[str], tables: Mapping[str, Described]) -> Iterator[str]:
    """A section for each table. A column of several tables is described once, in the first of them here."""
    described: set[tuple[str, str]] = set()
    for name in names:
        columns = tables[name].columns
        new = {column: about for column, about in columns.items() if (column, about) not in described}
        described.update(new.items())
        yield from ("", f"## `{name}`", "", tables[name].description)
        if new:
            yield from ("", "| column | what it is |", "|---|---|")
            yield from (f"| `{column}` | {_cell(about)} |" for column, about in new.items())
        if known := [f"`{column}`" for column in columns if column not in new]:
            yield from ("", f"As above: {', '.join(known)}.")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write the schemas and the pages."""
    for name, made in make_schemas().items():
        (SCHEMAS / f"{name}.schema.json").write_text(json.dumps(made, indent=2) + "\n", "utf-8")
    DOCS.mkdir(exist_ok=True)
    for name, text in documents().items():
        (DOCS / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
