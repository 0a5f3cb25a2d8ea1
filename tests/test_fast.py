"""A crawl faster than the archive process reads pages for itself: what is kept and told is the same."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from archive import client, extract
from archive.client import ArchiveProcess, begin
from archive.outcome import Outcome
from archive.release import software
from archive.wire import Open
from tests.archiving import HOME, Archive, capture, well

AT = "2026-01-02T10:{:02d}:{:02d}Z"
POSTS = 150
HEAVY = b"<!DOCTYPE html><html><body class='single'>" + b"<p>Word.</p>" * 12_000 + b"</body></html>"


def captures() -> list[Any]:
    """Posts, some of them twice and once edited; and pages that are no article, or are read apart."""
    first = [capture(n, AT.format(0, n % 60), f"In this post {n} people were killed.", "And more.", title=f"Post {n}") for n in range(1, POSTS)]
    again = [capture(n, AT.format(1, n), f"In this post {n + n % 2} people were killed.", "And more.", title=f"Post {n}") for n in range(1, 30)]
    odd = [
        capture(200, AT.format(2, 0), status=404, body=b"gone"),
        capture(201, AT.format(2, 1), body=b"<html><body>No layout reads this.</body></html>"),
        capture(202, AT.format(2, 2), body=HEAVY),
        capture(203, AT.format(2, 3), "Cut.", truncated="disconnect"),
        capture(204, AT.format(2, 4), status=503, body=b"busy"),
        capture(205, AT.format(2, 5), "Another post.", body=b"\0\1\2"),
    ]
    return [*first, *again, *odd]


async def handed(folder: Path) -> list[Outcome]:
    """All of them, faster than the archive process takes them."""
    begin()
    archive = ArchiveProcess()
    await archive.open(Open(str(folder), HOME, os.getpid(), "fast", "crawl", {}, software()))
    futures = [await archive.capture(one) for one in captures()]
    outcomes = [await future for future in futures]
    await archive.close()
    assert archive.failure is None
    return outcomes


async def test_what_the_crawl_reads_is_kept_and_told_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same outcomes, texts and changes as from an archive process that reads every page itself; most pages were read here."""
    read = []
    ours = extract.extract
    monkeypatch.setattr(extract, "extract", lambda *given: read.append(given) or ours(*given))
    outcomes = await handed(tmp_path / "fast")
    assert len(read) > POSTS // 2
    monkeypatch.undo()
    with Archive(tmp_path / "slow") as archive:
        assert [archive.take(one)[0] for one in captures()] == outcomes
    for folder in ("fast", "slow"):
        well(tmp_path / folder, "verify", "--deep")
    for command in (("export", "--content"), ("changes",)):
        assert well(tmp_path / "fast", *command) == well(tmp_path / "slow", *command)


async def test_a_page_that_breaks_our_reading_is_kept_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails here is left to the archive process; the crawl goes on."""

    def broken(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(extract, "extract", broken)
    outcomes = await handed(tmp_path / "a")
    assert [outcome.word for outcome in outcomes[: POSTS - 1]] == ["new"] * (POSTS - 1)


async def test_a_process_that_was_begun_and_not_opened_ends_with_its_crawl() -> None:
    """Its line is closed: there is nothing to write, and nothing wrong."""
    begin()
    begun = client._begun.pop()
    begun.line.close()
    assert begun.process.wait(20) == 0
