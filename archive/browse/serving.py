"""Datasette as an archive needs it: the settings, and the plugin also where the package is run from its
source."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

SETTINGS = {
    "suggest_facets": "off",  # 23 times the time of a table page on a large archive
    "facet_time_limit_ms": "2000",
    "sql_time_limit_ms": "5000",  # what a visitor's own SQL may take
    "num_sql_threads": "4",
    "cache_size_kb": "65536",
    "max_csv_mb": "0",  # else an export is cut, with status 200
    "max_returned_rows": "1000",
    "truncate_cells_html": "200",
}


def run(path: str | Path, port: int, host: str = "127.0.0.1", *, open_browser: bool = False) -> None:
    """Serve a database until somebody ends it. Raises ImportError where Datasette is not installed."""
    from datasette.cli import cli
    from datasette.plugins import pm

    from archive import browse

    if not pm.is_registered(browse):  # run from its source, without its entry point
        pm.register(browse, name="sohr_archive")
    arguments = [
        "serve",
        *(["--immutable"] if is_readonly_medium(Path(path)) else []),
        str(path),
        "--host",
        host,
        "--port",
        str(port),
    ]
    for name, value in SETTINGS.items():
        arguments += ["--setting", name, value]
    if open_browser:
        arguments.append("--open")
    cli.main(args=arguments, prog_name="sohr-archive", standalone_mode=False)


def is_readonly_medium(path: Path) -> bool:
    """Whether a database can only be read as one that never changes: its log needs files beside it, and the
    medium takes none.

    Never true for a file that somebody may be writing to: an immutable reader of that sees errors and old
    counts.
    """
    try:
        with closing(sqlite3.connect(f"file:{path.absolute()}?mode=ro", uri=True)) as conn:
            conn.execute("select 1 from sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CANTOPEN and not Path(f"{path}-wal").exists()
    return False
