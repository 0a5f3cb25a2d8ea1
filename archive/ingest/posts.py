"""Pages of posts: what they say, of which post, and who writes that."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from archive.extract.cross_check import CROSS_CHECK, GENERAL, is_beyond_checking
from archive.extract.reader import Reader
from archive.extract.reread import Evidence
from archive.ingest.articles import Articles
from archive.ingest.channels import Channels
from archive.ingest.listings import record_sighting
from archive.ingest.noise import DOUBTFUL, count_noise
from archive.ingest.redirects import NO_ARTICLE
from archive.ingest.seen import Seen
from archive.ingest.several_pages import SeveralPages
from archive.ingest.unread import Unread, stated_key
from archive.model import APART, Address, ArticleKey, Extract, Kind, Sighting, Unextractable
from archive.outcome import HELD, LISTING, NEW, QUARANTINED, READ_OUTCOMES, Outcome
from archive.sites.wordpress.refusals import find_printed_error
from archive.store.row_types import ArticleRow
from archive.text.normalise import normalise

if TYPE_CHECKING:
    from archive.ingest.versions import Versions


class Posts:
    """Reads the pages of posts and hands their texts to `versions`."""

    def __init__(self, articles: Articles, evidence: Evidence, channels: Channels, unread: Unread) -> None:
        self._articles = articles
        self._store = articles.store
        self._evidence = evidence
        self._channels = channels
        self._unread = unread
        self._pages = SeveralPages(
            articles,
            evidence,
            unread,
            lambda seen, article, found: self.versions.compare_again(seen, article, found),
        )

    @cached_property
    def versions(self) -> Versions:
        """Writes versions. Many crawls find none, and to compare and clean texts takes long to import."""
        from archive.ingest.versions import Versions

        return Versions(self._articles, self._evidence)

    def record_page(
        self, seen: Seen, address: Address, record_id: str, look: str | None, reader: Reader
    ) -> Outcome:
        """Record what the page of a post says; ``look`` is the record of the first page of its look."""
        found, key = self._read_post(seen, address, reader)
        if isinstance(found, Unextractable):
            return self._unread.record_answer(seen, key, found)
        if key is None:
            return seen.fail(self._store, "layout", "the page does not say which post it is")
        if reader.is_to_be_checked(found):
            return seen.outcome(APART)
        drift = reader.cross_check(seen.capture, found)
        seen = replace(seen, drift=drift if found.layout == GENERAL else None)
        if address.page > 1 or found.pages > 1:
            whole = self._pages.join(seen, address, record_id, look, found, key)
            if isinstance(whole, Outcome):
                return whole
            seen, found = whole
        outcome = self.versions.record_text(seen, key, found)
        row = self._store.articles.get(key)
        assert row is not None  # its text was just recorded
        if outcome.word in (NEW, HELD) and self._is_doubtful(row, found):
            count_noise(self._store, key.edition, seen.at, DOUBTFUL)
        if drift and outcome.word != QUARANTINED:  # a layout may drift; the outcome stays what it is
            seen.fail(self._store, CROSS_CHECK, drift, row)
        if seen.capture.channel == "sweep":
            record_sighting(self._store, Sighting(row["url"], key.edition, key.post_id, "sweep"), seen.at)
        if outcome.word in READ_OUTCOMES:
            for channel, states in self._channels.digests.to_tell(row["article_id"]):
                ids = {"version_id": row["newest_version_id"], "details": {channel: states}}
                self._articles.record_change(seen, row, "metadata", **ids)
        return outcome

    def _read_post(
        self, seen: Seen, address: Address, reader: Reader
    ) -> tuple[Extract | Unextractable, ArticleKey | None]:
        """What the page of a post says, and of which post it is."""
        is_known, articles = address.kind is not Kind.OTHER, self._articles
        expected = articles.find_key(seen.capture.url) if is_known else articles.find_promised(seen)
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
        stated = stated_key(found, address.edition)
        return found, (expected or stated) if is_sure else (stated or expected)

    def _is_doubtful(self, article: ArticleRow, found: Extract) -> bool:
        """Whether nothing supports a text too short to check: neither REST nor a feed states id and title."""
        if not is_beyond_checking(found):
            return False
        titles = self._store.query(
            """select distinct json_extract(claims, '$.title') from sightings
               where article_id = ? and channel in ('rest', 'feed')""",
            article["article_id"],
        )
        is_own = found.post_id == article["post_id"]
        return not is_own or normalise(found.title) not in {normalise(row[0] or "") for row in titles}


def _is_no_post(found: Extract | Unextractable) -> bool:
    """Whether a page is another than the post that led there: a listing, another post, or none at all."""
    if isinstance(found, Unextractable):
        return found.reason in (LISTING, "mismatch")
    return found.post_id is None
