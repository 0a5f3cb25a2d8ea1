"""When what is held of a post is proven, or was no part of the trouble."""

from __future__ import annotations

import json
from datetime import timedelta

from archive.clock import format_time, parse_time
from archive.ingest.bulk import STATES, WINDOW, places
from archive.ingest.doubts import ADDITION_TIME
from archive.ingest.pending import UPDATED
from archive.model import EDITIONS
from archive.store.connection import Row
from archive.store.row_types import ArticleRow
from archive.store.rows import Store
from archive.thresholds import BULK_FEW, CONTROL_NEWEST, CONTROL_OTHERS, PROOF_CRAWLS, PROOF_DAYS

_PUBLISHED = "select distinct published_at from versions where version_id in (?, ?) and published_at not null"


def is_proven(store: Store, row: Row, earlier: list[Row], at: str) -> bool:
    """Whether what is held of an article and the outcome that waits say the same for long enough.

    If it is gone, the control group must answer, its own edition among it, and no channel may list it.
    """
    first, last = earlier[0]["captured_at"], row["captured_at"]
    lasted = parse_time(last) - parse_time(first)
    if lasted >= ADDITION_TIME and any(is_addition(one) for one in earlier):
        return True
    crawls = {one["crawl_id"] for one in (*earlier, row)}
    if len(crawls) < PROOF_CRAWLS.value or lasted < timedelta(days=PROOF_DAYS.value):
        return False
    if row["kind"] == UPDATED:
        return True  # it answered with text itself
    sql = "select 1 from sightings where article_id = ? and channel != 'sweep' and last_seen_at >= ?"
    if store.one(sql, row["article_id"], first):
        return False
    since = format_time(parse_time(at) - WINDOW)
    group = _control_group(store)
    return any(one["edition"] == row["edition"] for one in group) and all(
        one["state"] == "live" and (one["last_captured_at"] or "") >= since for one in group
    )


def is_over(store: Store, row: Row, bulk: set[tuple[str, str]]) -> bool:
    """Whether a post is one of few that are still gone after all others came back: no trouble of the site. A
    look during the trouble proved nothing; this one is the first that does."""
    if row["kind"] not in STATES or any((place, row["kind"]) in bulk for place in places(row)):
        return False
    sql = """select count(distinct article_id) from pending_outcomes join articles using (article_id)
             where edition is ? and kind = ? and held_at is not null"""
    [(number,)] = store.query(sql, row["edition"], row["kind"])
    return bool(number < BULK_FEW.value)


def find_under_other_number(store: Store, article: ArticleRow) -> ArticleRow | None:
    """The one post that has the title and text of one that is gone, and came after that was last there: a
    site that was imported anew has all its posts so.

    A text that a third post has too, or that states another time, is one that the site repeats: no proof.
    """
    rows = store.articles.select(
        """where edition = ? and article_id != ? and article_id in (
               select v.article_id from versions n join versions v
               on v.same_digest = n.same_digest and v.number = 1 where n.version_id = ?) limit 2""",
        article["edition"],
        article["article_id"],
        article["newest_version_id"],
    )
    if len(rows) != 1 or rows[0]["state"] != "live":
        return None
    [other] = rows
    ids = article["newest_version_id"], other["newest_version_id"]
    published = store.query(_PUBLISHED, *ids)
    is_later = (other["first_captured_at"] or "") > (article["last_captured_at"] or "")
    return other if is_later and len(published) < 2 else None


def _control_group(store: Store) -> list[ArticleRow]:
    """The newest posts of each edition and ten others, of which nothing is held."""
    free = """edition is not null and newest_version_id is not null and state = 'live'
              and not exists (select 1 from pending_outcomes p where p.article_id = articles.article_id)"""
    newest = [
        row
        for edition in EDITIONS
        for row in store.articles.select(
            f"where edition = ? and {free} order by post_id desc limit ?",
            edition,
            CONTROL_NEWEST.value,
        )
    ]
    ids = [row["article_id"] for row in newest]
    marks = ", ".join("?" * len(ids))
    others = store.articles.select(
        f"""where {free} and article_id not in ({marks})
            order by (article_id * 7919) % 1009, article_id limit ?""",
        *ids,
        CONTROL_OTHERS.value,
    )
    return [*newest, *others]


def call_control_group(store: Store, at: str) -> None:
    """Let the next crawls look at the control group, twice a day."""
    for row in _control_group(store):
        due = max(at, format_time(parse_time(row["last_captured_at"] or at) + WINDOW / 2))
        if row["next_look_at"] is None or row["next_look_at"] > due:
            store.articles.update(row["article_id"], next_look_at=due)


def is_addition(row: Row) -> bool:
    """Whether what is held adds a line that other posts got too."""
    return str(json.loads(row["details"]).get("shared", "")).startswith("line ")
