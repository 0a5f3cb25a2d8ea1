"""`make demo` as a whole, and that it empties only what is its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from archive.store import lock
from tests.demo import MARK, free_port
from tests.demo_report import word_by_word
from tests.made_demo import Demo
from tests.replica.server import ROOT


def run(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The demo in a process of its own."""
    command = [sys.executable, "-m", "tests.demo", "--folder", str(folder), "--no-serve", *more]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_the_demo_shows_what_the_archive_noticed(demo: Demo) -> None:
    """Twice into the same folder: all acts, every kind of change by name, the toll word by word."""
    text = demo.said
    assert [line for line in text.splitlines() if line.startswith("Act ")] == [
        "Act 1: the first crawl",
        "Act 2: the site changes, and is crawled again",
        "Act 3: a post comes back",
    ]
    assert text.count("crawl healthy: ") == 3
    assert "killed [-3-]{+31+} civilians" in text
    proof = text.partition("The edit, as a proof")[2]
    assert (
        "Verification: OK" in proof
        and "  killed 3 civilians\n" in proof
        and "  killed 31 civilians\n" in proof
    )
    assert "All of it holds" in proof and "edit.wacz" in demo.files
    assert re.search(r"updated +figures +3 +no +en:\d+", text) and re.search(
        r"updated +figures +3 +yes +ar:\d+", text
    )
    assert (
        re.search(r"updated +title +\d +no", text)
        and re.search(r"missing +HTTP 404", text)
        and re.search(r"restored +was missing", text)
    )
    assert re.search(r"moved +to ar:\d+", text) and re.search(
        r"New white space in en:\d+ made no version", text
    )
    assert "\x1b" not in text  # no colours into a file
    assert "archive.db" in demo.files and "warc/of-the-last-demo" not in demo.files


def test_a_folder_that_is_not_of_a_demo_is_left_alone(tmp_path: Path) -> None:
    """Neither files of somebody's nor an archive without the mark are touched."""
    (tmp_path / "archive.db").write_text("years of work")
    answer = run(tmp_path)
    assert (
        answer.returncode == 2
        and answer.stderr.startswith("demo: ")
        and "was not made by a demo" in answer.stderr
    )
    assert (tmp_path / "archive.db").read_text() == "years of work"
    assert run(tmp_path / "archive.db").returncode == 2


def test_a_folder_that_a_crawl_holds_is_left_alone(tmp_path: Path) -> None:
    """75, as any command."""
    (tmp_path / MARK).touch()
    with lock.hold(tmp_path, os.getpid()):
        answer = run(tmp_path)
    assert answer.returncode == 75 and "holds the archive" in answer.stderr


def test_a_taken_port_is_passed_over() -> None:
    """Another one is found."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) not in (0, port)


def test_word_by_word_marks_what_went_and_came() -> None:
    """Only lines that differ; without colours where nobody looks."""
    assert word_by_word("same\n3 killed", "same\n31 killed") == "  [-3-]{+31+} killed"
