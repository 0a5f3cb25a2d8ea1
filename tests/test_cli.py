"""`sohr-archive` through its front door: what it says, where, and its exit status; on an archive that the
real crawler made."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from archive.read.database import open_readonly
from archive.reports.status import read_status
from archive.reports.terminal import cut, duration, in_words, plain, render_status, size
from archive.store.rows import open_store
from tests.commanding import POSTS, Answer, damaged, run
from tests.demo import crawl
from tests.replica.server import ROOT, Replica


def on_terminal(*arguments: object) -> tuple[int, str]:
    """The exit status, and what a terminal shows."""
    outside, inside = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "archive.cli.main", *map(str, arguments)],
        cwd=ROOT, stdin=inside, stdout=inside, stderr=inside, env={**os.environ, "COLUMNS": "100"},
    ) as child:  # fmt: skip
        os.close(inside)
        shown = b""
        with contextlib.suppress(OSError):  # the child has closed it
            while piece := os.read(outside, 65536):
                shown += piece
    os.close(outside)
    return child.returncode, shown.decode(errors="replace").replace("\r\n", "\n")


LONG = "9" * 5000  # more digits than Python turns into a number


def test_status_tells_what_is_held(crawled: Path) -> None:
    """Articles by state, versions, captures, crawls newest first, as JSON."""
    told = json.loads(run("--archive", crawled, "status", "--json").stdout)
    english, arabic = told["holdings"]
    assert (english["source"], english["articles"], english["states"]["missing"]) == ("en", POSTS, 1)
    assert (arabic["source"], arabic["articles"]) == ("ar", POSTS + 1)
    assert sum(english["states"].values()) == POSTS and english["waiting"] == 0
    assert english["captures"] >= 2 * POSTS
    newest, oldest = told["crawls"]
    assert [newest[name] for name in ("verdict", "exit_status", "new", "changed", "gone")] == [
        "healthy",
        0,
        1,
        1,
        1,
    ]
    assert oldest["new"] > POSTS
    assert told["warc_files"] == 1 and told["warc_size"] > 0
    listings = [channel for channel in told["channels"] if channel["channel"] == "home"]
    assert len(listings) == 2 and all(
        one["asked"] and one["is_open"] and one["asked_at"] >= newest["started_at"] for one in listings
    )
    assert told["broken_off"] == [] and told["unresolved"] == 0


def test_status_reads_in_columns(crawled: Path) -> None:
    """Numbers stand under their heading."""
    answer = run("--archive", crawled, "status")
    assert (answer.returncode, answer.stderr) == (0, "")
    lines = answer.stdout.splitlines()
    assert re.fullmatch(r"Last crawl (less than a|\d+) minutes? ago: healthy", lines[1])
    held = next(n for n, line in enumerate(lines) if line.startswith("Archived"))
    end = lines[held].index("articles") + len("articles")
    assert lines[held + 1][:end].endswith(f" {POSTS}") and lines[held + 2][:end].endswith(f" {POSTS + 1}")
    assert [line for line in lines if line and not line.startswith(" ")][1:] == [
        lines[1],
        lines[held],
        next(line for line in lines if line.startswith("State")),
        next(line for line in lines if line.startswith("Looks")),
        next(line for line in lines if line.startswith("Last crawls")),
        next(line for line in lines if line.startswith("Channels")),
        "Gaps",
        "Next",
    ]


@pytest.mark.parametrize("command", [("status",), ("search", "the"), ("show", "en:{}")])
def test_isolates_are_for_terminals(crawled: Path, command: tuple[str, ...]) -> None:
    """A right-to-left title moves nothing beside it on a terminal; a file gets the text and nothing else."""
    with closing(open_readonly(crawled)) as conn:
        (post,) = conn.execute("select min(post_id) from latest_versions where edition = 'en'").fetchone()
    line = ["--archive", crawled, *(word.format(post) for word in command)]
    status, shown = on_terminal(*line)
    assert status == 0 and "\u2068" in shown and shown.count("\u2068") == shown.count("\u2069")
    written = run(*line).stdout
    assert written and not {"\u2068", "\u2069"} & set(written)


@pytest.mark.parametrize(
    "command",
    [
        *(("export", "--format", form) for form in ("parquet", "warc", "wacz")),
        ("export", "--format", "wacz", "-o", "/dev/stdout"),
        ("cite", "en:1", "--package", "-"),
        ("sift", "nothing.warc.gz", "-o", "-"),
    ],
)
def test_no_binary_on_a_terminal(crawled: Path, command: tuple[str, ...]) -> None:
    """It would garble it: the command says so and writes nothing."""
    status, shown = on_terminal("--archive", crawled, *command)
    assert status == 2 and "binary and would garble the terminal" in shown and "PK" not in shown


def test_diff_takes_citations(crawled: Path) -> None:
    """Two of them; one, with the version before it; or mixed with numbers."""
    with closing(open_readonly(crawled)) as conn:
        sql = "select article_id, post_id from articles where versions > 1"
        article_id, post = conn.execute(sql).fetchone()
        sql = "select 'sohr:en:' || ? || '@' || cited_at from versions where article_id = ? order by number"
        one, two = (row[0] for row in conn.execute(sql, (post, article_id)))

    def diff(*names: object) -> Answer:
        return run("--archive", crawled, "diff", *names)

    wanted = diff(f"en:{post}", 1, 2)
    assert wanted.returncode == 0 and wanted.stdout.startswith(f"{one}  ->  {two}\n")
    for names in ((one, two), (two,), (f"en:{post}", one, two), (f"en:{post}", one, 2), (one, 1, two)):
        assert diff(*names).stdout == wanted.stdout
    assert diff(two, one).stdout.startswith(f"{two}  ->  {one}\n")
    for names, why in (
        ((one,), "has 2 versions, and this is the first: a comparison needs two"),
        ((one, f"en:{post}"), "names no version: give its number, or its citation"),
        ((f"en:{post}", 1), "give two versions, or none"),
        ((one, "x"), "'x' does not name an article"),
        ((f"en:{post}", LONG, 1), "does not name an article"),
        ((f"en:{LONG}",), "the archive has no article en:999"),
    ):
        refused = diff(*names)
        assert refused.returncode == 2 and why in refused.stderr and not refused.stdout
    with closing(open_readonly(crawled)) as conn:
        sql = """select 'sohr:ar:' || key || '@' || cited_at from versions join articles using (article_id)
            where source = 'ar'"""
        (foreign,) = conn.execute(sql).fetchone()
    assert f"of another article than en:{post}" in diff(one, foreign).stderr


def test_verify_says_what_it_checked(crawled: Path, tmp_path: Path) -> None:
    """In its last line, with the counts of what it read; after findings too."""
    with closing(open_readonly(crawled)) as conn:
        (versions,) = conn.execute("select count(*) from versions").fetchone()
        (captures,) = conn.execute("select count(*) from captures").fetchone()
    answer = run("--archive", crawled, "verify")
    last = answer.stderr.splitlines()[-1]
    found = re.fullmatch(
        rf"Checked 1 WARC file, ([\d,]+) records, 2 manifests, 0 timestamps, the database with {versions} "
        "versions: everything matches\\.",
        last,
    )
    assert answer.stdout == "" and found and int(found[1].replace(",", "")) > captures
    copy = damaged(crawled, tmp_path, "update versions set text = text || ' ' where version_id = 1")
    answer = run("--archive", copy, "verify", "--deep")
    assert answer.returncode == 1 and len(answer.stdout.splitlines()) > 0
    last = answer.stderr.splitlines()[-1]
    assert f"the database with {versions} versions, and derived every row again: " in last
    assert last.endswith("the evidence is unchanged; do what the findings say.")


@pytest.mark.real_process
def test_the_folder_comes_from_the_environment_too(crawled: Path) -> None:
    """--archive, else ARCHIVE_DIR."""
    by_option, by_environment = (
        run("--archive", crawled, "status"),
        run("status", env={"ARCHIVE_DIR": str(crawled)}),
    )
    passing = r"(less than )?\S+ \S+ ago|\S+ .?B free"  # differs from one moment to the next
    said = [re.sub(passing, "", answer.stdout) for answer in (by_option, by_environment)]
    assert said[0] == said[1] != ""


def test_a_first_crawl_cut_off_leaves_gaps_that_status_names(tmp_path: Path) -> None:
    """One page of a listing: the rest is a gap, and the command that closes it is named and closes it."""
    with Replica(posts=POSTS) as site:
        crawl(site, tmp_path / "a", "-a", "pages=1", "-a", "edition=en")
        told = json.loads(run("--archive", tmp_path / "a", "status", "--json").stdout)
        assert [gap["edition"] for gap in told["broken_off"]] == ["en"] and 0 < told["broken_off"][0][
            "posts"
        ] < POSTS
        command, why = told["next"][0]
        assert (
            command == f"scrapy crawl sohr -a site={site.url} -s ARCHIVE_DIR={tmp_path / 'a'}"
            and "1 listing to read on" in why
        )
        assert "English: reading the listing stopped at" in run("--archive", tmp_path / "a", "status").stdout
        assert "Arabic: no articles" in run("--archive", tmp_path / "a", "status").stdout
        crawl(site, tmp_path / "a", "-a", "edition=en")
        assert json.loads(run("--archive", tmp_path / "a", "status", "--json").stdout)["broken_off"] == []


def test_a_killed_crawl_is_cut_off_and_a_live_one_runs(crawled: Path, tmp_path: Path) -> None:
    """The difference is whether the process that holds the lock is alive."""
    copy = damaged(
        crawled,
        tmp_path,
        "insert into crawls (name, kind, started_at) values ('x', 'crawl', '2030-01-01T00:00:00Z')",
    )
    verdicts = []
    for pid in (os.getpid(), 2**22 + 1):
        (copy / "archive.lock").write_text(str(pid))
        with closing(open_readonly(copy)) as conn:
            verdicts.append(read_status(conn, copy, "2030-01-01T00:00:05Z").crawls[0].verdict)
    assert verdicts == ["running", "cut off"]


def test_status_reads_beside_a_writer(crawled: Path, tmp_path: Path) -> None:
    """A transaction that is open changes nothing for a reader until it is committed."""
    copy = damaged(crawled, tmp_path)
    store = open_store(copy)
    with store.transaction():
        store.set_about("home", "http://127.0.0.1:1/")
        answer = run("--archive", copy, "status", "--json")
    assert answer.returncode == 0 and json.loads(answer.stdout)["home"] != "http://127.0.0.1:1/"
    assert json.loads(run("--archive", copy, "status", "--json").stdout)["home"] == "http://127.0.0.1:1/"
    store.close()


def test_reading_never_writes(crawled: Path) -> None:
    """The connection itself refuses."""
    with closing(open_readonly(crawled)) as conn, pytest.raises(sqlite3.OperationalError, match="readonly"):
        conn.execute("delete from failures")


def test_hostile_titles_move_no_cursor(crawled: Path) -> None:
    """Control characters and direction overrides of a title never reach a terminal."""
    assert plain("a\x1b[2Jb\u202ec\u2028d\te\x9b") == "a [2Jb c d e"
    with closing(open_readonly(crawled)) as conn:
        status = read_status(conn, crawled, "2030-01-01T00:00:00Z")
    post = status.holdings[0].newest
    assert post is not None
    bad = replace(
        status,
        holdings=(
            replace(status.holdings[0], newest=replace(post, title="\x1b]0;owned\x07\u202e")),
            *status.holdings[1:],
        ),
    )
    assert not {"\x1b", "\x07", "\u202e"} & set(render_status(bad))


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [("abcdef", 6, "abcdef"), ("abcdefg", 6, "abcde…"), ("قَتَلَ", 3, "قَتَلَ"), ("قَتَلَ", 2, "قَ…")],
)
def test_cut_keeps_letters_whole(text: str, width: int, expected: str) -> None:
    """Marks take no column and stay with their letter."""
    assert cut(text, width) == expected


def test_sizes_and_durations_for_people() -> None:
    """Three digits are enough."""
    assert [size(n) for n in (0, 999, 1000, 999_499, 2_720_425, 5_123_000_000, 7e12)] == [  # type: ignore[arg-type]
        "0 B", "999 B", "1.0 kB", "999 kB", "2.7 MB", "5.1 GB", "7.0 TB",
    ]  # fmt: skip
    assert [duration(n) for n in (0, 59, 60, 3605, 4 * 86400 + 50000)] == [
        "0s",
        "59s",
        "1m 00s",
        "1h 00m",
        "4d 13h",
    ]
    assert [in_words(n) for n in (-1, 59, 60, 3605, 4 * 86400)] == [
        "less than a minute", "less than a minute", "1 minute", "1 hour", "4 days",
    ]  # fmt: skip
