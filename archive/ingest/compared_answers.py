"""Compares answers for one post within minutes: what differs between them is furniture, not an edit."""

from __future__ import annotations

from archive.extract.furniture import (
    Furniture,
    Said,
    find_furniture,
    is_suspicious,
    said,
    unpack,
    without_furniture,
    without_lines,
)
from archive.extract.reread import Evidence
from archive.ingest import doubts
from archive.ingest.noise import FURNITURE, count_noise
from archive.ingest.pending import Pending
from archive.ingest.same_text import is_same
from archive.ingest.seen import Seen
from archive.model import ArticleKey, Extract, Text, Unextractable
from archive.store.connection import Row
from archive.store.packing import unpack_metadata
from archive.store.row_types import ArticleRow, VersionRow
from archive.store.rows import Store

ANSWERS_ALIKE = 3  # to requests in a crawl, after which a suspicious change is an edit
MOST_TRIES = 4  # requests in a crawl of a post's first page, to read all its pages as they are together


class ComparedAnswers:
    """Finds furniture in the answers of a crawl, and remembers it with them."""

    def __init__(self, store: Store, pending: Pending, evidence: Evidence) -> None:
        self._store = store
        self._pending = pending
        self._evidence = evidence

    def note_furniture(
        self, seen: Seen, key: ArticleKey, doubted: list[Row], before: Said, found: Extract
    ) -> bool:
        """Compare an answer with those before it, which wait for that; return whether they show furniture.

        That is written down with the answers, which wait no longer. ``before`` is the newest version's text.
        """
        pairs = [self._find_furniture(before, self._evidence.read_page(row, key), found) for row in doubted]
        if None in pairs:
            return False
        for row, pair in zip(doubted, pairs, strict=True):
            for capture_id, furniture in zip((row["capture_id"], seen.capture_id), pair or (), strict=True):
                self._store.captures.update(capture_id, furniture=furniture.pack())
            self._pending.drop(row["capture_id"])
        count_noise(self._store, key.edition, seen.at, FURNITURE)
        return True

    def without_furniture(self, seen: Seen, before: Text) -> Text:
        """The text of a version without the lines that stand where this answer has furniture."""
        furniture = self.furniture_of(seen)
        return Text(before.title, without_lines(before.text, furniture.before)) if furniture else before

    def furniture_of(self, seen: Seen) -> Furniture | None:
        """What is known as furniture in an answer."""
        [row] = self._store.query("select furniture from captures where capture_id = ?", seen.capture_id)
        return unpack(row["furniture"])

    def is_doubted(
        self, seen: Seen, article: ArticleRow, newest: VersionRow, before: Text, found: Extract
    ) -> bool:
        """Whether an edit may be furniture's doing, which a further request shows: a box that shows by chance
        the same at two requests seldom does so at three."""
        if seen.is_judged or seen.is_compared:
            return False
        alike = len(self._pending.find_doubted(seen, article))
        is_past_caches = doubts.asks_past_caches(seen.capture)
        if alike + 1 >= ANSWERS_ALIKE or (is_past_caches and (not alike or found.pages > 1)):
            return False
        if found.pages > 1:
            sql = "select count(*) from captures where url = ? and crawl_id = ?"
            [(times,)] = self._store.query(
                sql, seen.capture.url, self._store.crawls.find_id(seen.capture.crawl)
            )
            return bool(times < MOST_TRIES)
        old = said(before.text, unpack_metadata(newest)["links"])
        return is_suspicious(old, said(found.text, found.links))

    @staticmethod
    def _find_furniture(
        before: Said, page: Extract | Unextractable, found: Extract
    ) -> tuple[Furniture, Furniture] | None:
        """What is furniture in two answers, if they are of one state of the post."""
        if (
            not isinstance(page, Extract)
            or page.title != found.title
            or page.modified_at != found.modified_at
        ):
            return None
        pair = find_furniture(before, page, found)
        is_one = pair is not None and (found.pages == 1 or _are_same_but_for(pair, page, found))
        return pair if is_one else None


def _are_same_but_for(pair: tuple[Furniture, Furniture], one: Extract, other: Extract) -> bool:
    """Whether two answers differ in their furniture alone."""
    one, other = (without_furniture(found, of) for found, of in zip((one, other), pair, strict=True))
    return one.pages == other.pages and is_same(Text(one.title, one.text), other)
