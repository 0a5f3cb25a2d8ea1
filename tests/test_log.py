"""Where lines go: standard error, the journal, or a file that is rotated; a log that fails stops nothing."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from archive import log
from tests.archiving import command_line
from tests.crawling import command, crawl, environment
from tests.replica.server import ROOT, Replica

MOST = 10  # lines of a healthy run
POSTS = 3


@pytest.fixture(scope="module")
def folder(shared: Replica, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its archive."""
    folder = tmp_path_factory.mktemp("log") / "archive"
    done = crawl(shared, folder)
    assert done.status == 0 and 1 <= len(done.stderr.splitlines()) <= MOST, done.stderr
    return folder


def test_json_lines(site: Replica, folder: Path) -> None:
    """With --json each line of a crawl is an object; the last has the counts."""
    line = [*command(site, folder), "--json"]
    done = subprocess.run(line, cwd=ROOT, env=environment(), capture_output=True, text=True, check=True)
    told = [json.loads(one) for one in done.stderr.splitlines()]
    assert 1 <= len(told) <= MOST and all({"time", "level", "command", "message"} <= set(one) for one in told)
    assert (told[-1]["exit_status"], told[-1]["counts"]["new"]) == (0, 0)


@pytest.mark.parametrize("name", ["archive.log", "archive.jsonl"])
def test_a_file_has_what_crawls_and_tasks_say(site: Replica, folder: Path, tmp_path: Path, name: str) -> None:
    """One setting for all; a healthy crawl has nothing to say beside it; the tasks answer as always."""
    path = tmp_path / "deep" / name
    (folder / "settings.toml").write_text(f'log = "{path}"')
    try:
        done = crawl(site, folder, "edition=en")
        assert (done.status, done.stderr) == (0, "")
        for task in (["audit"], ["verify"], ["alert"], ["backup", str(tmp_path / "b.db")]):
            line = command_line(folder, *task)
            subprocess.run(line, cwd=ROOT, env=environment(), capture_output=True, check=True)
    finally:
        (folder / "settings.toml").unlink()
    lines = path.read_text().splitlines()
    for named in ("crawl", "audit", "verify", "alert", "backup"):
        own = [one for one in lines if f" {named}[" in one or f'"command": "{named}"' in one]
        assert 1 <= len(own) <= MOST, lines
    assert "crawl healthy: " in lines[0] and "ended with 0 after" in lines[-1]
    if name.endswith(".jsonl"):
        assert {json.loads(one)["level"] for one in lines} == {"info"}


def test_a_file_that_cannot_be_written(site: Replica, folder: Path, tmp_path: Path) -> None:
    """One sentence; the crawl goes on and says the rest on standard error."""
    (tmp_path / "file").touch()
    done = crawl(site, folder, "edition=en", ARCHIVE_LOG=tmp_path / "file" / "archive.log")
    assert done.status == 0
    [sentence, summary] = done.stderr.splitlines()
    assert sentence.startswith("sohr: the log ") and "cannot be written (" in sentence
    assert summary.startswith("crawl healthy: ")


def test_a_disk_without_room_for_a_line(tmp_path: Path, room: Callable[[Path, int], None]) -> None:
    """No half line stays; with room again, lines go on."""
    room(tmp_path / "small", 4)
    path = tmp_path / "small" / "archive.jsonl"

    def emit(text: str) -> list[object]:
        stderr = log._Stderr(log._Form("a", "people"), 50, is_for_people=False)
        handler = log._file("a", str(path), tmp_path / "archive", 10, stderr)
        handler.emit(logging.makeLogRecord({"msg": text, "levelno": 20}))
        return [json.loads(line)["message"] for line in path.read_text().splitlines()]

    assert emit("first") == ["first"] and emit("long " * 1000) == ["first"]
    room(tmp_path / "small", 64)
    assert emit("last") == ["first", "last"]


@pytest.mark.parametrize(
    ("place", "words"), [("archive.log", "is not a full path"), ("{}/warc/x", "is in the archive's folder")]
)
def test_a_place_that_is_refused(site: Replica, folder: Path, place: str, words: str) -> None:
    """Evidence and logs do not mix."""
    done = crawl(site, folder, ARCHIVE_LOG=place.format(folder))
    assert done.status == 2 and words in done.stderr and len(done.stderr.splitlines()) < MOST


def test_an_error_is_said_beside_the_file(folder: Path, tmp_path: Path) -> None:
    """So that cron writes of it."""
    path = tmp_path / "archive.log"
    done = crawl("http://127.0.0.1:9/", folder, ARCHIVE_LOG=path)
    assert done.status == 2 and "is an archive of" in done.stderr
    assert "is an archive of" in path.read_text() and "crawl not written" in path.read_text()


def test_closed_streams(site: Replica, folder: Path) -> None:
    """Crawls and commands run and end as always; nothing is written into files that took their numbers."""
    for line in (command(site, folder, "edition=en"), command_line(folder, "head")):
        for closed in (">&-", "2>&-", "<&- >&- 2>&-"):
            done = subprocess.run(
                ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *line],
                cwd=ROOT,
                env=environment(),
                check=False,
            )
            assert done.returncode == 0, (line, closed)
    subprocess.run(command_line(folder, "verify"), cwd=ROOT, env=environment(), check=True)


def test_the_journal_gets_priorities(site: Replica, folder: Path, tmp_path: Path) -> None:
    """If systemd says that it reads standard error; else there are none."""
    with open(tmp_path / "journal", "wb") as stream:
        place = os.fstat(stream.fileno())
        env = environment() | {"JOURNAL_STREAM": f"{place.st_dev}:{place.st_ino}"}
        subprocess.run(command(site, folder, "edition=en"), cwd=ROOT, env=env, stderr=stream, check=True)
        subprocess.run(command("http://127.0.0.1:9/", folder), cwd=ROOT, env=env, stderr=stream, check=False)
    first, *others = (tmp_path / "journal").read_text().splitlines()
    assert first.startswith("<6>crawl healthy: ") and others[0].startswith("<3>")


def test_rotation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes share a file: no line is torn or lost but the oldest, and no file is larger."""
    monkeypatch.setattr(log, "MOST", 1000)
    path = tmp_path / "archive.log"
    two = [
        log._file(
            name,
            str(path),
            tmp_path / "archive",
            10,
            log._Stderr(log._Form("a", "people"), 50, is_for_people=False),
        )
        for name in ("one", "two")
    ]
    for number in range(300):
        two[number % 2].emit(logging.makeLogRecord({"msg": f"line {number:03}", "levelno": 20}))
    names = [path, *(Path(f"{path}.{n}") for n in range(1, log.KEPT + 1))]
    assert sorted(tmp_path.iterdir()) == sorted(names)
    lines = [line for name in reversed(names) for line in name.read_text().splitlines()]
    assert all(name.stat().st_size <= 1000 for name in names) and len(lines) > 5 * 10
    assert [line[-3:] for line in lines] == [f"{n:03}" for n in range(300 - len(lines), 300)]
