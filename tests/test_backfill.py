"""`scrapy crawl wayback` and `commoncrawl` against stand-ins: what is listed comes in, at its time, once."""

from __future__ import annotations

import gzip
import json
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest

from archive.rebuild.rebuild import rebuild
from tests.archiving import HOME, check_rebuild, dump, sohr
from tests.crawling import Running, rows
from tests.public_archives import (
    STORY,
    TAKEN,
    TIMES,
    A,
    B,
    C,
    CommonCrawl,
    Kept,
    Wayback,
    backfill,
    kept,
    line_of,
    no_service,
    said,
)

# Of STORY, what is asked for: without the two that repeat the capture before them
WANTED = 6


@pytest.mark.parametrize("kind", [Wayback, CommonCrawl])
def test_what_is_listed_becomes_versions_at_their_time(kind: type[Wayback], tmp_path: Path) -> None:
    """Three versions of one post, a post that was gone, each capture once; a second run asks for nothing."""
    folder = tmp_path / "archive"
    with kind(STORY) as service:
        ran = backfill(service, folder)
        assert ran.status == 0, ran.stderr
        assert said(folder) == [(TIMES[0], "Three"), (TIMES[2], "Five"), (TIMES[3], "Three")]
        assert rows(folder, "select state from articles order by post_id") == [
            ("live",),
            ("missing",),
            ("live",),
        ]
        taken = rows(folder, TAKEN)
        assert len(taken) == len(set(taken)) == WANTED
        first = len(service.log)
        again = backfill(service, folder)
        assert again.status == 0, again.stderr
        assert {path for _, path in service.log[first:]} <= {"/collinfo.json"}
        assert rows(folder, TAKEN) == taken
    before = dump(folder)
    (folder / "archive.db").unlink()
    rebuild(folder)
    assert dump(folder) == before


def test_the_exchange_is_of_now_and_the_capture_of_then(tmp_path: Path) -> None:
    """Both are evidence. The feed has both times. The body stands once, in the capture."""
    folder = tmp_path / "archive"
    long = ["Three were killed.", *(f"And {number} more near the village." for number in range(80))]
    with Wayback([kept(1, TIMES[0], *long)]) as service:
        assert backfill(service, folder).status == 0
        [exchange] = rows(
            folder, "select size, truncated, captured_at, url from captures where url like '%/web/%'"
        )
        [capture] = rows(
            folder,
            "select size, original_id, captured_at, recorded_at, url, service_url "
            "from captures where source = 'wayback'",
        )
    assert exchange[:2] == (0, "unspecified") and capture[0] > 1024 and capture[1] is None
    assert capture[2] == TIMES[0] and capture[3] == exchange[2] > "2026"
    assert capture[4] == f"{HOME}en/1/" and capture[5] == exchange[3]
    assert rows(folder, "select said_at, learnt_at from changes") == [(TIMES[0], capture[3])]


def test_a_page_of_common_crawl_is_stored_once(tmp_path: Path) -> None:
    """The exchange keeps the record's own header and the digest of what came; a rebuild agrees."""
    folder = tmp_path / "archive"
    chance = random.Random(1)
    body = kept(1, TIMES[0], *(f"{chance.getrandbits(400):x}" for _ in range(1000)))
    with CommonCrawl([body]) as service:
        assert backfill(service, folder).status == 0
    [exchange] = rows(folder, "select size, truncated from captures where channel = 'commoncrawl_capture'")
    assert exchange[0] < 1000 and exchange[1] == "unspecified"
    [capture] = rows(folder, "select size, original_id, outcome from captures where source = 'commoncrawl'")
    assert capture == (len(body.body), None, "new")
    [file] = (folder / "warc").glob("*.warc.gz*")
    packed = len(gzip.compress(body.body))
    assert packed < file.stat().st_size < packed * 1.3
    assert b"Sohr-Packed: " in gzip.decompress(file.read_bytes())
    assert sohr(folder, "verify").status == 0
    check_rebuild(folder)


def test_both_services_into_one_archive_take_their_place_in_time(tmp_path: Path) -> None:
    """Common Crawl's captures first, then those that Wayback has between them: the order is that of time."""
    folder = tmp_path / "archive"
    with (
        CommonCrawl([kept(1, TIMES[0], *A), kept(1, TIMES[3], *C)]) as common,
        Wayback([kept(1, TIMES[1], *B)]) as other,
    ):
        assert backfill(common, folder).status == 0
        assert backfill(other, folder).status == 0
    assert said(folder) == [(TIMES[0], "Three"), (TIMES[1], "Five"), (TIMES[3], "Nine")]
    assert rows(folder, "select kind, said_at from changes order by seq")[-1] == ("backfilled", TIMES[1])


# -- arguments, budget, kills --------------------------------------------------------------------------------


def test_days_editions_and_budget(tmp_path: Path) -> None:
    """Days of capture bound what is listed and fetched; the budget ends a run, and the next goes on."""
    folder = tmp_path / "archive"
    with Wayback(STORY) as service:
        ran = backfill(service, folder, "since=2016-01-01", "until=2017-12-31", "edition=en")
        assert ran.status == 0, ran.stderr
        assert {row[0][:4] for row in rows(folder, TAKEN)} == {"2016", "2017"}
        assert backfill(service, folder, "budget=6").status == 0
        asked = len(service.log)
        assert backfill(service, folder, "budget=6").status == 0
        assert len(service.log) == asked  # used up
        assert backfill(service, folder).status == 0
    assert said(folder) == [(TIMES[0], "Three"), (TIMES[2], "Five"), (TIMES[3], "Three")]


@pytest.mark.parametrize("argument", ["only=all", "pages=3", "look=all"])
def test_unknown_arguments_are_refused(argument: str, tmp_path: Path) -> None:
    """2, before anything is asked or written."""
    with Wayback(STORY) as service:
        assert backfill(service, tmp_path / "archive", argument).status == 2
    assert service.log == [] and not (tmp_path / "archive").exists()


def test_a_wrong_site_is_said_once(tmp_path: Path) -> None:
    """By the command that asks both services."""
    ran = sohr(tmp_path / "archive", "backfill", "--site=not-a-url")
    assert ran.status == 2 and ran.err.count("'not-a-url' is not the address of a site") == 1


@pytest.mark.parametrize("name", ["WAYBACK_URL", "COMMONCRAWL_DATA_URL"])
def test_no_test_asks_a_real_service(name: str, tmp_path: Path) -> None:
    """A site on this machine is a test: its backfill refuses any service that is not."""
    service = Wayback([]) if name == "WAYBACK_URL" else CommonCrawl([])
    with service:
        ran = backfill(service, tmp_path / "archive", **{name: "https://archive.example.org/"})
    assert ran.status == 69 and "is on this machine and" in ran.stderr and service.log == []


@pytest.mark.slow
@pytest.mark.parametrize("archive_too", [False, True])
def test_kills_repeat_at_most_the_request_under_way(archive_too: bool, tmp_path: Path) -> None:
    """13 kills each: every address is asked at most once more a kill, and all is in, none twice."""
    folder = tmp_path / "archive"
    captures = [
        kept(number, at, f"{word} were killed near village {number}.")
        for number in range(1, 13)
        for at, word in zip(TIMES, ("Three", "Five", "Nine", "Three", "Five"), strict=True)
    ]
    kills = 0
    with Wayback(captures) as service:
        while kills < 13:
            run = Running(line_of(service, folder, WAYBACK_ROWS=20), tmp_path / "log")
            before = len(service.log)
            until = time.monotonic() + 60
            while len(service.log) < before + 2 + kills % 3 and not run.is_over and time.monotonic() < until:
                time.sleep(0.002)
            if run.is_over:
                break
            run.kill(archive=archive_too)
            kills += 1
        assert kills == 13
        time.sleep(1)  # the archive process of the last one writes what it was given
        assert backfill(service, folder, WAYBACK_ROWS=20).status == 0
        asked = [path for _, path in service.log]
    assert len(asked) - len(set(asked)) <= kills
    taken = rows(folder, TAKEN)
    assert len(taken) == len(set(taken)) == len(captures)
    assert all(len(said(folder, number)) == 5 for number in range(1, 13))


# -- plan, audit, coverage -----------------------------------------------------------------------------------


def test_the_plan_the_audit_and_the_coverage_say_what_is_where(tmp_path: Path) -> None:
    """Listed, to fetch, fetched, refused, unreadable add up; days known from archives alone are marked."""
    folder = tmp_path / "archive"
    dated = b'<meta property="article:published_time" content="2015-03-01T08:00:00+00:00"></head>'
    first = kept(9, TIMES[0], "One was killed.")
    old = Kept(f"{HOME}en/8/", TIMES[0], b"<html><body><b>An old theme</b></body></html>")
    gone = kept(7, TIMES[0], "Two were killed.", fault="gone")
    captures = [*STORY, replace(first, body=first.body.replace(b"</head>", dated)), old, gone]
    with Wayback(captures) as service, no_service() as nobody:
        given = [f"--site={HOME}", "--service=wayback", "--json", f"-sWAYBACK_URL={service.url}"]
        given += ["-sWAYBACK_CAPTURE_SECONDS=0.001", f"-sCOMMONCRAWL_INDEX_URL={nobody}"]
        [planned] = json.loads(sohr(folder, "backfill", "--plan", *given).out)["services"]
        assert service.asked("/web/") == []
        ran = sohr(folder, "backfill", *given)
        assert ran.status == 0, ran.err
    names = ("posts", "listed", "fetched", "refused", "unreadable", "to_fetch", "days")
    assert [planned[name] for name in names] == [6, len(captures), 0, 0, 0, WANTED + 3, 5]
    [done] = json.loads(sohr(folder, "audit", "--json").out)["archives"]
    assert [done[name] for name in names] == [6, len(captures), WANTED + 2, 1, 1, 0, 5]
    text = sohr(folder, "audit").out.decode()
    assert "1 day known only from public archives or files" in text and "Public archives" in text
    assert rows(folder, "select day, captured, is_copied from coverage") == [("2015-03-01", 1, 1)]
