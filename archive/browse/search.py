"""The search page: both editions, folded, with filters; matches are marked in the text as the site wrote it.

What is asked of the index is bounded, whatever the archive's size: of words that stand in more than `NEWEST`
articles the newest ones are ranked, and where no part of a question leaves few articles, the newest `WALKED`
are looked at. The page says so.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from typing import Any

from datasette.utils.asgi import Response

from archive.browse.context import Frame, is_rtl, open_frame, rows
from archive.browse.marks import marked, snippet
from archive.model import STATES
from archive.read.search import Term, expression, terms

NEWEST = 5_000  # matches that are ranked; fewer are "few"
WALKED = 20_000  # articles that are looked at for a page, newest first
PAGE = 20
_FIRST, _CHUNK = 250, 2_000  # articles asked about at once: at first, at most
_GAP = 64  # ids between two runs that are asked for as one
_RUNS = 64  # questions a chunk may take
_DAY = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")
_SHOWN = """select a.article_id, a.source, a.key, a.edition, a.post_id, a.url, a.state, a.day, a.versions, v.title, v.plain_title, v.text, v.language,
    v.published_at, exists (select 1 from changes c where c.article_id = a.article_id and c.stealth = 1) as silent
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
    since, until = (
        found[0] if (found := _DAY.fullmatch(frame.argument(name, 10))) else "" for name in ("since", "until")
    )
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
    given = {
        name: getattr(asked, name) for name in ("edition", "since", "until", "category", "state", "changed")
    } | {"q": asked.text}
    sort = "relevance" if asked.sort == "relevance" else ""

    def turned(number: int) -> str:
        return frame.to("search", **given, sort=sort, page=number if number > 1 else "")

    def sorted_by(order: str) -> str:
        return frame.to("search", **given, sort=order if order == "relevance" else "")

    more = {
        "asked": asked,
        "turned": turned,
        "sorted_by": sorted_by,
        "states_named": STATES,
        "newest": NEWEST,
        "walked": WALKED,
    }
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
    names = "select name from terms where taxonomy = 'category' order by name limit 200"
    return {
        "hits": hits,
        "found": found,
        "words": [" ".join(term.words) + ("*" if term.is_prefix else "") for term in wanted],
        "nothing": nothing,
        "categories": [row[0] for row in conn.execute(names)],
    }


def find(conn: sqlite3.Connection, asked: Asked, wanted: list[Term]) -> Found:
    """The articles of one page of the answer."""
    start = (asked.page - 1) * PAGE
    match = expression(wanted)
    few = _few(conn, asked, match)
    if few is not None:
        kept, is_cut = _filtered(conn, asked, match, few), False
    else:
        kept, is_cut = _walked(conn, asked, match, NEWEST if asked.sort == "relevance" else start + PAGE + 1)
    if asked.sort == "relevance":
        kept = _ranked(conn, match, kept)
    return Found(kept[start : start + PAGE], is_cut, len(kept) > start + PAGE)


def _few(conn: sqlite3.Connection, asked: Asked, match: str) -> list[int] | None:
    """The articles that one part of the question leaves, if that part leaves few: all others can be asked of
    those. Each has its index."""
    parts: list[tuple[str, str]] = []
    if match:
        parts.append(("select rowid from search where search match ?", match))
    if asked.state and asked.state != "live":
        parts.append(("select article_id from articles where state = ? and state != 'live'", asked.state))
    if asked.changed == "silently":
        parts.append(("select distinct article_id from changes where stealth = 1 and ? != ''", asked.changed))
    if asked.changed == "yes":
        parts.append(("select article_id from articles where versions > 1 and ? != ''", asked.changed))
    if asked.category:
        parts.append(
            (
                "select x.article_id from article_terms x join terms t using (term_id) where t.taxonomy = 'category' and t.name = ?",
                asked.category,
            )
        )
    for sql, value in parts:
        ids = [row[0] for row in conn.execute(f"{sql} limit ?", (value, NEWEST + 1))]
        if len(ids) <= NEWEST:
            return ids
    return None


def _where(asked: Asked) -> tuple[str, list[object]]:
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
    if asked.state:
        add("a.state = ?", asked.state)
    if asked.changed == "yes":
        add("a.versions > 1")
    if asked.changed == "silently":
        add("exists (select 1 from changes c where c.article_id = a.article_id and c.stealth = 1)")
    if asked.category:
        named = "select t.term_id from terms t where t.taxonomy = 'category' and t.name = ?"
        add(
            f"exists (select 1 from article_terms x where x.article_id = a.article_id and x.term_id = ({named}))",
            asked.category,
        )
    return " and ".join(conditions), values


def _filtered(conn: sqlite3.Connection, asked: Asked, match: str, few: list[int]) -> list[int]:
    """Of these articles those that pass the filters and have the words, newest first."""
    where, values = _where(asked)
    kept: list[tuple[str, int]] = []
    for start in range(0, len(few), 500):
        some = few[start : start + 500]
        marks = ", ".join("?" * len(some))
        sql = f"select coalesce(a.day, ''), a.article_id from articles a where a.article_id in ({marks}) and {where}"
        kept += [(row[0], row[1]) for row in conn.execute(sql, [*some, *values])]
    ids = [article_id for _, article_id in sorted(kept, reverse=True)]
    has = _matching(conn, match, ids)
    return [article_id for article_id in ids if article_id in has]


def _walked(conn: sqlite3.Connection, asked: Asked, match: str, need: int) -> tuple[list[int], bool]:
    """The newest articles that pass the filters and have the words, so many at most; whether older ones were
    left out without a look.

    Along the days, some articles at a time, so that the size of the archive matters little.
    """
    where, values = _where(asked)
    sql = f"select a.article_id from articles a where {where} order by a.day desc, a.article_id desc limit ?"
    cursor = conn.execute(sql, [*values, WALKED + 1])
    kept: list[int] = []
    seen, size = 0, _FIRST
    while some := [row[0] for row in cursor.fetchmany(size)]:
        has = _matching(conn, match, some)
        kept += [article_id for article_id in some if article_id in has]
        if len(kept) >= need:
            return kept[:need], need == NEWEST
        seen, size = seen + len(some), min(2 * size, _CHUNK)
    return kept, seen > WALKED


def _matching(conn: sqlite3.Connection, match: str, ids: list[int]) -> set[int]:
    """Those of the articles that have the words; all of them where none are asked for."""
    if not match:
        return set(ids)
    return {row[0] for low, high in _runs(ids) for row in _between(conn, match, low, high)}


def _between(conn: sqlite3.Connection, match: str, low: int, high: int) -> sqlite3.Cursor:
    return conn.execute(
        "select rowid from search where search match ? and rowid between ? and ?", (match, low, high)
    )


def _runs(ids: list[int]) -> list[tuple[int, int]]:
    """Ids as few ranges: they were given in the order of sighting, so that neighbours in time are mostly
    neighbours here."""
    found: list[tuple[int, int]] = []
    for number in sorted(ids):
        if found and number - found[-1][1] <= _GAP:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found if len(found) <= _RUNS else [(found[0][0], found[-1][1])]


def _ranked(conn: sqlite3.Connection, match: str, kept: list[int]) -> list[int]:
    """By relevance (BM25, a title weighs five times); alike ones newest first."""
    sql = "select rowid, bm25(search, 5.0, 1.0) from search where search match ? and rowid between ? and ?"
    scores: dict[int, float] = {}
    for low, high in _runs(kept):
        scores.update(conn.execute(sql, (match, low, high)).fetchall())
    return sorted(kept, key=lambda article_id: scores.get(article_id, 0.0))
