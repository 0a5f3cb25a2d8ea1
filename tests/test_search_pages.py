"""The search page: what it finds, marks and filters, and its results as files."""

from __future__ import annotations

import csv
import json
import sqlite3
import xml.etree.ElementTree as ET
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from datasette.app import Datasette
from hypothesis import given
from hypothesis import strategies as st

from archive.browse.marks import marked, snippet
from archive.read.find import _runs
from archive.read.search import parse_query, spans
from tests.page import Page
from tests.reading import start, text_of

pytestmark = pytest.mark.pages  # on the newest alpha of Datasette 1.0 too
ATOM = "{http://www.w3.org/2005/Atom}"


def found_in(page: str) -> set[int]:
    """The post ids of the hits on a search page."""
    links = Page(page).role("link", within=".hits h2")
    return {int((link.attributes["href"] or "").split("?")[0].rpartition("/")[2]) for link in links}


@pytest.mark.parametrize(
    ("asked", "found", "mark"),
    [
        ("civilians", {332481, 332300, 332400}, "<mark>civilians</mark>"),
        ("killed", {332481, 332500}, "<mark>k*illed</mark>"),
        ("ISIS", {332500}, "<mark>IS-IS</mark>"),
        ("المرصد", {700001}, "<mark>المرصد</mark>"),
        ("وثق", {700001}, "<mark>وثّق</mark>"),
        ("ادلب", {700001}, "<mark>إدلب</mark>"),
        ('"the blast killed"', {332481}, "<mark>the blast killed</mark>"),
        ("“the blast killed”", {332481}, "<mark>the blast killed</mark>"),
        ("civil*", {332481, 332300, 332400}, "<mark>civilians</mark>"),
        ("blast civilians", {332481}, "<mark>civilians</mark>"),
        ("31", {332481}, "<mark>31</mark>"),
    ],
)
@pytest.mark.parametrize("sort", ["date", "relevance"])
async def test_search_marks_the_original(
    ds: Datasette, asked: str, found: set[int], mark: str, sort: str
) -> None:
    """Folded words find what they mean, and the mark stands around what the site wrote."""
    page = await text_of(ds, f"search?q={quote(asked)}&sort={sort}")
    assert found_in(page) == found
    assert mark in page


@pytest.mark.parametrize(
    "asked",
    [
        '"',
        "*",
        "a AND",
        "NEAR(",
        "title:x",
        "(",
        "x OR",
        "-x",
        "^x",
        "'; drop table articles; --",
        "\x00",
        "%",
        "{}",
        '""',
        "؟",
        "a" * 5000,
    ],
)
@pytest.mark.parametrize("sort", ["date", "relevance"])
async def test_search_survives_anything(ds: Datasette, asked: str, sort: str) -> None:
    """Nothing a reader types is FTS5's own language."""
    await text_of(ds, f"search?q={quote(asked)}&sort={sort}")


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ("edition=ar", {700001}),
        ("edited=yes", {332481, 700001}),
        ("edited=silently", {332481}),
        ("state=missing", {332400}),
        ("category=News", {332481, 700001, 332500, 332300, 332400}),
        ("category=Nothing", set()),
        ("since=2025-03-02", set()),
        ("since=2025-03&until=2025-03&edition=en&state=live", {332481, 332500, 332300}),
        ("since=nonsense&edition=fr&state=x&page=x", {332481, 700001, 332500, 332300, 332400}),
        ("q=civilians&state=missing", {332400}),
        ("q=civilians&edited=silently&sort=relevance", {332481}),
        ("page=2", set()),
    ],
)
async def test_search_filters(ds: Datasette, filters: str, found: set[int]) -> None:
    """Filters narrow down, with and without words; nonsense among them is left out."""
    page = await text_of(ds, f"search?{filters}")
    assert found_in(page) == found


@pytest.mark.parametrize("sort", ["date", "relevance"])
async def test_a_common_word_is_walked(path: Path, monkeypatch: pytest.MonkeyPatch, sort: str) -> None:
    """Of a word in more articles than are looked at, the newest are found all the same, and the page says
    that older ones are not."""
    monkeypatch.setattr("archive.read.find.RANKED", 2)
    monkeypatch.setattr("archive.browse.search.RANKED", 2)
    ds = await start(path)
    page = await text_of(ds, f"search?q=civilians&sort={sort}")
    if sort == "relevance":
        assert "Only about the newest 2 are ranked" in page
        assert found_in(page) == {332300, 332400, 332481}  # of one block, which is ranked whole
    else:
        assert len(found_in(page)) == 3
    assert len(found_in(await text_of(ds, "search?q=civilians&state=live"))) == 2
    monkeypatch.setattr("archive.read.find.WALKED", 2)
    monkeypatch.setattr("archive.browse.search.WALKED", 2)
    assert "Only the newest 2 posts that match the filters were searched" in await text_of(
        ds, "search?q=civilians&state=live"
    )


@given(st.text(max_size=60))
def test_any_search_is_an_expression(asked: str) -> None:
    """What is asked for becomes quoted words, and nothing else."""
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.execute("create virtual table t using fts5(x)")
        if wanted := parse_query(asked).expression():
            conn.execute("select * from t where t match ?", (wanted,)).fetchall()


@given(st.text(max_size=200), st.text(max_size=20))
def test_marks_change_nothing(text: str, asked: str) -> None:
    """Without its marks the text is the text, and marks stand in order."""
    wanted = parse_query(asked).terms
    found = list(spans(text, wanted))
    assert all(a < b for a, b in found)
    assert found == sorted(found)
    assert marked(text, wanted).replace("<mark>", "").replace("</mark>", "") == marked(text, [])
    assert len(snippet(text, wanted).html.unescape().replace("<mark>", "")) <= 3 * len(text) + 40


def test_marks_are_exact() -> None:
    """A word beside another one, in brackets or inside a compound is marked alone; an obfuscated one with its
    marks."""
    assert (
        marked("(killed), Al-Raqqah; k*illed", parse_query("killed raqqah").terms)
        == "(<mark>killed</mark>), Al-<mark>Raqqah</mark>; <mark>k*illed</mark>"
    )
    assert marked("<b>killed</b>", parse_query("killed").terms) == "&lt;b&gt;<mark>killed</mark>&lt;/b&gt;"


def test_runs_are_few() -> None:
    """Neighbours are asked for together."""
    assert _runs([5, 1, 2, 3]) == [(1, 5)]
    assert _runs([1, 1000]) == [(1, 1), (1000, 1000)]
    assert _runs(list(range(0, 100_000, 1000))) == [(0, 99_000)]


async def test_search_results_as_files(ds: Datasette) -> None:
    """CSV, JSON Lines and Atom hold what the page shows."""
    page = Page(await text_of(ds, "search?q=civilians&state=live"))
    found = found_in(page.html)
    rows = csv.DictReader((await ds.client.get(page.link("CSV"))).text.splitlines())
    assert {int(row["key"]) for row in rows} == found
    lines = (await ds.client.get(page.link("JSON Lines"))).text.splitlines()
    assert {int(json.loads(line)["key"]) for line in lines} == found
    feed = ET.fromstring((await ds.client.get(page.link("Atom"))).text)  # noqa: S314  # our own
    assert len(feed.findall(f"{ATOM}entry")) == len(found)
