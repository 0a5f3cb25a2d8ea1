"""The command export, and an export in each of its formats."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from archive.export.formats import FORMATS
from tests.archiving import command_line
from tests.made_once import made_once
from tests.replica.server import ROOT
from tests.small_archive import Small


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    """The command."""
    command = command_line(folder, "export", *arguments)
    return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=300)


@pytest.fixture(scope="session")
def exports(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an export of ``small`` in each format."""
    return made_once(tmp_path_factory, "exports", lambda folder: _make(small, folder))


def _make(small: Small, folder: Path) -> Path:
    for form in FORMATS:
        answer = run(small.folder, "--format", form, "-o", folder / f"v.{form}")
        assert answer.returncode == 0, answer.stderr
    return folder


def records(path: Path) -> list[dict[str, Any]]:
    """JSON Lines of a file."""
    return records_of(path.read_bytes())


def records_of(lines: bytes) -> list[dict[str, Any]]:
    """JSON Lines."""
    return [json.loads(line) for line in lines.splitlines()]
