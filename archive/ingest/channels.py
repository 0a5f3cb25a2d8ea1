"""What each channel of the site offers, as its answers show: open or closed, how far a walk came, how much.

Derived from captures alone, in their order, so that a rebuild knows the same. A channel that the site never
offered is closed and asked again after a week. One that was offered closes after three failures in a row and
is asked again after a day (`crawler.walk.plan`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from archive.html.decode import Undecodable, decode_body, decode_text, is_cut
from archive.ingest.channel_digests import Digests
from archive.ingest.noise import BAD_ENTRY, count_noise
from archive.model import Address, ArticleKey, Capture, Edition, Kind, Listing, Sighting
from archive.outcome import (
    FEED,
    MOST_FAILURES,
    NO_CHANNEL,
    NOT_MODIFIED,
    REST,
    SITEMAP,
    ChannelState,
    KnownPost,
    Outcome,
)
from archive.sites.sohr.addresses import Site
from archive.sites.wordpress import rest, sitemaps
from archive.sites.wordpress.channels import Channel, find_channel
from archive.store.connection import Row
from archive.store.rows import Store

_NOT_OFFERED = frozenset((400, 401, 404, 405, 410, 501))
RecordSighting = Callable[[Sighting, str], KnownPost]


class Channels:
    """Reads answers of feeds, REST and sitemaps, and keeps the state of every channel."""

    def __init__(self, store: Store, site: Site, record_sighting: RecordSighting) -> None:
        self._store = store
        self._site = site
        self._record_sighting = record_sighting
        self.digests = Digests(store)
        self._is_foreign = False

    # -- answers

    def record_answer(self, capture: Capture, capture_id: int, address: Address) -> Outcome | None:
        """Record an answer of a feed or of REST; None for an address of neither."""
        self._is_foreign = capture.source != "live"
        if address.edition is None:
            return None
        if found := find_channel(address, self._site):
            return self._record_news(capture, capture_id, address, address.edition, *found)
        if asked := rest.asking(address, self._site):
            return self._record_rest(capture, capture_id, address, address.edition, asked)
        return None

    def _record_news(
        self,
        capture: Capture,
        capture_id: int,
        address: Address,
        edition: Edition,
        channel: Channel,
        page: int,
    ) -> Outcome:
        name, scope = channel.name, channel.scope
        text = _text(capture)
        listing = channel.parse(text, address, self._site, page) if text else None
        if listing is None:
            if page > 1 and capture.status in _NOT_OFFERED:
                self._walked(capture, edition, name, scope, None)
                detail = "the feed ends before this page"
                return Outcome(NO_CHANNEL, capture.url, capture.status, detail=detail)
            return self._record_failure(capture, edition, name, scope, "no feed there")
        if page == 1 and not channel.is_useful(listing):
            detail = "not in the order of edits"
            return self._record_failure(capture, edition, name, scope, detail, is_final=True)
        self._offered(capture, edition, name, scope)
        if listing.is_partly_unread:
            count_noise(self._store, edition, capture.captured_at, BAD_ENTRY)
        row = self._row(edition, name, scope)
        is_walking = row is not None and (row["whole_at"] is None or row["next_page"] is not None)
        if row is not None and is_walking and page <= (row["next_page"] or 1):
            self._walked(capture, edition, name, scope, max(row["next_page"] or 1, page + 1))
        known = self._record_sightings(capture, capture_id, listing)
        return Outcome(FEED, capture.url, capture.status, listing=listing, posts=known)

    def _record_rest(
        self, capture: Capture, capture_id: int, address: Address, edition: Edition, asked: rest.Asking
    ) -> Outcome:
        total, pages = capture.header("x-wp-total"), capture.header("x-wp-totalpages")
        text = _text(capture)
        posts = rest.parse_posts(text, address, self._site, asked, total, pages) if text else None
        if posts is None:
            if asked.page > 1 and capture.status == 400:
                self._walked(capture, edition, "rest", asked.question, None)
                return Outcome(NO_CHANNEL, capture.url, capture.status, detail="there are no more pages")
            return self._record_failure(capture, edition, "rest", asked.question, "REST is switched off")
        self._offered(capture, edition, "rest", asked.question)
        known = self._record_sightings(capture, capture_id, posts.listing)
        shown = {sighting.post_id for sighting in posts.listing.sightings}
        absent = sorted(set(asked.ids) - shown) if posts.is_whole else []
        match asked.question:
            case "look":
                self._record_absence(capture, capture_id, absent, edition)
            case "walk":
                self._rest_walked(capture, edition, asked.page, posts)
            case "ids":
                for post_id in absent:
                    self.swept(edition, post_id, capture.captured_at)
            case "edited":
                self._edited(capture, edition, asked, posts)
        return Outcome(REST, capture.url, capture.status, listing=posts.listing, posts=known)

    def record_sitemap(self, capture: Capture, capture_id: int, address: Address) -> Outcome:
        """Record a sitemap: an index names further ones, a list shows posts. Many sites have none."""
        self._is_foreign = capture.source != "live"
        text = _text(capture)
        name = address.url.rpartition("/")[2]
        if not sitemaps.is_sitemap(text):
            if address.edition is not None:
                self._record_failure(capture, address.edition, "sitemap", name, "no sitemap there")
            return Outcome("missing", capture.url, capture.status, detail="no sitemap there")
        if address.edition is not None:
            self._offered(capture, address.edition, "sitemap", name)
        if further := sitemaps.parse_index(text, address, self._site):
            return Outcome(SITEMAP, capture.url, capture.status, page_urls=further)
        listing = sitemaps.parse_sitemap(text, address, self._site)
        known = self._record_sightings(capture, capture_id, listing)
        return Outcome(SITEMAP, capture.url, capture.status, listing=listing, posts=known)

    def _record_sightings(self, capture: Capture, capture_id: int, listing: Listing) -> tuple[KnownPost, ...]:
        known = []
        for sighting in listing.sightings:
            one = self._record_sighting(sighting, capture.captured_at)
            row = self._store.articles.get(one.key) if one.key else None
            if row:
                one = self.digests.record(row, one, sighting, capture.captured_at, capture_id)
            known.append(one)
        return tuple(known)

    def _record_absence(
        self, capture: Capture, capture_id: int, ids: Sequence[int], edition: Edition
    ) -> None:
        for post_id in ids:
            row = self._store.articles.get(ArticleKey(edition, str(post_id)))
            if row is not None:
                self.digests.absent(row, "rest", capture.captured_at, capture_id)

    # -- states

    def _record_failure(
        self,
        capture: Capture,
        edition: Edition,
        channel: str,
        scope: str,
        detail: str,
        is_final: bool = False,
    ) -> Outcome:
        """A channel did not give what was asked for. A 304 says that it has nothing new."""
        row = self._row(edition, channel, scope)
        if capture.status == 304 and row is not None and not row["is_open"]:  # it is as useless as it was
            self._set(edition, channel, scope, asked_at=capture.captured_at)
            return Outcome(NO_CHANNEL, capture.url, 304, detail=row["detail"])
        if capture.status == 304:
            self._offered(capture, edition, channel, scope)
            return Outcome(NOT_MODIFIED, capture.url, 304)
        failed = (row["failed"] if row else 0) + 1
        was_offered = row is not None and row["url"] is not None
        is_final = not was_offered and (is_final or capture.status in _NOT_OFFERED)
        is_open = failed < MOST_FAILURES and not is_final and (row is None or bool(row["is_open"]))
        reason = detail if capture.status == 200 else f"status {capture.status}"
        self._set(
            edition,
            channel,
            scope,
            asked_at=capture.captured_at,
            status=capture.status,
            is_open=int(is_open),
            failed=1 if is_final else min(failed, MOST_FAILURES),
            detail=reason,
        )
        return Outcome(NO_CHANNEL, capture.url, capture.status, detail=reason)

    def not_modified(self, capture: Capture, address: Address) -> Outcome | None:
        """Record a 304 of a channel: it has nothing new, or is still of no use. None for other addresses."""
        self._is_foreign = capture.source != "live"
        scope = self._scope(address)
        if address.edition is None or scope is None:
            return None
        return self._record_failure(capture, address.edition, *scope, "")

    def unanswered(self, url: str, at: str) -> None:
        """Record that no answer came, with all retries."""
        self._is_foreign = False
        address = self._site.parse(url)
        scope = self._scope(address) if address else None
        if address and address.edition and scope:
            self._record_failure(Capture(url, 0, (), b"", at), address.edition, *scope, "no answer")

    def _scope(self, address: Address) -> tuple[str, str] | None:
        if found := find_channel(address, self._site):
            return found[0].name, found[0].scope
        if address.kind is Kind.REST and (asked := rest.asking(address, self._site)):
            return "rest", asked.question
        if address.kind is Kind.LISTING and address.scope.startswith("category/"):
            return "category", address.scope
        if address.kind is Kind.SITEMAP:
            return "sitemap", address.url.rpartition("/")[2]
        return None

    def states(self, edition: Edition) -> list[ChannelState]:
        """What is known of an edition's channels."""
        rows = self._store.query("select * from channels where edition = ? order by channel, scope", edition)
        names = ("channel", "scope", "asked_at", "total", "newest_at", "next_page", "whole_at", "failed")
        return [
            ChannelState(is_open=bool(row["is_open"]), **{name: row[name] for name in names}) for row in rows
        ]

    def _offered(self, capture: Capture, edition: Edition, channel: str, scope: str) -> None:
        self._set(
            edition,
            channel,
            scope,
            url=capture.url,
            asked_at=capture.captured_at,
            status=capture.status,
            is_open=1,
            failed=0,
            detail="",
        )

    def _rest_walked(self, capture: Capture, edition: Edition, page: int, posts: rest.Posts) -> None:
        """Record a page of the walk by id. A new walk ends if the site counts as many posts as we know."""
        row = self._row(edition, "rest", "walk")
        is_known = (
            row is not None
            and row["whole_at"] is not None
            and row["next_page"] is None
            and posts.total == self._known(edition)
        )
        self._set(edition, "rest", "walk", total=posts.total)
        self._walked(
            capture, edition, "rest", "walk", page + 1 if posts.listing.has_next and not is_known else None
        )

    def _known(self, edition: Edition) -> int:
        sql = """select count(*) from articles where edition = ?
                 and coalesce(state, 'live') not in ('missing', 'disappeared', 'moved')"""
        row = self._store.one(sql, edition)
        return int(row[0]) if row else 0

    def listed(self, capture: Capture, address: Address, listing: Listing | None) -> Outcome | None:
        """Record a page of a date archive or a category; ``listing`` is None if it shows no posts.

        The outcome is that of a page without posts, which is no failure of a category; else None.
        """
        self._is_foreign = capture.source != "live"
        channel = address.scope.split("/")[0]
        if address.edition is None or channel not in ("date", "category"):
            return None
        scope = "date" if channel == "date" else address.scope
        row = self._row(address.edition, channel, scope)
        if listing is not None:
            self._offered(capture, address.edition, channel, scope)
            if channel == "category" and (
                row is None or row["whole_at"] is None or row["next_page"] is not None
            ):
                at = (row["next_page"] if row else None) or 1
                if listing.has_next is False:
                    self._walked(capture, address.edition, channel, scope, None)
                elif address.page <= at:
                    self._walked(capture, address.edition, channel, scope, max(at, address.page + 1))
            return None
        if address.page > 1:
            if channel == "category" and capture.status in _NOT_OFFERED:
                self._walked(capture, address.edition, channel, scope, None)
            return Outcome("missing", capture.url, capture.status)
        if channel == "date" and row is not None and row["is_open"]:  # a day without posts answers 404
            failed = row["failed"] + 1
            self._set(
                address.edition,
                channel,
                scope,
                asked_at=capture.captured_at,
                failed=failed,
                is_open=int(failed < MOST_FAILURES),
            )
            return None
        return self._record_failure(capture, address.edition, channel, scope, "no posts there", is_final=True)

    def categories(self, edition: Edition, scopes: Sequence[str]) -> None:
        """Record categories that a page links to, to be asked later."""
        for scope in scopes:
            self._store.query(
                """insert into channels (edition, channel, scope) values (?, 'category', ?)
                   on conflict do nothing""",
                edition,
                scope,
            )

    def swept(self, edition: Edition, post_id: int, at: str) -> None:
        """Record that there is no post of this id."""
        sql = """insert into swept_ids values (?, ?, ?)
                 on conflict (edition, post_id) do update set asked_at = excluded.asked_at"""
        self._store.query(sql, edition, post_id, at)

    def _walked(
        self, capture: Capture, edition: Edition, channel: str, scope: str, next_page: int | None
    ) -> None:
        """Record how far a walk through all of a channel came; None: to its end."""
        self._set(
            edition,
            channel,
            scope,
            next_page=next_page,
            **({} if next_page else {"whole_at": capture.captured_at}),
        )

    def _edited(self, capture: Capture, edition: Edition, asked: rest.Asking, posts: rest.Posts) -> None:
        """Record up to when the log of edits is known: to its newest edit, once its pages were read back to
        where the last reading began."""
        row = self._row(edition, "rest", "edited")
        times = [s.modified_at for s in posts.listing.sightings if s.modified_at]
        pending = (
            min(max(times, default=""), capture.captured_at)
            if asked.page == 1
            else (row["pending_at"] if row else None)
        )
        is_end = (
            posts.listing.has_next is not True or asked.since is None or (times and min(times) <= asked.since)
        )
        newest = max(pending or "", (row["newest_at"] if row else None) or "") or None
        self._set(
            edition,
            "rest",
            "edited",
            pending_at=None if is_end else pending or None,
            **({"newest_at": newest} if is_end else {}),
        )

    def _row(self, edition: Edition, channel: str, scope: str) -> Row | None:
        return self._store.one(
            "select * from channels where edition = ? and channel = ? and scope = ?", edition, channel, scope
        )

    def _set(self, edition: Edition, channel: str, scope: str, **values: Any) -> None:
        # What the site once offered to somebody else says nothing of what it offers us now
        if self._is_foreign:
            return
        names = ", ".join(values)
        marks = ", ".join("?" * (len(values) + 3))
        renewed = ", ".join(f"{name} = excluded.{name}" for name in values)
        sql = f"""insert into channels (edition, channel, scope, {names}) values ({marks})
                  on conflict (edition, channel, scope) do update set {renewed}"""
        self._store.query(sql, edition, channel, scope, *values.values())


def _text(capture: Capture) -> str:
    """The body as text; empty where there is none to read."""
    if capture.status != 200:
        return ""
    try:
        body = decode_body(capture)
    except Undecodable:
        return ""
    return "" if is_cut(capture, body) else decode_text(capture, body)
