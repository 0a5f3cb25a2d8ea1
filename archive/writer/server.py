"""The archive process: the only writer. It makes captures durable, ingests them, and answers with outcomes.

`archive.writer.client` starts it as ``python -m archive.writer.server``. It reads frames of
`archive.writer.messages` from standard input and answers on standard output. When its input ends it writes
all that it was given, and ends; a crawl that was killed loses nothing.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import sqlite3
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import urlsplit

from archive.clock import now, use
from archive.errors import ArchiveError, CannotWrite, WrongSite, advice_after
from archive.extract import EXTRACTOR
from archive.extract.cross_check import Check, cross_check, is_to_be_checked
from archive.extract.document import promised
from archive.extract.reader import KnownReader, Reader
from archive.figures.derive import derive
from archive.folder import WARC
from archive.ingest.events import apply_event, unfinished
from archive.ingest.judgement import judge
from archive.ingest.path import Ingest
from archive.ingest.served import learnt_homes
from archive.model import APART, STOPPED, Capture, Extract, Unextractable
from archive.outcome import HELD, Outcome
from archive.rebuild.mend import cut_torn_ends, known_ends, record_closed
from archive.rebuild.rebuild import recorded_site
from archive.rebuild.recover import recover
from archive.sites.sohr.addresses import Site
from archive.store.connection import Row
from archive.store.lock import hold
from archive.store.rows import open_store
from archive.warc.files import warc_files
from archive.warc.manifests import write_manifest
from archive.warc.reader import Position
from archive.warc.writer import Appender
from archive.writer.answers import Answers
from archive.writer.messages import Ask, Failed, Happened, Judge, Judged, Open, Took, frame
from archive.writer.originals import Originals

BATCH = 32  # captures; measured: in larger batches commit and fsync cost no less a capture

FIGURE_SECONDS = 30  # some 15,000 versions; the next crawl or `repair` reads the rest. A crawl waits for 60

WAITING = """select distinct k.name from pending_outcomes join captures using (capture_id)
    join crawls k using (crawl_id) where held_at is null"""


class Writer:
    """One opened archive. `work` answers a batch of messages once all of it is durable."""

    def __init__(self, message: Open) -> None:
        self.folder = Path(message.folder)
        self.name = message.name
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotWrite(
                f"the archive's folder {self.folder} cannot be made ({error.strerror}): {advice_after(error)}"
            ) from error
        self._is_whole = True  # what was written ends with a whole record
        self._lock = hold(self.folder, message.owner)
        self.site = Site(message.site)
        self.store = open_store(self.folder)
        cut_torn_ends(self.folder, self.store)
        with self.store.transaction():
            known = self.store.about("site")
        if known is None and (recorded := recorded_site(self.folder)):  # its database was deleted
            known = recorded.name
        moved_from = message.arguments.get("moved_from")
        if known is not None and known != self.site.name:
            self.site = self._find_moved(known, moved_from) or self.site
        if known is not None and known != self.site.name:
            raise WrongSite(
                f"{self.folder} is an archive of {known}, not of {self.site.name}: "
                "give another folder (-s ARCHIVE_DIR=...)"
            )
        self.ingest = Ingest(self.store, self.site, self.folder)
        recover(self.folder, self.store, self.ingest)
        self.warc = Appender(self.folder / WARC, self.site.name, known_ends(self.folder, self.store))
        self.warc.describe(message.software)
        self._tls: dict[str, Position] = {}  # how connections to hosts are secured, in this crawl
        self._originals = Originals(self.folder, self.store)
        self.answers = Answers(self.store, self.site, self.ingest.channels, self.ingest.evidence)
        self._seconds = message.read_seconds
        for row in unfinished(self.ingest):  # the last crawl was killed while it read these
            self._read_apart(row)
        for row in self.store.query(WAITING):  # the last crawl was killed before it was judged
            self._judge(row[0])
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
        begun |= {"arguments": message.arguments, "software": message.software}
        if shorter := [file.name for file in warc_files(self.folder / WARC) if self.warc.is_shorter(file)]:
            begun["shorter_files"] = shorter
            sys.stderr.write(
                "sohr: WARC files are shorter than they were, and nothing is added to them: "
                f"{', '.join(shorter)}: "
                "restore them from a copy ('sohr-archive verify' says more)\n"
            )
        self.work([*map(Happened, self._ends_of_killed_crawls()), Happened(begun)])

    def _find_moved(self, known: str, moved_from: str | None) -> Site | None:
        """The archive's site, if its records or ``moved_from`` say that it is served at this address."""
        home = self.store.about("home")
        names = {Site(one).name for one in learnt_homes(self.store)}
        is_moved = self.site.name in names or (moved_from and Site(moved_from).name == known)
        return Site(home) if home and is_moved else None

    def _ends_of_killed_crawls(self) -> list[dict[str, Any]]:
        """Events that end the crawls that could not write their own end, at their last sign. This process
        holds the lock, so none of them still runs."""
        rows = self.store.query(
            """select name, max(started_at, coalesce((select max(recorded_at) from captures c
               where c.crawl_id = k.crawl_id), '')) as last_sign_at
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
        """Make the messages durable, write their rows, return their answers. Raises CannotWrite; nothing of
        the batch is then in the database."""
        messages = [
            replace(one, capture=self.ingest.listed.store_once(one.capture)) if isinstance(one, Took) else one
            for one in messages
        ]
        with self._writing():
            written = [self._append(message) for message in messages]
            with self._indexing():
                answers = [self._answer(*one) for one in zip(messages, written, strict=True)]
            self._originals.clear_batch()
        if any(isinstance(answer, Outcome) and answer.word == APART for answer in answers):
            outcomes = {row["record_id"]: self._read_apart(row)[0] for row in unfinished(self.ingest)}
            for number, one in enumerate(written):
                if one and one.position.record_id in outcomes:
                    answers[number] = outcomes[one.position.record_id]
        return [self._judge(answer.crawl) if isinstance(answer, Judge) else answer for answer in answers]

    def _judge(self, crawl: str) -> Judged:
        """Judge the outcomes that wait, as `archive.ingest.judgement` does."""
        event = judge(self.ingest, crawl, now())
        outcomes = self._record_event(event) if event else []
        return Judged(tuple(outcome for outcome in outcomes if outcome.word != HELD))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Append records. If this fails, half a record may stand."""
        self._is_whole = False
        yield
        record_closed(self.folder, self.store, self.warc.closed)
        self._is_whole = True

    @contextmanager
    def _indexing(self) -> Iterator[None]:
        """Write the rows of records, once those are durable."""
        self.warc.sync()
        with self.store.transaction():
            self.store.files.register(self.warc.opened, now())
            self.warc.opened.clear()
            yield

    def _read_apart(self, row: Row) -> list[Outcome]:
        """Read a heavy page in a process of its own, check any page that needs a second opinion; the record
        of how that ended comes before its rows."""
        capture = self.ingest.evidence.capture(row)
        expected = self.ingest.articles.find_key(capture.url)
        found: Extract | Unextractable | None = Reader(self.site).read(capture, expected)
        if isinstance(found, Unextractable) and found.reason == APART:
            from archive.extract.sandbox import read_apart  # few crawls meet one

            found = read_apart(capture, self.site, expected, self._seconds)
        stopped = found.detail if isinstance(found, Unextractable) and found.reason == STOPPED else None
        drift = (
            cross_check(capture, found) if isinstance(found, Extract) and is_to_be_checked(found) else None
        )
        known = KnownReader(self.site, found, Check(drift)) if found else None
        return self._record_event(_read_apart_event(row["record_id"], stopped, drift), known)

    def _record_event(self, event: dict[str, Any], reader: Reader | None = None) -> list[Outcome]:
        with self._writing():
            position = self.warc.append_event(event["at"], event)
            with self._indexing():
                return apply_event(self.ingest, event, position, reader)

    def _append(self, message: Any) -> _Written | None:
        match message:
            case Took(capture, look, read):
                tls = self._tls.get(urlsplit(capture.url).netloc) if capture.source == "live" else None
                position = self.warc.append_exchange(capture, look, self._originals.find(capture), tls)
                self._originals.add(capture, position)
                return self._read_ahead(capture, position, read)
            case Happened(event):
                position = self.warc.append_event(event.get("at") or now(), event)
                if event["event"] == "tls":
                    self._tls[event["host"]] = position
                return _Written(position)
        return None

    def _read_ahead(
        self, capture: Capture, position: Position, found: Extract | Unextractable | None
    ) -> _Written:
        """Read a page whose address names its post. If it needs a second opinion, that is the next record."""
        key = promised(capture, self.site)
        if found is None and key is not None:
            try:
                found = Reader(self.site).read(capture, key)
            except Exception:  # noqa: BLE001  # `Ingest` reads it once more, and reports the error
                key = None
        if key is None or not isinstance(found, Extract) or not is_to_be_checked(found):
            return _Written(position, KnownReader(self.site, found) if found else None)
        drift = cross_check(capture, found)
        event = _read_apart_event(position.record_id, None, drift)
        checked = KnownReader(self.site, found, Check(drift))
        return _Written(position, checked, event, self.warc.append_event(event["at"], event))

    def _answer(self, message: Any, one: _Written | None) -> Any:
        match message:
            case Took(capture, look, _) if one is not None:
                reader = KnownReader(self.site, one.reader.found) if one.reader else None
                outcome = self.ingest.record_capture(capture, one.position, look, reader)
                if one.event and one.at:
                    outcome = next(iter(apply_event(self.ingest, one.event, one.at, one.reader)), outcome)
                return outcome
            case Happened(event) if one is not None:
                apply_event(self.ingest, event, one.position)
                return True
            case Judge():
                return message  # answered after the batch, for its decision is a record of its own
            case Ask(name, arguments):
                return getattr(self.answers, name)(*arguments)
        raise TypeError(f"not a message: {message!r}")

    def close(self) -> None:
        """Close files, database and lock. Seal what was added in a manifest and read its figures, unless a
        write failed and half a record may stand."""
        try:
            self.warc.close()
            if self._is_whole:
                write_manifest(self.folder, self.name, now())
                derive(self.store, FIGURE_SECONDS)
        finally:
            self.store.close()
            self._lock.close()


class _Written(NamedTuple):
    """The record of a message, and that of what was made of its page before its rows are written."""

    position: Position
    reader: KnownReader | None = None
    event: dict[str, Any] | None = None
    at: Position | None = None


def _read_apart_event(record_id: str, stopped: str | None, drift: str | None) -> dict[str, Any]:
    event = {"event": "read-apart", "record_id": record_id, "stopped": stopped, "drift": drift}
    return event | {"at": now()}


def main() -> int:
    """Serve one crawl over standard input and output."""
    # Ctrl-C is for the crawl; this process ends when it has written all
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    source = os.fdopen(os.dup(0), "rb", buffering=0)  # unbuffered: to read what has arrived at once
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
        send(sink, [Failed(str(error), status)])
        return int(status)
    except StopIteration:
        return 0
    finally:
        if writer:
            with contextlib.suppress(ArchiveError, OSError, sqlite3.Error):
                writer.close()
        gc.freeze()  # as in `crawler.commands.crawl`
    return 0


def send(sink: BinaryIO, messages: list[Any]) -> None:
    """Write frames. A reader that is gone does not matter: what it sent is written."""
    with contextlib.suppress(ConnectionError):
        sink.write(b"".join(frame(message) for message in messages))
        sink.flush()


def read_frames(source: BinaryIO) -> Iterator[list[Any]]:
    """Batches of the messages that have arrived: at least one, at most BATCH.

    A thread reads while a batch is written: a socket holds only a handful of pages, and each batch costs an
    fsync.
    """
    arrived: SimpleQueue[bytes] = SimpleQueue()  # bounded by what the crawl keeps in flight
    threading.Thread(target=_receive, args=(source, arrived), daemon=True).start()
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


def _receive(source: BinaryIO, arrived: SimpleQueue[bytes]) -> None:
    try:
        while chunk := source.read(1 << 18):
            arrived.put(chunk)
    except ConnectionError:
        pass  # the crawl was killed with answers unread: what it sent has arrived
    finally:
        arrived.put(b"")


if __name__ == "__main__":
    sys.exit(main())
