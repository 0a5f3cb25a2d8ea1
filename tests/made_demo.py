"""The repository as somebody has cloned it, with `make demo` typed there, once for all tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.demo import MARK
from tests.made_once import made_once
from tests.replica.server import ROOT

COMMAND = "make demo SERVE=0"
CLONE = ("archive", "crawler", "tests", "Makefile", "pyproject.toml", "constraints.txt", "scrapy.cfg")


@dataclass(frozen=True)
class Demo:
    """The clone, what the demo printed, and the files that it left in ``demo-data``."""

    clone: Path
    said: str
    files: frozenset[str]


def environment() -> dict[str, str]:
    """A user's, without an archive or a port of their own."""
    ours = ("ARCHIVE_", "COLUMNS", "PORT", "SERVE", "PYTEST", "MAKE", "SOHR_", "VIRTUAL_ENV", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {
        "LC_ALL": "C.UTF-8",
        "PYTHONIOENCODING": "utf-8",
    }


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo, after an earlier one in the same folder."""
    return made_once(tmp_path_factory, "demo", _make)


def _make(beside: Path) -> Demo:
    clone = beside / "clone"
    (clone / ".venv").mkdir(parents=True)
    for name in CLONE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, clone / name)
    for part in Path(sys.prefix).iterdir():
        if part.name != ".installed":
            (clone / ".venv" / part.name).symlink_to(part)
    (clone / ".venv" / ".installed").touch()  # younger than what make looks at: nothing is installed again
    data = clone / "demo-data"
    (data / "warc").mkdir(parents=True)
    for name in (MARK, "warc/of-the-last-demo"):
        (data / name).touch()
    ran = subprocess.run(
        COMMAND.split(), cwd=clone, env=environment(), capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return Demo(clone, ran.stdout, frozenset(str(path.relative_to(data)) for path in data.rglob("*")))
