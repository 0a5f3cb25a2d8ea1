"""Killed at any instant, the next run of the same command ends with the same content as an undisturbed one.
Nothing durable is lost."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.crawling import (
    AGAIN,
    answered,
    article_requests,
    asked_again,
    assert_taken,
    check_warcs,
    crawl,
    exchanges,
    expected_states,
    records,
    rows,
    running,
    states,
    truth,
    until,
    warcs,
)
from tests.replica.server import Replica
from tests.replica.site import LOCAL
from tests.replica.words import EDITIONS

POSTS = 30  # with five to a listing page: six pages an edition, some eighty requests
WHOLE = 1 + 12 + 60 + 4  # robots.txt, listings, posts, later pages of two of them


def kill_after(replica: Replica, folder: Path, requests: int, *arguments: str, archive: bool) -> None:
    """Run the crawl until the replica has answered so many requests more, then SIGKILL it; with ``archive``
    the archive process too."""
    before = replica.count()
    with running(replica, folder, *arguments) as run:
        until(lambda: run.is_over or replica.count() >= before + requests, f"{requests} requests")
        run.kill(archive=archive)


def assert_whole(replica: Replica, folder: Path) -> None:
    """The archive says what the site says, as if nothing had happened."""
    assert_taken(replica, folder)
    assert rows(folder, "select count(*), max(number) from versions") == [(len(truth(replica)), 1)]
    assert rows(folder, "select seq, kind from changes order by seq") == [
        (n, "created") for n in range(1, len(expected_states(replica)) + 1)
    ]
    assert rows(folder, "select count(*) from aliases where article_id is null") == [(0,)]
    check_warcs(folder)
    assert (
        len(records(folder)) > 0
        and sum(exchanges(folder).values()) == rows(folder, "select count(*) from captures")[0][0]
    )
    assert exchanges(folder) <= answered(replica)


@pytest.mark.parametrize("archive", [False, True], ids=["crawl-killed", "both-killed"])
@pytest.mark.parametrize(
    "seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)]
)
def test_the_next_run_ends_as_an_undisturbed_one(tmp_path: Path, seed: int, archive: bool) -> None:
    """A crawl killed at a random instant, with and without its archive process, and again in the gap that
    left; then run to the end."""
    random = Random(f"{seed} {archive}")
    with Replica(posts=POSTS, per_page=5, slow_ms=4) as replica:
        folder = tmp_path / "a"
        first = random.randrange(2, WHOLE - 5)
        kill_after(replica, folder, first, archive=archive)
        if seed % 2:
            kill_after(replica, folder, random.randrange(2, max(3, WHOLE - first)), archive=archive)
        done = crawl(replica, folder)
        assert done.status == 0, done.stderr
        assert_whole(replica, folder)
        replica.clear_log()
        assert crawl(replica, folder).status == 0
        assert asked_again(replica) == AGAIN


@pytest.mark.real_process
def test_the_archive_process_writes_what_it_was_handed(tmp_path: Path) -> None:
    """The crawl alone is killed: all that was answered before is kept, and nothing of it is fetched again."""
    with Replica(posts=POSTS, per_page=5, slow_ms=10) as replica:
        folder = tmp_path / "a"
        with running(replica, folder) as run:
            until(lambda: replica.count() >= 50, "50 requests")
            # What is in flight at the kill may be lost: at most one request, and one on its way to the
            # archive
            known = replica.log()[:48]
            run.kill()
        assert crawl(replica, folder).status == 0
        kept = exchanges(folder)
        assert all(kept[str(entry["path"]), int(str(entry["status"]))] for entry in known)
        counts = article_requests(replica)
        # All pages are of one look, or none is
        paged = {f"/en/{post.post_id}/" for post in replica.posts("en") if len(post.pages) > 1}
        assert [
            entry["path"] for entry in known if counts[str(entry["path"])] > 1 and entry["path"] not in paged
        ] == []
        assert_whole(replica, folder)


@pytest.mark.real_process
def test_a_crawl_whose_archive_process_dies_says_so_and_can_be_run_again(tmp_path: Path) -> None:
    """Exit status 70, one sentence; the next run ends as an undisturbed one."""
    with Replica(posts=POSTS, per_page=5, slow_ms=4) as replica:
        folder = tmp_path / "a"
        with running(replica, folder) as run:
            until(lambda: replica.count() >= 30, "30 requests")
            assert run.archive is not None
            run.archive.kill()
            done = run.wait(60)
        assert (
            done.status == 70
            and "the archive process ended unexpectedly: run the same command again" in done.stderr
        )
        assert "Traceback" not in done.stderr
        assert crawl(replica, folder).status == 0
        assert_whole(replica, folder)


@pytest.mark.slow
def test_a_walk_through_date_archives_goes_on(tmp_path: Path) -> None:
    """Where the home listing has no pages too."""
    with Replica(posts=POSTS, home_paging=False, slow_ms=4) as replica:
        kill_after(replica, tmp_path / "a", 45, archive=True)
        assert crawl(replica, tmp_path / "a").status == 0
        assert_whole(replica, tmp_path / "a")


def test_a_crawl_of_days_goes_on(tmp_path: Path) -> None:
    """Days whose listing was walked whole, and not all of whose posts were fetched, are completed by the same
    command."""
    with Replica(posts=POSTS, slow_ms=4, per_page=50) as replica:
        days = {
            (e, p.post_id): f"{p.published.astimezone(LOCAL):%Y-%m-%d}"
            for e in EDITIONS
            for p in replica.posts(e)
        }
        expected = {key for key, day in days.items() if "2026-01-05" <= day <= "2026-01-25"}
        asked_for = ("since=2026-01-05", "until=2026-01-25")
        kill_after(replica, tmp_path / "a", 15, *asked_for, archive=False)
        assert crawl(replica, tmp_path / "a", *asked_for).status == 0
        assert {key for key, state in states(tmp_path / "a").items() if state} == expected


def test_a_list_of_addresses_goes_on(tmp_path: Path) -> None:
    """What the killed run has brought is not asked for again, the rest is."""
    with Replica(posts=POSTS, slow_ms=10) as replica:
        posts = [post for post in replica.posts("en") if len(post.pages) == 1]
        file = tmp_path / "urls.txt"
        file.write_text("\n".join(f"{replica.url}en/?p={post.post_id}" for post in posts), encoding="utf-8")
        kill_after(replica, tmp_path / "a", 20, f"urls={file}", archive=False)
        assert crawl(replica, tmp_path / "a", f"urls={file}").status == 0
        assert states(tmp_path / "a") == {
            k: s for k, s in expected_states(replica).items() if k in {(p.edition, p.post_id) for p in posts}
        }
        assert sum(article_requests(replica).values()) <= len(posts) + 2


@pytest.mark.slow
def test_a_look_at_everything_cut_off_makes_no_false_version(tmp_path: Path) -> None:
    """A post in three pages, of which one look holds some only, keeps its one version."""
    with Replica(posts=POSTS) as replica:
        assert crawl(replica, tmp_path / "a").status == 0
        for requests in (30, 44, 60):
            kill_after(replica, tmp_path / "a", requests, "look=all", archive=True)
        assert crawl(replica, tmp_path / "a", "look=all").status == 0
        assert_whole(replica, tmp_path / "a")


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0], ids=["first-byte", "half", "all-but-the-last-byte"])
def test_a_torn_end_of_the_evidence_is_cut(tmp_path: Path, share: float) -> None:
    """A power cut left a part of a record at the end. It is cut off, everything else stays, and the next
    crawl continues."""
    with Replica(posts=20) as replica:
        kill_after(replica, tmp_path / "a", 40, archive=True)
        (path,) = warcs(tmp_path / "a")
        (offset, length) = rows(
            tmp_path / "a", "select offset, length from captures order by length desc limit 1"
        )[0]
        member = path.read_bytes()[offset : offset + length]
        with open(path, "ab") as file:
            file.write(member[: 1 + int((length - 2) * share)])
        done = crawl(replica, tmp_path / "a")
        assert done.status == 0, done.stderr[-3000:]
        assert_whole(replica, tmp_path / "a")
