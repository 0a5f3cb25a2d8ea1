"""Versions into one database, as ingest writes them, without pages: ``python -m tests.bench.storing FOLDER
MARK...``; JSON a line at each mark.

Four in five are new posts, one is an edit. A rate is that of the versions just before its mark, in versions a
second of CPU.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from contextlib import closing
from pathlib import Path
from random import Random

from archive.ingest.path import Ingest
from archive.model import ArticleKey, Capture, Claim, Extract, Line
from archive.sites.sohr.addresses import Site
from archive.store.rows import Store, open_store
from archive.warc.files import WarcFile
from archive.warc.reader import Position
from tests.archiving import HOME
from tests.replica.site import ReplicaSite

BATCH = 32
WINDOW = 3000  # versions over which a rate is taken
AT = "2026-01-02T00:00:00Z"


class Texts:
    """Texts of the replica's posts, with a number of their own in each: all different, all of the site's
    kind."""

    def __init__(self) -> None:
        site = ReplicaSite(posts=400, seed=8)
        self._posts = [
            post
            for edition in ("en", "ar")
            for i in site.ids(edition)
            if (post := site.post(edition, i)) and post.lines
        ]

    def extract(self, number: int, post_id: int) -> Extract:
        """What a page would be read as; an edit of a post changes one figure."""
        post = self._posts[post_id * 7919 % len(self._posts)]
        lines = tuple(
            Line(f"{line} Case {post_id}, {number} so far." if n == 0 else line)
            for n, line in enumerate(post.lines)
        )
        url = f"{HOME}en/{post_id}/"
        claims = (
            Claim("title", post.title, "h1"),
            Claim("canonical_url", url, "link:canonical"),
            Claim("published_at", AT, "json-ld:datePublished"),
        )
        return Extract(
            f"{post.title} {post_id}",
            lines,
            "foxiz",
            "1",
            post_id=post_id,
            edition="en",
            canonical_url=url,
            published_at=AT,
            modified_at=AT,
            day=f"20{post_id % 20 + 6:02d}-{post_id % 12 + 1:02d}-{post_id % 28 + 1:02d}",
            author=post.author,
            language="en-US",
            categories=post.categories,
            tags=post.tags,
            claims=claims,
        )


class Filling:
    """A database that is filled, and how far."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder = folder
        self._store = store
        self._ingest = Ingest(store, Site(HOME), folder)
        self._texts, self._random = Texts(), Random(9)
        self._articles = 0
        self.number = 0
        file = WarcFile(folder / "warc" / "x", "x", 1, "20260102", True)
        with store.transaction():
            store.files.register([file], AT)
            store.crawls.start("bench", "crawl", AT, {}, {})

    def fill(self, mark: int) -> None:
        """Write versions until there are so many."""
        while self.number < mark:
            with self._store.transaction():
                for _ in range(min(BATCH, mark - self.number)):
                    self._write()

    def _write(self) -> None:
        self.number += 1
        if self.number % 5:
            self._articles += 1
        post_id = self._articles if self.number % 5 else self._random.randrange(1, self._articles + 1)
        body = f"{self.number}".encode()
        capture = Capture(f"{HOME}en/{post_id}/", 200, (), body, AT, crawl="bench")
        place = Position(1, self.number * 100, 100, f"<urn:{self.number}>")
        seen = self._ingest.add_capture(capture, place, None)
        key = ArticleKey("en", str(post_id))
        text = self._texts.extract(self.number, post_id)
        self._ingest.note_outcome(seen.capture_id, self._ingest.versions.record_text(seen, key, text))

    def measured(self, mark: int) -> dict[str, float]:
        """Fill up to a mark; the rates of the last versions before it, and what is held then."""
        self.fill(mark - WINDOW)
        before, cpu, wall = self.number, time.process_time(), time.monotonic()
        self.fill(mark)
        done, cpu, wall = self.number - before, time.process_time() - cpu, time.monotonic() - wall
        texts = self._store._conn.execute("select title, text from versions")
        text = sum(len(line.encode()) for row in texts for line in row)
        self._store._conn.execute("pragma wal_checkpoint(truncate)")
        return {
            "versions": self.number,
            "rate_cpu": done / cpu,
            "rate": done / wall,
            "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "text": text,
            "size": (self._folder / "archive.db").stat().st_size,
        }


def main() -> None:
    """Fill up to each mark."""
    folder = Path(sys.argv[1])
    with closing(open_store(folder)) as store:
        filling = Filling(folder, store)
        for mark in sys.argv[2:]:
            print(json.dumps(filling.measured(int(mark))), flush=True)


if __name__ == "__main__":
    main()
