"""The states of articles: live, missing, moved, without text, unreadable; and the rows of every look."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from archive.ingest import look_schedule
from archive.ingest.pending import MISSING, TEXTLESS, WITHHELD, Pending
from archive.ingest.pending import MOVED as MOVES
from archive.ingest.seen import Seen, key_of
from archive.model import ArticleKey, Extract, Stated, Unextractable
from archive.outcome import MOVED, QUARANTINED, Outcome
from archive.sites.sohr.addresses import Site
from archive.store.packing import unpack_metadata
from archive.store.row_types import ArticleRow
from archive.store.rows import Store


class Articles:
    """Writes articles, their aliases, terms, links and changes of state, in the order of the evidence."""

    def __init__(self, store: Store, site: Site, pending: Pending) -> None:
        self.store = store
        self.pending = pending
        self.site = site

    def ensure(
        self, key: ArticleKey, seen: Seen, day: str | None = None, url: str | None = None
    ) -> ArticleRow:
        """An article's row; a new one gets the address ``url``, or that of the capture."""
        articles = self.store.articles
        return articles.get(key) or articles.add(key, url or seen.capture.url, seen.at, day)

    def find_key(self, url: str) -> ArticleKey | None:
        """The article that an address promises, by itself or because a capture of it said so."""
        address = self.site.parse(url)
        if address and address.key:
            return address.key
        row = self.store.articles.get_at(url) or (
            self.store.articles.get_at(address.url) if address else None
        )
        return key_of(row) if row else None

    def find_promised(self, seen: Seen) -> ArticleKey | None:
        """The article that an answer should be of: as its address says, or the one that was asked for and led
        there."""
        first = self.site.parse(seen.capture.requested_url or "")
        return self.find_key(seen.capture.url) or (first.key if first else None)

    def add_aliases(self, seen: Seen, article: ArticleRow, found: Extract | None = None) -> None:
        """The addresses of a capture, and the one its page calls canonical, lead to the article."""
        urls = [seen.capture.url, seen.capture.requested_url]
        if found and found.canonical_url:
            canonical = self.site.parse(found.canonical_url)
            if canonical and canonical.key == key_of(article):
                urls.append(found.canonical_url)
        if article["edition"] is None:
            urls.append(article["key"])
        for url in filter(None, urls):
            self.store.articles.add_alias(url, article["article_id"], seen.at)

    def set_terms_and_links(self, article_id: int, stated: Stated) -> None:
        """What a version states of its article: categories, tags, and the posts it links to."""
        self.store.articles.set_terms(article_id, stated.categories, stated.tags)
        parsed = ((url, text, self.site.parse(url)) for url, text in stated.links)
        self.store.articles.set_links(
            article_id, [(url, text, to.key if to else None) for url, text, to in parsed]
        )

    def restate(self, article_id: int) -> None:
        """Terms and links of the version that stands, once others are taken back."""
        row = self.store.one(
            """select v.* from articles a join versions v on v.version_id = a.newest_version_id
               where a.article_id = ?""",
            article_id,
        )
        stated = unpack_metadata(row) if row else {}
        names = ("categories", "tags", "links")
        self.set_terms_and_links(article_id, Stated(**{name: stated.get(name, ()) for name in names}))

    def record_change(self, seen: Seen, article: ArticleRow, kind: str, **values: Any) -> None:
        """Write one row of the feed."""
        self.store.changes.add(
            article["article_id"], kind, seen.at, seen.learnt_at, capture_id=seen.capture_id, **values
        )

    def record_state(self, seen: Seen, article: ArticleRow, kind: str, state: str, **details: Any) -> None:
        """Write the change of an article's state to the feed."""
        told = {"state": [article["state"], state], **details}
        self.record_change(seen, article, kind, version_id=article["newest_version_id"], details=told)

    def record_look(
        self, article: ArticleRow, seen: Seen, state: str, *, is_changed: bool, **more: Any
    ) -> None:
        """An answer that shows the article: its state, and when to look again."""
        unchanged = 0 if is_changed else article["unchanged_looks"] + 1
        due = (
            look_schedule.next_look(seen.at, unchanged, str(key_of(article))) if article["edition"] else None
        )
        values = {
            "state": state,
            "unchanged_looks": unchanged,
            "missing_looks": 0,
            "missing_since": None,
            "moved_to": None,
            "first_captured_at": article["first_captured_at"] or seen.at,
            "last_captured_at": seen.at,
            "next_look_at": due,
        }
        self.store.articles.update(article["article_id"], **(values | more))

    def record_textless(self, seen: Seen, key: ArticleKey, why: Unextractable) -> Outcome:
        """A post behind a password, or without text: that is its state."""
        article = self.ensure(key, seen)
        self.add_aliases(seen, article)
        outcome = seen.outcome(why.reason, article, detail=why.detail)
        if seen.is_older_than(article):
            return outcome
        is_changed = article["state"] != why.reason
        details = {"reason": why.reason, "detail": why.detail}
        if is_changed and (waiting := self.pending.defer(seen, article, TEXTLESS, **details)):
            return waiting
        self.pending.drop_held(article, seen.at)
        self.record_look(article, seen, why.reason, is_changed=is_changed)
        if is_changed:
            kind = "created" if article["first_captured_at"] is None else "metadata"
            self.record_state(seen, article, kind, why.reason)
        return outcome

    def quarantine(self, seen: Seen, article: ArticleRow, layout: str, reason: str, detail: str) -> Outcome:
        """Keep a text apart that may be the theme's doing, or a wall; `sohr-archive layouts` decides."""
        self.store.captures.update(seen.capture_id, layout=layout)
        self.mark_unread(seen, article)
        return replace(seen.fail(self.store, reason, detail, article), word=QUARANTINED)

    def mark_unread(
        self, seen: Seen, article: ArticleRow, wait: timedelta = look_schedule.UNREAD_LOOK
    ) -> None:
        """An answer without a text to trust: look again after ``wait``. The evidence can be read again."""
        again = look_schedule.unread_next_look(seen.at, str(key_of(article)), wait)
        if article["state"] is None:
            self.store.articles.update(
                article["article_id"],
                state="unreadable",
                missing_looks=0,
                first_captured_at=seen.at,
                last_captured_at=seen.at,
                next_look_at=again,
            )
            self.record_state(seen, article, "created", "unreadable")
        elif article["next_look_at"] and article["next_look_at"] < again:
            self.store.articles.update(article["article_id"], next_look_at=again)

    def look_again(self, article: ArticleRow, at: str, wait: timedelta) -> None:
        """The look just recorded shows nothing of the post as it is now: look again ``wait`` later."""
        again = look_schedule.unread_next_look(at, str(key_of(article)), wait)
        values = {"next_look_at": again, "unchanged_looks": article["unchanged_looks"]}
        self.store.update("articles", "article_id", article["article_id"], **values)

    def delay_refused(self, seen: Seen, article: ArticleRow) -> None:
        """After two crawls that got only errors for a post never captured, other posts go first."""
        query = "select count(distinct crawl_id) from captures where article_id = ? or capture_id = ?"
        row = self.store.one(query, article["article_id"], seen.capture_id)
        again = look_schedule.refused_next_try(row[0] if row else 0, seen.at, str(key_of(article)))
        if again is not None:
            self.store.articles.update(article["article_id"], next_look_at=again)

    def mark_withheld(self, seen: Seen, article: ArticleRow, detail: str) -> Outcome:
        """Somebody ordered away (451) a post that was there before."""
        is_changed = article["state"] != "withheld"
        if is_changed and (waiting := self.pending.defer(seen, article, WITHHELD, detail=detail)):
            return waiting
        if not seen.is_older_than(article):
            self.pending.drop_held(article, seen.at)
            self.record_look(article, seen, "withheld", is_changed=is_changed)
            if is_changed:
                self.record_state(seen, article, "metadata", "withheld", status=seen.capture.status)
        return seen.outcome("withheld", article, detail=detail)

    def mark_missing(self, seen: Seen, article: ArticleRow, word: str, detail: str) -> Outcome:
        """A look that did not find the article: `missing` at once, `disappeared` after several looks."""
        outcome = seen.outcome(word, article, detail=detail)
        if seen.is_older_than(article):
            return outcome
        if article["state"] == "moved":  # its old address is gone; where it went to is known
            self.record_look(article, seen, "moved", is_changed=False, moved_to=article["moved_to"])
            return outcome
        before, count = article["state"], article["missing_looks"] + 1
        again = look_schedule.missing_next_look(count, seen.at, str(key_of(article)))
        if before is None:  # an id that never gave an article cannot go missing: it is asked ever more rarely
            self.store.articles.update(article["article_id"], missing_looks=count, next_look_at=again)
            return outcome
        may_wait = before not in ("missing", "disappeared") or self.pending.is_held(MISSING)
        if may_wait and (waiting := self.pending.defer(seen, article, MISSING, reason=word, detail=detail)):
            return waiting
        since = article["missing_since"] or seen.at
        is_final = before == "disappeared" or look_schedule.is_disappeared(count, since, seen.at)
        state = "disappeared" if is_final else "missing"
        self.store.articles.update(
            article["article_id"],
            state=state,
            missing_looks=count,
            missing_since=since,
            last_captured_at=seen.at,
            first_captured_at=article["first_captured_at"] or seen.at,
            next_look_at=again,
        )
        if state != before:
            self.record_state(seen, article, state, state, status=seen.capture.status, reason=word)
        return outcome

    def mark_moved(self, seen: Seen, article: ArticleRow, target: ArticleRow, **details: str) -> Outcome:
        """The article's address leads to another post for good, or that has its text now."""
        outcome = seen.outcome(MOVED, article, target=self.store.articles.describe(target))
        if seen.is_older_than(article):
            return outcome
        is_known = article["state"] == "moved" and article["moved_to"] == target["article_id"]
        if not is_known and (waiting := self.pending.defer(seen, article, MOVES, to=target["article_id"])):
            return replace(waiting, target=outcome.target)
        self.pending.drop_held(article, seen.at)
        self.record_look(article, seen, "moved", is_changed=not is_known, moved_to=target["article_id"])
        if not is_known:
            self.record_state(seen, article, "moved", "moved", to=str(key_of(target)), **details)
        return outcome

    def record_not_modified(self, seen: Seen, article: ArticleRow) -> None:
        """A look that brought a 304: only the next look moves on, as far as before, for no text was seen."""
        if seen.is_older_than(article) or article["state"] != "live":
            return
        key, unchanged = str(key_of(article)), article["unchanged_looks"]
        due = look_schedule.next_look(seen.at, unchanged, key) if article["edition"] else None
        self.store.articles.update(article["article_id"], last_captured_at=seen.at, next_look_at=due)
