"""`rebuild`: its CPU beside that of extraction alone of the same pages, and two processes beside one."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench.filling import extract_pages, fill, posts, read_pages
from tests.bench.measure import Bench, alternate, over, ratio, run

BIN = Path(sys.executable).parent


def bench(turns: int, quick: bool) -> Bench:
    """All arms over one archive, by turns."""
    with tempfile.TemporaryDirectory() as beside:
        folder = Path(beside, "archive")
        fill(folder, posts(400 if quick else 2000))
        captures = read_pages(folder)
        command = [BIN / "sohr-archive", "--archive", folder, "rebuild", "--jobs"]
        arms = {
            "one": lambda: run([*command, 1], units=len(captures)),
            "two": lambda: run([*command, 2], units=len(captures)),
            "extraction": lambda: extract_pages(captures),
        }
        spent = alternate(arms, turns)
    cpu = over(spent, "one", "extraction", lambda s: s.cpu / s.units)
    return Bench(
        "rebuild",
        turns,
        [
            ratio("rebuild / extraction alone, CPU a post", cpu, 1.7, higher_is_better=False),
            ratio("two processes / one, pages a second", over(spent, "two", "one", lambda s: s.rate), 1.5),
        ],
        {"pages": len(captures)},
    )
