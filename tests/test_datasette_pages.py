"""The reading pages in Datasette, on whatever version of it is installed."""

from __future__ import annotations

import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from datasette.app import Datasette

from archive.browse.blocks import blocks
from tests.invented_rows import AFTER, SITE, text_of
from tests.page import Page, words
from tests.reading import start

pytestmark = pytest.mark.pages  # on the newest alpha of Datasette 1.0 too


@pytest.fixture(scope="module")
async def ds(invented: Path) -> Datasette:
    """Datasette with the archive, and nothing else said to it."""
    return await start(invented)


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


async def test_links_keep_the_base_url(invented: Path) -> None:
    """Behind a path of a larger site, links stay inside it."""
    ds = await start(invented, settings={"base_url": "/sohr-data/"})
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


@pytest.mark.parametrize("rule", ["database", "table"])
async def test_permissions_hold_on_reading_pages(invented: Path, rule: str) -> None:
    """A user who may not see a table does not see its rows on a reading page."""
    closed = {"allow": False} if rule == "database" else {"tables": {"versions": {"allow": False}}}
    ds = await start(invented, metadata={"databases": {"archive": closed}})
    for address in ("/-/sohr/", "/-/sohr/en/332481"):
        await text_of(ds, address, status=403)


async def test_no_archive_no_pages(tmp_path: Path) -> None:
    """Without an archive there is nothing to read, and no link to it."""
    other = tmp_path / "other.db"
    sqlite3.connect(other).close()
    ds = await start(other)
    await text_of(ds, "/-/sohr/", status=404)
    assert "Read the archive" not in await text_of(ds, "/")


async def test_two_archives(invented: Path, tmp_path: Path) -> None:
    """Of two archives each keeps its own pages."""
    second = tmp_path / "second.db"
    shutil.copyfile(invented, second)
    with sqlite3.connect(second) as conn:
        conn.execute("update versions set title = 'From the second' where version_id = 30")
    conn.close()
    ds = await start(invented, second)
    assert "/-/sohr/en/332400?archive=second" in await text_of(ds, "/second/latest_versions")
    assert "From the second" in await text_of(ds, "/-/sohr/en/332400?archive=second")
    assert "From the second" not in await text_of(ds, "/-/sohr/en/332400")


async def test_the_front_door(invented: Path) -> None:
    """With an archive as the only database, ``/`` is its front page and leads to Datasette's own home."""
    ds = await start(invented)
    front = Page((await ds.client.get("/")).text)
    assert front.text == Page((await ds.client.get("/-/sohr/")).text).text
    home = Page((await ds.client.get(front.link("Datasette"))).text)
    assert home.role("link", "archive")
    assert front.link("Tables") == "/archive"
