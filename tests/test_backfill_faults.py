"""`scrapy crawl wayback` and `commoncrawl` against stand-ins whose answers are faulty."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.archiving import HOME, sohr
from tests.crawling import rows
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
    no_service,
    said,
)

# -- faults of Wayback ---------------------------------------------------------------------------------------


FAULTS = [(), ("repeat",), ("empty",), ("cycle", "cycle")]


@pytest.mark.parametrize(
    ("faults", "as_json"),
    [*((one, form) for one in FAULTS for form in (False, True)), (("429", "503", "drop"), False)],
)
def test_an_index_with_faults_is_listed_in_full(
    faults: tuple[str, ...], as_json: bool, tmp_path: Path
) -> None:
    """Pages of two rows; rows twice, an empty page with a key, keys in a circle, trouble for the moment."""
    folder = tmp_path / "archive"
    with Wayback(STORY, *faults) as service:
        service.json = as_json
        ran = backfill(service, folder, "only=index", WAYBACK_ROWS=2)
        assert ran.status == 0, ran.stderr
        assert service.asked("/web/") == []
        assert "resumeKey=" in "".join(service.asked("/cdx/"))
    assert rows(folder, "select count(*) from listed_captures") == [(len(STORY),)]


def test_every_index_request_has_a_limit(tmp_path: Path) -> None:
    """Without one the service gives no key: what is beyond its most rows would be nowhere."""
    with Wayback(STORY, "empty", "cycle", "cycle") as service:
        assert backfill(service, tmp_path / "archive", "only=index", WAYBACK_ROWS=2).status == 0
        asked = service.asked("/cdx/")
    assert len(asked) > 3 and all("limit=" in path and "showResumeKey=true" in path for path in asked)


def test_a_row_that_is_a_revisit_is_a_capture(tmp_path: Path) -> None:
    """It states neither status nor kind. Where its digest is that of the row before it, it repeats it."""
    folder = tmp_path / "archive"
    again = [kept(1, at, *A, fault="revisit") for at in TIMES[2:4]]
    with Wayback([kept(1, TIMES[0], *A), kept(1, TIMES[1], *B), *again]) as service:
        assert backfill(service, folder).status == 0
        assert len(service.asked("/web/")) == 3
    assert said(folder) == [(TIMES[0], "Three"), (TIMES[1], "Five"), (TIMES[2], "Three")]
    assert rows(folder, "select at from listed_captures where status is null order by at") == [
        (at,) for at in TIMES[2:4]
    ]


def test_bad_mementos_are_neither_misdated_nor_called_gone(tmp_path: Path) -> None:
    """What the service does not give is refused with a sentence, and no post is missing for it."""
    folder = tmp_path / "archive"
    captures = [
        kept(1, TIMES[0], *A),
        kept(1, TIMES[1], *B, fault=f"elsewhere {'20190301100000'}"),
        kept(1, TIMES[2], *B, fault="gone"),
        kept(
            3,
            TIMES[0],
            *C,
            fault="doubled",
            headers=(("Content-Type", "text/html"), ("Content-Encoding", "gzip")),
        ),
        Kept(f"{HOME}en/4/", TIMES[0], b"slow down", 429, listed_status="200"),
        Kept(f"{HOME}en/5/", TIMES[0], b"", 301, (("Location", f"{HOME}en/1/"),), listed_status="200"),
    ]
    with Wayback(captures) as service:
        ran = backfill(service, folder)
        assert ran.status == 0, ran.stderr
    assert said(folder) == [(TIMES[0], "Three")] and said(folder, 3) == [(TIMES[0], "Nine")]
    refused = rows(
        folder, "select at, detail != '' from listed_captures where answer = 'refused' order by at"
    )
    assert refused == [(TIMES[1], 1), (TIMES[2], 1)]
    assert ("missing",) not in rows(folder, "select state from articles")
    assert rows(folder, "select status from captures where source = 'wayback' and url like '%/en/4/'") == [
        (429,)
    ]


def test_a_redirect_to_a_capture_nearby_is_followed_and_taken_once(tmp_path: Path) -> None:
    """It is dated by what was served; where that is listed itself, it is one capture."""
    folder, near = tmp_path / "archive", "2015-03-01T16:00:00Z"
    captures = [kept(1, TIMES[0], *A, fault="elsewhere 20150301160000"), kept(1, near, *B), kept(2, near, *C)]
    with Wayback(captures) as service:
        assert backfill(service, folder).status == 0
        assert backfill(service, folder).status == 0
    assert said(folder) == [(near, "Five")] and len(rows(folder, TAKEN)) == 2


def test_an_excluded_site_is_refused_with_a_sentence(tmp_path: Path) -> None:
    """The run ends with 69, and nothing is said of any post."""
    with Wayback(STORY, "excluded") as service:
        ran = backfill(service, tmp_path / "archive")
    assert ran.status == 69 and ran.told[-1:] != []
    assert rows(tmp_path / "archive", "select count(*) from articles") == [(0,)]


def test_a_service_that_is_down_is_not_an_empty_index(tmp_path: Path) -> None:
    """Nobody listens: 69, and the next run lists."""
    folder = tmp_path / "archive"
    with no_service() as url, Wayback(STORY) as service:
        down = backfill(service, folder, WAYBACK_URL=url)
        assert down.status == 69, down.stderr
        assert backfill(service, folder).status == 0
    assert len(said(folder)) == 3


def test_a_plan_without_an_index_says_so(tmp_path: Path) -> None:
    """No table of nothing."""
    with no_service() as nobody:
        given = ["--service=wayback", f"--site={HOME}", f"-sWAYBACK_URL={nobody}", "-sRETRY_TIMES=0"]
        ran = sohr(tmp_path / "archive", "backfill", "--plan", *given)
    assert (ran.status, ran.out.decode()) == (69, "No index of a public archive is known.\n")


def test_a_refused_connection_after_429_ends_the_run(tmp_path: Path) -> None:
    """The service blocks who goes on after its 429, for an hour and then for two."""
    with Wayback(STORY, "429 refused") as service:
        ran = backfill(service, tmp_path / "archive", RETRY_TIMES=9)
    assert ran.status == 69 and "refuses connections after it said" in ran.stderr
    assert len(service.log) == 1


def test_a_cut_body_is_asked_for_again(tmp_path: Path) -> None:
    """Half a body is kept as evidence; the text is that of the whole one."""
    folder = tmp_path / "archive"
    with Wayback([kept(1, TIMES[0], *A)], "cut") as service:
        assert backfill(service, folder).status == 0
        assert len(service.asked("/web/")) == 2
    assert said(folder) == [(TIMES[0], "Three")]


def test_index_requests_keep_the_pace(tmp_path: Path) -> None:
    """In a minute that is fifty times as fast: at most 24 requests, retries included."""
    minute = 60 / 50
    captures = [kept(number, TIMES[0], *A) for number in range(1, 61)]
    with Wayback(captures, "503") as service:
        pace = {"WAYBACK_INDEX_SECONDS": 2.6 / 50, "WAYBACK_ROWS": 2}
        assert backfill(service, tmp_path / "archive", "only=index", **pace).status == 0
    times = [at for at, path in service.log if "/cdx/" in path]
    assert len(times) == 31
    assert all(sum(begun <= at < begun + minute for at in times) <= 24 for begun in times)


# -- faults of Common Crawl ----------------------------------------------------------------------------------


def test_bad_records_are_refused_one_by_one(tmp_path: Path) -> None:
    """Another page, no date, a wrong digest: refused. The rest is in, also a revisit."""
    folder = tmp_path / "archive"
    captures = [
        kept(1, TIMES[0], *A),
        kept(1, TIMES[1], *B, fault="other page"),
        kept(1, TIMES[2], *B, fault="undated"),
        kept(1, TIMES[3], *B, fault="digest"),
        kept(2, TIMES[0], *A),
        kept(2, TIMES[1], *B),
        kept(2, TIMES[2], *A, fault="revisit", listed_status="-"),
    ]
    with CommonCrawl(captures) as service:
        ran = backfill(service, folder)
        assert ran.status == 0, ran.stderr
    assert said(folder) == [(TIMES[0], "Three")]
    assert said(folder, 2) == [(TIMES[0], "Three"), (TIMES[1], "Five"), (TIMES[2], "Three")]
    assert rows(folder, "select count(*) from listed_captures where answer = 'refused'") == [(3,)]


def test_more_pages_than_the_service_says(tmp_path: Path) -> None:
    """The index says one page, and has four: all are listed."""
    captures = [kept(number, TIMES[0], *A) for number in range(1, 11)]
    with CommonCrawl(captures) as service:
        assert backfill(service, tmp_path / "archive", "only=index").status == 0
    assert rows(tmp_path / "archive", "select count(*) from listed_captures") == [(10,)]


def test_403_is_final_and_503_is_not(tmp_path: Path) -> None:
    """After a 403 nothing more is asked in this run; the next one goes on."""
    folder = tmp_path / "archive"
    with CommonCrawl(STORY, "403") as service:
        ran = backfill(service, folder)
        assert ran.status == 69 and "refuses us (status 403)" in ran.stderr
        assert len(service.log) == 1
        service.faults["503"] = 1
        assert backfill(service, folder).status == 0
    assert len(said(folder)) == 3


def test_a_range_that_is_ignored_is_trouble_of_the_service(tmp_path: Path) -> None:
    """The whole file comes: it is no capture, and the row is asked for again in the next run."""
    folder = tmp_path / "archive"
    with CommonCrawl([kept(1, TIMES[0], *A)], "whole") as service:
        assert backfill(service, folder).status == 69
        assert said(folder) == []
        assert backfill(service, folder).status == 0
    assert said(folder) == [(TIMES[0], "Three")]
