"""Captures of others come in by the one path, at their own time, exactly as they were recorded, or not at
all."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.read.database import open_readonly
from archive.read.feed import changes as feed
from archive.rebuild.verify import verify
from archive.warc.foreign_records import UnreadableFile
from tests.archiving import (
    Archive,
    Foreign,
    answer,
    capture,
    check_rebuild,
    dump,
    page,
    said,
    sohr,
    warc,
    well,
)
from tests.crawling import check_warcs, rows
from tests.importing import NOON, URL, import_file, texts, whole
from tests.replica.server import Replica


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An archive that holds a post as of 2025, in one version."""
    with Archive(tmp_path / "archive") as archive:
        archive.take(
            capture(1, "2025-01-01T00:00:00Z", "It says 5 now.", "And more."),
            capture(1, "2025-06-01T00:00:00Z", "It says 5 now.", "And more."),
        )
    return tmp_path / "archive"


def days(*stated: tuple[str, str]) -> list[Foreign]:
    """A post as it was on days."""
    return [said(1, f"{day}T12:00:00Z", text, "And more.") for day, text in stated]


# -- kinds of files ------------------------------------------------------------------------------------------


def wacz(path: Path, *parts: Path) -> Path:
    """A WACZ as ArchiveWeb.page writes it."""
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("datapackage.json", "{}")
        package.writestr("pages/pages.jsonl", '{"format": "json-pages-1.0"}\n')
        for part in parts:
            package.write(part, f"archive/{part.name}", zipfile.ZIP_STORED)
    return path


@pytest.mark.parametrize("kind", ["gz", "plain", "wacz", "wacz of plain", "zstd"])
def test_kinds_of_files(folder: Path, tmp_path: Path, kind: str) -> None:
    """By their first bytes, not their name; a second time nothing changes."""
    records = [said(1, NOON, "It said 3 then.", "And more."), said(2, NOON, "Another.", "And more.")]
    file = warc(tmp_path / "x.warc.gz", records, packed=kind in ("gz", "wacz"))
    if kind.startswith("wacz"):
        other = warc(tmp_path / "y.warc.gz", [said(3, NOON, "Third.", "And more.")], packed=kind == "wacz")
        file = wacz(tmp_path / "x.wacz", file.rename(tmp_path / "z.warc.gz"), other)
    if kind == "zstd":
        zstd = pytest.importorskip("backports.zstd")
        file.write_bytes(b"".join(zstd.compress(record.plain()) for record in records))
    counts = import_file(folder, file)
    assert counts == Counter({"backfilled": 1, "new": 2 if kind.startswith("wacz") else 1})
    assert [text for _, text, *_ in texts(folder)] == ["It said 3 then.", "It says 5 now."]
    before = (
        rows(folder, "select * from captures"),
        rows(folder, "select * from changes"),
        rows(folder, "select * from versions"),
    )
    assert import_file(folder, file) == Counter({"known_already": counts.total()})
    assert before == (
        rows(folder, "select * from captures"),
        rows(folder, "select * from changes"),
        rows(folder, "select * from versions"),
    )
    check_warcs(folder)
    whole(folder)


def test_it_is_written_down_where_captures_came_from(folder: Path, tmp_path: Path) -> None:
    """The file's name and digest, when the site said it and when the archive learnt it."""
    file = warc(tmp_path / "others.warc.gz", [said(2, NOON, "Another.", "And more.")])
    import_file(folder, file)
    sql = (
        "select kind, arguments, channel, captured_at, recorded_at > captured_at from captures join "
        "crawls using (crawl_id) where kind = 'import'"
    )
    ((kind, arguments, channel, said_at, later),) = rows(folder, sql)
    assert (kind, channel, said_at, later) == ("import", "import", NOON, 1)
    assert json.loads(arguments) == {
        "file": "others.warc.gz",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
    assert rows(folder, "select said_at, learnt_at > said_at from changes order by seq desc limit 1") == [
        (NOON, 1)
    ]


def test_an_empty_archive_takes_a_file(tmp_path: Path) -> None:
    """Without a crawl before: posts of the site itself."""
    site = "https://www.syriahr.com/"
    import_file(
        tmp_path / "new",
        warc(tmp_path / "x.warc.gz", [said(332481, NOON, "A text.", "And more.", site=site)]),
    )
    assert rows(tmp_path / "new", "select source, key, versions from articles") == [("en", "332481", 1)]
    assert rows(tmp_path / "new", "select value from about where key = 'home'") == [(site,)]
    whole(tmp_path / "new")


def test_what_is_no_capture_file_makes_no_archive(tmp_path: Path) -> None:
    """A letter, an empty file, a folder, nothing: 65, one sentence, and no folder that looks like an archive
    afterwards."""
    (tmp_path / "letter").write_text("Dear all")
    (tmp_path / "empty").touch()
    for name in ("letter", "empty", ".", "nothing"):
        ran = sohr(tmp_path / "new", "import", tmp_path / name)
        assert ran.status == 65 and len(ran.err.splitlines()) == 1, ran.err
    assert not (tmp_path / "new").exists()


def test_what_wget_wrote(tmp_path: Path) -> None:
    """A crawl of the replica by wget: its posts come in, all else is counted."""
    if not shutil.which("wget"):
        pytest.skip("no wget here")
    with Replica(posts=8, chunked=True) as replica:
        post = next(post for post in replica.posts("en") if not post.odd)
        line = [
            "wget",
            "-q",
            "--warc-file=w",
            "--delete-after",
            "-e",
            "robots=off",
            f"{replica.url}en/{post.post_id}/",
            f"{replica.url}en/",
            replica.url,
        ]
        subprocess.run(line, cwd=tmp_path, check=False, timeout=60)
        with Archive(tmp_path / "a", replica.url):
            pass
        counts = import_file(tmp_path / "a", tmp_path / "w.warc.gz")
    assert counts["new"] == 1 and counts["other_page"] == 2 and not counts["wrong_digest"]
    assert rows(tmp_path / "a", "select title, text from versions") == [(post.title, "\n".join(post.lines))]
    whole(tmp_path / "a")


# -- what is in a record -------------------------------------------------------------------------------------


BAD_FILES = {
    "empty": b"",
    "no archive": b"Dear reader, this is a letter.\n" * 20,
    "gzip of something else": gzip.compress(b"a letter " * 100),
    "zip of something else": b"PK\x03\x04" + bytes(100),
    "zstd of nothing": b"\x28\xb5\x2f\xfd" + bytes(50),
    "a database": b"SQLite format 3\0" + bytes(4000),
    "ones": b"\xff" * 5000,
}


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES)
def test_what_is_no_warc(folder: Path, tmp_path: Path, content: bytes) -> None:
    """A sentence that names the file, and nothing taken."""
    file = tmp_path / "x.warc.gz"
    file.write_bytes(content)
    before = dump(folder)["captures"]
    try:
        assert import_file(folder, file).total() == 0
    except UnreadableFile as error:
        assert "x.warc.gz" in str(error) and len(str(error)) < 300  # noqa: PT017  # either way will do
    assert dump(folder)["captures"] == before
    whole(folder)


def test_the_command_goes_on_with_the_next_file(folder: Path, tmp_path: Path) -> None:
    """A folder, an empty file, none, the same file twice: each has its line, the exit status is that of the
    worst."""
    good = warc(tmp_path / "good.warc.gz", [said(2, NOON, "Another.", "And more.")])
    cut = tmp_path / "cut.warc.gz"
    cut.write_bytes(
        warc(
            tmp_path / "x.warc.gz",
            [said(3, NOON, "Third.", "And more."), said(4, NOON, "Fourth.", "And more.")],
        ).read_bytes()[:-60]
    )
    (tmp_path / "empty.warc").touch()
    ran = sohr(folder, "import", tmp_path, tmp_path / "empty.warc", tmp_path / "none.warc", cut, good, good)
    assert ran.status == 65
    assert ran.lines == [
        "cut.warc.gz: 1 cut_short, 1 new",
        "good.warc.gz: 1 new",
        "good.warc.gz: 1 known_already",
    ]
    assert ["is a folder" in ran.err, "empty.warc" in ran.err, "none.warc" in ran.err] == [True] * 3
    assert {post_id for (post_id,) in rows(folder, "select post_id from articles where versions > 0")} == {
        1,
        2,
        3,
    }
    whole(folder)


# -- older history -------------------------------------------------------------------------------------------


def test_an_older_text_becomes_an_earlier_version(folder: Path, tmp_path: Path) -> None:
    """Versions get new numbers and the feed says `backfilled`. Earlier lines of the feed stay, and a citation
    still finds its text."""
    with open_readonly(folder) as conn:
        before = list(feed(conn))
    import_file(
        folder,
        warc(
            tmp_path / "x.warc.gz",
            days(("2024-03-01", "It said 3."), ("2024-02-01", "It said 2."), ("2024-03-05", "It said 3.")),
        ),
    )
    assert texts(folder) == [
        (1, "It said 2.", "2024-02-01T12:00:00Z", "2024-02-01T12:00:00Z", 1),
        (2, "It said 3.", "2024-03-01T12:00:00Z", "2024-03-05T12:00:00Z", 2),
        (3, "It says 5 now.", "2025-01-01T00:00:00Z", "2025-06-01T00:00:00Z", 2),
    ]
    with open_readonly(folder) as conn:
        after = list(feed(conn))
    assert after[: len(before)] == before and [change["kind"] for change in after[len(before) :]] == [
        "backfilled",
        "backfilled",
    ]
    assert before[-1]["citation"] == "sohr:en:1@2025-01-01T00:00:00Z"
    assert rows(
        folder, "select number, text_sha256 from versions where first_captured_at = '2025-01-01T00:00:00Z'"
    ) == [(3, before[-1]["text_sha256"])]
    assert rows(folder, "select number from latest_versions") == [(3,)]
    whole(folder)


def test_the_same_text_seen_earlier_is_no_version(folder: Path, tmp_path: Path) -> None:
    """The version existed earlier than the archive knew. The feed gets no line."""
    count = rows(folder, "select count(*) from changes")
    import_file(
        folder,
        warc(
            tmp_path / "x.warc.gz", days(("2024-03-01", "It says 5 now."), ("2025-03-01", "It says 5 now."))
        ),
    )
    assert texts(folder) == [(1, "It says 5 now.", "2024-03-01T12:00:00Z", "2025-06-01T00:00:00Z", 4)]
    assert rows(folder, "select count(*) from changes") == count
    whole(folder)


def test_another_text_in_between_parts_a_version(folder: Path, tmp_path: Path) -> None:
    """A-B-A is three versions, learnt late too."""
    import_file(folder, warc(tmp_path / "x.warc.gz", days(("2025-03-01", "It said 4."))))
    assert [(number, text) for number, text, *_ in texts(folder)] == [
        (1, "It says 5 now."),
        (2, "It said 4."),
        (3, "It says 5 now."),
    ]
    assert [told[2:] for told in texts(folder)][::2] == [
        ("2025-01-01T00:00:00Z",) * 2 + (1,),
        ("2025-06-01T00:00:00Z",) * 2 + (1,),
    ]
    assert rows(folder, "select number from latest_versions") == [(3,)]
    whole(folder)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(1, 28), st.sampled_from("ABC")),
        min_size=1,
        max_size=9,
        unique_by=lambda pair: pair[0],
    ),
    st.randoms(),
)
def test_history_in_any_order_is_the_same_history(
    tmp_path: Path, seen: list[tuple[int, str]], random: Any
) -> None:
    """Whatever order captures become known in, the versions are those of the order in which the site said
    them."""
    base = Path(tempfile.mkdtemp(dir=tmp_path))
    late = list(seen)
    random.shuffle(late)
    found = []
    for name, order in (("early", sorted(seen)), ("late", late)):
        with Archive(base / name) as archive:
            for day, text in order:
                (outcome,) = archive.take(
                    capture(1, f"2024-02-{day:02}T00:00:00Z", f"It said {text}.", "And more.")
                )
                assert outcome.word in ("new", "changed", "unchanged", "backfilled"), outcome
        assert [kind for (kind,) in rows(base / name, "select kind from changes")].count("created") == 1
        assert list(verify(base / name)) == []
        found.append(texts(base / name))
    assert found[0] == found[1]
    check_rebuild(base / "late")
    shutil.rmtree(base)


def test_a_late_text_of_another_layout_takes_its_place(tmp_path: Path) -> None:
    """Whichever theme the page had: it waits only if a second reader finds another text
    (tests/test_any_order.py)."""
    body = page("A title", "It says 6 then.", "And more.").replace(
        b'<div class="entry-content">', b'<div class="entry-content rbct">'
    )
    same = body.replace(b"It says 6 then.", b"It says 5 then.")
    with Archive(tmp_path / "a") as archive:
        archive.take(
            capture(1, "2020-01-01T00:00:00Z", "It says 5 then.", "And more."),
            capture(1, "2026-01-01T00:00:00Z", "It says 7.", "And more."),
        )
    records = [
        Foreign(URL, "2021-01-01T00:00:00Z", answer(same)),
        Foreign(URL, "2022-01-01T00:00:00Z", answer(body)),
    ]
    assert import_file(tmp_path / "a", warc(tmp_path / "x.warc.gz", records)) == Counter(
        {"unchanged": 1, "backfilled": 1}
    )
    assert [text for _, text, *_ in texts(tmp_path / "a")] == [
        "It says 5 then.",
        "It says 6 then.",
        "It says 7.",
    ]
    whole(tmp_path / "a")


def test_two_imports_of_one_second_have_two_citations(tmp_path: Path) -> None:
    """Each resolves to its own version, in the feed and after a rebuild too; one that is not there is
    refused."""
    folder, at = tmp_path / "a", "2025-03-01T12:00:00Z"
    with Archive(folder):
        pass
    for number, text in enumerate(("It says 5.", "It says 6.")):
        well(folder, "import", warc(tmp_path / f"{number}.warc.gz", [said(1, at, text, "And more.")]))
    exported = [json.loads(line) for line in well(folder, "export", "--versions", "all").splitlines()]
    citations = {record["citation"]: record["lines"][0]["text"] for record in exported}
    assert sorted(citations.values()) == ["It says 5.", "It says 6."]
    plain, tagged = sorted(citations)
    assert plain == f"sohr:en:1@{at}" and re.fullmatch(rf"{plain}~[0-9a-f]{{8}}", tagged)
    for citation, text in citations.items():
        cited = json.loads(well(folder, "cite", citation, "--json"))
        assert cited["citation"] == citation and text in well(folder, "show", citation).decode()
    fed = [json.loads(line)["citation"] for line in well(folder, "changes").splitlines()]
    assert sorted(filter(None, fed)) == [plain, tagged]
    assert sohr(folder, "cite", f"{plain}~00000000").status == 2
    check_rebuild(folder)
