"""Sums are as their rows are, whatever is done to the rows."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from archive.store.migrations import migrations
from tests.small import Small, small

__all__ = ["small"]  # the fixture

AT = "2025-03-01T10:00:00Z"
_COUNTED = """select coalesce(edition, ''), coalesce(day, ''), count(*), count(state), count(*) filter (where state in ('missing', 'disappeared')),
    sum(versions) from articles group by 1, 2 order by 1, 2"""
_SUMS = "select * from day_counts where sighted > 0 order by 1, 2"
_EDITS = """select substr(said_at, 1, 7), coalesce(json_extract(classes, '$[0]'), ''), count(*) from changes where kind = 'updated'
    group by 1, 2 order by 1, 2"""
editions = st.sampled_from(("en", "ar", None))
days = st.sampled_from(("2025-03-01", "2025-03-02", None))
states = st.sampled_from((None, "live", "missing", "disappeared", "moved"))
rows = st.tuples(editions, days, states, st.integers(0, 3))


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
    done: list[tuple[str, int, tuple[str | None, str | None, str | None, int]]],
) -> None:
    """Rows come, change their day or state, and go: the sums are those of a count."""
    db = Database(memory=True)
    migrations.apply(db)
    for what, article_id, (edition, day, state, versions) in done:
        values = {"edition": edition, "day": day, "state": state, "versions": versions}
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
                "update articles set edition = :edition, day = :day, state = :state, versions = :versions where article_id = :id",
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


def test_an_older_archive_is_counted_when_it_is_opened(small: Small, tmp_path: Path) -> None:
    """The migration finds rows already there, and sums them."""
    db = Database(tmp_path / "older.db")
    migrations.apply(db, stop_before="m002_summaries")
    db.execute("attach ? as newer", [str(small.folder / "archive.db")])
    db.execute("pragma foreign_keys = off")
    for table in ("captures", "versions", "articles", "changes"):
        here, there = (
            {row[1] for row in db.execute(f"pragma {schema}.table_xinfo({table})")}
            for schema in ("main", "newer")
        )
        known = ", ".join(sorted(here & there))  # a later migration adds columns, another puts them elsewhere
        db.execute(f"insert into main.{table} ({known}) select {known} from newer.{table}")
    db.conn.commit()
    db.execute("detach newer")
    migrations.apply(db)
    assert db.execute(_SUMS).fetchall() == db.execute(_COUNTED).fetchall() != []
    assert (
        db.execute("select * from edit_counts order by 1, 2").fetchall()
        == db.execute(_EDITS).fetchall()
        != []
    )
