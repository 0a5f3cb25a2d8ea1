"""`datapackage.json` beside an export (Frictionless Data Package): what the data is, column by column, from
which archive, by which software.

A folder with several exports has one, with a resource each.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import Any

from archive.errors import CannotWrite
from archive.export.files import destination
from archive.read.database import about
from archive.read.feed import epoch, newest_seq
from archive.read.selection import Selection
from archive.software import software
from archive.store.fields import VERSION_FIELDS, Field

FILE = "datapackage.json"
_NAME = "sohr-archive-export"
_MEDIA = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "text": "text/plain",
    "warc": "application/warc",
    "wacz": "application/wacz",
}
_TYPES = {"strings": "array", "objects": "array"}
NOTE = (
    "What the site said, as the archive captured it; not an account of what happened. Fields that the site did not state are null. "
    "The words belong to those who published them."
)


def facts(conn: sqlite3.Connection) -> dict[str, str]:
    """What every export says of itself. ``created`` is when the archive last learnt something, so that the
    same archive gives the same bytes."""
    newest = conn.execute(
        "select coalesce(max(recorded_at), '1980-01-01T00:00:00Z') from captures"
    ).fetchone()[0]
    return {
        "title": f"What {about(conn, 'site') or 'the site'} said",
        "description": NOTE,
        "created": str(newest),
        "software": software()["software"],
        "site": about(conn, "home") or "",
        "feed": f"epoch {epoch(conn)}, newest change {newest_seq(conn)}",
        "extractor": about(conn, "extractor") or "",
    }


def write_package(
    conn: sqlite3.Connection, data: Path, form: str, selection: Selection, counts: dict[str, int], keep: Path
) -> None:
    """Write, or add to, the data package in the folder of an export. Raises CannotWrite."""
    path = data.with_name(FILE)
    with open(data, "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    resource: dict[str, Any] = {
        "name": _name(data.name),
        "path": data.name,
        "format": form,
        "mediatype": _MEDIA[form],
        "encoding": "utf-8",
    }
    resource |= {"bytes": data.stat().st_size, "hash": f"sha256:{digest}", "counts": counts}
    resource["selection"] = {
        name: value for name, value in asdict(selection).items() if value not in (None, False)
    }
    if form in ("jsonl", "csv", "parquet"):
        resource["schema"] = {
            "fields": [_field(column) for column in VERSION_FIELDS],
            "primaryKey": ["citation"],
            "missingValues": [""],
        }
    others = [other for other in _others(path) if other.get("path") != data.name]
    package = {"profile": "data-package", "name": _NAME} | facts(conn)
    package["resources"] = sorted([*others, resource], key=lambda r: str(r["path"]))  # type: ignore[assignment]  # facts are texts, these are not
    with destination(str(path), keep) as out:
        out.write((json.dumps(package, ensure_ascii=False, indent=2) + "\n").encode())


def check_package(folder: Path) -> None:
    """Refuse a folder whose `datapackage.json` is somebody else's, before anything is written. Raises
    CannotWrite."""
    _others(folder / FILE)


def _others(path: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_text("utf-8"))
        if found["name"] == _NAME:
            return [resource for resource in found["resources"] if (path.parent / resource["path"]).is_file()]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise CannotWrite(
        f"{path} is there and is no data package of ours: export into another folder, or with --no-package"
    )


def _field(column: Field) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": column.name,
        "type": _TYPES.get(column.type, column.type),
        "description": column.about,
    }
    if column.parts:
        field["parts"] = [{"name": name, "type": kind} for name, kind in column.parts]
    return field | (
        {}
        if column.is_nullable
        else {"constraints": {"required": column.type not in ("string", "strings", "objects")}}
    )


def _name(file: str) -> str:
    """A resource's name as the standard wants it: lower case, without other signs."""
    return (
        "".join(
            char if char.isascii() and (char.isalnum() or char in "._-") else "-" for char in file.lower()
        ).strip("-.")
        or "data"
    )
