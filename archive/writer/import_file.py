"""`sohr-archive import`: add captures of posts from other people's files, at their capture time."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from archive.clock import now, parse_time
from archive.errors import UNREADABLE, DamagedWarc
from archive.extract.reread import Evidence
from archive.folder import WARC
from archive.model import ArticleKey, Capture, Kind
from archive.outcome import PART
from archive.rebuild.rebuild import recorded_site
from archive.sites.sohr.addresses import HOME, Site
from archive.software import software
from archive.warc.foreign import Report, Response, Revisit, read_captures
from archive.warc.foreign_records import UnreadableFile
from archive.writer.messages import Happened, Open, Took
from archive.writer.server import Writer

SINCE = "2006-05-01T00:00:00Z"  # the Observatory was founded in May 2006: its site has no earlier capture
LOOK = timedelta(hours=1)  # pages of one post, captured within this, belong to one look
BATCH = 32
_MOST_REVISITS = 64 * 2**20  # bytes of revisits that are kept until their originals are known
_MOST_ORIGINALS = 50  # captures of an address that are compared with a revisit's digest


class Importer:
    """Imports the files of one command. No archive is made before a post is found."""

    def __init__(self, folder: Path, progress: Callable[[int], object] = lambda _: None) -> None:
        self._folder = folder
        self._progress = progress
        self.site = known_site(folder)
        # Address and time of each response, by its id and by address and digest: what revisits refer to.
        self._places: dict[str | tuple[str, str], tuple[str, str]] = {}

    def add(self, path: Path) -> Report:
        """Import one file; a second time changes nothing. Raises UnreadableFile, Locked, CannotWrite."""
        if path.is_dir():
            raise UnreadableFile(f"{path} is a folder: name the WARC and WACZ files in it")
        report = Report()
        with _Session(self._folder, self.site, path, report) as session:
            self._read(session, path, report)
        return report

    def add_revisits(self, path: Path, report: Report) -> None:
        """Import those revisits of a file whose original came after it. Raises as `add`."""
        again, outcomes = Report(), Report()
        with _Session(self._folder, self.site, path, outcomes) as session:
            self._read(session, path, again, only_revisits=True)
        report.captures += report.counts["revisit"] - again.counts["revisit"]
        report.counts["revisit"] = again.counts["revisit"]
        report.counts.update(outcomes.counts)

    def _read(self, session: _Session, path: Path, report: Report, *, only_revisits: bool = False) -> None:
        revisits: list[Revisit] = []
        room = _MOST_REVISITS
        failure: UnreadableFile | None = None
        try:
            for found in read_captures(path, report, SINCE, self._is_post):
                self._progress(1)
                if isinstance(found, Revisit):
                    revisits.append(found)
                    room -= 1000 + sum(len(value) for pair in found.capture.headers for value in pair)
                elif not only_revisits:
                    self._note(found)
                    session.add(found.capture)
                if room < 0:
                    self._resolve(session, revisits, report)
                    revisits, room = [], _MOST_REVISITS
        except UnreadableFile as error:
            failure = error  # what was read before stays
        self._resolve(session, revisits, report)
        session.flush()
        if failure and not report.captures:
            raise failure
        report.failure = failure

    def _is_post(self, url: str) -> bool:
        address = self.site.parse(url)
        return address is not None and address.kind in (Kind.ARTICLE, Kind.SLUG)

    def _note(self, found: Response) -> None:
        place = (found.capture.url, found.capture.captured_at)
        if found.record_id:
            self._places[found.record_id] = place
        if found.digest:
            self._places[found.capture.url, found.digest] = place

    def _resolve(self, session: _Session, revisits: list[Revisit], report: Report) -> None:
        """Add revisits with the bodies of their originals, which the archive has by now."""
        session.flush(is_last=False)
        for revisit in revisits:
            whole = next(filter(None, map(revisit.complete, self._originals(session, revisit))), None)
            if whole:
                session.add(whole)
            else:
                report.counts["revisit"] += 1
                report.captures -= 1

    def _originals(self, session: _Session, revisit: Revisit) -> Iterator[Capture]:
        """Captures in the archive that may be a revisit's original, the most likely first."""
        url = revisit.capture.url
        places = (
            self._places.get(revisit.record_id),
            (revisit.url, revisit.at) if revisit.url and revisit.at else None,
            self._places.get((url, revisit.digest)),
            (url, None),
        )
        for place in places:
            if place:
                yield from session.captures(*place)


class _Session:
    """The import of one file: opens the archive for its first capture, and writes in batches."""

    def __init__(self, folder: Path, site: Site, path: Path, report: Report) -> None:
        self._folder, self._site, self._path, self._report = folder, site, path, report
        self._name = f"{now()}-{secrets.token_hex(3)}"
        self._writer: Writer | None = None
        self._batch: list[Capture] = []
        self._later: list[Capture] = []  # further pages of posts: they wait for their first
        self._looks: dict[ArticleKey, list[tuple[str, str]]] = {}

    def __enter__(self) -> _Session:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if self._writer is None:
            return
        status = UNREADABLE if self._report.lost or self._report.failure else 0
        finished = {
            "event": "crawl-finished",
            "name": self._name,
            "at": now(),
            "reason": "broken_off" if error else "finished",
            "exit_status": getattr(error, "exit_status", 70) if error else status,
            "verdict": "broken" if error else "damaged file" if status else "healthy",
            "counters": dict(self._report.counts),
        }
        try:
            self._writer.work([Happened(finished)])
        finally:
            self._writer.close()

    @property
    def writer(self) -> Writer:
        """The archive, opened."""
        if self._writer is None:
            with open(self._path, "rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            arguments = {"file": self._path.name, "sha256": digest}
            home, owner = self._site.home, os.getpid()
            self._writer = Writer(
                Open(str(self._folder), home, owner, self._name, "import", arguments, software())
            )
        return self._writer

    def add(self, capture: Capture) -> None:
        """Add a capture of a post."""
        url = capture.url.partition("#")[0]
        capture = replace(capture, url=url, recorded_at=now(), crawl=self._name)
        address = self._site.parse(url)
        if address and address.page > 1:
            self._later.append(capture)
            return
        self._batch.append(capture)
        if len(self._batch) >= BATCH:
            self.flush(is_last=False)

    def flush(self, *, is_last: bool = True) -> None:
        """Write what was added; with the last call also the further pages."""
        batch, self._batch = self._batch, []
        self._write(batch, None)
        if is_last:
            later, self._later = self._later, []
            for capture in later:
                self._write([capture], self._look(capture))

    def captures(self, url: str, at: str | None) -> Iterator[Capture]:
        """The captures of an address, at a time or of all times, newest first."""
        if self._writer is None and not (self._folder / WARC).is_dir():
            return
        query = f"""select * from captures where url = ? and captured_at = coalesce(?, captured_at)
                    and status != 304 order by captured_at desc limit {_MOST_ORIGINALS}"""
        rows = self.writer.store.query(query, url.partition("#")[0], at)
        evidence = Evidence(self._folder, self.writer.store.query, self._site)
        for row in rows:
            try:
                yield evidence.capture(row)
            except DamagedWarc:
                continue  # `verify` names it

    def _look(self, capture: Capture) -> str | None:
        """The look of the first page of a post, if it was captured about then."""
        address = self._site.parse(capture.url)
        if not (address and address.edition and address.post_id):
            return None
        for at, look in self._looks.get(ArticleKey(address.edition, str(address.post_id)), []):
            if abs(parse_time(at) - parse_time(capture.captured_at)) <= LOOK:
                return look
        return None

    def _write(self, batch: list[Capture], look: str | None) -> None:
        fresh = [capture for capture in batch if not self.writer.store.captures.has(capture)]
        self._report.counts["known_already"] += len(batch) - len(fresh)
        outcomes = self.writer.work([Took(capture, look) for capture in fresh]) if fresh else []
        for capture, outcome in zip(fresh, outcomes, strict=True):
            self._report.counts[outcome.word] += 1
            if outcome.word == PART and outcome.article and outcome.look and look is None:
                self._looks.setdefault(outcome.article, []).append((capture.captured_at, outcome.look))


def known_site(folder: Path) -> Site:
    """The site of an archive, or the default where there is none yet."""
    return recorded_site(folder) or Site(HOME)
