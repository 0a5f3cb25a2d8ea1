"""Start Datasette for an archive: its settings, and the plugin also without installation."""

from __future__ import annotations

import gc
import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

SETTINGS = {
    "suggest_facets": "off",  # makes a table page of a large archive 23 times slower
    "facet_time_limit_ms": "2000",
    "sql_time_limit_ms": "5000",  # for a visitor's own SQL
    "num_sql_threads": "4",
    "cache_size_kb": "65536",
    "max_csv_mb": "0",  # 0: no limit; else an export is cut off, with status 200
    "max_returned_rows": "1000",
    "truncate_cells_html": "200",
}


def run(
    path: str | Path,
    port: int,
    host: str = "127.0.0.1",
    *,
    open_browser: bool = False,
    takes_sql: bool = True,
) -> None:
    """Serve a database until the process is stopped. Raises ImportError without Datasette."""
    from datasette.cli import cli
    from datasette.plugins import pm

    from archive import browse

    if not pm.is_registered(browse):  # run from its source, so its entry point is unknown
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
    for name, value in (SETTINGS | {"default_allow_sql": "on" if takes_sql else "off"}).items():
        arguments += ["--setting", name, value]
    if open_browser:
        arguments.append("--open")
    _log_no_visitor()
    gc.freeze()  # else one answer in thirty waits 40 ms while the modules' objects are searched for garbage
    cli.main(args=arguments, prog_name="sohr-archive", standalone_mode=False)


def _log_no_visitor() -> None:
    """Keep what visitors look for out of the log: their addresses, and the SQL, values and variables of their
    errors, which took half a second to print where rich is installed."""
    from datasette.database import Database
    from datasette.plugins import pm

    # Warnings only: the start messages name Datasette's address, but readers need that of the reading pages
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.levelno > logging.INFO)
    logging.getLogger("uvicorn.access").addFilter(lambda record: False)
    execute = Database.execute

    def execute_quietly(self: Any, *arguments: Any, **named: Any) -> Any:
        return execute(self, *arguments, **named | {"log_sql_errors": False})

    for place, name, value in (
        (pm.get_plugin("datasette.handle_exception"), "rich", None),
        (Database, "execute", execute_quietly),
    ):
        setattr(place, name, value)


def is_readonly_medium(path: Path) -> bool:
    """Whether a database must be opened as immutable, because SQLite cannot write its log files beside it.

    Never true for a file that may be written to: an immutable reader of it gets errors and old counts.
    """
    try:
        with closing(sqlite3.connect(f"file:{path.absolute()}?mode=ro", uri=True)) as conn:
            conn.execute("select 1 from sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CANTOPEN and not Path(f"{path}-wal").exists()
    return False
