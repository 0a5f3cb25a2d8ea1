"""`ARCHIVE_CLOCK`: another clock for tests on this machine. It dates the evidence, drives looks and plan, and
is refused beside a real site."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.clock import (
    BadClock,
    Clock,
    for_site,
    format_time,
    parse_time,
    read_http_date,
    read_retry_after,
    read_time,
)
from tests.archiving import Archive, sohr, told
from tests.crawling import article_requests, asked, command, crawl, environment, in_step, records, rows, run
from tests.exact import MISSING, Exact, http
from tests.replica.server import Replica

BAD = ["3d", "+3", "+3w", "tomorrow", "2027-01-02", "+ 3d", "+999999d", "2027-01-02T00:00:00"]
REAL = "https://www.syriahr.com/"


@pytest.fixture(scope="module")
def site() -> Iterator[Replica]:
    with Replica(posts=12) as replica:
        yield replica


def near(text: str, ahead: timedelta) -> bool:
    """Whether a time is this instant and so much, give or take the length of a test."""
    return abs(parse_time(text) - (datetime.now(UTC) + ahead)) < timedelta(minutes=5)


def test_what_can_be_said() -> None:
    """Offsets in days, hours, minutes and seconds, either way, and an instant from which time runs on."""
    read = {text: Clock.of(text).ahead for text in ("", "+3d", "+36h", "-90m", "+5s")}
    assert read == {"": 0, "+3d": 259_200, "+36h": 129_600, "-90m": -5_400, "+5s": 5}
    tomorrow = format_time(datetime.now(UTC) + timedelta(days=1))
    assert 86_395 < Clock.of(tomorrow).ahead <= 86_400


@pytest.mark.parametrize("stated", BAD)
def test_nonsense(stated: str) -> None:
    """Says what would make sense."""
    with pytest.raises(BadClock, match="give an offset like"):
        Clock.of(stated)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Damascus"])
@pytest.mark.parametrize(
    "text",
    ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"],
)
def test_the_three_forms_of_an_http_date(zone: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are UTC, in every time zone of the machine (RFC 9110, 5.6.7)."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert read_http_date(text) == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_retry_after_is_seconds_or_a_date() -> None:
    """Seconds count from the answer; dates are by the site's clock. Anything else states nothing."""
    at = datetime(2026, 1, 2, 12, tzinfo=UTC)
    assert read_retry_after("37", at) == at + timedelta(seconds=37)
    date = "Fri, 02 Jan 2026 12:01:30 GMT"
    assert read_retry_after(date, at) == at + timedelta(seconds=90)
    assert read_retry_after(date, at, 3600.0) == at + timedelta(seconds=3690), "the crawl's clock was ahead"
    for text in ("120.5", " +120 ", "120 s", "120, 120", "120;", "0120", "2026-01-02T12:02:00Z"):
        assert read_retry_after(text, at) == at + timedelta(seconds=120), text
    assert read_retry_after("0" * 200_000 + "x", at) is not None  # as long as a header may be
    for text in ("9" * 30, "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT"):  # for the crawl to bound
        assert read_retry_after(text, at, 3600.0) > at + timedelta(days=36_000), text
    assert [read_retry_after(text, at) for text in ("", None, "soon", "-5", "٣٧", "1e400")] == [None] * 6


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-01-02T03:04:05+03:00", "2026-01-02T00:04:05Z"),
        ("2026-01-02 03:04:05Z", "2026-01-02T03:04:05Z"),
        ("Fri, 02 Jan 2026 03:04:05 +0300", "2026-01-02T00:04:05Z"),
        ("1000-01-01T00:00:00Z", "1000-01-01T00:00:00Z"),
        ("0999-12-31T23:59:59Z", None),
        ("0103-01-01T00:00:00Z", None),
        ("2024-02-30T00:00:00Z", None),
        ("2026-01-02T03:04:05", None),
        ("2026-01-02", None),
        ("Fri, 02 Jan 2026 03:04:05", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_stated_times(text: str | None, read: str | None) -> None:
    """A time without an offset, on an impossible day, or of a year with three digits is refused."""
    assert read_time(text) == read


def test_years_with_three_digits_are_refused() -> None:
    """They would not sort as text."""
    with pytest.raises(ValueError, match="before 1000"):
        format_time(datetime(999, 1, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="is not a time of the archive"):
        parse_time("0103-01-01T00:00:00Z")


def test_a_real_site_has_the_real_time() -> None:
    """No offset, however small."""
    with pytest.raises(BadClock, match="unset ARCHIVE_CLOCK"):
        for_site("+1s", REAL, is_loopback=False)
    assert for_site("", REAL, is_loopback=False) == Clock()


def test_a_crawl_in_another_time(site: Replica, tmp_path: Path) -> None:
    """Every record, capture and crawl is of that time, and says by which clock; looks fall due by it; the
    budget's day is one of it."""
    folder, ahead = tmp_path / "a", timedelta(days=3)
    assert crawl(site, folder, ARCHIVE_CLOCK="+3d").status == 0
    every = records(folder)
    assert all(near(record.headers["WARC-Date"], ahead) for record in every)
    info = next(record.body.decode() for record in every if record.kind == "warcinfo")
    assert "archive-clock: +3d\r\n" in info and "archive-clock-ahead: 259200.000\r\n" in info
    begun = next(event for event in events(folder) if event["event"] == "crawl-started")
    assert begun["clock"] == "+3d" and begun["clock_ahead"] == 259200 and near(str(begun["at"]), ahead)
    for at, due in rows(folder, "select last_captured_at, next_look_at from articles where state = 'live'"):
        assert near(at, ahead) and near(due, ahead + timedelta(minutes=28))

    site.clear_log()
    assert (
        crawl(
            site, folder, ARCHIVE_CLOCK=format_time(datetime.now(UTC) + ahead + timedelta(minutes=10))
        ).status
        == 0
    )
    assert article_requests(site).keys() <= {"/wp-sitemap.xml", "/en/wp-sitemap.xml"}  # nothing is due yet
    assert crawl(site, folder, ARCHIVE_CLOCK="+73h").status == 0
    assert len(article_requests(site)) >= 24
    spent = len(asked(site))
    site.clear_log()
    assert (
        crawl(site, folder, "budget=10", ARCHIVE_CLOCK="+73h").status == 0
        and asked(site) == []
        and spent > 10
    )
    assert crawl(site, folder, "budget=40", ARCHIVE_CLOCK="+98h").status == 0 and asked(site)


def test_site_and_archive_in_step(site: Replica, tmp_path: Path) -> None:
    """What the site publishes on a day of the test is of that day in both."""
    clock = "+400d"
    in_step(site, clock)
    [post_id] = site.call("publish", edition="en")  # type: ignore[misc]
    assert crawl(site, tmp_path / "a", "edition=en", "pages=1", ARCHIVE_CLOCK=clock).status == 0
    [(published, captured)] = rows(
        tmp_path / "a",
        "select published_at, first_captured_at from latest_versions where post_id = ?",
        post_id,
    )
    assert near(published, timedelta(days=400)) and near(captured, timedelta(days=400))


def test_a_crawl_that_was_ahead_hides_nothing(tmp_path: Path) -> None:
    """A clock was a month ahead once, and the site states no time: all posts are due with the next crawl, and
    what it finds comes after what stood before, as in the evidence."""
    folder, edition = tmp_path / "a", "edition=en"
    with Exact() as exact:
        exact.add_posts(range(101, 109))
        for clock in ("", "+30d"):
            assert crawl(exact.url, folder, edition, "look=all", ARCHIVE_CLOCK=clock).status == 0
        exact.add_posts(range(102, 109))
        exact.answers["/en/101/"] = MISSING
        exact.answers["/en/103/"] = http(exact.post(103, text="Another text, of 12 apples."))
        exact.log.clear()
        assert crawl(exact.url, folder, edition, ARCHIVE_CLOCK="+1h").status == 0
        assert len({path for path in exact.paths if "/10" in path}) == 8
        assert crawl(exact.url, folder, edition, ARCHIVE_CLOCK="+31d").status == 0
    sql = """select post_id, kind, c.severity, unchanged_until < said_at from changes c
             join articles using (article_id) where kind in ('updated', 'backfilled', 'missing') order by 1"""
    assert rows(folder, sql) == [(101, "missing", 0, 1), (103, "updated", 3, 1)]
    [(text,)] = rows(folder, "select text from latest_versions where post_id = 103")
    assert text.startswith("Another text")
    every = told(folder)
    assert sohr(folder, "rebuild").status == 0 and told(folder) == every


def test_commands_that_write(site: Replica, tmp_path: Path) -> None:
    """They go by it too, where the archive is of a site on this machine."""
    assert crawl(site, tmp_path / "a", "pages=1", ARCHIVE_CLOCK="+3d").status == 0
    assert sohr(tmp_path / "a", "rebuild", "--extract", clock="+5d").status == 0
    last = records(tmp_path / "a")[-1]
    assert json.loads(last.body)["event"] == "re-extracted" and near(
        last.headers["WARC-Date"], timedelta(days=5)
    )
    assert sohr(tmp_path / "a", "rebuild").status == 0  # and what is dated thus is an archive like any other
    assert sohr(tmp_path / "a", "verify", "--deep").status == 0


@pytest.mark.parametrize("stated", ["nonsense", "+3"])
def test_a_bad_clock_ends_with_2(site: Replica, tmp_path: Path, stated: str) -> None:
    """Crawl and command say so before anything is asked or written."""
    site.clear_log()
    done = crawl(site, tmp_path / "a", ARCHIVE_CLOCK=stated)
    assert (
        done.status == 2
        and f"ARCHIVE_CLOCK={stated} cannot be read" in done.stderr
        and "Traceback" not in done.stderr
    )
    assert asked(site) == [] and not (tmp_path / "a").exists()
    told = sohr(tmp_path / "a", "status", clock=stated)
    assert told.status == 2 and f"ARCHIVE_CLOCK={stated} cannot be read" in told.err


def test_beside_a_real_site_it_ends_with_2(tmp_path: Path) -> None:
    """No crawl of it is begun, cited pages of it included, and no command touches its archive."""
    line = command(REAL, tmp_path / "a")
    done = run(line, environment() | {"ARCHIVE_CLOCK": "+3d"})
    assert (
        done.status == 2
        and f"{REAL} is a real one: unset ARCHIVE_CLOCK" in done.stderr
        and not (tmp_path / "a").exists()
    )
    (tmp_path / "urls.txt").write_text("http://127.0.0.1:9/page/\nhttps://paper.example/story/\n")
    line = [
        part if part != "sohr" else "pages"
        for part in command("http://127.0.0.1:9/", tmp_path / "a", f"urls={tmp_path / 'urls.txt'}")
    ]
    done = run([*line, "-s", "ARCHIVE_CLOCK=+3d"])
    assert (
        done.status == 2
        and "https://paper.example/story/ is a real one" in done.stderr
        and not (tmp_path / "a").exists()
    )
    with Archive(tmp_path / "b", REAL):
        pass
    before = len(records(tmp_path / "b"))
    told = sohr(tmp_path / "b", "rebuild", "--extract", clock="+3d")
    assert told.status == 2 and "unset ARCHIVE_CLOCK" in told.err and len(records(tmp_path / "b")) == before


def events(folder: Path) -> list[dict[str, object]]:
    """What shaped the archive besides exchanges."""
    return [
        json.loads(record.body)
        for record in records(folder)
        if record.kind == "metadata" and record.beside is None
    ]
