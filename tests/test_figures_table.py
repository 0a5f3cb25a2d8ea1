"""The tables `figures` and `series`: filled after a crawl, incrementally, the same after a rebuild."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archive.export.public_copy import publish, read_redactions
from archive.extract.pool import open_pool
from archive.figures import derive as deriving
from archive.figures.derive import derive
from archive.rebuild.rebuild import rebuild
from archive.store.rows import Store
from tests.archiving import Archive, capture
from tests.damaging import kill_readers

HEADING = "Since early 2024 the salt war has cost the following lives:"


def toll(post_id: int, at: str, civilians: str, fighters: int, **more: Any) -> Any:
    """A post with a toll of two lines, as captured."""
    return capture(
        post_id, at, HEADING, f"• {civilians} civilians were killed.", f"• {fighters} fighters fell.", **more
    )


def ask(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "archive.db")) as db:
        return db.execute(sql).fetchall()


FIGURES = """select post_id, number, line, value, unit, since, is_latest from figure_rows
             where line > 0 order by post_id, number, line"""
SERIES = "select points, falls, lowest, highest, first_at, last_at, line from series order by line"


@pytest.fixture
def tolls(tmp_path: Path) -> Path:
    """Three posts whose tolls grow, then fall."""
    folder = tmp_path / "archive"
    with Archive(folder) as archive:
        archive.take(
            toll(1, "2026-01-01T10:00:00Z", "Seven", 20, title="Toll"),
            toll(2, "2026-01-02T10:00:00Z", "11", 25, title="Toll"),
        )
    with Archive(folder) as archive:
        archive.take(toll(3, "2026-01-03T10:00:00Z", "nine", 26, title="Toll"))
    return folder


def test_a_crawl_ends_with_its_figures(tolls: Path) -> None:
    """Each figure has its value, noun and heading's date; the series count posts and falls, and only those of
    later crawls are read again."""
    assert ask(tolls, FIGURES) == [
        (1, 1, 2, 7, "civilians", "early 2024", 1),
        (1, 1, 3, 20, "combatants", "early 2024", 1),
        (2, 1, 2, 11, "civilians", "early 2024", 1),
        (2, 1, 3, 25, "combatants", "early 2024", 1),
        (3, 1, 2, 9, "civilians", "early 2024", 1),
        (3, 1, 3, 26, "combatants", "early 2024", 1),
    ]
    span = ("2026-01-01T10:00:00Z", "2026-01-03T10:00:00Z")
    assert ask(tolls, SERIES) == [(3, 1, 7, 11, *span, 2), (3, 0, 20, 26, *span, 3)]
    [row] = ask(tolls, "select sentence, heading, citation from figure_rows where value = 11")
    assert row == ("• 11 civilians were killed.", HEADING, "sohr:en:2@2026-01-02T10:00:00Z")
    with closing(Store(tolls / "archive.db")) as store:
        assert derive(store) == 0


def test_an_edit_moves_its_point(tolls: Path) -> None:
    """The newest version of a post has the point; the older one keeps its rows."""
    with Archive(tolls) as archive:
        archive.take(toll(2, "2026-01-05T10:00:00Z", "8", 25, title="Toll"))
    assert [row[:4] for row in ask(tolls, SERIES)] == [(3, 0, 7, 9), (3, 0, 20, 26)]
    sql = "select number, value, is_latest from figure_rows where post_id = 2 and line = 2 order by 1"
    assert ask(tolls, sql) == [(1, 11, 0), (2, 8, 1)]


def test_rebuild_and_new_rules_make_the_same_rows(tolls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both tables follow from the texts: nothing else is needed to make them."""
    tables = [ask(tolls, f"select * from {name}") for name in ("figures", "series")]
    assert all(tables)
    rebuild(tolls)
    assert [ask(tolls, f"select * from {name}") for name in ("figures", "series")] == tables
    monkeypatch.setattr(deriving, "RULES", 99)
    with closing(Store(tolls / "archive.db")) as store:
        with store.transaction():
            store.execute("update figures set value = 1000")
            store.execute("delete from series")
        assert derive(store) == 3 and derive(store) == 0
    assert [ask(tolls, f"select * from {name}") for name in ("figures", "series")] == tables


def test_other_processes_read_the_same(tolls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process reads the texts for the writer, which reads them itself once that process is killed."""
    tables = [ask(tolls, f"select * from {name}") for name in ("figures", "series")]
    monkeypatch.setattr(deriving, "WORTH_IT", 0)
    with open_pool(1) as pool:
        for rules in (96, 97):
            monkeypatch.setattr(deriving, "RULES", rules)
            with closing(Store(tolls / "archive.db")) as store:
                assert derive(store, pool=pool) == 3
            assert [ask(tolls, f"select * from {name}") for name in ("figures", "series")] == tables
            kill_readers()


def test_it_stops_and_continues(tolls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crawl waits no longer than it is told; the next call reads the rest."""
    monkeypatch.setattr(deriving, "RULES", 98)
    monkeypatch.setattr(deriving, "BATCH", 1)
    with closing(Store(tolls / "archive.db")) as store:
        assert derive(store, 0) == 0 and ask(tolls, FIGURES) == []
        assert derive(store) == 3 and len(ask(tolls, FIGURES)) == 6


def test_retracted_versions_have_no_point(tolls: Path) -> None:
    """A version whose change was taken back is in no view and no series."""
    with Archive(tolls) as archive:
        archive.take(toll(2, "2026-01-05T10:00:00Z", "80", 25, title="Toll"))
        store = archive.writer.store
        wrong = store.query("select max(seq) as seq from changes")[0]["seq"]
        [article] = store.query("select * from articles where post_id = 2")
        with store.transaction():
            at = "2026-01-06T10:00:00Z"
            store.changes.add(article["article_id"], "retracted", at, at, retracts=wrong)
    assert (80,) not in ask(tolls, "select value from figure_rows")
    assert ask(tolls, SERIES)[0][:4] == (3, 1, 7, 11)


def test_a_public_copy_has_no_figures_of_what_it_hides(tolls: Path, tmp_path: Path) -> None:
    """The rows of a redacted version are gone, and the series are counted without it."""
    copied = tmp_path / "copy"
    copied.mkdir()
    publish(tolls, copied / "archive.db", read_redactions("sohr:en:2@2026-01-02T10:00:00Z"))
    assert {row[0] for row in ask(copied, FIGURES)} == {1, 3}
    assert [row[:4] for row in ask(copied, SERIES)] == [(2, 0, 7, 9), (2, 0, 20, 26)]
    shutil.rmtree(copied)
