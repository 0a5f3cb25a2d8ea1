"""One capture as ingest handles it, and what it turns out to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archive.model import ArticleKey, Capture
from archive.outcome import Outcome
from archive.store.connection import Row
from archive.store.row_types import ArticleRow
from archive.store.rows import Store


@dataclass(frozen=True, slots=True)
class Seen:
    """A capture and the id of its row."""

    capture: Capture
    capture_id: int
    is_judged: bool = False  # its outcome was judged with others, and is to be written
    is_last: bool = False  # no capture of its article came after it
    is_compared: bool = False  # a second request has shown what is furniture
    is_addition: bool = False  # it adds a line that many other posts got too
    drift: str | None = None  # how a second reader disagrees with what `general` read
    judged_at: str | None = None  # when, if that was long after the capture

    @property
    def at(self) -> str:
        """When the site said it."""
        return self.capture.captured_at

    @property
    def learnt_at(self) -> str:
        """When the archive learnt it."""
        return self.judged_at or self.capture.recorded_at or self.capture.captured_at

    def is_older_than(self, article: ArticleRow) -> bool:
        """Whether the article has a newer capture. A crawl's answers follow the order of the evidence: where
        a clock was ahead once, the times of its captures are of no use."""
        is_answer = self.capture.source == "live" and self.capture.crawl is not None and not self.is_judged
        if is_answer or self.is_last:
            return False
        return bool(article["last_captured_at"] and self.at < article["last_captured_at"])

    def outcome(self, word: str, article: ArticleRow | None = None, **more: Any) -> Outcome:
        """What the capture turned out to be, and of which article."""
        key, article_id = (key_of(article), article["article_id"]) if article else (None, None)
        return Outcome(word, self.capture.url, self.capture.status, key, article_id=article_id, **more)

    def fail(self, store: Store, reason: str, detail: str, article: ArticleRow | None = None) -> Outcome:
        """Record that the capture could not be used; the outcome is the reason."""
        article_id = article["article_id"] if article else None
        crawl = self.capture.crawl
        store.captures.add_failure(
            self.capture.url, reason, detail, self.at, self.capture_id, crawl, article_id
        )
        return self.outcome(reason, article, detail=detail)


def key_of(article: ArticleRow | Row) -> ArticleKey:
    """The key of an article's row."""
    return ArticleKey(article["source"], article["key"])
