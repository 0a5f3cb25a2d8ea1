"""Archives for benches: filled through the archive process's own code, without a site."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from archive.model import Capture
from tests.archiving import HOME, Archive
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
