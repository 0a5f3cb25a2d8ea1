"""A field of a version is named once: store, export, feed, schemas, dictionary, page and redaction follow."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import jsonschema
import pytest

from archive.store.fields import PAGE, VersionField
from tests.archiving import said, warc, well
from tests.replica.server import ROOT

# File of the package, the text before which a line goes, the line: all that a new field takes
NEW_FIELD = (
    (
        "archive/store/fields.py",
        '    VersionField(\n        "categories"',
        """    VersionField("subtitle", "string", "The line below the title.", origin=PAGE, redact=EMPTY,
        is_nullable=True, is_metadata=True, is_in_feed=True, label="Subtitle",
        label_ar="عنوان آخر"),
""",
    ),
    ("archive/model.py", "    categories: tuple[str, ...] = ()\n", "    subtitle: str | None = None\n"),
    (
        "archive/extract/page.py",
        "        claims=tuple(stated.claims),\n",
        '        subtitle=f"Below {title}",\n',
    ),
)


def run(source: Path, *line: str) -> str:
    """Run Python with the package of a folder."""
    environment = os.environ | {"PYTHONPATH": f"{source}{os.pathsep}{ROOT}"}
    command = [sys.executable, *line]
    return subprocess.run(
        command, cwd=source, env=environment, capture_output=True, check=True, text=True, timeout=120
    ).stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with one more field, in three files."""
    source = tmp_path_factory.mktemp("source")
    shutil.copytree(ROOT / "archive", source / "archive", ignore=shutil.ignore_patterns("__pycache__"))
    for name, place, line in NEW_FIELD:
        text = (source / name).read_text("utf-8")
        assert text.count(place) == 1, f"{name} has changed: adapt this test"
        (source / name).write_text(text.replace(place, line + place), "utf-8")
    return source


@pytest.fixture(scope="module")
def folder(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of two versions of a post, made with that package."""
    folder = tmp_path_factory.mktemp("archive")
    captures = (
        said(1, "2026-01-02T10:00:00Z", "The first text of the post.", title="Morning"),
        said(1, "2026-01-03T10:00:00Z", "The first text of the post.", title="Evening"),
    )
    make = (
        "import sys, pathlib; from tests.archiving import Archive; "
        "Archive(pathlib.Path(sys.argv[1])).__enter__()"
    )
    run(source, "-c", make, str(folder))
    well(folder, "import", warc(folder.parent / "two.warc.gz", captures), source=source)
    return folder


def test_store_export_and_feed_have_a_new_field(source: Path, folder: Path) -> None:
    """Records hold to the schemas that the package makes, which name the field; so does the dictionary."""
    with closing(sqlite3.connect(folder / "archive.db")) as db:
        assert db.execute("select subtitle from versions order by number").fetchall() == [
            ("Below Morning",),
            ("Below Evening",),
        ]
    run(source, "-m", "archive.export.dictionary")
    for command, name in ((("export", "--versions", "all"), "version"), (("changes",), "change")):
        records = [json.loads(line) for line in well(folder, *command, source=source).splitlines()]
        schema = json.loads((source / "archive" / "export" / "schema" / f"{name}.schema.json").read_bytes())
        assert [record["subtitle"] for record in records] == ["Below Morning", "Below Evening"]
        assert schema["properties"]["subtitle"]["description"] == "The line below the title."
        for record in records:
            jsonschema.Draft202012Validator(schema).validate(record)
    content = json.loads(well(folder, "export", "--content", source=source).splitlines()[-1])
    assert content["subtitle"] == "Below Evening"
    csv = well(folder, "export", "--format", "csv", source=source).decode()
    assert "subtitle" in csv.splitlines()[0] and '"Below Evening"' in csv
    assert "| `subtitle` | text, or null | The line below the title. |" in (
        source / "docs" / "dictionary.md"
    ).read_text("utf-8")


def test_python_has_a_new_field(source: Path, folder: Path) -> None:
    """As an attribute of versions and changes, with its type."""
    code = (
        "import sys; from archive import Archive\n"
        "with Archive.open(sys.argv[1]) as archive:\n"
        "    print([v.subtitle for v in archive.versions()], [c.subtitle for c in archive.changes()])"
    )
    both = "['Below Morning', 'Below Evening']"
    assert run(source, "-c", code, str(folder)).strip().endswith(both)


@pytest.mark.pages
def test_pages_show_a_new_field(source: Path, folder: Path) -> None:
    """With its label: the article, the comparison, and Datasette's description of the column."""
    code = (
        "import asyncio, sys; from datasette.app import Datasette\n"
        "client = Datasette([sys.argv[1]]).client\n"
        "async def read():\n"
        "    return [(await client.get(path, follow_redirects=True)).text for path in sys.argv[2:]]\n"
        "print(*asyncio.run(read()), sep='<hr id=next>')"
    )
    paths = ("/-/sohr/en/1", "/-/sohr/en/1/diff/1/2", "/archive/versions")
    article, comparison, table = run(source, "-c", code, str(folder / "archive.db"), *paths).split(
        "<hr id=next>"
    )
    assert "<dt>Subtitle</dt>" in article and "Below Evening" in article
    assert "Subtitle" in comparison and "Below Morning" in comparison and "Below Evening" in comparison
    assert "The line below the title." in table


def test_a_public_copy_hides_a_new_field(source: Path, folder: Path) -> None:
    """Of the version that somebody asked to hide, in every file of the copy."""
    hidden = folder.parent / "hidden.txt"
    hidden.write_text("sohr:en:1@2026-01-02T10:00:00Z\n")
    copy = folder.parent / "public.db"
    well(folder, "publish-copy", copy, "--redact", hidden, source=source)
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("select subtitle from versions order by number").fetchall() == [
            (None,),
            ("Below Evening",),
        ]
    assert b"Below Morning" not in copy.read_bytes()


def test_redaction_cannot_be_forgotten() -> None:
    """A field without it cannot be made."""
    with pytest.raises(TypeError, match="redact"):
        VersionField("subtitle", "string", "The line below the title.", origin=PAGE)  # type: ignore[call-arg]
