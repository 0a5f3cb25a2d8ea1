"""Lists of the reading pages: their counts, their files, and what is called a changed figure. All posts are
invented."""

from __future__ import annotations

import csv
import json
import sqlite3
import xml.etree.ElementTree as ET
from contextlib import closing
from pathlib import Path

import pytest
from datasette.app import Datasette
from datasette.plugins import pm

from archive import browse
from archive.browse.context import link, readable
from tests.browser.making import FIRST, make
from tests.page import Page

if not pm.is_registered(browse):
    pm.register(browse, name="sohr_archive")

pytestmark = pytest.mark.pages  # on the newest alpha of Datasette 1.0 too


async def serve(path: Path) -> Datasette:
    """Datasette with an archive."""
    datasette = Datasette([str(path)])
    await datasette.invoke_startup()
    return datasette


async def open_page(ds: Datasette, address: str) -> Page:
    """A reading page."""
    return Page((await ds.client.get(f"/-/sohr/{address}")).text)


async def test_missing_posts_as_files(tmp_path: Path) -> None:
    """CSV, JSON Lines and Atom hold the posts that the page of missing posts shows."""
    ds = await serve(make(tmp_path))
    page = await open_page(ds, "missing?state=missing")
    [line] = (await ds.client.get(page.link("JSON Lines"))).text.splitlines()
    gone = json.loads(line)
    assert (gone["key"], gone["state"]) == ("332400", "missing") and gone["citation"].endswith(FIRST)
    [row] = csv.DictReader((await ds.client.get(page.link("CSV"))).text.splitlines())
    assert row["missing_since"] == gone["missing_since"]
    feed = ET.fromstring((await ds.client.get(page.link("Atom"))).text)  # noqa: S314  # our own
    titles = [entry.findtext("{*}title") for entry in feed.iter("{http://www.w3.org/2005/Atom}entry")]
    assert titles == [gone["title"]]
    assert (await ds.client.get("/-/sohr/missing.jsonl?state=moved")).text == ""


async def test_changes_are_counted_with_the_filters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The heading counts the changes that match; above a bound it says so."""
    ds = await serve(make(tmp_path))
    for address, heading in (
        ("changes", "3 changes"),
        ("changes?view=all", "8 changes"),
        ("changes?severity=3&edition=ar", "1 change"),
        ("changes?kind=moved", "No changes"),
    ):
        assert (await open_page(ds, address)).tree.css_first(".count h2").text() == heading
    monkeypatch.setattr("archive.browse.changes.COUNTED", 2)
    assert (await open_page(ds, "changes")).tree.css_first(".count h2").text() == "More than 2 changes"


async def test_the_exact_switch_is_always_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever other words the first page shows, and however many posts there are: counting needs it."""
    ds = await serve(make(tmp_path))
    page = await open_page(ds, "search?q=civilians")
    assert "Also found" not in page.text and "exact=1" in page.link("Exactly as typed: 3 posts")
    assert "Exactly as typed" not in (await open_page(ds, "search?q=332481%20market")).text
    monkeypatch.setattr("archive.read.find.RANKED", 2)
    assert "Exactly as typed: more than" in (await open_page(ds, "search?q=civilians")).text


def test_addresses_are_readable() -> None:
    """Arabic letters stand instead of their codes, in what is shown alone; other codes stay."""
    address = "https://site.example/%D8%AE%D8%A8%D8%B1/%E2%80%AEx/%2F%D8/"
    assert readable(address) == "https://site.example/خبر/%E2%80%AEx/%2F%D8/"
    assert f'href="{address}"' in link(address) and ">https://site.example/خبر/" in link(address)


async def test_only_changed_figures_are_called_so(tmp_path: Path) -> None:
    """An edit of the words around a figure is no changed figure: not in the search, not among the next ones,
    not in the stored query."""
    path = make(tmp_path)
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("drop trigger changes_not_updated")
        conn.execute("update changes set figures = '[]', classes = '[\"rewording\"]' where seq = 6")
    ds = await serve(path)
    hits = (await open_page(ds, "search?q=Mayadin&severity=3")).tree.css(".hits > li")
    assert len(hits) == 1 and "Figure changed" not in hits[0].text()
    assert "Next changed figure" not in (await open_page(ds, "ar/700001/diff/1/2")).text
    stored = (await ds.client.get("/archive/figures_changed.json?_shape=array")).json()
    assert [row["post_id"] for row in stored] == [700001]
