"""Sums are as their rows are, whatever is done to the rows."""

from __future__ import annotations

import shutil
from pathlib import Path
from sqlite3 import IntegrityError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from archive.store.schema import create_schema
from tests.small_archive import Small

AT = "2025-03-01T10:00:00Z"
_COUNTED = """select coalesce(edition, ''), coalesce(day, ''), count(*), count(state),
    count(*) filter (where state in ('missing', 'disappeared', 'moved', 'withheld')), sum(versions),
    count(newest_version_id), count(newest_version_id) filter (where state = 'live')
    from articles group by 1, 2 order by 1, 2"""
_SUMS = "select * from day_counts where sighted > 0 order by 1, 2"
_EDITS = """select substr(said_at, 1, 7), coalesce(json_extract(classes, '$[0]'), ''), count(*) from changes
            where kind = 'updated'
    group by 1, 2 order by 1, 2"""
editions = st.sampled_from(("en", "ar", None))
days = st.sampled_from(("2025-03-01", "2025-03-02", None))
states = st.sampled_from((None, "live", "missing", "disappeared", "moved", "withheld"))
rows = st.tuples(editions, days, states, st.integers(0, 3), st.sampled_from((None, 7)))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("insert"), st.integers(1, 6), rows),
            st.tuples(st.just("update"), st.integers(1, 6), rows),
            st.tuples(st.just("delete"), st.integers(1, 6), rows),
        ),
        max_size=12,
    )
)
def test_days_are_counted(
    done: list[tuple[str, int, tuple[str | None, str | None, str | None, int, int | None]]],
) -> None:
    """Rows come, change their day or state, and go: the sums are those of a count."""
    db = Database(memory=True)
    create_schema(db.conn)
    for what, article_id, (edition, day, state, versions, newest) in done:
        values = {"edition": edition, "day": day, "state": state, "versions": versions}
        values["newest_version_id"] = newest
        if what == "insert":
            named = {
                "article_id": article_id,
                "source": "en",
                "key": str(article_id),
                "url": "u",
                "first_sighted_at": AT,
            }
            db.table("articles").insert(named | values, ignore=True)
        elif what == "update":
            db.execute(
                "update articles set edition = :edition, day = :day, state = :state, versions = :versions, "
                "newest_version_id = :newest_version_id where article_id = :id",
                values | {"id": article_id},
            )
        else:
            db.execute("delete from articles where article_id = ?", [article_id])
    assert db.execute(_SUMS).fetchall() == db.execute(_COUNTED).fetchall()


def test_an_archive_is_counted_as_it_is_written(small: Small) -> None:
    """What ingest wrote is in the sums."""
    db = Database(small.folder / "archive.db")
    assert db.execute(_SUMS).fetchall() == db.execute(_COUNTED).fetchall() != []
    assert (
        db.execute("select * from edit_counts order by 1, 2").fetchall()
        == db.execute(_EDITS).fetchall()
        != []
    )


def test_a_retracted_edit_is_not_counted(small: Small, tmp_path: Path) -> None:
    """Nor does the view of edits show it; a change is retracted once at most."""
    db = Database(shutil.copy(small.folder / "archive.db", tmp_path / "archive.db"))
    [(seq, article)] = db.execute("select seq, article_id from edits limit 1").fetchall()
    [(edits, counted)] = db.execute(
        "select (select count(*) from edits), (select sum(edits) from edit_counts)"
    )
    retracted = {
        "article_id": article,
        "epoch": 1,
        "kind": "retracted",
        "retracts": seq,
        "said_at": AT,
        "learnt_at": AT,
    }
    db.table("changes").insert(retracted)
    assert db.execute("select count(*), (select sum(edits) from edit_counts) from edits").fetchall() == [
        (edits - 1, counted - 1)
    ]
    with pytest.raises(IntegrityError):
        db.table("changes").insert(retracted)
