"""Find articles by words and filters, for pages, command line and API alike.

What is read is bounded, whatever the archive's size. If more than `RANKED` articles match, only about that
many are ranked, the newest, and they are not counted. `Matches` says so.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import median_low

from archive.errors import USAGE, ArchiveError
from archive.read.references import parse_period
from archive.read.search import Query, Term, parse_query

RANKED = 50_000  # matches that are counted and ranked
WALKED = 20_000  # articles that are read, newest first, if more match
_MANY, _EARLY = 1_000, 200  # matches that are met on the way to the newest of them, on the first pages
_FIRST, _CHUNK = 250, 2_000  # articles of one query: at first, at most
_GAP = 64  # ids between two ranges that are asked for as one
_RUNS = 64  # queries for one chunk
_BLOCK, _SAMPLED = 2_048, 200  # ids that are taken together, and from one that is looked up to the next


class BadQuery(ArchiveError):
    """Raised when a search has no word to search for."""

    exit_status = USAGE


@dataclass(frozen=True, slots=True)
class Filters:
    """Which articles; empty fields allow all. Days are of the site's calendar, inclusive. Raises BadReference
    where a day is none."""

    edition: str = ""
    since: str = ""  # YYYY-MM-DD, or a year or month
    until: str = ""
    category: str = ""
    state: str = ""
    edited: str = ""  # "yes": more than one version; "silently": and the site's modified time stayed
    severity: int = 0  # an edit of at least this severity

    def __post_init__(self) -> None:
        parse_period(self.since)
        parse_period(self.until)

    def days(self) -> list[tuple[str, str]]:
        """The conditions on edition and day of ``a``, articles or `day_counts`, and their values."""
        until = self.until + {4: "-12-31", 7: "-31"}.get(len(self.until), "")
        parts = [("a.edition = ?", self.edition), ("a.day >= ?", self.since), ("a.day <= ?", until)]
        return [(sql, value) for sql, value in parts if value]

    def where(self) -> tuple[str, list[object]]:
        """The condition on ``articles a``, and its values."""
        edit = "select 1 from valid_changes c where c.article_id = a.article_id and c.kind = 'updated'"
        term = "select term_id from terms where taxonomy = 'category' and name = ?"
        parts: list[tuple[str, object]] = [
            *self.days(),
            ("a.state = ?", self.state),
            (
                f"""exists (select 1 from article_terms x where x.article_id = a.article_id
                    and x.term_id = ({term}))""",
                self.category,
            ),
            (f"exists ({edit} and c.severity >= ?)", self.severity),
        ]
        conditions = ["a.newest_version_id is not null", *(sql for sql, value in parts if value)]
        if self.edited:
            conditions.append("a.versions > 1")
        if self.edited == "silently":
            conditions.append(f"exists ({edit} and c.stealth = 1)")
        return " and ".join(conditions), [value for _, value in parts if value]


NO_FILTERS = Filters()


@dataclass(frozen=True, slots=True)
class Matches:
    """Some of the articles found, in order. ``count`` is None if there are too many to count."""

    ids: list[int]
    count: int | None
    is_cut: bool = False  # older matches were not looked at
    is_more: bool = False  # after the last of `ids`


def find(
    conn: sqlite3.Connection,
    query: Query,
    filters: Filters = NO_FILTERS,
    *,
    newest_first: bool = False,
    start: int = 0,
    size: int = 20,
) -> Matches:
    """The articles of a query: the most relevant first, or the newest. Raises BadQuery."""
    if query.problem:
        raise BadQuery(query.problem)
    match = _that_stand(conn, query).expression()
    where, values = filters.where()
    by_rank = bool(match) and not newest_first
    count: int | None
    if match and newest_first and filters == NO_FILTERS and start < _EARLY:
        count = _count_words(conn, match)
        if count is None or count > _MANY:  # they stand close enough to be met on the way
            kept, is_cut = _walk(conn, where, values, match, start + size + 1)
            if len(kept) > start + size or not is_cut:
                return Matches(kept[start : start + size], count, False, len(kept) > start + size)
    few = _find_few(conn, filters, match)
    if few is None and by_rank:
        kept = _rank_newest(conn, filters, match, start, size + 1)
        return Matches(kept[:size], None, True, len(kept) > size)
    if few is not None:
        ids, matches_already = few
        kept, is_cut = _keep(conn, where, values, ids, "" if matches_already else match), False
        count = len(kept)
    else:
        kept, is_cut = _walk(conn, where, values, match, start + size + 1)
        count = None if match else _count(conn, filters)
    if by_rank:
        kept = _rank(conn, match, kept)
    return Matches(kept[start : start + size], count, is_cut, len(kept) > start + size)


def count_matches(conn: sqlite3.Connection, query: Query, filters: Filters = NO_FILTERS) -> int | None:
    """How many articles match; None if there are too many to count."""
    return None if query.problem else find(conn, query, filters, newest_first=True, size=0).count


def suggest(
    conn: sqlite3.Connection, query: Query, filters: Filters = NO_FILTERS
) -> list[tuple[str, Filters, int]]:
    """For a search without a hit: queries that find something, with their filters and counts."""
    found: list[tuple[str, Filters, int]] = []
    for typed, chosen in dict.fromkeys(_similar(query, filters)):
        count = count_matches(conn, parse_query(typed), chosen) if len(found) < 5 else None
        # Without filters only if that finds more
        if count and (typed, count) not in [(text, times) for text, _, times in found]:
            found.append((typed, chosen, count))
    return found


def _similar(query: Query, filters: Filters) -> Iterator[tuple[str, Filters]]:
    yield query.typed, filters  # of an exact search, also other words of the same stem
    yield query.typed, NO_FILTERS
    words = [" OR ".join(term.typed for term in clause) for clause in query.clauses]
    if query.excluded:
        yield " ".join(words), filters
    if len(words) == 1:
        yield from ((term.typed.strip("*") + "*", filters) for term in query.terms)
        return
    for chosen in (filters, NO_FILTERS):
        yield from ((" ".join(words[:n] + words[n + 1 :]), chosen) for n in range(len(words)))
        yield from ((word, chosen) for word in words)
        yield " OR ".join(words), chosen


def count_words(conn: sqlite3.Connection, query: Query, filters: Filters) -> list[tuple[str, int | None]]:
    """How many articles have each word of a query."""
    return [(t.typed, count_matches(conn, replace(query, clauses=((t,),)), filters)) for t in query.terms]


def _that_stand(conn: sqlite3.Connection, query: Query) -> Query:
    """The query with only those forms of its words that stand in some text: each other one would be looked up
    for every match."""
    sql = "select 1 from search where search match ? limit 1"

    def has(words: tuple[str, ...]) -> bool:
        return conn.execute(sql, (f'"{" ".join(words)}"',)).fetchone() is not None

    def known(term: Term) -> Term:
        if term.is_prefix:
            return term
        return replace(term, alternatives=(term.alternatives[0], *filter(has, term.alternatives[1:])))

    clauses = tuple(tuple(map(known, clause)) for clause in query.clauses)
    return replace(query, clauses=clauses, excluded=tuple(map(known, query.excluded)))


def _count_words(conn: sqlite3.Connection, match: str) -> int | None:
    """How many articles have the words; None above `RANKED`."""
    sql = "select count(*) from (select 1 from search where search match ? limit ?)"
    count: int = conn.execute(sql, (match, RANKED + 1)).fetchone()[0]
    return count if count <= RANKED else None


def _find_few(conn: sqlite3.Connection, filters: Filters, match: str) -> tuple[list[int], bool] | None:
    """The articles that one part of the search leaves, if that part alone leaves few enough to count, and
    whether that part was the words. Each part has an index."""
    edits = "select distinct article_id from valid_changes where kind = 'updated'"
    are_few = match and _count_words(conn, match) is not None  # a quarter of the work of reading them
    parts: list[tuple[str, object]] = [
        ("select rowid from search where search match ?", match if are_few else ""),
        (
            "select article_id from articles where state = ? and state != 'live'",
            filters.state if filters.state != "live" else "",
        ),
        (f"{edits} and stealth = 1 and ? != ''", filters.edited if filters.edited == "silently" else ""),
        (f"{edits} and severity >= ?", filters.severity),
        ("select article_id from articles where versions > 1 and ? != ''", filters.edited),
        (
            """select x.article_id from article_terms x join terms t using (term_id)
                where t.taxonomy = 'category' and t.name = ?""",
            filters.category,
        ),
    ]
    for place, (sql, value) in enumerate(parts):
        if value:
            ids = [row[0] for row in conn.execute(f"{sql} limit ?", (value, RANKED + 1))]
            if len(ids) <= RANKED:
                return ids, place == 0
    return None


def _keep(
    conn: sqlite3.Connection, where: str, values: list[object], ids: list[int], match: str
) -> list[int]:
    """Those of the articles that pass the filters and have the words, newest first."""
    sql = f"""select a.article_id from json_each(?) j cross join articles a on a.article_id = j.value
        where {where} order by a.day desc, a.article_id desc"""
    kept = [row[0] for row in conn.execute(sql, [json.dumps(ids), *values])]
    has = _matching(conn, match, kept)
    return [article_id for article_id in kept if article_id in has]


def _walk(
    conn: sqlite3.Connection, where: str, values: list[object], match: str, need: int
) -> tuple[list[int], bool]:
    """Up to ``need`` of the newest articles that pass the filters and have the words; True if older ones were
    not looked at. Reads along the days, so the archive's size matters little."""
    sql = f"select a.article_id from articles a where {where} order by a.day desc, a.article_id desc limit ?"
    cursor = conn.execute(sql, [*values, WALKED + 1])
    kept: list[int] = []
    seen, size = 0, _FIRST
    while some := [row[0] for row in cursor.fetchmany(size)]:
        has = _matching(conn, match, some)
        kept += [article_id for article_id in some if article_id in has]
        if len(kept) >= need:
            return kept[:need], False
        seen, size = seen + len(some), min(2 * size, _CHUNK)
    return kept, seen > WALKED


def _matching(conn: sqlite3.Connection, match: str, ids: list[int]) -> set[int]:
    """Those of the articles that have the words; all of them without words."""
    if not match:
        return set(ids)
    sql = "select rowid from search where search match ? and rowid between ? and ?"
    return {row[0] for low, high in _runs(ids) for row in conn.execute(sql, (match, low, high))}


def _runs(ids: list[int], gap: int = _GAP) -> list[tuple[int, int]]:
    """Ids as a few ranges. Ids follow the order of sighting, so neighbours in time are mostly neighbours."""
    found: list[tuple[int, int]] = []
    for number in sorted(ids):
        if found and number - found[-1][1] <= gap:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found if len(found) <= _RUNS else [(found[0][0], found[-1][1])]


def _rank_newest(conn: sqlite3.Connection, filters: Filters, match: str, start: int, size: int) -> list[int]:
    """Of about the newest `RANKED` articles that have the words and pass the filters: the most relevant, from
    the place ``start`` on. They are taken by whole blocks of ids: to look up each one's day takes twice as
    long as to rank them."""
    values: list[object] = []
    found = "from search s where true"
    if filters != NO_FILTERS:
        where, values = filters.where()
        found = f"from search s cross join articles a on a.article_id = s.rowid where {where}"
    found, values = f"{found} and search match ? and s.rowid between ? and ?", [*values, match]
    left, blocks = RANKED, []
    for block in _newest_blocks(conn):
        if left > 0:
            blocks.append(block)
            ends = (block * _BLOCK, block * _BLOCK + _BLOCK - 1)
            left -= conn.execute(f"select count(*) {found}", [*values, *ends]).fetchone()[0]
    sql = f"select bm25(search, 5.0, 1.0), -s.rowid {found} order by 1, 2 limit ?"
    ranked: list[tuple[float, int]] = []
    for first, last in _runs(blocks, 1):
        ends = (first * _BLOCK, last * _BLOCK + _BLOCK - 1)
        ranked += map(tuple, conn.execute(sql, [*values, *ends, start + size]))
    return [-number for _, number in sorted(ranked)[start : start + size]]


def _newest_blocks(conn: sqlite3.Connection) -> list[int]:
    """Blocks of `_BLOCK` ids, the newest first. Ids follow the order of sighting, so the days of a few
    articles date a block: the middle one of them, since a link may have led to an older post."""
    newest = conn.execute("select max(article_id) from articles").fetchone()[0] or 0
    sql = """select a.article_id, coalesce(a.day, '')
        from json_each(?) j cross join articles a on a.article_id = j.value"""
    days: dict[int, list[str]] = {}
    for article_id, day in conn.execute(sql, (json.dumps([*range(1, newest + 1, _SAMPLED), newest]),)):
        days.setdefault(article_id // _BLOCK, []).append(day)
    return sorted(days, key=lambda block: median_low(days[block]), reverse=True)


def _rank(conn: sqlite3.Connection, match: str, kept: list[int]) -> list[int]:
    """By relevance (BM25, a title counts five times); equal ones newest first."""
    sql = "select rowid, bm25(search, 5.0, 1.0) from search where search match ? and rowid between ? and ?"
    scores: dict[int, float] = {}
    for low, high in _runs(kept):
        scores.update(conn.execute(sql, (match, low, high)).fetchall())
    return sorted(kept, key=lambda article_id: scores.get(article_id, 0.0))


def _count(conn: sqlite3.Connection, filters: Filters) -> int | None:
    """The number of articles that pass the filters: a sum over days, whatever their number; None above
    `RANKED` where the days do not say it."""
    if replace(filters, edition="", since="", until="", state="") == NO_FILTERS and filters.state in (
        "",
        "live",
    ):
        texts = "live_texts" if filters.state else "texts"
        where = " and ".join(["true", *(condition for condition, _ in filters.days())])
        sql = f"select coalesce(sum({texts}), 0) from day_counts a where {where}"
        return int(conn.execute(sql, [value for _, value in filters.days()]).fetchone()[0])
    where, values = filters.where()
    sql = f"select count(*) from (select 1 from articles a where {where} limit ?)"
    count: int = conn.execute(sql, [*values, RANKED + 1]).fetchone()[0]
    return count if count <= RANKED else None
