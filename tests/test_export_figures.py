"""Exports of changed figures."""

from __future__ import annotations

import csv
import json
from contextlib import closing
from pathlib import Path

import pytest

from archive.export.formats import TABLE_NAMES
from archive.export.source import TABLES
from archive.read.database import open_readonly
from archive.read.feed import changes
from archive.store.fields import FIGURE_CHANGE_FIELDS
from tests.exporting import records, records_of, run
from tests.small_archive import Small


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_changed_figures(small: Small, tmp_path: Path, form: str) -> None:
    """One record for each number that an edit changed, as in the view; the sentence around it alone is
    none."""
    target = tmp_path / f"f.{form}"
    answer = run(small.folder, "--what", "figure-changes", "-o", target)
    assert answer.returncode == 0, answer.stderr
    if form == "csv":
        with open(target, newline="", encoding="utf-8") as file:
            found = [{**row} for row in csv.DictReader(file)]
    elif form == "parquet":
        found = pytest.importorskip("pyarrow.parquet").read_table(target).to_pylist()
    else:
        found = records(target)
    with closing(open_readonly(small.folder)) as conn:
        sql = "select * from figure_changes order by source, cast(key as integer), said_at, seq, place"
        view = [dict(row) for row in conn.execute(sql)]
    assert [of["citation"] for of in found] == [row["citation"] for row in view] != []
    for of, row in zip(found, view, strict=True):
        assert list(of) == [field.name for field in FIGURE_CHANGE_FIELDS]
        for name in ("before", "after", "sentence_before", "sentence_after"):
            assert (of[name] or None) == row[name]
        assert row["before"] != row["after"]
        assert row["before"] is None or row["before"] in row["sentence_before"]
        assert row["after"] is None or row["after"] in row["sentence_after"]
    [resource] = json.loads((tmp_path / "datapackage.json").read_text("utf-8"))["resources"]
    assert resource["counts"]["figure_changes"] == len(found)
    assert [of["name"] for of in resource["schema"]["fields"]] == [of.name for of in FIGURE_CHANGE_FIELDS]


def test_changed_figures_are_those_of_the_feed(small: Small) -> None:
    """The same numbers, selected by edition and by the time of the edit."""
    found = records_of(run(small.folder, "--what", "figure-changes").stdout)
    with closing(open_readonly(small.folder)) as conn:
        feed = [
            (one["citation"], of)
            for one in changes(conn)
            for of in one["figures"]
            if one["kind"] == "updated"
        ]
    names = ("before", "after", "sentence_before", "sentence_after")
    assert sorted((of["citation"], *(str(of[name]) for name in names)) for of in found) == sorted(
        (citation, *(str(of[name]) for name in names)) for citation, of in feed
    )
    at = found[0]["said_at"]
    some = records_of(run(small.folder, "--what", "figure-changes", "--since", at, "--until", at).stdout)
    assert some == [of for of in found if of["said_at"] == at]
    arabic = records_of(run(small.folder, "--what", "figure-changes", "--edition", "ar").stdout)
    assert arabic == [of for of in found if of["edition"] == "ar"]


def test_only_tables_hold_changed_figures(small: Small) -> None:
    """The names of what can be exported are those of the tables; a WARC of figures is refused."""
    assert tuple(TABLES) == TABLE_NAMES
    answer = run(small.folder, "--what", "figure-changes", "--format", "warc")
    assert (answer.returncode, answer.stdout) == (2, b"") and b"is not a format of tables" in answer.stderr
