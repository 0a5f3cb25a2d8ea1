"""Exports of many versions need no more memory than those of few."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.archiving import command_line
from tests.bench import measure
from tests.large_archive import make

MOST_RSS = 300  # MB
GROWTH = 30  # MB from the smaller archive to the larger: what the allocators keep for themselves
FEW, SEVERAL, MANY = 1_000, 10_000, 60_000  # versions


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Archives of so many versions, the smaller ones with evidence."""
    folder = tmp_path_factory.mktemp("many")
    for versions in (FEW, SEVERAL, MANY):
        make(folder / str(versions), versions, evidence=versions < MANY)
    return {versions: folder / str(versions) for versions in (FEW, SEVERAL, MANY)}


def most_memory(folder: Path, form: str) -> float:
    """MB of all processes of an export together, at the worst moment."""
    line = command_line(folder, "export", "--format", form, "-o", "/dev/null")
    return measure.run(line, watch=True).rss / 1e6


@pytest.mark.slow
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet", "text"])
@pytest.mark.real_process
def test_memory_stays_flat(many: dict[int, Path], form: str) -> None:
    """Six times as many versions need no more of it. (`python -m tests.bench.memory` does this with a
    million.)"""
    few, lots = most_memory(many[SEVERAL], form), most_memory(many[MANY], form)
    assert lots < MOST_RSS and lots < few + GROWTH, (few, lots)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["warc", "wacz"])
@pytest.mark.real_process
def test_memory_of_evidence_stays_flat(many: dict[int, Path], form: str) -> None:
    """Eight bytes a capture, and no more."""
    few, lots = most_memory(many[FEW], form), most_memory(many[SEVERAL], form)
    assert lots < MOST_RSS and lots < few + GROWTH, (few, lots)
