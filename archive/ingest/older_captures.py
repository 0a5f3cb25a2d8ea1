"""Captures older than those that are archived: they take their place in time, and the versions make room.

A version may begin earlier than was known, end later, or turn out to be two with another between them.
"""

from __future__ import annotations

from archive.extract.reread import Evidence
from archive.ingest.articles import Articles
from archive.ingest.quarantine import Quarantine
from archive.ingest.same_text import describe_repeated, is_repeated
from archive.ingest.seen import Seen, key_of
from archive.model import Extract
from archive.outcome import SAME_TEXT, UNCHANGED, Outcome
from archive.store.row_types import ArticleRow, VersionRow
from archive.text.normalise import same_sha256

_SEEN_SO = """select coalesce(f.capture_id, c.capture_id) as capture_id,
    coalesce(f.captured_at, c.captured_at) as captured_at
from captures c left join captures f on f.record_id = c.look where c.article_id = ?
    and coalesce(f.captured_at, c.captured_at) between ? and ?
    and c.outcome in ('new', 'changed', 'unchanged', 'backfilled') order by 2, 1"""


class OlderCaptures:
    """Writes what captures say that are older than others of their articles."""

    def __init__(self, articles: Articles, evidence: Evidence, quarantine: Quarantine) -> None:
        self._articles = articles
        self._store = articles.store
        self._evidence = evidence
        self._quarantine = quarantine

    def record_text(self, seen: Seen, article: ArticleRow, found: Extract) -> Outcome:
        """A capture older than those archived takes its place in time; the later versions move up."""
        if article["edition"] is not None and is_repeated(self._store, found.text):
            detail = describe_repeated(found.layout)
            return self._articles.quarantine(seen, article, found.layout, SAME_TEXT, detail)
        article_id = article["article_id"]
        which = "where article_id = ? and first_captured_at"
        before = self._store.versions.select(
            f"{which} <= ? order by number desc limit 1", article_id, seen.at
        )
        after = self._store.versions.select(f"{which} > ? order by number limit 1", article_id, seen.at)
        earlier, later = next(iter(before), None), next(iter(after), None)
        same = same_sha256(found.title, found.text)
        if earlier is not None and earlier["same_sha256"] == same:
            span = {}
            if seen.at >= earlier["last_captured_at"]:
                span = {"last_captured_at": seen.at, "last_capture_id": seen.capture_id}
                self._store.versions.replace_stated(earlier, found, earlier["title"])
            return self._widen(seen, article, earlier, **span)
        if doubt := self._quarantine.distrust_layout(seen, article, found):
            return self._articles.quarantine(seen, article, found.layout, *doubt)
        if earlier is not None and seen.at < earlier["last_captured_at"]:
            later = self._split(seen, article, earlier)
        elif later is not None and later["same_sha256"] == same:
            is_newest = article["newest_version_id"] == later["version_id"]
            self._open_with(article, later, found, is_newest=is_newest)
            span = {"first_captured_at": seen.at, "first_capture_id": seen.capture_id}
            return self._widen(seen, article, later, **span)
        number = later["number"] if later else (earlier["number"] + 1 if earlier else 1)
        self._store.versions.shift_numbers(article_id, number)
        row = self._store.versions.add(article_id, number, found, seen.capture_id, seen.at)
        self._store.query("update articles set versions = versions + 1 where article_id = ?", article_id)
        first = min(article["first_captured_at"] or seen.at, seen.at)
        self._store.articles.update(article_id, first_captured_at=first)
        previous = earlier["version_id"] if earlier else None
        ids = {"version_id": row["version_id"], "previous_version_id": previous}
        self._articles.record_change(seen, article, "backfilled", **ids)
        return seen.outcome("backfilled", article)

    def _widen(self, seen: Seen, article: ArticleRow, version: VersionRow, **span: object) -> Outcome:
        """One more capture of a version; ``span`` is what it moves of its first or last."""
        count = version["captures"] + 1
        self._store.versions.update(version["version_id"], captures=count, **span)
        return seen.outcome(UNCHANGED, article)

    def _open_with(
        self, article: ArticleRow, version: VersionRow, found: Extract, *, is_newest: bool
    ) -> None:
        """Let a version have the text of an earlier capture than its first, which may differ in quotation
        marks or its layout. What it states stays that of its last one."""
        versions, version_id = self._store.versions, version["version_id"]
        last = self._evidence.extract(version["last_capture_id"], key_of(article))
        is_other = versions.replace_text(version, found)
        row = versions.get(version_id)
        assert row is not None  # only its text was replaced
        if isinstance(last, Extract):
            versions.replace_stated(row, last, found.title)
        if is_other and is_newest:
            versions.index_newest(article["article_id"], version, row)

    def _split(self, seen: Seen, article: ArticleRow, version: VersionRow) -> VersionRow:
        """Split a version at an instant at which the site said something else: what was seen after it is a
        version of its own."""
        # A post in several pages is whole at its last page; the time of its look is that of its first page
        span = version["first_captured_at"], version["last_captured_at"]
        seen_so = self._store.query(_SEEN_SO, article["article_id"], *span)
        after = [row for row in seen_so if row["captured_at"] > seen.at]
        before = next((row for row in reversed(seen_so) if row["captured_at"] <= seen.at), None)
        number = version["number"] + 1
        self._store.versions.shift_numbers(article["article_id"], number)
        first, last = after[0], after[-1]
        later_id = self._store.versions.copy(
            version["version_id"],
            number=number,
            first_capture_id=first["capture_id"],
            first_captured_at=first["captured_at"],
            last_capture_id=last["capture_id"],
            last_captured_at=last["captured_at"],
            captures=len(after),
        )
        is_newest = article["newest_version_id"] == version["version_id"]
        self._store.query(
            "update articles set versions = versions + 1, newest_version_id = ? where article_id = ?",
            later_id if is_newest else article["newest_version_id"],
            article["article_id"],
        )
        self._store.versions.update(
            version["version_id"],
            last_capture_id=before["capture_id"] if before else version["first_capture_id"],
            last_captured_at=before["captured_at"] if before else version["first_captured_at"],
            captures=max(1, version["captures"] - len(after)),
        )
        key = key_of(article)
        opening = self._evidence.extract(first["capture_id"], key)
        row = self._store.versions.get(later_id)
        assert row is not None  # just written
        if isinstance(opening, Extract):
            self._open_with(article, row, opening, is_newest=is_newest)
        closing = self._evidence.extract(before["capture_id"], key) if before else None
        if isinstance(closing, Extract):
            self._store.versions.replace_stated(version, closing, version["title"])
        ids = {"version_id": later_id, "previous_version_id": version["version_id"]}
        self._articles.record_change(seen, article, "backfilled", **ids)
        return row
