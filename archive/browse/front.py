"""The front page: what is held, what is new, what changed, how crawls went, and pictures of it."""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta
from typing import Any

from datasette.utils.asgi import Response
from markupsafe import Markup

from archive.browse import health
from archive.browse.changes import at_seqs
from archive.browse.context import open_frame, rows
from archive.browse.drawing import bars
from archive.browse.labels import CLASSES

_NEWEST = 15  # posts on the page
_FIGURES = 8  # edits of figures
_OTHERS = 12  # other changes
_DAYS = 60  # of the picture of posts
_MONTHS = 12  # of the picture of edits
_TOLD = ("updated", "metadata", "missing", "disappeared", "restored", "moved")
# from the versions' index on published_at, so that the newest come without reading all
NEWEST = """select a.source, a.key, a.edition, a.post_id, a.url, v.title, v.plain_title, v.text, v.published_at, a.state, v.number, v.language,
    v.first_captured_at, v.author from versions v join articles a on a.article_id = v.article_id and a.newest_version_id = v.version_id
    where v.published_at is not null and a.edition is not null order by v.published_at desc limit ?"""


async def page(datasette: Any, request: Any) -> Response:
    """What is held, the newest posts and changes, how crawls went."""
    frame = await open_frame(datasette, request)
    return await frame.page("sohr_front.html", await frame.ask(lambda conn: _sum(conn) | _now(conn)))


def _now(conn: sqlite3.Connection) -> dict[str, Any]:
    figures = [
        row[0]
        for row in conn.execute(
            "select seq from changes where kind = 'updated' and severity = 3 order by seq desc limit ?",
            (_FIGURES,),
        )
    ]
    # a kind at a time, along the index: behind a first crawl stand 200,000 rows of one kind
    others: list[int] = []
    for kind in _TOLD:
        others += [
            row[0]
            for row in conn.execute(
                "select seq from changes where kind = ? order by seq desc limit ?", (kind, _OTHERS + _FIGURES)
            )
        ]
    rest = sorted(set(others) - set(figures), reverse=True)[:_OTHERS]
    return {
        "newest": rows(conn, NEWEST, _NEWEST),
        "figures": at_seqs(conn, figures),
        "changes": at_seqs(conn, rest),
        "crawls": rows(conn, "select * from crawl_health order by started_at desc limit 5"),
    }


def _sum(conn: sqlite3.Connection) -> dict[str, Any]:
    held_now = """select edition, sum(sighted) as articles, sum(held) as held, sum(gone) as gone, sum(versions) as versions
        from day_counts group by edition having sum(sighted) > 0 order by edition = '', edition desc"""
    editions = {row["edition"] or "other": row for row in rows(conn, held_now)}
    by_class, drawn = edits_by_class(conn)
    return {
        "editions": editions,
        "calendars": health.recent(conn),
        "a_day": posts_a_day(conn),
        "by_class": by_class,
        "classes_drawn": drawn,
    }


def posts_a_day(conn: sqlite3.Connection) -> Markup:
    """Posts of the newest days, by edition."""
    _, newest = health.span(conn)
    try:
        until = date.fromisoformat(newest)
    except ValueError:
        return Markup("")
    days = [(until - timedelta(days=back)).isoformat() for back in range(_DAYS - 1, -1, -1)]
    by_day: dict[str, tuple[int, int]] = {}
    for place, edition in enumerate(("en", "ar")):
        asked = "select day, sighted from day_counts where edition = ? and day between ? and ?"
        for day, posts in conn.execute(asked, (edition, days[0], days[-1])):
            known = by_day.get(day, (0, 0))
            by_day[day] = (posts, known[1]) if place == 0 else (known[0], posts)
    # Nothing before the first post
    days = days[next((place for place, day in enumerate(days) if day in by_day), 0) :]
    return bars(
        "Posts a day, by edition", ("English", "Arabic"), [(day, by_day.get(day, (0, 0))) for day in days]
    )


def edits_by_class(conn: sqlite3.Connection) -> tuple[Markup, list[str]]:
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
    named = [CLASSES[name] for name in names]
    return bars("Edits a month, by what they changed", named, columns) if names else Markup(""), named
