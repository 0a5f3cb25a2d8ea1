"""Folders that the tests of all workers share, made by the first that asks."""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

Made = TypeVar("Made")


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Made]) -> Made:
    """What ``make`` returns for a new folder: one for all workers of this run. Tests read or copy it, and
    change nothing."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    told = base / f"{name}.pickle"
    with open(base / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            folder = base / name
            folder.mkdir()
            told.write_bytes(pickle.dumps(make(folder)))
        made: Made = pickle.loads(told.read_bytes())  # noqa: S301  # written above
    return made


def copy_archive(folder: Path, target: Path) -> Path:
    """Copy an archive that other workers may read: SQLite's files beside its database come and go."""
    return Path(shutil.copytree(folder, target, ignore=shutil.ignore_patterns("archive.db-*")))
