"""The versions of articles: a text that differs from the newest one, the same text again, an older one."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from archive.compare.classes import compare, metadata_changes
from archive.errors import DamagedWarc
from archive.extract import EXTRACTOR
from archive.extract.cross_check import GENERAL, cross_check, is_sure
from archive.extract.furniture import (
    Furniture,
    Said,
    as_before,
    find_furniture,
    is_suspicious,
    said,
    unpack,
    without_furniture,
    without_lines,
)
from archive.extract.reader import Reader
from archive.extract.reread import Evidence
from archive.ingest import doubts, look_schedule, neighbours
from archive.ingest.articles import Articles
from archive.ingest.noise import FURNITURE, NEW_ADDRESS, STALE_COPY, count_noise
from archive.ingest.pending import UPDATED
from archive.ingest.same_text import (
    articles_with,
    describe_repeated,
    distrust_repeated,
    is_repeated,
    is_trusted,
)
from archive.ingest.seen import Seen, key_of
from archive.model import GONE_STATES, ArticleKey, Extract, Kind, Stated, Text, Unextractable
from archive.outcome import (
    CHANGED,
    DISAGREEMENT,
    NEW,
    OTHER_LAYOUT,
    SAME_TEXT,
    UNCHANGED,
    NewVersion,
    Outcome,
)
from archive.sites.sohr.boilerplate import is_statement
from archive.store.packing import pack_stated, unpack_metadata
from archive.store.row_types import ArticleRow, VersionRow
from archive.text.normalise import same_sha256

ANSWERS_ALIKE = 3  # to requests in a crawl, after which a suspicious change is an edit
MOST_TRIES = 4  # requests in a crawl of a post's first page, to read all its pages as they are together
_SEEN_SO = """select coalesce(f.capture_id, c.capture_id) as capture_id,
    coalesce(f.captured_at, c.captured_at) as captured_at
from captures c left join captures f on f.record_id = c.look where c.article_id = ?
    and coalesce(f.captured_at, c.captured_at) between ? and ?
    and c.outcome in ('new', 'changed', 'unchanged', 'backfilled') order by 2, 1"""

_LAST_LIVE = """select v.layout from versions v join articles a using (article_id)
    join versions n on n.version_id = a.newest_version_id where v.article_id = ? and v.number <= n.number
    and exists (select 1 from captures c where c.article_id = v.article_id and c.source = 'live'
        and c.captured_at >= v.first_captured_at
        and c.outcome in ('new', 'changed', 'unchanged', 'backfilled'))
    order by v.number desc limit 1"""


class Versions:
    """Writes versions and what the feed says of them, in the order of the evidence."""

    def __init__(self, articles: Articles, evidence: Evidence) -> None:
        self._articles = articles
        self._store = articles.store
        self._pending = articles.pending
        self._evidence = evidence

    def record_text(self, seen: Seen, key: ArticleKey, found: Extract) -> Outcome:
        """Record what the site says: a new version if it said something else before."""
        article = self._articles.ensure(key, seen, found.day)
        self._articles.add_aliases(seen, article, found)
        newest = self._store.versions.get(article["newest_version_id"])
        if newest is None:
            return self._quarantine(seen, article, found) or self._add_first(seen, article, found)
        if seen.at < newest["last_captured_at"] and seen.is_older_than(article):
            if key.edition is not None and is_repeated(self._store, found.text):
                detail = describe_repeated(found.layout)
                return self._articles.quarantine(seen, article, found.layout, SAME_TEXT, detail)
            return self._record_older(seen, article, found)
        before = self._read_newest(newest, key, found)
        if self.compare_again(seen, article, found):
            return self.record_text(replace(seen, is_compared=True), key, self._read_again(seen, key))
        before = self._without_furniture(seen, before)
        if _is_same(before, found):
            return self._record_same(seen, article, newest, found)
        return self._quarantine(seen, article, found) or self._record_edit(
            seen, article, newest, before, found
        )

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
        pairs = [self._find_furniture(before, self._evidence.read_page(row, key), found) for row in doubted]
        if None in pairs:
            return False
        for row, pair in zip(doubted, pairs, strict=True):
            for capture_id, furniture in zip((row["capture_id"], seen.capture_id), pair or (), strict=True):
                self._store.captures.update(capture_id, furniture=furniture.pack())
            self._pending.drop(row["capture_id"])
        count_noise(self._store, key.edition, seen.at, FURNITURE)
        for row in doubted:
            earlier = Seen(self._evidence.capture(row), row["capture_id"], is_compared=True)
            outcome = self.record_text(earlier, key, self._read_again(earlier, key))
            self._store.captures.update(row["capture_id"], outcome=outcome.word)
        return True

    @staticmethod
    def _find_furniture(
        before: Said, page: Extract | Unextractable, found: Extract
    ) -> tuple[Furniture, Furniture] | None:
        """What is furniture in two answers, if they are of one state of the post."""
        if (
            not isinstance(page, Extract)
            or page.title != found.title
            or page.modified_at != found.modified_at
        ):
            return None
        pair = find_furniture(before, page, found)
        is_one = pair is not None and (found.pages == 1 or _is_same_but(pair, page, found))
        return pair if is_one else None

    def _read_again(self, seen: Seen, key: ArticleKey) -> Extract:
        found = self._evidence.extract(seen.capture_id, key)
        assert isinstance(found, Extract)  # it was read before
        return found

    def _without_furniture(self, seen: Seen, before: Text) -> Text:
        """The text of a version without the lines that stand where this answer has furniture."""
        furniture = self._furniture(seen)
        return Text(before.title, without_lines(before.text, furniture.before)) if furniture else before

    def _furniture(self, seen: Seen) -> Furniture | None:
        [row] = self._store.query("select furniture from captures where capture_id = ?", seen.capture_id)
        return unpack(row["furniture"])

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
        is_doubted = not is_stale and self._is_doubted(seen, article, newest, before, found)
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

    def _is_doubted(
        self, seen: Seen, article: ArticleRow, newest: VersionRow, before: Text, found: Extract
    ) -> bool:
        """Whether an edit may be furniture's doing, which a further request shows: a box that shows by chance
        the same at two requests seldom does so at three."""
        if seen.is_judged or seen.is_compared:
            return False
        alike = len(self._pending.find_doubted(seen, article))
        is_past_caches = doubts.asks_past_caches(seen.capture)
        if alike + 1 >= ANSWERS_ALIKE or (is_past_caches and (not alike or found.pages > 1)):
            return False
        if found.pages > 1:
            sql = "select count(*) from captures where url = ? and crawl_id = ?"
            [(times,)] = self._store.query(
                sql, seen.capture.url, self._store.crawls.find_id(seen.capture.crawl)
            )
            return bool(times < MOST_TRIES)
        old = said(before.text, unpack_metadata(newest)["links"])
        return is_suspicious(old, said(found.text, found.links))

    def _add_first(self, seen: Seen, article: ArticleRow, found: Extract) -> Outcome:
        self._pending.drop_held(article, seen.at)
        kind = "created" if article["first_captured_at"] is None else "updated"
        return self._add(seen, article, None, found, kind, {})

    def _quarantine(self, seen: Seen, article: ArticleRow, found: Extract) -> Outcome | None:
        """Keep a text apart that is not trusted; None if it is."""
        doubt = self._distrust(seen, article, found)
        if doubt is None:
            return None
        if doubt[0] == SAME_TEXT:
            self._retract_wall(seen, found)
        return self._articles.quarantine(seen, article, found.layout, *doubt)

    def _is_stale(self, seen: Seen, article: ArticleRow, newest: VersionRow, found: Extract) -> bool:
        is_former = self._has(article["article_id"], found)
        sql = "select last_modified from captures where capture_id = ?"
        [(header,)] = self._store.query(sql, newest["last_capture_id"])
        held = doubts.Held(newest["modified_at"], newest["last_captured_at"], header)
        return doubts.is_stale_copy(seen.capture, found, held, is_former_text=is_former)

    def _retract_wall(self, seen: Seen, found: Extract) -> None:
        """Take back the versions that the text made before it was recognised as one of many pages."""
        same = same_sha256("", found.text)
        for article_id in articles_with(self._store, found.text):
            rows = self._store.query(
                """select c.seq, c.version_id, v.text from changes c join versions v using (version_id)
                   where c.article_id = ? and c.kind in ('created', 'updated')
                   and not exists (select 1 from changes r where r.retracts = c.seq)""",
                article_id,
            )
            for row in rows:
                if same_sha256("", row["text"]) == same:
                    details = {"reason": describe_repeated(found.layout)}
                    ids = {"version_id": row["version_id"], "retracts": row["seq"], "details": details}
                    self._store.changes.add(article_id, "retracted", seen.at, seen.learnt_at, **ids)
            self.restate(article_id)

    def _distrust(self, seen: Seen, article: ArticleRow, found: Extract) -> tuple[str, str] | None:
        """Why a text that would make a version is not trusted: a reason and a sentence; None if it is."""
        if doubt := self._distrust_layout(seen, article, found):
            return doubt
        if article["edition"] is None:
            return None
        detail = distrust_repeated(self._store, article["article_id"], found.text, found.layout)
        return (SAME_TEXT, detail) if detail else None

    def _distrust_layout(self, seen: Seen, article: ArticleRow, found: Extract) -> tuple[str, str] | None:
        """A live page is measured by the last one. Others come in any order, so each is judged by itself, and
        a text that the article has is no new one."""
        if self._store.about(f"layout:{found.layout}"):
            return None
        article_id, is_live = article["article_id"], seen.capture.source == "live"
        if not is_live and self._has(article_id, found):
            return None
        if seen.drift and is_sure(found) and not self._is_stated(article, found):
            return DISAGREEMENT, seen.drift
        if is_live:
            before = self._store.one(_LAST_LIVE, article_id)
            if before is None or before["layout"] == found.layout:
                return None
            return OTHER_LAYOUT, f"layout {found.layout} reads another text than {before['layout']} did"
        # A text of `general` was checked before
        is_checked = found.layout != GENERAL and is_sure(found)
        drift = cross_check(seen.capture, found) if is_checked else None
        return (OTHER_LAYOUT, drift) if drift else None

    def _has(self, article_id: int, found: Extract) -> bool:
        """Whether a version of an article has this title and text."""
        same = bytes.fromhex(same_sha256(found.title, found.text))
        sql = "select 1 from versions where article_id = ? and same_digest = ?"
        return self._store.one(sql, article_id, same) is not None

    def _is_stated(self, article: ArticleRow, found: Extract) -> bool:
        """Whether REST or a feed has stated this very text."""
        sql = "select 1 from digests where article_id = ? and digest = ?"
        same = same_sha256(found.title, found.text)
        return self._store.one(sql, article["article_id"], same) is not None

    def _read_newest(self, newest: VersionRow, key: ArticleKey, found: Extract) -> Text:
        """The newest version's text; as today's extractor reads it if another release read it then."""
        text = Text(newest["title"], newest["text"])
        if newest["extractor"] == found.extractor or _is_same(text, found):
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
        if furniture := self._furniture(seen):
            after |= {of: as_before(before[of], after[of], furniture) for of in ("links", "images")}
        changed = metadata_changes(before, after)
        if changed or seen.capture.source != "live":
            self._store.versions.replace_stated(newest, found, newest["title"])
            self._set_terms_and_links(article["article_id"], found)
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
        self._set_terms_and_links(article_id, found)
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

    def _record_older(self, seen: Seen, article: ArticleRow, found: Extract) -> Outcome:
        """A capture older than those archived takes its place in time; the later versions move up."""
        article_id = article["article_id"]
        which = "where article_id = ? and first_captured_at"
        before = self._store.versions.select(
            f"{which} <= ? order by number desc limit 1", article_id, seen.at
        )
        after = self._store.versions.select(f"{which} > ? order by number limit 1", article_id, seen.at)
        earlier, later = next(iter(before), None), next(iter(after), None)
        same = same_sha256(found.title, found.text)
        if earlier is not None and earlier["same_sha256"] == same:
            span = {}
            if seen.at >= earlier["last_captured_at"]:
                span = {"last_captured_at": seen.at, "last_capture_id": seen.capture_id}
                self._store.versions.replace_stated(earlier, found, earlier["title"])
            return self._widen(seen, article, earlier, **span)
        if doubt := self._distrust_layout(seen, article, found):
            return self._articles.quarantine(seen, article, found.layout, *doubt)
        if earlier is not None and seen.at < earlier["last_captured_at"]:
            later = self._split(seen, article, earlier)
        elif later is not None and later["same_sha256"] == same:
            is_newest = article["newest_version_id"] == later["version_id"]
            self._open_with(article, later, found, is_newest=is_newest)
            span = {"first_captured_at": seen.at, "first_capture_id": seen.capture_id}
            return self._widen(seen, article, later, **span)
        number = later["number"] if later else (earlier["number"] + 1 if earlier else 1)
        self._store.versions.shift_numbers(article_id, number)
        row = self._store.versions.add(article_id, number, found, seen.capture_id, seen.at)
        self._store.query("update articles set versions = versions + 1 where article_id = ?", article_id)
        first = min(article["first_captured_at"] or seen.at, seen.at)
        self._store.articles.update(article_id, first_captured_at=first)
        previous = earlier["version_id"] if earlier else None
        ids = {"version_id": row["version_id"], "previous_version_id": previous}
        self._articles.record_change(seen, article, "backfilled", **ids)
        return seen.outcome("backfilled", article)

    def _widen(self, seen: Seen, article: ArticleRow, version: VersionRow, **span: object) -> Outcome:
        """One more capture of a version; ``span`` is what it moves of its first or last."""
        count = version["captures"] + 1
        self._store.versions.update(version["version_id"], captures=count, **span)
        return seen.outcome(UNCHANGED, article)

    def _open_with(
        self, article: ArticleRow, version: VersionRow, found: Extract, *, is_newest: bool
    ) -> None:
        """Let a version have the text of an earlier capture than its first, which may differ in quotation
        marks or its layout. What it states stays that of its last one."""
        versions, version_id = self._store.versions, version["version_id"]
        last = self._evidence.extract(version["last_capture_id"], key_of(article))
        is_other = versions.replace_text(version, found)
        row = versions.get(version_id)
        assert row is not None  # only its text was replaced
        if isinstance(last, Extract):
            versions.replace_stated(row, last, found.title)
        if is_other and is_newest:
            versions.index_newest(article["article_id"], version, row)

    def _split(self, seen: Seen, article: ArticleRow, version: VersionRow) -> VersionRow:
        """Split a version at an instant at which the site said something else: what was seen after it is a
        version of its own."""
        # A post in several pages is whole at its last page; the time of its look is that of its first page
        span = version["first_captured_at"], version["last_captured_at"]
        seen_so = self._store.query(_SEEN_SO, article["article_id"], *span)
        after = [row for row in seen_so if row["captured_at"] > seen.at]
        before = next((row for row in reversed(seen_so) if row["captured_at"] <= seen.at), None)
        number = version["number"] + 1
        self._store.versions.shift_numbers(article["article_id"], number)
        first, last = after[0], after[-1]
        later_id = self._store.versions.copy(
            version["version_id"],
            number=number,
            first_capture_id=first["capture_id"],
            first_captured_at=first["captured_at"],
            last_capture_id=last["capture_id"],
            last_captured_at=last["captured_at"],
            captures=len(after),
        )
        is_newest = article["newest_version_id"] == version["version_id"]
        self._store.query(
            "update articles set versions = versions + 1, newest_version_id = ? where article_id = ?",
            later_id if is_newest else article["newest_version_id"],
            article["article_id"],
        )
        self._store.versions.update(
            version["version_id"],
            last_capture_id=before["capture_id"] if before else version["first_capture_id"],
            last_captured_at=before["captured_at"] if before else version["first_captured_at"],
            captures=max(1, version["captures"] - len(after)),
        )
        key = key_of(article)
        opening = self._evidence.extract(first["capture_id"], key)
        row = self._store.versions.get(later_id)
        assert row is not None  # just written
        if isinstance(opening, Extract):
            self._open_with(article, row, opening, is_newest=is_newest)
        closing = self._evidence.extract(before["capture_id"], key) if before else None
        if isinstance(closing, Extract):
            self._store.versions.replace_stated(version, closing, version["title"])
        ids = {"version_id": later_id, "previous_version_id": version["version_id"]}
        self._articles.record_change(seen, article, "backfilled", **ids)
        return row

    def restate(self, article_id: int) -> None:
        """Terms and links of the version that stands, once others are taken back."""
        row = self._store.one(
            """select v.* from articles a join versions v on v.version_id = a.newest_version_id
               where a.article_id = ?""",
            article_id,
        )
        stated = unpack_metadata(row) if row else {}
        names = ("categories", "tags", "links")
        self._set_terms_and_links(article_id, Stated(**{name: stated.get(name, ()) for name in names}))

    def _set_terms_and_links(self, article_id: int, found: Stated) -> None:
        self._store.articles.set_terms(article_id, found.categories, found.tags)
        parsed = ((url, text, self._articles.site.parse(url)) for url, text in found.links)
        self._store.articles.set_links(
            article_id, [(url, text, to.key if to else None) for url, text, to in parsed]
        )

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


def _is_same_but(pair: tuple[Furniture, Furniture], one: Extract, other: Extract) -> bool:
    """Whether two answers differ in their furniture alone."""
    one, other = (without_furniture(found, of) for found, of in zip((one, other), pair, strict=True))
    return one.pages == other.pages and _is_same(Text(one.title, one.text), other)


def _is_same(text: Text, found: Extract) -> bool:
    return same_sha256(text.title, text.text) == same_sha256(found.title, found.text)


def describe_difference(newest: VersionRow, before: Text, found: Extract) -> dict[str, Any]:
    """An update's columns in the feed, but for ``stealth``."""
    difference = compare(before, Text(found.title, found.text))
    return {
        "previous_version_id": newest["version_id"],
        "classes": list(difference.classes),
        "severity": difference.severity,
        "figures": [asdict(figure) for figure in difference.figures],
    }
