"""Tables, search and stored queries in Datasette, on whatever version of it is installed."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from datasette import hookspecs
from datasette.app import Datasette
from datasette.database import Database as DatasetteDatabase
from sqlite_utils import Database

from archive.browse.queries import QUERIES
from archive.store.descriptions import TABLES
from tests.invented_rows import rows_of, text_of
from tests.page import Page, words
from tests.reading import start

pytestmark = pytest.mark.pages  # on the newest alpha of Datasette 1.0 too


@pytest.fixture(scope="module")
async def ds(invented: Path) -> Datasette:
    """Datasette with the archive, and nothing else said to it."""
    return await start(invented)


# -- words ---------------------------------------------------------------------------------------------------


def test_every_table_view_and_column_is_described(invented: Path) -> None:
    """Nothing in an archive is left to guessing, and nothing is described that is not there."""
    db = Database(invented)
    shadows = re.compile(r"search_|sqlite_")  # the search's own storage, SQLite's own tables
    names = [name for name in db.table_names() + db.view_names() if not shadows.match(name)]
    found = {
        name: [row[1] for row in db.execute(f"pragma table_xinfo([{name}])") if row[6] != 1] for name in names
    }
    assert {name: sorted(table.columns) for name, table in TABLES.items()} == {
        name: sorted(columns) for name, columns in found.items()
    }


def test_descriptions_are_sentences() -> None:
    """A description ends like a sentence and does not repeat a name."""
    said = [text for table in TABLES.values() for text in (table.description, *table.columns.values())] + [
        query.description for query in QUERIES
    ]
    assert [text for text in said if not text.endswith(".")] == []


def test_listings_name_columns_that_exist() -> None:
    """Facets, labels and orders are by columns of the table."""
    for table in TABLES.values():
        listed = table.listing(has_facets=True)
        facets = [
            facet if isinstance(facet, str) else next(iter(facet.values()))
            for facet in listed.get("facets", ())
        ]
        named = [listed[key] for key in ("label_column", "sort_desc", "fts_pk") if key in listed]
        assert {*facets, *named} <= set(table.columns), table.title
        assert "facets" not in table.listing(has_facets=False)


async def test_tables_show_their_words(ds: Datasette) -> None:
    """A reader of a table sees what it is, and what each column is."""
    page = await text_of(ds, "/archive/latest_versions")
    assert "Articles as last read" in page
    assert "Edition of the site: en (English)" in page
    assert "SOHR archive" in await text_of(ds, "/archive")


@pytest.mark.parametrize("name", list(TABLES))
async def test_every_table_opens(ds: Datasette, name: str) -> None:
    """Each table and view can be listed, with its facets and in its order."""
    page = await text_of(ds, f"/archive/{name}")
    assert TABLES[name].title in page


async def test_internals_are_hidden(ds: Datasette) -> None:
    """The list of tables has what people read."""
    tables = {
        table["name"]: table["hidden"] for table in (await ds.client.get("/archive.json")).json()["tables"]
    }
    assert {name for name, hidden in tables.items() if hidden} >= {
        "parts",
        "search",
        "promotions",
        "search_docsize",
    }
    assert not tables["articles"]


async def test_newest_first_with_facets(ds: Datasette) -> None:
    """A listing begins with what is new, and offers the facets that were chosen for it."""
    assert [row["seq"] for row in await rows_of(ds, "/archive/changes.json")] == [3, 2, 1]
    assert [row["post_id"] for row in await rows_of(ds, "/archive/latest_versions.json")] == [
        332300,
        332400,
        700001,
        332481,
    ]
    page = await text_of(ds, "/archive/articles")
    assert 'data-column="edition"' in page
    assert 'data-column="state"' in page


async def test_what_people_use_stands_first(ds: Datasette) -> None:
    """The page of the database has the views first, then the raw tables, each with its sentence."""
    page = Page(await text_of(ds, "/archive"))
    views, tables = page.tree.css(".sohr-tables dl")
    assert words(views).startswith(
        "Articles as last read latest_versions The newest version of every article."
    )
    assert "Every address that led to an article." in words(tables)
    assert page.link("Edits") == "/archive/edits"
    assert page.text.index("What people use") < page.text.index("Raw tables")


async def test_long_texts_are_cut(ds: Datasette, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table or a row shows the beginning of a long text, with a link to all of it."""
    monkeypatch.setattr("archive.browse._LONGEST", 12)
    for address in ("/archive/versions", "/archive/versions/10"):
        page = Page(await text_of(ds, address))
        assert "Three people… all 47 characters" in page.text
        whole = (await ds.client.get(page.link("all 47 characters"))).json()
        assert "Three people were k-illed.\nDetails" in whole["rows"][0]["text"]
    page = Page(await text_of(ds, "/archive/latest_versions"))
    assert page.link("all 47 characters") == "/-/sohr/en/332481"


async def test_articles_are_named_by_their_path(ds: Datasette) -> None:
    """A row that points at an article shows its path, decoded."""
    assert ">خبر/700001</a>" in await text_of(ds, "/archive/captures")


async def test_post_ids_lead_to_the_reading_page(ds: Datasette) -> None:
    """From any table or query with edition and post id it is one step to the text."""
    link = '<a href="/-/sohr/en/332481">332481</a>'
    assert link in await text_of(ds, "/archive/latest_versions")
    assert link in await text_of(ds, "/archive/silently_changed")


# -- search and queries --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("killed", [332481]),
        ("K-ILLED", [332481]),
        ("ادلب", [700001]),
        ("الأشخاص", [700001]),
        ('"people were"', [332481]),
        ("nowhere", []),
        ("", []),
    ],
)
@pytest.mark.parametrize(
    "page",
    [
        "/archive/latest_versions.json?_search={}",
        "/archive/articles.json?_search={}",
        "/archive/search_both.json?q={}",
    ],
)
async def test_search_folds_what_is_asked(ds: Datasette, page: str, asked: str, found: list[int]) -> None:
    """Vowel signs, forms of letters, the article and marks inside words do not stand between a reader and a
    post."""
    rows = await rows_of(ds, page.format(asked))
    if asked or "search_both" in page:
        assert [row["post_id"] for row in rows] == found
    else:
        assert len(rows) >= 4  # an empty box is no search


async def test_a_raw_search_is_left_as_it_is(ds: Datasette) -> None:
    """Who writes the search's own language keeps its operators."""
    found = await rows_of(ds, "/archive/latest_versions.json?_searchmode=raw&_search=killed+OR+away")
    assert {row["post_id"] for row in found} == {332481, 332400}


async def test_search_shows_what_was_asked(ds: Datasette) -> None:
    """The search box keeps the reader's own words."""
    assert "search matches &#34;K-ILLED&#34;" in (
        await text_of(ds, "/archive/latest_versions?_search=K-ILLED")
    ).replace("&quot;", "&#34;")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("newest_versions", [332300, 332400, 700001, 332481, 332481]),
        ("figures_changed", [332481]),
        ("silently_changed", [332481]),
        ("posts_a_day", [None]),
    ],
)
async def test_stored_queries(ds: Datasette, query: str, found: list[int | None]) -> None:
    """Each stored query answers, and says what it answers."""
    assert [row.get("post_id") for row in await rows_of(ds, f"/archive/{query}.json")] == found
    title, description = next((q.title, q.description) for q in QUERIES if q.name == query)
    page = await text_of(ds, f"/archive/{query}")
    assert title in page
    assert description[:60] in page


async def test_stored_queries_are_listed(ds: Datasette) -> None:
    """A reader of the archive finds the questions."""
    page = await text_of(ds, "/archive" if hasattr(hookspecs, "canned_queries") else "/archive/-/queries")
    assert [query.name for query in QUERIES if f"/archive/{query.name}" not in page] == []


# -- other databases -----------------------------------------------------------------------------------------


async def test_the_owners_words_stand(invented: Path) -> None:
    """What the owner of a Datasette says about tables is not overwritten."""
    said = {"title": "Posts", "sort": "seq", "columns": {"kind": "My own words."}}
    ds = await start(
        invented, metadata={"databases": {"archive": {"title": "Mine", "tables": {"changes": said}}}}
    )
    assert [row["seq"] for row in await rows_of(ds, "/archive/changes.json")] == [1, 2, 3]
    page = await text_of(ds, "/archive/changes")
    assert "Posts" in page
    assert "My own words." in page
    assert "Mine" in await text_of(ds, "/archive")


async def test_another_database_is_left_alone(tmp_path: Path, invented: Path) -> None:
    """The plugin does nothing to databases that are not archives, also where these have tables of the same
    names."""
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as conn:
        conn.executescript(
            "create table versions (title text, text text); create table about (name text); insert into "
            "versions values ('k-illed', 'x');"
            "create table articles (article_id integer, edition text, post_id integer); insert into "
            "articles values (1, 'en', 332481);"
        )
    conn.close()
    ds = await start(other, invented)
    page = await text_of(ds, "/other/articles")
    assert "/-/sohr/en" not in page
    assert "tables.css" not in page
    assert TABLES["articles"].description not in page
    assert "newest_versions" not in await text_of(ds, "/other")
    query = "/other.json" if hasattr(hookspecs, "canned_queries") else "/other/-/query.json"
    assert "no such function: fold" in (await ds.client.get(f"{query}?sql=select+fold('x')")).text
    assert "What the archive has" in await text_of(ds, "/-/sohr/")


async def test_large_archives_are_listed_without_facets(
    invented: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting facets over a million rows takes seconds: who wants one asks for it."""
    monkeypatch.setattr("archive.browse.archives.LARGE", 10)
    ds = await start(invented)
    assert 'data-column="state"' in await text_of(ds, "/archive/articles")  # its heading
    assert "facet-info" not in await text_of(ds, "/archive/articles")
    assert "facet-info" in await text_of(ds, "/archive/articles?_facet=edition")


async def test_an_archive_added_later_is_described(invented: Path) -> None:
    """Who adds an archive to a Datasette that runs finds its words, its order and its questions as if it had
    been there from the start."""
    ds = await start(memory=True)
    assert (await ds.client.get("/")).status_code == 200
    ds.add_database(DatasetteDatabase(ds, path=str(invented)), name="late")
    page = await text_of(ds, "/late/latest_versions")
    assert "Articles as last read" in page
    assert "Edition of the site: en (English)" in page
    assert [row["seq"] for row in await rows_of(ds, "/late/changes.json")] == [3, 2, 1]
    assert "Figures changed" in await text_of(ds, "/late/figures_changed")
    assert "Gunmen k-illed 31" in await text_of(ds, "/-/sohr/")
