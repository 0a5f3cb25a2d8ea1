"""A citation, a post id or an address where words to search for could stand: pages, command line and API lead
to the same article."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from datasette.app import Datasette
from datasette.plugins import pm

from archive import Archive, browse
from archive.cli.main import main
from tests.browser.making import FIRST, SECOND, make
from tests.page import Page

if not pm.is_registered(browse):
    pm.register(browse, name="sohr_archive")

pytestmark = pytest.mark.pages  # on the newest alpha of Datasette 1.0 too

POST = "en/332481"
NAMES = [
    (f"sohr:en:332481@{FIRST}", f"{POST}?version=1"),
    (f"“sohr:en:332481@{FIRST}”.", f"{POST}?version=1"),  # copied with what stands beside it
    (f"sohr:en:332481@{SECOND}", POST),  # the newest
    ("en:332481", POST),
    ("https://www.syriahr.example/en/332481/", POST),
    ("https://www.syriahr.example/en/332481", POST),
    ("http://syriahr.example/en/332481/?fbclid=abc", POST),
    ("https://www.syriahr.example/en/?p=332481", POST),
    ("www.syriahr.example/en/332481/", POST),
    ("//www.syriahr.example/en/332481/…", POST),
    ("HTTPS://WWW.syriahr.example/en/332481/", POST),
    ("https://www.syriahr.example/%D8%AE%D8%A8%D8%B1/700001/", "ar/700001"),
    ("https://www.syriahr.example/خبر/700001/", "ar/700001"),
    (f"https://www.syriahr.example/{quote('خبر' * 60)}/700001/", "ar/700001"),
    ("https://www.syriahr.example/en/1/", None),
    ("https://www.syriahr.example/en/category/news/", None),
    ("https://elsewhere.example/en/332481/", None),
    ("http://[", None),
    ("1/2", None),
]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive's database."""
    return make(tmp_path_factory.mktemp("named"))


@pytest.mark.parametrize(("typed", "place"), NAMES)
async def test_what_names_an_article_leads_to_it(path: Path, typed: str, place: str | None) -> None:
    """A citation of an older version leads to that version."""
    ds = Datasette([str(path)])
    await ds.invoke_startup()
    answer = await ds.client.get("/-/sohr/search", params={"q": typed})
    with Archive.open(path.parent) as archive:
        found = [f"{hit.version.edition}/{hit.version.post_id}" for hit in archive.search(typed)]
        assert archive.count(typed) == len(found)
    if place is None:
        assert answer.status_code == 200 and found == []
    else:
        assert (answer.status_code, answer.headers["location"]) == (302, f"/-/sohr/{place}")
        assert found == [place.partition("?")[0]]


async def test_a_number_may_be_a_post_id(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The post of that number is named beside the posts that say the number."""
    ds = Datasette([str(path)])
    await ds.invoke_startup()
    page = Page((await ds.client.get("/-/sohr/search?q=332481")).text)
    assert page.link("Blast in Al-Mayadin") == f"/-/sohr/{POST}" and "No posts" in page.text
    assert main(["--archive", str(path.parent), "search", "332481"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err.splitlines()[0]) == ("", "a post has this id: sohr-archive show en:332481")


async def test_a_hit_shows_the_day_it_is_sorted_by(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A post of the evening in UTC is of the next day on the site. The command lists all posts for ''."""
    path = make(tmp_path)
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("update articles set day = '2025-03-02' where key = '332481'")
        conn.commit()
    assert main(["--archive", str(path.parent), "search", "--newest", ""]) == 0
    days = [
        line.split("  ")[1] for line in capsys.readouterr().out.splitlines() if line[:3] in ("en:", "ar:")
    ]
    assert days == ["2025-03-02"] + ["2025-03-01"] * 4
    ds = Datasette([str(path)])
    await ds.invoke_startup()
    assert "2 Mar 2025" in Page((await ds.client.get("/-/sohr/search?q=al-mayadin")).text).text
