"""The archive process: the only writer. It takes captures from the crawl, makes them durable, ingests them,
and answers with outcomes.

Started as ``python -m archive.writer.server`` by `archive.writer.client`, it speaks over its standard input
and output frames of `archive.writer.messages`. It ends when its input ends, having written all it was handed,
whatever became of the crawl.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sqlite3
import struct
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

from archive.clock import now, use
from archive.errors import ArchiveError, CannotWrite, WrongSite
from archive.extract.page import EXTRACTOR
from archive.extract.sandbox import read_apart
from archive.ingest.channels import Channels
from archive.ingest.path import Ingest
from archive.model import APART, STOPPED, ArticleKey, Edition, Kind, Unextractable
from archive.outcome import ChannelState, Held, Outcome
from archive.rebuild.mend import cut_torn_ends, record_closed
from archive.rebuild.rebuild import recorded_site
from archive.rebuild.recover import recover
from archive.reports.drift import Drift, drift
from archive.sites import addresses_elsewhere
from archive.sites.sohr.addresses import Site
from archive.store.lock import hold
from archive.store.rows import Row, Store, open_store
from archive.warc.manifests import write_manifest
from archive.warc.reader import Position
from archive.warc.writer import Appender
from archive.writer.answers import Questions
from archive.writer.messages import Ask, Failed, Happened, Open, Took, frame
from archive.writer.originals import Originals

BATCH = 32  # measured: beyond 32 captures a batch, what a commit and an fsync cost is lost in the noise


class Answers:
    """What a crawl may ask. Each method's result is sent back as it is."""

    def __init__(self, store: Store, site: Site, channels: Channels) -> None:
        self._store = store
        self._site = site
        self._channels = channels
        self._questions = Questions(store, site)

    def channels(self, edition: Edition) -> list[ChannelState]:
        """What is known of an edition's channels."""
        return self._channels.states(edition)

    def condition(self, url: str) -> tuple[str, str] | None:
        """The header that asks for an address only if it is another than the newest held."""
        return self._questions.condition(url)

    def unasked(self, edition: Edition) -> list[Held]:
        """Articles that a channel showed to be changed, and whose page did not come since."""
        return self._questions.unasked(edition, now())

    def uncovered_days(self, edition: Edition, until: str) -> dict[str, int]:
        """Archive days up to one of which posts are known and that were not walked whole, with how many."""
        return self._questions.uncovered_days(edition, until)

    def unswept(self, edition: Edition, after: int, last: int, limit: int) -> list[Held]:
        """Ids behind one, up to another, that are not held and were not found empty within a month."""
        return self._questions.unswept(edition, after, last, limit, now())

    def unheld(self, edition: Edition, after: int, limit: int) -> list[tuple[int, Held]]:
        """Articles sighted and never captured."""
        return self._store.unheld(edition, after, limit, now())

    def unresolved(self, after: int, limit: int) -> list[tuple[int, Held]]:
        """Addresses whose article is not known yet."""
        return self._questions.unresolved(after, limit, now())

    def due(
        self, edition: Edition, before: str | None, after: tuple[str, int], limit: int
    ) -> list[tuple[tuple[str, int], Held]]:
        """Articles to look at again."""
        return self._questions.due(edition, before, after, limit)

    def gaps(self, edition: Edition) -> list[Any]:
        """Where earlier walks broke off."""
        return self._store.gaps(edition)

    def asked_since(self, at: str) -> int:
        """How many requests the site answered since an instant."""
        return self._store.asked_since(at, self._site.name)

    def rests_asked(self, limit: int) -> list[tuple[str, str, float]]:
        """When the site asked to be left alone, for how long in its own words, and how far ahead the clock of
        that crawl was."""
        return self._store.rests_asked(self._site.name, limit)

    def drift(self, crawl: str) -> Drift:
        """Whether what a crawl brought makes sense beside what came before."""
        return drift(self._store, crawl, now())

    def last_asked(self, url: str) -> tuple[str, int] | None:
        """When an address was last captured, and its status then."""
        return self._store.last_asked(url)

    def covered_days(self, edition: Edition, since: str, until: str) -> set[str]:
        """Days whose date archive was walked whole."""
        return self._store.covered_days(edition, since, until)

    def lookup(self, urls: tuple[str, ...]) -> list[Held | None]:
        """What the archive knows of addresses; None for those that are not articles of the site."""
        found: list[Held | None] = []
        for url in urls:
            address = self._site.parse(url)
            if address is None or address.kind not in (Kind.ARTICLE, Kind.SLUG):
                found.append(None)
                continue
            key = (
                ArticleKey(address.edition, str(address.post_id))
                if address.edition and address.post_id
                else None
            )
            row = self._store.article(key) if key else self._store.article_at(address.url)
            ask = self._site.article_url(key) if key and address.page > 1 else address.url
            found.append(self._store.held(row) if row else Held(ask, key))
        return found

    def lookup_pages(self, urls: tuple[str, ...]) -> list[Held | None]:
        """What the archive knows of pages of other sites; None for addresses that are none, or of the
        archive's own site."""
        found: list[Held | None] = []
        for url in urls:
            page = addresses_elsewhere.clean(url)
            ours = (
                page is None
                or self._site.parse(page) is not None
                or (addresses_elsewhere.is_loopback(page) and not self._site.is_loopback)
            )
            row = self._store.article_at(page) if page and not ours else None
            found.append(
                replace(self._store.held(row), url=page)
                if row and page
                else None
                if ours or not page
                else Held(page, None)
            )
        return found


class Writer:
    """One opened archive. `work` takes a batch of messages and gives their answers, after all of it is
    durable."""

    def __init__(self, message: Open) -> None:
        self.folder = Path(message.folder)
        self.name = message.name
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotWrite(
                f"the archive's folder {self.folder} cannot be made ({error.strerror}): give one you may write to"
            ) from error
        self._whole = True  # all that was written ends with a whole record
        self._lock = hold(self.folder, message.owner)
        self.site = Site(message.site)
        self.store = open_store(self.folder)
        cut_torn_ends(self.folder, self.store)
        with self.store.transaction():
            known = self.store.about("site")
        if known is None and (recorded := recorded_site(self.folder)):  # its database was deleted
            known = recorded.name
        if known is not None and known != self.site.name:
            raise WrongSite(
                f"{self.folder} is an archive of {known}, not of {self.site.name}: give another folder (-s ARCHIVE_DIR=...)"
            )
        self.ingest = Ingest(self.store, self.site, self.folder)
        recover(self.folder, self.store, self.ingest)
        self.warc = Appender(self.folder / "warc", self.site.name)
        self.warc.describe(message.software)
        self._originals = Originals(self.folder, self.store)
        self.answers = Answers(self.store, self.site, self.ingest.channels)
        self._seconds = message.read_seconds
        for row in self.ingest.waiting():  # the last crawl was killed while it read these
            self._apart(row)
        begun: dict[str, Any] = {
            "event": "crawl-started",
            "name": message.name,
            "kind": message.kind,
            "at": now(),
            "site": self.site.home,
            "extractor": EXTRACTOR,
        }
        if message.clock.stated:
            begun |= {"clock": message.clock.stated, "clock_ahead": round(message.clock.ahead, 3)}
        cut_off = [Happened(event) for event in self._cut_off()]
        self.work(
            [*cut_off, Happened(begun | {"arguments": message.arguments, "software": message.software})]
        )

    def _cut_off(self) -> list[dict[str, Any]]:
        """The ends of crawls that could not tell theirs: nobody else holds the lock, so none of them runs.
        Their last sign is when they ended."""
        rows = self.store.query(
            """select name, max(started_at, coalesce((select max(recorded_at) from captures c where c.crawl_id = k.crawl_id), '')) as last_sign_at
               from crawls k where finished_at is null order by crawl_id"""
        )
        end: dict[str, Any] = {
            "event": "crawl-finished",
            "at": now(),
            "reason": "interrupted",
            "exit_status": None,
            "verdict": "cut off",
            "counters": {},
        }
        return [end | dict(row) for row in rows]

    def work(self, messages: list[Any]) -> list[Any]:
        """Durable first, then the rows, then the answers. Raises CannotWrite; nothing of the batch is then in
        the database."""
        self._whole = False
        written: list[tuple[Any, Position | None]] = [
            (message, self._append(message)) for message in messages
        ]
        self.warc.sync()
        with self.store.transaction():
            self.store.register_files(self.warc.opened, now())
            self.warc.opened.clear()
            answers = [self._answer(message, position) for message, position in written]
        self._originals.indexed()
        record_closed(self.folder, self.store, self.warc.closed)
        self._whole = True
        if any(isinstance(answer, Outcome) and answer.word == APART for answer in answers):
            told = {row["record_id"]: self._apart(row) for row in self.ingest.waiting()}
            answers = [
                told.get(at.record_id, answer) if at else answer
                for answer, (_, at) in zip(answers, written, strict=True)
            ]
        return answers

    def _apart(self, row: Row) -> Outcome | None:
        """Read a heavy page by itself, under a clock; what the clock decided is durable before it takes
        effect."""
        capture, expected = self.ingest.asks(row)
        found = read_apart(capture, self.site, expected, self._seconds)
        stopped = found.detail if isinstance(found, Unextractable) and found.reason == STOPPED else None
        self._whole = False
        event = {"event": "read-apart", "record_id": row["record_id"], "stopped": stopped, "at": now()}
        position = self.warc.append_event(event["at"], event)
        self.warc.sync()
        with self.store.transaction():
            self.store.register_files(self.warc.opened, now())
            self.warc.opened.clear()
            self.ingest.found = found
            outcome = self.ingest.event(event, position)
            self.ingest.found = None
        record_closed(self.folder, self.store, self.warc.closed)
        self._whole = True
        return outcome

    def _append(self, message: Any) -> Position | None:
        match message:
            case Took(capture, look, _):
                position = self.warc.append_exchange(capture, look, self._originals.of(capture))
                self._originals.wrote(capture, position)
                return position
            case Happened(event):
                return self.warc.append_event(event.get("at") or now(), event)
        return None

    def _answer(self, message: Any, position: Position | None) -> Any:
        match message:
            case Took(capture, look, read) if position is not None:
                return self.ingest.safely(capture, position, look, read)
            case Happened(event) if position is not None:
                self.ingest.event(event, position)
                return True
            case Ask(name, arguments):
                method: Callable[..., Any] = getattr(self.answers, name)
                return method(*arguments)
        raise TypeError(f"not a message: {message!r}")

    def close(self) -> None:
        """Let go of files, database and lock, and seal what was added in a manifest: not where a write
        failed, and half a record may stand."""
        try:
            self.warc.close()
            if self._whole:
                write_manifest(self.folder, self.name, now())
        finally:
            self.store.close()
            self._lock.close()


def main() -> int:
    """Serve one crawl over standard input and output."""
    # Ctrl-C is for the crawl; this process ends when it has written all
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    source = os.fdopen(os.dup(0), "rb", buffering=0)  # unbuffered: what has come is taken at once
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing but frames on the line: a library that prints, prints to standard error
    writer: Writer | None = None
    frames = read_frames(source)
    try:
        message: Open = next(frames)[0]
        use(message.clock)
        writer = Writer(message)
        send(sink, [True])
        for batch in frames:
            send(sink, writer.work(batch))
    except (ArchiveError, OSError, sqlite3.Error) as error:
        status = getattr(error, "exit_status", CannotWrite.exit_status)
        send(sink, [Failed(str(error), status, fatal=True, trace=traceback.format_exc())])
        return int(status)
    except StopIteration:
        return 0
    finally:
        if writer:
            with contextlib.suppress(ArchiveError, OSError, sqlite3.Error):
                writer.close()
    return 0


def send(sink: BinaryIO, messages: list[Any]) -> None:
    """Write frames; a reader that is gone does not matter, for what was handed over is written."""
    with contextlib.suppress(ConnectionError):
        sink.write(b"".join(frame(message) for message in messages))
        sink.flush()


def read_frames(source: BinaryIO) -> Iterator[list[Any]]:
    """Batches of what has arrived: at least one message, at most BATCH, without waiting for more than there
    is.

    A thread takes in what comes while a batch is written: a socket holds a handful of pages, and each batch
    costs an fsync.
    """
    arrived: SimpleQueue[bytes] = SimpleQueue()  # bounded by what the crawl lets be under way
    threading.Thread(target=_take_in, args=(source, arrived), daemon=True).start()
    buffer = bytearray()
    batch: list[Any] = []
    while True:
        while len(batch) < BATCH and len(buffer) >= 4:
            (length,) = struct.unpack_from(">I", buffer)
            if len(buffer) < 4 + length:
                break
            batch.append(pickle.loads(memoryview(buffer)[4 : 4 + length]))  # noqa: S301  # our own child's parent sent it
            del buffer[: 4 + length]
        if batch and (len(batch) >= BATCH or arrived.empty()):
            yield batch
            batch = []
            continue
        chunk = arrived.get()
        if not chunk:
            if batch:
                yield batch
            return
        buffer += chunk


def _take_in(source: BinaryIO, arrived: SimpleQueue[bytes]) -> None:
    try:
        while chunk := source.read(1 << 18):
            arrived.put(chunk)
    except ConnectionError:
        pass  # the crawl was killed with answers unread: what it had sent has come
    finally:
        arrived.put(b"")


if __name__ == "__main__":
    sys.exit(main())
