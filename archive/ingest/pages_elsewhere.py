"""Pages of other sites that somebody cited."""

from __future__ import annotations

from dataclasses import replace

from archive.extract.reader import Reader
from archive.ingest.articles import Articles
from archive.ingest.posts import Posts
from archive.ingest.redirects import REDIRECTS, read_location
from archive.ingest.seen import Seen, key_of
from archive.model import APART, Unextractable
from archive.outcome import OTHER, REDIRECT, KnownPost, Outcome
from archive.sites import addresses_elsewhere
from archive.store.row_types import ArticleRow


class PagesElsewhere:
    """Writes what pages of other sites say. If one is not there, or no article, nothing changes."""

    def __init__(self, articles: Articles, posts: Posts) -> None:
        self._articles = articles
        self._store = articles.store
        self._site = articles.site
        self._posts = posts

    def record_page(self, seen: Seen, reader: Reader) -> Outcome:
        """One page, or where it leads."""
        url = addresses_elsewhere.clean(seen.capture.url)
        if url is None:
            return seen.outcome(OTHER)
        if addresses_elsewhere.is_loopback(url) and not self._site.is_loopback:
            detail = "a page of this machine has no place in the archive of a real site"
            return seen.fail(self._store, OTHER, detail)
        row = self._store.articles.get_at(url)
        if seen.capture.status in REDIRECTS and (to := read_location(seen.capture)):
            return self._record_redirect(seen, to, row)
        found = reader.read(seen.capture, None)
        if isinstance(found, Unextractable):
            return (
                seen.outcome(APART)
                if found.reason == APART
                else seen.fail(self._store, found.reason, found.detail, row)
            )
        key = key_of(row) if row else addresses_elsewhere.identity(url, found.canonical_url)
        return self._posts.versions.record_text(seen, key, found)

    def _record_redirect(self, seen: Seen, to: str, row: ArticleRow | None) -> Outcome:
        target = addresses_elsewhere.clean(to)
        if target is None:
            return seen.fail(self._store, REDIRECT, f"leads to no page, but to {to[:200]}", row)
        known = self._store.articles.get_at(target)
        if known is not None and row is None:
            self._articles.add_aliases(seen, known)
        post = self._store.articles.describe(known) if known else KnownPost(target, None)
        return seen.outcome(REDIRECT, target=replace(post, url=target))
