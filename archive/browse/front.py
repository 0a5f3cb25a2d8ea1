"""The front page: what is held, what is new, what changed, how crawls went, and pictures of it."""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from datasette.utils.asgi import Response
from markupsafe import Markup

from archive.browse import health
from archive.browse.drawing import bars
from archive.browse.frame import open_frame, rows
from archive.browse.stream import at_seqs
from archive.browse.words import CLASSES

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
# Sums over all articles, kept until a row is added anywhere: an archive of 200,000 is not counted for every reader.
_sums: WeakKeyDictionary[Any, dict[str, tuple[tuple[Any, ...], dict[str, Any]]]] = WeakKeyDictionary()


async def page(datasette: Any, request: Any) -> Response:
    """What is held, the newest posts and changes, how crawls went."""
    frame = await open_frame(datasette, request)

    def ask(conn: sqlite3.Connection) -> dict[str, Any]:
        at = conn.execute(
            "select (select max(article_id) from articles), (select max(capture_id) from captures), (select max(seq) from changes),"
            " (select max(failure_id) from failures), (select max(sighting_id) from sightings), (select count(*) from coverage_days)"
        ).fetchone()
        kept = _sums.setdefault(datasette, {})
        known = kept.get(frame.database)
        if known is None or known[0] != tuple(at):
            known = (tuple(at), _sum(conn))
            kept[frame.database] = known
        return known[1] | _now(conn)

    return await frame.page("sohr_front.html", await frame.ask(ask))


def _now(conn: sqlite3.Connection) -> dict[str, Any]:
    figures = [
        row[0] for row in conn.execute("select seq from changes where kind = 'updated' and severity = 3 order by seq desc limit ?", (_FIGURES,))
    ]
    # a kind at a time, along the index: behind a first crawl stand 200,000 rows of one kind
    others: list[int] = []
    for kind in _TOLD:
        others += [row[0] for row in conn.execute("select seq from changes where kind = ? order by seq desc limit ?", (kind, _OTHERS + _FIGURES))]
    rest = sorted(set(others) - set(figures), reverse=True)[:_OTHERS]
    return {
        "newest": rows(conn, NEWEST, _NEWEST),
        "figures": at_seqs(conn, figures),
        "changes": at_seqs(conn, rest),
        "crawls": rows(conn, "select * from crawl_health order by started_at desc limit 5"),
    }


def _sum(conn: sqlite3.Connection) -> dict[str, Any]:
    editions: dict[str, dict[str, int]] = {}
    held_now = "select coalesce(edition, 'other') as edition, state, count(*) as articles, sum(versions) as versions from articles group by 1, 2"
    for row in rows(conn, held_now):
        held = editions.setdefault(row["edition"], {"articles": 0, "held": 0, "versions": 0, "gone": 0})
        held["articles"] += row["articles"]
        held["versions"] += row["versions"]
        held["held"] += row["articles"] if row["state"] is not None else 0
        held["gone"] += row["articles"] if row["state"] in ("missing", "disappeared") else 0
    by_class, drawn = edits_by_class(conn)
    return {"editions": editions, "calendars": health.recent(conn), "a_day": posts_a_day(conn), "by_class": by_class, "classes_drawn": drawn}


def posts_a_day(conn: sqlite3.Connection) -> Markup:
    """Posts of the newest days, by edition."""
    newest = conn.execute("select max(day) from articles where day is not null").fetchone()[0]
    try:
        until = date.fromisoformat(newest)
    except (TypeError, ValueError):
        return Markup("")
    days = [(until - timedelta(days=back)).isoformat() for back in range(_DAYS - 1, -1, -1)]
    counted = conn.execute(
        "select day, sum(edition = 'en'), sum(edition = 'ar') from articles where day between ? and ? and edition is not null group by day",
        (days[0], days[-1]),
    )
    by_day = {row[0]: (row[1], row[2]) for row in counted}
    return bars("Posts a day, by edition", ("English", "Arabic"), [(day, by_day.get(day, (0, 0))) for day in days])


def edits_by_class(conn: sqlite3.Connection) -> tuple[Markup, list[str]]:
    """Edits of the newest months, by what they changed most: each edit counts once, under the first of its classes. With the names of these."""
    sql = """select substr(said_at, 1, 7) as month, json_extract(classes, '$[0]') as class, count(*) from changes
        where kind = 'updated' group by 1, 2 order by 1"""
    counted: dict[str, dict[str, int]] = {}
    for month, name, times in conn.execute(sql):
        counted.setdefault(month, {})[str(name or "")] = times
    months = sorted(counted)[-_MONTHS:]
    names = [name for name in CLASSES if any(name in counted[month] for month in months)]
    columns = [(month, [counted[month].get(name, 0) for name in names]) for month in months]
    named = [CLASSES[name] for name in names]
    return bars("Edits a month, by what they changed", named, columns) if names else Markup(""), named
