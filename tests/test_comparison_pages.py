"""Comparisons of versions: the figures that changed, the words on both sides, the way on, pictures."""

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

import pytest
from datasette.app import Datasette

from archive.browse.comparison import marked as mark_segments
from archive.browse.drawing import bars, steps
from archive.browse.figures import Figure, changed_figures, measure, picture
from archive.browse.language import ENGLISH
from archive.compare.words import Segment
from tests.browser.making import FIRST, SECOND
from tests.page import Page, words
from tests.reading import places, start, text_of

pytestmark = pytest.mark.pages  # on the newest alpha of Datasette 1.0 too


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
    ds = await start(tmp_path / "archive.db")
    for address in ("", "changes", "en/332481"):
        page = Page(await text_of(ds, address))
        assert "Author: was Desk, now not stated" in page.text, address
        assert re.search("Modified: was 1 Mar 2025, 09:00 ?, now 2 Mar 2025, 10:30", page.text), address
    assert "Author: was Desk, now not stated" in await text_of(ds, "changes.atom")
    [row] = csv.DictReader((await text_of(ds, "changes.csv?kind=metadata")).splitlines())
    assert row["claims"] == "author modified_at"


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
