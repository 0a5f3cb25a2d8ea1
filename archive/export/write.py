"""Write an export: in a stable order, with flat memory, as a whole file or none."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archive.export.files import destination, is_file_to_be, permitted
from archive.export.formats import FORMATS
from archive.export.package import check_package, facts, write_package
from archive.export.source import CONTENTS, VERSIONS, Source, Table
from archive.read.database import snapshot
from archive.read.selection import EVERYTHING, Selection, check


@dataclass(frozen=True, slots=True)
class Written:
    """How many records (``counted``: of what), of how many articles, an export has."""

    number: int
    counted: str
    articles: int


def write_export(
    conn: sqlite3.Connection,
    target: str,
    form: str = "jsonl",
    selection: Selection = EVERYTHING,
    *,
    table: Table = VERSIONS,
    folder: Path,
    force: bool = False,
    package: bool = True,
    progress: Callable[[], object] = lambda: None,
    strip: bool = False,
) -> Written:
    """Write an export to a file, with `datapackage.json` beside it, or to standard output (``-``).

    It shows one moment of the archive. ``form`` is a name in `FORMATS`, ``table`` what to export: others than
    versions need a format of tables. ``progress`` is called once for each record; ``strip`` leaves
    our contact and the site's cookies out of WARC records.

    Raises BadReference, NeedsPyarrow, CannotWrite, DamagedWarc; BrokenPipeError if the reader goes away.
    """
    with snapshot(conn):
        check(conn, selection)
        is_file = target != "-" and is_file_to_be(permitted(target, folder, replace=force))
        has_package = package and is_file and table is not CONTENTS
        if has_package:
            check_package(Path(target).resolve().parent)
        source = Source(conn, folder, facts(conn), selection, table, progress, strip)
        with destination(target, folder, replace=force) as out:
            FORMATS[form].write(source, out)
        if has_package:
            write_package(source, Path(target).resolve(), FORMATS[form])
    return Written(source.number, table.counted, source.articles)
