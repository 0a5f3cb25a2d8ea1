"""`from archive import Archive`: what a program of a user's gets, on an archive that the real crawler
made."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import sqlite3
import subprocess
import sys
import types
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from archive import Archive, BadReference, NotArchived
from archive.errors import DamagedWarc, NoArchive
from archive.read.database import BadSql
from archive.read.find import BadQuery
from archive.read.references import parse_bound, parse_reference
from tests.made_once import copy_archive
from tests.replica.server import ROOT
from tests.small_archive import TITLE, Small


@pytest.fixture
def archive(small: Small) -> Iterator[Archive]:
    """Open for reading."""
    with Archive.open(small.folder) as opened:
        yield opened


def test_importing_the_package_loads_nothing() -> None:
    """Neither the database library nor Datasette nor the API itself."""
    code = (
        "import archive, sys; print([m for m in sys.modules if m.startswith(('sqlite_utils', "
        "'datasette', 'click', 'archive.'))])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stdout == "[]\n"


def test_versions_are_read_one_after_another(archive: Archive, small: Small) -> None:
    """In the order of exports, frozen, and as a generator."""
    found = archive.versions()
    assert isinstance(found, types.GeneratorType)
    held = list(found)
    places = [(v.source, v.post_id, v.first_captured_at) for v in held]
    assert places == sorted(places)  # type: ignore[type-var]  # all of them have a post id
    assert [v.number for v in held if (v.source, v.post_id) == ("ar", small.arabic)] == [1, 2, 3]
    with pytest.raises(dataclasses.FrozenInstanceError):
        held[0].title = "x"  # type: ignore[misc]


def test_filters(archive: Archive, small: Small) -> None:
    """Edition, newest, changed, state, publication: each narrows, and both bounds are inclusive."""
    everything = list(archive.versions())
    assert {v.edition for v in archive.versions("ar")} == {"ar"}
    assert [v.citation for v in archive.versions(which="latest")] == [
        v.citation for v in everything if v.is_latest
    ]
    assert {v.post_id for v in archive.versions(changed=True)} == {small.edited, small.titled, small.arabic}
    assert {v.post_id for v in archive.versions(state="missing")} == {small.gone}
    days = sorted({v.published_at[:10] for v in everything if v.published_at})
    middle = days[len(days) // 2]
    before, after = (
        list(archive.versions(until=middle)),
        list(archive.versions(since=date.fromisoformat(middle))),
    )
    on_it = [v for v in everything if (v.published_at or "")[:10] == middle]
    assert on_it and len(before) + len(after) == len(everything) + len(on_it)
    category = next(v.categories[0] for v in everything if v.categories)
    assert all(category in v.categories for v in archive.versions(category=category))


def test_lines_have_kind_depth_and_place(archive: Archive) -> None:
    """A parser need not guess bullets: the offsets give the line back."""
    kinds = set()
    for version in archive.versions():
        assert "\n".join(line.text for line in version.lines) == version.text
        for line in version.lines:
            assert version.text[line.start : line.end] == line.text
            kinds.add(line.kind.value)
    assert {"paragraph", "list", "heading"} & kinds == kinds & {"paragraph", "list", "heading"} != set()


def test_the_plain_title_leads_back_to_the_published_one(archive: Archive, small: Small) -> None:
    """Word by word."""
    version = archive.article("en", small.titled).latest
    assert version is not None and "killed" in version.plain_title and "kil*led" in version.title
    [span] = version.title_spans
    assert (
        version.plain_title[span.start : span.end],
        version.title[span.original_start : span.original_end],
    ) == ("killed", "kil*led")


def test_an_article_and_its_history(archive: Archive, small: Small) -> None:
    """Versions, aliases, changes, diff."""
    article = archive.article("en", small.edited)
    assert (article.state, [v.number for v in article.versions]) == ("live", [1, 2])
    assert article.url in article.aliases and archive.find(article.aliases[0]) == article
    assert [change.kind for change in article.changes][:2] == ["created", "updated"]
    diff = article.diff(1, 2)
    assert diff.difference.severity == 3 and "figures" in diff.difference.classes
    assert "\x1b[32m" in diff.words(colour=True) and "{+" in diff.words() and "\n+" in diff.unified()
    assert '</del> <span class="to">→</span> <ins' in diff.html() and diff.as_record()["severity"] == 3
    assert article.diff(1, 1).unified() == ""


def test_a_diff_escapes_what_the_site_wrote(archive: Archive, small: Small) -> None:
    """Neither tags nor directions of a title run in a reader's browser or terminal."""
    diff = archive.article("en", small.titled).diff(1, 2)
    evil = dataclasses.replace(
        diff, after=dataclasses.replace(diff.after, title="<script>\x1b]0;x\x07", text="<b>\u202e")
    )
    assert (
        "<script>" not in evil.html()
        and "<b>" not in evil.html()
        and "\x1b]" not in evil.words(colour=True)
        and "\u202e" not in evil.words()
    )


def test_citations_resolve_within_the_span_of_a_version(archive: Archive, small: Small) -> None:
    """And between two versions nothing is claimed."""
    first, second, third = archive.article("ar", small.arabic).versions
    for version in (first, second, third):
        assert archive.resolve(version.citation) == version
        assert archive.resolve(f"sohr:ar:{small.arabic}@{version.last_captured_at}") == version
    with pytest.raises(NotArchived, match="is not known: it was last seen"):
        archive.resolve(f"sohr:ar:{small.arabic}@2099-01-01T00:00:00Z")
    with pytest.raises(NotArchived, match="is not known: version 1 was first seen"):
        archive.resolve(f"sohr:ar:{small.arabic}@2000-01-01T00:00:00Z")


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("fr:1", "is not an edition"),
        ("en:1x", "is not a post id"),
        ("332481", "does not name an article"),
        ("en:999999999", "has no article"),
        ("https://www.syriahr.com/en/1/", "has no article"),
        ("en:1@yesterday", "is not an instant"),
    ],
)
def test_bad_references(archive: Archive, reference: str, sentence: str) -> None:
    """A sentence each."""
    with pytest.raises((BadReference, NotArchived), match=sentence):
        archive.find(reference)


def test_bad_arguments(archive: Archive, small: Small) -> None:
    """At once, not when the first version is read."""
    for arguments in (
        {"since": "soon"},
        {"category": "No such"},
        {"state": "dead"},
        {"since": "2024-02-01", "until": "2024-01-01"},
    ):
        with pytest.raises(BadReference):
            archive.versions(**arguments)  # type: ignore[arg-type]  # that is what is tested
    with pytest.raises(BadReference, match="is not an edition"):
        archive.versions("fr")  # type: ignore[arg-type]
    with pytest.raises(NotArchived, match="has no version 9: it has 1 to 2"):
        archive.article("en", small.edited).version(9)
    with pytest.raises(NoArchive):
        Archive.open(small.folder / "nowhere")


def test_instants() -> None:
    """Days, texts and datetimes mean what they say, in UTC."""
    assert (
        parse_bound("2024-01-31", is_end=True) == "2024-01-31T23:59:59Z"
        and parse_bound(date(2024, 1, 31)) == "2024-01-31T00:00:00Z"
    )
    assert (
        parse_bound(datetime(2024, 1, 31, 12, tzinfo=UTC))
        == parse_bound("2024-01-31T12:00:00Z")
        == "2024-01-31T12:00:00Z"
    )
    for wrong in ("2024-02-30", "2024", "", datetime(2024, 1, 1)):  # noqa: DTZ001  # that is what is wrong with it
        with pytest.raises(BadReference):
            parse_bound(wrong)
    assert parse_reference("sohr:example.org:https://example.org/a@b").key == "https://example.org/a@b"
    for host in ("example.org", "example.org:8443", "127.0.0.1:8000", "localhost:8000", "[::1]:8000"):
        named = parse_reference(f"sohr:{host}:http://{host}/a?b=c:d@2025-03-01T10:00:00Z")
        assert (named.source, named.key, named.at) == (host, f"http://{host}/a?b=c:d", "2025-03-01T10:00:00Z")


def test_search_folds(archive: Archive) -> None:
    """What stands in a text is found without its marks and case, and is pointed at in the text as
    published."""
    word = next(
        match[0] for v in archive.versions("en", which="latest") if (match := re.search(r"[a-z]{6,}", v.text))
    )
    hits = list(archive.search(word.upper(), edition="en", exact=True))
    assert hits and all(
        hit.version.text[start:end].casefold().startswith(word) for hit in hits for start, end in hit.matches
    )
    arabic = next(
        match[0]
        for v in archive.versions("ar", which="latest")
        if (match := re.search("[\u0621-\u064a]{5,}", v.text))
    )
    assert list(archive.search("\u064e".join(arabic), edition="ar", limit=1))
    assert list(archive.search("KILLED"))
    with pytest.raises(BadQuery, match="no letter or digit"):
        next(archive.search('"" * ()'))


def test_evidence_is_what_the_site_sent(archive: Archive, small: Small, tmp_path: Path) -> None:
    """Bytes and headers, checked against their digest."""
    version = archive.article("en", small.edited).versions[0]
    capture = archive.evidence(version)
    assert (
        capture.status == 200
        and capture.captured_at == version.first_captured_at
        and capture.header("content-type")
    )
    [row] = archive.rows(
        "select payload_sha256 from captures where record_id = ?", version.evidence.record_id
    )
    assert hashlib.sha256(capture.body).hexdigest() == row[0]
    copy_archive(small.folder, tmp_path / "copy")
    [path] = [
        p for p in (tmp_path / "copy" / "warc").iterdir() if p.name.startswith(version.evidence.warc_file)
    ]
    whole = bytearray(path.read_bytes())
    whole[version.evidence.offset + version.evidence.length // 2] ^= 0xFF
    path.write_bytes(whole)
    with Archive.open(tmp_path / "copy") as damaged, pytest.raises(DamagedWarc):
        damaged.evidence(version)


def test_nothing_can_be_written(archive: Archive) -> None:
    """Not even by a question of one's own."""
    with pytest.raises(BadSql, match="readonly"):
        list(archive.rows("delete from failures"))
    with pytest.raises(sqlite3.OperationalError):
        archive._conn.execute("create table x (y)")


@pytest.mark.parametrize(
    ("sql", "values", "why"),
    [
        ("select * from artcles", (), "no such table: artcles"),
        ("select titel from versions", (), "no such column: titel"),
        ("selct 1", (), 'near "selct": syntax error'),
        ("select * from articles where key = ? and source = ?", ("1",), "bindings"),
        ("select 1; select 2", (), "one statement at a time"),
        ("select * from search where search match ?", ('"',), "unterminated string"),
    ],
)
def test_a_mistake_in_sql_is_called_one(
    archive: Archive, sql: str, values: tuple[str, ...], why: str
) -> None:
    """The database is neither damaged nor busy, and asking again would not help."""
    with pytest.raises(BadSql, match=why) as raised:
        list(archive.rows(sql, *values))
    assert str(raised.value).startswith("the SQL cannot be run: ") and raised.value.exit_status == 2
    assert next(archive.rows("select 1"))[0] == 1


def test_changes_are_typed(archive: Archive, small: Small) -> None:
    """The same lines as the feed, with `since` by when the archive learnt them."""
    told = list(archive.changes())
    assert [change.seq for change in told] == list(range(1, archive.newest_seq + 1))
    last = told[-1]
    assert [c.seq for c in archive.changes(since=last.learnt_at)][-1] == last.seq and list(
        archive.changes(since="2099-01-01")
    ) == []
    edit = next(c for c in told if c.kind == "updated" and c.post_id == small.edited)
    assert edit.figures and all(figure.before != figure.after for figure in edit.figures)


def test_a_clients_types_hold(tmp_path: Path) -> None:
    """`mypy --strict` on a small program of a user's finds nothing, and on a wrong one its mistakes."""
    (tmp_path / "wrong.py").write_text("from archive import Archive, Nothing\n\nArchive.open(3)\n")
    command = [sys.executable, "-m", "mypy", "--strict", "tests/client", str(tmp_path / "wrong.py")]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    *found, summary = answer.stdout.splitlines()
    assert answer.returncode == 1 and "in 1 file (checked 3 " in summary, answer.stdout
    assert all("wrong.py:" in line for line in found), answer.stdout
    assert "arg-type" in answer.stdout and "attr-defined" in answer.stdout


def test_the_client_runs(small: Small) -> None:
    """And prints what it found."""
    answer = subprocess.run(
        [sys.executable, "-m", "tests.client.tolls", small.folder], cwd=ROOT, capture_output=True, text=True
    )
    assert answer.returncode == 0 and "Homs" not in TITLE[:10] and len(answer.stdout.splitlines()) > 2, (
        answer.stderr
    )
