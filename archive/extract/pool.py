"""Reads many pages at once, in processes of their own, ahead of the one that writes."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from pathlib import Path

from archive.extract.document import promised
from archive.extract.page import extract
from archive.extract.reader import Reader
from archive.model import ArticleKey, Capture, Extract, Unextractable
from archive.sites.sohr.addresses import Site
from archive.warc.reader import read_response

AT_ONCE = 16  # pages handed to a process in one message
# None: an error of ours ended the reading. The writer reads the page again and reports the error.
Found = Extract | Unextractable | None
_Checked = tuple[Found, str | None]  # with what the second reader says


@contextmanager
def open_pool(jobs: int) -> Iterator[Executor]:
    """So many processes, each started when there is work for it."""
    # Spawned: a fork would inherit the archive's lock, and hold it should this process be killed.
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _end_with_parent)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


class ParallelReader(Reader):
    """Reads what it is told to start in the processes of a pool, and everything else here."""

    def __init__(self, site: Site, pool: Executor) -> None:
        super().__init__(site)
        self._pages: dict[tuple[Capture, ArticleKey | None], tuple[Future[list[_Checked]], int]] = {}
        self._records: dict[tuple[int, ArticleKey], tuple[Future[list[Found]], int]] = {}
        self._last: _Checked = (None, None)
        self._pool = pool

    def start(self, captures: Sequence[Capture]) -> None:
        """Begin to read these captures, except redirects, listings and addresses that do not name a post."""
        wanted = [(capture, key) for capture in captures if (key := promised(capture, self.site))]
        for first in range(0, len(wanted), AT_ONCE):
            part = wanted[first : first + AT_ONCE]
            try:
                future = self._pool.submit(_read, part, self.site)
            except BrokenExecutor:
                return  # a process was killed: the writer reads for itself
            self._pages |= {pair: (future, place) for place, pair in enumerate(part)}

    def read(self, capture: Capture, expected: ArticleKey | None) -> Extract | Unextractable:
        """As `Reader.read`; at once if it was started."""
        future, place = self._pages.pop((capture, expected), (None, 0))
        try:
            found, drift = future.result()[place] if future else (None, None)
        except BrokenExecutor:
            found = drift = None
        if found is None:
            return super().read(capture, expected)
        self._last = (found, drift)
        return found

    def cross_check(self, capture: Capture, found: Extract) -> str | None:
        """As `Reader.cross_check`; at once for the page that was read last."""
        last, drift = self._last
        return drift if last is found else super().cross_check(capture, found)

    def start_rereading(self, wanted: Sequence[tuple[int, ArticleKey, Path, int]]) -> None:
        """As `Reader.start_rereading`. Only places cross to the other processes, not pages."""
        for first in range(0, len(wanted), AT_ONCE):
            part = wanted[first : first + AT_ONCE]
            places = [(path, offset, key) for _, key, path, offset in part]
            future = self._pool.submit(_read_back, places, self.site)
            self._records |= {
                (capture_id, key): (future, place) for place, (capture_id, key, _, _) in enumerate(part)
            }

    def reread(self, capture_id: int, key: ArticleKey) -> Found:
        """As `Reader.reread`."""
        future, place = self._records.pop((capture_id, key), (None, 0))
        return future.result()[place] if future else None


def _read_back(places: Sequence[tuple[Path, int, ArticleKey]], site: Site) -> list[Found]:
    found: list[Found] = []
    for path, offset, key in places:
        try:
            found.append(extract(read_response(path, offset), site, key, apart=True))
        except Exception:  # noqa: BLE001  # the writer reads it once more, and reports the error
            found.append(None)
    return found


def _read(captures: Sequence[tuple[Capture, ArticleKey | None]], site: Site) -> list[_Checked]:
    reader = Reader(site)
    checked: list[_Checked] = []
    for capture, key in captures:
        try:
            found = reader.read(capture, key)
            if isinstance(found, Extract) and not reader.is_to_be_checked(found):
                checked.append((found, reader.cross_check(capture, found)))
            else:
                checked.append((found, None))
        except Exception:  # noqa: BLE001  # the writer reads it once more, and reports the error
            checked.append((None, None))
    return checked


def _end_with_parent() -> None:
    """End with the parent process: one that is killed cannot end its children."""
    parent = parent_process()

    def watch() -> None:
        if parent:
            parent.join()
            os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
