"""The programs in docs/examples/ run as they stand, on an archive with series."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from archive import Archive as Reader
from tests.archiving import Archive, sohr
from tests.replica.server import ROOT
from tests.test_figures_table import toll

EXAMPLES = ROOT / "docs" / "examples"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four posts with a toll."""
    folder = tmp_path_factory.mktemp("examples") / "archive"
    with Archive(folder) as archive:
        for n in range(1, 5):
            archive.take(toll(n, f"2026-01-0{n}T10:00:00Z", str(10 + n), 20 + n, title="Toll"))
    return folder


def run(name: str, *arguments: object) -> str:
    line = [sys.executable, EXAMPLES / name, *map(str, arguments)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_from_the_api(folder: Path, tmp_path: Path) -> None:
    """A step chart whose points have sentence and citation."""
    with Reader.open(folder) as archive:
        series = next(archive.series()).series
    said = run("plot_series_api.py", folder, series, tmp_path / "series.svg")
    assert said.startswith("4 points from 2026-01-01 to 2026-01-04")
    drawn = (tmp_path / "series.svg").read_text("utf-8")
    assert drawn.count("<circle") == 4 == drawn.count("sohr:en:") and drawn.count("V") == 3


@pytest.mark.loading
def test_from_parquet(folder: Path, tmp_path: Path) -> None:
    """pandas reads the export, and matplotlib draws its longest series."""
    pytest.importorskip("pandas")
    pytest.importorskip("matplotlib")
    table = tmp_path / "series.parquet"
    assert sohr(folder, "export", "--what", "series", "--versions", "latest", "-o", table).status == 0
    said = run("plot_series_parquet.py", table, tmp_path / "series.png")
    assert said.startswith("4 points from 2026-01-01 to 2026-01-04")
    assert (tmp_path / "series.png").read_bytes()[:4] == b"\x89PNG"
