"""Keep the tables `figures` and `series`: both follow from `versions`, and another release of the rules makes
them anew. Nothing here is evidence, and ingest knows nothing of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable

from archive.figures.reading import RULES, Figure, read_figures
from archive.store.connection import Connection, Row
from archive.store.line_kinds import decode_kinds

KEY = "figures"  # row of `about`: the release of the rules, and the last change whose versions were read
BATCH = 300  # changes in one transaction: other writers wait for a second at most

_INSERT = (
    f"insert into figures (version_id, {', '.join(Figure._fields)})"
    f" values (?, {', '.join('?' * len(Figure._fields))})"
)
# A point is of the newest version of its article. The order of points does not depend on this database
_COUNT = """
insert into series
with points as (
    select f.series, a.source, a.key, f.value, f.version_id, f.line, f.start,
           coalesce(v.published_at, a.first_captured_at) as at
    from json_each(?) asked join figures f on f.series = asked.value
         join versions v on v.version_id = f.version_id
         join articles a on a.article_id = v.article_id and a.newest_version_id = v.version_id),
ordered as (
    select *, lag(value) over of_series as before, lead(at) over of_series is null as is_last from points
    window of_series as (partition by series order by at, cast(key as integer), key))
select series, min(source), count(*), coalesce(sum(value < before), 0), min(at), max(at), min(value),
       max(value), max(iif(is_last, version_id, 0)), max(iif(is_last, line, 0)), max(iif(is_last, start, 0))
from ordered group by series having count(*) > 1
"""


def derive(store: Connection, seconds: float | None = None) -> int:
    """Read the figures of versions that changes reported since the last call; return how many versions.

    Commits after each batch. After ``seconds`` it stops; the next call continues. Raises CannotWrite.
    """
    until = time.monotonic() + seconds if seconds is not None else None
    count = 0
    with store.transaction():
        rules, last = json.loads(store.about(KEY) or "[0, 0]")
        if rules != RULES:
            last = 0
            store.execute("delete from figures")
            store.execute("delete from series")
    newest = store.query("select coalesce(max(seq), 0) from changes")[0][0]
    while last < newest and (until is None or time.monotonic() < until):
        with store.transaction():
            changes = store.query(
                "select article_id, kind from changes where seq > ? and seq <= ?", last, last + BATCH
            )
            count += _derive_articles(store, changes)
            last = min(last + BATCH, newest)
            store.set_about(KEY, json.dumps([RULES, last]))
    return count


def _derive_articles(store: Connection, changes: Iterable[Row]) -> int:
    """Read the new versions of the articles that changed, and count the series of all their versions."""
    reread = {row["article_id"]: False for row in changes}
    reread |= {row["article_id"]: True for row in changes if row["kind"] == "reparsed"}
    touched: set[int] = set()
    count = 0
    for article_id, is_reparsed in reread.items():
        known: dict[int, set[int]] = {}
        sql = """select version_id, series from figures
                 where version_id in (select version_id from versions where article_id = ?)"""
        for row in store.query(sql, article_id):
            known.setdefault(row["version_id"], set()).add(row["series"])
        touched |= set().union(*known.values())
        sql = """select v.version_id, a.source, v.title, v.text, v.lines
                 from versions v join articles a using (article_id) where article_id = ?"""
        for version in store.query(sql, article_id):
            if version["version_id"] not in known or is_reparsed:
                touched |= _derive_version(store, version)
                count += 1
    count_series(store.execute, touched)
    return count


def _derive_version(store: Connection, version: Row) -> set[int]:
    kinds = [kind for kind, _ in decode_kinds(version["lines"])]
    found = read_figures(version["source"], version["title"], version["text"], kinds)
    store.execute("delete from figures where version_id = ?", version["version_id"])
    store.execute_many(_INSERT, ((version["version_id"], *figure) for figure in found))
    return {figure.series for figure in found}


def count_series(execute: Callable[[str, str], object], series: Iterable[int]) -> None:
    """Make the rows of `series` anew for these numbers, from `figures`."""
    asked = json.dumps(sorted(series))
    execute("delete from series where series in (select value from json_each(?))", asked)
    execute(_COUNT, asked)
