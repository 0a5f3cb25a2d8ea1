"""The search page: both editions, folded, with filters; matches are marked in the text as the site wrote it.

What is asked of the index is bounded: of a word that stands in more than `NEWEST` articles only the newest ones are looked at, whatever the
archive's size, and the page says so.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from datasette.utils.asgi import Response

from archive.browse.frame import Frame, is_rtl, open_frame, rows
from archive.browse.marks import marked, snippet
from archive.searching import Term, expression, terms

NEWEST = 5_000  # matches that are looked at
PAGE = 20
_CHUNK = 2_000  # articles asked about at once, newest first
_GAP = 64  # ids between two runs that are asked for as one
_RUNS = 24  # questions a chunk may take
STATES = ("live", "missing", "disappeared", "moved", "protected", "empty", "unreadable")
_DAY = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")
_SHOWN = """select a.article_id, a.source, a.key, a.edition, a.post_id, a.url, a.state, a.day, a.versions, v.title, v.plain_title, v.text, v.language,
    v.published_at, exists (select 1 from changes c where c.article_id = a.article_id and c.kind = 'updated' and c.stealth = 1) as silent
    from articles a join versions v on v.version_id = a.newest_version_id where a.article_id = ?"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A search, as read from its address."""

    text: str = ""
    edition: str = ""
    since: str = ""
    until: str = ""
    category: str = ""
    state: str = ""
    changed: str = ""  # "": all, "yes": more than one version, "silently"
    sort: str = "date"
    page: int = 1

    @property
    def is_filtered(self) -> bool:
        """Whether anything but words is asked."""
        return any((self.edition, self.since, self.until, self.category, self.state, self.changed))


@dataclass(frozen=True, slots=True)
class Found:
    """Articles found, in order: ``is_cut`` means that there are older matches which were not looked at."""

    ids: list[int]
    is_cut: bool
    is_more: bool  # behind the last of `ids`, for pages


def read(frame: Frame) -> Asked:
    """The search that an address asks for; what is nonsense is left out."""
    text = frame.argument("q", 300)
    since, until = (found[0] if (found := _DAY.fullmatch(frame.argument(name, 10))) else "" for name in ("since", "until"))
    return Asked(
        text,
        frame.chosen("edition", ("en", "ar")),
        since,
        until + {4: "-12-31", 7: "-31"}.get(len(until), ""),
        frame.argument("category"),
        frame.chosen("state", STATES),
        frame.chosen("changed", ("yes", "silently")),
        "relevance" if text and frame.argument("sort") == "relevance" else "date",
        max(1, min(frame.number("page", 1), NEWEST // PAGE)),
    )


async def page(datasette: Any, request: Any) -> Response:
    """Search, or the newest articles where no word is given."""
    frame = await open_frame(datasette, request)
    asked = read(frame)
    context = await frame.ask(lambda conn: _answer(conn, asked))
    given = {name: getattr(asked, name) for name in ("edition", "since", "until", "category", "state", "changed")} | {"q": asked.text}
    sort = "relevance" if asked.sort == "relevance" else ""

    def turned(number: int) -> str:
        return frame.to("search", **given, sort=sort, page=number if number > 1 else "")

    def sorted_by(order: str) -> str:
        return frame.to("search", **given, sort=order if order == "relevance" else "")

    more = {"asked": asked, "turned": turned, "sorted_by": sorted_by, "states_named": STATES, "newest": NEWEST}
    return await frame.page("sohr_search.html", context | more)


def _answer(conn: sqlite3.Connection, asked: Asked) -> dict[str, Any]:
    wanted = terms(asked.text)
    nothing = bool(asked.text) and not wanted
    found = Found([], False, False) if nothing else find(conn, asked, wanted)
    hits = [hit for article_id in found.ids for hit in rows(conn, _SHOWN, article_id)]
    for hit in hits:
        title = hit["title"] or hit["plain_title"] or "(no title)"
        hit["shown"] = marked(title, wanted)
        hit["snippet"] = snippet(hit["text"], wanted)
        hit["is_rtl"] = is_rtl(hit["edition"], hit["language"])
    top = "select t.name from terms t join article_terms using (term_id) where taxonomy = 'category' group by term_id order by count(*) desc limit 40"
    return {
        "hits": hits,
        "found": found,
        "words": [" ".join(term.words) + ("*" if term.is_prefix else "") for term in wanted],
        "nothing": nothing,
        "categories": [row[0] for row in conn.execute(top)],
    }


def find(conn: sqlite3.Connection, asked: Asked, wanted: list[Term]) -> Found:
    """The articles of one page of the answer."""
    start = (asked.page - 1) * PAGE
    if not wanted:
        ids = [row[0] for row in conn.execute(*_newest(asked, limit=PAGE + 1, offset=start))]
        return Found(ids[:PAGE], False, len(ids) > PAGE)
    match = expression(wanted)
    few = [row[0] for row in conn.execute("select rowid from search where search match ? limit ?", (match, NEWEST + 1))]
    if len(few) <= NEWEST:
        candidates, is_cut = few, False
        kept = _filtered(conn, asked, candidates)
    else:
        need = NEWEST if asked.sort == "relevance" or _is_narrow(asked) else start + PAGE + 1
        candidates = list(_common(conn, asked, match, need))
        is_cut = need == NEWEST and len(candidates) >= NEWEST
        kept = _filtered(conn, asked, candidates)
    if asked.sort == "relevance":
        kept = _ranked(conn, match, kept)
    return Found(kept[start : start + PAGE], is_cut, len(kept) > start + PAGE)


def _is_narrow(asked: Asked) -> bool:
    """Whether there are filters that the walk along the days does not apply itself."""
    return bool(asked.category or asked.state or asked.changed)


def _where(asked: Asked, days_only: bool = False) -> tuple[str, list[object]]:
    conditions: list[str] = ["a.newest_version_id is not null"]
    values: list[object] = []

    def add(condition: str, *given: object) -> None:
        conditions.append(condition)
        values.extend(given)

    if asked.edition:
        add("a.edition = ?", asked.edition)
    if asked.since:
        add("a.day >= ?", asked.since)
    if asked.until:
        add("a.day <= ?", asked.until)
    if not days_only:
        if asked.state:
            add("a.state = ?", asked.state)
        if asked.changed == "yes":
            add("a.versions > 1")
        if asked.changed == "silently":
            add("exists (select 1 from changes c where c.article_id = a.article_id and c.kind = 'updated' and c.stealth = 1)")
        if asked.category:
            add(
                "exists (select 1 from article_terms x join terms t using (term_id) where x.article_id = a.article_id and t.name = ?)", asked.category
            )
    return " and ".join(conditions), values


def _newest(asked: Asked, limit: int = -1, offset: int = 0, days_only: bool = False) -> tuple[str, list[object]]:
    """SQL of the articles in question, newest first, along an index by day."""
    where, values = _where(asked, days_only)
    return f"select a.article_id from articles a where {where} order by a.day desc, a.article_id desc limit ? offset ?", [*values, limit, offset]


def _filtered(conn: sqlite3.Connection, asked: Asked, candidates: list[int]) -> list[int]:
    """Of these articles those that pass the filters, newest first."""
    where, values = _where(asked)
    kept: list[tuple[str, int]] = []
    for start in range(0, len(candidates), 500):
        some = candidates[start : start + 500]
        marks = ", ".join("?" * len(some))
        sql = f"select coalesce(a.day, ''), a.article_id from articles a where a.article_id in ({marks}) and {where}"
        kept += [(row[0], row[1]) for row in conn.execute(sql, [*some, *values])]
    return [article_id for _, article_id in sorted(kept, reverse=True)]


def _common(conn: sqlite3.Connection, asked: Asked, match: str, need: int) -> Iterator[int]:
    """The newest articles that hold a common word: along the days, a chunk of articles at a time, so that the size of the archive matters little."""
    cursor = conn.execute(*_newest(asked, days_only=True))
    left = need
    while left > 0 and (chunk := [row[0] for row in cursor.fetchmany(_CHUNK)]):
        has = {row[0] for low, high in _runs(chunk) for row in _between(conn, match, low, high)}
        for article_id in chunk:
            if article_id in has and left > 0:
                left -= 1
                yield article_id


def _between(conn: sqlite3.Connection, match: str, low: int, high: int) -> sqlite3.Cursor:
    return conn.execute("select rowid from search where search match ? and rowid between ? and ?", (match, low, high))


def _runs(ids: list[int]) -> list[tuple[int, int]]:
    """Ids as few ranges: they were given in the order of sighting, so that neighbours in time are mostly neighbours here."""
    found: list[tuple[int, int]] = []
    for number in sorted(ids):
        if found and number - found[-1][1] <= _GAP:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found if len(found) <= _RUNS else [(found[0][0], found[-1][1])]


def _ranked(conn: sqlite3.Connection, match: str, kept: list[int]) -> list[int]:
    """By relevance (BM25, a title weighs five times); alike ones newest first."""
    if not kept:
        return []
    sql = "select rowid, bm25(search, 5.0, 1.0) from search where search match ? and rowid between ? and ?"
    scores = dict(conn.execute(sql, (match, min(kept), max(kept))).fetchall())
    return sorted(kept, key=lambda article_id: float(scores.get(article_id, 0.0)))
