"""Which of Datasette's databases are archives: the plugin is loaded into every Datasette of its environment
and must keep to its own."""

from __future__ import annotations

import sqlite3
from typing import Any
from weakref import WeakKeyDictionary

# Datasette -> name of a database -> address of the archive's site. Filled whenever a connection is opened, so
# asking costs nothing.
_archives: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()
_large: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()
LARGE = 100_000  # versions: beyond, a facet over a table takes seconds


def site_of(conn: sqlite3.Connection) -> str | None:
    """Address of the site an archive belongs to; None for a database that is no archive. Raises sqlite3.Error
    where it cannot be read."""
    tables = conn.execute(
        "select count(*) from sqlite_master where type = 'table' and name in ('about', 'versions', "
        "'day_counts')"
    ).fetchone()
    if tables[0] != 3:  # an archive of an earlier release has no sums yet: the next crawl makes them
        return None
    columns = {row[1] for row in conn.execute("pragma table_info(about)")}
    if not {"key", "value"} <= columns:
        return None
    about = dict(conn.execute("select key, value from about where key in ('site', 'home')").fetchall())
    return str(about.get("home") or about["site"]) if "site" in about else None


def note(datasette: Any, database: str, conn: sqlite3.Connection) -> str | None:
    """Look at a database, remember what it is, and return the address of the archive's site."""
    known = _archives.setdefault(datasette, {})
    try:
        site = site_of(conn)
    except sqlite3.Error:  # busy, or no database at all: what was known still holds
        return known.get(database)
    if site is None:
        known.pop(database, None)
    else:
        known[database] = site
        large = _large.setdefault(datasette, set())
        newest = conn.execute("select max(version_id) from versions").fetchone()[0]
        (large.add if (newest or 0) > LARGE else large.discard)(database)
    return site


def is_large(datasette: Any, database: str) -> bool:
    """Whether an archive has so many rows that tables are listed without facets, unless a reader asks for
    one."""
    return database in _large.get(datasette, ())


async def find(datasette: Any) -> dict[str, str]:
    """Look at all databases; name -> site of those that are archives."""
    for name, database in list(datasette.databases.items()):
        if not name.startswith("_"):
            await database.execute_fn(lambda conn, name=name: note(datasette, name, conn))
    return archives(datasette)


def archives(datasette: Any) -> dict[str, str]:
    """Name -> site of the archives found so far, in Datasette's order."""
    known = _archives.get(datasette, {})
    return {name: known[name] for name in datasette.databases if name in known}


def is_archive(datasette: Any, database: str | None) -> bool:
    """Whether a database is an archive, as far as is known."""
    return database in _archives.get(datasette, {})


def hold_all(datasette: Any) -> bool:
    """Whether there are archives here, and no other database."""
    found = archives(datasette)
    return bool(found) and set(datasette.databases) - {"_memory", "_internal"} == set(found)
