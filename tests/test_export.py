"""`sohr-archive export` and `sohr-archive changes`: order, bytes, what is in a line and what never is; on
archives that the real crawler made."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archive.read.database import json_line, open_readonly
from archive.text.normalise import text_sha256
from tests.archiving import command_line, well
from tests.demo import crawl
from tests.replica.posts import Post
from tests.replica.server import ROOT, Replica

POSTS = 20  # an edition
Record = dict[str, Any]


def lines(output: bytes) -> list[Record]:
    """JSON Lines, read as strictly as they may be: by any line end that Python knows."""
    return [json.loads(line) for line in output.decode().splitlines()]


@dataclass(frozen=True)
class Two:
    """The same frozen site in two archives, the second crawl of which was disturbed; then the site went on,
    and only the first was crawled."""

    first: Path
    disturbed: Path
    contents: tuple[bytes, bytes]
    told: bytes  # changes of the first before the site went on
    posts: list[Post]  # as the site stands at the end
    edited: int
    title: int
    retagged: int
    gone: int


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Two:
    """Five crawls of 40 posts."""
    first, disturbed = tmp_path_factory.mktemp("first") / "a", tmp_path_factory.mktemp("disturbed") / "a"
    with Replica(posts=POSTS, frozen=True) as site:
        crawl(site, first)
        crawl(site, disturbed, "-a", "pages=1", "-a", "edition=ar")
        crawl(site, disturbed)
        crawl(site, disturbed, "-a", "look=all")
        contents = well(first, "export", "--content"), well(disturbed, "export", "--content")
        told = well(first, "changes")
        edited, title, retagged, gone = [post.post_id for post in site.posts("en") if not post.odd][:4]
        site.call("edit", edition="en", post_id=edited, digit=True, silent=True)
        site.call(
            "edit", edition="en", post_id=title, title='Line\u2028ends\u0085in \u202bعنوان\u202c, "quotes"'
        )
        site.call("edit", edition="en", post_id=retagged, whitespace=True)  # only its modified time is new
        site.call("trash", edition="en", post_id=gone)
        crawl(site, first, "-a", "look=all")
        posts = site.posts("en") + site.posts("ar")
    return Two(first, disturbed, contents, told, posts, edited, title, retagged, gone)


def keys(value: Any) -> Iterator[str]:
    """All keys of all objects within."""
    if isinstance(value, dict):
        yield from value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys(part)


# -- export --------------------------------------------------------------------------------------------------


def test_content_is_what_the_site_said(two: Two) -> None:
    """Two archives of the same frozen site are equal byte for byte, however their crawls went."""
    assert two.contents[0] == two.contents[1] != b""
    assert len(lines(two.contents[0])) == 2 * POSTS


def test_content_equals_the_site(two: Two) -> None:
    """The newest versions hold the title and the lines of every post that has some, and nothing of how they
    were fetched."""
    said = {
        (r["edition"], r["post_id"]): r
        for r in lines(well(two.first, "export", "--content", "--versions", "latest"))
    }
    for post in two.posts:
        record = said.pop((post.edition, post.post_id))
        if post.password or not post.lines:
            assert record["number"] is None and record["state"] in ("protected", "empty")
        else:
            assert [line["text"] for line in record["lines"]] == list(post.lines)
    assert [(key, record["state"]) for key, record in said.items()] == [(("en", two.gone), "missing")]
    names = set(keys(lines(two.contents[0])))
    assert not {
        name
        for name in names
        if "captur" in name or name in ("url", "warc_file", "record_id", "layout", "extractor")
    }


def test_order_is_edition_then_number_then_first_capture(two: Two) -> None:
    """Post ids sort as numbers."""
    places = [
        (r["source"], r["post_id"], r["first_captured_at"], r["number"])
        for r in lines(well(two.first, "export"))
    ]
    assert places == sorted(places) and len(places) > 2 * POSTS - 6


def test_the_same_archive_gives_the_same_bytes(two: Two, tmp_path: Path) -> None:
    """To standard output and to a file."""
    target = tmp_path / "versions.jsonl"
    counts = json.loads(well(two.first, "export", "-o", target, "--json"))
    assert target.read_bytes() == well(two.first, "export")
    assert counts == {
        "output": str(target),
        "format": "jsonl",
        "versions": len(lines(target.read_bytes())),
        "articles": counts["articles"],
    }
    assert target.stat().st_mode & 0o777 == 0o666 & ~umask()


def umask() -> int:
    """Of this process."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_all_versions_or_the_newest_and_one_edition(two: Two) -> None:
    """Both filters hold."""
    everything, latest = (
        lines(well(two.first, "export")),
        lines(well(two.first, "export", "--versions", "latest")),
    )
    assert [r["citation"] for r in latest] == [r["citation"] for r in everything if r["is_latest"]]
    assert [r["number"] for r in everything if r["post_id"] == two.edited and r["source"] == "en"] == [1, 2]
    arabic = lines(well(two.first, "export", "--edition", "ar"))
    assert arabic == [r for r in everything if r["source"] == "ar"] != everything


def test_lines_have_their_kind_and_make_up_the_text(two: Two) -> None:
    """A parser need not guess; and the digest is of the text as exported."""
    records = lines(well(two.first, "export"))
    for record in records:
        assert "\n".join(line["text"] for line in record["lines"]) == record["text"]
        assert text_sha256(record["text"]) == record["text_sha256"]
    assert {"paragraph"} < {line["kind"] for record in records for line in record["lines"]}


def test_no_internal_id_is_told(two: Two) -> None:
    """Rows' numbers are the database's own affair: a rebuild may give others."""
    ours = {"post_id", "record_id"}  # WordPress's and WARC's
    for output in (
        well(two.first, "export"),
        well(two.first, "export", "--content"),
        well(two.first, "changes"),
    ):
        assert {name for name in keys(lines(output)) if name.endswith("_id")} <= ours


def test_a_file_is_replaced_whole_or_not_at_all(two: Two, tmp_path: Path) -> None:
    """A disk that fills up in the middle leaves what was there, and no rests."""
    target = tmp_path / "versions.jsonl"
    target.write_text("what was there")

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    command = command_line(two.first, "export", "--force", "-o", target)
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, preexec_fn=small_disk)
    assert (
        answer.returncode == 73
        and answer.stderr.startswith("sohr-archive: ")
        and answer.stderr.count("\n") == 1
    )
    assert target.read_text() == "what was there" and list(tmp_path.iterdir()) == [target]
    well(two.first, "export", "--force", "-o", target)
    assert len(lines(target.read_bytes())) > POSTS


@pytest.mark.parametrize("name", ["archive.db", "archive.lock", "warc/x.warc.gz", "warc/../archive.db", "."])
def test_an_export_never_overwrites_the_archive(two: Two, name: str) -> None:
    """Nor a folder."""
    before = (two.first / "archive.db").stat().st_size
    form = "warc" if name.endswith(".warc.gz") else "jsonl"  # its ending, which is checked first
    command = command_line(two.first, "export", "--format", form, "-o", two.first / name)
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 73 and "give" in answer.stderr
    assert (two.first / "archive.db").stat().st_size == before


def test_a_device_is_written_to_not_replaced(two: Two) -> None:
    """-o /dev/null."""
    well(two.first, "export", "-o", "/dev/null")
    assert Path("/dev/null").is_char_device()


# -- changes -------------------------------------------------------------------------------------------------


def test_changes_are_numbered_without_a_gap(two: Two) -> None:
    """From 1, whatever part is asked for."""
    told = lines(well(two.first, "changes"))
    assert [change["seq"] for change in told] == list(range(1, len(told) + 1))
    assert lines(well(two.first, "changes", "--after", 5, "--limit", 3)) == told[5:8]
    assert well(two.first, "changes", "--after", len(told)) == b""


def test_a_line_never_changes(two: Two) -> None:
    """Lines that were written once are written again in the same bytes, also where a later capture replaced a
    claim."""
    now = well(two.first, "changes")
    assert now.startswith(two.told) and len(now) > len(two.told)
    of_one = [
        change for change in lines(now) if change["post_id"] == two.retagged and change["source"] == "en"
    ]
    assert [change["kind"] for change in of_one] == ["created", "metadata"]
    before, after = (change["modified_at"] for change in of_one)
    assert before != after and of_one[1]["details"]["modified_at"] == [before, after]


def test_older_history_moves_no_line(two: Two, tmp_path: Path) -> None:
    """An import adds a version before the first. The versions get new numbers, the feed's lines stay, and the
    new line has the right place."""
    shutil.copytree(two.first, tmp_path / "copy")
    before = well(tmp_path / "copy", "changes")
    last = len(lines(before))
    with closing(sqlite3.connect(tmp_path / "copy" / "archive.db")) as conn:
        (article,) = conn.execute(
            "select article_id from articles where edition = 'en' and post_id = ?", (two.edited,)
        ).fetchone()
        conn.execute("update versions set number = number + 10 where article_id = ?", (article,))
        conn.execute("update versions set number = number - 9 where article_id = ?", (article,))
        # The others follow from these
        stored = ", ".join(row[1] for row in conn.execute("pragma table_info(versions)"))
        conn.execute(
            f"create temp table older as select {stored} from versions where article_id = ? and number = 2",
            (article,),
        )
        conn.execute(
            "update older set version_id = 9999, number = 1, title = 'Older', first_captured_at = "
            "'2016-01-01T00:00:00Z'"
        )
        conn.execute(f"insert into versions ({stored}) select * from older")
        conn.execute(
            "insert into changes (seq, epoch, article_id, version_id, kind, said_at, learnt_at) values (?, "
            "1, ?, 9999, 'backfilled', ?, ?)",
            (last + 1, article, "2016-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
        )
        conn.commit()
    after = well(tmp_path / "copy", "changes")
    assert after.startswith(before)
    told = lines(after)[-1]
    assert [told[name] for name in ("kind", "title", "number", "state")] == ["backfilled", "Older", 1, "live"]
    assert told["citation"] == f"sohr:en:{two.edited}@2016-01-01T00:00:00Z"


def test_changes_say_what_happened(two: Two) -> None:
    """A silent edit of a figure, an edit of a title, a post that is gone."""
    later = lines(well(two.first, "changes", "--after", 2 * POSTS))
    told = {change["post_id"]: change for change in later}
    silent, title, gone = told[two.edited], told[two.title], told[two.gone]
    assert (silent["kind"], silent["severity"], silent["stealth"], silent["number"], silent["state"]) == (
        "updated",
        3,
        True,
        2,
        "live",
    )
    assert "figures" in silent["classes"] and silent["figures"]
    assert (title["kind"], title["stealth"]) == ("updated", False) and "title" in title["classes"]
    assert (gone["kind"], gone["state"], gone["number"]) == ("missing", "missing", 1)
    assert (
        silent["citation"].startswith(f"sohr:en:{two.edited}@")
        and silent["previous"] == told_first(two, two.edited)["citation"]
    )


def told_first(two: Two, post_id: int) -> Record:
    """The first change of an English post."""
    return next(
        change for change in lines(two.told) if change["source"] == "en" and change["post_id"] == post_id
    )


def test_replaying_the_feed_gives_the_present_state(two: Two) -> None:
    """The last line of each article is what `latest_versions` holds."""
    present = {(change["source"], change["key"]): change for change in lines(well(two.first, "changes"))}
    with closing(open_readonly(two.first)) as conn:
        rows = conn.execute("select * from latest_versions").fetchall()
    names = (
        "state",
        "number",
        "title",
        "text",
        "published_at",
        "modified_at",
        "author",
        "language",
        "text_sha256",
        "url",
    )
    assert {key: [c[n] for n in names] for key, c in present.items() if c["number"]} == {
        (r["source"], r["key"]): [r[n] for n in names] for r in rows
    }
    textless = {change["state"] for change in present.values() if not change["number"]}
    assert textless == {"protected", "empty"}


def test_no_record_is_broken_by_a_line_end_of_unicode() -> None:
    """JSON lets three of them stand within a string; readers that split by them must not see them."""
    line = json_line({"title": "a\u2028b\u2029c\x85d\x0be"})
    assert line.decode().splitlines() == [line.decode().rstrip("\n")] and json.loads(line) == {
        "title": "a\u2028b\u2029c\x85d\x0be"
    }
