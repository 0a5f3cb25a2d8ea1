"""Keep the tables `figures` and `series`: both follow from `versions`, and another release of the rules makes
them anew. Nothing here is evidence, and ingest knows nothing of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor

from archive.figures import RULES
from archive.store.connection import Connection
from archive.store.line_kinds import decode_kinds

# Row of `about`: release of the rules, the last change whose versions were read, and that with series counted
KEY = "figures"
BATCH = 300  # changes in one transaction: other writers wait for a second at most
WORTH_IT = 1_000  # changes: below, other processes take longer to start than they save
_AT_ONCE = 2_000  # series counted by one statement
_IN_ONE_MESSAGE = 20  # versions that a process is given at once

_INSERT = f"insert into figures values ({', '.join('?' * 18)})"  # version_id, and a `Figure`
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


def derive(store: Connection, seconds: float | None = None, pool: Executor | None = None) -> int:
    """Read the figures of versions that changes reported since the last call, then count the series that they
    are of; return how many versions were read.

    Commits after each batch. After ``seconds`` it reads no more; the next call continues. The processes of
    ``pool`` read texts. Raises CannotWrite.
    """
    until = time.monotonic() + seconds if seconds is not None else None
    count = 0
    rules, read, counted = json.loads(store.about(KEY) or "[0, 0, 0]")
    if rules != RULES:
        read = counted = 0
        with store.transaction():
            store.execute("delete from figures")
            store.execute("delete from series")
            store.set_about(KEY, json.dumps([RULES, 0, 0]))
    newest = store.query("select coalesce(max(seq), 0) from changes")[0][0]
    if newest - read < WORTH_IT:
        pool = None
    while read < newest and (until is None or time.monotonic() < until):
        last = min(read + BATCH, newest)
        try:
            with store.transaction():
                number = _read_articles(store, read, last, pool)
                store.set_about(KEY, json.dumps([RULES, last, counted]))
        except BrokenExecutor:
            pool = None  # a process was killed: this one reads the batch again
        else:
            read, count = last, count + number
    if counted < read:
        with store.transaction():
            for series in _touched(store, counted, read):
                count_series(store.execute, series)
            store.set_about(KEY, json.dumps([RULES, read, read]))
    return count


def _read_articles(store: Connection, after: int, last: int, pool: Executor | None) -> int:
    """Read the new versions of the articles with changes in a span; of those read again by another extractor,
    all. Raises BrokenExecutor."""
    sql = """
        with changed as (select article_id, max(kind = 'reparsed') as is_reparsed from changes
                         where seq > ? and seq <= ? group by article_id)
        select v.version_id, a.source, v.title, v.text, v.lines,
               exists (select 1 from figures f where f.version_id = v.version_id) as is_read
        from changed join articles a using (article_id) join versions v using (article_id)
        where is_reparsed or not is_read"""
    versions = store.query(sql, after, last)
    old = ((version["version_id"],) for version in versions if version["is_read"])
    store.execute_many("delete from figures where version_id = ?", old)
    texts = [tuple(version)[:-1] for version in versions]
    found = pool.map(_read_version, texts, chunksize=_IN_ONE_MESSAGE) if pool else map(_read_version, texts)
    for rows in found:
        store.execute_many(_INSERT, rows)
    return len(versions)


def _read_version(version: tuple[int, str, str, str, str]) -> list[tuple[object, ...]]:
    """Rows of the figures of a version: its id, source, title, text and the kinds of its lines."""
    # On first use: most crawls find nothing new, and its patterns take long to come up
    from archive.figures.reading import read_figures

    version_id, source, title, text, lines = version
    kinds = [kind for kind, _ in decode_kinds(lines)]
    return [(version_id, *figure) for figure in read_figures(source, title, text, kinds)]


def _touched(store: Connection, counted: int, read: int) -> Iterator[list[int]]:
    """The series to count, some at a time: those of articles that changed, or all of two figures or more."""
    span = (counted, read)
    sql = "select count(*) > 5000 or max(kind = 'reparsed') from changes where seq > ? and seq <= ?"
    if counted == 0 or store.query(sql, *span)[0][0]:
        store.execute("delete from series")
        found = store.query("select series from figures group by series having count(*) > 1")
    else:
        sql = """select distinct series from figures where version_id in (select version_id from versions
                 where article_id in (select article_id from changes where seq > ? and seq <= ?))"""
        found = store.query(sql, *span)
    for start in range(0, len(found), _AT_ONCE):
        yield [row[0] for row in found[start : start + _AT_ONCE]]


def count_series(execute: Callable[[str, str], object], series: Iterable[int]) -> None:
    """Make the rows of `series` anew for these numbers, from `figures`."""
    asked = json.dumps(sorted(series))
    execute("delete from series where series in (select value from json_each(?))", asked)
    execute(_COUNT, asked)
