"""Which parts of the listings were read without a break, so that the next crawl finds the gaps.

A *stretch* is an unbroken run of posts in the order of the listing: pages read one after the other in one
crawl, joined with older stretches wherever they meet a post of theirs. After a stretch whose tail is not the
listing's end there is a gap: older posts may be unknown. A date archive read to its last page is whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from archive.clock import format_time, last_past_day, parse_time
from archive.model import Address, Capture, Edition, Listing
from archive.outcome import KnownPost
from archive.sites.sohr.addresses import Site
from archive.store.connection import Row
from archive.store.row_types import ArticleRow
from archive.store.rows import Store

ANSWERS = timedelta(days=7)  # for so long date archives that answered are taken to answer still


class Coverage:
    """Keeps stretches and covered days; called by `Ingest` for each listing page, in the order of the
    evidence."""

    def __init__(self, store: Store, site: Site) -> None:
        self._store = store
        self._site = site

    def page(
        self,
        capture: Capture,
        capture_id: int,
        address: Address,
        listing: Listing,
        posts: Sequence[KnownPost],
    ) -> list[bool]:
        """Record a page; say of each of its posts whether an earlier walk had passed it."""
        edition = address.edition
        is_dated = address.scope.startswith("date/")
        if edition is None or not (address.scope == "home" or is_dated):
            return [False] * len(posts)
        if is_dated:
            self._date_archives_answer(capture, edition)
        sticky = [sighting.sticky for sighting in listing.sightings]
        rows = [self._article(post, is_sticky) for post, is_sticky in zip(posts, sticky, strict=True)]
        before = [row is not None and row["stretch_id"] is not None for row in rows]
        stretch_id = self._join(capture, address, edition, [row for row in rows if row])
        is_end = listing.has_next is False
        self._store.query(
            "insert into listing_pages values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            capture_id,
            self._store.crawls.find_id(capture.crawl),
            edition,
            address.scope,
            address.page,
            len(posts),
            sum(post.is_new for post in posts),
            int(is_end),
            stretch_id,
            next((row["article_id"] for row in reversed(rows) if row), None),
        )
        if is_end:
            self._ended(capture, edition, address, stretch_id)
        return [known or is_sticky for known, is_sticky in zip(before, sticky, strict=True)]

    def _article(self, post: KnownPost, is_sticky: bool) -> ArticleRow | None:
        """The row of a post in the listing's order; None for a sticky one and one whose id is not known."""
        return self._store.articles.get(post.key) if post.key and not is_sticky else None

    def _date_archives_answer(self, capture: Capture, edition: Edition) -> None:
        """A date archive shows posts, so those that answered 404 before in this crawl are empty, not off."""
        if self._answers(capture, edition):
            return
        query = "select url from captures where crawl_id = ? and channel = 'date' and status in (404, 410)"
        for row in self._store.query(query, self._store.crawls.find_id(capture.crawl)):
            empty = self._site.parse(row["url"])
            if empty and empty.edition == edition and empty.page == 1 and empty.scope.startswith("date/"):
                self._cover(capture, edition, empty.scope)

    def _answers(self, capture: Capture, edition: Edition) -> bool:
        query = """select 1 from listing_pages p join captures c using (capture_id)
                   where edition = ? and scope like 'date/%' and c.captured_at >= ?
                   order by capture_id desc limit 1"""
        since = format_time(parse_time(capture.captured_at) - ANSWERS)
        return self._store.one(query, edition, since) is not None

    def _knows(self, edition: Edition, scope: str) -> bool:
        """Whether posts of a date archive are known and not gone."""
        first, last = span(scope)
        query = """select 1 from articles where edition = ? and day between ? and ?
                   and coalesce(state, 'live') not in ('missing', 'disappeared', 'moved')"""
        return self._store.one(query, edition, first.isoformat(), last.isoformat()) is not None

    def end(self, capture: Capture, address: Address) -> None:
        """Record the 404 of a page after the last one."""
        if address.edition is None:
            return
        row = self._page_before(capture, address)
        if address.page == 1 and address.scope.startswith("date/"):
            # Date archives answer, so this one is empty, not switched off; not so if posts of it are known
            if self._answers(capture, address.edition) and not self._knows(address.edition, address.scope):
                self._cover(capture, address.edition, address.scope)
        elif row is not None:
            self._ended(capture, address.edition, address, self._root(row["stretch_id"]))

    def _page_before(self, capture: Capture, address: Address) -> Row | None:
        return self._store.one(
            """select * from listing_pages where crawl_id = ? and edition = ? and scope = ? and page = ?
               order by capture_id desc""",
            self._store.crawls.find_id(capture.crawl),
            address.edition,
            address.scope,
            address.page - 1,
        )

    def _join(
        self, capture: Capture, address: Address, edition: Edition, rows: list[ArticleRow]
    ) -> int | None:
        """Put the posts of a page into one stretch, with the stretches they belong to already; its id.

        Invariant (tests/test_coverage.py): no unseen post stands between a stretch's newest and oldest post.
        Pages of one crawl are asked one after the other and new posts push entries down, so the page before
        meets this one; posts of one page stand side by side.
        """
        if not rows:
            return None
        earlier = self._page_before(capture, address) if address.page > 1 else None
        met = self._met(rows, earlier)
        days = [row["day"] for row in rows if row["day"]]
        heads = [one["head_seen_at"] for one in met]
        if address.page == 1 and address.scope == "home":
            heads.append(capture.captured_at)
        stretch_id = self._merge(met) or self._store.insert("stretches", edition=edition)
        for row in rows:
            if row["stretch_id"] != stretch_id:
                self._store.articles.update(row["article_id"], stretch_id=stretch_id)
        tail = self._tail(rows, met, earlier["last_article_id"] if earlier else None, days)
        self._store.update(
            "stretches",
            "stretch_id",
            stretch_id,
            newest_day=max(filter(None, (*days, *(one["newest_day"] for one in met))), default=None),
            head_seen_at=max(filter(None, heads), default=None),
            tail_article_id=tail[0],
            tail_day=tail[1],
            reached_end=tail[2],
        )
        return stretch_id

    def _met(self, rows: list[ArticleRow], earlier: Row | None) -> list[Row]:
        """The stretches of the page before and of this page's posts, in that order."""
        before = self._root(earlier["stretch_id"]) if earlier else None
        ids = [before, *(row["stretch_id"] for row in rows)]
        return [self._stretch(one) for one in dict.fromkeys(ids) if one is not None]

    def _merge(self, stretches: list[Row]) -> int | None:
        """Merge stretches into the one with most posts, whose id stays; None if there are none."""
        ids = [one["stretch_id"] for one in stretches]
        kept: int | None = max(ids, key=self._size) if len(ids) > 1 else next(iter(ids), None)
        for other in ids:
            if other != kept:
                self._store.query("update articles set stretch_id = ? where stretch_id = ?", kept, other)
                self._store.update("stretches", "stretch_id", other, merged_into=kept)
        return kept

    def _tail(
        self, rows: list[ArticleRow], met: list[Row], last_before: int | None, days: list[str]
    ) -> tuple[int, str | None, int]:
        """Where the joined stretch ends: (article, day, whether that is the listing's end).

        A stretch ends on this page when its tail stands on it, or stood last on the page before; one that
        does not reaches beyond.
        """
        here = {row["article_id"] for row in rows} | ({last_before} if last_before else set())
        beyond = [s for s in met if s["tail_article_id"] not in here]
        last = rows[-1]
        if beyond:
            oldest = next((s for s in beyond if s["stretch_id"] == last["stretch_id"]), None)
            oldest = oldest or min(beyond, key=lambda s: (not s["reached_end"], s["tail_day"] or ""))
            return oldest["tail_article_id"], oldest["tail_day"], oldest["reached_end"]
        at_end = any(s["reached_end"] and s["tail_article_id"] == last["article_id"] for s in met)
        return last["article_id"], min(days) if days else None, int(at_end)

    def _size(self, stretch_id: int) -> int:
        row = self._store.one("select count(*) from articles where stretch_id = ?", stretch_id)
        return int(row[0]) if row else 0

    def _stretch(self, stretch_id: int) -> Row:
        row = self._store.one("select * from stretches where stretch_id = ?", stretch_id)
        assert row is not None  # foreign keys hold it
        return row

    def _root(self, stretch_id: int | None) -> int | None:
        while stretch_id is not None:
            merged = self._stretch(stretch_id)["merged_into"]
            if merged is None:
                return stretch_id
            stretch_id = merged
        return None

    def _ended(self, capture: Capture, edition: Edition, address: Address, stretch_id: int | None) -> None:
        if address.scope == "home":
            if stretch_id is not None:
                self._store.update("stretches", "stretch_id", stretch_id, reached_end=1)
            return
        rows = self._store.query(
            """select distinct page from listing_pages
               where crawl_id = ? and edition = ? and scope = ? order by page""",
            self._store.crawls.find_id(capture.crawl),
            edition,
            address.scope,
        )
        if rows and [row["page"] for row in rows] == list(range(1, rows[-1]["page"] + 1)):
            self._cover(capture, edition, address.scope)

    def _cover(self, capture: Capture, edition: Edition, scope: str) -> None:
        """All days of a date archive that were over, whatever the site's time zone, when it was walked."""
        first, last = span(scope)
        over = min(last, date.fromisoformat(last_past_day(capture.captured_at)))
        add = "insert into coverage_days values (?, ?, ?) on conflict do nothing"
        for n in range((over - first).days + 1):
            day = (first + timedelta(days=n)).isoformat()
            self._store.execute(add, edition, day, capture.captured_at)


def span(scope: str) -> tuple[date, date]:
    """First and last day of a date archive: ``date/2024``, ``date/2024/05``, ``date/2024/05/03``."""
    numbers = [int(n) for n in scope.split("/")[1:]]
    first = date(*[*numbers, 1, 1][:3])
    if len(numbers) == 3:
        return first, first
    after = (
        date(first.year + 1, 1, 1)
        if len(numbers) == 1 or first.month == 12
        else date(first.year, first.month + 1, 1)
    )
    return first, after - timedelta(days=1)
