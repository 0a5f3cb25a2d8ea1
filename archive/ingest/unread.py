"""Answers of posts that could not be read as such: missing, refused, without text, a page of another kind."""

from __future__ import annotations

from dataclasses import replace

from archive.ingest import look_schedule
from archive.ingest.articles import Articles
from archive.ingest.channels import Channels
from archive.ingest.seen import Seen, key_of
from archive.model import APART, ArticleKey, Extract, Unextractable
from archive.outcome import MENDABLE, KnownPost, Outcome
from archive.store.row_types import ArticleRow


class Unread:
    """Writes what follows for a post of which an answer shows no text."""

    def __init__(self, articles: Articles, channels: Channels) -> None:
        self._articles = articles
        self._store = articles.store
        self._site = articles.site
        self._channels = channels

    def record_answer(self, seen: Seen, key: ArticleKey | None, why: Unextractable) -> Outcome:
        """What an answer means for its post; ``key`` is None if nobody knows which post that is."""
        if why.reason == APART:
            return seen.outcome(APART)
        article = self._store.articles.get(key) if key else None
        is_missing = why.reason in ("missing", "soft404")
        if seen.capture.channel == "sweep" and is_missing and key and key.edition and key.post_id:
            self._channels.swept(key.edition, key.post_id, seen.at)
            if article is None:
                return seen.outcome(why.reason)
        if is_missing and article is not None:
            return self._record_missing(seen, article, why)
        if seen.capture.status == 451 and why.reason == "blocked" and article and article["state"]:
            return self._articles.mark_withheld(seen, article, why.detail)
        if why.reason in ("protected", "empty") and (key := key or stated_key(why, None)):
            return self._articles.record_textless(seen, key, why)
        if article is not None and (why.reason in MENDABLE or article["state"] is not None):
            is_ours = why.reason in MENDABLE
            wait = look_schedule.UNREAD_LOOK if is_ours else look_schedule.REFUSED_LOOK
            self._articles.mark_unread(seen, article, wait)
        elif article is not None:
            self._articles.delay_refused(seen, article)
        return seen.fail(self._store, why.reason, why.detail, article)

    def _record_missing(self, seen: Seen, article: ArticleRow, why: Unextractable) -> Outcome:
        if self._is_unlisted(seen, article):
            self._articles.mark_unread(seen, article, look_schedule.REFUSED_LOOK)
            detail = f"{why.detail}, in a crawl that could not read the newest listing: it does not count"
            return seen.fail(self._store, why.reason, detail, article)
        if by_id := self._find_by_id(seen, article):
            detail = f"{why.detail} at this address: it is asked for by its number next"
            return replace(seen.fail(self._store, why.reason, detail, article), target=by_id)
        return self._articles.mark_missing(seen, article, why.reason, why.detail)

    def _find_by_id(self, seen: Seen, article: ArticleRow) -> KnownPost | None:
        """The address by id of a post that a look did not find at another: the site may spell its addresses
        otherwise now. None if that one was asked."""
        capture, key = seen.capture, key_of(article)
        is_look = capture.crawl is not None and capture.channel == "article"
        if not is_look or seen.is_judged or key.edition is None or article["state"] != "live":
            return None
        by_id = self._site.id_url(key)
        names = {by_id, self._site.article_url(key)}
        asked = (self._site.parse(url) for url in (capture.url, capture.via or ""))
        return None if any(to and to.url in names for to in asked) else KnownPost(by_id, key)

    def _is_unlisted(self, seen: Seen, article: ArticleRow) -> bool:
        """Whether the crawl asked for the newest listing of the article's edition in vain: the site is in
        trouble."""
        crawl_id = self._store.crawls.find_id(seen.capture.crawl)
        if crawl_id is None or article["state"] is None:
            return False
        asked = self._store.query(
            """select url from captures join crawls using (crawl_id)
               where captured_at >= started_at and crawl_id = ? and channel = 'home' limit 10""",
            crawl_id,
        )
        read = (
            "select 1 from listing_pages where crawl_id = ? and edition = ? and scope = 'home' and page = 1"
        )
        pages = (self._site.parse(row["url"]) for row in asked)
        is_asked = any(page is not None and page.edition == article["edition"] for page in pages)
        return is_asked and self._store.one(read, crawl_id, article["edition"]) is None


def stated_key(page: Extract | Unextractable, edition: str | None) -> ArticleKey | None:
    """The article that a page says it is."""
    return ArticleKey(page.edition or edition or "ar", str(page.post_id)) if page.post_id else None
