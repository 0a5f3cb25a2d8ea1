"""`sohr-archive audit` on archives that the real crawler made: gaps are found, named, and closed by the
commands it gives."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from datasette.app import Datasette

from archive.cli.main import sohr_archive
from archive.model import GONE_STATES
from archive.read.database import open_readonly
from archive.reports.audit import read_audit
from tests.archiving import command_line
from tests.crawling import QUICK, crawl, environment, rows
from tests.replica.server import ROOT, Replica

POSTS = 15  # an edition
QUIET: dict[str, Any] = {"RETRY_TIMES": 0}


def audit(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    command = command_line(folder, "audit", *arguments)
    return subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60)


def found(folder: Path, *arguments: object) -> dict[str, Any]:
    """What it says as JSON, with its exit status as ``status``; in this process, which is faster."""
    answer = CliRunner().invoke(
        sohr_archive, ["--archive", str(folder), "audit", "--json", *map(str, arguments)]
    )
    told: dict[str, Any] = json.loads(answer.stdout)
    return told | {"status": answer.exit_code}


def run(lines: str) -> int:
    """Run the commands of --fix as they are printed, but in haste; how many there were."""
    printed = lines.splitlines()
    for line in printed:
        words = shlex.split(line)
        assert words[:3] == ["scrapy", "crawl", "sohr"]
        quick = [part for name, value in QUICK.items() for part in ("-s", f"{name}={value}")]
        command = [sys.executable, "-m", "scrapy.cmdline", *words[1:], *quick]
        subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, timeout=60, check=True)
    return len(printed)


@pytest.fixture(scope="module")
def site() -> Iterator[Replica]:
    with Replica(posts=POSTS, per_page=5) as replica:
        yield replica


@pytest.fixture(scope="module")
def whole(site: Replica, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of all of the site."""
    folder = tmp_path_factory.mktemp("audit") / "whole"
    crawl(site, folder)
    return folder


def test_a_whole_archive_has_no_gap(site: Replica, whole: Path) -> None:
    """Each day has its posts, sighted by a channel that is named, and the exit status is 0."""
    told = found(whole)
    assert (told["status"], told["has_gaps"], told["uncaptured"], told["unresolved"]) == (0, False, [], [])
    for edition in ("en", "ar"):
        days = [day for day in told["days"] if day["edition"] == edition]
        assert sum(day["sighted"] for day in days) == sum(day["present"] for day in days) == POSTS
        assert all(day["channels"].get("home", 0) == day["sighted"] for day in days)
        assert all(day["listed_whole"] for day in days)
    assert audit(whole).stdout.endswith("Gaps\n  none\n") and audit(whole, "--fix").stdout == ""


def test_the_view_coverage_says_the_same(whole: Path) -> None:
    """Of the days that the view knows, sighted, uncaptured and listed whole agree."""
    with closing(open_readonly(whole)) as conn:
        by_view = conn.execute(
            "select edition, day, sighted, uncaptured, listed_whole from coverage "
            "order by edition = 'ar', day"
        ).fetchall()
        by_audit = [
            (d.edition, d.day, d.sighted, d.uncaptured, int(d.listed_whole))
            for d in read_audit(conn).days
            if d.sighted
        ]
    assert [tuple(row) for row in by_view] == by_audit != []


def test_a_walk_broken_off_is_a_gap_until_its_fix_was_run(site: Replica, tmp_path: Path) -> None:
    """One listing page of one edition: older posts may be unknown; the printed command closes that and only
    that."""
    crawl(site, tmp_path / "a", "pages=1", "edition=en")
    told = found(tmp_path / "a")
    assert told["status"] == 1 and [walk["edition"] for walk in told["walks"] if walk["broken_off"]] == ["en"]
    text = audit(tmp_path / "a").stdout
    assert "English: reading the listing stopped at" in text and "Arabic: no crawl asked for it" in text
    fix = audit(tmp_path / "a", "--fix")
    assert fix.returncode == 1 and run(fix.stdout) >= 1
    told = found(tmp_path / "a")
    assert told["status"] == 0 and sum(day["present"] for day in told["days"]) == POSTS


def test_days_between_two_walks_are_a_gap_until_their_fix_was_run(
    site: Replica, whole: Path, tmp_path: Path
) -> None:
    """Two spans of days were crawled, the ones between were not: they are named as one span, and its crawl
    closes it."""
    days = [
        day
        for (day,) in rows(
            whole, "select distinct day from articles where edition = 'en' and day is not null order by day"
        )
    ]
    for first, last in ((days[-1], days[-1]), (days[0], days[0])):
        crawl(site, tmp_path / "a", "edition=en", f"since={first}", f"until={last}")
    told = found(tmp_path / "a", "--edition", "en", "--since", days[0], "--until", days[-1])
    gaps = [day["day"] for day in told["days"] if day["is_gap"]]
    assert told["status"] == 1 and days[0] < gaps[0] and gaps[-1] < days[-1]
    assert found(tmp_path / "a", "--edition", "en", "--since", days[-1], "--until", days[-1])["status"] == 0
    fix = audit(tmp_path / "a", "--edition", "en", "--since", days[0], "--until", days[-1], "--fix")
    assert f"since={gaps[0]} -a until={gaps[-1]}" in fix.stdout and run(fix.stdout) == 1
    assert found(tmp_path / "a", "--edition", "en", "--since", days[0], "--until", days[-1])["status"] == 0


def test_articles_never_captured_are_named_with_the_reason_and_asked_for(
    site: Replica, tmp_path: Path
) -> None:
    """Two articles that the site did not give are gaps; --fix writes their addresses, and the crawl of those
    closes them."""
    posts = [post.post_id for post in site.posts("en") if not post.odd][:2]
    site.call("set", only="|".join(f"/en/{post_id}/" for post_id in posts), fail_status=500, fail_next=100)
    try:
        crawl(site, tmp_path / "a", "edition=en", **QUIET)
    finally:
        site.call("set", only="", fail_status=0, fail_next=0)
    told = found(tmp_path / "a", "--edition", "en")
    assert told["status"] == 1 and sorted(a["url"] for a in told["uncaptured"]) == sorted(
        f"{site.url}en/{post_id}/" for post_id in posts
    )
    assert all(
        article["last"]["reason"] == "error" and article["last"]["detail"].startswith("status 500")
        for article in told["uncaptured"]
    )
    assert sum(day["uncaptured"] for day in told["days"]) == 2
    fix = audit(tmp_path / "a", "--fix", "--urls", tmp_path / "gaps.txt")
    assert len((tmp_path / "gaps.txt").read_text().splitlines()) == 2 and run(fix.stdout) == 1
    assert found(tmp_path / "a", "--edition", "en")["status"] == 0


def test_what_the_site_took_down_is_explained(whole: Path, tmp_path: Path) -> None:
    """An article that the site removed is not a gap. An address whose article is unknown is one."""
    shutil.copytree(whole, tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy" / "archive.db")) as db:
        db.execute("update articles set state = 'missing' where article_id = 1")
        db.execute(
            "insert into aliases (url, first_seen_at) values ('http://127.0.0.1:1/en/2015/03/word/', "
            "'2026-01-01T00:00:00Z')"
        )
        db.commit()
        told = found(tmp_path / "copy")
        assert told["status"] == 1 and sum(day["gone"] for day in told["days"]) == 1
        assert [address["url"] for address in told["unresolved"]] == ["http://127.0.0.1:1/en/2015/03/word/"]
        db.execute("delete from aliases where article_id is null")
        db.commit()
    assert found(tmp_path / "copy")["status"] == 0
    assert "1 article is gone from the site" in audit(tmp_path / "copy").stdout


async def test_words_for_what_is_gone_mean_the_same(whole: Path, tmp_path: Path) -> None:
    """In audit, status, views, counts and pages: gone is missing, disappeared, moved or withheld, and nothing
    else; what came back is restored."""
    shutil.copytree(whole, tmp_path / "copy")
    path = tmp_path / "copy" / "archive.db"
    with closing(sqlite3.connect(path)) as db:
        states = [*GONE_STATES, *GONE_STATES, "protected", "unreadable"]
        sql = "select article_id from articles where edition = 'en' and state = 'live' order by 1"
        articles = [row[0] for row in db.execute(f"{sql} limit 11")]
        since = "2026-02-01T00:00:00Z"
        for article_id, state in zip(articles, states, strict=False):
            sql = "update articles set state = ?, missing_since = ? where article_id = ?"
            db.execute(sql, (state, since if state in GONE_STATES else None, article_id))
        back = articles[-1]
        for kind, details in (("missing", "{}"), ("restored", '{"state":["missing","live"]}')):
            db.execute(
                """insert into changes (seq, epoch, article_id, kind, details, said_at, learnt_at)
                   select max(seq) + 1, 1, ?, ?, ?, ?, ? from changes""",
                (back, kind, details, since, since),
            )
        db.commit()
        gone = dict(zip(articles, states, strict=False))
        gone = {one: state for one, state in gone.items() if state in GONE_STATES}
        assert dict(db.execute("select article_id, state from gone")) == gone
        one_day = [one for one, state in gone.items() if state == "disappeared"]
        assert sorted(row[0] for row in db.execute("select article_id from disappeared")) == one_day
        sql = "select article_id, state_before, state, gone_at from restored"
        assert db.execute(sql).fetchall() == [(back, "missing", "live", since)]
        posts = dict(db.execute("select article_id, post_id from articles"))
    days = found(tmp_path / "copy")["days"]
    assert sum(day["gone"] for day in days) == len(gone) and sum(day["unreadable"] for day in days) == 1
    arguments = ["--archive", str(tmp_path / "copy"), "status", "--json"]
    told = json.loads(CliRunner().invoke(sohr_archive, arguments).stdout)
    english = next(one for one in told["holdings"] if one["source"] == "en")
    assert {state: english["states"][state] for state in GONE_STATES} == dict.fromkeys(GONE_STATES, 2)
    await check_pages(Datasette([str(path)]), {posts[one]: state for one, state in gone.items()}, posts[back])


async def check_pages(site: Datasette, gone: dict[int, str], back: int) -> None:
    """The pages list these posts under these words."""
    for state in ("", *GONE_STATES):
        page = (await site.client.get(f"/-/sohr/missing?state={state}")).text
        listed = {int(number) for number in re.findall(r"/en/(\d+)\"", page.partition("<h2>")[0])}
        assert listed == {post for post, its in gone.items() if state in ("", its)}, state
        if state:
            assert "2 posts" in (await site.client.get(f"/-/sohr/search?state={state}")).text
    assert f"<dd>{len(gone)}</dd>" in (await site.client.get("/-/sohr/en/")).text
    assert f"/en/{back}" in (await site.client.get("/-/sohr/changes?kind=restored")).text


def test_days_after_the_last_walk_are_open_and_not_a_gap(whole: Path) -> None:
    """Nobody can have listed a day that was not over."""
    told = found(whole, "--edition", "en", "--since", "2100-01-01", "--until", "2100-01-03")
    assert [(day["is_open"], day["is_gap"]) for day in told["days"]] == [(True, False)] * 3 and told[
        "status"
    ] == 0


def test_bad_arguments_are_told(whole: Path, tmp_path: Path) -> None:
    """A span that ends before it begins, an impossible day and a missing archive each get a sentence."""
    assert "swap them" in audit(whole, "--since", "2024-02-01", "--until", "2024-01-01").stderr
    assert audit(whole, "--since", "yesterday").returncode == audit(tmp_path / "none").returncode == 2
