"""The one way in: a crawl, a rebuild and an import all call `Ingest.record_capture`. It decides what a
capture is, and who writes what follows.

Nothing here reads a clock or the network: the same records in the same order give the same rows.
"""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from archive.clock import format_time, parse_time
from archive.errors import ArchiveError
from archive.extract.cross_check import CROSS_CHECK, GENERAL, Check, is_beyond_checking
from archive.extract.reader import KnownReader, Reader
from archive.extract.reread import CHANGED_BETWEEN, Evidence, join_pages, pack, unpack
from archive.ingest import look_schedule
from archive.ingest.articles import Articles
from archive.ingest.channels import Channels
from archive.ingest.late_evidence import EXPLAINABLE, find_explained, settle
from archive.ingest.listed_captures import ListedCaptures
from archive.ingest.listings import Listings, record_sighting
from archive.ingest.noise import DOUBTFUL, count_noise
from archive.ingest.pending import Pending
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
from archive.ingest.served import find_new_home, learnt_homes, learnt_served
from archive.model import APART, Address, ArticleKey, Capture, Extract, Kind, Sighting, Unextractable
from archive.outcome import (
    BROKEN,
    CHANGED,
    DETOUR,
    DISAGREEMENT,
    HELD,
    INVENTED,
    LISTING,
    MENDABLE,
    NEW,
    NOT_MODIFIED,
    OTHER,
    PART,
    QUARANTINED,
    READ_OUTCOMES,
    REDIRECT,
    ROBOTS,
    KnownPost,
    Outcome,
)
from archive.sites import addresses_elsewhere
from archive.sites.sohr.addresses import Site, later_page_url
from archive.sites.wordpress.refusals import find_printed_error
from archive.store.connection import Row
from archive.store.row_types import ArticleRow
from archive.store.rows import Store
from archive.text.normalise import normalise
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

    @cached_property
    def versions(self) -> Versions:
        """Writes versions. Many crawls find none, and to compare and clean texts takes long to import."""
        from archive.ingest.versions import Versions

        return Versions(self.articles, self.evidence)

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

    def find_article(self, url: str) -> ArticleKey | None:
        """The article that an address promises, by itself or because a capture of it said so."""
        address = self.site.parse(url)
        if address and address.key:
            return address.key
        row = self.store.articles.get_at(url) or (
            self.store.articles.get_at(address.url) if address else None
        )
        return key_of(row) if row else None

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
        address, key = self.site.parse(seen.capture.url), self.find_article(seen.capture.url)
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
            url = addresses_elsewhere.clean(capture.url)
            return self._record_page_elsewhere(seen, url, reader) if url else seen.outcome(OTHER)
        if address and (served := find_new_home(self.store, self.site, seen)):
            return seen.outcome(REDIRECT, served=served, target=KnownPost(address.url, address.key))
        if address and (answer := self.channels.record_answer(capture, seen.capture_id, address)):
            return answer
        if address is None or address.kind in (Kind.EMBED, Kind.FEED, Kind.REST):
            return seen.outcome(OTHER)
        if address.kind is Kind.OTHER and self._find_promised(seen) is None:
            return seen.outcome(OTHER)
        if address.kind is Kind.ROBOTS:
            return seen.outcome(ROBOTS)
        if capture.channel == INVENTED:
            return self._record_invented(seen, address)
        if capture.status in REDIRECTS:
            return self._record_redirect(seen, address)
        if address.kind is Kind.LISTING:
            return self.listings.record_page(seen, address)
        if address.kind is Kind.SITEMAP:
            return self.channels.record_sitemap(capture, seen.capture_id, address)
        return self._record_article(seen, address, record_id, look, reader)

    # -- redirects

    def _find_next(self, capture: Capture, target: Address, to: str) -> str | None:
        """Where to ask for a page that a redirect leads to; None where that leads in a circle, or from https
        to http. Where the site insists on another spelling than the archive's, it is asked as it was
        given."""
        asked = asked_on_the_way(capture)
        served = learnt_served(self.store)
        url = served.respell(target.url, self.site.home) if served else target.url
        if capture.source != "live" or url not in asked:
            return target.url
        return None if to in asked or is_downgrade(capture, to) else to

    def _record_redirect(self, seen: Seen, address: Address) -> Outcome:
        to = read_location(seen.capture)
        target = self.site.parse(to)
        if address.kind in (Kind.LISTING, Kind.SITEMAP):
            return self._record_listing_elsewhere(seen, address, target, to)
        proof, sentence = judge_redirect(seen.capture, address, to, self.site)
        key = self._find_promised(seen)
        if target is not None and target.kind is Kind.OTHER and proof in (Proof.SAME, Proof.UNSURE):
            return self._record_unknown_place(seen, key, target, is_by_id=proof is Proof.SAME)
        if proof is Proof.MISSING or proof is Proof.DETOUR or target is None:
            reason = "missing" if proof is Proof.MISSING else DETOUR
            return self._record_unread(seen, key, Unextractable(reason, sentence))
        article = self.store.articles.get(key) if key else None
        if proof is Proof.UNSURE and key is not None:
            by_id = KnownPost(self.site.id_url(key), key)
            return replace(seen.outcome(REDIRECT, article, target=by_id, detail=sentence), article=key)
        if proof is Proof.MOVED:
            # A post that was never there, as far as public archives know, has not moved
            if article is None or (article["state"] is None and seen.capture.source != "live"):
                return seen.outcome(REDIRECT, target=KnownPost(target.url, target.key))
            return self._record_moved(seen, article, target)
        next_url = self._find_next(seen.capture, target, to)
        if next_url is None:
            why = Unextractable(DETOUR, describe_circle(seen.capture, to))
            return self._record_unread(seen, key, why)
        return self._record_same(seen, article, target, next_url)

    def _record_listing_elsewhere(
        self, seen: Seen, address: Address, target: Address | None, to: str
    ) -> Outcome:
        """A listing or sitemap leads to another one."""
        if target is None or (address.kind is Kind.LISTING and target.kind is not Kind.LISTING):
            return seen.fail(self.store, DETOUR, f"leads to {to[:200] or 'nowhere'}")
        url = self._find_next(seen.capture, target, to)
        if url is None:
            return seen.fail(self.store, DETOUR, describe_circle(seen.capture, to))
        return seen.outcome(REDIRECT, target=KnownPost(url, None), detail=target.url)

    def _record_unknown_place(
        self, seen: Seen, key: ArticleKey | None, target: Address, *, is_by_id: bool
    ) -> Outcome:
        """A post leads for good to an address of no known kind. It may be its new permalink: its page says
        so. Where another post leads there too, it is what the site shows for posts that it does not have."""
        article = self.store.articles.get(key) if key else None
        if key is None or article is None:
            return self._record_unread(seen, key, Unextractable(DETOUR, f"leads to {target.url[:200]}"))
        since = format_time(parse_time(seen.at) - timedelta(days=1))
        is_shared = self.store.one(
            """select 1 from captures where captured_at >= ? and location = ? and article_id != ?""",
            since,
            seen.capture.header("location"),
            article["article_id"],
        )
        is_own = self.find_article(target.url) == key
        if is_shared and not is_own:
            return self._record_unread(
                seen, key, Unextractable("missing", f"{NO_ARTICLE}, {target.url[:200]}")
            )
        to = KnownPost(target.url if is_own or is_by_id else self.site.id_url(key), key)
        return replace(
            seen.outcome(REDIRECT, article, target=to, detail=f"leads to {target.url}"), article=key
        )

    def _find_promised(self, seen: Seen) -> ArticleKey | None:
        """The article that an answer should be of: as its address says, or the one that was asked for and led
        there."""
        first = self.site.parse(seen.capture.requested_url or "")
        return self.find_article(seen.capture.url) or (first.key if first else None)

    def _record_invented(self, seen: Seen, address: Address) -> Outcome:
        """An address that no post has: `archive.ingest.judgement` compares its answer with those of posts."""
        is_redirect = seen.capture.status in REDIRECTS
        proof, _ = (
            judge_redirect(seen.capture, address, read_location(seen.capture), self.site)
            if is_redirect
            else (None, "")
        )
        return seen.outcome("missing" if not is_redirect or proof is Proof.MISSING else OTHER)

    def _record_moved(self, seen: Seen, article: ArticleRow, target: Address) -> Outcome:
        """The address by id leads to another post for good, unless this crawl saw the post listed."""
        assert target.key is not None  # of a post that is not this one
        listed = self.store.one(
            """select channel from sightings join crawls on crawls.name = ?
               where article_id = ? and last_seen_at >= started_at and channel != 'sweep'""",
            seen.capture.crawl,
            article["article_id"],
        )
        if listed is not None:
            why = f"leads to {target.key}, and the channel {listed['channel']} still shows the post"
            return self._record_unread(seen, key_of(article), Unextractable(DETOUR, why))
        row = self.articles.ensure(target.key, seen, url=target.url)
        return self.articles.mark_moved(seen, article, row)

    def _record_same(self, seen: Seen, article: ArticleRow | None, target: Address, next_url: str) -> Outcome:
        """Another address of a post, or one that does not say which post it is."""
        if target.key is None:
            self.store.articles.add_alias(target.url, None, seen.at)
            return seen.outcome(REDIRECT, article, target=KnownPost(next_url, None))
        row = self.articles.ensure(target.key, seen, url=target.url)
        self.articles.add_aliases(seen, row)
        if row["state"] is None and row["url"] != target.url:
            self.store.articles.update(row["article_id"], url=target.url)
            row = self.store.articles.get(target.key) or row
        to = replace(self.store.articles.describe(row), url=next_url)  # not where it was last time
        return seen.outcome(REDIRECT, row, target=to)

    # -- articles

    def _record_article(
        self, seen: Seen, address: Address, record_id: str, look: str | None, reader: Reader
    ) -> Outcome:
        found, key = self._read_post(seen, address, reader)
        if isinstance(found, Unextractable):
            return self._record_unread(seen, key, found)
        if key is None:
            return seen.fail(self.store, "layout", "the page does not say which post it is")
        if reader.is_to_be_checked(found):
            return seen.outcome(APART)
        drift = reader.cross_check(seen.capture, found)
        seen = replace(seen, drift=drift if found.layout == GENERAL else None)
        if address.page > 1 or found.pages > 1:
            whole = self._join(seen, address, record_id, look, found, key)
            if isinstance(whole, Outcome):
                return whole
            seen, found = whole
        outcome = self.versions.record_text(seen, key, found)
        row = self.store.articles.get(key)
        assert row is not None  # its text was just recorded
        if outcome.word in (NEW, HELD) and self._is_doubtful(row, found):
            count_noise(self.store, key.edition, seen.at, DOUBTFUL)
        if drift and outcome.word != QUARANTINED:  # a layout may drift; the outcome stays what it is
            seen.fail(self.store, CROSS_CHECK, drift, row)
        if seen.capture.channel == "sweep":
            record_sighting(self.store, Sighting(row["url"], key.edition, key.post_id, "sweep"), seen.at)
        if outcome.word in READ_OUTCOMES:
            for channel, states in self.channels.digests.to_tell(row["article_id"]):
                ids = {"version_id": row["newest_version_id"], "details": {channel: states}}
                self.articles.record_change(seen, row, "metadata", **ids)
        return outcome

    def _read_post(
        self, seen: Seen, address: Address, reader: Reader
    ) -> tuple[Extract | Unextractable, ArticleKey | None]:
        """What the page of a post says, and of which post it is."""
        is_known = address.kind is not Kind.OTHER
        expected = self.find_article(seen.capture.url) if is_known else self._find_promised(seen)
        # An address without an id may have led to another post in other years: the page says which it is
        is_sure = address.key is not None or seen.capture.source == "live"
        found = reader.read(seen.capture, expected if is_sure else None)
        if not is_known and seen.capture.requested_url and _is_no_post(found):
            return Unextractable("missing", f"{NO_ARTICLE}, {seen.capture.url[:200]}"), expected
        if isinstance(found, Unextractable):
            if found.reason == LISTING:  # the home page, say, for whatever is asked
                found = replace(found, reason="mismatch", detail="a listing in place of the post")
            return found, expected
        if printed := find_printed_error(f"{found.title}\n{found.text}"):
            detail = f"the text has an error message of the server: {printed[:200]}"
            return Unextractable("layout", detail), expected
        stated = _stated_key(found, address.edition)
        return found, (expected or stated) if is_sure else (stated or expected)

    def _join(
        self, seen: Seen, address: Address, record_id: str, look: str | None, found: Extract, key: ArticleKey
    ) -> Outcome | tuple[Seen, Extract]:
        """Keep a page of a post in several; the whole post, as of its first page, once all its pages are
        here."""
        of = look if address.page > 1 else record_id
        article = self.store.articles.get(key)
        part = replace(seen.outcome(PART, article), article=key)
        if of is None:
            return replace(part, detail="a later page, asked for alone")
        if address.page == 1 and article is not None and self._is_confirmed(seen, article, found):
            return replace(part, detail="the first page again, as before")
        self.store.captures.add_part(seen.capture_id, of, address.page, found.pages, pack(found))
        parts = self.store.captures.parts(of)
        pages = parts[0]["pages"] if parts[0]["page"] == 1 else 0
        first = self.store.one("select * from captures where record_id = ?", of)
        if first is None or pages == 0 or [p["page"] for p in parts] != list(range(1, pages + 1)):
            numbers = range(2, found.pages + 1) if address.page == 1 else ()
            return replace(
                part, page_urls=tuple(later_page_url(seen.capture.url, n) for n in numbers), look=of
            )
        self.store.captures.drop_parts(of)
        names = {name: first[name] for name in ("url", "requested_url", "captured_at")}
        opening = replace(seen, capture=replace(seen.capture, **names), capture_id=first["capture_id"])
        whole = join_pages([unpack(p["extract"]) for p in parts])
        return (
            self._record_unread(opening, key, whole) if isinstance(whole, Unextractable) else (opening, whole)
        )

    def _is_doubtful(self, article: ArticleRow, found: Extract) -> bool:
        """Whether nothing supports a text too short to check: neither REST nor a feed states id and title."""
        if not is_beyond_checking(found):
            return False
        titles = self.store.query(
            """select distinct json_extract(claims, '$.title') from sightings
               where article_id = ? and channel in ('rest', 'feed')""",
            article["article_id"],
        )
        is_own = found.post_id == article["post_id"]
        return not is_own or normalise(found.title) not in {normalise(row[0] or "") for row in titles}

    def _is_confirmed(self, seen: Seen, article: ArticleRow, found: Extract) -> bool:
        """Whether a first page, asked for again because the joined text had changed, says what it said.

        If not, the post changed between its pages, and this page begins another look.
        """
        first = next(iter(self.pending.find_doubted(seen, article)), None)
        if first is None:
            return False
        if self.versions.compare_again(seen, article, found):
            return True
        before = self.evidence.read_page(first, key_of(article))
        if isinstance(before, Extract) and _is_as(before, found):
            return True
        self.pending.drop(first["capture_id"])
        earlier = Seen(self.evidence.capture(first), first["capture_id"])
        why = Unextractable("truncated", CHANGED_BETWEEN, found.title)
        self.note_outcome(first["capture_id"], self._record_unread(earlier, key_of(article), why))
        return False

    def _record_unread(self, seen: Seen, key: ArticleKey | None, why: Unextractable) -> Outcome:
        if why.reason == APART:
            return seen.outcome(APART)
        article = self.store.articles.get(key) if key else None
        is_missing = why.reason in ("missing", "soft404")
        if seen.capture.channel == "sweep" and is_missing and key and key.edition and key.post_id:
            self.channels.swept(key.edition, key.post_id, seen.at)
            if article is None:
                return seen.outcome(why.reason)
        if is_missing and article is not None:
            return self._record_missing(seen, article, why)
        if seen.capture.status == 451 and why.reason == "blocked" and article and article["state"]:
            return self.articles.mark_withheld(seen, article, why.detail)
        if why.reason in ("protected", "empty") and (key := key or _stated_key(why, None)):
            return self.articles.record_textless(seen, key, why)
        if article is not None and (why.reason in MENDABLE or article["state"] is not None):
            is_ours = why.reason in MENDABLE
            wait = look_schedule.UNREAD_LOOK if is_ours else look_schedule.REFUSED_LOOK
            self.articles.mark_unread(seen, article, wait)
        elif article is not None:
            self.articles.delay_refused(seen, article)
        return seen.fail(self.store, why.reason, why.detail, article)

    def _record_missing(self, seen: Seen, article: ArticleRow, why: Unextractable) -> Outcome:
        if self._is_unlisted(seen, article):
            self.articles.mark_unread(seen, article, look_schedule.REFUSED_LOOK)
            detail = f"{why.detail}, in a crawl that could not read the newest listing: it does not count"
            return seen.fail(self.store, why.reason, detail, article)
        if by_id := self._find_by_id(seen, article):
            detail = f"{why.detail} at this address: it is asked for by its number next"
            return replace(seen.fail(self.store, why.reason, detail, article), target=by_id)
        return self.articles.mark_missing(seen, article, why.reason, why.detail)

    def _find_by_id(self, seen: Seen, article: ArticleRow) -> KnownPost | None:
        """The address by id of a post that a look did not find at another: the site may spell its addresses
        otherwise now. None if that one was asked."""
        capture, key = seen.capture, key_of(article)
        is_look = capture.crawl is not None and capture.channel == "article"
        if not is_look or seen.is_judged or key.edition is None or article["state"] != "live":
            return None
        by_id = self.site.id_url(key)
        names = {by_id, self.site.article_url(key)}
        asked = (self.site.parse(url) for url in (capture.url, capture.via or ""))
        return None if any(to and to.url in names for to in asked) else KnownPost(by_id, key)

    def _is_unlisted(self, seen: Seen, article: ArticleRow) -> bool:
        """Whether the crawl asked for the newest listing of the article's edition in vain: the site is in
        trouble."""
        crawl_id = self.store.crawls.find_id(seen.capture.crawl)
        if crawl_id is None or article["state"] is None:
            return False
        asked = self.store.query(
            """select url from captures join crawls using (crawl_id)
               where captured_at >= started_at and crawl_id = ? and channel = 'home' limit 10""",
            crawl_id,
        )
        read = (
            "select 1 from listing_pages where crawl_id = ? and edition = ? and scope = 'home' and page = 1"
        )
        pages = (self.site.parse(row["url"]) for row in asked)
        is_asked = any(page is not None and page.edition == article["edition"] for page in pages)
        return is_asked and self.store.one(read, crawl_id, article["edition"]) is None

    # -- pages of other sites

    def _record_page_elsewhere(self, seen: Seen, url: str, reader: Reader) -> Outcome:
        """A page of another site that somebody cited. If it is not there, or no article, nothing changes."""
        if addresses_elsewhere.is_loopback(url) and not self.site.is_loopback:
            detail = "a page of this machine has no place in the archive of a real site"
            return seen.fail(self.store, OTHER, detail)
        row = self.store.articles.get_at(url)
        if seen.capture.status in REDIRECTS and (to := read_location(seen.capture)):
            return self._record_redirect_elsewhere(seen, to, row)
        found = reader.read(seen.capture, None)
        if isinstance(found, Unextractable):
            return (
                seen.outcome(APART)
                if found.reason == APART
                else seen.fail(self.store, found.reason, found.detail, row)
            )
        key = key_of(row) if row else addresses_elsewhere.identity(url, found.canonical_url)
        return self.versions.record_text(seen, key, found)

    def _record_redirect_elsewhere(self, seen: Seen, to: str, row: ArticleRow | None) -> Outcome:
        target = addresses_elsewhere.clean(to)
        if target is None:
            return seen.fail(self.store, REDIRECT, f"leads to no page, but to {to[:200]}", row)
        known = self.store.articles.get_at(target)
        if known is not None and row is None:
            self.articles.add_aliases(seen, known)
        post = self.store.articles.describe(known) if known else KnownPost(target, None)
        return seen.outcome(REDIRECT, target=replace(post, url=target))


def _is_as(before: Extract, found: Extract) -> bool:
    """Whether a page says what it said, and is one of as many."""
    return all(
        getattr(before, name) == getattr(found, name) for name in ("title", "text", "modified_at", "pages")
    )


def _is_no_post(found: Extract | Unextractable) -> bool:
    """Whether a page is another than the post that led there: a listing, another post, or none at all."""
    if isinstance(found, Unextractable):
        return found.reason in (LISTING, "mismatch")
    return found.post_id is None


def _stated_key(page: Extract | Unextractable, edition: str | None) -> ArticleKey | None:
    """The article that a page says it is."""
    return ArticleKey(page.edition or edition or "ar", str(page.post_id)) if page.post_id else None
