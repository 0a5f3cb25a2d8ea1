"""File systems with little room."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Callable[[Path, int], None]]:
    """Gives a folder so many KiB of its own, or from then on so many; skipped where that is not allowed."""
    mounted: list[Path] = []

    def give(folder: Path, kib: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        options = f"{'remount,' if folder.is_mount() else ''}size={kib}k"
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"no small file system here: {done.stderr.strip()}")
        mounted.append(folder)

    yield give
    for folder in dict.fromkeys(mounted):
        subprocess.run(["umount", str(folder)], check=False)
