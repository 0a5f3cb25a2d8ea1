"""`sohr-archive export` in its formats: what loads them gets what the archive holds; on an archive that the
real crawler made."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import struct
import subprocess
import sys
import zipfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from pkgutil import resolve_name
from types import ModuleType
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from warcio.archiveiterator import ArchiveIterator

from archive.cli.main import sohr_archive
from archive.export import dictionary, formats
from archive.export.formats import FORMATS, TABLE_NAMES, ExportFormat, format_of
from archive.export.source import TABLES
from archive.export.wacz import surt
from archive.read.database import open_readonly
from archive.read.feed import changes
from archive.store.fields import FIGURE_CHANGE_FIELDS, VERSION_FIELDS
from tests.archiving import command_line
from tests.bench import measure
from tests.large_archive import make
from tests.replica.server import ROOT
from tests.small_archive import TITLE, Small

MOST_RSS = 300  # MB
GROWTH = 30  # MB from the smaller archive to the larger: what the allocators keep for themselves
FEW, SEVERAL, MANY = 1_000, 10_000, 60_000  # versions


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[bytes]:
    """The command."""
    command = command_line(folder, "export", *arguments)
    return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=300)


@pytest.fixture(scope="module")
def made(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an export in each format."""
    folder = tmp_path_factory.mktemp("made")
    for form in FORMATS:
        answer = run(small.folder, "--format", form, "-o", folder / f"v.{form}")
        assert answer.returncode == 0, answer.stderr
    return folder


def records(path: Path) -> list[dict[str, Any]]:
    """JSON Lines of a file."""
    return records_of(path.read_bytes())


def records_of(lines: bytes) -> list[dict[str, Any]]:
    """JSON Lines."""
    return [json.loads(line) for line in lines.splitlines()]


def test_lines_hold_to_the_published_schema(made: Path) -> None:
    """And the columns are those of the dictionary, in order."""
    schema = json.loads((dictionary.SCHEMAS / "version.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for record in records(made / "v.jsonl"):
        jsonschema.Draft202012Validator(schema).validate(record)
        assert list(record) == [column.name for column in VERSION_FIELDS]


def test_schema_and_dictionary_are_up_to_date() -> None:
    """`python -m archive.export.dictionary` would write what is there."""
    schemas = {
        "version": dictionary.version_schema(),
        "change": dictionary.change_schema(),
        "figure": dictionary.figure_schema(),
    }
    for name, made in schemas.items():
        assert (dictionary.SCHEMAS / f"{name}.schema.json").read_text("utf-8") == json.dumps(
            made, indent=2
        ) + "\n"
    for page, text in dictionary.documents().items():
        assert (dictionary.DOCS / page).read_text("utf-8") == text, page


def test_csv_survives_what_the_site_writes(made: Path) -> None:
    """Commas, quotes, line ends, Arabic, bidi marks, a title that a spreadsheet would run; null is not
    empty."""
    told = records(made / "v.jsonl")
    with open(made / "v.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert TITLE in [row["title"] for row in rows]
    for row, record in zip(rows, told, strict=True):
        for name in ("title", "text", "citation", "published_at", "plain_title"):
            assert row[name] == (record[name] or "")
        assert (
            json.loads(row["lines"]) == record["lines"]
            and row["is_latest"] == str(record["is_latest"]).lower()
        )


def test_parquet_has_types(made: Path) -> None:
    """Times are instants in UTC, days days, lists lists; nothing is lost on the way."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pq.read_table(made / "v.parquet")
    assert (
        table.schema.field("published_at").type == pa.timestamp("ms", tz="UTC")
        and table.schema.field("day").type == pa.date32()
    )
    assert not table.schema.field("text").nullable and table.schema.field("text").metadata[b"description"]
    for row, record in zip(table.to_pylist(), records(made / "v.jsonl"), strict=True):
        for column in VERSION_FIELDS:
            value = row[column.name]
            if value is not None and column.type in ("datetime", "date"):
                value = value.isoformat().replace("+00:00", "Z")
            assert value == record[column.name], column.name


@pytest.mark.loading
@pytest.mark.parametrize("library", ["duckdb", "pandas", "polars"])
def test_others_load_it(made: Path, library: str) -> None:
    """Parquet and CSV, in one line each, with the same texts."""
    module = pytest.importorskip(library)
    texts = [record["text"] for record in records(made / "v.jsonl")]
    parquet, table = made / "v.parquet", made / "v.csv"
    if library == "duckdb":
        for path in (parquet, table, made / "v.jsonl"):
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


def test_text_comes_apart_again(made: Path) -> None:
    """Head, empty line, the text as stored, form feed."""
    parts = (made / "v.text").read_text("utf-8").split("\n\f\n")[:-1]
    for part, record in zip(parts, records(made / "v.jsonl"), strict=True):
        head, _, text = part.partition("\n\n")
        assert (
            head.split("\n")[0] == f"citation: {record['citation']}"
            and head.endswith(f"\ntitle: {record['title']}")
            and text == record["text"]
        )


def test_warc_holds_each_capture_with_its_request(made: Path, small: Small) -> None:
    """Records as they lie in the archive: ids, digests, order; `warcio check` finds them right."""
    concerning: dict[str, Counter[str]] = {}
    responses = set()
    with open(made / "v.warc", "rb") as stream:
        for record in ArchiveIterator(stream):
            headers = record.rec_headers
            if record.rec_type == "response":
                responses.add(headers.get_header("WARC-Record-ID"))
            elif record.rec_type != "warcinfo":
                concerning.setdefault(headers.get_header("WARC-Concurrent-To"), Counter())[
                    record.rec_type
                ] += 1
    told = records(made / "v.jsonl")
    assert {record["evidence"]["record_id"] for record in told} <= responses
    assert concerning == {record_id: Counter(request=1, metadata=1) for record_id in responses}
    check = subprocess.run(
        [sys.executable, "-m", "warcio.cli", "check", str(made / "v.warc")], capture_output=True, text=True
    )
    assert (check.returncode, check.stdout) == (0, "")


def test_wacz_is_whole(made: Path) -> None:
    """Every file is listed with its digest; each line of the index leads to its response; pages have
    titles."""
    import gzip

    with zipfile.ZipFile(made / "v.wacz") as archive:
        package = json.loads(archive.read("datapackage.json"))
        digest = json.loads(archive.read("datapackage-digest.json"))
        assert digest["hash"] == "sha256:" + hashlib.sha256(archive.read("datapackage.json")).hexdigest()
        assert {r["path"] for r in package["resources"]} | {
            "datapackage.json",
            "datapackage-digest.json",
        } == set(archive.namelist())
        for resource in package["resources"]:
            data = archive.read(resource["path"])
            assert (resource["bytes"], resource["hash"]) == (
                len(data),
                "sha256:" + hashlib.sha256(data).hexdigest(),
            )
        warc = archive.read("archive/data.warc.gz")
        lines = gzip.decompress(archive.read("indexes/index.cdx.gz")).decode().splitlines()
        assert lines == sorted(lines)
        for line in lines:
            key, stamp, fields = line.split(" ", 2)
            place = json.loads(fields)
            assert key == surt(place["url"]) and len(stamp) == 14
            record = gzip.decompress(warc[int(place["offset"]) : int(place["offset"]) + int(place["length"])])
            assert (
                record.startswith(b"WARC/1.1\r\n")
                and place["url"].encode() in record
                and place["digest"].encode() in record
            )
        head, *pages = [json.loads(line) for line in archive.read("pages/pages.jsonl").splitlines()]
        assert head["format"] == "json-pages-1.0" and all(
            page["title"] and page["url"] and page["ts"] for page in pages
        )
        assert package["created"].endswith("Z") and package["mainPageUrl"] == pages[0]["url"]


def test_wacz_is_read_where_it_says(made: Path) -> None:
    """ReplayWeb.page takes the length of a local header from the central directory alone, unless that has
    extra fields of its own."""
    data = (made / "v.wacz").read_bytes()
    with zipfile.ZipFile(made / "v.wacz") as archive:
        for info in archive.infolist():
            name, extra = struct.unpack_from("<HH", data, info.header_offset + 26)
            assert data[info.header_offset : info.header_offset + 4] == b"PK\x03\x04" and name == len(
                info.filename
            )
            assert bool(extra) == bool(info.extra)


@pytest.mark.wacz
def test_wacz_validate_passes(made: Path, tmp_path: Path) -> None:
    """The standard's own tool finds it right, and a flipped byte wrong."""

    def validate(path: Path) -> tuple[int, str]:
        answer = subprocess.run(
            [os.environ["SOHR_WACZ"], "validate", "-f", str(path)],
            capture_output=True,
            text=True,
            timeout=120,
        )
        return answer.returncode, answer.stdout + answer.stderr

    status, told = validate(made / "v.wacz")
    assert status == 0 and "Validation succeeded" in told, told
    data = bytearray((made / "v.wacz").read_bytes())
    data[200] ^= 1  # within the WARC file, which is stored first
    (tmp_path / "flipped.wacz").write_bytes(data)
    assert "Validation succeeded" not in validate(tmp_path / "flipped.wacz")[1]


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://www.syriahr.com/en/332481/", "com,syriahr)/en/332481"),
        ("http://127.0.0.1:8000/en/1/?b=2&a=1", "1,0,0,127:8000)/en/1?a=1&b=2"),
        ("https://syriahr.com", "com,syriahr)/"),
        ("https://www.syriahr.com/%D8%A3/12/", "com,syriahr)/%d8%a3/12"),
    ],
)
def test_keys_of_the_index(url: str, key: str) -> None:
    """As the package `surt` makes them."""
    assert surt(url) == key


def test_the_same_archive_gives_the_same_bytes(made: Path, small: Small, tmp_path: Path) -> None:
    """In every format, whenever; the data package too."""
    for form in FORMATS:
        assert run(small.folder, "--format", form, "-o", tmp_path / f"v.{form}").returncode == 0
        assert (tmp_path / f"v.{form}").read_bytes() == (made / f"v.{form}").read_bytes(), form
    assert (tmp_path / "datapackage.json").read_bytes() == (made / "datapackage.json").read_bytes()


def test_the_data_package_says_what_lies_beside_it(made: Path) -> None:
    """A resource a file: digest, counts, columns with their sentences."""
    package = json.loads((made / "datapackage.json").read_text("utf-8"))
    assert [resource["path"] for resource in package["resources"]] == sorted(f"v.{form}" for form in FORMATS)
    for resource in package["resources"]:
        assert (
            resource["hash"] == "sha256:" + hashlib.sha256((made / resource["path"]).read_bytes()).hexdigest()
        )
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
    assert (answer.returncode, answer.stdout) == (2, b"") and b"needs a format of tables" in answer.stderr


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
    assert refused.returncode == 2 and b"ends as no format does: give --format" in refused.stderr
    assert not (tmp_path / "v.csv.gz").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("form", ["csv", "parquet", "warc", "wacz"])
def test_a_full_disk(small: Small, form: str) -> None:
    """One sentence and 73, in the binary formats too."""
    answer = run(small.folder, "--format", form, "-o", "/dev/full")
    assert answer.returncode == 73 and answer.stderr.count(b"\n") == 1 and b"No space left" in answer.stderr


# -- memory --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Archives of so many versions, the smaller ones with evidence."""
    folder = tmp_path_factory.mktemp("many")
    for versions in (FEW, SEVERAL, MANY):
        make(folder / str(versions), versions, evidence=versions < MANY)
    return {versions: folder / str(versions) for versions in (FEW, SEVERAL, MANY)}


def most_memory(folder: Path, form: str) -> float:
    """MB of all processes of an export together, at the worst moment."""
    line = command_line(folder, "export", "--format", form, "-o", "/dev/null")
    return measure.run(line, watch=True).rss / 1e6


@pytest.mark.slow
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet", "text"])
@pytest.mark.real_process
def test_memory_stays_flat(many: dict[int, Path], form: str) -> None:
    """Six times as many versions need no more of it. (`python -m tests.bench.memory` does this with a
    million.)"""
    few, lots = most_memory(many[SEVERAL], form), most_memory(many[MANY], form)
    assert lots < MOST_RSS and lots < few + GROWTH, (few, lots)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["warc", "wacz"])
@pytest.mark.real_process
def test_memory_of_evidence_stays_flat(many: dict[int, Path], form: str) -> None:
    """Eight bytes a capture, and no more."""
    few, lots = most_memory(many[FEW], form), most_memory(many[SEVERAL], form)
    assert lots < MOST_RSS and lots < few + GROWTH, (few, lots)
