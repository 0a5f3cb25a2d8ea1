"""Derive the database again beside the archive, and compare row by row: what `verify --deep` adds."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

from archive.errors import ArchiveError
from archive.extract import EXTRACTOR
from archive.extract.cross_check import CROSS_CHECK
from archive.figures.derive import KEY as FIGURES
from archive.figures.derive import derive
from archive.ingest.path import Ingest
from archive.rebuild.chain import MOST, Finding, database_finding
from archive.rebuild.rebuild import site_of
from archive.rebuild.recover import recover
from archive.store.rows import Store

# Tables that are not derived from records: when files were opened and closed, and what SQLite and its search
# keep for themselves.
_OWN = ("warc_files", "about", "claim_sets", "sqlite_*", "_sqlite_*", "search*")
_FIGURES_READ = f"select max(value) from about where key = '{FIGURES}'"


def derived(folder: Path, connection: sqlite3.Connection) -> Iterator[Finding]:
    """Derive every row again from the evidence, beside the archive, and compare."""
    query = "select key, value from about where key in ('epoch', 'extractor')"
    about = dict(connection.execute(query).fetchall())
    if about.get("extractor", EXTRACTOR) != EXTRACTOR:
        what = f"extractor {about['extractor']} read the archive, and this is {EXTRACTOR}"
        yield database_finding(what, kind="absent")
        return
    with tempfile.TemporaryDirectory(prefix="sohr-archive-") as scratch:
        store = Store(Path(scratch) / "archive.db")
        try:
            with store.transaction():
                for key, value in about.items():
                    store.set_about(key, value)
            recover(folder, store, Ingest(store, site_of(folder), folder), cut=False)
            derive(store)
            are_figures_current = connection.execute(_FIGURES_READ).fetchone()[0] == store.about(FIGURES)
        except ArchiveError as error:
            yield Finding("mismatch", "archive.db", f"its rows cannot be derived again: {error}")
            return
        finally:
            store.close()
        connection.execute("attach ? as again", (str(Path(scratch) / "archive.db"),))
        # The database stays read-only: the next two tables are temporary.
        connection.execute("pragma query_only = off")
        for table, key in _tables(connection):
            if table in ("figures", "series") and not are_figures_current:
                continue  # the next crawl reads the others
            yield from islice(_compare(connection, table, key), MOST)
        for schema in ("main", "again"):
            connection.execute(
                f"create virtual table temp.words_of_{schema} using fts5vocab({schema}, search, 'instance')"
            )
        yield from islice(_compare_words(connection), 1)


def _tables(connection: sqlite3.Connection) -> list[tuple[str, tuple[str, ...]]]:
    """The derived tables with their primary keys, and `about`."""
    own = " and ".join(["name not glob ?"] * len(_OWN))
    query = f"select name from main.sqlite_master where type = 'table' and {own} order by name"
    tables = []
    for (name,) in connection.execute(query, _OWN).fetchall():
        columns = connection.execute(f"pragma main.table_info({name})")
        tables.append((name, tuple(column["name"] for column in columns if column["pk"])))
    return [*tables, ("about", ("key",))]


def _content(connection: sqlite3.Connection, table: str, schema: str) -> str:
    """What the evidence decides of a table: not which row a list of claims has, and not another reader's
    opinion (`CROSS_CHECK`), which depends on its release."""

    def without(column: str) -> str:
        rows = connection.execute(f"pragma main.table_info({table})")
        return ", ".join(row["name"] for row in rows if row["name"] != column)

    if table == "versions":
        claims = f"{schema}.versions left join {schema}.claim_sets using (claim_set_id)"
        return f"(select {without('claim_set_id')}, claims from {claims})"
    if table == "failures":
        number = "row_number() over (order by failure_id) as failure_id"
        columns = f"{number}, {without('failure_id')}"
        return f"(select {columns} from {schema}.failures where reason != '{CROSS_CHECK}')"
    if table == "about":
        return f"(select * from {schema}.about where key != '{FIGURES}')"
    return f"{schema}.{table}"


def _compare(connection: sqlite3.Connection, table: str, key: tuple[str, ...]) -> Iterator[Finding]:
    """A table as it is and as derived again, row by row in the order of the key."""
    order = ", ".join(f'"{column}"' for column in key)
    main, again = (
        connection.execute(f"select * from {_content(connection, table, schema)} order by {order}")
        for schema in ("main", "again")
    )
    yield from _differences(table, main, again, key)


def _compare_words(connection: sqlite3.Connection) -> Iterator[Finding]:
    """The words of the search, which SQLite gives in order."""
    main, again = (connection.execute(f"select * from temp.words_of_{name}") for name in ("main", "again"))
    yield from _differences("search", main, again, ("term", "doc"), named_by=1)


def _differences(
    table: str, main: sqlite3.Cursor, again: sqlite3.Cursor, key: tuple[str, ...], named_by: int = 0
) -> Iterator[Finding]:
    """Two results in the order of their key. A row is named by the key's columns from ``named_by`` on."""

    def keyed(
        rows: sqlite3.Cursor, is_again: bool
    ) -> Iterator[tuple[tuple[Any, ...], bool, tuple[Any, ...]]]:
        return ((tuple(row[column] for column in key), is_again, tuple(row)) for row in rows)

    first = itemgetter(0)
    for at, group in groupby(merge(keyed(main, False), keyed(again, True), key=first), key=first):
        rows = {is_again: row for _, is_again, row in group}
        if True not in rows:
            what = "does not come from the evidence"
        elif False not in rows:
            what = "is not there"
        elif rows[True] != rows[False]:
            what = "is not what the evidence gives"
        else:
            continue
        row = " ".join(map(str, at[named_by:]))
        yield database_finding(
            f"row {row} of {table} {what}", f"{table} {row}", "mismatch" if False in rows else "absent"
        )
