"""Reading many captures at once, on all cores, ahead of the one that writes what they say."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from pathlib import Path
from types import TracebackType
from typing import Self

from archive.extract.cross_check import second_opinion
from archive.extract.page import extract, promised
from archive.model import ArticleKey, Capture, Extract, Unextractable
from archive.sites.sohr.addresses import Site
from archive.warc.reader import read_response

AT_ONCE = 16  # captures handed to a process in one message
Said = Extract | Unextractable | None  # None: reading it failed, and is to fail where that is told


class Ahead:
    """Reads captures in processes of its own; `extract` answers at once for those that were read ahead, and
    reads others itself."""

    def __init__(self, site: Site, jobs: int) -> None:
        self._site = site
        self._said: dict[
            tuple[Capture, ArticleKey | None], tuple[Future[list[tuple[Said, str | None]]], int]
        ] = {}
        self._last: tuple[Said, str | None] = (None, None)
        # Spawned: a fork would inherit the archive's lock, and hold it should this process be killed.
        self._pool = ProcessPoolExecutor(jobs, get_context("spawn"), _end_with_parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(cancel_futures=True)

    def start(self, captures: Sequence[Capture]) -> None:
        """Begin to read these; a redirect, a listing or an address that does not tell its post is left to the
        one that writes."""
        wanted = [(capture, key) for capture in captures if (key := promised(capture, self._site))]
        for first in range(0, len(wanted), AT_ONCE):
            part = wanted[first : first + AT_ONCE]
            try:
                future = self._pool.submit(_read, part, self._site)
            except BrokenExecutor:
                return  # it was killed: the one that writes reads for itself
            self._said |= {pair: (future, place) for place, pair in enumerate(part)}

    def extract(self, capture: Capture, site: Site, expected: ArticleKey | None) -> Extract | Unextractable:
        """What `archive.extract.page.extract` answers."""
        future, place = self._said.pop((capture, expected), (None, 0))
        try:
            said, drift = future.result()[place] if future else (None, None)
        except BrokenExecutor:
            said, drift = None, None
        if said is None:
            return extract(capture, site, expected)
        self._last = (said, drift)
        return said

    def second_opinion(self, capture: Capture, found: Extract) -> str | None:
        """What `archive.extract.cross_check.second_opinion` answers of the page that was read last."""
        said, drift = self._last
        return drift if said is found else second_opinion(capture, found)


class Again:
    """Reads captures back from the WARC files in processes of its own: what each of them says, once."""

    def __init__(self, site: Site, jobs: int) -> None:
        self._site = site
        self._said: dict[tuple[int, ArticleKey], tuple[Future[list[Said]], int]] = {}
        self._pool = ProcessPoolExecutor(jobs, get_context("spawn"), _end_with_parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def start(self, wanted: Sequence[tuple[int, ArticleKey, Path, int]]) -> None:
        """Begin to read these: capture, article, file, and the record's offset in it. Only places cross the
        border, not pages."""
        for first in range(0, len(wanted), AT_ONCE):
            part = wanted[first : first + AT_ONCE]
            future = self._pool.submit(
                _read_back, [(path, offset, key) for _, key, path, offset in part], self._site
            )
            self._said |= {
                (capture_id, key): (future, place) for place, (capture_id, key, _, _) in enumerate(part)
            }

    def extract(self, capture_id: int, key: ArticleKey) -> Extract | Unextractable | None:
        """What a capture says; None where it was not read, or could not be."""
        future, place = self._said.pop((capture_id, key), (None, 0))
        return future.result()[place] if future else None


def _read_back(places: Sequence[tuple[Path, int, ArticleKey]], site: Site) -> list[Said]:
    said: list[Said] = []
    for path, offset, key in places:
        try:
            said.append(extract(read_response(path, offset), site, key, apart=True))
        except Exception:  # noqa: BLE001  # read once more by the one that writes, who tells what is wrong with it
            said.append(None)
    return said


def _read(captures: Sequence[tuple[Capture, ArticleKey | None]], site: Site) -> list[tuple[Said, str | None]]:
    said: list[tuple[Said, str | None]] = []
    for capture, key in captures:
        try:
            found = extract(capture, site, key)
            said.append((found, second_opinion(capture, found) if isinstance(found, Extract) else None))
        except Exception:  # noqa: BLE001  # read once more by the one that writes, who tells what is wrong with it
            said.append((None, None))
    return said


def _end_with_parent() -> None:
    """A process that was killed cannot end its children; they watch it."""
    parent = parent_process()

    def watch() -> None:
        if parent:
            parent.join()
            os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
