"""A change that proved wrong is taken back: what people read leaves both out, the feed keeps both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from datasette.app import Datasette

from archive import Archive as Reader
from archive.store.rows import open_store
from tests.archiving import Archive, capture, dump, well
from tests.crawling import rows

FIRST, SECOND, LATER = "2026-01-02T10:00:00Z", "2026-01-03T10:00:00Z", "2026-01-04T10:00:00Z"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An archive of a post whose second version, a wall before the page, was retracted."""
    folder = tmp_path / "a"
    with Archive(folder) as archive:
        archive.take(
            capture(1, FIRST, "Three people were killed."), capture(1, SECOND, "Please log in to read this.")
        )
    store = open_store(folder)
    with store.transaction():
        article = store.one("select article_id from articles")
        assert article is not None
        store.changes.add(article[0], "retracted", LATER, LATER, retracts=2)
    store.close()
    return folder


def test_what_people_read_leaves_out_a_retracted_version(folder: Path) -> None:
    """Views, search, exports and the Python API; each has a way to see it all the same."""
    assert rows(folder, "select number, text from latest_versions") == [(1, "Three people were killed.")]
    assert rows(folder, "select count(*) from version_history") == [(1,)]
    assert rows(folder, "select count(*) from edits") == [(0,)]
    assert rows(folder, "select kind from valid_changes") == [("created",)]
    assert b"log in" not in well(folder, "export", "--versions", "all")
    records = [json.loads(line) for line in well(folder, "export", "--retracted").splitlines()]
    assert [(record["number"], record["is_retracted"]) for record in records] == [(1, False), (2, True)]
    assert b"log in" not in well(folder, "export", "--content")
    with Reader.open(folder) as archive:
        [article] = archive.articles()
        assert [version.number for version in article.versions] == [1]
        assert article.latest == article.version(1) and article.version(2).is_retracted
        assert archive.resolve(f"sohr:en:1@{SECOND}").number == 2
        assert [hit.version.number for hit in archive.search("killed")] == [1]
        assert list(archive.search("log")) == []


def test_the_feed_reports_a_retraction(folder: Path) -> None:
    """With the change it takes back, and the text that holds again."""
    created, updated, retracted = (json.loads(line) for line in well(folder, "changes").splitlines())
    assert (updated["kind"], retracted["kind"], retracted["retracts"]) == ("updated", "retracted", 2)
    assert retracted["citation"] == created["citation"] and retracted["text"] == created["text"]
    assert created["retracts"] is None and retracted["state"] == "live"


def test_what_comes_after_a_retraction_is_compared_with_what_holds(folder: Path) -> None:
    """The text from before the wall is not an edit."""
    with Archive(folder) as archive:
        [outcome] = archive.take(capture(1, "2026-01-05T10:00:00Z", "Three people were killed."))
    assert outcome.word == "unchanged"
    assert len(dump(folder)["versions"]) == 2


def test_a_change_says_when_a_text_came_back(tmp_path: Path) -> None:
    """A-B-A is three versions, and the third names the first, in feed and export."""
    with Archive(tmp_path / "a") as archive:
        archive.take(capture(1, FIRST, "A."), capture(1, SECOND, "B."), capture(1, LATER, "A."))
    changes = [json.loads(line) for line in well(tmp_path / "a", "changes").splitlines()]
    records = [json.loads(line) for line in well(tmp_path / "a", "export").splitlines()]
    for lines in (changes, records):
        assert [line["same_as_version"] for line in lines] == [None, None, 1]
        assert [line["stale_copy"] for line in lines] == [False] * 3


def test_terms_and_links_are_those_of_the_text_that_holds(tmp_path: Path) -> None:
    """A wall with links of its own stood before three posts: once it is taken back, its links are too."""
    wall = "Our readers pay for this. " * 10 + '<a href="https://example.org/subscribe">Subscribe</a>'
    with Archive(tmp_path / "a") as archive:
        for post_id in (1, 2, 3):
            told = f'Text {post_id}, as <a href="https://example.org/{post_id}">told</a>.'
            archive.take(capture(post_id, FIRST, told), capture(post_id, SECOND, wall))
    assert rows(tmp_path / "a", "select count(*) from changes where kind = 'retracted'") == [(2,)]
    sql = "select post_id, links.url from links join articles using (article_id) order by 1"
    assert rows(tmp_path / "a", sql) == [(n, f"https://example.org/{n}") for n in (1, 2, 3)]


@pytest.mark.pages
async def test_pages_show_that_a_change_was_withdrawn(folder: Path) -> None:
    """The article shows the text that holds; the list of changes leaves both out unless it shows all."""
    client = Datasette([str(folder / "archive.db")]).client
    article = (await client.get("/-/sohr/en/1")).text
    assert "Three people were killed." in article and "Please log in" not in article
    assert "withdrawn later" in article
    for address, shown in (("changes", False), ("changes?view=all", True), ("changes?kind=retracted", True)):
        assert ("Earlier change withdrawn" in (await client.get(f"/-/sohr/{address}")).text) is shown


def test_retracted_versions_are_found_by_the_few_retractions(folder: Path) -> None:
    """Not by going through all changes: exports ask once an article."""
    plan = [row[3] for row in rows(folder, "explain query plan select version_id from retracted_versions")]
    assert plan[0].startswith("SEARCH r ") and "PRIMARY KEY" in plan[1]
