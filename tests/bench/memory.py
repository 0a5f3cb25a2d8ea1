"""Memory of exports at scale: `python -m tests.bench.memory`. An archive of a million versions is made once
(7 GB, minutes), then exported in each format; what is told is the most that all processes of an export took
together, beside that of an archive a hundredth as large.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.bench import measure
from tests.large_archive import make

FORMATS = ("jsonl", "csv", "parquet", "text")
EVIDENCE = ("warc", "wacz")  # of the smaller archive, which has some


def main() -> None:
    """Make what is not there yet, measure, print a table and one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=measure.ROOT / "build" / "bench" / "memory")
    parser.add_argument("--versions", type=int, default=1_000_000)
    given = parser.parse_args()
    sizes = (max(2, given.versions // 100), given.versions)
    for size in sizes:
        if not (given.folder / str(size) / "archive.db").exists():
            make(given.folder / str(size), size, evidence=size != given.versions)
    told = []
    for form in (*FORMATS, *EVIDENCE):
        for size in sizes if form in FORMATS else sizes[:1]:
            line = [
                sys.executable,
                "-m",
                "archive.cli.main",
                "--archive",
                given.folder / str(size),
                "export",
                "--format",
                form,
                "-o",
                "/dev/null",
            ]
            spent = measure.run(line, watch=True, units=size)
            told.append(
                {
                    "format": form,
                    "versions": size,
                    "most_mb": round(spent.rss / 1e6),
                    "seconds": round(spent.wall, 1),
                }
            )
            print(
                f"{form:>8}  {size:>9,} versions  {spent.rss / 1e6:5.0f} MB  {spent.wall:7.1f} s  "
                f"{spent.rate:,.0f} a second",
                flush=True,
            )
    print(json.dumps(told))


if __name__ == "__main__":
    main()
