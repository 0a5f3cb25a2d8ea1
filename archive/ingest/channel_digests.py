"""What a channel last said of an article, and what follows: nothing new, a reason to ask for the page, or a
look that is done.

A channel's digest is compared with the last one of the same channel only. It stands for the page as long as
our newest page was captured after the channel first said so: then the page said the same. A first digest, and
one that came after the newest page, prove nothing. Only the page makes versions; a look that a digest closed
is written down here, and plans the next look as an unchanged page would.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from archive.ingest import look_schedule, neighbours
from archive.model import Sighting
from archive.outcome import REFUSALS, Held
from archive.store.rows import Row, Store

SAME_DATE = frozenset({"feed", "rest"})  # a sitemap's may be a plugin's own


class Digests:
    """Keeps the table ``digests``; called in the order of the evidence."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def shown(self, article: Row, held: Held, sighting: Sighting, at: str, capture_id: int) -> Held:
        """A channel shows an article: what it says is kept, and what that means is told in the `Held`
        returned."""
        if sighting.digest is None and sighting.modified_at is None:
            return held
        row = self._row(article, sighting.channel)
        digest, modified = (
            sighting.digest or (row["digest"] if row else None),
            sighting.modified_at or (row["modified_at"] if row else None),
        )
        if row is None:
            is_newer = self._is_newer(article, sighting)
            self._insert(article, sighting.channel, digest, modified, at, capture_id, changes=int(is_newer))
            return replace(held, differs=is_newer)
        if at < row["last_seen_at"]:  # an import: what the channel said later is known
            return held
        back: dict[str, Any] = (
            {"absent_since": None} if row["absent_since"] and not row["absence_told"] else {}
        )
        is_first = row["digest"] is None and digest is not None and modified == row["modified_at"]
        is_back = bool(row["absence_told"] and row["last_seen_at"] <= row["absent_since"])
        if is_back or (digest, modified) != (row["digest"], row["modified_at"]):
            changes = row["changes"] + (is_back or not is_first)
            self._update(article, sighting.channel, digest=digest, modified_at=modified, first_seen_at=at, first_capture_id=capture_id,
                         last_seen_at=at, changes=changes, **back)  # fmt: skip
            return replace(held, differs=is_back or not is_first)
        self._update(article, sighting.channel, last_seen_at=at, **back)
        if row["changes"] and not self._was_asked(article, row):
            return replace(held, differs=True)
        if (
            sighting.digest is not None
            and self._is_behind(article, row)
            and look_schedule.by_digest(article["state"], article["unchanged_looks"])
            and article["next_look_at"]
            and article["next_look_at"] <= at
        ):
            self._close(article, row, at)
            return replace(held, is_looked=True)
        return held

    def _is_newer(self, article: Row, sighting: Sighting) -> bool:
        """Whether a channel that shows an article for the first time knows of a later edit than the others
        did; feeds and REST tell the same date."""
        if sighting.channel not in SAME_DATE or sighting.modified_at is None:
            return False
        marks = ", ".join("?" * len(SAME_DATE))
        sql = f"select max(modified_at) from digests where article_id = ? and channel in ({marks})"
        row = self._store.one(sql, article["article_id"], *sorted(SAME_DATE))
        return row is not None and row[0] is not None and sighting.modified_at > row[0]

    def _is_behind(self, article: Row, row: Row) -> bool:
        """Whether our newest page was captured after the channel first said what it says: by time, and by the
        order of the evidence."""
        version = self._store.version(article["newest_version_id"])
        if version is None:
            return False
        return bool(
            row["first_capture_id"] < version["last_capture_id"]
            and row["first_seen_at"] <= version["last_captured_at"]
        )

    def _was_asked(self, article: Row, row: Row) -> bool:
        """Whether the page was answered since the channel first said what it says, whatever the answer was
        but a refusal."""
        marks = ", ".join("?" * len(REFUSALS))
        sql = f"select 1 from captures where article_id = ? and capture_id > ? and outcome not in ({marks}) limit 1"
        return (
            self._store.one(sql, article["article_id"], row["first_capture_id"], *sorted(REFUSALS))
            is not None
        )

    def _close(self, article: Row, row: Row, at: str) -> None:
        unchanged = article["unchanged_looks"] + 1
        key = f"{article['source']}:{article['key']}"
        self._store.update(
            "articles",
            "article_id",
            article["article_id"],
            unchanged_looks=unchanged,
            next_look_at=look_schedule.next_look(at, unchanged, key),
        )
        neighbours.looked(self._store, article["article_id"])
        self._update(article, row["channel"], looks=row["looks"] + 1, looked_at=at)

    # -- absence
    # ------------------------------------------------------------------------------------------------------------------

    def absent(self, article: Row, channel: str, at: str, capture_id: int) -> None:
        """A channel that was asked for an article does not show it."""
        row = self._row(article, channel)
        if row is None:
            self._insert(article, channel, None, None, at, capture_id, absent_since=at)
        elif row["absent_since"] is None:
            self._update(article, channel, absent_since=at)

    def to_tell(self, article_id: int) -> list[tuple[str, list[str]]]:
        """What to tell of an article whose page is there: channels that do not show it any more, or do again;
        each once."""
        told = []
        for row in self._store.query(
            "select * from digests where article_id = ? and absent_since is not null", article_id
        ):
            back = row["last_seen_at"] > row["absent_since"] and row["absence_told"]
            if back or not row["absence_told"]:
                told.append((row["channel"], ["absent", "listed"] if back else ["listed", "absent"]))
                values = {"absent_since": None, "absence_told": 0} if back else {"absence_told": 1}
                self._update(row, row["channel"], **values)
        return told

    def _row(self, article: Row, channel: str) -> Row | None:
        return self._store.one(
            "select * from digests where article_id = ? and channel = ?", article["article_id"], channel
        )

    def _insert(
        self,
        article: Row,
        channel: str,
        digest: str | None,
        modified: str | None,
        at: str,
        capture_id: int,
        **more: Any,
    ) -> None:
        first = {"first_seen_at": at, "first_capture_id": capture_id, "last_seen_at": at}
        self._store.insert(
            "digests",
            article_id=article["article_id"],
            channel=channel,
            digest=digest,
            modified_at=modified,
            **first,
            **more,
        )

    def _update(self, article: Row, channel: str, **values: Any) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        self._store.query(
            f"update digests set {columns} where article_id = ? and channel = ?",
            *values.values(),
            article["article_id"],
            channel,
        )
