"""What the tests of pages share: Datasette with an archive, and an archive of invented posts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from datasette.app import Datasette
from datasette.plugins import pm

from archive import browse
from tests.browser.making import make
from tests.made_once import made_once

if not pm.is_registered(browse):  # not installed, or installed under the entry point already
    pm.register(browse, name="sohr_archive")


async def start(*databases: Path, **options: Any) -> Datasette:
    """Datasette with these databases."""
    datasette = Datasette([str(path) for path in databases], **options)
    await datasette.invoke_startup()
    return datasette


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of an archive of invented posts, its WARC files beside it."""
    return made_once(tmp_path_factory, "pages", make)


@pytest.fixture(scope="module")
async def ds(path: Path) -> Datasette:
    """Datasette with that archive."""
    return await start(path)


async def text_of(ds: Datasette, address: str, status: int = 200) -> str:
    """The body of a reading page."""
    response = await ds.client.get(f"/-/sohr/{address}")
    assert response.status_code == status, response.text[:2000]
    return str(response.text)


def places(path: Path, post_id: int) -> list[str]:
    """Addresses of the captures of a post, oldest first."""
    sql = """select f.serial, c.offset from captures c join warc_files f using (warc_file_id) join articles a
             using (article_id)
        where a.post_id = ? order by c.captured_at"""
    with closing(sqlite3.connect(path)) as conn:
        return [f"capture/{serial}/{offset}" for serial, offset in conn.execute(sql, (post_id,))]
