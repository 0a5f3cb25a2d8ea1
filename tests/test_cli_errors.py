"""What `sohr-archive` says of bad input, damaged archives and its own bugs, and its exit status."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import pytest

from archive.cli.main import COMMANDS, sohr_archive
from archive.store.schema import RELEASE
from tests.archiving import command_line
from tests.commanding import Answer, damaged, run
from tests.made_once import copy_archive
from tests.replica.server import ROOT


def commands() -> dict[str, click.Command]:
    """Every command."""
    context = click.Context(sohr_archive)
    return {name: one for name in COMMANDS if (one := sohr_archive.get_command(context, name))}


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
    (tmp_path / "letter").touch()
    assert "is a file: give the folder" in sentence(run("--archive", tmp_path / "letter", "status"), 2)
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


def test_an_archive_of_another_release(crawled: Path, tmp_path: Path) -> None:
    """A newer one asks for an upgrade; an earlier one, or one with other tables, for a rebuild. Served ones
    too."""
    newer = damaged(crawled, tmp_path, f"pragma user_version = {RELEASE + 1}")
    assert "newer release" in sentence(run("--archive", newer, "status"), 73)
    database = newer / "archive.db"
    with closing(sqlite3.connect(database)) as conn:
        conn.executescript("pragma user_version = -1")
    shutil.copy(database, tmp_path / "old.db")
    reported = "is of an earlier release: move it away and run 'sohr-archive rebuild'"
    assert reported in sentence(run("--archive", newer, "status"), 2)
    other = damaged(crawled, tmp_path / "other", "pragma application_id = 1")
    assert reported in sentence(run("--archive", other, "status"), 2)
    assert reported in sentence(run("--archive", newer, "serve", "--port", "0"), 2)
    assert reported in sentence(run("serve", "--port", "0", tmp_path / "old.db"), 2)


def test_verify_of_a_damaged_database_asks_for_a_rebuild_and_nothing_else(
    crawled: Path, tmp_path: Path
) -> None:
    """Where the evidence is whole there is nothing to restore; after the rebuild nothing is left to find."""
    copy_archive(crawled, tmp_path / "copy")
    os.truncate(tmp_path / "copy" / "archive.db", 100_000)
    answer = run("--archive", tmp_path / "copy", "verify")
    assert (
        answer.returncode == 1
        and "run 'sohr-archive rebuild'" in answer.stdout
        and "restore" not in answer.stderr
    )
    assert run("--archive", tmp_path / "copy", "rebuild").returncode == 0
    assert run("--archive", tmp_path / "copy", "verify").returncode == 0


def test_a_damaged_database(crawled: Path, tmp_path: Path) -> None:
    """What SQLite cannot make sense of is said, with what to do."""
    copy = damaged(crawled, tmp_path, "pragma wal_checkpoint(truncate)")
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
def test_usage_errors_end_with_2(crawled: Path, arguments: list[str]) -> None:
    """And teach: they say where the help is."""
    answer = run("--archive", crawled, *arguments)
    assert (answer.returncode, answer.stdout) == (2, "") and "Try 'sohr-archive" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (
            ["status", "--archive", "x"],
            "write --archive before the command: sohr-archive --archive DIR status",
        ),
        (["audit", "--since", "2024-02-30"], "'2024-02-30' is not a day: write it like 2024-05-31"),
        (["audit", "--until", "2024-W22-5"], "is not a day"),
        (["backfill", "--until", "2024"], "'2024' is not a day: write it like 2024-05-31"),
        (["backfill", "-s", "NAME"], "-s NAME gives no value: write -s NAME=VALUE"),
        (["backfill", "--site", "example"], "--site: 'example' is not the address of a site: give one like"),
        (["probe", "example"], "URL: 'example' is not the address of a site: give one like"),
        (
            ["sift", "-", "-o", "x", "--site", "example"],
            "--site: 'example' is not the address of a site: give one like",
        ),
        (["verify", "--head", "3f5a"], "--head '3f5a' is not a digest: give the 64 characters"),
        (["verify", "--head", " "], "--head '' is not a digest"),
    ],
)
def test_a_mistake_is_answered_with_what_to_write(crawled: Path, arguments: list[str], advice: str) -> None:
    """Nothing is asked of the network, and no alarm is raised over a digest that was cut."""
    answer = run("--archive", crawled, *arguments)
    assert (answer.returncode, answer.stdout) == (2, "") and advice in answer.stderr


@pytest.mark.parametrize("command", [("export", "-o"), ("backup",), ("cite", "en:1", "--package")])
def test_the_advice_fits_what_keeps_a_file_from_being_written(
    crawled: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """A missing folder is to be made; a file in the place of a folder needs another place."""
    with closing(sqlite3.connect(crawled / "archive.db")) as conn:
        (post,) = conn.execute(
            "select post_id from articles where edition = 'en' and versions > 1"
        ).fetchone()
    line = [part.replace("en:1", f"en:{post}") for part in command]
    (tmp_path / "letter").touch()
    for folder, advice in (
        ("none", "make its folder first"),
        ("letter", "a file stands where a folder must"),
    ):
        answer = run("--archive", crawled, *line, tmp_path / folder / "x.jsonl")
        assert answer.returncode == 73 and advice in answer.stderr and answer.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]


def test_a_number_of_another_archive(crawled: Path) -> None:
    """A number above the newest change belongs to another archive."""
    answer = run("--archive", crawled, "changes", "--after", 10**9)
    assert answer.returncode == 2 and "the newest change is" in answer.stderr


@pytest.mark.real_process
def test_a_reader_that_goes_away_is_no_error(crawled: Path) -> None:
    """`changes | head -1`: nothing on standard error, exit status 0."""
    command = command_line(crawled, "changes")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout and child.stderr
        child.stdout.readline()
        child.stdout.close()
        assert (child.stderr.read(), child.wait()) == (b"", 0)


@pytest.mark.real_process
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk(crawled: Path) -> None:
    """One sentence and 73."""
    with open("/dev/full", "wb") as full:
        command = command_line(crawled, "export")
        answer = subprocess.run(command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True)
    assert answer.returncode == 73 and answer.stderr.count("\n") == 1 and "No space left" in answer.stderr


@pytest.mark.real_process
def test_ctrl_c(crawled: Path) -> None:
    """130, one line, no traceback."""
    command = command_line(crawled, "changes")
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
    crawled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bug ends with 70 and shows where it was."""
    from archive.cli import main
    from archive.reports import status

    def bug(*_: Any) -> None:
        raise KeyError("bug")

    monkeypatch.setattr(status, "read_status", bug)
    assert main.main(["--archive", str(crawled), "status"]) == 70
    assert "Traceback" in (told := capsys.readouterr().err) and told.endswith(
        "sohr-archive: this is a bug in sohr-archive: please report the lines above\n"
    )
