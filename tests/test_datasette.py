"""What a reader of an archive meets in Datasette, on whatever version of it is installed. All rows are
invented."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from datasette import hookspecs
from datasette.app import Datasette
from datasette.database import Database as DatasetteDatabase
from sqlite_utils import Database

from archive.browse.blocks import blocks
from archive.browse.queries import QUERIES
from archive.sites.sohr.hidden_words import HIDDEN
from archive.store.descriptions import TABLES
from archive.store.schema import create_schema
from archive.text.fold import fold
from tests.page import Page, words
from tests.reading import start

pytestmark = pytest.mark.pages  # on the newest alpha of Datasette 1.0 too
SITE = "https://www.syriahr.example/"
SHA = "0" * 64
BEFORE, AFTER = "2025-03-01T10:00:00Z", "2025-03-03T08:00:00Z"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small archive: an English post in two versions, an Arabic one, one that is gone, one that is hostile,
    one that was only sighted."""
    path = tmp_path_factory.mktemp("browse") / "archive.db"
    db = Database(path)
    create_schema(db.conn)
    db.table("about").insert_all(
        [
            {"key": "site", "value": "syriahr.example"},
            {"key": "home", "value": SITE},
            {"key": "epoch", "value": "1"},
        ]
    )
    counters = {"requests": 9, "new": 4, "changed": 1, "unchanged": 0, "gone": 1, "failed": 0}
    db.table("crawls").insert(
        {
            "crawl_id": 1,
            "name": "crawl-1",
            "kind": "crawl",
            "started_at": BEFORE,
            "finished_at": BEFORE,
            "finish_reason": "finished",
            "exit_status": 0,
            "verdict": "healthy",
            "counters": json.dumps(counters),
        }
    )
    db.table("warc_files").insert(
        {"warc_file_id": 1, "serial": 1, "name": "syriahr-2025-03-01-000001.warc.gz", "opened_at": BEFORE}
    )
    add(
        db,
        1,
        "en",
        332481,
        "Gunmen k-illed 3 in Deir Ezzor",
        ("Three people were k-illed.", "Details", "first", "second"),
        state="live",
        number=2,
    )
    add(
        db,
        2,
        "ar",
        700001,
        "مقتل 3 أشخاص في إدلب",
        ("وثّق المرصد مقتل ثلاثة أشخاص في مدينة إدلب.",),
        state="live",
    )
    add(
        db,
        3,
        "en",
        332400,
        "A post that went away",
        ("It was here.",),
        state="disappeared",
        missing_since=AFTER,
        missing_looks=3,
        url="http://[not/an/address",
    )
    add(db, 4, "en", 332300, HOSTILE, (HOSTILE,), state="live", url="javascript:alert(3)", author=HOSTILE)
    db.table("articles").insert(
        {
            "article_id": 5,
            "source": "en",
            "key": "332200",
            "edition": "en",
            "post_id": 332200,
            "url": f"{SITE}en/332200/",
            "day": "2025-03-01",
            "first_sighted_at": BEFORE,
        }
    )
    for change in (
        {
            "seq": 1,
            "epoch": 1,
            "article_id": 1,
            "version_id": 10,
            "kind": "created",
            "said_at": BEFORE,
            "learnt_at": BEFORE,
        },
        {
            "seq": 2,
            "epoch": 1,
            "article_id": 1,
            "version_id": 11,
            "previous_version_id": 10,
            "kind": "updated",
            "severity": 3,
            "classes": '["figures"]',
            "figures": '[["3", "31"]]',
            "stealth": 1,
            "said_at": AFTER,
            "learnt_at": AFTER,
        },
        {"seq": 3, "epoch": 1, "article_id": 3, "kind": "disappeared", "said_at": AFTER, "learnt_at": AFTER},
    ):
        db.table("changes").insert(change)
    db.close()
    return path


def add(
    db: Database,
    article_id: int,
    edition: str,
    post_id: int,
    title: str,
    lines: tuple[str, ...],
    number: int = 1,
    **more: Any,
) -> None:
    """An article with one version, or two that differ in a figure."""
    url = more.pop(
        "url", f"{SITE}en/{post_id}/" if edition == "en" else f"{SITE}%D8%AE%D8%A8%D8%B1/{post_id}/"
    )
    author = more.pop("author", "SOHR Desk")
    db.table("articles").insert(
        {
            "article_id": article_id,
            "source": edition,
            "key": str(post_id),
            "edition": edition,
            "post_id": post_id,
            "url": url,
            "day": "2025-03-01",
            "first_sighted_at": BEFORE,
            "first_captured_at": BEFORE,
            "last_captured_at": AFTER,
            "versions": number,
            **more,
        }
    )
    db.table("captures").insert(
        {
            "capture_id": article_id,
            "crawl_id": 1,
            "article_id": article_id,
            "url": url,
            "status": 200,
            "captured_at": BEFORE,
            "recorded_at": BEFORE,
            "channel": "article",
            "outcome": "new",
            "payload_sha256": SHA,
            "size": 100,
            "warc_file_id": 1,
            "offset": article_id * 100,
            "length": 100,
            "record_id": f"<urn:{article_id}>",
        }
    )
    kinds = (
        ["paragraph", ["heading", 3], ["list", 1], ["list", 1]]
        if len(lines) == 4
        else ["paragraph"] * len(lines)
    )
    said = title
    for n in range(1, number + 1):
        said = title.replace(" 3 ", " 31 ") if n == 2 else title
        db.table("versions").insert(
            {
                "version_id": article_id * 10 + n - 1,
                "article_id": article_id,
                "number": n,
                "title": said,
                "text": "\n".join(lines),
                "lines": json.dumps(kinds),
                "text_digest": bytes.fromhex(SHA),
                "same_digest": bytes.fromhex(SHA),
                "published_at": f"2025-03-01T0{article_id}:00:00Z",
                "author": author,
                "layout": "publisher",
                "extractor": "1",
                "first_capture_id": article_id,
                "last_capture_id": article_id,
                "first_captured_at": BEFORE if n == 1 else AFTER,
                "last_captured_at": AFTER,
                "categories": '["Syria News"]',
            }
        )
    newest = article_id * 10 + number - 1
    db.table("articles").update(article_id, {"newest_version_id": newest})
    db.execute(
        "insert into search (rowid, title, text) values (?, ?, ?)",
        (article_id, fold(said, HIDDEN), fold("\n".join(lines), HIDDEN)),
    )
    db.table("aliases").insert({"url": url, "article_id": article_id, "first_seen_at": BEFORE})


@pytest.fixture(scope="module")
async def ds(path: Path) -> Datasette:
    """Datasette with the archive, and nothing else said to it."""
    return await start(path)


async def text_of(ds: Datasette, path: str, status: int = 200) -> str:
    """The body of a page."""
    response = await ds.client.get(path, follow_redirects=True)
    assert response.status_code == status, response.text[:2000]
    return str(response.text)


async def rows_of(ds: Datasette, path: str) -> list[dict[str, Any]]:
    """The rows of a page, asked as JSON."""
    response = await ds.client.get(path + ("&" if "?" in path else "?") + "_shape=objects")
    assert response.status_code == 200, response.text[:2000]
    rows: list[dict[str, Any]] = response.json()["rows"]
    return rows


# -- words ---------------------------------------------------------------------------------------------------


def test_every_table_view_and_column_is_described(path: Path) -> None:
    """Nothing in an archive is left to guessing, and nothing is described that is not there."""
    db = Database(path)
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


# -- reading pages -------------------------------------------------------------------------------------------


async def test_front_page(ds: Datasette) -> None:
    """The front page shows what is archived, what is new and what changed."""
    page = Page(await text_of(ds, "/-/sohr/"))
    assert ["English", "3", "1", "4", "1"] in page.rows
    [card] = page.role("item", "was 3 → now 31")
    assert "Silent edit" in words(card)
    assert page.link("Gunmen k-illed 31") == "/-/sohr/en/332481/diff/1/2"
    assert "/-/sohr/en/332481" in page.addresses


async def test_article_page(ds: Datasette) -> None:
    """An article is read in its own shape, with what is needed to cite it."""
    page = await text_of(ds, "/-/sohr/en/332481")
    assert "<h1>Gunmen k-illed 31 in Deir Ezzor</h1>" in page
    assert (
        '<p>Three people were k-illed.</p><h3>Details</h3><ul><li class="d1">first</li><li '
        'class="d1">second</li></ul>' in re.sub(r"\n", "", page)
    )
    assert f"sohr:en:332481@{AFTER}" in page
    assert 'dir="ltr" lang="en"' in page
    assert "<h1>Gunmen k-illed 3 in Deir Ezzor</h1>" in await text_of(ds, "/-/sohr/en/332481?version=1")


async def test_arabic_runs_from_right_to_left(ds: Datasette) -> None:
    """The text of the Arabic edition runs from right to left, the page around it does not."""
    page = await text_of(ds, "/-/sohr/ar/700001")
    assert '<article class="read" dir="rtl" lang="ar">' in page
    assert '<html lang="en" dir="ltr">' in page


@pytest.mark.parametrize(
    "address",
    [
        "/-/sohr/en/1",
        "/-/sohr/en/332481?version=9",
        "/-/sohr/en/332481?version=x",
        "/-/sohr/?archive=no",
        "/-/sohr/fr/1",
    ],
)
async def test_what_is_not_held_is_not_found(ds: Datasette, address: str) -> None:
    """A page that is not there says so."""
    await text_of(ds, address, status=404)


async def test_an_article_without_text(ds: Datasette) -> None:
    """A post that was only sighted has a page all the same, and nothing is made up for it."""
    assert "The archive has no text of this article." in await text_of(ds, "/-/sohr/en/332200")


@pytest.mark.parametrize("address", ["/-/sohr/", "/-/sohr/en/332300"])
async def test_hostile_text_stays_text(ds: Datasette, address: str) -> None:
    """What the site wrote is shown, never run: it is escaped, and the page's policy would stop it."""
    response = await ds.client.get(address)
    assert "&lt;script&gt;alert(1)" in response.text
    ours = '<script src="/-/sohr/keys.js" defer></script>'
    text = response.text.replace(ours, "", 1)
    assert not re.search(r"<script|<img|<[^>]* on\w+=|href=\"javascript:", text)
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy


async def test_hostile_text_in_tables(ds: Datasette) -> None:
    """Tables and queries show it as text too."""
    for page in (
        "latest_versions",
        "versions",
        "articles",
        "captures",
        "aliases",
        "newest_versions",
        "search_both?q=alert",
    ):
        assert "<script>alert(1)" not in await text_of(ds, f"/archive/{page}")
        assert 'href="javascript:' not in await text_of(ds, f"/archive/{page}")


@pytest.mark.parametrize("name", ["pages.css", "tables.css", "keys.js"])
async def test_styles_and_script_come_from_here(ds: Datasette, name: str) -> None:
    """The pages ask nobody else for anything."""
    response = await ds.client.get(f"/-/sohr/{name}")
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    assert response.headers["content-type"].startswith(kind)
    assert "url(" not in response.text


async def test_links_keep_the_base_url(path: Path) -> None:
    """Behind a path of a larger site, links stay inside it."""
    ds = await start(path, settings={"base_url": "/sohr-data/"})
    page = await text_of(ds, "/-/sohr/")
    assert set(re.findall(r'(?:href|action)="(/[^"]{0,9})', page)) == {"/sohr-data"}


async def test_pages_name_the_site(ds: Datasette) -> None:
    """A reader sees whose words these are."""
    assert f'<a href="{SITE}" rel="noreferrer" dir="ltr">{SITE}</a>' in await text_of(ds, "/-/sohr/")
    assert f'href="{SITE}"' in await text_of(ds, "/archive")


async def test_an_address_that_is_none(ds: Datasette) -> None:
    """A damaged address is shown as it is."""
    assert "http://[not/an/address" in await text_of(ds, "/-/sohr/en/332400")
    assert "http://[not/an/address" in await text_of(ds, "/archive/captures")


def test_text_whose_kinds_do_not_fit() -> None:
    """A text is shown whole, even where the kinds of its lines are damaged."""
    assert [block.kind for block in blocks("a\nb", '["list"]')] == ["paragraph", "paragraph"]
    assert [block.kind for block in blocks("a\nb", "no json")] == ["paragraph", "paragraph"]
    assert blocks("a\tb\nc\td", '["row", "row"]')[0].rows == [["a", "b"], ["c", "d"]]
    assert blocks("", "[]") == []


# -- manners -------------------------------------------------------------------------------------------------


async def test_the_owners_words_stand(path: Path) -> None:
    """What the owner of a Datasette says about tables is not overwritten."""
    said = {"title": "Posts", "sort": "seq", "columns": {"kind": "My own words."}}
    ds = await start(
        path, metadata={"databases": {"archive": {"title": "Mine", "tables": {"changes": said}}}}
    )
    assert [row["seq"] for row in await rows_of(ds, "/archive/changes.json")] == [1, 2, 3]
    page = await text_of(ds, "/archive/changes")
    assert "Posts" in page
    assert "My own words." in page
    assert "Mine" in await text_of(ds, "/archive")


@pytest.mark.parametrize("rule", ["database", "table"])
async def test_permissions_hold_on_reading_pages(path: Path, rule: str) -> None:
    """A user who may not see a table does not see its rows on a reading page."""
    closed = {"allow": False} if rule == "database" else {"tables": {"versions": {"allow": False}}}
    ds = await start(path, metadata={"databases": {"archive": closed}})
    for address in ("/-/sohr/", "/-/sohr/en/332481"):
        await text_of(ds, address, status=403)


async def test_another_database_is_left_alone(tmp_path: Path, path: Path) -> None:
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
    ds = await start(other, path)
    page = await text_of(ds, "/other/articles")
    assert "/-/sohr/en" not in page
    assert "tables.css" not in page
    assert TABLES["articles"].description not in page
    assert "newest_versions" not in await text_of(ds, "/other")
    query = "/other.json" if hasattr(hookspecs, "canned_queries") else "/other/-/query.json"
    assert "no such function: fold" in (await ds.client.get(f"{query}?sql=select+fold('x')")).text
    assert "What the archive has" in await text_of(ds, "/-/sohr/")


async def test_no_archive_no_pages(tmp_path: Path) -> None:
    """Without an archive there is nothing to read, and no link to it."""
    other = tmp_path / "other.db"
    sqlite3.connect(other).close()
    ds = await start(other)
    await text_of(ds, "/-/sohr/", status=404)
    assert "Read the archive" not in await text_of(ds, "/")


async def test_two_archives(path: Path, tmp_path: Path) -> None:
    """Of two archives each keeps its own pages."""
    second = tmp_path / "second.db"
    shutil.copyfile(path, second)
    with sqlite3.connect(second) as conn:
        conn.execute("update versions set title = 'From the second' where version_id = 30")
    conn.close()
    ds = await start(path, second)
    assert "/-/sohr/en/332400?archive=second" in await text_of(ds, "/second/latest_versions")
    assert "From the second" in await text_of(ds, "/-/sohr/en/332400?archive=second")
    assert "From the second" not in await text_of(ds, "/-/sohr/en/332400")


async def test_large_archives_are_listed_without_facets(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting facets over a million rows takes seconds: who wants one asks for it."""
    monkeypatch.setattr("archive.browse.archives.LARGE", 10)
    ds = await start(path)
    assert 'data-column="state"' in await text_of(ds, "/archive/articles")  # its heading
    assert "facet-info" not in await text_of(ds, "/archive/articles")
    assert "facet-info" in await text_of(ds, "/archive/articles?_facet=edition")


async def test_an_archive_added_later_is_described(path: Path) -> None:
    """Who adds an archive to a Datasette that runs finds its words, its order and its questions as if it had
    been there from the start."""
    ds = await start(memory=True)
    assert (await ds.client.get("/")).status_code == 200
    ds.add_database(DatasetteDatabase(ds, path=str(path)), name="late")
    page = await text_of(ds, "/late/latest_versions")
    assert "Articles as last read" in page
    assert "Edition of the site: en (English)" in page
    assert [row["seq"] for row in await rows_of(ds, "/late/changes.json")] == [3, 2, 1]
    assert "Figures changed" in await text_of(ds, "/late/figures_changed")
    assert "Gunmen k-illed 31" in await text_of(ds, "/-/sohr/")


async def test_the_front_door(path: Path) -> None:
    """With an archive as the only database, ``/`` is its front page and leads to Datasette's own home."""
    ds = await start(path)
    front = Page((await ds.client.get("/")).text)
    assert front.text == Page((await ds.client.get("/-/sohr/")).text).text
    home = Page((await ds.client.get(front.link("Datasette"))).text)
    assert home.role("link", "archive")
    assert front.link("Tables") == "/archive"
