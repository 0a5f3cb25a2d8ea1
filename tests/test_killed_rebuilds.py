"""Killed, out of disk, or by a clock gone wrong: the next run of the same command ends with the same content,
byte for byte."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from archive.rebuild.verify import verify
from tests.archiving import Archive, capture, check_rebuild, well
from tests.crawling import check_warcs, crawl, rows, running, until, warcs
from tests.replica.server import Replica

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("SOHR_KILLS", "3"))
POSTS = 250 if KILLS > 3 else 25  # an edition


def content(folder: Path) -> bytes:
    """What was said, not when or how often it was asked."""
    return well(folder, "export", "--content")


@pytest.fixture(scope="module")
def replica() -> Iterator[Replica]:
    """A site that does not change."""
    with Replica(posts=POSTS, per_page=5, frozen=True) as replica:
        yield replica


@pytest.fixture(scope="module")
def undisturbed(replica: Replica, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The content of a crawl that nothing happened to."""
    folder = tmp_path_factory.mktemp("undisturbed") / "archive"
    assert crawl(replica, folder).status == 0
    return content(folder)


def test_killed_at_random_instants(replica: Replica, undisturbed: bytes, tmp_path: Path) -> None:
    """SIGKILL, to the crawl or to both processes, and once more, and again: SOHR_KILLS=25 for the long
    form."""
    random, folder = Random(KILLS), tmp_path / "archive"
    whole = POSTS * 2 * 6 // 5
    for _ in range(KILLS):
        asked = replica.count() + random.randrange(1, 2 + whole // KILLS)
        with running(replica, folder) as run:
            until(lambda: run.is_over or replica.count() >= asked, "the instant")  # noqa: B023  # called in this turn
            run.kill(archive=random.random() < 0.5)
    assert crawl(replica, folder).status == 0
    assert content(folder) == undisturbed
    check_warcs(folder)
    assert list(verify(folder, deep=True)) == []


@pytest.mark.parametrize(("part", "kib"), [(".", 16), (".", 420), (".", 900), ("warc", 100)])
def test_a_full_disk(
    replica: Replica,
    undisturbed: bytes,
    room: Callable[[Path, int], None],
    tmp_path: Path,
    part: str,
    kib: int,
) -> None:
    """At the first byte, while the tables are made, in the middle, in the evidence: 73 and a sentence; with
    room again the next run completes."""
    folder = tmp_path / "archive"
    room(folder / part, kib)
    done = crawl(replica, folder)
    assert done.status == 73, done.stderr[-2000:]
    assert "Traceback" not in done.stderr and "disk and run the same command again" in done.stderr.replace(
        "disk space", "disk"
    )
    room(folder / part, 64 * 1024)
    assert crawl(replica, folder).status == 0
    assert content(folder) == undisturbed
    check_warcs(folder)
    assert list(verify(folder, deep=True)) == []


def test_a_clock_that_jumps_back(replica: Replica, undisturbed: bytes, tmp_path: Path) -> None:
    """The archive has seen 2039; then it is today: records go on in the newest file, and nothing is lost or
    out of order. A forged past looks the same, so `verify` names the capture of 2039, which was sealed before
    its time, and the first captures that are dated before it."""
    folder = tmp_path / "archive"
    with Archive(folder, replica.url) as archive:
        archive.take(capture(1, "2039-01-01T00:00:00Z", status=404, body=b""))
    assert crawl(replica, folder).status == 0
    assert crawl(replica, folder, "look=all").status == 0
    assert [path.name.split("-")[-2] for path in warcs(folder)][1:] == ["20390101"]
    assert content(folder) == undisturbed
    assert rows(folder, "select distinct kind from changes") == [("created",)]
    ahead, *before = [found.sentence for found in verify(folder, deep=True)]
    assert (
        "says that it was recorded at 2039-01-01T00:00:00Z, and manifests/000001.json that sealed it" in ahead
    )
    assert 0 < len(before) <= 10
    assert all("manifests/000001.json, which was there before, has one of 2039" in one for one in before)


def test_a_text_from_a_clock_ahead_of_time(tmp_path: Path) -> None:
    """Today's text is filed before it, and nothing breaks. The feed still reports it."""
    with Archive(tmp_path / "a") as archive:
        archive.take(capture(1, "2039-01-01T00:00:00Z", "It says 5.", "And more."))
        (outcome,) = archive.take(capture(1, "2026-01-01T00:00:00Z", "It says 6.", "And more."))
        assert outcome.word == "backfilled"
    assert rows(tmp_path / "a", "select number, substr(text, 1, 10) from versions order by number") == [
        (1, "It says 6."),
        (2, "It says 5."),
    ]
    check_rebuild(tmp_path / "a")
