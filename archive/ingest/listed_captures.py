"""What public archives answer when they are asked for their index, or for a capture: kept so that a backfill
goes on where it stopped, and `audit` can say what is missing."""

from __future__ import annotations

from archive.html.decode import Undecodable, decode_body
from archive.ingest.seen import Seen
from archive.model import Capture, Kind
from archive.outcome import SERVED, Outcome
from archive.public_archives.captures import (
    BROKEN,
    ERROR,
    NotServed,
    is_without_page,
    read_memento,
    read_record,
    without_page,
)
from archive.public_archives.plan import FETCHED, REFUSED
from archive.public_archives.queries import CAPTURE, CHANNELS, INDEX, asked_of, identity_of
from archive.public_archives.rows import IndexPage, parse_commoncrawl, parse_wayback
from archive.sites.sohr.addresses import Site
from archive.store.rows import Store


class ListedCaptures:
    """Writes ``index_pages`` and ``listed_captures``."""

    def __init__(self, store: Store, site: Site) -> None:
        self._store = store
        self._site = site

    def record_answer(self, seen: Seen) -> Outcome | None:
        """Record an exchange with a public archive; None for any other."""
        service, kind = CHANNELS.get(seen.capture.channel or "", (None, None))
        if service is None:
            return None
        return self._record_index(seen, service) if kind == INDEX else self._record_served(seen, service)

    def store_once(self, capture: Capture) -> Capture:
        """An exchange as it is to be kept: the page in it is handed over by itself. It has the body, and the
        exchange does not: replay tools show a revisit with the date of what it refers to."""
        service, kind = CHANNELS.get(capture.channel or "", (None, None))
        if service is None or kind != CAPTURE or capture.truncated:
            return capture
        found = self._read(capture, service)
        is_page = isinstance(found, Capture) and self._is_of_site(found, capture.captured_at)
        return without_page(capture) if is_page else capture

    def _is_of_site(self, found: Capture, at: str) -> bool:
        """Whether a capture is of the site, and of no later time than its exchange."""
        return found.captured_at <= at and self._site.parse(found.url) is not None

    def note_capture(self, seen: Seen, service_url: str) -> None:
        """The capture that was asked of a public archive is here."""
        self._answer(seen.capture.source, service_url, FETCHED, "", seen.capture_id)

    def _record_index(self, seen: Seen, service: str) -> Outcome:
        capture = seen.capture
        is_absent = service == "commoncrawl" and capture.status in (400, 404)
        if capture.truncated or (capture.status != 200 and not is_absent):
            detail = "the answer is cut" if capture.truncated else f"status {capture.status}"
            return seen.fail(self._store, ERROR, f"the index {capture.url}: {detail}")
        try:
            page = IndexPage(()) if is_absent else _PARSERS[service](decode_body(capture))
        except Undecodable as error:
            return seen.fail(self._store, ERROR, f"the index {capture.url}: {error}")
        posts = self._record_rows(service, page)
        if page.is_cut or (page.unread and not page.rows):
            what = "breaks off within a row" if page.rows else "answers no rows that can be read"
            return seen.fail(self._store, ERROR, f"the index {capture.url} {what}")
        self._store.query(
            """insert into index_pages values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (url) do update set
               capture_id = excluded.capture_id, asked_at = excluded.asked_at, next_key = excluded.next_key,
               rows = excluded.rows, posts = excluded.posts, unread = excluded.unread,
               is_absent = excluded.is_absent""",
            *(capture.url, service, seen.capture_id, seen.at, page.next_key),
            *(len(page.rows), posts, page.unread, int(is_absent)),
        )
        return seen.outcome(SERVED)

    def _record_rows(self, service: str, page: IndexPage) -> int:
        """Keep the rows of posts; return how many there are."""
        posts = 0
        for row in page.rows:
            address = self._site.parse(row.url)
            if address is None or address.edition is None or address.kind not in (Kind.ARTICLE, Kind.SLUG):
                continue
            posts += 1
            post = f"{address.key or address.url} {address.page}"
            self._store.query(
                """insert into listed_captures (service, identity, post, edition, url, at, status, digest)
                   values (?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing""",
                *(service, row.identity, post, address.edition, row.url, row.at, row.status, row.digest),
            )
        return posts

    def _record_served(self, seen: Seen, service: str) -> Outcome:
        """An answer to the request for a capture. If it holds one, that is a record of its own."""
        found = self._read(seen.capture, service)
        if isinstance(found, Capture) and not self._is_of_site(found, seen.at):
            found = NotServed(BROKEN, f"{asked_of(seen.capture)[:300]} is of another site or of the future")
        if not isinstance(found, NotServed):
            return seen.outcome(SERVED)
        if found.is_final:
            self._answer(service, asked_of(seen.capture), REFUSED, found.detail, None)
        return seen.fail(self._store, found.reason, found.detail)

    def _read(self, exchange: Capture, service: str) -> object:
        if service == "wayback":
            return read_memento(exchange)
        if is_without_page(exchange):
            return None
        row = self._store.one(
            "select url, digest from listed_captures where service = ? and identity = ?",
            service,
            identity_of(asked_of(exchange)),
        )
        return read_record(exchange, row["url"], row["digest"]) if row else None

    def _answer(
        self, service: str, service_url: str, answer: str, detail: str, capture_id: int | None
    ) -> None:
        self._store.query(
            """update listed_captures set answer = ?, detail = ?, capture_id = coalesce(?, capture_id)
               where service = ? and identity = ? and answer is not 'fetched'""",
            *(answer, detail, capture_id, service, identity_of(service_url)),
        )


_PARSERS = {"wayback": parse_wayback, "commoncrawl": parse_commoncrawl}
