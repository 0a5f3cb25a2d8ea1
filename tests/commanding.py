"""`sohr-archive` in a process of its own, and an archive for it that the real crawler made."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.demo import crawl
from tests.made_once import copy_archive, made_once
from tests.replica.server import ROOT, Replica

POSTS = 20  # an edition
Answer = subprocess.CompletedProcess[str]


def run(*arguments: object, env: dict[str, str] | None = None) -> Answer:
    """The command in a process of its own, in an environment without an archive of the user's."""
    clean = {name: value for name, value in os.environ.items() if name != "ARCHIVE_DIR"} | (env or {})
    command = [sys.executable, "-m", "archive.cli.main", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="session")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive after two crawls: a post published, one edited, one gone."""
    return made_once(tmp_path_factory, "crawled", _make)


def _make(beside: Path) -> Path:
    folder = beside / "archive"
    with Replica(posts=POSTS) as site:
        crawl(site, folder)
        plain_posts = [post.post_id for post in site.posts("en") if not post.odd]
        site.call("publish", edition="ar")
        site.call("edit", edition="en", post_id=plain_posts[0], digit=True)
        site.call("trash", edition="en", post_id=plain_posts[1])
        crawl(site, folder, "-a", "look=all")
    return folder


def damaged(whole: Path, tmp_path: Path, *statements: str) -> Path:
    """A copy of the archive whose database was changed in a way that no release makes."""
    copy_archive(whole, tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy" / "archive.db")) as conn:
        for statement in statements:
            conn.execute(statement)
        conn.commit()
    return tmp_path / "copy"
