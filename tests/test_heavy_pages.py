"""Pages that take too long: read by themselves, stopped by a clock, recorded; the crawl goes on, and a
rebuild follows the record, not a clock."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from archive.model import Capture
from tests.archiving import Archive, capture, dump, told, well
from tests.crawling import environment, records, rows, until
from tests.press import LINES, command, crawl, page, press
from tests.replica.server import ROOT

SLOW = "<p>" + "<span>word </span>" * 95_000  # trafilatura takes half a minute and more
# Read by itself, in a second or two
LARGE = "".join(f"<p>Line {n} of a page with many lines.</p>" for n in range(2_500))


def verdicts(folder: Path) -> list[str | None]:
    """What the evidence says came of reading pages by themselves, in order: None for what was read."""
    events = [
        json.loads(record.body)
        for record in records(folder)
        if record.kind == "metadata" and record.body[:1] == b"{"
    ]
    return [event["stopped"] for event in events if event["event"] == "read-apart"]


def rebuilt_alike(folder: Path) -> None:
    """The database made anew is the old one, and export and feed are byte for byte what they were."""
    before, said = dump(folder), told(folder)
    for path in folder.glob("archive.db*"):
        path.unlink()
    well(folder, "rebuild")
    assert (dump(folder), told(folder)) == (before, said)


def test_a_slow_page_is_stopped_and_the_crawl_goes_on(tmp_path: Path) -> None:
    """That the page was stopped is recorded. It is a failure, the pages before and after it are read, and a
    rebuild uses the record, not the clock."""
    folder = tmp_path / "archive"
    with press() as site:
        urls = [
            site.put("/first", page("The first", LINES)),
            site.put("/slow", page("The slow one", LINES, tail=SLOW)),
            site.put("/large", page("The large one", LINES, tail=LARGE)),
            site.put("/last", page("The last", LINES[::-1])),
        ]
        done = crawl(folder, urls, ARCHIVE_READ_SECONDS=8)
    assert sorted(version["title"] for version in done.new) == ["The first", "The large one", "The last"], (
        done.stderr
    )
    assert rows(folder, "select outcome from captures where channel = 'page' order by url") == [
        ("new",),
        ("new",),
        ("new",),
        ("stopped",),
    ]
    assert rows(folder, "select reason, detail from failures") == [
        ("stopped", "reading the page took more than 8 s")
    ]
    assert verdicts(folder) == ["reading the page took more than 8 s", None]
    begun = time.monotonic()
    rebuilt_alike(folder)
    assert time.monotonic() - begun < 60


def test_killed_while_it_reads_the_next_crawl_decides(tmp_path: Path) -> None:
    """Crawl and archive process killed: nothing is left running, and what was not decided is decided by the
    next crawl, from the evidence."""
    folder = tmp_path / "archive"
    with press() as site:
        slow, last = (
            site.put("/slow", page("The slow one", LINES, tail=SLOW)),
            site.put("/last", page("The last", LINES)),
        )
        line = command(folder, [slow], ARCHIVE_READ_SECONDS=300)
        running = psutil.Process(
            subprocess.Popen(line, cwd=ROOT, env=environment(), stderr=subprocess.DEVNULL).pid
        )
        waits = "select count(*) from captures where outcome = 'apart'"
        until(lambda: len(running.children(recursive=True)) == 2, "the process that reads it")
        assert rows(folder, waits) == [(1,)]
        children = running.children(recursive=True)
        for process in (children[0], running):
            process.kill()
        psutil.wait_procs([running, *children], 10)
        assert not any(
            process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in children
        )
        site.asked.clear()
        crawl(folder, [last], ARCHIVE_READ_SECONDS=1)
        assert "/slow" not in site.asked
    assert rows(folder, "select outcome from captures where channel = 'page' order by url") == [
        ("new",),
        ("stopped",),
    ]
    assert verdicts(folder) == ["reading the page took more than 1 s"]
    rebuilt_alike(folder)


def test_a_large_post_of_the_site_is_read_like_any_other(tmp_path: Path) -> None:
    """A post of more than 10,000 tags: a version, the same again, an edit; and it waits for nobody in a
    rebuild."""
    lines = [f"Line {n} of a very long post" for n in range(6_000)]
    with Archive(tmp_path / "archive") as archive:
        outcomes = archive.take(
            capture(1, "2026-01-02T00:00:00Z", *lines),
            capture(2, "2026-01-02T00:00:01Z", "A short one."),
            capture(1, "2026-01-03T00:00:00Z", *lines),
            capture(1, "2026-01-04T00:00:00Z", *lines[:-1], "Another last line"),
        )
    assert [outcome.word for outcome in outcomes] == ["new", "new", "unchanged", "changed"]
    assert verdicts(tmp_path / "archive") == [None, None, None]
    rebuilt_alike(tmp_path / "archive")


@pytest.mark.parametrize(
    "listing", ["<div>" * 5_000, "<article>" * 30_000, "<p>x</p>" * 30_000], ids=lambda body: body[:9]
)
def test_a_listing_out_of_bounds_is_a_failure(tmp_path: Path, listing: str) -> None:
    """No parser meets it."""
    one = capture(1, "2026-01-02T00:00:00Z", "Text.")
    with Archive(tmp_path / "archive") as archive:
        home = Capture(
            f"{archive.writer.site.home}en/",
            200,
            one.headers,
            f"<html><body>{listing}".encode(),
            one.captured_at,
        )
        outcomes = archive.take(home, one)
    assert [outcome.word for outcome in outcomes] == ["hostile", "new"]
