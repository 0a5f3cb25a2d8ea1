"""`sohr-archive` through its front door: what it says, where, and its exit status; on an archive that the
real crawler made."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest

from archive.cli.main import COMMANDS, sohr_archive
from archive.read.database import open_readonly
from archive.reports.status import read_status
from archive.reports.terminal import cut, duration, in_words, plain, render_status, size
from archive.store.rows import open_store
from archive.store.schema import RELEASE
from tests.archiving import command_line
from tests.demo import crawl
from tests.replica.server import ROOT, Replica

POSTS = 20  # an edition
Answer = subprocess.CompletedProcess[str]


LONG = "9" * 5000  # more digits than Python turns into a number


def run(*arguments: object, env: dict[str, str] | None = None) -> Answer:
    """The command in a process of its own, in an environment without an archive of the user's."""
    clean = {name: value for name, value in os.environ.items() if name != "ARCHIVE_DIR"} | (env or {})
    command = [sys.executable, "-m", "archive.cli.main", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive after two crawls: a post published, one edited, one gone."""
    where = tmp_path_factory.mktemp("cli") / "archive"
    with Replica(posts=POSTS) as site:
        crawl(site, where)
        plain_posts = [post.post_id for post in site.posts("en") if not post.odd]
        site.call("publish", edition="ar")
        site.call("edit", edition="en", post_id=plain_posts[0], digit=True)
        site.call("trash", edition="en", post_id=plain_posts[1])
        crawl(site, where, "-a", "look=all")
    return where


def damaged(folder: Path, tmp_path: Path, *statements: str) -> Path:
    """A copy of the archive whose database was changed in a way that no release makes."""
    shutil.copytree(folder, tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy" / "archive.db")) as conn:
        for statement in statements:
            conn.execute(statement)
        conn.commit()
    return tmp_path / "copy"


def commands() -> dict[str, click.Command]:
    """Every command."""
    context = click.Context(sohr_archive)
    return {name: one for name in COMMANDS if (one := sohr_archive.get_command(context, name))}


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


# -- status --------------------------------------------------------------------------------------------------


def test_status_tells_what_is_held(folder: Path) -> None:
    """Articles by state, versions, captures, crawls newest first, as JSON."""
    told = json.loads(run("--archive", folder, "status", "--json").stdout)
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


def test_status_reads_in_columns(folder: Path) -> None:
    """Numbers stand under their heading."""
    answer = run("--archive", folder, "status")
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
def test_isolates_are_for_terminals(folder: Path, command: tuple[str, ...]) -> None:
    """A right-to-left title moves nothing beside it on a terminal; a file gets the text and nothing else."""
    with closing(open_readonly(folder)) as conn:
        (post,) = conn.execute("select min(post_id) from latest_versions where edition = 'en'").fetchone()
    line = ["--archive", folder, *(word.format(post) for word in command)]
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
def test_no_binary_on_a_terminal(folder: Path, command: tuple[str, ...]) -> None:
    """It would garble it: the command says so and writes nothing."""
    status, shown = on_terminal("--archive", folder, *command)
    assert status == 2 and "binary and would garble the terminal" in shown and "PK" not in shown


def test_diff_takes_citations(folder: Path) -> None:
    """Two of them; one, with the version before it; or mixed with numbers."""
    with closing(open_readonly(folder)) as conn:
        sql = "select article_id, post_id from articles where versions > 1"
        article_id, post = conn.execute(sql).fetchone()
        sql = "select 'sohr:en:' || ? || '@' || cited_at from versions where article_id = ? order by number"
        one, two = (row[0] for row in conn.execute(sql, (post, article_id)))

    def diff(*names: object) -> Answer:
        return run("--archive", folder, "diff", *names)

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
    with closing(open_readonly(folder)) as conn:
        sql = """select 'sohr:ar:' || key || '@' || cited_at from versions join articles using (article_id)
            where source = 'ar'"""
        (foreign,) = conn.execute(sql).fetchone()
    assert f"of another article than en:{post}" in diff(one, foreign).stderr


def test_verify_says_what_it_checked(folder: Path, tmp_path: Path) -> None:
    """In its last line, with the counts of what it read; after findings too."""
    with closing(open_readonly(folder)) as conn:
        (versions,) = conn.execute("select count(*) from versions").fetchone()
        (captures,) = conn.execute("select count(*) from captures").fetchone()
    answer = run("--archive", folder, "verify")
    last = answer.stderr.splitlines()[-1]
    found = re.fullmatch(
        rf"Checked 1 WARC file, ([\d,]+) records, 2 manifests, 0 timestamps, the database with {versions} "
        "versions: everything matches\\.",
        last,
    )
    assert answer.stdout == "" and found and int(found[1].replace(",", "")) > captures
    copy = damaged(folder, tmp_path, "update versions set text = text || ' ' where version_id = 1")
    answer = run("--archive", copy, "verify", "--deep")
    assert answer.returncode == 1 and len(answer.stdout.splitlines()) > 0
    last = answer.stderr.splitlines()[-1]
    assert f"the database with {versions} versions, and derived every row again: " in last
    assert last.endswith("the evidence is unchanged; do what the findings say.")


@pytest.mark.real_process
def test_the_folder_comes_from_the_environment_too(folder: Path) -> None:
    """--archive, else ARCHIVE_DIR."""
    by_option, by_environment = (
        run("--archive", folder, "status"),
        run("status", env={"ARCHIVE_DIR": str(folder)}),
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


def test_a_killed_crawl_is_cut_off_and_a_live_one_runs(folder: Path, tmp_path: Path) -> None:
    """The difference is whether the process that holds the lock is alive."""
    copy = damaged(
        folder,
        tmp_path,
        "insert into crawls (name, kind, started_at) values ('x', 'crawl', '2030-01-01T00:00:00Z')",
    )
    verdicts = []
    for pid in (os.getpid(), 2**22 + 1):
        (copy / "archive.lock").write_text(str(pid))
        with closing(open_readonly(copy)) as conn:
            verdicts.append(read_status(conn, copy, "2030-01-01T00:00:05Z").crawls[0].verdict)
    assert verdicts == ["running", "cut off"]


def test_status_reads_beside_a_writer(folder: Path, tmp_path: Path) -> None:
    """A transaction that is open changes nothing for a reader until it is committed."""
    copy = damaged(folder, tmp_path)
    store = open_store(copy)
    with store.transaction():
        store.set_about("home", "http://127.0.0.1:1/")
        answer = run("--archive", copy, "status", "--json")
    assert answer.returncode == 0 and json.loads(answer.stdout)["home"] != "http://127.0.0.1:1/"
    assert json.loads(run("--archive", copy, "status", "--json").stdout)["home"] == "http://127.0.0.1:1/"
    store.close()


def test_reading_never_writes(folder: Path) -> None:
    """The connection itself refuses."""
    with closing(open_readonly(folder)) as conn, pytest.raises(sqlite3.OperationalError, match="readonly"):
        conn.execute("delete from failures")


def test_hostile_titles_move_no_cursor(folder: Path) -> None:
    """Control characters and direction overrides of a title never reach a terminal."""
    assert plain("a\x1b[2Jb\u202ec\u2028d\te\x9b") == "a [2Jb c d e"
    with closing(open_readonly(folder)) as conn:
        status = read_status(conn, folder, "2030-01-01T00:00:00Z")
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


# -- bad input -----------------------------------------------------------------------------------------------


def sentence(answer: Answer, status: int) -> str:
    """The one sentence on standard error."""
    assert (answer.returncode, answer.stdout) == (status, ""), answer.stderr
    assert answer.stderr.startswith("sohr-archive: ") and answer.stderr.count("\n") == 1
    return answer.stderr


def test_no_archive(tmp_path: Path) -> None:
    """A folder without an archive, a missing folder, an empty file, another database and a text file: each
    gives a sentence and 2."""
    assert "there is no archive in" in sentence(run("--archive", tmp_path, "status"), 2)
    assert "there is no archive in" in sentence(run("--archive", tmp_path / "x" / "y", "changes"), 2)
    (tmp_path / "evidence" / "warc").mkdir(parents=True)
    assert "'sohr-archive rebuild' makes it" in sentence(run("--archive", tmp_path / "evidence", "status"), 2)
    database = tmp_path / "archive.db"
    database.touch()
    assert "is empty" in sentence(run("--archive", tmp_path, "export"), 2)
    with closing(sqlite3.connect(database)) as conn:
        conn.execute("create table articles (x)")
    assert "is a database, but not an archive" in sentence(run("--archive", tmp_path, "status"), 2)
    database.write_bytes(b"This is a letter, and a long one at that. " * 200)
    assert "is not a database" in sentence(run("--archive", tmp_path, "status"), 2)


def test_an_archive_of_another_release(folder: Path, tmp_path: Path) -> None:
    """A newer one asks for an upgrade; an earlier one for a rebuild, also when it is to be served."""
    newer = damaged(folder, tmp_path, f"pragma user_version = {RELEASE + 1}")
    assert "newer release" in sentence(run("--archive", newer, "status"), 73)
    database = newer / "archive.db"
    with closing(sqlite3.connect(database)) as conn:
        conn.executescript("pragma user_version = -1")
    shutil.copy(database, tmp_path / "old.db")
    reported = "is of an earlier release: move it away and run 'sohr-archive rebuild'"
    assert reported in sentence(run("--archive", newer, "status"), 2)
    assert reported in sentence(run("--archive", newer, "serve", "--port", "0"), 2)
    assert reported in sentence(run("serve", "--port", "0", tmp_path / "old.db"), 2)


def test_verify_of_a_damaged_database_asks_for_a_rebuild_and_nothing_else(
    folder: Path, tmp_path: Path
) -> None:
    """Where the evidence is whole there is nothing to restore; after the rebuild nothing is left to find."""
    shutil.copytree(folder, tmp_path / "copy")
    os.truncate(tmp_path / "copy" / "archive.db", 100_000)
    answer = run("--archive", tmp_path / "copy", "verify")
    assert (
        answer.returncode == 1
        and "run 'sohr-archive rebuild'" in answer.stdout
        and "restore" not in answer.stderr
    )
    assert run("--archive", tmp_path / "copy", "rebuild").returncode == 0
    assert run("--archive", tmp_path / "copy", "verify").returncode == 0


def test_a_damaged_database(folder: Path, tmp_path: Path) -> None:
    """What SQLite cannot make sense of is said, with what to do."""
    copy = damaged(folder, tmp_path, "pragma wal_checkpoint(truncate)")
    whole = bytearray((copy / "archive.db").read_bytes())
    whole[4096 * 2 :] = b"\xff" * (len(whole) - 4096 * 2)
    (copy / "archive.db").write_bytes(whole)
    assert "is damaged" in sentence(run("--archive", copy, "export"), 73)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["status", "--nonsense"],
        ["changes", "--after", "-1"],
        ["changes", "--limit", "x"],
        ["export", "--edition", "fr"],
        ["export", "--format", "doc"],
    ],
)
def test_usage_errors_end_with_2(folder: Path, arguments: list[str]) -> None:
    """And teach: they say where the help is."""
    answer = run("--archive", folder, *arguments)
    assert (answer.returncode, answer.stdout) == (2, "") and "Try 'sohr-archive" in answer.stderr


def test_a_number_of_another_archive(folder: Path) -> None:
    """A number above the newest change belongs to another archive."""
    answer = run("--archive", folder, "changes", "--after", 10**9)
    assert answer.returncode == 2 and "the newest change is" in answer.stderr


@pytest.mark.real_process
def test_a_reader_that_goes_away_is_no_error(folder: Path) -> None:
    """`changes | head -1`: nothing on standard error, exit status 0."""
    command = command_line(folder, "changes")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout and child.stderr
        child.stdout.readline()
        child.stdout.close()
        assert (child.stderr.read(), child.wait()) == (b"", 0)


@pytest.mark.real_process
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk(folder: Path) -> None:
    """One sentence and 73."""
    with open("/dev/full", "wb") as full:
        command = command_line(folder, "export")
        answer = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True)
    assert answer.returncode == 73 and answer.stderr.count("\n") == 1 and "No space left" in answer.stderr


@pytest.mark.real_process
def test_ctrl_c(folder: Path) -> None:
    """130, one line, no traceback."""
    command = command_line(folder, "changes")
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout
        child.stdout.readline()  # at work now, and held up by the full pipe
        child.send_signal(signal.SIGINT)
        time.sleep(0.2)
        _, error = child.communicate(timeout=20)
    assert child.returncode == 130 and error.strip() == "sohr-archive: stopped by Ctrl-C"


@pytest.mark.parametrize("width", ["40", "200"])
def test_no_description_is_cut(width: str) -> None:
    """On any terminal: every command's sentence to its full stop, every option's words."""
    words = " ".join(run("--help", env={"COLUMNS": width}).stdout.partition("Commands:")[2].split())
    assert "..." not in words and "…" not in words
    assert all(f"{name} {one.get_short_help_str(999)}" in words for name, one in commands().items())


@pytest.mark.real_process
def test_help_teaches() -> None:
    """Examples for the group and for each command, which all know --json."""
    assert "Exit status" in run("--help").stdout
    listed = run("--help").stdout.rpartition("Commands:")[2]
    for command in ("status", "search", "show", "diff", "cite", "changes", "ack", "export"):
        assert f"\n  {command} " in listed
        text = run(command, "-h").stdout
        assert "Examples:" in text and f"sohr-archive {command}" in text and "--json" in text
    assert run("--version").stdout.startswith("sohr-archive")


def test_errors_of_ours_are_told_as_such(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bug ends with 70 and shows where it was."""
    from archive.cli import main
    from archive.reports import status

    def bug(*_: Any) -> None:
        raise KeyError("bug")

    monkeypatch.setattr(status, "read_status", bug)
    assert main.main(["--archive", str(folder), "status"]) == 70
    assert "Traceback" in (told := capsys.readouterr().err) and told.endswith(
        "sohr-archive: this is a bug in sohr-archive: please report the lines above\n"
    )
