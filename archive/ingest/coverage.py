"""Which parts of the site's listings were walked without a break, so that the next crawl finds the gaps an
interrupted one left.

A *stretch* is an unbroken run of posts in the order of the listing: pages walked one after the other in one
crawl, joined with older stretches wherever they meet a post of theirs. A stretch whose tail did not reach the
listing's end is a gap: what is older may be unknown. Date archives are a stable partition besides: a month or
day walked from its first page to its end is whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from archive.clock import format_time, parse_time
from archive.model import Address, Capture, Edition, Listing
from archive.outcome import Held
from archive.sites.sohr.addresses import Site
from archive.store.rows import Row, Store

ANSWERS = timedelta(days=7)  # date archives that answered so long ago are taken to answer still


class Coverage:
    """Keeps stretches and covered days; called by `Ingest` for each listing page, in the order of the
    evidence."""

    def __init__(self, store: Store, site: Site) -> None:
        self._store = store
        self._site = site

    def page(
        self, capture: Capture, capture_id: int, address: Address, listing: Listing, held: Sequence[Held]
    ) -> list[bool]:
        """Take in a page; says of each sighting whether an earlier walk had passed it."""
        edition = address.edition
        if edition is None or not (address.scope == "home" or address.scope.startswith("date/")):
            return [False] * len(held)
        if address.scope.startswith("date/"):
            self._date_archives_answer(capture, edition)
        rows = [
            self._store.article(h.key) if h.key and not s.sticky else None
            for h, s in zip(held, listing.sightings, strict=True)
        ]
        before = [row["stretch_id"] is not None if row else False for row in rows]
        stretch_id = self._join(capture, address, edition, [row for row in rows if row])
        is_end = listing.has_next is False
        new = sum(h.is_new for h in held)
        self._store.query(
            "insert into listing_pages values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            capture_id,
            self._store.crawl_id(capture.crawl),
            edition,
            address.scope,
            address.page,
            len(held),
            new,
            int(is_end),
            stretch_id,
            next((row["article_id"] for row in reversed(rows) if row), None),
        )
        if is_end:
            self._ended(capture, edition, address, stretch_id)
        return [known or sighting.sticky for known, sighting in zip(before, listing.sightings, strict=True)]

    def _date_archives_answer(self, capture: Capture, edition: Edition) -> None:
        """The first date archive in a while that shows posts: those that had answered 404 before it in this
        crawl are empty, not switched off."""
        if self._answers(capture, edition):
            return
        query = "select url from captures where crawl_id = ? and channel = 'date' and status in (404, 410)"
        for row in self._store.query(query, self._store.crawl_id(capture.crawl)):
            empty = self._site.parse(row["url"])
            if empty and empty.edition == edition and empty.page == 1 and empty.scope.startswith("date/"):
                self._cover(capture, edition, empty.scope)

    def _answers(self, capture: Capture, edition: Edition) -> bool:
        query = """select 1 from listing_pages p join captures c using (capture_id) where edition = ? and scope like 'date/%' and c.captured_at >= ?
                   order by capture_id desc limit 1"""
        since = format_time(parse_time(capture.captured_at) - ANSWERS)
        return self._store.one(query, edition, since) is not None

    def _knows(self, edition: Edition, scope: str) -> bool:
        """Whether posts of a date archive are known and not gone."""
        first, last = span(scope)
        query = "select 1 from articles where edition = ? and day between ? and ? and coalesce(state, 'live') not in ('missing', 'disappeared', 'moved')"
        return self._store.one(query, edition, first.isoformat(), last.isoformat()) is not None

    def end(self, capture: Capture, address: Address) -> None:
        """A page behind the last one was asked for: 404."""
        if address.edition is None:
            return
        row = self._page_before(capture, address)
        if address.page == 1 and address.scope.startswith("date/"):
            # date archives answer, so this one is empty, not switched off; one of which posts are known is
            # neither
            if self._answers(capture, address.edition) and not self._knows(address.edition, address.scope):
                self._cover(capture, address.edition, address.scope)
        elif row is not None:
            self._ended(capture, address.edition, address, self._root(row["stretch_id"]))

    def _page_before(self, capture: Capture, address: Address) -> Row | None:
        return self._store.one(
            "select * from listing_pages where crawl_id = ? and edition = ? and scope = ? and page = ? order by capture_id desc",
            self._store.crawl_id(capture.crawl),
            address.edition,
            address.scope,
            address.page - 1,
        )

    def _join(self, capture: Capture, address: Address, edition: Edition, rows: list[Row]) -> int | None:
        """The stretch this page belongs to, after it has met what it overlaps."""
        if not rows:
            return None
        store = self._store
        earlier = self._page_before(capture, address) if address.page > 1 else None
        met = [row["stretch_id"] for row in rows if row["stretch_id"] is not None]
        if earlier is not None and earlier["stretch_id"] is not None:
            met.insert(0, self._root(earlier["stretch_id"]))
        unique = list(dict.fromkeys(met))
        days = [d for d in (row["day"] for row in rows) if d]
        newest_day = max(days) if days else None
        tail = self._tail(
            rows, [self._stretch(s) for s in unique], earlier["last_article_id"] if earlier else None, days
        )
        head = capture.captured_at if address.page == 1 and address.scope == "home" else None
        if not unique:
            stretch_id = store.insert("stretches", edition=edition, head_seen_at=head, newest_day=newest_day)
        else:
            # Counts each of its posts
            sizes = {s: self._size(s) for s in unique} if len(unique) > 1 else dict.fromkeys(unique, 0)
            stretch_id = max(unique, key=lambda s: sizes[s])
            for other in unique:
                row = self._stretch(other)
                newest_day = max((d for d in (newest_day, row["newest_day"]) if d), default=None)
                head = max((h for h in (head, row["head_seen_at"]) if h), default=None)
                if other != stretch_id:
                    store.query("update articles set stretch_id = ? where stretch_id = ?", stretch_id, other)
                    store.update("stretches", "stretch_id", other, merged_into=stretch_id)
        for row in (row for row in rows if row["stretch_id"] != stretch_id):
            store.update("articles", "article_id", row["article_id"], stretch_id=stretch_id)
        store.update(
            "stretches",
            "stretch_id",
            stretch_id,
            newest_day=newest_day,
            head_seen_at=head,
            tail_article_id=tail[0],
            tail_day=tail[1],
            reached_end=tail[2],
        )
        return stretch_id

    def _tail(
        self, rows: list[Row], met: list[Row], last_before: int | None, days: list[str]
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
            "select distinct page from listing_pages where crawl_id = ? and edition = ? and scope = ? order by page",
            self._store.crawl_id(capture.crawl),
            edition,
            address.scope,
        )
        if rows and [row["page"] for row in rows] == list(range(1, rows[-1]["page"] + 1)):
            self._cover(capture, edition, address.scope)

    def _cover(self, capture: Capture, edition: Edition, scope: str) -> None:
        """All days of a date archive that were over, whatever the site's time zone, when it was walked."""
        first, last = span(scope)
        over = min(last, date.fromisoformat(capture.captured_at[:10]) - timedelta(days=2))
        days = [(first + timedelta(days=n)).isoformat() for n in range((over - first).days + 1)]
        self._store.cover_days(edition, days, capture.captured_at)


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
