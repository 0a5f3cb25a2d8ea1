"""`lint-imports` reports an import that the rules of `pyproject.toml` forbid."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.replica.server import ROOT

# In this module, this line breaks this rule
BROKEN = {
    "packages of archive stand in layers": ("archive/text/__init__.py", "import archive.store"),
    "archive does not know the crawler": ("archive/warc/__init__.py", "import crawler.settings"),
    "crawler neither writes nor extracts": ("crawler/ping.py", "import trafilatura"),
    "WordPress's readers know no site": ("archive/sites/wordpress/noise.py", "import archive.sites.sohr"),
}


def test_each_rule_reports_what_breaks_it(tmp_path: Path) -> None:
    """In a copy of the project with one bad import for each rule, every rule is broken."""
    for package in ("archive", "crawler"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, line in BROKEN.values():
        with open(tmp_path / file, "a", encoding="utf-8") as module:
            module.write(f"\n{line}\n")
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert {rule for rule in BROKEN if f"{rule} BROKEN" in done.stdout} == set(BROKEN), done.stdout
