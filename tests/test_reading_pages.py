"""The reading pages over an archive made from WARC records by ingest, with pages that mean harm. All posts
are invented."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sqlite3
import xml.etree.ElementTree as ET
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from datasette.app import Datasette
from datasette.plugins import pm
from hypothesis import given
from hypothesis import strategies as st

from archive import browse
from archive.browse.comparison import marked as mark_segments
from archive.browse.drawing import bars, steps
from archive.browse.figures import Figure, changed_figures, measure, picture
from archive.browse.inert import inert
from archive.browse.language import ENGLISH
from archive.browse.marks import marked, snippet
from archive.compare.words import Segment
from archive.export.public_copy import NOTE, NoCopy, NoSuchVersion, publish, read_redactions
from archive.read.find import _runs
from archive.read.search import parse_query, spans
from tests.browser.making import FIRST, SECOND, make
from tests.page import Page, words

if not pm.is_registered(browse):
    pm.register(browse, name="sohr_archive")

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


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive's database, its WARC files beside it."""
    return make(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
async def ds(path: Path) -> Datasette:
    """Datasette with the archive."""
    datasette = Datasette([str(path)])
    await datasette.invoke_startup()
    return datasette


async def text_of(ds: Datasette, address: str, status: int = 200) -> str:
    """The body of a reading page."""
    response = await ds.client.get(f"/-/sohr/{address}")
    assert response.status_code == status, response.text[:2000]
    return str(response.text)


def places(path: Path, post_id: int) -> list[str]:
    """Addresses of the captures of a post, oldest first."""
    sql = """select f.serial, c.offset from captures c join warc_files f using (warc_file_id) join articles a
             using (article_id)
        where a.post_id = ? order by c.captured_at"""
    with closing(sqlite3.connect(path)) as conn:
        return [f"capture/{serial}/{offset}" for serial, offset in conn.execute(sql, (post_id,))]


def found_in(page: str) -> set[int]:
    """The post ids of the hits on a search page."""
    links = Page(page).role("link", within=".hits h2")
    return {int((link.attributes["href"] or "").split("?")[0].rpartition("/")[2]) for link in links}


def plain(html: str) -> str:
    """A page without its markup, white space as a reader sees it."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


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


async def test_figures_are_called_out(ds: Datasette) -> None:
    """Who opens a comparison sees first which figure changed, in which sentence, and whether silently."""
    page = Page(await text_of(ds, "en/332481/diff/1/2"))
    assert page.texts("removed", ".box") == ["3", "3"] and page.texts("added", ".box") == ["31", "31"]
    assert page.text.index("2 figures changed") < page.text.index("Side by side")
    assert "the blast killed 3 civilians" in page.text
    assert page.text.count("Silent edit") == 2
    assert "the site still says that it last modified the post on 1 Mar 2025, 09:00" in page.text
    assert "Show 7 unchanged paragraphs" in page.text  # with two around the change


async def test_side_by_side_marks_words(ds: Datasette) -> None:
    """The line stands whole on both sides, with removed and added words marked; figures are not struck."""
    page = Page(await text_of(ds, "en/332481/diff/1/2?all=1"))
    lines = [words(node) for node in page.tree.css(".pair p")]
    assert "Version 1: Deir Ezzor: the blast killed 3 civilians in the market of Al-Mayadin." in lines
    assert "Version 2: Deir Ezzor: the blast killed 31 civilians in the market of Al-Mayadin." in lines
    assert {"3"} == set(page.texts("removed")) and {"31"} == set(page.texts("added"))


async def test_one_text_never_joins_figures(ds: Datasette) -> None:
    """In one text an arrow with spaces stands between removed and added words, also for a copy of the
    text."""
    page = Page(await text_of(ds, "en/332481/diff/1/2?view=inline"))
    assert "the blast killed 3 → 31 civilians" in page.text
    assert page.link("Side by side") == "/-/sohr/en/332481/diff/1/2"
    arabic = Page(await text_of(ds, "ar/700001/diff/1/2?view=inline"))
    assert "مقتل 4 ← 32 أشخاص" in arabic.text


async def test_comparison_runs_from_right_to_left(ds: Datasette) -> None:
    """Arabic stands in logical order in a part that runs from right to left, each number isolated."""
    page = Page(await text_of(ds, "ar/700001/diff/1/2"))
    [part] = page.tree.css('.diff[dir="rtl"]')
    assert "وثّق المرصد السوري مقتل 4 أشخاص" in words(part) and "مقتل 32 أشخاص" in words(part)
    assert "cannot say whether it is a silent edit" in page.text
    assert (
        str(mark_segments([Segment("same", "منها 13-16")], rtl=True))
        == 'منها <bdi dir="ltr" class="nb">13-16</bdi>'
    )


async def test_the_gravest_edit_of_the_week_stands_first(ds: Datasette) -> None:
    """From the front page it is one click to the figure that moved farthest, also where another edit is
    newer."""
    page = Page(await text_of(ds, ""))
    assert [words(node) for node in page.tree.css(".card .turn")] == ["was 3 → now 31", "was 4 → now 32"]
    assert measure([]) == 1 and measure([Figure("12", None, None, None)]) == 13
    assert measure([Figure("3", "31", None, None)]) > measure([Figure("300", "900", None, None)])


async def test_the_way_through_a_comparison(ds: Datasette) -> None:
    """Each change links to the next, the page to the next changed figure of the archive and to swapped
    sides."""
    page = Page(await text_of(ds, "ar/700001/diff/1/2"))
    following = Page((await ds.client.get(page.link("Next changed figure"))).text)
    assert "2 figures changed" in following.text
    swapped = Page((await ds.client.get(following.link("Swap sides"))).text)
    assert "Version 2 was 31" in swapped.text and "Version 1 now → 3" in swapped.text


async def test_the_article_marks_its_last_change(ds: Datasette) -> None:
    """The new figure is marked in the text, the former one stands beside it; the marks can be hidden."""
    page = Page(await text_of(ds, "en/332481"))
    assert page.texts("added", "article") == ["31"] and page.texts("removed", "article") == ["3"]
    hidden = Page((await ds.client.get(page.link("Hide the marks"))).text)
    assert hidden.texts("added", "article") == []


async def test_comparison_leads_to_both_evidences(ds: Datasette, path: Path) -> None:
    """Each side has its raw evidence one step away."""
    page = await text_of(ds, "en/332481/diff/1/2")
    for place in places(path, 332481):
        assert f"/-/sohr/{place}" in page


async def test_a_pair_is_chosen_by_form(ds: Datasette) -> None:
    """The chooser's form leads to the comparison."""
    response = await ds.client.get("/-/sohr/en/332481/diff?from_=1&to=2")
    assert response.status_code == 302
    assert response.headers["location"] == "/-/sohr/en/332481/diff/1/2"


@pytest.mark.parametrize(
    "address", ["en/332481/diff/1/9", "en/1/diff/1/2", "en/332481/diff/999999999/1", "en/332481/diff/x/1"]
)
async def test_no_such_comparison(ds: Datasette, address: str) -> None:
    """A version that is not there is not found."""
    await text_of(ds, address, status=404)


async def test_other_claims_are_named(path: Path, tmp_path: Path) -> None:
    """Wherever "Other claims changed" stands, it says which: on pages, in the feed and in the table."""
    shutil.copyfile(path, tmp_path / "archive.db")
    with closing(sqlite3.connect(tmp_path / "archive.db")) as conn:
        said = {"author": ["Desk", None], "modified_at": ["2025-03-01T09:00:00Z", "2025-03-02T10:30:00Z"]}
        conn.execute(
            """insert into changes (epoch, article_id, version_id, kind, details, said_at, learnt_at)
            select epoch, article_id, version_id, 'metadata', ?, said_at, learnt_at from changes
            where kind = 'updated' limit 1""",
            (json.dumps(said),),
        )
        conn.commit()
    ds = Datasette([str(tmp_path / "archive.db")])
    await ds.invoke_startup()
    for address in ("", "changes", "en/332481"):
        page = Page(await text_of(ds, address))
        assert "Author: was Desk, now not stated" in page.text, address
        assert re.search("Modified: was 1 Mar 2025, 09:00 ?, now 2 Mar 2025, 10:30", page.text), address
    assert "Author: was Desk, now not stated" in await text_of(ds, "changes.atom")
    [row] = csv.DictReader((await text_of(ds, "changes.csv?kind=metadata")).splitlines())
    assert row["claims"] == "author modified_at"


# -- search --------------------------------------------------------------------------------------------------


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
    ds = Datasette([str(path)])
    await ds.invoke_startup()
    page = await text_of(ds, f"search?q=civilians&sort={sort}")
    if sort == "relevance":
        assert "Only the newest 2 are ranked" in page
        assert found_in(page) == {332300, 332400, 332481}  # of one day, which is ranked whole
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


# -- article and citation ------------------------------------------------------------------------------------


async def test_article_leads_to_its_comparisons(ds: Datasette) -> None:
    """From the versions it is one step to what changed; the time axis stands above them."""
    page = Page(await text_of(ds, "en/332481"))
    assert page.link("Compare 1 and 2") == "/-/sohr/en/332481/diff/1/2"
    assert "2 versions on a time axis" in page.html
    assert "meta:article:modified_time" in page.text  # where the claim stands
    assert "/-/sohr/en/332500" in page.addresses  # the next post


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


# -- raw evidence --------------------------------------------------------------------------------------------


async def test_evidence_is_checked_and_told(ds: Datasette, path: Path) -> None:
    """A capture's page has digest, place and headers, and says that the bytes are what they were."""
    place = places(path, 332481)[0]
    page = await text_of(ds, place)
    assert "The body in the WARC file has this digest." in page
    assert "<code>Content-Encoding</code>" in page
    assert f'sandbox="" referrerpolicy="no-referrer" loading="lazy" src="/-/sohr/{place}/page"' in page


async def test_a_page_that_means_harm_is_inert(ds: Datasette, path: Path) -> None:
    """Of a page full of scripts, handlers, frames, forms and refreshes its words are left, under a policy
    that lets nothing run or load."""
    response = await ds.client.get(f"/-/sohr/{places(path, 332300)[0]}/page")
    policy = response.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'; style-src 'unsafe-inline'")
    assert "allow" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    page = response.text
    assert "civilians" in page
    assert "javascript:" not in page.replace("led to javascript:", "")
    assert not re.search(
        r"<(?:script|svg|iframe|object|embed|form|base|link|img|video|math|button|meta "
        r"http)|<[^>]*\s(?:on\w+|href|src|ping|srcdoc|style)=",
        page,
    )
    assert "http-equiv" not in page


ACTS = (
    "script, iframe, object, embed, form, button, input, select, svg, math, img, base, link, template, "
    "noscript, "
    "picture, source, video, audio, track, applet, param, frame, frameset, canvas, marquee, dialog"
)
STAYS = {"dir", "lang", "title", "start", "colspan", "rowspan", "scope", "datetime"}


@pytest.mark.parametrize(
    "html",
    [
        "<p onclick=x>a<script>b</script>",
        "<svg><p><style><img src=x onerror=y></style>",
        (
            "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 "
            "onerror=alert(1)&gt;'>"
        ),
        "<noscript><p title='</noscript><img src=x onerror=y>'>",
        "<form><form><input formaction=javascript:x>",
        "<a href=java&#9;script:x>b</a>",
        "<template><img src=x onerror=y></template>",
        "<p title='\"><script>x</script>'>a",
        "<iframe srcdoc='<script>x</script>'></iframe><plaintext><script>x</script>",
        "",
        "\0",
        "<html dir=rtl lang='\"><script>'>",
        "<xmp><script>x</script></xmp>",
        "<textarea></textarea><script>x</script>",
        (
            "<svg><a xlink:href=javascript:x><text>b</text></a><animate onbegin=x attributeName=href "
            "values=javascript:x>"
        ),
        (
            "<svg><foreignObject><iframe src=x></iframe></foreignObject><set attributeName=onmouseover to=x>"
            "</svg>"
        ),
        (
            "<math><mi xlink:href='data:x,<script>x</script>'></mi><annotation-xml encoding=text/html>"
            "<script>x</script>"
        ),
        "<math></p><style><!--</style><img src/onerror=x>--></math>",
        "<svg></p><title><style></title><img src=x onerror=y></svg>",
        "<meta http-equiv=refresh content='0;url=javascript:x'><p>a<meta http-equiv=refresh content=0>",
        "<base href=//evil.example/><a href=page>a</a>",
        "<a href='JaVaScRiPt:x'>a</a><a href=' \x01javascript:x'>b</a><a href='java\nscript:x'>c</a>",
        (
            "<a href='&#106;avascript&colon;x'>a</a><a href='data:text/html,<script>x</script>'>b</a><a "
            "href=vbscript:x>c</a>"
        ),
        "<p style=\"background:url('//evil.example/')\">a<style>@import '//evil.example/'</style>",
        "<img srcset='//evil.example/ 2x'><picture><source srcset=//evil.example/><img src=x></picture>",
        (
            "<form action=//evil.example/><button formaction=javascript:x>a</button><input type=image src=x>"
            "</form>"
        ),
        "<video poster=//evil.example/ src=x onerror=y><track src=x></video><audio src=x>",
        "<table background=//evil.example/><td background=x>a</table><body background=x onload=y>",
        "<link rel=stylesheet href=//evil.example/><link rel=prefetch href=x>",
        "<object data=x><param name=a><embed src=x></object><applet code=x></applet>",
        (
            "<details open ontoggle=x><summary>a</summary>b</details><dialog open>c</dialog><marquee "
            "onstart=x>d</marquee>"
        ),
        "<p title='</style><script>x</script>'>a</p><!--><script>x</script>--><![CDATA[<script>x</script>]]>",
        "<a ping=//evil.example/ href=x target=_top>a</a><p id=x name=y class=z slot=w is=v>b",
        "<blockquote cite=javascript:x>a</blockquote><q cite=//evil.example/>b</q>",
        "<select><option onfocus=x><noscript></select><img src=x onerror=y>",
        "<title></title><script>x</script>",
        "<head><title>&lt;/title&gt;&lt;script&gt;x&lt;/script&gt;</title></head>",
    ],
)
def test_inert_twice_is_inert_once(html: str) -> None:
    """What browsers would make of the page again has nothing in it that acts."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(inert(html))
    body = tree.body
    assert body is not None
    assert tree.css(ACTS) == []
    assert len(tree.css("style")) == 1 and len(tree.css("meta")) == 1
    assert all(set(node.attributes) <= STAYS for node in body.css("*"))


@pytest.mark.parametrize(
    "place",
    [
        "capture/1/1",
        "capture/99/0",
        "capture/1/99999999999999999",
        "capture/1/../../etc/passwd",
        "capture/1/x/page",
    ],
)
async def test_no_way_out_of_the_folder(ds: Datasette, place: str) -> None:
    """Only what a row of captures names is opened."""
    await text_of(ds, place, status=404)


@pytest.mark.parametrize(
    "name",
    [
        "../archive.db",
        "/etc/passwd",
        "..",
        "x/../../y-20250301-000001.warc.gz",
        "a\0b-20250301-000001.warc.gz",
    ],
)
async def test_a_forged_name_is_not_opened(path: Path, tmp_path: Path, name: str) -> None:
    """Not even a database made to lead elsewhere does."""
    shutil.copytree(path.parent / "warc", tmp_path / "warc")
    forged = tmp_path / "archive.db"
    shutil.copyfile(path, forged)
    with closing(sqlite3.connect(forged)) as conn:
        conn.execute("update warc_files set name = ? where serial = 1", (name,))
        conn.commit()
    ds = Datasette([str(forged)])
    await ds.invoke_startup()
    place = places(forged, 332300)[0]
    assert "so it is not opened" in await text_of(ds, place)
    await text_of(ds, f"{place}/page", status=404)


async def test_a_forged_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    """A WARC file that is a symbolic link is not served."""
    (tmp_path / "warc").mkdir()
    shutil.copyfile(path, tmp_path / "archive.db")
    for file in (path.parent / "warc").iterdir():
        (tmp_path / "warc" / file.name).symlink_to(file)
    ds = Datasette([str(tmp_path / "archive.db")])
    await ds.invoke_startup()
    assert "is not beside this database" in await text_of(ds, places(path, 332300)[0])


async def test_without_warc_files(path: Path, tmp_path: Path) -> None:
    """A database without its WARC files says so, and still shows where the bytes lie."""
    shutil.copyfile(path, tmp_path / "archive.db")
    ds = Datasette([str(tmp_path / "archive.db")])
    await ds.invoke_startup()
    place = places(path, 332481)[0]
    page = await text_of(ds, place)
    assert "syriahr.example-20250301-000001.warc.gz is not beside this database" in page
    await text_of(ds, f"{place}/page", status=404)


async def test_a_changed_byte_is_seen(path: Path, tmp_path: Path) -> None:
    """Evidence that is not what it was is not shown as if it were."""
    shutil.copytree(path.parent / "warc", tmp_path / "warc")
    shutil.copyfile(path, tmp_path / "archive.db")
    offset = int(places(path, 332300)[0].rpartition("/")[2])
    file = next((tmp_path / "warc").glob("*-000001.warc.gz*"))
    damaged = bytearray(file.read_bytes())
    damaged[offset + 400] ^= 0xFF
    file.write_bytes(damaged)
    ds = Datasette([str(tmp_path / "archive.db")])
    await ds.invoke_startup()
    assert "The record cannot be read" in await text_of(ds, places(path, 332300)[0])


# -- pictures ------------------------------------------------------------------------------------------------


def test_pictures_have_words() -> None:
    """A picture has a title for all of it and for each of its parts; what goes in is escaped."""
    drawn = bars("Posts <a day>", ("English", "<b>"), [("2025-03-01", (3, 1)), ("2025-03-02", (0, 0))])
    root = ET.fromstring(drawn)  # noqa: S314  # our own
    assert root.attrib["role"] == "img"
    assert "Posts <a day>" in (root.findtext("title") or "")
    assert "2025-03-01: 3 English, 1 <b>" in [node.text for node in root.iter("title")]
    assert bars("x", ("a",), []) == ""
    assert steps("x", [FIRST, SECOND], SECOND, [("a", [1, 2])]) == ""  # only from three versions on


def test_figures_make_chains() -> None:
    """A figure is followed from version to version by its sentence; one that came or went makes no line."""
    versions: list[dict[str, Any]] = [
        {"number": n, "first_captured_at": f"2025-03-0{n}T00:00:00Z"} for n in (1, 2, 3)
    ]

    def figure(before: str | None, after: str | None) -> dict[str, str | None]:
        return {
            "before": before,
            "after": after,
            "sentence_before": f"{before} dead",
            "sentence_after": f"{after} dead",
        }

    changes = [
        {"before": 1, "after": 2, "figures": [figure("3", "31"), figure("7", "7"), figure(None, "9")]},
        {"before": 2, "after": 3, "figures": [figure("31", "٣٥")]},
    ]
    assert "Figures that changed: 3 to 31 to 35" in picture(ENGLISH, versions, changes)
    assert picture(ENGLISH, versions[:1], []) == ""
    assert changed_figures(["nonsense", ["1"], {"before": "1", "after": "1"}]) == []


# -- copies for the public -----------------------------------------------------------------------------------


def redacted(path: Path, tmp_path: Path, *cited: str) -> Path:
    """A copy without these versions."""
    target = tmp_path / "public.db"
    made = publish(path.parent, target, read_redactions("\n".join(("# asked for by the family", "", *cited))))
    assert made.size == target.stat().st_size
    return target


async def test_a_copy_is_closed_to_robots(path: Path, tmp_path: Path, ds: Datasette) -> None:
    """Every answer of a published copy asks robots to stay away; the archive itself cannot change that."""
    copy = Datasette([str(redacted(path, tmp_path))])
    await copy.invoke_startup()
    assert "Disallow: /" in (await copy.client.get("/robots.txt")).text
    for address in ("/", "/-/sohr/", "/public/versions", "/public/versions.json"):
        assert "noindex" in (await copy.client.get(address)).headers["x-robots-tag"]
    assert (await ds.client.get("/robots.txt")).status_code == 404
    assert "x-robots-tag" not in (await ds.client.get("/-/sohr/")).headers


async def test_what_is_taken_out_is_gone(path: Path, tmp_path: Path) -> None:
    """Of a redacted version no word is left: not in tables, changes, search or the bytes of the file; other
    versions stay."""
    target = redacted(
        path,
        tmp_path,
        f"sohr:en:332481@{FIRST}",
        f"sohr:en:332481@{SECOND}",
        f"sohr:ar:700001@{FIRST}  # the first only",
    )
    stored = target.read_bytes()
    for word in ("Mayadin", "mayadin", "Deir Ezzor: the blast", "leaves 31 dead"):
        assert word.encode() not in stored, word
    assert "مقتل 4 أشخاص".encode() not in stored
    assert "مقتل 32 أشخاص".encode() in stored
    copy = Datasette([str(target)])
    await copy.invoke_startup()
    page = await text_of(copy, "en/332481")
    assert NOTE in page
    assert "ins>31" not in page
    assert "No posts" in await text_of(copy, "search?q=mayadin")
    assert "<mark>إدلب</mark>" in await text_of(copy, f"search?q={quote('ادلب')}")
    with closing(sqlite3.connect(target)) as conn:
        assert conn.execute("select figures from changes where seq in (6, 7)").fetchall() == [
            ("[]",),
            ("[]",),
        ]
        assert conn.execute("pragma integrity_check").fetchone() == ("ok",)
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            conn.execute("update changes set kind = 'created' where seq = 6")
    with closing(sqlite3.connect(path)) as conn:  # the archive itself is as it was
        assert conn.execute("select count(*) from versions where title = ?", (NOTE,)).fetchone() == (0,)


def test_a_wrong_list_makes_no_copy(path: Path, tmp_path: Path) -> None:
    """A line that names nothing stops the copy: it would show what was meant to be hidden."""
    with pytest.raises(NoSuchVersion, match="has no version sohr:en:1@"):
        redacted(path, tmp_path, f"sohr:en:1@{FIRST}")
    with pytest.raises(NoSuchVersion, match="line 3 is no citation"):
        redacted(path, tmp_path, "en:332481")
    assert list(tmp_path.iterdir()) == []


def test_a_copy_takes_no_files_place(path: Path, tmp_path: Path) -> None:
    """A file that is there is left alone."""
    (tmp_path / "public.db").write_text("mine")
    with pytest.raises(NoCopy, match="exists: move it away"):
        redacted(path, tmp_path)
    assert (tmp_path / "public.db").read_text() == "mine"


@pytest.mark.parametrize("address", ["nowhere", "en/1", "en/332481/diff/1/9", "capture/9/9"])
async def test_not_found_keeps_the_way_on(ds: Datasette, address: str) -> None:
    """A page that is not there says so, and keeps navigation and search."""
    page = Page(await text_of(ds, address, status=404))
    assert page.texts("heading") == ["Not found"]
    assert page.link("Changes") == "/-/sohr/changes" and page.role("field")
