"""The reading pages over an archive made from WARC records by ingest, with pages that mean harm. All posts
are invented."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from datasette.app import Datasette

from tests.archiving import Archive, capture
from tests.browser.making import FIRST, SECOND
from tests.page import Page
from tests.reading import places, text_of

pytestmark = pytest.mark.pages  # on the newest alpha of Datasette 1.0 too
ATOM = "{http://www.w3.org/2005/Atom}"
ALL = (
    "",
    "search?q=civilians",
    "changes",
    "missing",
    "series",
    "crawls",
    "coverage",
    "en/332481",
    "ar/700001",
    "en/332300",
    "en/332481/diff/1/2",
    "ar/700001/diff/1/2?view=inline",
    "en/332300/diff/1/1",
)


# -- all pages -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ALL)
async def test_pages_run_nothing_and_ask_nobody(ds: Datasette, address: str) -> None:
    """No reading page has a handler, an inline style, anything from another host, or a script but the file of
    keys. Its policy would block all of it."""
    response = await ds.client.get(f"/-/sohr/{address}")
    assert response.status_code == 200
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert not re.search(
        r"<script|<img|<style|<[^>]*\s(?:on\w+|style)=|(?:href|src|action)=\"(?!/|http|#)|src=\"http",
        response.text.replace('<script src="/-/sohr/keys.js" defer></script>', "", 1),
    )


@pytest.mark.parametrize("address", ALL)
async def test_pages_are_whole(ds: Datasette, address: str) -> None:
    """Every link of a page to ours leads somewhere."""
    page = await text_of(ds, address)
    for link in sorted(set(re.findall(r'(?:href|src)="(/-/sohr/[^"#]*)', page))):
        response = await ds.client.get(link.replace("&amp;", "&"))
        assert response.status_code == 200, link


# -- comparison ----------------------------------------------------------------------------------------------


async def test_article_leads_to_its_comparisons(ds: Datasette) -> None:
    """From the versions it is one step to what changed; the time axis stands above them."""
    page = Page(await text_of(ds, "en/332481"))
    assert page.link("Compare 1 and 2") == "/-/sohr/en/332481/diff/1/2"
    assert "2 versions on a time axis" in page.html
    assert "meta:article:modified_time" in page.text  # where the claim stands
    assert "/-/sohr/en/332500" in page.addresses  # the next post


async def test_a_long_history_opens_with_its_newest_part(tmp_path: Path) -> None:
    """An article with many versions shows thirty, one link leads to all, and any two can be compared."""
    with Archive(tmp_path) as archive:
        for n in range(40):
            archive.take(
                capture(1, f"2026-01-02T{n // 2:02}:{n % 2 * 30:02}:00Z", f"{n + 5} carts of salt left.")
            )
    served = Datasette([str(tmp_path / "archive.db")])
    short = Page(await text_of(served, "en/1"))
    assert "Version 11" in short.text and "Version 10" not in short.text
    assert re.findall(r'<option value="(\d+)"', short.html)[:40] == [str(n) for n in range(1, 41)]
    whole = Page(await text_of(served, short.link("Show all 40 versions").removeprefix("/-/sohr/")))
    assert "Version 1 " in whole.text and whole.link("Compare 1 and 2").endswith("/en/1/diff/1/2")


async def test_citation_forms_agree(ds: Datasette, path: Path) -> None:
    """Text, BibTeX and JSON name the same version, its digests and where its bytes lie."""
    found = json.loads(await text_of(ds, "en/332481/cite.json?version=1"))
    assert found["citation"] == f"sohr:en:332481@{FIRST}"
    assert found["read_at"].startswith("http://localhost/-/sohr/en/332481")
    serial = int(found["warc_file"].removesuffix(".warc.gz")[-6:])
    assert f"capture/{serial}/{found['offset']}" == places(path, 332481)[0]
    text, bib = (
        await text_of(ds, "en/332481/cite.txt?version=1"),
        await text_of(ds, "en/332481/cite.bib?version=1"),
    )
    for value in (found["citation"], found["text_sha256"], str(found["offset"]), found["warc_file"]):
        assert value in text
        assert value in bib
    assert found["payload_sha256"] in text
    assert f"sohr:en:332481@{SECOND}" in await text_of(ds, "en/332481/cite.txt")
    await text_of(ds, "en/332481/cite.txt?version=7", status=404)


async def test_bibtex_holds_against_its_own_signs(ds: Datasette) -> None:
    """A title cannot break out of its field."""
    bib = await text_of(ds, "en/332300/cite.bib")
    assert bib.count("{") == bib.count("}")


# -- stream and feeds ----------------------------------------------------------------------------------------


async def test_changes_stream(ds: Datasette) -> None:
    """Changes come newest first, can be filtered, and the page's files hold the same ones. First captures are
    a link away."""
    for filters, seqs in (
        ("view=all", [8, 7, 6, 5, 4, 3, 2, 1]),
        ("", [8, 7, 6]),
        ("view=first", [5, 4, 3, 2, 1]),
        ("kind=missing", [8]),
        ("severity=3", [7, 6]),
        ("severity=3&edition=ar", [7]),
        ("silent=1", [6]),
        ("q=market", [6]),
        ("view=all&before=3", [2, 1]),
        ("kind=nonsense&severity=9&before=x", [8, 7, 6]),
    ):
        page = Page(await text_of(ds, f"changes?{filters}"))
        assert [int(number) for number in re.findall(r"Change (\d+)", page.text)] == seqs, filters
        if "before" not in filters:
            lines = (await ds.client.get(page.link("JSON Lines"))).text.splitlines()
            assert [json.loads(line)["seq"] for line in lines] == seqs
            table = list(csv.DictReader((await ds.client.get(page.link("CSV"))).text.splitlines()))
            assert list(dict.fromkeys(int(row["seq"]) for row in table)) == seqs
            feed = ET.fromstring((await ds.client.get(page.link("Atom"))).text)  # noqa: S314  # our own
            assert [
                int((e.findtext(f"{ATOM}id") or "").rpartition("/")[2]) for e in feed.iter(f"{ATOM}entry")
            ] == seqs


async def test_changes_as_lines(ds: Datasette) -> None:
    """The feed of the command line, over HTTP."""
    response = await ds.client.get("/-/sohr/changes.jsonl?after=5&limit=2")
    assert response.headers["content-type"].startswith("application/x-ndjson")
    lines = [json.loads(line) for line in response.text.splitlines()]
    assert [line["seq"] for line in lines] == [6, 7]
    assert lines[0]["citation"] == f"sohr:en:332481@{SECOND}"
    assert (await ds.client.get("/-/sohr/changes.jsonl?after=99")).text == ""


async def test_missing_posts_are_listed(ds: Datasette) -> None:
    """What is not found any more is listed, with what it said a step away."""
    page = await text_of(ds, "missing")
    assert "A post that went away" in page
    assert "does not know who removed them or why" in page


@pytest.mark.parametrize(("name", "entries"), [("new", 5), ("changes", 3)])
async def test_feeds_are_atom(ds: Datasette, name: str, entries: int) -> None:
    """A feed has absolute links, an id and a time for itself and each entry (RFC 4287)."""
    response = await ds.client.get(f"/-/sohr/{name}.atom")
    assert response.headers["content-type"].startswith("application/atom+xml")
    feed = ET.fromstring(response.text)  # noqa: S314  # our own
    found = feed.findall(f"{ATOM}entry")
    assert len(found) == entries
    for one in (feed, *found):
        assert re.fullmatch(r"tag:[^,\s]+,2026:\S+", one.findtext(f"{ATOM}id") or "")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one.findtext(f"{ATOM}updated") or "")
        assert one.findtext(f"{ATOM}title")
        assert all(link.attrib["href"].startswith("http://localhost/") for link in one.findall(f"{ATOM}link"))
    assert len({one.findtext(f"{ATOM}id") for one in found}) == entries
    assert feed.findtext(f"{ATOM}updated") == max(one.findtext(f"{ATOM}updated") or "" for one in found)


@pytest.mark.parametrize("typed", ["\x01killed", "\uffffkilled", "<killed"])
async def test_a_feed_is_xml_whatever_was_searched_for(ds: Datasette, typed: str) -> None:
    """Letters that XML has no place for are left out of the title."""
    response = await ds.client.get("/-/sohr/search.atom", params={"q": typed})
    assert "killed" in (ET.fromstring(response.text).findtext(f"{ATOM}title") or "")  # noqa: S314  # our own


# -- raw evidence --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["nowhere", "en/1", "en/332481/diff/1/9", "capture/9/9"])
async def test_not_found_keeps_the_way_on(ds: Datasette, address: str) -> None:
    """A page that is not there says so, and keeps navigation and search."""
    page = Page(await text_of(ds, address, status=404))
    assert page.texts("heading") == ["Not found"]
    assert page.link("Changes") == "/-/sohr/changes" and page.role("field")
