"""What `sohr-archive politeness` tells from the evidence, held against the log of the site that was
crawled."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from archive.cli.main import sohr_archive
from archive.reports.politeness import most_within
from tests.archiving import command_line
from tests.crawling import crawl, environment, rows
from tests.replica.server import ROOT, Replica

REST = 2  # seconds that the site asks for


def politeness(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    command = command_line(folder, "politeness", *arguments)
    return subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60)


def found(folder: Path, *arguments: str) -> dict[str, Any]:
    """What it says as JSON, with its exit status as ``status``; in this process, which is faster."""
    answer = CliRunner().invoke(sohr_archive, ["--archive", str(folder), "politeness", "--json", *arguments])
    told: dict[str, Any] = json.loads(answer.stdout)
    return told | {"status": answer.exit_code}


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[dict[str, Any]]]]:
    """An archive whose crawl was asked for rest now and then, and the site's own log of it."""
    folder = tmp_path_factory.mktemp("politeness") / "a"
    with Replica(posts=12) as site:
        site.call(
            "set",
            robots="User-agent: *\nDisallow: /wp-admin/\n",
            fail_every=14,
            fail_status=429,
            retry_after=str(REST),
        )
        crawl(site, folder)
        yield folder, site.log()


def test_the_evidence_counts_what_the_site_counted(crawled: tuple[Path, list[dict[str, Any]]]) -> None:
    """Requests, statuses and bytes are those of the site's log; robots.txt was the first of them."""
    folder, log = crawled
    told = found(folder)
    statuses: Counter[str] = Counter()
    for _, status, number in told["kinds"]:
        statuses[status] += number
    assert statuses == Counter(str(entry["status"]) for entry in log)
    assert told["requests"] == len(log) >= told["most_in_60_seconds"] > 0
    assert (told["unanswered"], told["robots_first"], told["forbidden"]) == (0, [], [])
    assert ["robots", "200", 1] in told["kinds"]
    assert told["retries"] == told["rests"] == statuses["429"] > 0
    assert told["bytes"] == sum(int(entry["bytes"]) for entry in log)
    assert [number for _, number in told["days"]] and sum(number for _, number in told["days"]) == len(log)


def test_requests_made_too_early_are_those_of_the_log(crawled: tuple[Path, list[dict[str, Any]]]) -> None:
    """Each one named is in the site's log; each one of the log that whole seconds can show is named."""
    folder, log = crawled
    named = {urlsplit(pair["early_url"]).path for pair in found(folder)["too_early"]}
    surely, perhaps, until = set(), set(), 0.0
    for entry in log:
        left = until - float(entry["time"])
        if left > 0:
            perhaps.add(str(entry["path"]))
        if left > 1:
            surely.add(str(entry["path"]))
        if entry["status"] == 429:
            until = max(until, float(entry["time"]) + REST)
    assert surely <= named <= perhaps


def test_a_request_in_a_rest_is_named_and_ends_with_1(
    crawled: tuple[Path, list[dict[str, Any]]], tmp_path: Path
) -> None:
    """The pair that offends: the answer that asked for rest, and the request within it."""
    shutil.copytree(crawled[0], tmp_path / "copy")
    [(url, at)] = rows(
        tmp_path / "copy",
        "select url, captured_at from captures where retry_after is not null order by capture_id limit 1",
    )
    _insert(tmp_path / "copy", f"{url}?early", at)
    told = found(tmp_path / "copy")
    assert (told["status"], told["is_polite"]) == (1, False)
    assert any(
        pair["early_url"] == f"{url}?early" and pair["asked_url"] == url and pair["retry_after"] == str(REST)
        for pair in told["too_early"]
    )
    assert "Retry-After kept  NO: " in politeness(tmp_path / "copy").stdout


def test_what_robots_txt_forbids_is_read_in_the_evidence(
    crawled: tuple[Path, list[dict[str, Any]]], tmp_path: Path
) -> None:
    """A request that the robots.txt of the crawl forbade is named; so is a host that was not asked for its
    robots.txt."""
    shutil.copytree(crawled[0], tmp_path / "copy")
    [(url, at)] = rows(
        tmp_path / "copy", "select url, max(captured_at) from captures where channel = 'robots'"
    )
    bad = url.replace("robots.txt", "wp-admin/")
    _insert(tmp_path / "copy", bad, at)
    _insert(tmp_path / "copy", "http://elsewhere.example/1/", at)
    told = found(tmp_path / "copy")
    assert (told["forbidden"], told["robots_first"], told["status"]) == ([bad], ["elsewhere.example"], 1)


def _insert(folder: Path, url: str, at: str) -> None:
    """A capture that never was."""
    names = "crawl_id, status, recorded_at, outcome, payload_sha256, size, warc_file_id, length"
    with closing(sqlite3.connect(folder / "archive.db")) as db:
        db.execute(
            f"""insert into captures ({names}, url, captured_at, channel, offset, record_id)
                select {names}, ?, ?, 'article', (select -count(*) from captures), ? from captures limit 1""",
            (url, at, url),
        )
        db.commit()


def test_the_crawl_is_named_or_the_last(crawled: tuple[Path, list[dict[str, Any]]]) -> None:
    """`--crawl NAME` chooses a crawl. An unknown name gives a sentence and 2."""
    told = found(crawled[0])
    assert found(crawled[0], "--crawl", told["crawl"]) == told
    answer = politeness(crawled[0], "--crawl", "nothing")
    assert answer.returncode == 2 and "there is no crawl nothing" in answer.stderr


def test_what_goes_over_the_budget_is_told(crawled: tuple[Path, list[dict[str, Any]]]) -> None:
    """Requests of all crawls on the day, against what a day may have."""
    assert "over the budget of 10" in politeness(crawled[0], "--budget", "10").stdout
    assert "over the budget" not in politeness(crawled[0]).stdout


@given(st.lists(st.integers(0, 300)).map(sorted))
def test_most_within_is_what_counting_finds(times: list[int]) -> None:
    """The window of a minute does not hold its own end."""
    assert most_within(times, 60) == max((sum(a <= b < a + 60 for b in times) for a in times), default=0)
