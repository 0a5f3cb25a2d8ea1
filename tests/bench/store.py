"""The store as it grows: rate of ingest, memory and size at more and more versions; changes and export; size
against text and WARC.

``SOHR_BENCH_MILLION=1`` goes to a million versions, which takes an hour a turn; without it the largest mark
is 100,000.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.bench.filling import fill, posts
from tests.bench.measure import ROOT, Bench, Failed, Spent, environment, ratio, run

MARKS = (10_000, 100_000)
QUICK = (1_500, 4_000)


def grow(folder: Path, marks: tuple[int, ...]) -> list[dict[str, Any]]:
    """What `storing` tells at each mark. Raises Failed."""
    line = [sys.executable, "-m", "tests.bench.storing", str(folder), *map(str, marks)]
    done = subprocess.run(line, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(done.stderr[-1500:])
    return [json.loads(told) for told in done.stdout.splitlines()]


def bench(turns: int, quick: bool) -> Bench:
    """One archive a turn: what it told at its marks is compared with itself."""
    million = () if quick or not os.environ.get("SOHR_BENCH_MILLION") else (1_000_000,)
    marks = QUICK if quick else MARKS + million
    turns = 1 if quick else turns
    told: list[list[dict[str, Any]]] = []
    read: dict[str, Spent] = {}
    with tempfile.TemporaryDirectory() as beside:
        for turn in range(turns):
            folder = Path(beside, str(turn))
            told.append(grow(folder, marks))
            print(f"  turn {turn + 1} of {turns}: {told[-1][-1]}", file=sys.stderr, flush=True)
        command = [Path(sys.executable).parent / "sohr-archive", "--archive", folder]
        asked: dict[str, Callable[[], list[object]]] = {
            "changes": lambda: [*command, "changes"],
            "export of all versions": lambda: [
                *command,
                "export",
                "--versions",
                "all",
                "-o",
                Path(beside, "all.jsonl"),
            ],
        }
        for name, line in asked.items():
            read[name] = run(line(), units=marks[-1], watch=True)
        crawled = sizes(Path(beside, "crawled"), 100 if quick else 500)
    first, last = f"{marks[0]:,}", f"{marks[-1]:,}"
    ratios = [
        ratio(
            f"rate at {last} / at {first} versions, of CPU",
            [t[-1]["rate_cpu"] / t[0]["rate_cpu"] for t in told],
            0.8,
        ),
        ratio(
            f"database / text it holds, at {last}",
            [t[-1]["size"] / t[-1]["text"] for t in told],
            3.2,
            higher_is_better=False,
        ),
        ratio(
            f"memory at {last} versions, of 400 MB",
            [t[-1]["rss"] / (400 * 2**20) for t in told],
            1.0,
            higher_is_better=False,
        ),
    ]
    facts: dict[str, Any] = {
        name: f"{spent.units / spent.cpu:.0f} versions a second of CPU here, {spent.rss >> 20} MB"
        for name, spent in read.items()
    }
    facts |= {
        "versions a second of CPU here": [round(t["rate_cpu"]) for t in told[-1]],
        "of a crawl": crawled,
    }
    return Bench("store", turns, ratios, facts)


def sizes(folder: Path, count: int) -> str:
    """Bytes of evidence, database and text of posts that came with their pages."""
    fill(folder, posts(count))
    with closing(sqlite3.connect(folder / "archive.db")) as db:
        text = db.execute("select sum(length(cast(text as blob))) from versions").fetchone()[0]
    evidence = sum(file.stat().st_size for file in (folder / "warc").iterdir())
    database = (folder / "archive.db").stat().st_size
    return f"{count} posts: WARC {evidence / text:.1f}, database {database / text:.1f} times the text"
