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
from archive.store.rows import open_store
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


def main() -> None:
    """Fill up to each mark."""
    folder, marks = Path(sys.argv[1]), [int(mark) for mark in sys.argv[2:]]
    texts, random = Texts(), Random(9)
    with closing(open_store(folder)) as store:
        ingest = Ingest(store, Site(HOME), folder)
        file = WarcFile(folder / "warc" / "x", "x", 1, "20260102", True)
        with store.transaction():
            store.register_files([file], AT)
            store.start_crawl("bench", "crawl", AT, {}, {})
        number = articles = 0
        for mark in marks:
            begun: tuple[int, float, float] | None = None
            while number < mark:
                if begun is None and number >= mark - WINDOW:
                    begun = (number, time.process_time(), time.monotonic())
                with store.transaction():
                    for _ in range(min(BATCH, mark - number)):
                        number += 1
                        if number % 5:
                            articles += 1
                        post_id = articles if number % 5 else random.randrange(1, articles + 1)
                        capture = Capture(
                            f"{HOME}en/{post_id}/", 200, (), f"{number}".encode(), AT, crawl="bench"
                        )
                        seen = ingest.add_capture(
                            capture, Position(1, number * 100, 100, f"<urn:{number}>"), None
                        )
                        key = ArticleKey("en", str(post_id))
                        ingest.note_outcome(
                            seen.capture_id,
                            ingest.versions.record_text(seen, key, texts.extract(number, post_id)),
                        )
            assert begun
            done, cpu, wall = number - begun[0], time.process_time() - begun[1], time.monotonic() - begun[2]
            rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            text = sum(
                len(t.encode()) + len(h.encode())
                for h, t in store._conn.execute("select title, text from versions")
            )
            store._conn.execute("pragma wal_checkpoint(truncate)")
            size = (folder / "archive.db").stat().st_size
            told = {
                "versions": number,
                "rate_cpu": done / cpu,
                "rate": done / wall,
                "rss": rss,
                "text": text,
                "size": size,
            }
            print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
