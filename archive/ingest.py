"""The one path in: live crawl, rebuild and import all call `Ingest.capture`. It decides what a capture means and has the store write it.

Nothing here reads a clock, the network or a file: the same records in the same order give the same rows.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import traceback
from dataclasses import asdict, replace
from typing import Any

from archive import looks
from archive.compare import Text, compare, metadata_changes
from archive.coverage import Coverage
from archive.decode import Undecodable, decode_text
from archive.errors import ArchiveError
from archive.extract import extract
from archive.model import Address, ArticleKey, Capture, Claim, Extract, Kind, Line, LineKind, Listing, Unextractable
from archive.outcome import (
    CHANGED,
    LISTING,
    NEW,
    OTHER,
    PART,
    REDIRECT,
    ROBOTS,
    UNCHANGED,
    Held,
    NewVersion,
    Outcome,
)
from archive.sites.sohr.addresses import Site
from archive.sites.sohr.listings import parse_listing
from archive.sites.sohr.refusals import by_status, by_text
from archive.store import Row, Store, claims_of
from archive.text import same_sha256
from archive.warc import Position

REDIRECTS = (301, 302, 303, 307, 308)
GONE = (404, 410)
_METADATA = (
    "published_at",
    "modified_at",
    "author",
    "language",
    "canonical_url",
    "categories",
    "tags",
    "links",
    "images",
    "source_outlet",
    "source_url",
)


class Ingest:
    """Derives rows from captures and events, within a transaction of the store."""

    def __init__(self, store: Store, site: Site) -> None:
        self.store = store
        self.site = site
        self.coverage = Coverage(store)

    # -- events -------------------------------------------------------------------------------------------------------------------

    def event(self, event: dict[str, Any], at: Position) -> None:
        """Something that shaped the archive and was no exchange."""
        match event:
            case {"event": "crawl-started", "name": name, "kind": kind, "at": began, "site": home, "extractor": extractor}:
                self._begin(home, extractor)
                self.store.start_crawl(name, kind, began, event["arguments"], event["software"])
            case {
                "event": "crawl-finished",
                "name": name,
                "at": ended,
                "reason": reason,
                "exit_status": status,
                "verdict": verdict,
                "counters": counters,
            }:
                self.store.finish_crawl(name, ended, reason, status, verdict, counters)
            case {"event": "no-answer", "url": url, "error": error, "at": when, "crawl": crawl}:
                self.store.add_failure(url, "no_answer", error, when, None, crawl, None)
            case _:
                raise ValueError(f"an event of a kind this release does not know: {event.get('event')!r}")
        self.store.set_about(f"indexed:{at.serial}", str(at.offset + at.length))

    def _begin(self, home: str, extractor: str) -> None:
        """What the archive is, from its first crawl on."""
        for key, value in (("site", Site(home).name), ("home", home), ("epoch", "1"), ("extractor", extractor)):
            if self.store.about(key) is None:
                self.store.set_about(key, value)

    # -- captures -----------------------------------------------------------------------------------------------------------------

    def safely(self, capture: Capture, at: Position, look: str | None = None) -> Outcome:
        """`capture`, so that an error of ours costs what is derived from this one, never the evidence nor its neighbours."""
        try:
            with self.store.savepoint():
                return self.capture(capture, at, look)
        except (sqlite3.OperationalError, ArchiveError):
            raise
        except Exception as error:  # noqa: BLE001  # the border: whatever a page of the world makes us do wrong is kept as such, and told
            detail = "".join(traceback.format_exception(error)[-2:]).strip()
        capture_id = self.store.add_capture(capture, at, look, hashlib.sha256(capture.body).hexdigest())
        self.store.update("captures", "capture_id", capture_id, outcome="broken")
        return self._fail(capture, capture_id, "broken", detail)

    def capture(self, capture: Capture, at: Position, look: str | None = None) -> Outcome:
        """Read one exchange and write what follows from it."""
        capture = replace(capture, recorded_at=capture.recorded_at or capture.captured_at)
        digest = hashlib.sha256(capture.body).hexdigest()
        capture_id = self.store.add_capture(capture, at, look, digest)
        outcome = self._read(capture, capture_id, at, look)
        key = outcome.article
        row = self.store.article(key) if key else None
        self.store.update("captures", "capture_id", capture_id, outcome=outcome.word, article_id=row["article_id"] if row else None)
        return outcome

    def _read(self, capture: Capture, capture_id: int, at: Position, look: str | None) -> Outcome:
        address = self.site.parse(capture.url)
        if address is None or address.kind not in (Kind.ARTICLE, Kind.SLUG, Kind.LISTING, Kind.ROBOTS):
            return Outcome(OTHER, capture.url, capture.status)
        if address.kind is Kind.ROBOTS:
            return Outcome(ROBOTS, capture.url, capture.status)
        if capture.status in REDIRECTS and capture.header("location"):
            return self._redirect(capture, capture_id, address)
        if address.kind is Kind.LISTING:
            return self._listing(capture, capture_id, address)
        return self._article(capture, capture_id, address, at, look)

    def _fail(self, capture: Capture, capture_id: int, word: str, detail: str, article: Row | None = None) -> Outcome:
        article_id = article["article_id"] if article else None
        self.store.add_failure(capture.url, word, detail, capture.captured_at, capture_id, capture.crawl, article_id)
        key = ArticleKey(article["source"], article["key"]) if article else None
        return Outcome(word, capture.url, capture.status, article=key, detail=detail)

    # -- listings -----------------------------------------------------------------------------------------------------------------

    def _listing(self, capture: Capture, capture_id: int, address: Address) -> Outcome:
        if capture.status in GONE:
            self.coverage.end(capture, capture_id, address)
            return Outcome("missing", capture.url, capture.status)
        if refusal := by_status(capture):
            return self._fail(capture, capture_id, *refusal)
        if capture.truncated:
            return self._fail(capture, capture_id, "truncated", "the page was cut on its way")
        try:
            html = decode_text(capture)
        except Undecodable as error:
            return self._fail(capture, capture_id, "hostile", str(error))
        readable = 200 <= capture.status < 300
        listing = parse_listing(html, address, self.site) if readable else None
        if listing is None or not listing.sightings:
            # A page in front of the site may carry a refusal's marks and still be the site's: only one without posts is asked for them.
            refusal = by_text(capture, html) or ("listing_unread", "a listing on which no post was found")
            return self._fail(capture, capture_id, *refusal)
        held = tuple(self._sight(sighting, capture.captured_at) for sighting in listing.sightings)
        walked = self.coverage.page(capture, capture_id, address, listing, held)
        held = tuple(replace(h, in_stretch=known) for h, known in zip(held, walked, strict=True))
        return Outcome(LISTING, capture.url, capture.status, listing=listing, held=held)

    def _sight(self, sighting: Any, at: str) -> Held:
        """Write a sighting; the article is made where it is new."""
        address = self.site.parse(sighting.url)
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
        if row is None:
            self.store.add_article(key, sighting.url, at, sighting.day)
            row = self.store.article(key)
            assert row is not None  # just written
            is_new = True
        else:
            is_new = False
            if row["day"] is None and sighting.day:
                self.store.update("articles", "article_id", row["article_id"], day=sighting.day)
        if address is not None:
            self.store.alias(sighting.url, row["article_id"], at)
        self.store.sighting(row["article_id"], sighting, at)
        return self.store.held(row, is_new=is_new)

    # -- redirects ----------------------------------------------------------------------------------------------------------------

    def _redirect(self, capture: Capture, capture_id: int, address: Address) -> Outcome:
        location = capture.header("location") or ""
        target = self.site.parse(location, capture.url)
        if target is None:
            return self._fail(capture, capture_id, "redirect", f"leads off the site, to {location[:200]}")
        if address.kind is Kind.LISTING:
            return Outcome(REDIRECT, capture.url, capture.status, target=Held(target.url, None), detail=target.url)
        source = self._key(address)
        article = self.store.article(source) if source else None
        if target.kind not in (Kind.ARTICLE, Kind.SLUG):
            return self._gone(capture, capture_id, article, "redirect", "leads to a page that is no article")
        key = self._key(target)
        if key is None:
            self.store.alias(target.url, None, capture.captured_at)
            return Outcome(REDIRECT, capture.url, capture.status, article=source, target=Held(target.url, None))
        row = self.store.article(key)
        if row is None:
            self.store.add_article(key, target.url, capture.captured_at, None)
            row = self.store.article(key)
        assert row is not None  # found or just written
        if source is None or source == key:
            self._aliases(capture, row["article_id"])
            if row["state"] is None and row["url"] != target.url:
                self.store.update("articles", "article_id", row["article_id"], url=target.url)
                row = self.store.article(key) or row
        elif article is not None:
            self._moved(capture, capture_id, article, row)
        return Outcome(REDIRECT, capture.url, capture.status, article=source or key, target=self.store.held(row))

    def _moved(self, capture: Capture, capture_id: int, article: Row, target: Row) -> None:
        if article["state"] == "moved" and article["moved_to"] == target["article_id"]:
            return
        to = f"{target['source']}:{target['key']}"
        self.store.update(
            "articles",
            "article_id",
            article["article_id"],
            state="moved",
            moved_to=target["article_id"],
            next_look_at=None,
            last_captured_at=capture.captured_at,
            first_captured_at=article["first_captured_at"] or capture.captured_at,
        )
        self._change(article["article_id"], "moved", capture, capture_id, version_id=article["newest_version_id"], details={"to": to})

    def _key(self, address: Address) -> ArticleKey | None:
        return ArticleKey(address.edition, str(address.post_id)) if address.edition and address.post_id else None

    def _aliases(self, capture: Capture, article_id: int, *more: str | None) -> None:
        for url in (capture.url, capture.requested_url, *more):
            if url:
                self.store.alias(url, article_id, capture.captured_at)

    # -- articles -----------------------------------------------------------------------------------------------------------------

    def _article(self, capture: Capture, capture_id: int, address: Address, at: Position, look: str | None) -> Outcome:
        expected = self._key(address) or self._resolved(capture.url)
        article = self.store.article(expected) if expected else None
        found = extract(capture, self.site, expected)
        if isinstance(found, Unextractable):
            return self._unread(capture, capture_id, expected, article, found)
        key = expected or (ArticleKey(found.edition or address.edition or "ar", str(found.post_id)) if found.post_id else None)
        if key is None:
            return self._fail(capture, capture_id, "layout", "the page does not say which post it is")
        if address.page > 1 or found.pages > 1:
            whole = self._join(capture, capture_id, address, at, look, found, key)
            if isinstance(whole, Outcome):
                return whole
            found, capture, capture_id = whole
        return self._said(capture, capture_id, key, found)

    def _resolved(self, url: str) -> ArticleKey | None:
        row = self.store.article_at(url)
        return ArticleKey(row["source"], row["key"]) if row else None

    def _join(
        self, capture: Capture, capture_id: int, address: Address, at: Position, look: str | None, found: Extract, key: ArticleKey
    ) -> Outcome | tuple[Extract, Capture, int]:
        """Keep a page of an article in several; the whole, as of its first page, once all pages of one look are held."""
        of = look if address.page > 1 else at.record_id
        if of is None:
            return Outcome(PART, capture.url, capture.status, article=key, detail="a later page, asked for alone")
        self.store.add_part(capture_id, of, address.page, found.pages, pack(found))
        parts = self.store.parts(of)
        pages = parts[0]["pages"] if parts[0]["page"] == 1 else 0
        first = self.store.one("select * from captures where record_id = ?", of)
        if first is None or pages == 0 or [p["page"] for p in parts] != list(range(1, pages + 1)):
            missing = tuple(page_url(capture.url, n) for n in range(2, found.pages + 1)) if address.page == 1 else ()
            return Outcome(PART, capture.url, capture.status, article=key, page_urls=missing, look=of)
        extracts = [unpack(p["extract"]) for p in parts]
        whole = replace(
            extracts[0],
            lines=tuple(line for e in extracts for line in e.lines),
            links=tuple(link for e in extracts for link in e.links),
            images=tuple(dict.fromkeys(image for e in extracts for image in e.images)),
            notes=tuple(dict.fromkeys(note for e in extracts for note in e.notes)),
        )
        self.store.drop_parts(of)
        opening = replace(capture, url=first["url"], requested_url=first["requested_url"], captured_at=first["captured_at"])
        return whole, opening, first["capture_id"]

    def _unread(self, capture: Capture, capture_id: int, key: ArticleKey | None, article: Row | None, why: Unextractable) -> Outcome:
        if why.reason in ("missing", "soft404"):
            return self._gone(capture, capture_id, article, why.reason, why.detail)
        if why.reason in ("protected", "empty"):
            key = key or (ArticleKey(why.edition or "ar", str(why.post_id)) if why.post_id else None)
            if key is not None:
                return self._textless(capture, capture_id, key, why)
        if why.reason == "layout" and key is not None and article is not None and article["state"] is None:
            self.store.update(
                "articles",
                "article_id",
                article["article_id"],
                state="unreadable",
                first_captured_at=capture.captured_at,
                last_captured_at=capture.captured_at,
                next_look_at=looks.next_look(capture.captured_at, 0, str(key)),
            )
            self._change(article["article_id"], "created", capture, capture_id, details={"state": "unreadable"})
        return self._fail(capture, capture_id, why.reason, why.detail, article)

    def _textless(self, capture: Capture, capture_id: int, key: ArticleKey, why: Unextractable) -> Outcome:
        """A post behind a password, or without text: an article with that state."""
        article = self._ensure(key, capture, None)
        self._aliases(capture, article["article_id"])
        before = article["state"]
        self._looked(article, capture, why.reason, changed=before != why.reason)
        if before != why.reason:
            kind = "created" if article["first_captured_at"] is None else "metadata"
            details: dict[str, Any] = {"state": [before, why.reason]} if before else {"state": why.reason}
            version = article["newest_version_id"]
            self._change(article["article_id"], kind, capture, capture_id, version_id=version, details=details)
        return Outcome(why.reason, capture.url, capture.status, article=key, detail=why.detail)

    def _ensure(self, key: ArticleKey, capture: Capture, day: str | None) -> Row:
        row = self.store.article(key)
        if row is None:
            self.store.add_article(key, capture.url, capture.captured_at, day)
            row = self.store.article(key)
        assert row is not None  # found or just written
        return row

    def _looked(self, article: Row, capture: Capture, state: str, *, changed: bool, **more: Any) -> None:
        unchanged = 0 if changed else article["unchanged_looks"] + 1
        key = f"{article['source']}:{article['key']}"
        self.store.update(
            "articles",
            "article_id",
            article["article_id"],
            state=state,
            unchanged_looks=unchanged,
            missing_looks=0,
            missing_since=None,
            moved_to=None,
            first_captured_at=article["first_captured_at"] or capture.captured_at,
            last_captured_at=capture.captured_at,
            next_look_at=looks.next_look(capture.captured_at, unchanged, key),
            **more,
        )

    def _gone(self, capture: Capture, capture_id: int, article: Row | None, word: str, detail: str) -> Outcome:
        """A look that did not find the article: visible at once, `disappeared` after a quorum of looks."""
        if article is None:
            return self._fail(capture, capture_id, word, detail)
        before, count = article["state"], article["missing_looks"] + 1
        since = article["missing_since"] or capture.captured_at
        state = "disappeared" if before == "disappeared" or looks.is_disappeared(count, since, capture.captured_at) else "missing"
        self.store.update(
            "articles",
            "article_id",
            article["article_id"],
            state=state,
            missing_looks=count,
            missing_since=since,
            last_captured_at=capture.captured_at,
            first_captured_at=article["first_captured_at"] or capture.captured_at,
            next_look_at=looks.missing_next_look(count, capture.captured_at, f"{article['source']}:{article['key']}"),
        )
        if state != before:
            details = {"status": capture.status, "reason": word}
            self._change(article["article_id"], state, capture, capture_id, version_id=article["newest_version_id"], details=details)
        return Outcome(word, capture.url, capture.status, article=ArticleKey(article["source"], article["key"]), detail=detail)

    def _said(self, capture: Capture, capture_id: int, key: ArticleKey, found: Extract) -> Outcome:
        """The site says this text: a new version where it said something else before."""
        article = self._ensure(key, capture, found.day)
        article_id = article["article_id"]
        canonical = self.site.parse(found.canonical_url or "")
        self._aliases(capture, article_id, found.canonical_url if canonical and self._key(canonical) == key else None)
        newest = self.store.version(article["newest_version_id"])
        if article["state"] in ("missing", "disappeared", "moved") and article["first_captured_at"] and newest:
            self._change(article_id, "restored", capture, capture_id, version_id=newest["version_id"], details={"state": article["state"]})
        elif article["state"] in ("protected", "empty") and newest:
            details = {"state": [article["state"], "live"]}
            self._change(article_id, "metadata", capture, capture_id, version_id=newest["version_id"], details=details)
        more: dict[str, Any] = {"day": article["day"] or found.day}
        if canonical and canonical.kind is Kind.ARTICLE and self._key(canonical) == key and canonical.page == 1:
            more["url"] = canonical.url
        elif article["first_captured_at"] is None and capture.url != article["url"]:
            more["url"] = capture.url
        if newest is not None and newest["same_sha256"] == same_sha256(found.title, found.text):
            self._again(capture, capture_id, article_id, newest, found)
            self._looked(article, capture, "live", changed=False, **more)
            return Outcome(UNCHANGED, capture.url, capture.status, article=key)
        return self._version(capture, capture_id, key, article, newest, found, more)

    def _again(self, capture: Capture, capture_id: int, article_id: int, newest: Row, found: Extract) -> None:
        """The same text once more; other claims may have changed."""
        version_id = newest["version_id"]
        span = {"last_capture_id": capture_id, "last_captured_at": capture.captured_at, "captures": newest["captures"] + 1}
        self.store.update("versions", "version_id", version_id, **span)
        claims = claims_of(found)
        before = {name: newest[name] for name in _METADATA}
        if changed := metadata_changes(before, {name: claims[name] for name in _METADATA}):
            self.store.claims(version_id, found)
            self._terms_and_links(article_id, found)
            self._change(article_id, "metadata", capture, capture_id, version_id=version_id, details=changed)

    def _version(
        self, capture: Capture, capture_id: int, key: ArticleKey, article: Row, newest: Row | None, found: Extract, more: dict[str, Any]
    ) -> Outcome:
        article_id, number = article["article_id"], article["versions"] + 1
        version_id = self.store.add_version(article_id, number, found, capture_id, capture.captured_at)
        self._looked(article, capture, "live", changed=True, newest_version_id=version_id, versions=number, **more)
        row = self.store.version(version_id)
        assert row is not None  # just written
        self.store.index(article_id, newest, row)
        self._terms_and_links(article_id, found)
        severity = 0
        if newest is None:
            kind = "created" if article["first_captured_at"] is None else "updated"
            self._change(article_id, kind, capture, capture_id, version_id=version_id)
        else:
            kind = "updated"
            difference = compare(Text(newest["title"], newest["text"]), Text(found.title, found.text))
            severity = difference.severity
            stated = newest["modified_at"] and found.modified_at
            self._change(
                article_id,
                kind,
                capture,
                capture_id,
                version_id=version_id,
                previous_version_id=newest["version_id"],
                classes=list(difference.classes),
                severity=severity,
                figures=[asdict(f) for f in difference.figures],
                stealth=int(newest["modified_at"] == found.modified_at) if stated else None,
            )
        version = NewVersion(
            key.source,
            key.edition,
            key.post_id,
            more.get("url", article["url"]),
            number,
            kind,
            found.title,
            found.text,
            found.published_at,
            found.modified_at,
            capture.captured_at,
            severity,
            row["text_sha256"],
        )
        return Outcome(NEW if newest is None else CHANGED, capture.url, capture.status, article=key, version=version)

    def _terms_and_links(self, article_id: int, found: Extract) -> None:
        self.store.set_terms(article_id, found.categories, found.tags)
        addresses = ((url, text, self.site.parse(url)) for url, text in found.links)
        self.store.set_links(article_id, [(url, text, self._key(address) if address else None) for url, text, address in addresses])

    def _change(self, article_id: int, kind: str, capture: Capture, capture_id: int, **values: Any) -> None:
        self.store.change(article_id, kind, capture.captured_at, capture.recorded_at or capture.captured_at, capture_id=capture_id, **values)


def page_url(url: str, page: int) -> str:
    """The address of a later page of a post, from that of its first."""
    base, _, query = url.partition("?")
    return f"{base}?{query}&page={page}" if query else f"{base.rstrip('/')}/{page}/"


def pack(found: Extract) -> str:
    """An extract as JSON, for keeping until the other pages of its look are there."""
    return json.dumps(asdict(found), ensure_ascii=False)


def unpack(text: str) -> Extract:
    """The extract `pack` kept."""
    fields = json.loads(text)
    fields["lines"] = tuple(Line(line["text"], LineKind(line["kind"]), line["depth"]) for line in fields["lines"])
    fields["claims"] = tuple(Claim(**claim) for claim in fields["claims"])
    fields["links"] = tuple((url, label) for url, label in fields["links"])
    for name in ("page_urls", "categories", "tags", "images", "notes"):
        fields[name] = tuple(fields[name])
    return Extract(**fields)


__all__ = ["Ingest", "Listing", "pack", "page_url", "unpack"]
