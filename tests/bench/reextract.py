"""Reading all evidence again (`rebuild --extract`) beside reading the WARC files alone, and beside
trafilatura on each page in a pool."""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from tests.bench.filling import fill, posts
from tests.bench.measure import Bench, Failed, Spent, alternate, over, ratio, run

BIN = Path(sys.executable).parent
ARM = Path(__file__).with_name("arms") / "read_warc.py"
PINNED = [
    sys.executable,
    "-c",
    (
        "import os, sys; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); os.execv(sys.argv[1], "
        "sys.argv[1:])"
    ),
]


def again(folder: Path, pages: int, jobs: int, before: Sequence[object] = ()) -> Callable[[], Spent]:
    """`rebuild --extract`, after the archive was made to believe that another release had read it."""

    def reread() -> Spent:
        with closing(sqlite3.connect(folder / "archive.db")) as db, db:
            db.execute("update versions set extractor = 'an earlier one'")
        spent = run(
            [*before, BIN / "sohr-archive", "--archive", folder, "rebuild", "--extract", "--jobs", jobs],
            units=pages,
        )
        with closing(sqlite3.connect(folder / "archive.db")) as db:
            left = db.execute("select count(*) from versions where extractor = 'an earlier one'").fetchone()[
                0
            ]
        if left:
            raise Failed(f"{left} versions were not read again")
        return spent

    return reread


def bench(turns: int, quick: bool) -> Bench:
    """Two workers, one pinned to one core with its writer, the limit, and the pool."""
    jobs = min(2, os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as beside:
        folder = Path(beside, "archive")
        taken = fill(folder, posts(400 if quick else 2000))
        with closing(sqlite3.connect(folder / "archive.db")) as db:
            pages = db.execute("select count(*) from versions").fetchone()[0]
        arms = {
            "two": again(folder, pages, jobs),
            "one": again(folder, pages, 1, PINNED),
            "read": lambda: run([sys.executable, ARM, "read", folder, taken, jobs], units=taken),
            "trafilatura": lambda: run(
                [sys.executable, ARM, "trafilatura", folder, taken, jobs], units=taken
            ),
        }
        turns = min(turns, 2) if quick else turns
        spent = alternate(arms, turns)
    ratios = [
        ratio(
            "two workers / trafilatura pool of two, pages a second",
            over(spent, "two", "trafilatura", lambda s: s.rate),
            5.0,
        ),
        ratio(
            "two workers / trafilatura pool of two, pages a second of CPU",
            over(spent, "two", "trafilatura", lambda s: s.units / s.cpu),
        ),
        ratio(
            "two workers / one on one core, pages a second", over(spent, "two", "one", lambda s: s.rate), 1.4
        ),
        ratio(
            "one on one core / reading the WARC alone, pages a second of CPU",
            over(spent, "one", "read", lambda s: s.units / s.cpu),
        ),
    ]
    rates = sorted(s.units / s.cpu for s in spent["one"])
    return Bench(
        "re-extract",
        turns,
        ratios,
        {"pages": pages, "pages a second a core here": round(rates[len(rates) // 2])},
    )
