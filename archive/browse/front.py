"""The front page: what the archive is, which figures changed, what is new and what is missing."""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta
from typing import Any

from datasette.utils.asgi import Response
from markupsafe import Markup

from archive.browse import health
from archive.browse.changes import Asked, at_seqs, select
from archive.browse.context import Frame, open_frame, rows
from archive.browse.drawing import bars
from archive.browse.figures import measure
from archive.browse.language import ENGLISH, Language, choose_language
from archive.clock import now
from archive.model import CLASSES, EDITIONS

_NEWEST = 6  # posts of each edition
_FIGURES = 6  # edits of figures
_LOOKED = 60  # edits of figures from which the gravest are chosen
_OTHERS = 8  # other changes
_DAYS = 60  # of the picture of posts
_MONTHS = 12  # of the picture of edits
# Along the versions' index on published_at (cross join: in this order), so that not all are read
NEWEST = """select a.source, a.key, a.edition, a.post_id, a.url, v.title, v.plain_title, v.text,
            v.published_at, a.state, v.number, v.language,
    v.first_captured_at, v.author from versions v cross join articles a on a.article_id = v.article_id and
    a.newest_version_id = v.version_id
    where v.published_at is not null and a.edition is not null order by v.published_at desc limit ?"""
# The same of one edition
NEWEST_OF = NEWEST.replace("a.edition is not null", "a.edition = ?")


async def page(datasette: Any, request: Any) -> Response:
    """Show the newest changes and posts, and how complete the archive is."""
    return await _show(await open_frame(datasette, request))


async def door(datasette: Any, request: Any) -> Response:
    """The front page without a language in its address: leads to that of the reader's language, unless it is
    English."""
    frame = await open_frame(datasette, request)
    code = choose_language(request.headers.get("accept-language") or "")
    answer = await _show(frame) if code == ENGLISH.code else Response.redirect(frame.in_language(code))
    answer.headers["Vary"] = "Accept-Language"
    return answer


async def _show(frame: Frame) -> Response:
    t = frame.language
    return await frame.page(
        "sohr_front.html", await frame.ask(lambda conn: _sums(conn, t) | _newest(conn, t))
    )


def _newest(conn: sqlite3.Connection, t: Language) -> dict[str, Any]:
    cards = _gravest(conn)
    figures = {row["seq"] for row in cards}
    others, _ = select(conn, Asked(), limit=_OTHERS + _FIGURES)
    crawl = next(iter(rows(conn, "select * from crawl_health order by started_at desc limit 1")), None)
    count = """select coalesce(sum(edits), 0) as edits,
        coalesce(sum(edits) filter (where class = 'figures'), 0) as figures from edit_counts"""
    gone = "select coalesce(sum(gone), 0) from day_counts"
    counts = rows(conn, count)[0] | {"gone": conn.execute(gone).fetchone()[0]}
    return {
        "newest": {edition: rows(conn, NEWEST_OF, edition, _NEWEST) for edition in EDITIONS},
        "figures": cards,
        "changes": at_seqs(conn, [seq for seq in others if seq not in figures][:_OTHERS]),
        "crawl": crawl,
        "checked": t.ago(crawl["finished_at"] or crawl["started_at"], now()) if crawl else "",
        "counts": counts,
    }


def _gravest(conn: sqlite3.Connection) -> list[dict[str, Any]]:
    """Edits of figures: those of the last week by how far a figure moved, then older ones, newest first."""
    seqs, _ = select(conn, Asked(severity="3"), limit=_LOOKED)
    edits = [row for row in at_seqs(conn, seqs) if row["changed"]]  # not where only the words around one did
    week = (date.fromisoformat(edits[0]["said_at"][:10]) - timedelta(days=6)).isoformat() if edits else ""
    recent = [row for row in edits if row["said_at"] >= week]
    recent.sort(key=lambda row: (measure(row["changed"]), row["stealth"] or 0), reverse=True)
    return (recent + [row for row in edits if row["said_at"] < week])[:_FIGURES]


def _sums(conn: sqlite3.Connection, t: Language) -> dict[str, Any]:
    sql = """select edition, sum(sighted) as articles, sum(captured) as captured, sum(gone) as gone,
             sum(versions) as versions
        from day_counts group by edition having sum(sighted) > 0 order by edition = '', edition desc"""
    editions = {row["edition"] or "other": row for row in rows(conn, sql)}
    by_class, drawn = edits_by_class(conn, t)
    first, last = health.span(conn)
    waiting = sum(row["articles"] - row["captured"] for row in editions.values())
    empty = """select state, count(*) from articles
        where state in ('protected', 'empty', 'unreadable') and state != 'live' group by 1 order by 1"""
    named = [
        t("front.without_text_state", state=t.name("state", state), n=f"{number:,}")
        for state, number in conn.execute(empty)
    ]
    return {
        "editions": editions,
        "captured": sum(row["captured"] for row in editions.values()),
        "first": first,
        "last": last,
        "missing": t("front.waiting", waiting) if waiting else t("front.nothing_missing"),
        "without_text": t("front.without_text", states=t.join(named)) if named else "",
        "calendars": health.recent(conn, t),
        "a_day": posts_a_day(conn, t),
        "by_class": by_class,
        "classes_drawn": drawn,
    }


def posts_a_day(conn: sqlite3.Connection, t: Language) -> Markup:
    """Posts of the newest days, by edition."""
    _, newest = health.span(conn)
    try:
        until = date.fromisoformat(newest)
    except ValueError:
        return Markup("")
    days = [(until - timedelta(days=back)).isoformat() for back in range(_DAYS - 1, -1, -1)]
    by_day: dict[str, tuple[int, int]] = {}
    for place, edition in enumerate(EDITIONS):
        asked = "select day, sighted from day_counts where edition = ? and day between ? and ?"
        for day, posts in conn.execute(asked, (edition, days[0], days[-1])):
            known = by_day.get(day, (0, 0))
            by_day[day] = (posts, known[1]) if place == 0 else (known[0], posts)
    # Nothing before the first post
    days = days[next((place for place, day in enumerate(days) if day in by_day), 0) :]
    return bars(
        t.text("front.a_day"),
        [t.name("edition", edition) for edition in EDITIONS],
        [(day, by_day.get(day, (0, 0))) for day in days],
        rtl=t.is_rtl,
    )


def edits_by_class(conn: sqlite3.Connection, t: Language) -> tuple[Markup, list[str]]:
    """Edits of the newest months, by what they changed most: each edit counts once, under the first of its
    classes. With the names of these."""
    since = "select min(month) from (select distinct month from edit_counts order by 1 desc limit ?)"
    sql = f"select month, class, edits from edit_counts where month >= ({since})"
    counted: dict[str, dict[str, int]] = {}
    for month, name, times in conn.execute(sql, (_MONTHS,)):
        counted.setdefault(month, {})[name] = times
    months = sorted(counted)
    names = [name for name in CLASSES if any(name in counted[month] for month in months)]
    columns = [(month, [counted[month].get(name, 0) for name in names]) for month in months]
    named = [t.name("class", name) for name in names]
    drawn = bars(t.text("front.by_class_label"), named, columns, rtl=t.is_rtl) if names else Markup("")
    return drawn, named
