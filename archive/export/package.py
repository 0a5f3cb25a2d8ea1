"""`datapackage.json` beside an export (Frictionless Data Package): the columns, the archive and the software.

Several exports in one folder share it, with a resource for each.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archive.errors import CannotWrite
from archive.export.files import destination
from archive.export.source import Source
from archive.read.database import about
from archive.read.feed import epoch, newest_seq
from archive.software import software
from archive.store.fields import Field

if TYPE_CHECKING:
    from archive.export.formats import ExportFormat

FILE = "datapackage.json"
_NAME = "sohr-archive-export"
_TYPES = {"strings": "array", "objects": "array"}
NOTE = (
    "What the site said, as the archive captured it; not an account of what happened. "
    "Fields that the site did not state are null. The words belong to those who published them."
)


def facts(conn: sqlite3.Connection) -> dict[str, str]:
    """What every export says of itself. ``created`` is the newest `recorded_at`: the same archive gives the
    same bytes."""
    sql = "select coalesce(max(recorded_at), '1980-01-01T00:00:00Z') from captures"
    return {
        "title": f"What {about(conn, 'site') or 'the site'} said",
        "description": NOTE,
        "created": str(conn.execute(sql).fetchone()[0]),
        "software": software()["software"],
        "site": about(conn, "home") or "",
        "feed": f"epoch {epoch(conn)}, newest change {newest_seq(conn)}",
        "extractor": about(conn, "extractor") or "",
    }


def write_package(source: Source, data: Path, form: ExportFormat) -> None:
    """Write the data package in the folder of an export, or add the export to it. Raises CannotWrite."""
    path = data.with_name(FILE)
    with open(data, "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    resource: dict[str, Any] = {
        "name": _name(data.name),
        "path": data.name,
        "format": form.name,
        "mediatype": form.media_type,
        "encoding": "utf-8",
        "bytes": data.stat().st_size,
        "hash": f"sha256:{digest}",
        "counts": {source.table.counted: source.number, "articles": source.articles},
        "selection": {
            n: value for n, value in asdict(source.selection).items() if value not in (None, False)
        },
    }
    if form.is_table:
        resource["schema"] = {
            "fields": [_field(column) for column in source.table.fields],
            "missingValues": [""],
        }
        if source.table.primary_key:
            resource["schema"]["primaryKey"] = list(source.table.primary_key)
    others = [other for other in _others(path) if other.get("path") != data.name]
    resources = sorted([*others, resource], key=lambda one: str(one["path"]))
    package = {"profile": "data-package", "name": _NAME, **source.facts, "resources": resources}
    with destination(str(path), source.folder) as out:
        out.write((json.dumps(package, ensure_ascii=False, indent=2) + "\n").encode())


def check_package(folder: Path) -> None:
    """Check that the folder's `datapackage.json`, if any, is one of ours. Raises CannotWrite."""
    _others(folder / FILE)


def _others(path: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_text("utf-8"))
        if found["name"] == _NAME:
            return [resource for resource in found["resources"] if (path.parent / resource["path"]).is_file()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise CannotWrite(
        f"{path} exists and is not one of ours: export into another folder, or with --no-package"
    )


def _field(column: Field) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": column.name,
        "type": _TYPES.get(column.type, column.type),
        "description": column.about,
    }
    if column.parts:
        field["parts"] = [{"name": name, "type": kind} for name, kind in column.parts]
    if not column.is_nullable:
        field["constraints"] = {"required": column.type not in ("string", "strings", "objects")}
    return field


def _name(file: str) -> str:
    """A resource's name as the standard wants it: lower case, without other signs."""
    return re.sub(r"[^a-z0-9._-]", "-", file.lower()).strip("-.") or "data"
