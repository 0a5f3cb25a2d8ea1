"""`sohr-archive export` in its formats: what loads them gets what the archive holds; on an archive that the
real crawler made."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from pathlib import Path
from pkgutil import resolve_name
from types import ModuleType

import jsonschema
import pytest
from click.testing import CliRunner

from archive.cli.main import sohr_archive
from archive.export import dictionary, formats
from archive.export.formats import FORMATS, ExportFormat, format_of
from archive.store.fields import VERSION_FIELDS
from tests.exporting import records, records_of, run
from tests.small_archive import TITLE, Small


def test_lines_hold_to_the_published_schema(exports: Path) -> None:
    """And the columns are those of the dictionary, in order."""
    schema = json.loads((dictionary.SCHEMAS / "version.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for record in records(exports / "v.jsonl"):
        jsonschema.Draft202012Validator(schema).validate(record)
        assert list(record) == [column.name for column in VERSION_FIELDS]


def test_schema_and_dictionary_are_up_to_date() -> None:
    """`python -m archive.export.dictionary` would write what is there."""
    for name, exports in dictionary.make_schemas().items():
        assert (dictionary.SCHEMAS / f"{name}.schema.json").read_text("utf-8") == json.dumps(
            exports, indent=2
        ) + "\n"
    for page, text in dictionary.documents().items():
        assert (dictionary.DOCS / page).read_text("utf-8") == text, page


def test_csv_survives_what_the_site_writes(exports: Path) -> None:
    """Commas, quotes, line ends, Arabic, bidi marks, a title that a spreadsheet would run; null is not
    empty."""
    told = records(exports / "v.jsonl")
    with open(exports / "v.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert TITLE in [row["title"] for row in rows]
    for row, record in zip(rows, told, strict=True):
        for name in ("title", "text", "citation", "published_at", "plain_title"):
            assert row[name] == (record[name] or "")
        assert (
            json.loads(row["lines"]) == record["lines"]
            and row["is_latest"] == str(record["is_latest"]).lower()
        )


def test_parquet_has_types(exports: Path) -> None:
    """Times are instants in UTC, days days, lists lists; nothing is lost on the way."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pq.read_table(exports / "v.parquet")
    assert (
        table.schema.field("published_at").type == pa.timestamp("ms", tz="UTC")
        and table.schema.field("day").type == pa.date32()
    )
    assert not table.schema.field("text").nullable and table.schema.field("text").metadata[b"description"]
    for row, record in zip(table.to_pylist(), records(exports / "v.jsonl"), strict=True):
        for column in VERSION_FIELDS:
            value = row[column.name]
            if value is not None and column.type in ("datetime", "date"):
                value = value.isoformat().replace("+00:00", "Z")
            assert value == record[column.name], column.name


@pytest.mark.loading
@pytest.mark.parametrize("library", ["duckdb", "pandas", "polars"])
def test_others_load_it(exports: Path, library: str) -> None:
    """Parquet and CSV, in one line each, with the same texts."""
    module = pytest.importorskip(library)
    texts = [record["text"] for record in records(exports / "v.jsonl")]
    parquet, table = exports / "v.parquet", exports / "v.csv"
    if library == "duckdb":
        for path in (parquet, table, exports / "v.jsonl"):
            assert [row[0] for row in module.sql(f"select text from '{path}'").fetchall()] == texts
        kinds = dict(
            module.sql(
                f"select column_name, column_type from (describe select * from '{parquet}')"
            ).fetchall()
        )
        assert (
            kinds["published_at"] == "TIMESTAMP WITH TIME ZONE"
            and kinds["post_id"] == "BIGINT"
            and kinds["is_latest"] == "BOOLEAN"
        )
        return
    loaded = module.read_parquet(parquet)
    assert list(loaded["text"]) == list(module.read_csv(table)["text"]) == texts
    assert "UTC" in str(loaded["published_at"].dtype)


def test_text_comes_apart_again(exports: Path) -> None:
    """Head, empty line, the text as stored, form feed."""
    parts = (exports / "v.text").read_text("utf-8").split("\n\f\n")[:-1]
    for part, record in zip(parts, records(exports / "v.jsonl"), strict=True):
        head, _, text = part.partition("\n\n")
        assert (
            head.split("\n")[0] == f"citation: {record['citation']}"
            and head.endswith(f"\ntitle: {record['title']}")
            and text == record["text"]
        )


def test_the_same_archive_gives_the_same_bytes(exports: Path, small: Small, tmp_path: Path) -> None:
    """In every format, whenever; the data package too."""
    for form in FORMATS:
        assert run(small.folder, "--format", form, "-o", tmp_path / f"v.{form}").returncode == 0
        assert (tmp_path / f"v.{form}").read_bytes() == (exports / f"v.{form}").read_bytes(), form
    assert (tmp_path / "datapackage.json").read_bytes() == (exports / "datapackage.json").read_bytes()


def test_the_data_package_says_what_lies_beside_it(exports: Path) -> None:
    """A resource a file: digest, counts, columns with their sentences."""
    package = json.loads((exports / "datapackage.json").read_text("utf-8"))
    assert [resource["path"] for resource in package["resources"]] == sorted(f"v.{form}" for form in FORMATS)
    for resource in package["resources"]:
        content = (exports / resource["path"]).read_bytes()
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert resource["counts"]["versions"] > resource["counts"]["articles"] > 0
    fields = next(r for r in package["resources"] if r["format"] == "csv")["schema"]["fields"]
    assert [field["name"] for field in fields] == [column.name for column in VERSION_FIELDS] and all(
        field["description"] for field in fields
    )


def test_an_existing_file_stays(small: Small, tmp_path: Path) -> None:
    """Unless --force says otherwise; a data package of somebody else's stays in any case."""
    (tmp_path / "v.csv").write_text("mine")
    answer = run(small.folder, "--format", "csv", "-o", tmp_path / "v.csv")
    assert (
        answer.returncode == 73 and b"--force" in answer.stderr and (tmp_path / "v.csv").read_text() == "mine"
    )
    assert run(small.folder, "--format", "csv", "-o", tmp_path / "v.csv", "--force").returncode == 0
    (tmp_path / "datapackage.json").write_text('{"name": "other"}')
    answer = run(small.folder, "-o", tmp_path / "w.jsonl")
    assert answer.returncode == 73 and not (tmp_path / "w.jsonl").exists()
    assert run(small.folder, "-o", tmp_path / "w.jsonl", "--no-package").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--since", "soon"), b"is not a date"),
        (("--since", "2024-02-01", "--until", "2024-01-01"), b"nothing lies between"),
        (("--category", "Nonsense"), b"no article has the category"),
        (("--content", "--format", "csv"), b"JSON Lines"),
        (("--state", "dead"), b"Invalid value"),
    ],
)
def test_bad_arguments(small: Small, arguments: tuple[str, ...], sentence: bytes) -> None:
    """A sentence and 2, and nothing is written."""
    answer = run(small.folder, *arguments)
    assert (answer.returncode, answer.stdout) == (2, b"") and sentence in answer.stderr


def test_filters_reach_every_format(small: Small) -> None:
    """--changed --edition ar: one article, three versions."""
    told = [
        json.loads(line) for line in run(small.folder, "--changed", "--edition", "ar").stdout.splitlines()
    ]
    assert [(r["post_id"], r["number"]) for r in told] == [
        (small.arabic, 1),
        (small.arabic, 2),
        (small.arabic, 3),
    ]
    assert run(small.folder, "--changed", "--edition", "ar", "--format", "text").stdout.count(b"\f") == 3


def test_a_format_is_one_entry_and_its_writer(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry in the registry is enough: command, file and data package know the format."""
    writer = ModuleType("archive.export.titles")
    writer.write = lambda source, out: [out.write(f"{one['title']}\n".encode()) for one in source.records()]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "archive.export.titles", writer)
    monkeypatch.setattr("archive.export.titles", writer, raising=False)
    entry = ExportFormat("titles", ".titles", "text/plain", "one title a line", "titles:write")
    monkeypatch.setitem(FORMATS, "titles", entry)
    assert "titles" in formats.format_lines() and "`.titles`" in formats.format_table()
    target = tmp_path / "v.titles"
    command = ["--archive", str(small.folder), "export", "-o", str(target)]
    assert CliRunner().invoke(sohr_archive, command, catch_exceptions=False).exit_code == 0
    told = records_of(run(small.folder).stdout)
    assert target.read_text("utf-8").splitlines() == [record["title"] for record in told]
    [resource] = json.loads((tmp_path / "datapackage.json").read_text("utf-8"))["resources"]
    assert (resource["format"], resource["counts"]["versions"]) == ("titles", len(told))


def test_the_ending_names_the_format(small: Small, tmp_path: Path) -> None:
    """Without --format. A name without ending is JSON Lines; an ending of no format is refused, as v.csv.gz
    would not be what its name says. Each writer can be imported."""
    for form in FORMATS.values():
        assert format_of(f"A.B{form.ending.upper()}") == form.name and resolve_name(
            f"archive.export.{form.writer}"
        )
    assert format_of("-") == format_of("/dev/fd/3") == "jsonl"
    for name in ("v.csv", "v"):
        assert run(small.folder, "-o", tmp_path / name).returncode == 0
    assert (tmp_path / "v.csv").read_text("utf-8").startswith("source,key,")
    assert records(tmp_path / "v")
    refused = run(small.folder, "-o", tmp_path / "v.csv.gz")
    assert refused.returncode == 2 and b"has an ending of no format: give --format" in refused.stderr
    assert not (tmp_path / "v.csv.gz").exists()
    refused = run(small.folder, "--format", "csv", "-o", tmp_path / "v.jsonl")
    assert refused.returncode == 2 and b"ends as jsonl does: name it *.csv" in refused.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("form", ["csv", "parquet", "warc", "wacz"])
def test_a_full_disk(small: Small, form: str) -> None:
    """One sentence and 73, in the binary formats too."""
    answer = run(small.folder, "--format", form, "-o", "/dev/full")
    assert answer.returncode == 73 and answer.stderr.count(b"\n") == 1 and b"No space left" in answer.stderr
