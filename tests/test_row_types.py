"""The rows that travel between packages have the columns that the type checker believes they have."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import get_type_hints

import pytest

from archive.read.database import open_readonly
from archive.read.selection import SelectedArticle, SelectedVersion, pairs
from archive.store.row_types import ArticleRow, VersionRow
from archive.store.rows import open_store
from tests.small_archive import Small

NAMES = {"INTEGER": int, "TEXT": str}


@pytest.mark.parametrize(("table", "of"), [("articles", ArticleRow), ("versions", VersionRow)])
def test_a_type_says_what_the_schema_says(tmp_path: Path, table: str, of: type) -> None:
    """The type of each column, and whether it may be null; a made one (`plain_title`) is never null."""
    open_store(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "archive.db")) as db:
        columns = {name: rest for _, name, *rest in db.execute(f"pragma table_xinfo({table})")}
    if of is ArticleRow:
        assert list(columns) == list(ArticleRow.__annotations__)
    for name, stated in get_type_hints(of).items():
        declared, not_null, _, is_key, is_made = columns[name]
        words = str if name == "edition" else NAMES[declared]
        may_be_null = not (not_null or is_key or is_made)
        assert (type(None) in getattr(stated, "__args__", ())) == may_be_null, name
        assert name == "edition" or stated in (words, words | None), name


def test_selected_rows_have_their_columns(small: Small) -> None:
    """Also those that stand in other tables."""
    with closing(open_readonly(small.folder)) as db:
        article, version = next((article, version) for article, version in pairs(db) if version)
    assert set(get_type_hints(SelectedArticle)) == set(article)
    assert set(get_type_hints(SelectedVersion)) <= set(version)
