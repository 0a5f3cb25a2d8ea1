"""Keeps apart texts that may be misread: they make no version until a person confirms the layout."""

from __future__ import annotations

from archive.extract.cross_check import GENERAL, cross_check, is_sure
from archive.ingest.articles import Articles
from archive.ingest.same_text import articles_with, describe_repeated, distrust_repeated
from archive.ingest.seen import Seen
from archive.model import Extract
from archive.outcome import DISAGREEMENT, OTHER_LAYOUT, SAME_TEXT, Outcome
from archive.store.row_types import ArticleRow
from archive.text.normalise import same_sha256

_LAST_LIVE = """select v.layout from versions v join articles a using (article_id)
    join versions n on n.version_id = a.newest_version_id where v.article_id = ? and v.number <= n.number
    and exists (select 1 from captures c where c.article_id = v.article_id and c.source = 'live'
        and c.captured_at >= v.first_captured_at
        and c.outcome in ('new', 'changed', 'unchanged', 'backfilled'))
    order by v.number desc limit 1"""


class Quarantine:
    """Decides which texts wait for a person, and keeps them."""

    def __init__(self, articles: Articles) -> None:
        self._articles = articles
        self._store = articles.store

    def keep_untrusted(self, seen: Seen, article: ArticleRow, found: Extract) -> Outcome | None:
        """Keep apart a text that would make a version and is not trusted; None if it is."""
        doubt = self._distrust(seen, article, found)
        if doubt is None:
            return None
        if doubt[0] == SAME_TEXT:
            self._retract_wall(seen, found)
        return self._articles.quarantine(seen, article, found.layout, *doubt)

    def distrust_layout(self, seen: Seen, article: ArticleRow, found: Extract) -> tuple[str, str] | None:
        """Why another layout may have misread a text: a reason and a sentence; None if it is trusted.

        A live page is measured by the last one. Others come in any order, so each is judged by itself, and a
        text that the article has is no new one.
        """
        if self._store.about(f"layout:{found.layout}"):
            return None
        article_id, is_live = article["article_id"], seen.capture.source == "live"
        if not is_live and self.has_text(article_id, found):
            return None
        if seen.drift and is_sure(found) and not self._is_stated(article, found):
            return DISAGREEMENT, seen.drift
        if is_live:
            before = self._store.one(_LAST_LIVE, article_id)
            if before is None or before["layout"] == found.layout:
                return None
            return OTHER_LAYOUT, f"layout {found.layout} reads another text than {before['layout']} did"
        # A text of `general` was checked before
        is_checked = found.layout != GENERAL and is_sure(found)
        drift = cross_check(seen.capture, found) if is_checked else None
        return (OTHER_LAYOUT, drift) if drift else None

    def has_text(self, article_id: int, found: Extract) -> bool:
        """Whether a version of an article has this title and text."""
        same = bytes.fromhex(same_sha256(found.title, found.text))
        sql = "select 1 from versions where article_id = ? and same_digest = ?"
        return self._store.one(sql, article_id, same) is not None

    def _distrust(self, seen: Seen, article: ArticleRow, found: Extract) -> tuple[str, str] | None:
        """Why a text that would make a version is not trusted: a reason and a sentence; None if it is."""
        if doubt := self.distrust_layout(seen, article, found):
            return doubt
        if article["edition"] is None:
            return None
        detail = distrust_repeated(self._store, article["article_id"], found.text, found.layout)
        return (SAME_TEXT, detail) if detail else None

    def _retract_wall(self, seen: Seen, found: Extract) -> None:
        """Take back the versions that the text made before it was recognised as one of many pages."""
        same = same_sha256("", found.text)
        for article_id in articles_with(self._store, found.text):
            rows = self._store.query(
                """select c.seq, c.version_id, v.text from changes c join versions v using (version_id)
                   where c.article_id = ? and c.kind in ('created', 'updated')
                   and not exists (select 1 from changes r where r.retracts = c.seq)""",
                article_id,
            )
            for row in rows:
                if same_sha256("", row["text"]) == same:
                    details = {"reason": describe_repeated(found.layout)}
                    ids = {"version_id": row["version_id"], "retracts": row["seq"], "details": details}
                    self._store.changes.add(article_id, "retracted", seen.at, seen.learnt_at, **ids)
            self._articles.restate(article_id)

    def _is_stated(self, article: ArticleRow, found: Extract) -> bool:
        """Whether REST or a feed has stated this very text."""
        sql = "select 1 from digests where article_id = ? and digest = ?"
        same = same_sha256(found.title, found.text)
        return self._store.one(sql, article["article_id"], same) is not None
