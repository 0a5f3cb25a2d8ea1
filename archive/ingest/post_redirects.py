"""Redirects of posts and listings: followed, or written as what they say of the post that was asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from archive.clock import format_time, parse_time
from archive.ingest.articles import Articles
from archive.ingest.redirects import (
    NO_ARTICLE,
    REDIRECTS,
    Proof,
    asked_on_the_way,
    describe_circle,
    is_downgrade,
    judge_redirect,
    read_location,
)
from archive.ingest.seen import Seen, key_of
from archive.ingest.served import learnt_served
from archive.ingest.unread import Unread
from archive.model import Address, ArticleKey, Capture, Kind, Unextractable
from archive.outcome import DETOUR, OTHER, REDIRECT, KnownPost, Outcome
from archive.store.row_types import ArticleRow


class PostRedirects:
    """Writes what redirects say; `archive.ingest.redirects` judges what they prove."""

    def __init__(self, articles: Articles, unread: Unread) -> None:
        self._articles = articles
        self._store = articles.store
        self._site = articles.site
        self._unread = unread

    def record_answer(self, seen: Seen, address: Address) -> Outcome:
        """A redirect of a post, a listing or a sitemap."""
        to = read_location(seen.capture)
        target = self._site.parse(to)
        if address.kind in (Kind.LISTING, Kind.SITEMAP):
            return self._record_listing_elsewhere(seen, address, target, to)
        proof, sentence = judge_redirect(seen.capture, address, to, self._site)
        key = self._articles.find_promised(seen)
        if target is not None and target.kind is Kind.OTHER and proof in (Proof.SAME, Proof.UNSURE):
            return self._record_unknown_place(seen, key, target, is_by_id=proof is Proof.SAME)
        if proof is Proof.MISSING or proof is Proof.DETOUR or target is None:
            reason = "missing" if proof is Proof.MISSING else DETOUR
            return self._unread.record_answer(seen, key, Unextractable(reason, sentence))
        article = self._store.articles.get(key) if key else None
        if proof is Proof.UNSURE and key is not None:
            by_id = KnownPost(self._site.id_url(key), key)
            return replace(seen.outcome(REDIRECT, article, target=by_id, detail=sentence), article=key)
        if proof is Proof.MOVED:
            # A post that was never there, as far as public archives know, has not moved
            if article is None or (article["state"] is None and seen.capture.source != "live"):
                return seen.outcome(REDIRECT, target=KnownPost(target.url, target.key))
            return self._record_moved(seen, article, target)
        next_url = self._find_next(seen.capture, target, to)
        if next_url is None:
            why = Unextractable(DETOUR, describe_circle(seen.capture, to))
            return self._unread.record_answer(seen, key, why)
        return self._record_same(seen, article, target, next_url)

    def _find_next(self, capture: Capture, target: Address, to: str) -> str | None:
        """Where to ask for a page that a redirect leads to; None where that leads in a circle, or from https
        to http. Where the site insists on another spelling than the archive's, it is asked as it was
        given."""
        asked = asked_on_the_way(capture)
        served = learnt_served(self._store)
        url = served.respell(target.url, self._site.home) if served else target.url
        if capture.source != "live" or url not in asked:
            return target.url
        return None if to in asked or is_downgrade(capture, to) else to

    def _record_listing_elsewhere(
        self, seen: Seen, address: Address, target: Address | None, to: str
    ) -> Outcome:
        """A listing or sitemap leads to another one."""
        if target is None or (address.kind is Kind.LISTING and target.kind is not Kind.LISTING):
            return seen.fail(self._store, DETOUR, f"leads to {to[:200] or 'nowhere'}")
        url = self._find_next(seen.capture, target, to)
        if url is None:
            return seen.fail(self._store, DETOUR, describe_circle(seen.capture, to))
        return seen.outcome(REDIRECT, target=KnownPost(url, None), detail=target.url)

    def _record_unknown_place(
        self, seen: Seen, key: ArticleKey | None, target: Address, *, is_by_id: bool
    ) -> Outcome:
        """A post leads for good to an address of no known kind. It may be its new permalink: its page says
        so. Where another post leads there too, it is what the site shows for posts that it does not have."""
        article = self._store.articles.get(key) if key else None
        if key is None or article is None:
            why = Unextractable(DETOUR, f"leads to {target.url[:200]}")
            return self._unread.record_answer(seen, key, why)
        since = format_time(parse_time(seen.at) - timedelta(days=1))
        is_shared = self._store.one(
            """select 1 from captures where captured_at >= ? and location = ? and article_id != ?""",
            since,
            seen.capture.header("location"),
            article["article_id"],
        )
        is_own = self._articles.find_key(target.url) == key
        if is_shared and not is_own:
            why = Unextractable("missing", f"{NO_ARTICLE}, {target.url[:200]}")
            return self._unread.record_answer(seen, key, why)
        to = KnownPost(target.url if is_own or is_by_id else self._site.id_url(key), key)
        return replace(
            seen.outcome(REDIRECT, article, target=to, detail=f"leads to {target.url}"), article=key
        )

    def _record_moved(self, seen: Seen, article: ArticleRow, target: Address) -> Outcome:
        """The address by id leads to another post for good, unless this crawl saw the post listed."""
        assert target.key is not None  # of a post that is not this one
        listed = self._store.one(
            """select channel from sightings join crawls on crawls.name = ?
               where article_id = ? and last_seen_at >= started_at and channel != 'sweep'""",
            seen.capture.crawl,
            article["article_id"],
        )
        if listed is not None:
            why = f"leads to {target.key}, and the channel {listed['channel']} still shows the post"
            return self._unread.record_answer(seen, key_of(article), Unextractable(DETOUR, why))
        row = self._articles.ensure(target.key, seen, url=target.url)
        return self._articles.mark_moved(seen, article, row)

    def _record_same(self, seen: Seen, article: ArticleRow | None, target: Address, next_url: str) -> Outcome:
        """Another address of a post, or one that does not say which post it is."""
        if target.key is None:
            self._store.articles.add_alias(target.url, None, seen.at)
            return seen.outcome(REDIRECT, article, target=KnownPost(next_url, None))
        row = self._articles.ensure(target.key, seen, url=target.url)
        self._articles.add_aliases(seen, row)
        if row["state"] is None and row["url"] != target.url:
            self._store.articles.update(row["article_id"], url=target.url)
            row = self._store.articles.get(target.key) or row
        to = replace(self._store.articles.describe(row), url=next_url)  # not where it was last time
        return seen.outcome(REDIRECT, row, target=to)

    def record_invented(self, seen: Seen, address: Address) -> Outcome:
        """An address that no post has: `archive.ingest.judgement` compares its answer with those of posts."""
        is_redirect = seen.capture.status in REDIRECTS
        proof, _ = (
            judge_redirect(seen.capture, address, read_location(seen.capture), self._site)
            if is_redirect
            else (None, "")
        )
        return seen.outcome("missing" if not is_redirect or proof is Proof.MISSING else OTHER)
