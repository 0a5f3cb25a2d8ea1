"""docs/dictionary.md and archive/export/schema/version.schema.json, made from what the software itself goes
by: ``python -m archive.export.dictionary``.

A test makes both again and compares, so that neither can fall behind.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from archive.export.columns import COLUMNS, Column, Type

HERE = Path(__file__).parent
SCHEMA = HERE / "schema" / "version.schema.json"
DOCUMENT = HERE.parents[1] / "docs" / "dictionary.md"
_TIME = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"}
_DAY = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_SIMPLE: dict[Type, dict[str, Any]] = {
    "string": {"type": "string"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "datetime": _TIME,
    "date": _DAY,
    "strings": {"type": "array", "items": {"type": "string"}},
}
_WORDS = {
    "string": "text",
    "strings": "list of texts",
    "objects": "list of objects",
    "datetime": "time",
    "date": "day",
}
_HEAD = """# Data dictionary

Made from the software by `python -m archive.export.dictionary`; a test keeps it up to date. All times are UTC. What the site did not state is null.
"""


def schema() -> dict[str, Any]:
    """The JSON schema (2020-12) of one line of `sohr-archive export`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A version, as a line of `sohr-archive export`",
        "type": "object",
        "properties": {column.name: {"description": column.about} | _typed(column) for column in COLUMNS},
        "required": [column.name for column in COLUMNS],
        "additionalProperties": False,
    }


def _typed(column: Column) -> dict[str, Any]:
    if column.parts:
        parts = {name: _SIMPLE[kind] for name, kind in column.parts}
        one = {"type": "object", "properties": parts, "required": list(parts), "additionalProperties": False}
        return one if column.type == "object" else {"type": "array", "items": one}
    typed = dict(_SIMPLE[column.type])
    return typed | {"type": [typed["type"], "null"]} if column.is_nullable else typed


def document() -> str:
    """docs/dictionary.md: the columns of an export, then the tables and views of the database."""
    from archive.store.descriptions import TABLES  # needs the extra `browse`

    lines = [_HEAD, "## A version in an export", "", "| column | type | what it is |", "|---|---|---|"]
    for column in COLUMNS:
        parts = f" ({', '.join(name for name, _ in column.parts)})" if column.parts else ""
        null = ", or null" if column.is_nullable else ""
        lines.append(
            f"| `{column.name}` | {_WORDS.get(column.type, column.type)}{parts}{null} | {_cell(column.about)} |"
        )
    for name, table in TABLES.items():
        if not table.hidden:
            lines += ["", f"## `{name}`", "", table.description, "", "| column | what it is |", "|---|---|"]
            lines += [f"| `{column}` | {_cell(about)} |" for column, about in table.columns.items()]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write both files."""
    SCHEMA.write_text(json.dumps(schema(), indent=2) + "\n", "utf-8")
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(document(), "utf-8")


if __name__ == "__main__":
    main()
