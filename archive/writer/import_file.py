"""`sohr-archive import`: captures of posts made by others come in by the one path, copied into our own files,
at their capture time."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from archive.clock import now, parse_time
from archive.model import Capture, Kind
from archive.outcome import PART
from archive.rebuild.rebuild import recorded_site
from archive.sites.sohr.addresses import HOME, Site
from archive.software import software
from archive.warc.foreign import UnreadableFile, captures, check
from archive.writer.messages import Happened, Open, Took
from archive.writer.server import Writer

LOOK = timedelta(hours=1)  # pages of one post, captured within this, belong to one look
BATCH = 32


def import_file(folder: Path, path: Path, progress: Callable[[int], None] = lambda _: None) -> Counter[str]:
    """Take in one file; what became of its records, by outcome. Taking it in again changes nothing.

    Raises UnreadableFile, Locked, CannotWrite.
    """
    if path.is_dir():
        raise UnreadableFile(f"{path} is a folder: name the WARC and WACZ files in it")
    try:
        with open(path, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read ({error.strerror}): give a WARC or WACZ file") from error
    check(path)  # before an archive is made of nothing
    name = f"{now()}-{secrets.token_hex(3)}"
    arguments = {"file": path.name, "sha256": digest}
    writer = Writer(
        Open(str(folder), known_site(folder).home, os.getpid(), name, "import", arguments, software())
    )
    counts: Counter[str] = Counter()
    verdict = ("finished", 0, "healthy")
    try:
        _take(writer, path, name, counts, progress)
    except BaseException as error:
        verdict = ("broken_off", getattr(error, "exit_status", 70), "broken")
        raise
    finally:
        reason, status, word = verdict
        done = {
            "event": "crawl-finished",
            "name": name,
            "at": now(),
            "reason": reason,
            "exit_status": status,
            "verdict": word,
        }
        try:
            writer.work([Happened(done | {"counters": dict(counts)})])
        finally:
            writer.close()
    return counts


def known_site(folder: Path) -> Site:
    """The site of an archive, or the default where there is none yet."""
    return recorded_site(folder) or Site(HOME)


def _take(
    writer: Writer, path: Path, name: str, counts: Counter[str], progress: Callable[[int], None]
) -> None:
    later: list[Capture] = []  # further pages of posts: they wait for their first
    looks: dict[tuple[str | None, int | None], list[tuple[str, str]]] = {}
    batch: list[Capture] = []

    def is_post(url: str) -> bool:
        address = writer.site.parse(url)
        return address is not None and address.kind in (Kind.ARTICLE, Kind.SLUG)

    for found in captures(path, counts, is_post):
        progress(1)
        address = writer.site.parse(found.url)
        if address is None or not is_post(found.url):
            counts["other_page"] += 1
            continue
        capture = replace(found, url=found.url.partition("#")[0], recorded_at=now(), crawl=name)
        if address.page > 1:
            later.append(capture)
            continue
        batch.append(capture)
        if len(batch) >= BATCH:
            _hand(writer, batch, None, counts, looks)
            batch = []
    _hand(writer, batch, None, counts, looks)
    for capture in later:
        address = writer.site.parse(capture.url)
        made = looks.get((address.edition, address.post_id), []) if address else []
        near = [look for at, look in made if abs(parse_time(at) - parse_time(capture.captured_at)) <= LOOK]
        _hand(writer, [capture], near[0] if near else None, counts, looks)


def _hand(
    writer: Writer,
    batch: list[Capture],
    look: str | None,
    counts: Counter[str],
    looks: dict[tuple[str | None, int | None], list[tuple[str, str]]],
) -> None:
    fresh = [capture for capture in batch if not writer.store.has_capture(capture)]
    counts["held_already"] += len(batch) - len(fresh)
    for capture, outcome in zip(
        fresh, writer.work([Took(capture, look) for capture in fresh]) if fresh else [], strict=True
    ):
        counts[outcome.word] += 1
        if outcome.word == PART and outcome.article and outcome.look and look is None:
            key = (outcome.article.edition, outcome.article.post_id)
            looks.setdefault(key, []).append((capture.captured_at, outcome.look))
