"""What a channel last said of an article, and what follows: nothing new, a reason to ask for the page, or a
look that is done.

A digest is compared with the last one of the same channel only. It stands for the page if our newest page was
captured after the channel first said so. A first digest, and one that came after that page, prove nothing.
Only the page makes versions; a look that a digest closes plans the next look as an unchanged page would.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from archive.ingest import look_schedule, neighbours
from archive.model import Sighting
from archive.outcome import REFUSALS, KnownPost
from archive.sites.wordpress.channels import dated_channels
from archive.store.connection import Row
from archive.store.row_types import ArticleRow
from archive.store.rows import Store


class Digests:
    """Keeps the table ``digests``; called in the order of the evidence."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(
        self, article: ArticleRow, post: KnownPost, sighting: Sighting, at: str, capture_id: int
    ) -> KnownPost:
        """Record what a channel says of an article. The `KnownPost` returned says what that means."""
        if sighting.digest is None and sighting.modified_at is None:
            return post
        row = self._row(article, sighting.channel)
        if row is None:
            differs = self._is_newer(article, sighting)
            values = (sighting.digest, sighting.modified_at, at, capture_id)
            self._insert(article, sighting.channel, *values, changes=int(differs))
            return replace(post, differs=differs)
        if at < row["last_seen_at"]:  # an import: what the channel said later is known
            return post
        back: dict[str, Any] = {}
        if row["absent_since"] and not row["absence_told"]:
            back["absent_since"] = None
        if self._is_different(row, sighting):
            return self._record_difference(article, row, post, sighting, at, capture_id, back)
        self._update(article, sighting.channel, last_seen_at=at, **back)
        if row["changes"] and not self._was_asked(article, row):
            return replace(post, differs=True)
        if sighting.digest is not None and self._is_due(article, at) and self._is_older(article, row):
            self._close(article, row, at)
            return replace(post, is_looked=True)
        return post

    @staticmethod
    def _is_different(row: Row, sighting: Sighting) -> bool:
        """Whether a channel says otherwise than before, or shows again what it did not show."""
        return (
            (sighting.digest or row["digest"]) != row["digest"]
            or (sighting.modified_at or row["modified_at"]) != row["modified_at"]
            or _is_back(row)
        )

    def _record_difference(
        self,
        article: ArticleRow,
        row: Row,
        post: KnownPost,
        sighting: Sighting,
        at: str,
        capture_id: int,
        back: dict[str, Any],
    ) -> KnownPost:
        digest, modified = sighting.digest or row["digest"], sighting.modified_at or row["modified_at"]
        # A first digest beside the same modified time is nothing new
        is_first = row["digest"] is None and digest is not None and modified == row["modified_at"]
        differs = _is_back(row) or not is_first
        self._update(
            article,
            sighting.channel,
            digest=digest,
            modified_at=modified,
            first_seen_at=at,
            first_capture_id=capture_id,
            last_seen_at=at,
            changes=row["changes"] + differs,
            **back,
        )
        return replace(post, differs=differs)

    @staticmethod
    def _is_due(article: ArticleRow, at: str) -> bool:
        """Whether a look is due that a digest may do."""
        may_look = look_schedule.by_digest(article["state"], article["unchanged_looks"])
        return may_look and article["next_look_at"] is not None and article["next_look_at"] <= at

    def _is_newer(self, article: ArticleRow, sighting: Sighting) -> bool:
        """Whether a channel that shows an article for the first time knows of a later edit than others do."""
        names = dated_channels()
        if sighting.channel not in names or sighting.modified_at is None:
            return False
        marks = ", ".join("?" * len(names))
        sql = f"select max(modified_at) from digests where article_id = ? and channel in ({marks})"
        row = self._store.one(sql, article["article_id"], *names)
        return row is not None and row[0] is not None and sighting.modified_at > row[0]

    def _is_older(self, article: ArticleRow, row: Row) -> bool:
        """Whether the channel's words are older than our newest page: by time and in the evidence."""
        version = self._store.versions.get(article["newest_version_id"])
        if version is None:
            return False
        return bool(
            row["first_capture_id"] < version["last_capture_id"]
            and row["first_seen_at"] <= version["last_captured_at"]
        )

    def _was_asked(self, article: ArticleRow, row: Row) -> bool:
        """Whether the page was answered since the channel first said what it says; a refusal is no answer."""
        marks = ", ".join("?" * len(REFUSALS))
        sql = f"""select 1 from captures where article_id = ? and capture_id > ?
                  and outcome not in ({marks}) limit 1"""
        return (
            self._store.one(sql, article["article_id"], row["first_capture_id"], *sorted(REFUSALS))
            is not None
        )

    def _close(self, article: ArticleRow, row: Row, at: str) -> None:
        unchanged = article["unchanged_looks"] + 1
        key = f"{article['source']}:{article['key']}"
        self._store.articles.update(
            article["article_id"],
            unchanged_looks=unchanged,
            next_look_at=look_schedule.next_look(at, unchanged, key),
        )
        neighbours.end_promotion(self._store, article["article_id"])
        self._update(article, row["channel"], looks=row["looks"] + 1, looked_at=at)

    # -- absence

    def absent(self, article: ArticleRow, channel: str, at: str, capture_id: int) -> None:
        """A channel that was asked for an article does not show it."""
        row = self._row(article, channel)
        if row is None:
            self._insert(article, channel, None, None, at, capture_id, absent_since=at)
        elif row["absent_since"] is None:
            self._update(article, channel, absent_since=at)

    def to_tell(self, article_id: int) -> list[tuple[str, list[str]]]:
        """Channels that do not show an article any more whose page is there, or show it again; each once."""
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

    def _row(self, article: ArticleRow, channel: str) -> Row | None:
        return self._store.one(
            "select * from digests where article_id = ? and channel = ?", article["article_id"], channel
        )

    def _insert(
        self,
        article: ArticleRow,
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

    def _update(self, article: ArticleRow | Row, channel: str, **values: Any) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        self._store.query(
            f"update digests set {columns} where article_id = ? and channel = ?",
            *values.values(),
            article["article_id"],
            channel,
        )


def _is_back(row: Row) -> bool:
    """Whether an article is shown that was reported as not shown."""
    return bool(row["absence_told"] and row["last_seen_at"] <= row["absent_since"])
