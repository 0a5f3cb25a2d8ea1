"""Make docs/dictionary.md and the JSON schemas from the software's own tables of fields.

Run ``python -m archive.export.dictionary`` after a change; a test compares.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from archive.store.fields import CHANGE_FIELDS, VERSION_FIELDS, Field, Type

HERE = Path(__file__).parent
SCHEMAS = HERE / "schema"
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
    "object": {"type": "object"},
}
_WORDS = {
    "string": "text",
    "strings": "list of texts",
    "objects": "list of objects",
    "datetime": "time",
    "date": "day",
}
_HEAD = """# Data dictionary

Made from the software by `python -m archive.export.dictionary`; a test keeps it up to date. Times are UTC.
What the site did not state is null.
"""


def version_schema() -> dict[str, Any]:
    """The JSON schema (2020-12) of one line of `sohr-archive export`."""
    return _schema("A version, as a line of `sohr-archive export`", VERSION_FIELDS)


def change_schema() -> dict[str, Any]:
    """The JSON schema (2020-12) of one line of `sohr-archive changes`."""
    return _schema("A change, as a line of `sohr-archive changes`", CHANGE_FIELDS)


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
        parts = {name: _or_null(_SIMPLE[kind], of.has_nullable_parts) for name, kind in of.parts}
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


def document() -> str:
    """docs/dictionary.md: the columns of an export, then the tables and views of the database."""
    from archive.store.descriptions import TABLES  # needs the extra `browse`

    lines = [_HEAD, "## A version in an export", "", "| column | type | what it is |", "|---|---|---|"]
    for column in VERSION_FIELDS:
        parts = f" ({', '.join(name for name, _ in column.parts)})" if column.parts else ""
        null = ", or null" if column.is_nullable else ""
        kind = f"{_WORDS.get(column.type, column.type)}{parts}{null}"
        lines.append(f"| `{column.name}` | {kind} | {_cell(column.about)} |")
    for name, table in TABLES.items():
        if not table.is_hidden:
            lines += ["", f"## `{name}`", "", table.description, "", "| column | what it is |", "|---|---|"]
            lines += [f"| `{column}` | {_cell(about)} |" for column, about in table.columns.items()]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write the schemas and the document."""
    for name, made in (("version", version_schema()), ("change", change_schema())):
        (SCHEMAS / f"{name}.schema.json").write_text(json.dumps(made, indent=2) + "\n", "utf-8")
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(document(), "utf-8")


if __name__ == "__main__":
    main()
