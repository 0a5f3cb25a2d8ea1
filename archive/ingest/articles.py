"""What a reading of an article means for the archive: a version, the same text again, an article that is
gone, moved or without text."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from archive.compare.classes import Text, compare, metadata_changes
from archive.errors import DamagedWarc
from archive.extract.page import EXTRACTOR
from archive.extract.reread import Evidence
from archive.ingest import look_schedule, neighbours
from archive.ingest.same_text import alike, is_marked, said_by_many
from archive.model import ArticleKey, Capture, Extract, Kind, Unextractable
from archive.outcome import (
    CHANGED,
    NEW,
    OTHER_LAYOUT,
    QUARANTINED,
    SAME_TEXT,
    UNCHANGED,
    NewVersion,
    Outcome,
)
from archive.sites.sohr.addresses import Site
from archive.store.rows import Row, Store, claims_of, told_claims
from archive.text.normalise import same_sha256

METADATA = (
    "published_at", "modified_at", "author", "language", "canonical_url", "categories", "tags",
    "links", "images", "source_outlet", "source_url",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """A capture and its row."""

    capture: Capture
    capture_id: int

    @property
    def at(self) -> str:
        """When the site said it."""
        return self.capture.captured_at

    @property
    def learnt_at(self) -> str:
        """When the archive learnt it."""
        return self.capture.recorded_at or self.capture.captured_at


class Articles:
    """Writes articles, versions and changes; called by `archive.ingest.path` in the order of the evidence."""

    def __init__(self, store: Store, site: Site, evidence: Evidence) -> None:
        self.store = store
        self.site = site
        self.evidence = evidence

    # -- text
    # ---------------------------------------------------------------------------------------------------------------------

    def said(self, seen: Seen, key: ArticleKey, found: Extract) -> Outcome:
        """The site says this text: a new version where it said something else before."""
        article = self._ensure(key, seen, found.day)
        self._aliases(seen, article["article_id"], key, found)
        newest = self.store.version(article["newest_version_id"])
        if newest is not None and seen.at < newest["last_captured_at"]:
            if key.edition is not None and is_marked(self.store, found.text):
                return self.quarantine(seen, article, found, SAME_TEXT, said_by_many(found.layout))
            return self._learnt_late(seen, key, article, found)
        before = self._as_read_today(newest, key, found)
        same = before is not None and same_sha256(before.title, before.text) == same_sha256(
            found.title, found.text
        )
        if (
            newest is not None
            and not same
            and newest["layout"] != found.layout
            and not self.store.about(f"layout:{found.layout}")
        ):
            sentence = f"layout {found.layout} reads another text than {newest['layout']} did"
            return self.quarantine(seen, article, found, OTHER_LAYOUT, sentence)
        if (
            not same
            and key.edition is not None
            and (detail := alike(self.store, article["article_id"], found.text, found.layout))
        ):
            return self.quarantine(seen, article, found, SAME_TEXT, detail)
        self._back(seen, article, newest)
        more = {"day": article["day"] or found.day, "url": self._address(seen, article, key, found)}
        if newest is not None and same:
            self._again(seen, article["article_id"], newest, found)
            neighbours.looked(self.store, article["article_id"])
            self._looked(article, seen, "live", changed=False, **more)
            return Outcome(UNCHANGED, seen.capture.url, seen.capture.status, article=key)
        return self._version(seen, key, article, newest, before, found, more)

    def _as_read_today(self, newest: Row | None, key: ArticleKey, found: Extract) -> Text | None:
        """The newest version's text; read again where another release of the extractor had read it, for that
        difference is no edit."""
        if newest is None:
            return None
        text = Text(newest["title"], newest["text"])
        if newest["extractor"] == found.extractor or same_sha256(text.title, text.text) == same_sha256(
            found.title, found.text
        ):
            return text
        try:
            again = self.evidence.extract(newest["last_capture_id"], key)
        except DamagedWarc:
            return text  # `verify` names the record; the crawl goes on
        return Text(again.title, again.text) if isinstance(again, Extract) else text

    def quarantine(self, seen: Seen, article: Row, found: Extract, reason: str, detail: str) -> Outcome:
        """A text that may be the theme's doing, or a wall before the page. The evidence is kept;
        `sohr-archive layouts` decides."""
        self.store.update("captures", "capture_id", seen.capture_id, layout=found.layout)
        self.unread(seen, article)
        self.store.add_failure(
            seen.capture.url,
            reason,
            detail,
            seen.at,
            seen.capture_id,
            seen.capture.crawl,
            article["article_id"],
        )
        key = ArticleKey(article["source"], article["key"])
        return Outcome(QUARANTINED, seen.capture.url, seen.capture.status, article=key, detail=detail)

    def _back(self, seen: Seen, article: Row, newest: Row | None) -> None:
        """An article that was gone, or behind a password, and has its text again."""
        if newest is None or article["state"] == "live":
            return
        kind = "restored" if article["state"] in ("missing", "disappeared", "moved") else "metadata"
        self.change(
            seen,
            article["article_id"],
            kind,
            version_id=newest["version_id"],
            details={"state": [article["state"], "live"]},
        )

    def _address(self, seen: Seen, article: Row, key: ArticleKey, found: Extract) -> str:
        """The address an article is known by: the one its page calls canonical, else the one it was asked at
        first."""
        canonical = self.site.parse(found.canonical_url or "")
        if (
            canonical
            and canonical.kind is Kind.ARTICLE
            and (canonical.edition, str(canonical.post_id), canonical.page) == (*key_parts(key), 1)
        ):
            return canonical.url
        if key.edition is None:
            return key.key
        return str(seen.capture.url if article["first_captured_at"] is None else article["url"])

    def _again(self, seen: Seen, article_id: int, newest: Row, found: Extract) -> None:
        """The same text once more; other claims may have changed."""
        version_id = newest["version_id"]
        span = {
            "last_capture_id": seen.capture_id,
            "last_captured_at": seen.at,
            "captures": newest["captures"] + 1,
        }
        self.store.update("versions", "version_id", version_id, **span)
        claims = claims_of(found)
        before, after = (told_claims({name: row[name] for name in METADATA}) for row in (newest, claims))
        if changed := metadata_changes(before, after):
            self.store.claims(newest, found, newest["title"])
            self._terms_and_links(article_id, found)
            self.change(seen, article_id, "metadata", version_id=version_id, details=changed)

    def _version(
        self,
        seen: Seen,
        key: ArticleKey,
        article: Row,
        newest: Row | None,
        before: Text | None,
        found: Extract,
        more: dict[str, Any],
    ) -> Outcome:
        article_id, number = article["article_id"], article["versions"] + 1
        row = self.store.add_version(article_id, number, found, seen.capture_id, seen.at)
        self._looked(
            article, seen, "live", changed=True, newest_version_id=row["version_id"], versions=number, **more
        )
        self.store.index(article_id, newest, row)
        self._terms_and_links(article_id, found)
        kind, told = ("created" if article["first_captured_at"] is None else "updated"), {}
        if newest is not None and before is not None:
            kind, told = "updated", self.difference(newest, before, found)
            neighbours.promote(self.store, article, told["classes"], seen.at)
        neighbours.looked(self.store, article_id)
        self.change(seen, article_id, kind, version_id=row["version_id"], **told)
        version = NewVersion(
            source=key.source,
            edition=key.edition,
            post_id=key.post_id,
            url=more["url"],
            number=number,
            kind=kind,
            title=found.title,
            text=found.text,
            published_at=found.published_at,
            modified_at=found.modified_at,
            captured_at=seen.at,
            severity=told.get("severity", 0),
            text_sha256=row["text_sha256"],
        )
        return Outcome(
            NEW if newest is None else CHANGED,
            seen.capture.url,
            seen.capture.status,
            article=key,
            version=version,
        )

    def difference(self, newest: Row, before: Text, found: Extract) -> dict[str, Any]:
        """What an update's row in the feed says of it. Stealth: the text changed, the site's own modified
        claim did not."""
        difference = compare(before, Text(found.title, found.text))
        stated = newest["modified_at"] and found.modified_at
        return {
            "previous_version_id": newest["version_id"],
            "classes": list(difference.classes),
            "severity": difference.severity,
            "figures": [asdict(figure) for figure in difference.figures],
            "stealth": int(newest["modified_at"] == found.modified_at) if stated else None,
        }

    def _learnt_late(self, seen: Seen, key: ArticleKey, article: Row, found: Extract) -> Outcome:
        """A capture that is older than what is held: it takes its place in time, and later versions move
        up."""
        article_id = article["article_id"]
        earlier = self.store.one(
            "select * from versions where article_id = ? and first_captured_at <= ? order by number desc",
            article_id,
            seen.at,
        )
        later = self.store.one(
            "select * from versions where article_id = ? and first_captured_at > ? order by number",
            article_id,
            seen.at,
        )
        same = same_sha256(found.title, found.text)
        if earlier is not None and earlier["same_sha256"] == same:
            last = max(earlier["last_captured_at"], seen.at)
            last_id = seen.capture_id if last == seen.at else earlier["last_capture_id"]
            span = {"last_captured_at": last, "last_capture_id": last_id, "captures": earlier["captures"] + 1}
            self.store.update("versions", "version_id", earlier["version_id"], **span)
            return Outcome(UNCHANGED, seen.capture.url, seen.capture.status, article=key)
        is_later = later is not None and later["same_sha256"] == same
        if (
            earlier is not None
            and not is_later
            and earlier["layout"] != found.layout
            and not self.store.about(f"layout:{found.layout}")
        ):
            sentence = f"layout {found.layout} reads another text than {earlier['layout']} did"
            return self.quarantine(seen, article, found, OTHER_LAYOUT, sentence)
        if earlier is not None and seen.at < earlier["last_captured_at"]:
            later = self._split(seen, article_id, earlier)
        elif later is not None and later["same_sha256"] == same:
            span = {
                "first_captured_at": seen.at,
                "first_capture_id": seen.capture_id,
                "captures": later["captures"] + 1,
            }
            self.store.update("versions", "version_id", later["version_id"], **span)
            return Outcome(UNCHANGED, seen.capture.url, seen.capture.status, article=key)
        number = later["number"] if later else (earlier["number"] + 1 if earlier else 1)
        self.store.shift_versions(article_id, number)
        row = self.store.add_version(article_id, number, found, seen.capture_id, seen.at)
        article = self._ensure(key, seen, found.day)
        first = min(article["first_captured_at"] or seen.at, seen.at)
        self.store.update(
            "articles", "article_id", article_id, versions=article["versions"] + 1, first_captured_at=first
        )
        previous = earlier["version_id"] if earlier else None
        self.change(
            seen, article_id, "backfilled", version_id=row["version_id"], previous_version_id=previous
        )
        return Outcome("backfilled", seen.capture.url, seen.capture.status, article=key)

    def _split(self, seen: Seen, article_id: int, version: Row) -> Row:
        """Part a version in two at an instant at which the site said something else: what was seen after that
        is a version of its own."""
        # When a post in several pages was read whole is noted at the last of them; the look is its first
        # one's.
        seen_so = self.store.query(
            """select coalesce(f.capture_id, c.capture_id) as capture_id, coalesce(f.captured_at, c.captured_at) as captured_at
               from captures c left join captures f on f.record_id = c.look where c.article_id = ? and coalesce(f.captured_at, c.captured_at)
               between ? and ? and c.outcome in ('new', 'changed', 'unchanged', 'backfilled') order by 2, 1""",
            article_id,
            version["first_captured_at"],
            version["last_captured_at"],
        )
        after = [row for row in seen_so if row["captured_at"] > seen.at]
        before = next((row for row in reversed(seen_so) if row["captured_at"] <= seen.at), None)
        number = version["number"] + 1
        self.store.shift_versions(article_id, number)
        first, last = after[0], after[-1]
        later_id = self.store.copy_version(
            version["version_id"],
            number=number,
            first_capture_id=first["capture_id"],
            first_captured_at=first["captured_at"],
            last_capture_id=last["capture_id"],
            last_captured_at=last["captured_at"],
            captures=len(after),
        )
        article = self.store.one(
            "select versions, newest_version_id from articles where article_id = ?", article_id
        )
        assert article is not None  # it has versions
        newest = (
            later_id
            if article["newest_version_id"] == version["version_id"]
            else article["newest_version_id"]
        )
        self.store.update(
            "articles", "article_id", article_id, versions=article["versions"] + 1, newest_version_id=newest
        )
        end = before or {
            "capture_id": version["first_capture_id"],
            "captured_at": version["first_captured_at"],
        }
        span = {
            "last_capture_id": end["capture_id"],
            "last_captured_at": end["captured_at"],
            "captures": max(1, version["captures"] - len(after)),
        }
        self.store.update("versions", "version_id", version["version_id"], **span)
        row = self.store.version(later_id)
        assert row is not None  # just written
        self.change(
            seen, article_id, "backfilled", version_id=later_id, previous_version_id=version["version_id"]
        )
        return row

    # -- no text
    # ------------------------------------------------------------------------------------------------------------------

    def textless(self, seen: Seen, key: ArticleKey, why: Unextractable) -> Outcome:
        """A post behind a password, or without text: an article with that state."""
        article = self._ensure(key, seen, None)
        self._aliases(seen, article["article_id"], key, None)
        outcome = Outcome(why.reason, seen.capture.url, seen.capture.status, article=key, detail=why.detail)
        if self._is_old(article, seen):
            return outcome
        before = article["state"]
        self._looked(article, seen, why.reason, changed=before != why.reason)
        if before != why.reason:
            kind = "created" if article["first_captured_at"] is None else "metadata"
            details: dict[str, Any] = {"state": [before, why.reason]}
            self.change(
                seen, article["article_id"], kind, version_id=article["newest_version_id"], details=details
            )
        return outcome

    def unread(self, seen: Seen, article: Row, wait: timedelta = look_schedule.UNREAD_LOOK) -> None:
        """A capture of an article that gives no text to trust. It is asked for again, but not with every
        crawl: the evidence can be read again."""
        again = look_schedule.unread_next_look(seen.at, f"{article['source']}:{article['key']}", wait)
        if article["state"] is not None:
            if article["next_look_at"] and article["next_look_at"] < again:
                self.store.update("articles", "article_id", article["article_id"], next_look_at=again)
            return
        first = {
            "state": "unreadable",
            "first_captured_at": seen.at,
            "last_captured_at": seen.at,
            "next_look_at": again,
        }
        self.store.update("articles", "article_id", article["article_id"], **first)
        self.change(seen, article["article_id"], "created", details={"state": [None, "unreadable"]})

    def refused(self, seen: Seen, article: Row) -> None:
        """An answer that is no page of a post never captured before: after the second crawl that got such, it
        lets others go first."""
        query = "select count(distinct crawl_id) from captures where article_id = ? or capture_id = ?"
        row = self.store.one(query, article["article_id"], seen.capture_id)
        again = look_schedule.refused_next_try(
            row[0] if row else 0, seen.at, f"{article['source']}:{article['key']}"
        )
        if again is not None:
            self.store.update("articles", "article_id", article["article_id"], next_look_at=again)

    def gone(self, seen: Seen, article: Row, word: str, detail: str) -> Outcome:
        """A look that did not find the article: visible at once, `disappeared` after a quorum of looks."""
        key = ArticleKey(article["source"], article["key"])
        outcome = Outcome(word, seen.capture.url, seen.capture.status, article=key, detail=detail)
        if self._is_old(article, seen) or article["state"] == "moved":
            return outcome
        before, count = article["state"], article["missing_looks"] + 1
        since = article["missing_since"] or seen.at
        state = (
            "disappeared"
            if before == "disappeared" or look_schedule.is_disappeared(count, since, seen.at)
            else "missing"
        )
        self.store.update(
            "articles",
            "article_id",
            article["article_id"],
            state=state,
            missing_looks=count,
            missing_since=since,
            last_captured_at=seen.at,
            first_captured_at=article["first_captured_at"] or seen.at,
            next_look_at=look_schedule.missing_next_look(count, seen.at, str(key)),
        )
        if state != before:
            details = {"state": [before, state], "status": seen.capture.status, "reason": word}
            self.change(
                seen, article["article_id"], state, version_id=article["newest_version_id"], details=details
            )
        return outcome

    def moved(self, seen: Seen, article: Row, target: Row) -> None:
        """The article's address leads to another post for good."""
        if self._is_old(article, seen) or (
            article["state"] == "moved" and article["moved_to"] == target["article_id"]
        ):
            return
        self.store.update(
            "articles",
            "article_id",
            article["article_id"],
            state="moved",
            moved_to=target["article_id"],
            next_look_at=None,
            last_captured_at=seen.at,
            first_captured_at=article["first_captured_at"] or seen.at,
        )
        details = {"state": [article["state"], "moved"], "to": f"{target['source']}:{target['key']}"}
        self.change(
            seen, article["article_id"], "moved", version_id=article["newest_version_id"], details=details
        )

    def looked_in_vain(self, seen: Seen, article: Row) -> None:
        """A look that brought a 304: the next one moves on, as far as before; version, count of looks and
        state stay, for no text was seen."""
        if self._is_old(article, seen) or article["state"] != "live":
            return
        key = f"{article['source']}:{article['key']}"
        due = (
            look_schedule.next_look(seen.at, article["unchanged_looks"], key) if article["edition"] else None
        )
        self.store.update(
            "articles", "article_id", article["article_id"], last_captured_at=seen.at, next_look_at=due
        )

    # -- what these share
    # ---------------------------------------------------------------------------------------------------------

    def change(self, seen: Seen, article_id: int, kind: str, **values: Any) -> None:
        """One row in the feed."""
        self.store.change(article_id, kind, seen.at, seen.learnt_at, capture_id=seen.capture_id, **values)

    def alias(self, seen: Seen, article_id: int) -> None:
        """The addresses of a capture lead to an article."""
        for url in (seen.capture.url, seen.capture.requested_url):
            if url:
                self.store.alias(url, article_id, seen.at)

    def _aliases(self, seen: Seen, article_id: int, key: ArticleKey, found: Extract | None) -> None:
        self.alias(seen, article_id)
        canonical = self.site.parse(found.canonical_url or "") if found else None
        if (
            found
            and found.canonical_url
            and canonical
            and (canonical.edition, str(canonical.post_id)) == key_parts(key)
        ):
            self.store.alias(found.canonical_url, article_id, seen.at)
        if key.edition is None:
            self.store.alias(key.key, article_id, seen.at)

    def _ensure(self, key: ArticleKey, seen: Seen, day: str | None) -> Row:
        row = self.store.article(key)
        if row is None:
            self.store.add_article(key, seen.capture.url, seen.at, day)
            row = self.store.article(key)
        assert row is not None  # found or just written
        return row

    def _is_old(self, article: Row, seen: Seen) -> bool:
        return bool(article["last_captured_at"] and seen.at < article["last_captured_at"])

    def _looked(self, article: Row, seen: Seen, state: str, *, changed: bool, **more: Any) -> None:
        unchanged = 0 if changed else article["unchanged_looks"] + 1
        self.store.update(
            "articles",
            "article_id",
            article["article_id"],
            state=state,
            unchanged_looks=unchanged,
            missing_looks=0,
            missing_since=None,
            moved_to=None,
            first_captured_at=article["first_captured_at"] or seen.at,
            last_captured_at=seen.at,
            next_look_at=look_schedule.next_look(seen.at, unchanged, f"{article['source']}:{article['key']}")
            if article["edition"]
            else None,
            **more,
        )

    def _terms_and_links(self, article_id: int, found: Extract) -> None:
        self.store.set_terms(article_id, found.categories, found.tags)
        addresses = ((url, text, self.site.parse(url)) for url, text in found.links)
        keyed = (
            (url, text, a and a.edition and a.post_id and ArticleKey(a.edition, str(a.post_id)))
            for url, text, a in addresses
        )
        self.store.set_links(article_id, [(url, text, key or None) for url, text, key in keyed])

    # -- reading again
    # ------------------------------------------------------------------------------------------------------------

    def reread(self, seen: Seen, article: Row) -> None:
        """Replace the texts under all versions of an article by what today's extractor reads; told as
        `reparsed`, never as an edit."""
        key = ArticleKey(article["source"], article["key"])
        newest_before = self.store.version(article["newest_version_id"])
        changed = False
        for version in self.store.query(
            "select * from versions where article_id = ? order by number", article["article_id"]
        ):
            if version["extractor"] == EXTRACTOR:
                continue
            found = self.evidence.extract(version["first_capture_id"], key)
            if isinstance(found, Extract):
                changed |= self.store.replace_text(version, found)
        if changed and newest_before is not None:
            newest = self.store.version(newest_before["version_id"])
            assert newest is not None  # it was there a moment ago
            self.store.index(article["article_id"], newest_before, newest)
            self.change(
                seen,
                article["article_id"],
                "reparsed",
                version_id=newest["version_id"],
                details={"extractor": EXTRACTOR},
            )


def key_parts(key: ArticleKey) -> tuple[str | None, str]:
    """Edition and post id as an address states them."""
    return key.edition, key.key
