"""The one way in: a crawl, a rebuild and an import all call `Ingest.record_capture`. It decides what a
capture is, and who writes what follows.

Nothing here reads a clock or the network: the same records in the same order give the same rows.
"""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from archive.errors import ArchiveError
from archive.extract.cross_check import Check
from archive.extract.reader import KnownReader, Reader
from archive.extract.reread import Evidence
from archive.ingest.articles import Articles
from archive.ingest.channels import Channels
from archive.ingest.late_evidence import EXPLAINABLE, find_explained, settle
from archive.ingest.listed_captures import ListedCaptures
from archive.ingest.listings import Listings, record_sighting
from archive.ingest.pages_elsewhere import PagesElsewhere
from archive.ingest.pending import Pending
from archive.ingest.post_redirects import PostRedirects
from archive.ingest.posts import Posts
from archive.ingest.redirects import REDIRECTS
from archive.ingest.seen import Seen
from archive.ingest.served import find_new_home, learnt_homes
from archive.ingest.unread import Unread
from archive.model import Capture, Kind
from archive.outcome import (
    BROKEN,
    CHANGED,
    DISAGREEMENT,
    INVENTED,
    NEW,
    NOT_MODIFIED,
    OTHER,
    QUARANTINED,
    REDIRECT,
    ROBOTS,
    KnownPost,
    Outcome,
)
from archive.sites import addresses_elsewhere
from archive.sites.sohr.addresses import Site
from archive.store.connection import Row
from archive.store.rows import Store
from archive.warc.gzip_members import payload_sha256
from archive.warc.reader import Position

if TYPE_CHECKING:
    from archive.ingest.versions import Versions


class Ingest:
    """Derives rows from captures, within a transaction of the store. Events are `archive.ingest.events`."""

    def __init__(self, store: Store, site: Site, folder: Path) -> None:
        self.store = store
        self.site = site
        for home in learnt_homes(store):
            site.add_home(home)
        self.reader = Reader(site)
        self.channels = Channels(store, site, lambda sighting, at: record_sighting(store, sighting, at))
        self.listings = Listings(store, site, self.channels)
        self.listed = ListedCaptures(store, site)
        self.evidence = Evidence(folder, store.query, site)
        self.pending = Pending(store)
        self.articles = Articles(store, site, self.pending)
        self._unread = Unread(self.articles, self.channels)
        self._redirects = PostRedirects(self.articles, self._unread)
        self._posts = Posts(self.articles, self.evidence, self.channels, self._unread)
        self._elsewhere = PagesElsewhere(self.articles, self._posts)

    @property
    def versions(self) -> Versions:
        """Writes versions."""
        return self._posts.versions

    def record_capture(
        self, capture: Capture, at: Position, look: str | None = None, reader: Reader | None = None
    ) -> Outcome:
        """Read one exchange and write what follows. ``reader`` may have read the page already.

        An error of ours costs what is derived from this capture, never the evidence nor other captures.
        """
        seen = self.add_capture(capture, at, look)
        is_confirmed = capture.status == 304 and at.original is not None

        def record() -> Outcome:
            if is_confirmed:
                return self._record_not_modified(seen)
            return self._record_answer(seen, at.record_id, look, reader or self.reader)

        outcome = self._settle(seen, self.record_safely(seen, record))
        if capture.service_url is not None:
            self.listed.note_capture(seen, capture.service_url)
        return outcome

    def record_again(self, row: Row, reader: Reader, *, is_judged: bool = True) -> Outcome:
        """Read a capture once more, by its row."""
        seen = Seen(self.evidence.capture(row), row["capture_id"], is_judged)
        self.store.captures.drop_failures(row["capture_id"])
        outcome = self.record_safely(
            seen, lambda: self._record_answer(seen, row["record_id"], row["look"], reader)
        )
        return self._settle(seen, outcome)

    def reader_again(self, row: Row) -> Reader:
        """Who reads a capture once more. Another release of the second reader may say otherwise: what it said
        then stands."""
        said = "select detail from failures where capture_id = ? and reason = ?"
        check = self.store.one(said, row["capture_id"], DISAGREEMENT)
        return (
            KnownReader(self.site, None, Check(check["detail"])) if check else Reader(self.site, in_full=True)
        )

    def _settle(self, seen: Seen, outcome: Outcome) -> Outcome:
        """Let what was not learnt in the order of time take its place, and read again what it explains."""
        if seen.capture.source != "live" and outcome.article_id is not None:
            is_new_text = outcome.word in (NEW, CHANGED, "backfilled")
            for capture_id in find_explained(self.articles, outcome.article_id, is_new_text=is_new_text):
                row = self.store.one("select * from captures where capture_id = ?", capture_id)
                if row is not None and (row["article_id"] is None or row["outcome"] == QUARANTINED):
                    self.record_again(row, self.reader_again(row))
            settle(self.articles, seen, outcome.article_id)
        return outcome

    def add_capture(self, capture: Capture, at: Position, look: str | None) -> Seen:
        """Write a capture's row."""
        capture = replace(capture, recorded_at=capture.recorded_at or capture.captured_at)
        return Seen(capture, self.store.captures.add(capture, at, look, payload_sha256(capture.body)))

    def note_outcome(self, capture_id: int, outcome: Outcome) -> None:
        """Write what a capture turned out to be into its row."""
        promised = None
        if outcome.article_id is None and outcome.word in EXPLAINABLE:
            address = self.site.parse(outcome.url)
            if address and address.kind in (Kind.ARTICLE, Kind.SLUG):
                promised = str(address.key or address.url)
        self.store.captures.update(
            capture_id, outcome=outcome.word, article_id=outcome.article_id, promised=promised
        )

    def record_safely(self, seen: Seen, record: Callable[[], Outcome]) -> Outcome:
        """Write what a capture says and note its outcome; an error of ours is the outcome `BROKEN`."""
        try:
            with self.store.savepoint():
                outcome = record()
        except (sqlite3.OperationalError, ArchiveError):
            raise
        except Exception as error:  # noqa: BLE001  # a page of the world met an error of ours: kept and reported
            detail = "".join(traceback.format_exception(error)[-2:]).strip()
            outcome = seen.fail(self.store, BROKEN, detail)
        self.note_outcome(seen.capture_id, outcome)
        return outcome

    def _record_not_modified(self, seen: Seen) -> Outcome:
        """The site stands by an answer that the archive has. WordPress says so from the date an author sees,
        so this confirms no text."""
        address, key = self.site.parse(seen.capture.url), self.articles.find_key(seen.capture.url)
        article = self.store.articles.get(key) if key else None
        if article is not None and not (address and address.page > 1):
            self.articles.record_not_modified(seen, article)
        answer = self.channels.not_modified(seen.capture, address) if address else None
        return answer or seen.outcome(NOT_MODIFIED, article)

    def _record_answer(self, seen: Seen, record_id: str, look: str | None, reader: Reader) -> Outcome:
        capture = seen.capture
        if answer := self.listed.record_answer(seen):
            return answer
        address = self.site.parse(capture.url)
        if address is None and capture.channel == addresses_elsewhere.CHANNEL:
            return self._elsewhere.record_page(seen, reader)
        if address and (served := find_new_home(self.store, self.site, seen)):
            return seen.outcome(REDIRECT, served=served, target=KnownPost(address.url, address.key))
        if address and (answer := self.channels.record_answer(capture, seen.capture_id, address)):
            return answer
        if address is None or address.kind in (Kind.EMBED, Kind.FEED, Kind.REST):
            return seen.outcome(OTHER)
        if address.kind is Kind.OTHER and self.articles.find_promised(seen) is None:
            return seen.outcome(OTHER)
        if address.kind is Kind.ROBOTS:
            return seen.outcome(ROBOTS)
        if capture.channel == INVENTED:
            return self._redirects.record_invented(seen, address)
        if capture.status in REDIRECTS:
            return self._redirects.record_answer(seen, address)
        if address.kind is Kind.LISTING:
            return self.listings.record_page(seen, address)
        if address.kind is Kind.SITEMAP:
            return self.channels.record_sitemap(capture, seen.capture_id, address)
        return self._posts.record_page(seen, address, record_id, look, reader)
