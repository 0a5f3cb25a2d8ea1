"""Archives for benches: filled through the archive process's own code, without a site."""

from __future__ import annotations

import gzip
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from archive.extract.page import extract
from archive.extract.reread import Evidence
from archive.model import Capture
from archive.sites.sohr.addresses import Site
from tests.archiving import HOME, Archive
from tests.bench.measure import Spent
from tests.bench.site import SEED, heavy
from tests.replica import routes
from tests.replica.chrome import Look
from tests.replica.site import ReplicaSite

BATCH = 32


def posts(count: int) -> Iterator[Capture]:
    """Captures of posts as a crawl hands them over: pages of 60 KB, packed."""
    site = ReplicaSite(posts=count, seed=SEED, layout="foxiz")
    made = (post for i in site.ids("en") if (post := site.post("en", i)) and len(post.pages) == 1)
    for number, post in enumerate(made):
        answer = routes.answer(Look(site, "en", HOME.rstrip("/"), number), [str(post.post_id)], True, {}, {})
        body = gzip.compress(heavy(answer.body, number).encode(), 6, mtime=0)
        headers = (("Content-Type", "text/html; charset=UTF-8"), ("Content-Encoding", "gzip"))
        yield Capture(f"{HOME}en/{post.post_id}/", 200, headers, body, "2026-01-02T00:00:00Z")


def fill(folder: Path, captures: Iterator[Capture]) -> int:
    """Make an archive of these; how many were taken in."""
    count = 0
    with Archive(folder) as archive:
        while batch := list(islice(captures, BATCH)):
            archive.take(*batch)
            count += len(batch)
    return count


def read_pages(folder: Path) -> list[Capture]:
    """The page of the first capture of each version."""
    with closing(sqlite3.connect(folder / "archive.db")) as db:
        db.row_factory = sqlite3.Row
        evidence = Evidence.of(db, folder)
        sql = "select c.* from versions v join captures c on c.capture_id = v.first_capture_id"
        return [evidence.capture(row) for row in db.execute(sql)]


def extract_pages(captures: Sequence[Capture]) -> Spent:
    """Extraction alone, in this process."""
    wall, cpu = time.monotonic(), time.process_time()
    for capture in captures:
        extract(capture, Site(HOME))
    return Spent(time.monotonic() - wall, time.process_time() - cpu, units=len(captures))
