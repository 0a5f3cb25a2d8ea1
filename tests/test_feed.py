"""The feed for those who live on it: its schema, its replay, consumers that crash, consumers of an older
epoch, following."""

from __future__ import annotations

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from archive import Archive
from archive.read import feed
from archive.read.consumers import BadConsumer, CannotKeepCursor, Consumers, FeedBeganAnew
from archive.read.database import open_readonly
from archive.read.follow import follow
from tests.archiving import command_line
from tests.replica.server import ROOT
from tests.small_archive import Small

KILLS = 20
# A consumer of a user's: reads on, writes down what it got, durably, and then says so; slow enough to be
# killed anywhere in between.
CONSUMER = """
import os, sys, time
from contextlib import closing
from pathlib import Path
from archive.read import feed
from archive.read.consumers import Consumers
from archive.read.database import open_readonly
folder, out = Path(sys.argv[1]), Path(sys.argv[2])
with closing(open_readonly(folder)) as conn, open(out, "a") as file:
    consumers = Consumers(folder, conn)
    for change in feed.changes(conn, consumers.cursor("parser").seq):
        time.sleep(0.004)
        file.write(f"{change['seq']}\\n")
        file.flush()
        os.fsync(file.fileno())
        time.sleep(0.004)
        consumers.ack("parser", change["seq"])
        file.write("ack\\n")
        file.flush()
"""


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The command."""
    command = command_line(folder, *arguments)
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.fixture
def copy(small: Small, tmp_path: Path) -> Path:
    """The database alone, to be changed."""
    (tmp_path / "copy").mkdir()
    shutil.copy(small.folder / "archive.db", tmp_path / "copy")
    return tmp_path / "copy"


def change(folder: Path, *statements: str) -> None:
    """Change a database in a way that no release does."""
    with closing(sqlite3.connect(folder / "archive.db")) as conn:
        for statement in statements:
            conn.execute(statement)
        conn.commit()


MORE = """insert into changes (seq, epoch, article_id, version_id, kind, said_at, learnt_at)
select (select max(seq) from changes) + 1, epoch, article_id, version_id, 'restored', said_at, learnt_at from
changes where seq = 1"""


def test_lines_hold_to_the_published_schema(small: Small) -> None:
    """Every line, and the schema itself."""
    schema = json.loads((ROOT / "archive" / "export" / "schema" / "change.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    lines = run(small.folder, "changes").stdout.splitlines()
    for line in lines:
        validator.validate(json.loads(line))
    assert len(lines) > 24 and schema["additionalProperties"] is False


def test_replaying_from_the_beginning_gives_the_present_state(small: Small) -> None:
    """Each line on top of the one before: what is left is `latest_versions`."""
    present: dict[tuple[str, str], dict[str, Any]] = {}
    with Archive.open(small.folder) as archive:
        for told in archive.changes():
            present[told.source, told.key] = {
                name: getattr(told, name)
                for name in ("state", "number", "title", "text", "text_sha256", "author")
            }
        rows = {(row["source"], row["key"]): row for row in archive.rows("select * from latest_versions")}
    held = {key: state for key, state in present.items() if state["number"]}
    assert held == {key: {name: row[name] for name in next(iter(held.values()))} for key, row in rows.items()}


@pytest.mark.slow
def test_a_consumer_killed_anywhere_misses_nothing(copy: Path, tmp_path: Path) -> None:
    """Twenty kills: what it got is the whole table in order, and nothing that it had acknowledged came
    again."""
    script, out, chance = tmp_path / "consumer.py", tmp_path / "got", random.Random(7)
    script.write_text(CONSUMER)
    out.touch()
    for _ in range(KILLS):
        child = subprocess.Popen(
            [sys.executable, str(script), str(copy), str(out)], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}
        )
        size, deadline = out.stat().st_size, time.monotonic() + 20
        while out.stat().st_size == size and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.012))
        child.kill()
        child.wait()
    subprocess.run(
        [sys.executable, str(script), str(copy), str(out)],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        check=True,
    )
    got: list[int] = []
    acknowledged = 0
    for line in out.read_text().split():
        if line == "ack":
            acknowledged = got[-1]
            continue
        assert int(line) > acknowledged
        # The same once more, or the next: no gap
        assert int(line) in ((got[-1], got[-1] + 1) if got else (1,))
        got.append(int(line))
    with closing(open_readonly(copy)) as conn:
        assert sorted(set(got)) == list(range(1, feed.newest_seq(conn) + 1))


def test_a_cursor_moves_by_ack_alone(copy: Path) -> None:
    """Reading does not move it; --json shows it; it is kept in the archive's folder."""
    first = run(copy, "changes", "--consumer", "parser", "--limit", 3).stdout
    assert run(copy, "changes", "--consumer", "parser", "--limit", 3).stdout == first != ""
    told = json.loads(run(copy, "ack", "parser", 3, "--json").stdout)
    assert (told["name"], told["seq"], told["epoch"]) == ("parser", 3, 1)
    assert json.loads(run(copy, "changes", "--consumer", "parser", "--limit", 1).stdout)["seq"] == 4
    assert (copy / "consumers.db").is_file()


def test_acks_that_cannot_be(copy: Path) -> None:
    """Backwards, beyond the newest, of somebody unknown, of no name: a sentence and 2; --rewind goes back."""
    run(copy, "changes", "--consumer", "parser", "--limit", 1)
    run(copy, "ack", "parser", 5)
    for arguments, sentence in (
        (("ack", "parser", 4), "add --rewind"),
        (("ack", "parser", 10**6), "cannot have been processed"),
        (("ack", "other", 1), "known are parser"),
        (("changes", "--consumer", "a b"), "is not a name"),
        (("changes", "--consumer", "parser", "--after", "1"), "not both"),
    ):
        answer = run(copy, *arguments)
        assert (answer.returncode, answer.stdout) == (2, "") and sentence in answer.stderr
    assert run(copy, "ack", "parser", 5).returncode == 0  # once more is no step back
    assert run(copy, "ack", "parser", 2, "--rewind").returncode == 0
    assert json.loads(run(copy, "changes", "--consumer", "parser", "--limit", 1).stdout)["seq"] == 3


def test_a_consumer_of_an_older_epoch_is_told_to_replay(copy: Path) -> None:
    """76 and what to do, for reading and for acknowledging; after that it begins at 1."""
    run(copy, "changes", "--consumer", "parser", "--limit", 1)
    run(copy, "ack", "parser", 5)
    change(copy, "update about set value = '2' where key = 'epoch'")
    for arguments in (
        ("changes", "--consumer", "parser"),
        ("ack", "parser", "6"),
        ("ack", "parser", "5", "--rewind"),
    ):
        answer = run(copy, *arguments)
        assert (
            (answer.returncode, answer.stdout) == (76, "")
            and "ack parser 0 --rewind" in answer.stderr
            and answer.stderr.count("\n") == 1
        )
    assert run(copy, "ack", "parser", 0, "--rewind").returncode == 0
    assert json.loads(run(copy, "changes", "--consumer", "parser", "--limit", 1).stdout)["seq"] == 1


def test_a_consumer_ahead_of_its_archive_is_told_too(copy: Path) -> None:
    """The archive was put back from an older copy."""
    change(copy, MORE)
    with closing(open_readonly(copy)) as conn:
        consumers = Consumers(copy, conn)
        consumers.cursor("parser")
        consumers.ack("parser", feed.newest_seq(conn))
    change(
        copy,
        "drop trigger changes_not_deleted",
        "delete from changes where seq = (select max(seq) from changes)",
    )
    with closing(open_readonly(copy)) as conn, pytest.raises(FeedBeganAnew, match="replay it"):
        Consumers(copy, conn).cursor("parser")


def test_a_folder_that_may_not_be_written(copy: Path) -> None:
    """A damaged consumers.db ends in a sentence."""
    (copy / "consumers.db").write_bytes(b"no database at all, and long enough to be told from one" * 100)
    with closing(open_readonly(copy)) as conn, pytest.raises(CannotKeepCursor, match=r"cannot be used"):
        Consumers(copy, conn).cursor("parser")
    with closing(open_readonly(copy)) as conn, pytest.raises(BadConsumer):
        Consumers(copy, conn).ack("parser", -1)


def test_following_goes_on_with_what_is_told_later(copy: Path) -> None:
    """At once what is there; then what comes; a rebuild that says the same is nothing new, another epoch ends
    it."""
    with closing(open_readonly(copy)) as conn:
        newest = feed.newest_seq(conn)
    lines = follow(copy, newest - 1, wait=0.01)
    assert (next(lines) or {})["seq"] == newest and next(lines) is None
    change(copy, MORE)
    assert (next(line for line in lines if line) or {})["seq"] == newest + 1 and next(lines) is None
    shutil.copy(copy / "archive.db", copy / "again")
    (copy / "again").replace(copy / "archive.db")
    change(copy, MORE)
    assert (next(line for line in lines if line) or {})["seq"] == newest + 2 and next(lines) is None
    shutil.copy(copy / "archive.db", copy / "again")
    (copy / "again").replace(copy / "archive.db")
    change(copy, "update about set value = '2' where key = 'epoch'")
    with pytest.raises(FeedBeganAnew, match="from 0"):
        list(lines)


@pytest.mark.real_process
def test_follow_on_the_command_line_flushes_and_ends_with_ctrl_c(copy: Path) -> None:
    """Each line reaches a pipe as soon as it is written."""
    with closing(open_readonly(copy)) as conn:
        newest = feed.newest_seq(conn)
    command = command_line(copy, "changes", "--follow", "--after", newest - 1)
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout and json.loads(child.stdout.readline())["seq"] == newest
        change(copy, MORE)
        assert json.loads(child.stdout.readline())["seq"] == newest + 1
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 130
