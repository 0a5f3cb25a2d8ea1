"""The search page: both editions, with filters as links; matches are marked in the text as the site wrote
it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

from datasette.utils.asgi import Response

from archive.browse import health
from archive.browse.changes import files_of
from archive.browse.context import Frame, open_frame, rows
from archive.browse.language import Language
from archive.browse.marks import marked, snippet
from archive.model import EDITIONS, GONE_STATES, STATES
from archive.read.diff import is_rtl
from archive.read.find import (
    NO_FILTERS,
    RANKED,
    WALKED,
    Filters,
    count_matches,
    count_words,
    find,
    suggest,
)
from archive.read.named import find_named
from archive.read.references import BadReference, parse_period
from archive.read.search import MAX_TYPED, Query, found_words, parse_query

PAGE = 20
_SHOWN = """select a.article_id, a.source, a.key, a.edition, a.post_id, a.url, a.state, a.day, a.versions,
    v.title, v.plain_title, v.text, v.language, v.published_at,
    exists (select 1 from changes c indexed by changes_article
        where c.article_id = a.article_id and c.kind = 'updated' and c.figures != '[]' and {valid}) as figure,
    exists (select 1 from changes c indexed by changes_silent
        where c.article_id = a.article_id and c.stealth = 1 and {valid}) as silent
    from articles a join versions v on v.version_id = a.newest_version_id where a.article_id = ?"""
# By name of the index: SQLite prefers those of severity and stealth, which are as long as the archive
_SHOWN = _SHOWN.replace("{valid}", "not exists (select 1 from changes r where r.retracts = c.seq)")
# Of the newest articles: to count those of all takes as long as the archive
_CATEGORIES = """select t.name from article_terms x cross join terms t using (term_id)
    where x.article_id > (select max(article_id) from articles) - 1000 and t.taxonomy = 'category'
    group by 1 order by count(*) desc limit 8"""
# With the version of a citation, if it is not the newest
_NAMED = """select edition, post_id, key, nullif(
        (select number from versions v where v.article_id = a.article_id and cited_at <= ?2
            order by cited_at desc limit 1),
        (select number from versions where version_id = a.newest_version_id)) as number
    from articles a where article_id = ?1"""
_BY_NUMBER = """select a.source, a.key, a.edition, a.post_id, a.url, v.title, v.plain_title, v.language
    from articles a left join versions v on v.version_id = a.newest_version_id
    where a.edition in ('en', 'ar') and a.post_id = ?"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A search, as its address states it."""

    query: Query
    filters: Filters
    exact: bool = False
    by_rank: bool = False
    page: int = 1

    def parameters(self) -> dict[str, object]:
        """The search as parameters of an address, without the page."""
        given: dict[str, object] = {"q": self.query.typed, **asdict(self.filters)}
        return given | {"exact": self.exact and 1, "sort": self.by_rank and "relevance"}


def read(frame: Frame) -> Asked:
    """The search that an address asks for; values that make no sense are ignored."""
    since, until = (_period(frame.argument(name, 10)) for name in ("since", "until"))
    severity = frame.chosen("severity", ("1", "2", "3"))
    filters = Filters(
        frame.chosen("edition", ("en", "ar")),
        since,
        until,
        frame.argument("category"),
        frame.chosen("state", STATES),
        frame.chosen("edited", ("yes", "silently")),
        int(severity or 0),
    )
    exact = bool(frame.argument("exact"))
    query = parse_query(frame.argument("q", MAX_TYPED), exact=exact)
    by_rank = bool(query.clauses) and frame.argument("sort") == "relevance"
    return Asked(query, filters, exact, by_rank, max(1, min(frame.number("page", 1), RANKED // PAGE)))


def _period(text: str) -> str:
    try:
        return parse_period(text)
    except BadReference:
        return ""


async def page(datasette: Any, request: Any) -> Response:
    """Search; without words, all articles, newest first. A citation or address leads to its article."""
    frame = await open_frame(datasette, request)
    asked = read(frame)
    if place := await frame.ask(lambda conn: _article_of(conn, asked.query.typed)):
        return Response.redirect(frame.read(place, version=place["number"]))
    return await frame.page("sohr_search.html", await frame.ask(lambda conn: _answer(conn, frame, asked)))


def _article_of(conn: sqlite3.Connection, typed: str) -> dict[str, Any] | None:
    """The article that a citation, `en:332481` or an address names, if the archive has it; of a citation the
    version too."""
    named = find_named(conn, typed)
    return rows(conn, _NAMED, *named)[0] if named else None


def _answer(conn: sqlite3.Connection, frame: Frame, asked: Asked) -> dict[str, Any]:
    query, filters, t = asked.query, asked.filters, frame.language
    hits: list[dict[str, Any]] = []
    context: dict[str, Any] = {"count": 0, "is_cut": False, "is_more": False}
    if not query.problem:
        matches = find(
            conn, query, filters, newest_first=not asked.by_rank, start=(asked.page - 1) * PAGE, size=PAGE
        )
        context = {"count": matches.count, "is_cut": matches.is_cut, "is_more": matches.is_more}
        hits = [hit for article_id in matches.ids for hit in rows(conn, _SHOWN, article_id)]
    for hit in hits:
        hit["shown"] = marked(hit["title"] or hit["plain_title"] or t("site.no_title"), query.terms)
        hit["snippet"] = snippet(hit["text"], query.terms)
        hit["is_rtl"] = is_rtl(hit["edition"], hit["language"])
    texts = [text for hit in hits for text in (hit["title"] or "", hit["text"])]
    typed = {term.typed.casefold() for term in query.terms}
    others = [word for word in found_words(texts, query.terms) if word not in typed][:8]
    # Not only if this page has other words of the same stem: a later one may have
    has_exact = bool(hits) and not asked.exact and any(len(term.alternatives) > 1 for term in query.terms)
    exact = count_matches(conn, parse_query(query.typed, exact=True), filters) if has_exact else None

    def to(**changed: object) -> str:
        return frame.to("search", **asked.parameters() | changed)

    number = query.typed if query.typed.isascii() and query.typed.isdigit() else ""
    is_empty = bool(query.clauses) and not hits and asked.page == 1
    return context | {
        "asked": asked,
        "hits": hits,
        "to_search": to,
        "others_found": others,
        "has_exact": has_exact,
        "exact_count": exact,
        "numbered": rows(conn, _BY_NUMBER, int(number)) if number and len(number) < 18 else [],
        "suggested": [
            (text, count, frame.to("search", q=text, **asdict(chosen)), chosen == NO_FILTERS)
            for text, chosen, count in (suggest(conn, query, filters) if is_empty else [])
        ],
        "by_word": count_words(conn, query, filters) if is_empty and len(query.terms) > 1 else [],
        "groups": _groups(conn, t, asked, to),
        "chips": _chips(t, asked, to),
        "files": files_of(frame, "search", asked.parameters()),
        "ranked": RANKED,
        "walked": WALKED,
    }


def _chips(t: Language, asked: Asked, to: Callable[..., str]) -> list[tuple[str, str]]:
    """The filters that are on, each with the address of the search without it."""
    filters = asked.filters
    words: list[_Option] = []
    if filters.edition:
        words.append((t.name("edition", filters.edition), {"edition": ""}))
    if filters.since or filters.until:
        span = t("search.span", since=filters.since or "…", until=filters.until or "…")
        words.append((span, {"since": "", "until": ""}))
    if filters.category:
        words.append((filters.category, {"category": ""}))
    if filters.state:
        words.append((t.name("state", filters.state), {"state": ""}))
    if filters.edited:
        is_silent = filters.edited == "silently"
        words.append((t("silent.badge" if is_silent else "search.edited"), {"edited": ""}))
    if filters.severity:
        words.append((t(_SEVERITIES[filters.severity]), {"severity": ""}))
    return [(word, to(**without)) for word, without in words]


_Option = tuple[str, dict[str, Any]]  # words, and what they change in the filters
_SEVERITIES = {3: "search.figure", 2: "search.text", 1: "search.reworded"}


def _groups(
    conn: sqlite3.Connection, t: Language, asked: Asked, to: Callable[..., str]
) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """The filters as links: a name and (words, address, is it on) for each choice."""
    filters = asked.filters
    _, last = health.span(conn)

    def choices(*options: _Option) -> list[tuple[str, str, bool]]:
        return [(word, to(**change), filters == replace(filters, **change)) for word, change in options]

    edited: list[_Option] = [
        (t("search.any_edits"), {"edited": "", "severity": 0}),
        (t("search.edited"), {"edited": "yes", "severity": 0}),
        (t("silent.badge"), {"edited": "silently", "severity": 0}),
        (t("search.figure"), {"edited": "", "severity": 3}),
    ]
    days: list[_Option] = [(t("search.any_day"), {"since": "", "until": ""})]
    try:
        newest = date.fromisoformat(last)
    except ValueError:
        newest = None
    if newest:
        week = (newest - timedelta(days=6)).isoformat()
        days.append((t("search.week"), {"since": week, "until": newest.isoformat()}))
        days.append((t.month(newest), {"since": last[:7], "until": last[:7]}))
        days.append((str(newest.year), {"since": last[:4], "until": last[:4]}))
    names = [row[0] for row in conn.execute(_CATEGORIES)]
    any_one, both = t("search.any"), t("search.both")
    editions: list[_Option] = [(t.name("edition", edition), {"edition": edition}) for edition in EDITIONS]
    states: list[_Option] = [(t.name("state", state), {"state": state}) for state in ("live", *GONE_STATES)]
    return [
        (t("search.edition"), choices((both, {"edition": ""}), *editions)),
        (t("search.day"), choices(*days)),
        (t("search.edits"), choices(*edited)),
        (t("search.on_site"), choices((any_one, {"state": ""}), *states)),
        (t("search.category"), choices((any_one, {"category": ""}), *((n, {"category": n}) for n in names))),
    ]
