"""The versions of articles: a text that differs from the newest one, or the same text again."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from archive.compare.classes import compare, metadata_changes
from archive.errors import DamagedWarc
from archive.extract import EXTRACTOR
from archive.extract.furniture import as_before, said
from archive.extract.reader import Reader
from archive.extract.reread import Evidence
from archive.ingest import doubts, look_schedule, neighbours
from archive.ingest.articles import Articles
from archive.ingest.compared_answers import ComparedAnswers
from archive.ingest.noise import NEW_ADDRESS, STALE_COPY, count_noise
from archive.ingest.older_captures import OlderCaptures
from archive.ingest.pending import UPDATED
from archive.ingest.quarantine import Quarantine
from archive.ingest.same_text import is_same, is_trusted
from archive.ingest.seen import Seen, key_of
from archive.model import GONE_STATES, ArticleKey, Extract, Kind, Text
from archive.outcome import CHANGED, NEW, UNCHANGED, NewVersion, Outcome
from archive.sites.sohr.boilerplate import is_statement
from archive.store.packing import pack_stated, unpack_metadata
from archive.store.row_types import ArticleRow, VersionRow
from archive.text.normalise import same_sha256


class Versions:
    """Writes versions and what the feed says of them, in the order of the evidence."""

    def __init__(self, articles: Articles, evidence: Evidence) -> None:
        self._articles = articles
        self._store = articles.store
        self._pending = articles.pending
        self._evidence = evidence
        self._quarantine = Quarantine(articles)
        self._older = OlderCaptures(articles, evidence, self._quarantine)
        self._answers = ComparedAnswers(self._store, self._pending, evidence)

    def record_text(self, seen: Seen, key: ArticleKey, found: Extract) -> Outcome:
        """Record what the site says: a new version if it said something else before."""
        article = self._articles.ensure(key, seen, found.day)
        self._articles.add_aliases(seen, article, found)
        newest = self._store.versions.get(article["newest_version_id"])
        if newest is None:
            doubted = self._quarantine.keep_untrusted(seen, article, found)
            return doubted or self._add_first(seen, article, found)
        if seen.at < newest["last_captured_at"] and seen.is_older_than(article):
            return self._older.record_text(seen, article, found)
        before = self._read_newest(newest, key, found)
        if self.compare_again(seen, article, found):
            return self.record_text(replace(seen, is_compared=True), key, self._read_again(seen, key))
        before = self._answers.without_furniture(seen, before)
        if is_same(before, found):
            return self._record_same(seen, article, newest, found)
        doubted = self._quarantine.keep_untrusted(seen, article, found)
        return doubted or self._record_edit(seen, article, newest, before, found)

    def compare_again(self, seen: Seen, article: ArticleRow, found: Extract) -> bool:
        """Compare an answer with those before it that asked for it; return whether they show furniture.

        That is written down, and the earlier answers are recorded without it.
        """
        doubted = self._pending.find_doubted(seen, article)
        newest = self._store.versions.get(article["newest_version_id"])
        if not doubted or newest is None:
            return False
        key = key_of(article)
        before = said(self._read_newest(newest, key, found).text, unpack_metadata(newest)["links"])
        if not self._answers.note_furniture(seen, key, doubted, before, found):
            return False
        for row in doubted:
            earlier = Seen(self._evidence.capture(row), row["capture_id"], is_compared=True)
            outcome = self.record_text(earlier, key, self._read_again(earlier, key))
            self._store.captures.update(row["capture_id"], outcome=outcome.word)
        return True

    def _read_again(self, seen: Seen, key: ArticleKey) -> Extract:
        found = self._evidence.extract(seen.capture_id, key)
        assert isinstance(found, Extract)  # it was read before
        return found

    def _record_same(self, seen: Seen, article: ArticleRow, newest: VersionRow, found: Extract) -> Outcome:
        if self._pending.is_waiting(article) and (waiting := self._pending.defer(seen, article, UPDATED)):
            return waiting
        self._pending.drop_held(article, seen.at)
        self._restore(seen, article)
        announced_at = self._hides_edit(seen, article)
        self._extend(seen, article, newest, found, is_copy=announced_at is not None)
        neighbours.end_promotion(self._store, article["article_id"])
        names = self._names(seen, article, found)
        self._articles.record_look(article, seen, "live", is_changed=False, **names)
        outcome = seen.outcome(UNCHANGED, article)
        if announced_at is None:
            return outcome
        wait = look_schedule.watched_wait(announced_at, seen.at)
        self._articles.look_again(article, seen.at, wait)
        count_noise(self._store, key_of(article).edition, seen.at, STALE_COPY)
        return replace(outcome, is_doubted=not doubts.asks_past_caches(seen.capture))

    def _hides_edit(self, seen: Seen, article: ArticleRow) -> str | None:
        """When the site edited the article, as a channel says, if the answer is an older copy of a cache."""
        if (made_at := doubts.copied_at(seen.capture)) is None or seen.capture.crawl is None:
            return None
        sql = "select max(json_extract(claims, '$.modified_at')) from sightings where article_id = ?"
        [(announced_at,)] = self._store.query(sql, article["article_id"])
        return str(announced_at) if announced_at and made_at < announced_at <= seen.at else None

    def _record_edit(
        self, seen: Seen, article: ArticleRow, newest: VersionRow, before: Text, found: Extract
    ) -> Outcome:
        """Another text than the newest version's: it waits to be judged, then becomes a version."""
        difference = describe_difference(newest, before, found)
        difference["stealth"] = self._is_silent(article, newest, found)
        is_stale = self._is_stale(seen, article, newest, found)
        is_doubted = not is_stale and self._answers.is_doubted(seen, article, newest, before, found)
        if not is_stale and not is_doubted and not seen.is_judged:
            neighbours.promote(self._store, article, difference["classes"], seen.at)
        marks: dict[str, Any] = {"is_stale": True} if is_stale else {**doubts.describe_edit(before, found)}
        if is_trusted(self._store, found.text):
            marks = {}
        marks |= {"same": same_sha256(found.title, found.text)} | ({"is_doubted": True} if is_doubted else {})
        is_to_ask = is_doubted or (is_stale and not doubts.asks_past_caches(seen.capture))
        if waiting := self._pending.defer(seen, article, UPDATED, **marks):
            return replace(waiting, is_doubted=is_to_ask)
        if is_stale:
            count_noise(self._store, key_of(article).edition, seen.at, STALE_COPY)
        if is_stale or self._was_stale(newest):  # nobody edited anything, there or back
            difference |= {"severity": 0, "stale_copy": int(is_stale)}
        elif seen.is_addition:
            difference |= {"severity": min(1, difference["severity"]), "classes": [doubts.SAME_ADDITION]}
        self._pending.drop_held(article, seen.at)
        self._restore(seen, article)
        return self._add(seen, article, newest, found, "updated", difference)

    def _is_silent(self, article: ArticleRow, newest: VersionRow, found: Extract) -> int | None:
        """1 if the page states the same modified time, and no channel a newer one; None if it states none."""
        if not newest["modified_at"] or not found.modified_at:
            return None
        if newest["modified_at"] != found.modified_at:
            return 0
        # Some themes state one time for ever: REST, a feed or a sitemap may date an edit since
        claim = self._store.one(
            """select 1 from sightings where article_id = ?1 and json_extract(claims, '$.modified_at') > ?2
               and (json_extract(claims, '$.modified_at') >= ?3 or first_seen_at > ?4)""",
            article["article_id"],
            newest["modified_at"],
            newest["first_captured_at"],
            newest["last_captured_at"],
        )
        return int(claim is None)

    def _add_first(self, seen: Seen, article: ArticleRow, found: Extract) -> Outcome:
        self._pending.drop_held(article, seen.at)
        kind = "created" if article["first_captured_at"] is None else "updated"
        return self._add(seen, article, None, found, kind, {})

    def _is_stale(self, seen: Seen, article: ArticleRow, newest: VersionRow, found: Extract) -> bool:
        is_former = self._quarantine.has_text(article["article_id"], found)
        sql = "select last_modified from captures where capture_id = ?"
        [(header,)] = self._store.query(sql, newest["last_capture_id"])
        held = doubts.Held(newest["modified_at"], newest["last_captured_at"], header)
        return doubts.is_stale_copy(seen.capture, found, held, is_former_text=is_former)

    def _read_newest(self, newest: VersionRow, key: ArticleKey, found: Extract) -> Text:
        """The newest version's text; as today's extractor reads it if another release read it then."""
        text = Text(newest["title"], newest["text"])
        if newest["extractor"] == found.extractor or is_same(text, found):
            return text
        try:
            again = self._evidence.extract(newest["last_capture_id"], key)
        except DamagedWarc:
            return text  # `verify` names the record; the crawl goes on
        return Text(again.title, again.text) if isinstance(again, Extract) else text

    def _restore(self, seen: Seen, article: ArticleRow) -> None:
        """Record that an article was gone, or behind a password, and has its text again."""
        if seen.is_older_than(article) and seen.capture.source != "live":
            return  # `archive.ingest.late_evidence` puts it in its place
        if article["newest_version_id"] is not None and article["state"] != "live":
            is_back = article["state"] in GONE_STATES
            self._articles.record_state(seen, article, "restored" if is_back else "metadata", "live")

    def _names(self, seen: Seen, article: ArticleRow, found: Extract) -> dict[str, Any]:
        """Day and address of an article. The address is the one its page calls canonical, else the one that
        was asked first."""
        url = str(seen.capture.url if article["first_captured_at"] is None else article["url"])
        canonical = self._articles.site.parse(found.canonical_url or "")
        if article["edition"] is None:
            url = article["key"]
        elif canonical and canonical.kind is Kind.ARTICLE and canonical.page == 1:
            url = canonical.url if canonical.key == key_of(article) else url
        elif canonical and canonical.kind is Kind.OTHER and canonical.url == seen.capture.url:
            url = canonical.url  # a permalink without the post's number: its page states that
        return {"day": article["day"] or found.day, "url": url}

    def _extend(
        self, seen: Seen, article: ArticleRow, newest: VersionRow, found: Extract, *, is_copy: bool
    ) -> None:
        """The same text once more; other claims may have changed. A copy from before an edit does not show
        that the site still says it."""
        version_id = newest["version_id"]
        last = {} if is_copy else {"last_capture_id": seen.capture_id, "last_captured_at": seen.at}
        if seen.at < newest["first_captured_at"]:
            last |= {"first_capture_id": seen.capture_id, "first_captured_at": seen.at}
        self._store.versions.update(version_id, captures=newest["captures"] + 1, **last)
        before, after = unpack_metadata(newest), unpack_metadata(pack_stated(found))
        for stated in (before, after):  # boxes of related posts show another post at each request
            stated["notes"] = [note for note in stated["notes"] if is_statement(note)]
        if furniture := self._answers.furniture_of(seen):
            after |= {of: as_before(before[of], after[of], furniture) for of in ("links", "images")}
        changed = metadata_changes(before, after)
        if changed or seen.capture.source != "live":
            self._store.versions.replace_stated(newest, found, newest["title"])
            self._articles.set_terms_and_links(article["article_id"], found)
        if changed:
            self._articles.record_change(seen, article, "metadata", version_id=version_id, details=changed)
        elif any(before[name] != after[name] for name in ("links", "images")):
            count_noise(self._store, key_of(article).edition, seen.at, NEW_ADDRESS)

    def _add(
        self,
        seen: Seen,
        article: ArticleRow,
        newest: VersionRow | None,
        found: Extract,
        kind: str,
        difference: dict[str, Any],
    ) -> Outcome:
        """A new newest version, and its row in the feed."""
        article_id, number = article["article_id"], article["versions"] + 1
        row = self._store.versions.add(article_id, number, found, seen.capture_id, seen.at)
        names = self._names(seen, article, found)
        pointers = {"newest_version_id": row["version_id"], "versions": number}
        is_changed = newest is None or not self._has_only_noise(article, difference)
        self._articles.record_look(article, seen, "live", is_changed=is_changed, **pointers, **names)
        self._store.versions.index_newest(article_id, newest, row)
        self._articles.set_terms_and_links(article_id, found)
        neighbours.end_promotion(self._store, article_id)
        self._articles.record_change(seen, article, kind, version_id=row["version_id"], **difference)
        key = key_of(article)
        version = NewVersion(
            source=key.source,
            edition=key.edition,
            post_id=key.post_id,
            url=names["url"],
            number=number,
            kind=kind,
            title=found.title,
            text=found.text,
            published_at=found.published_at,
            modified_at=found.modified_at,
            captured_at=seen.at,
            severity=difference.get("severity", 0),
            text_sha256=row["text_sha256"],
        )
        return seen.outcome(NEW if newest is None else CHANGED, article, version=version)

    def _has_only_noise(self, article: ArticleRow, difference: dict[str, Any]) -> bool:
        """Whether nobody edited an article, neither now nor before: it is not looked at sooner for that."""
        is_noise = not difference["severity"] or doubts.SAME_ADDITION in difference["classes"]
        sql = """select 1 from valid_changes where article_id = ? and kind = 'updated' and severity > 0
                 and not exists (select 1 from json_each(classes) where value = ?)"""
        return is_noise and self._store.one(sql, article["article_id"], doubts.SAME_ADDITION) is None

    def _was_stale(self, version: VersionRow) -> bool:
        """Whether a version came from an old copy, so that the next text is the current one again."""
        sql = "select 1 from changes where version_id = ? and stale_copy = 1"
        return self._store.one(sql, version["version_id"]) is not None

    def reread(self, seen: Seen, article: ArticleRow, reader: Reader) -> None:
        """Replace the texts of all versions by what today's extractor reads: `reparsed`, never an edit."""
        is_changed = False
        which = "where article_id = ? and extractor != ? order by number"
        newest_before = self._store.versions.get(article["newest_version_id"])
        for version in self._store.versions.select(which, article["article_id"], EXTRACTOR):
            found = self._evidence.extract(version["first_capture_id"], key_of(article), reader)
            if isinstance(found, Extract):
                is_changed |= self._store.versions.replace_text(version, found)
        if is_changed and newest_before is not None:
            newest = self._store.versions.get(newest_before["version_id"])
            assert newest is not None  # only its text was replaced
            self._store.versions.index_newest(article["article_id"], newest_before, newest)
            ids = {"version_id": newest["version_id"], "details": {"extractor": EXTRACTOR}}
            self._articles.record_change(seen, article, "reparsed", **ids)


def describe_difference(newest: VersionRow, before: Text, found: Extract) -> dict[str, Any]:
    """An update's columns in the feed, but for ``stealth``."""
    difference = compare(before, Text(found.title, found.text))
    return {
        "previous_version_id": newest["version_id"],
        "classes": list(difference.classes),
        "severity": difference.severity,
        "figures": [asdict(figure) for figure in difference.figures],
    }
