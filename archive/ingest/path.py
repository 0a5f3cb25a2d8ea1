"""The one path in: live crawl, rebuild and import all call `Ingest.capture`. It decides what a capture is,
and who writes what follows.

Nothing here reads a clock or the network: the same records in the same order give the same rows.
"""

from __future__ import annotations

import sqlite3
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from archive.errors import ArchiveError, NewerArchive
from archive.extract.cross_check import CROSS_CHECK, second_opinion
from archive.extract.other_sites import extract_general
from archive.extract.page import EXTRACTOR, extract
from archive.extract.pool import Again
from archive.extract.reread import Evidence, joined, pack, unpack
from archive.html.bounds import is_heavy, is_hostile
from archive.html.decode import Undecodable, decode_text
from archive.ingest import look_schedule
from archive.ingest.articles import Articles, Seen
from archive.ingest.channels import Channels
from archive.ingest.coverage import Coverage
from archive.ingest.same_text import trust
from archive.model import APART, STOPPED, Address, ArticleKey, Capture, Extract, Kind, Sighting, Unextractable
from archive.outcome import (
    BROKEN,
    HELD_OUTCOMES,
    LISTING,
    LISTING_UNREAD,
    MOVED,
    NO_ANSWER,
    NOT_ASKED,
    NOT_MODIFIED,
    OTHER,
    PART,
    QUARANTINED,
    REDIRECT,
    ROBOTS,
    Held,
    Outcome,
)
from archive.sites import addresses_elsewhere
from archive.sites.sohr.addresses import Site
from archive.sites.wordpress.listings import parse_listing
from archive.sites.wordpress.refusals import by_status, by_text
from archive.store.rows import Row, Store
from archive.warc.gzip_members import payload_sha256
from archive.warc.reader import Position

WORTH_IT = 300  # versions: below, the processes take longer to start than they save
REREAD_AHEAD = 500  # articles whose pages are being read while earlier ones are written
REDIRECTS = (301, 302, 303, 307, 308)
GONE = (404, 410)
# Outcomes that another reading may mend: tried again when a layout is confirmed, or by a newer extractor.
MENDABLE = (QUARANTINED, "layout", LISTING_UNREAD, "mismatch", "hostile", BROKEN)
Reader = Callable[[Capture, Site, ArticleKey | None], Extract | Unextractable]


class Ingest:
    """Derives rows from captures and events, within a transaction of the store."""

    def __init__(self, store: Store, site: Site, folder: Path) -> None:
        self.store = store
        self.site = site
        self.coverage = Coverage(store, site)
        self.channels = Channels(store, site, self._sight)
        self.evidence = Evidence(folder, store.query, site)
        self.articles = Articles(store, site, self.evidence)
        self.extract: Reader = extract  # `archive.extract.pool` reads many at once
        self.second_opinion: Callable[[Capture, Extract], str | None] = second_opinion
        self.jobs = 1  # processes that read again what is held
        # What was read apart a moment ago, and is told by the next event
        self.found: Extract | Unextractable | None = None

    # -- events
    # -------------------------------------------------------------------------------------------------------------------

    def event(self, event: dict[str, Any], at: Position) -> Outcome | None:
        """Something that shaped the archive and was no exchange; the outcome of the capture it is about, if
        any. Raises NewerArchive."""
        outcome = None
        match event.get("event"):
            case "crawl-started":
                self._begin(event["site"], event["extractor"])
                self.store.start_crawl(
                    event["name"], event["kind"], event["at"], event["arguments"], event["software"]
                )
            case "crawl-finished":
                # The former where it could not tell its end
                at_end = event.get("last_sign_at") or event["at"]
                self.store.finish_crawl(
                    event["name"],
                    at_end,
                    event["reason"],
                    event["exit_status"],
                    event["verdict"],
                    event["counters"],
                )
            case "no-answer" | "not-asked" as kind:
                reason = NO_ANSWER if kind == "no-answer" else NOT_ASKED
                self.store.add_failure(
                    event["url"], reason, event["error"], event["at"], None, event["crawl"], None
                )
                if reason == NO_ANSWER:
                    self.channels.unanswered(event["url"], event["at"])
            case "cited":
                self._cited(event["urls"], event["at"])
            case "read-apart":
                outcome = self._apart(event["record_id"], event["stopped"])
            case "layout-confirmed":
                self.store.set_about(f"layout:{event['layout']}", event["at"])
                trust(self.store, event["layout"])
                self._mend(event["layout"])
            case "re-extracted":
                self._reread(event["at"])
                self._mend(None)
            case "epoch":
                pass  # read by `archive.rebuild.recover`, before anything is replayed
            case kind:
                raise NewerArchive(
                    f"{self.store.path.parent} was written by a newer release of sohr-archive (event {kind!r}): upgrade this one"
                )
        self.store.set_about(f"indexed:{at.serial}", str(at.offset + at.length))
        return outcome

    def _begin(self, home: str, extractor: str) -> None:
        """What the archive is, from its first crawl on."""
        for key, value in (
            ("site", Site(home).name),
            ("home", home),
            ("epoch", "1"),
            ("extractor", extractor),
        ):
            if self.store.about(key) is None:
                self.store.set_about(key, value)

    def _cited(self, urls: list[str], at: str) -> None:
        """Addresses somebody gave us: aliases of the articles they name, where those are held."""
        for url in urls:
            address = self.site.parse(url)
            key = _key(address) if address and address.kind is Kind.ARTICLE else None
            at_url = address.url if address else addresses_elsewhere.clean(url)
            article = self.store.article(key) if key else self.store.article_at(at_url) if at_url else None
            if article is not None and article["first_captured_at"] is not None:
                self.store.alias(url, article["article_id"], at)

    def _mend(self, layout: str | None) -> None:
        """Read once more what could not be read: all of it, or what one layout had read and was not trusted
        with."""
        marks = ", ".join("?" * len(MENDABLE))
        rows = self.store.query(
            f"select * from captures where outcome in ({marks}) and (? is null or layout = ?) order by capture_id",
            *MENDABLE,
            layout,
            layout,
        )
        for row in rows:
            capture = self.evidence.capture(row)
            self.store.drop_failure(row["capture_id"])
            outcome = self._read(
                Seen(capture, row["capture_id"]), row["record_id"], row["look"], self._in_full
            )
            self._note(row["capture_id"], outcome)

    def waiting(self) -> list[Row]:
        """Rows of captures that are to be read apart, and of which nobody has written down what came of
        it."""
        return self.store.query("select * from captures where outcome = ? order by capture_id", APART)

    def asks(self, row: Row) -> tuple[Capture, ArticleKey | None]:
        """A capture that is to be read apart, and the article that its address promises."""
        capture = self.evidence.capture(row)
        address = self.site.parse(capture.url)
        return capture, (_key(address) if address else None) or self._resolved(capture.url)

    def _apart(self, record_id: str, stopped: str | None) -> Outcome | None:
        """What came of reading a heavy page by itself: a text, as any page's, or that it had to be
        stopped."""
        row = self.store.one("select * from captures where record_id = ? and outcome = ?", record_id, APART)
        if row is None:
            return None
        seen = Seen(self.evidence.capture(row), row["capture_id"])
        read = self._in_full if stopped is None else lambda *_: Unextractable(STOPPED, stopped)
        outcome = self._guarded(seen, lambda: self._read(seen, record_id, row["look"], read))
        self._note(row["capture_id"], outcome)
        return outcome

    def _in_full(self, capture: Capture, site: Site, expected: ArticleKey | None) -> Extract | Unextractable:
        """Read a page, heavy or not: one that its record says was read in time."""
        if self.found is not None:
            return self.found
        return (
            extract(capture, site, expected, apart=True)
            if site.parse(capture.url)
            else extract_general(capture, site, apart=True)
        )

    def _reread(self, at: str) -> None:
        """Today's extractor reads every article again."""
        self.store.set_about("extractor", EXTRACTOR)
        [(count,)] = self.store.query("select count(*) from versions where extractor != ?", EXTRACTOR)
        if self.jobs == 1 or count < WORTH_IT:
            return self._reread_all(at, None)
        with Again(self.site, self.jobs) as again:
            self.evidence.again = again.extract
            try:
                self._reread_all(at, again)
            finally:
                self.evidence.again = lambda capture_id, key: None

    def _reread_all(self, at: str, again: Again | None) -> None:
        after = begun = 0  # articles that were read again, and those whose reading was begun
        while rows := self.store.query(
            "select * from articles where newest_version_id is not null and article_id > ? order by article_id limit 500",
            after,
        ):
            if again:
                begun = self._begin_rereading(again, begun, rows[-1]["article_id"] + REREAD_AHEAD)
            for row in rows:
                newest = self.store.version(row["newest_version_id"])
                assert newest is not None  # foreign keys hold it
                marker = Capture(row["url"], 0, (), b"", captured_at=at, recorded_at=at)
                self.articles.reread(Seen(marker, newest["last_capture_id"]), row)
            after = rows[-1]["article_id"]

    def _begin_rereading(self, again: Again, after: int, upto: int) -> int:
        """Let the captures under versions of these articles be read by others, that of pages of this site:
        ``upto``."""
        rows = self.store.query(
            """select c.*, a.source, a.key from versions v join articles a using (article_id) join captures c on c.capture_id = v.first_capture_id
               where a.article_id > ? and a.article_id <= ? and a.edition is not null and v.extractor != ? order by a.article_id, v.number""",
            after,
            upto,
            EXTRACTOR,
        )
        again.start(
            [
                (
                    row["capture_id"],
                    ArticleKey(row["source"], row["key"]),
                    self.evidence.path(row),
                    row["offset"],
                )
                for row in rows
            ]
        )
        return upto

    # -- captures
    # -----------------------------------------------------------------------------------------------------------------

    def safely(
        self,
        capture: Capture,
        at: Position,
        look: str | None = None,
        found: Extract | Unextractable | None = None,
    ) -> Outcome:
        """Read one exchange and write what follows; an error of ours costs what is derived from this one,
        never the evidence nor its neighbours.

        ``found``: what `extract` said of it as the page of the article it promises to be, where somebody has
        read it already.
        """
        seen = self._seen(capture, at, look)
        read = None if found is None else lambda *_: found
        outcome = self._guarded(seen, lambda: self._answered(seen, at, look, read))
        self._note(seen.capture_id, outcome)
        return outcome

    def _guarded(self, seen: Seen, read: Callable[[], Outcome]) -> Outcome:
        try:
            with self.store.savepoint():
                return read()
        except (sqlite3.OperationalError, ArchiveError):
            raise
        except Exception as error:  # noqa: BLE001  # the border: whatever a page of the world makes us do wrong is kept as such, and told
            detail = "".join(traceback.format_exception(error)[-2:]).strip()
        return self._fail(seen, BROKEN, detail)

    def _answered(self, seen: Seen, at: Position, look: str | None, read: Reader | None = None) -> Outcome:
        stands = seen.capture.status == 304 and at.original is not None
        return self._not_modified(seen) if stands else self._read(seen, at.record_id, look, read)

    def _not_modified(self, seen: Seen) -> Outcome:
        """The site stands by an answer that is held. WordPress says so from the date an author sees: no text
        is confirmed by it."""
        url = seen.capture.url
        address = self.site.parse(url)
        key = (_key(address) if address else None) or self._resolved(url)
        article = self.store.article(key) if key else None
        if article is not None and not (address and address.page > 1):
            self.articles.looked_in_vain(seen, article)
        told = self.channels.not_modified(seen.capture, address) if address else None
        return told or Outcome(
            NOT_MODIFIED, url, seen.capture.status, article=key if article is not None else None
        )

    def _seen(self, capture: Capture, at: Position, look: str | None) -> Seen:
        capture = replace(capture, recorded_at=capture.recorded_at or capture.captured_at)
        return Seen(capture, self.store.add_capture(capture, at, look, payload_sha256(capture.body)))

    def _note(self, capture_id: int, outcome: Outcome) -> None:
        row = self.store.article(outcome.article) if outcome.article else None
        self.store.update(
            "captures",
            "capture_id",
            capture_id,
            outcome=outcome.word,
            article_id=row["article_id"] if row else None,
        )

    def _read(self, seen: Seen, record_id: str, look: str | None, read: Reader | None = None) -> Outcome:
        capture = seen.capture
        address = self.site.parse(capture.url)
        if (
            address is None
            and capture.channel == addresses_elsewhere.CHANNEL
            and (url := addresses_elsewhere.clean(capture.url))
        ):
            return self._page(seen, url, read)
        if address is None or address.kind in (Kind.EMBED, Kind.OTHER):
            return Outcome(OTHER, capture.url, capture.status)
        if address.kind is Kind.ROBOTS:
            return Outcome(ROBOTS, capture.url, capture.status)
        if address.kind in (Kind.FEED, Kind.REST):
            take = self.channels.read_feed if address.kind is Kind.FEED else self.channels.read_rest
            return take(capture, seen.capture_id, address) or Outcome(OTHER, capture.url, capture.status)
        if capture.status in REDIRECTS and capture.header("location"):
            return self._redirect(seen, address)
        if address.kind is Kind.LISTING:
            return self._listing(seen, address)
        if address.kind is Kind.SITEMAP:
            return self.channels.read_sitemap(capture, seen.capture_id, address)
        return self._article(seen, address, record_id, look, read or self.extract)

    def _fail(self, seen: Seen, word: str, detail: str, article: Row | None = None) -> Outcome:
        article_id = article["article_id"] if article else None
        self.store.add_failure(
            seen.capture.url, word, detail, seen.at, seen.capture_id, seen.capture.crawl, article_id
        )
        key = ArticleKey(article["source"], article["key"]) if article else None
        return Outcome(word, seen.capture.url, seen.capture.status, article=key, detail=detail)

    # -- listings
    # -----------------------------------------------------------------------------------------------------------------

    def _listing(self, seen: Seen, address: Address) -> Outcome:
        capture = seen.capture
        if capture.status in GONE:
            self.coverage.end(capture, address)
            return self.channels.listed(capture, address, None) or Outcome(
                "missing", capture.url, capture.status
            )
        if refusal := by_status(capture):
            return self._fail(seen, *refusal)
        if capture.truncated:
            return self._fail(seen, "truncated", "the page was cut on its way")
        try:
            html = decode_text(capture)
        except Undecodable as error:
            return self._fail(seen, "hostile", str(error))
        page = html.encode("utf-8", "replace")
        if hostile := is_hostile(page) or (is_heavy(page) and "larger than any listing"):
            return self._fail(seen, "hostile", str(hostile))
        readable = 200 <= capture.status < 300
        listing = parse_listing(html, address, self.site) if readable else None
        if listing is None or not listing.sightings:
            # A page in front of the site may carry a refusal's marks and still be the site's: only one
            # without posts is asked for them.
            refusal = by_text(capture, html)
            if (
                refusal is None
                and address.scope.startswith("category/")
                and (empty := self.channels.listed(capture, address, None))
            ):
                return empty
            return self._fail(seen, *(refusal or (LISTING_UNREAD, "a listing on which no post was found")))
        held = tuple(self._sight(sighting, seen.at) for sighting in listing.sightings)
        self.channels.listed(capture, address, listing)
        if address.edition is not None:
            self.channels.categories(address.edition, listing.categories)
        passed = self.coverage.page(capture, seen.capture_id, address, listing, held)
        held = tuple(replace(h, in_stretch=known) for h, known in zip(held, passed, strict=True))
        return Outcome(LISTING, capture.url, capture.status, listing=listing, held=held)

    def _sight(self, sighting: Sighting, at: str) -> Held:
        """Write a sighting; the article is made where it is new."""
        if sighting.post_id is None or sighting.edition is None:
            row = self.store.article_at(sighting.url)
            if row is None:
                known = self.store.one("select 1 from aliases where url = ?", sighting.url) is not None
                self.store.alias(sighting.url, None, at)
                return Held(sighting.url, None, is_new=not known)
            key = ArticleKey(row["source"], row["key"])
        else:
            key = ArticleKey(sighting.edition, str(sighting.post_id))
            row = self.store.article(key)
        is_new = row is None
        if row is None:
            self.store.add_article(key, sighting.url, at, sighting.day)
            row = self.store.article(key)
            assert row is not None  # just written
        elif row["day"] is None and sighting.day:
            self.store.update("articles", "article_id", row["article_id"], day=sighting.day)
        self.store.alias(sighting.url, row["article_id"], at)
        self.store.sighting(row["article_id"], sighting, at)
        rests = row["state"] is None and (row["next_look_at"] or "") > at
        return self.store.held(row, is_new=is_new, rests=rests)

    # -- redirects
    # ----------------------------------------------------------------------------------------------------------------

    def _redirect(self, seen: Seen, address: Address) -> Outcome:
        capture = seen.capture
        location = capture.header("location") or ""
        target = self.site.parse(location, capture.url)
        if target is None:
            return self._fail(seen, REDIRECT, f"leads off the site, to {location[:200]}")
        if address.kind in (Kind.LISTING, Kind.SITEMAP):
            return Outcome(
                REDIRECT, capture.url, capture.status, target=Held(target.url, None), detail=target.url
            )
        source = _key(address)
        article = self.store.article(source) if source else None
        if target.kind not in (Kind.ARTICLE, Kind.SLUG):
            sentence = "leads to a page that is no article"
            return (
                self.articles.gone(seen, article, "missing", sentence)
                if article
                else self._fail(seen, "missing", sentence)
            )
        key = _key(target)
        if key is None:
            self.store.alias(target.url, None, seen.at)
            return Outcome(
                REDIRECT, capture.url, capture.status, article=source, target=Held(target.url, None)
            )
        row = self.store.article(key)
        if row is None:
            self.store.add_article(key, target.url, seen.at, None)
            row = self.store.article(key)
        assert row is not None  # found or just written
        if source is None or source == key:
            self.articles.alias(seen, row["article_id"])
            if row["state"] is None and row["url"] != target.url:
                self.store.update("articles", "article_id", row["article_id"], url=target.url)
                row = self.store.article(key) or row
        elif article is not None:
            self.articles.moved(seen, article, row)
            return Outcome(MOVED, capture.url, capture.status, article=source, target=self.store.held(row))
        return Outcome(
            REDIRECT, capture.url, capture.status, article=source or key, target=self.store.held(row)
        )

    # -- articles
    # -----------------------------------------------------------------------------------------------------------------

    def _article(
        self, seen: Seen, address: Address, record_id: str, look: str | None, read: Reader
    ) -> Outcome:
        expected = _key(address) or self._resolved(seen.capture.url)
        found = read(seen.capture, self.site, expected)
        if isinstance(found, Unextractable):
            return self._unread(seen, expected, found)
        key = expected or (
            ArticleKey(found.edition or address.edition or "ar", str(found.post_id))
            if found.post_id
            else None
        )
        if key is None:
            return self._fail(seen, "layout", "the page does not say which post it is")
        drift = self.second_opinion(seen.capture, found)
        if address.page > 1 or found.pages > 1:
            whole = self._join(seen, address, record_id, look, found, key)
            if isinstance(whole, Outcome):
                return whole
            seen, found = whole
        outcome = self.articles.said(seen, key, found)
        if drift:
            self._signal(seen, key, drift)
        row = self.store.article(key)
        if row is not None and seen.capture.channel == "sweep":
            self._sight(Sighting(row["url"], key.edition, key.post_id, "sweep"), seen.at)
        if row is not None and outcome.word in HELD_OUTCOMES:
            for channel, states in self.channels.digests.to_tell(row["article_id"]):
                self.articles.change(
                    seen,
                    row["article_id"],
                    "metadata",
                    version_id=row["newest_version_id"],
                    details={channel: states},
                )
        return outcome

    def _signal(self, seen: Seen, key: ArticleKey, drift: str) -> None:
        """Note that another reader finds another text: a layout may drift. The outcome stays what it is."""
        row = self.store.article(key)
        self.store.add_failure(
            seen.capture.url,
            CROSS_CHECK,
            drift,
            seen.at,
            seen.capture_id,
            seen.capture.crawl,
            row["article_id"] if row else None,
        )

    def _page(self, seen: Seen, url: str, read: Reader | None) -> Outcome:
        """A page of another site that somebody cited. One that is not there, or no article, is a failure and
        changes nothing."""
        capture = seen.capture
        if addresses_elsewhere.is_loopback(url) and not self.site.is_loopback:
            return self._fail(
                seen, OTHER, "a page of this machine has no place in the archive of a real site"
            )
        row = self.store.article_at(url)
        if capture.status in REDIRECTS and (location := capture.header("location")):
            return self._page_redirect(seen, url, location, row)
        found = read(capture, self.site, None) if read else extract_general(capture, self.site)
        if isinstance(found, Unextractable) and found.reason == APART:
            return Outcome(APART, capture.url, capture.status)
        if isinstance(found, Unextractable):
            return self._fail(seen, found.reason, found.detail, row)
        key = (
            ArticleKey(row["source"], row["key"])
            if row
            else addresses_elsewhere.identity(url, found.canonical_url)
        )
        return self.articles.said(seen, key, found)

    def _page_redirect(self, seen: Seen, url: str, location: str, row: Row | None) -> Outcome:
        target = addresses_elsewhere.clean(location, url)
        if target is None:
            return self._fail(seen, REDIRECT, f"leads to no page, but to {location[:200]}", row)
        known = self.store.article_at(target)
        if known is not None and row is None:
            self.articles.alias(seen, known["article_id"])
        held = self.store.held(known) if known else Held(target, None)
        return Outcome(REDIRECT, seen.capture.url, seen.capture.status, target=replace(held, url=target))

    def _resolved(self, url: str) -> ArticleKey | None:
        row = self.store.article_at(url)
        return ArticleKey(row["source"], row["key"]) if row else None

    def _join(
        self, seen: Seen, address: Address, record_id: str, look: str | None, found: Extract, key: ArticleKey
    ) -> Outcome | tuple[Seen, Extract]:
        """Keep a page of an article in several; the whole, as of its first page, once all pages of one look
        are held."""
        url, status = seen.capture.url, seen.capture.status
        of = look if address.page > 1 else record_id
        if of is None:
            return Outcome(PART, url, status, article=key, detail="a later page, asked for alone")
        self.store.add_part(seen.capture_id, of, address.page, found.pages, pack(found))
        parts = self.store.parts(of)
        pages = parts[0]["pages"] if parts[0]["page"] == 1 else 0
        first = self.store.one("select * from captures where record_id = ?", of)
        if first is None or pages == 0 or [p["page"] for p in parts] != list(range(1, pages + 1)):
            missing = tuple(page_url(url, n) for n in range(2, found.pages + 1)) if address.page == 1 else ()
            return Outcome(PART, url, status, article=key, page_urls=missing, look=of)
        self.store.drop_parts(of)
        opening = replace(
            seen.capture,
            url=first["url"],
            requested_url=first["requested_url"],
            captured_at=first["captured_at"],
        )
        return Seen(opening, first["capture_id"]), joined([unpack(p["extract"]) for p in parts])

    def _unread(self, seen: Seen, key: ArticleKey | None, why: Unextractable) -> Outcome:
        if why.reason == APART:
            return Outcome(APART, seen.capture.url, seen.capture.status)
        article = self.store.article(key) if key else None
        if (
            seen.capture.channel == "sweep"
            and why.reason in ("missing", "soft404")
            and key
            and key.edition
            and key.post_id
        ):
            self.channels.swept(key.edition, key.post_id, seen.at)
            if article is None:
                return Outcome(why.reason, seen.capture.url, seen.capture.status)
        if why.reason in ("missing", "soft404") and article is not None:
            return self.articles.gone(seen, article, why.reason, why.detail)
        if why.reason in ("protected", "empty"):
            key = key or (ArticleKey(why.edition or "ar", str(why.post_id)) if why.post_id else None)
            if key is not None:
                return self.articles.textless(seen, key, why)
        if article is not None and (why.reason in MENDABLE or article["state"] is not None):
            self.articles.unread(
                seen,
                article,
                look_schedule.UNREAD_LOOK if why.reason in MENDABLE else look_schedule.REFUSED_LOOK,
            )
        elif article is not None:
            self.articles.refused(seen, article)
        return self._fail(seen, why.reason, why.detail, article)


def _key(address: Address) -> ArticleKey | None:
    return ArticleKey(address.edition, str(address.post_id)) if address.edition and address.post_id else None


def page_url(url: str, page: int) -> str:
    """The address of a later page of a post, from that of its first."""
    base, _, query = url.partition("?")
    return f"{base}?{query}&page={page}" if query else f"{base.rstrip('/')}/{page}/"
