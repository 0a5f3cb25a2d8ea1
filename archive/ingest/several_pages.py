"""Posts in several pages: each page waits until all are here, and the post is one text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from archive.extract.reread import CHANGED_BETWEEN, Evidence, join_pages, pack, unpack
from archive.ingest.articles import Articles
from archive.ingest.seen import Seen, key_of
from archive.ingest.unread import Unread
from archive.model import Address, ArticleKey, Extract, Unextractable
from archive.outcome import PART, Outcome
from archive.sites.sohr.addresses import later_page_url
from archive.store.row_types import ArticleRow


class SeveralPages:
    """Joins the pages of a look. ``compare_again`` is that of `archive.ingest.versions`."""

    def __init__(
        self,
        articles: Articles,
        evidence: Evidence,
        unread: Unread,
        compare_again: Callable[[Seen, ArticleRow, Extract], bool],
    ) -> None:
        self._articles = articles
        self._store = articles.store
        self._evidence = evidence
        self._unread = unread
        self._compare_again = compare_again

    def join(
        self, seen: Seen, address: Address, record_id: str, look: str | None, found: Extract, key: ArticleKey
    ) -> Outcome | tuple[Seen, Extract]:
        """Keep a page of a post in several; the whole post, as of its first page, once all its pages are
        here."""
        of = look if address.page > 1 else record_id
        article = self._store.articles.get(key)
        part = replace(seen.outcome(PART, article), article=key)
        if of is None:
            return replace(part, detail="a later page, asked for alone")
        if address.page == 1 and article is not None and self._is_confirmed(seen, article, found):
            return replace(part, detail="the first page again, as before")
        self._store.captures.add_part(seen.capture_id, of, address.page, found.pages, pack(found))
        parts = self._store.captures.parts(of)
        pages = parts[0]["pages"] if parts[0]["page"] == 1 else 0
        first = self._store.one("select * from captures where record_id = ?", of)
        if first is None or pages == 0 or [p["page"] for p in parts] != list(range(1, pages + 1)):
            numbers = range(2, found.pages + 1) if address.page == 1 else ()
            return replace(
                part, page_urls=tuple(later_page_url(seen.capture.url, n) for n in numbers), look=of
            )
        self._store.captures.drop_parts(of)
        names = {name: first[name] for name in ("url", "requested_url", "captured_at")}
        opening = replace(seen, capture=replace(seen.capture, **names), capture_id=first["capture_id"])
        whole = join_pages([unpack(p["extract"]) for p in parts])
        if isinstance(whole, Unextractable):
            return self._unread.record_answer(opening, key, whole)
        return opening, whole

    def _is_confirmed(self, seen: Seen, article: ArticleRow, found: Extract) -> bool:
        """Whether a first page, asked for again because the joined text had changed, says what it said.

        If not, the post changed between its pages, and this page begins another look.
        """
        first = next(iter(self._articles.pending.find_doubted(seen, article)), None)
        if first is None:
            return False
        if self._compare_again(seen, article, found):
            return True
        before = self._evidence.read_page(first, key_of(article))
        if isinstance(before, Extract) and _is_as(before, found):
            return True
        self._articles.pending.drop(first["capture_id"])
        earlier = Seen(self._evidence.capture(first), first["capture_id"])
        why = Unextractable("truncated", CHANGED_BETWEEN, found.title)
        outcome = self._unread.record_answer(earlier, key_of(article), why)
        self._store.captures.update(first["capture_id"], outcome=outcome.word)
        return False


def _is_as(before: Extract, found: Extract) -> bool:
    """Whether a page says what it said, and is one of as many."""
    return all(
        getattr(before, name) == getattr(found, name) for name in ("title", "text", "modified_at", "pages")
    )
