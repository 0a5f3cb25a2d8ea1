"""Listings, and the articles that channels show."""

from __future__ import annotations

from dataclasses import replace

from archive.html.bounds import is_heavy, is_hostile
from archive.html.decode import Cut, Undecodable, decode_body, decode_text, is_cut
from archive.ingest.channels import Channels
from archive.ingest.coverage import Coverage
from archive.ingest.seen import Seen, key_of
from archive.model import Address, ArticleKey, Sighting
from archive.outcome import GONE, LISTING, LISTING_UNREAD, KnownPost, Outcome
from archive.sites.sohr.addresses import Site
from archive.sites.wordpress.listings import parse_listing
from archive.sites.wordpress.refusals import by_status, by_text
from archive.store.rows import Store


def record_sighting(store: Store, sighting: Sighting, at: str) -> KnownPost:
    """Record that a channel shows an article; a new article gets its row."""
    if sighting.post_id is None or sighting.edition is None:
        row = store.articles.get_at(sighting.url)
        if row is None:
            is_known = store.one("select 1 from aliases where url = ?", sighting.url) is not None
            store.articles.add_alias(sighting.url, None, at)
            return KnownPost(sighting.url, None, is_new=not is_known)
        key = key_of(row)
    else:
        key = ArticleKey(sighting.edition, str(sighting.post_id))
        row = store.articles.get(key)
    is_new = row is None
    if row is None:
        row = store.articles.add(key, sighting.url, at, sighting.day)
    elif row["day"] is None and sighting.day:
        store.articles.update(row["article_id"], day=sighting.day)
    store.articles.add_alias(sighting.url, row["article_id"], at)
    store.articles.add_sighting(row["article_id"], sighting, at)
    is_back = row["state"] == "moved" and sighting.channel != "sweep" and (row["last_captured_at"] or "") < at
    rests = row["state"] is None and (row["next_look_at"] or "") > at
    return store.articles.describe(row, is_new=is_new, rests=rests, differs=is_back)


class Listings:
    """Reads pages of listings: home, date archives, categories."""

    def __init__(self, store: Store, site: Site, channels: Channels) -> None:
        self._store = store
        self._site = site
        self._channels = channels
        self._coverage = Coverage(store, site)

    def record_page(self, seen: Seen, address: Address) -> Outcome:
        """Record what a page of a listing shows."""
        capture = seen.capture
        if capture.status in GONE:
            self._coverage.end(capture, address)
            return self._channels.listed(capture, address, None) or seen.outcome("missing")
        if refusal := by_status(capture):
            return seen.fail(self._store, *refusal)
        try:
            body = decode_body(capture)
        except Undecodable as error:
            return seen.fail(self._store, "truncated" if isinstance(error, Cut) else "hostile", str(error))
        if is_cut(capture, body):
            return seen.fail(self._store, "truncated", "the page was cut on its way")
        html = decode_text(capture, body)
        page = html.encode("utf-8", "replace")
        if hostile := is_hostile(page) or (is_heavy(page) and "larger than any listing"):
            return seen.fail(self._store, "hostile", str(hostile))
        is_readable = 200 <= capture.status < 300
        listing = parse_listing(html, address, self._site) if is_readable else None
        if listing is None or not listing.sightings:
            return self._record_without_posts(seen, address, html)
        posts = tuple(record_sighting(self._store, sighting, seen.at) for sighting in listing.sightings)
        self._channels.listed(capture, address, listing)
        if address.edition is not None:
            self._channels.categories(address.edition, listing.categories)
        passed = self._coverage.page(capture, seen.capture_id, address, listing, posts)
        posts = tuple(
            replace(post, in_stretch=is_passed) for post, is_passed in zip(posts, passed, strict=True)
        )
        return seen.outcome(LISTING, listing=listing, posts=posts)

    def _record_without_posts(self, seen: Seen, address: Address, html: str) -> Outcome:
        # Only here, for a page of the site may carry the marks of a refusal, from what stands in front of it
        refusal = by_text(seen.capture, html)
        if refusal is None and address.scope.startswith("category/"):
            empty = self._channels.listed(seen.capture, address, None)
            if empty:
                return empty
        return seen.fail(self._store, *(refusal or (LISTING_UNREAD, "a listing on which no post was found")))
