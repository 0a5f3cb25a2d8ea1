"""Outcomes of looks that are not written yet: they wait to be judged together, or are held."""

from __future__ import annotations

import json
from typing import Any

from archive.clock import format_time, parse_time
from archive.extract.furniture import SOON
from archive.ingest.seen import Seen
from archive.outcome import HELD, Outcome
from archive.store.connection import Row
from archive.store.row_types import ArticleRow
from archive.store.rows import Store

LOOKS = frozenset({"article", "sweep"})  # channels by which a crawl looks at posts
MISSING, MOVED, WITHHELD, TEXTLESS, UPDATED = "missing", "moved", "withheld", "textless", "updated"
# Whether a channel announced the edit of a look `p`, by a time later than that of the version `b` before it:
# then it is no surprise. That a channel's text is another says nothing of who changed it.
ANNOUNCED = """(coalesce({p}.reason, '') = 'modified' and exists (select 1 from sightings s
    where s.article_id = {p}.article_id
    and json_extract(s.claims, '$.modified_at') > coalesce(b.modified_at, '')
    and (json_extract(s.claims, '$.modified_at') >= b.first_captured_at
         or s.first_seen_at > b.last_captured_at)))"""


class Pending:
    """The table ``pending_outcomes``: a capture, its article, and what it would say of it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def defer(self, seen: Seen, article: ArticleRow, kind: str, **details: Any) -> Outcome | None:
        """Let the outcome of a look wait for judgement; None if it is to be written now.

        Outcomes of an import, of cited pages and of posts never captured do not wait.
        """
        is_look = seen.capture.crawl is not None and seen.capture.channel in LOOKS
        if seen.is_judged or not is_look or article["state"] is None:
            return None
        self.add(seen.capture_id, article["article_id"], kind, details)
        return seen.outcome(HELD, article)

    def add(
        self, capture_id: int, article_id: int, kind: str, details: dict[str, Any], held_at: str | None = None
    ) -> None:
        """Write a row; it is held if ``held_at`` says since when."""
        self._store.query(
            "insert into pending_outcomes values (?, ?, ?, ?, ?) on conflict do nothing",
            capture_id,
            article_id,
            kind,
            json.dumps(details, ensure_ascii=False, sort_keys=True),
            held_at,
        )

    def select(self, condition: str, *values: object) -> list[Row]:
        """Outcomes `p` with their captures `c` and articles `a`, in the order of the evidence."""
        return self._store.query(
            f"""select p.kind, p.details, p.held_at, a.source, a.key, a.edition, a.article_id,
                a.newest_version_id, {ANNOUNCED.format(p="c")} as is_announced, c.*
                from pending_outcomes p
                join articles a using (article_id) join captures c using (capture_id)
                left join versions b on b.version_id = a.newest_version_id
                left join crawls k using (crawl_id) where {condition} order by p.capture_id""",
            *values,
        )

    def is_waiting(self, article: ArticleRow) -> bool:
        """Whether an outcome of this crawl waits: later ones of the article come after it."""
        sql = "select 1 from pending_outcomes where article_id = ? and held_at is null"
        return self._store.one(sql, article["article_id"]) is not None

    def find_doubted(self, seen: Seen, article: ArticleRow) -> list[Row]:
        """The answers of this crawl that wait to be compared with this one, in their order."""
        if seen.is_judged or seen.capture.crawl is None:
            return []
        earliest = format_time(parse_time(seen.at) - SOON)
        return self._store.query(
            """select c.* from pending_outcomes p join captures c using (capture_id)
               where p.article_id = ? and p.kind = 'updated' and held_at is null and c.capture_id != ?
               and json_extract(p.details, '$.is_doubted') and captured_at between ? and ? and crawl_id = ?
               order by c.capture_id""",
            article["article_id"],
            seen.capture_id,
            earliest,
            seen.at,
            self._store.crawls.find_id(seen.capture.crawl),
        )

    def drop(self, capture_id: int) -> None:
        """The capture no longer waits."""
        self._store.query("delete from pending_outcomes where capture_id = ?", capture_id)

    def is_held(self, kind: str) -> bool:
        """Whether outcomes of this kind are held, of whatever article."""
        sql = "select 1 from pending_outcomes where kind = ? and held_at is not null limit 1"
        return self._store.one(sql, kind) is not None

    def drop_held(self, article: ArticleRow, at: str) -> None:
        """The article answered as it was before: what was held of it is not so. The evidence stays.

        The trouble may be over, so all other posts of which something is held are due.
        """
        sql = "select 1 from pending_outcomes where article_id = ? and held_at is not null"
        if self._store.one(sql, article["article_id"]) is None:
            return
        sql = "delete from pending_outcomes where article_id = ? and held_at is not null"
        self._store.query(sql, article["article_id"])
        self._store.query(
            """update articles set next_look_at = ?1 where next_look_at > ?1 and article_id in
               (select article_id from pending_outcomes where held_at is not null)""",
            at,
        )
