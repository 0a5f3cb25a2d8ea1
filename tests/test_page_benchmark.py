"""The benchmark of the pages, over archives small enough for every day: it must run, and what it writes must
be an archive."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.bench.generating import generate

ROOT = Path(__file__).parents[1]


def test_the_benchmark_asks_every_page(tmp_path: Path) -> None:
    """Every page answers over both archives, and the figures of both are printed, as a table and as JSON."""
    line = [
        sys.executable,
        "-m",
        "tests.bench.browse",
        "--folder",
        str(tmp_path),
        "--small",
        "200",
        "--large",
        "400",
        "--times",
        "2",
    ]
    ran = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode in (0, 1), ran.stderr  # 1: over the target, which so small archives cannot show
    told = json.loads((tmp_path / "browse.json").read_text())
    assert {"front page", "article, Arabic", "comparison", "changes", "table captures"} <= {
        page["page"] for page in told["pages"]
    }
    for page in told["pages"]:
        assert page["page"] in ran.stdout
        assert page["small_p95_ms"] > 0 < page["large_p95_ms"]


def test_a_generated_archive_is_one(tmp_path: Path) -> None:
    """Its versions, sums, keys and search fit together."""
    path = generate(tmp_path, 500)
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("pragma foreign_key_check").fetchall() == []
        newest = (
            "select count(*), sum(v.number), sum(a.versions) from articles a join versions v on "
            "v.version_id = a.newest_version_id"
        )
        assert conn.execute(newest).fetchone() == (100, 500, 500)
        assert conn.execute("select sum(sighted), sum(versions) from day_counts").fetchone() == (100, 500)
        assert conn.execute("select sum(edits) from edit_counts").fetchone() == (400,)
        assert conn.execute("select count(*) from search where search match 'civilians'").fetchone()[0] > 0
        low, high = conn.execute("select min(length(text)), max(length(text)) from versions").fetchone()
    assert 400 < low < high < 2500
    made = path.stat().st_mtime_ns
    assert generate(tmp_path, 500).stat().st_mtime_ns == made
