"""A crawl that finds little or nothing new, of an archive that holds few posts or many: requests, bytes, CPU;
and one with edits among the posts."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from archive.clock import format_time
from archive.ingest.events import apply_event
from archive.ingest.path import Ingest
from archive.model import ArticleKey, Capture, Extract, Line
from archive.sites.sohr.addresses import Site
from archive.store.rows import open_store
from archive.warc.writer import Appender
from tests.bench.measure import ROOT, Bench, Spent, ratio, run
from tests.replica.server import Replica

HELD = (1_000, 10_000, 100_000)
QUICK = (300, 3_000)
EDITS = 5
# Requests that the cadence names for an unchanged run within the hour: robots.txt, the newest listing, the
# feed
NAMED = 3
MOST = 1.5  # times the CPU, at the most posts against the fewest
NOW = datetime.now(UTC).replace(microsecond=0)
LOOKED = format_time(NOW - timedelta(days=1))
DAY = LOOKED[:10]


def hold(folder: Path, replica: Replica) -> int:
    """An archive that holds all English posts of the replica, none due for a look; written through ingest,
    without their pages."""
    with closing(open_store(folder)) as store:
        ingest = Ingest(store, Site(replica.url), folder)
        warc = Appender(folder / "warc", ingest.site.name)
        warc.describe({})
        begun = {
            "event": "crawl-started",
            "name": "held",
            "kind": "crawl",
            "at": LOOKED,
            "site": replica.url,
            "extractor": "1",
        }
        position = warc.append_event(LOOKED, begun | {"arguments": {}, "software": {}})
        warc.close()
        with store.transaction():
            store.files.register(warc.opened, LOOKED)
            apply_event(ingest, begun | {"arguments": {}, "software": {}}, position)
        truth = replica.truth
        ids = truth.ids("en")
        for first in range(0, len(ids), 500):
            with store.transaction():
                for post_id in ids[first : first + 500]:
                    post = truth.post("en", post_id)
                    assert post is not None
                    url = f"{replica.url}en/{post_id}/"
                    capture = Capture(url, 200, (), str(post_id).encode(), LOOKED, crawl="held")
                    at = type(position)(position.serial, -post_id, 0, f"<urn:{post_id}>")  # in no file
                    seen = ingest.add_capture(capture, at, None)
                    modified = f"{post.modified:%Y-%m-%dT%H:%M:%SZ}"
                    found = Extract(
                        post.title,
                        tuple(map(Line, post.lines)),
                        "publisher",
                        "1",
                        post_id=post_id,
                        modified_at=modified,
                    )
                    ingest.note_outcome(
                        seen.capture_id,
                        ingest.versions.record_text(seen, ArticleKey("en", str(post_id)), found),
                    )
        with store.transaction():
            stretch = store.insert("stretches", edition="en", newest_day=DAY, reached_end=1)
            store.query(
                "update articles set next_look_at = '2999-01-01T00:00:00Z', day = ?, stretch_id = ?",
                DAY,
                stretch,
            )
            last = store.one("select article_id from articles where post_id = ?", ids[-1])
            assert last is not None
            store.update("stretches", "stretch_id", stretch, tail_article_id=last[0], tail_day=DAY)
    return len(ids)


def settle(folder: Path) -> None:
    """Let the walks through all of a channel have come to their end a moment ago: with many posts they take
    slices of many runs."""
    with closing(sqlite3.connect(folder / "archive.db")) as db, db:
        at = format_time(datetime.now(UTC))
        db.execute(
            "update channels set asked_at = coalesce(asked_at, ?1), whole_at = ?1, next_page = null", (at,)
        )


def crawl(replica: Replica, folder: Path) -> tuple[Spent, int, int]:
    """One run of `scrapy crawl sohr`: what it took, its requests, and the bytes that were sent to it."""
    replica.clear_log()
    settings = {"ARCHIVE_DIR": folder, "DOWNLOAD_DELAY": 0}
    given = [part for name, value in settings.items() for part in ("-s", f"{name}={value}")]
    line = [
        Path(sys.executable).parent / "scrapy",
        "crawl",
        "sohr",
        "-a",
        f"site={replica.url}",
        "-a",
        "edition=en",
        *given,
    ]
    spent = run(line, cwd=ROOT)
    log = replica.log()
    return spent, len(log), sum(int(str(entry.get("bytes", 0))) for entry in log)


def bench(turns: int, quick: bool) -> Bench:
    """The first run of a day asks every channel that its cadence names; those after it are the unchanged ones
    that are measured."""
    sizes = QUICK if quick else HELD
    turns = 2 if quick else turns
    taken: dict[int, list[tuple[Spent, int, int]]] = {size: [] for size in sizes}
    edited: dict[int, tuple[Spent, int, int]] = {}
    firsts: dict[int, int] = {}
    with tempfile.TemporaryDirectory() as beside:
        replicas = {size: Replica(posts=size, until=NOW, frozen=True) for size in sizes}
        try:
            for size, replica in replicas.items():
                replica.start()
                hold(Path(beside, str(size)), replica)
                firsts[size] = crawl(replica, Path(beside, str(size)))[1]
                settle(Path(beside, str(size)))
            for turn in range(turns):
                for size, replica in list(replicas.items())[:: 1 if turn % 2 == 0 else -1]:
                    taken[size].append(crawl(replica, Path(beside, str(size))))
                    told = taken[size][-1]
                    print(
                        f"  turn {turn + 1} of {turns}: {size} held, {told[1]} requests, {told[0].cpu:.2f} "
                        "s of CPU",
                        file=sys.stderr,
                        flush=True,
                    )
            for size, replica in replicas.items():
                for post_id in replica.truth.ids("en")[:EDITS]:
                    replica.call("edit", edition="en", post_id=post_id, title=f"Post {post_id} was edited")
                edited[size] = crawl(replica, Path(beside, str(size)))
        finally:
            for replica in replicas.values():
                replica.stop()
    few, many = sizes[0], sizes[-1]
    cpu = [m[0].cpu / f[0].cpu for f, m in zip(taken[few], taken[many], strict=True)]
    requests = [told[1] / NAMED for turns_of in taken.values() for told in turns_of]
    ratios = [
        ratio(f"unchanged run, CPU at {many:,} held / at {few:,}", cpu, MOST, higher_is_better=False),
        ratio("unchanged run, requests / those its cadence names", requests, 1.0, higher_is_better=False),
    ]
    facts = {
        f"{size:,} held": f"first run of the day {firsts[size]} requests; unchanged run {taken[size][-1][1]} "
        f"requests, {taken[size][-1][2]} bytes; "
        f"with {EDITS} edits {edited[size][1]} requests, {edited[size][2]} bytes, {edited[size][0].cpu:.2f} "
        "s of CPU"
        for size in sizes
    }
    return Bench("incremental", turns, ratios, facts)
