"""Pages with the traits of real themes, plugins and servers (tests/cases): text, title and statements are
exact."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.extract.page import extract
from archive.model import ArticleKey, Capture, Extract
from archive.sites.sohr.addresses import Site

CASES = Path(__file__).parent / "cases"
FIRST = "SOHR activists have documented the death of 3 civilians in Kafr Alyan."
LAST = "According to SOHR sources, the mine was planted last year in the area."
ABOVE = "Aleppo | Mine explosion kills 3 civilians"


def read(
    name: str, url: str = "https://www.syriahr.com/en/332481/", home: str = "https://www.syriahr.com/"
) -> Extract:
    """Read a case as the page at an address of a site."""
    page = Capture(
        url, 200, (("Content-Type", "text/html"),), (CASES / name).read_bytes(), "2026-01-02T00:00:00Z"
    )
    found = extract(page, Site(home), ArticleKey("en", url.rstrip("/").rpartition("/")[2]))
    assert isinstance(found, Extract), found
    return found


def lines(html: str, **headers: str) -> list[str]:
    """The lines of a post with this text."""
    page = f'<!DOCTYPE html><html><head><title>T - SOHR</title></head><body class="single postid-1"><article id="post-1"><h1 class="entry-title">T</h1><div class="entry-content">{html}</div></article></body></html>'
    found = extract(
        Capture("https://www.syriahr.com/en/1/", 200, (), page.encode(), "2026-01-02T00:00:00Z"), Site()
    )
    assert isinstance(found, Extract), found
    return [line.text for line in found.lines]


@pytest.mark.parametrize("name", sorted(path.name for path in (CASES / "themes").glob("leak-*.html")))
def test_the_words_of_a_box_are_no_lines(name: str) -> None:
    """Advertisements, counters, votes, tables of contents and related posts are not the article."""
    assert [line.text for line in read(f"themes/{name}").lines] == [FIRST, LAST]


def test_a_link_to_another_post_is_a_note() -> None:
    """A line that is a kicker and a link to another post is kept as a note; its link is no claim."""
    found = read("themes/leak-intelly.html")
    assert found.notes == ("See also\xa0 Other headline",)
    assert found.links == ()


@pytest.mark.parametrize(
    ("name", "between"),
    [
        ("lost-accordion-button.html", ["Aleppo: 12 killed", "Nine men and three women."]),
        ("lost-heading-id.html", ["Comments", "Officials did not comment on the strike."]),
        ("lost-siteorigin-widget.html", []),
        ("glued-file-block.html", ["Full report of the month Download"]),
    ],
)
def test_the_sites_own_words_stay(name: str, between: list[str]) -> None:
    """No rule about noise takes a heading, a toll or the text of a page builder."""
    assert [line.text for line in read(f"themes/{name}").lines] == [FIRST, *between, LAST]


def test_a_toll_in_large_figures_stays() -> None:
    """A number above the text is a toll if it is set apart or the text continues it."""
    assert read("themes/lost-big-number-div.html").lines[0].text == "1,234"
    assert (
        lines(
            '<p style="font-size:60px">1,234</p><p>قتيل في سوريا منذ بداية العام الجاري كما وثق المرصد</p>'
        )[0]
        == "1,234"
    )


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<p>12<sup>1</sup> killed</p>", ["12¹ killed"]),
        ("<p>12<s>3</s> killed</p>", ["12 3 killed"]),
        ("<p>10<sup>2</sup> shells</p>", ["10² shells"]),
        ("<p><sup>1</sup>2 killed</p>", ["1 2 killed"]),
        ("<p>1<b>2</b> killed</p>", ["12 killed"]),
        (
            (
                "<table><tr><th></th><th>Killed</th><th>Wounded</th></tr><tr><td rowspan=2>Aleppo</td><td>3</td>"
                "<td>1</td></tr><tr><td>4</td><td>5</td></tr><tr><td>Homs</td><td></td><td>9</td></tr></table>"
            ),
            ["\tKilled\tWounded", "Aleppo\t3\t1", "\t4\t5", "Homs\t\t9"],
        ),
        ("<table><tr><td>Homs</td><td colspan=2>9</td><td>1</td></tr></table>", ["Homs\t9\t\t1"]),
    ],
)
def test_numbers_and_cells_are_as_the_page_shows_them(html: str, shown: list[str]) -> None:
    """What is raised or struck out joins no number, and each figure stands in its column."""
    assert lines(html) == shown


def test_a_minified_script_is_not_hostile() -> None:
    """Attributes are counted outside scripts."""
    assert len(read("pages/hostile-false-alarm-script.html", "https://www.syriahr.com/en/1/").lines) == 2


@pytest.mark.parametrize(
    ("text", "opinion"),
    [
        ("The views expressed here are solely those of the author.", True),
        ("The articles do not reflect that 12 civilians were killed.", False),
    ],
)
def test_a_disclaimer_is_a_note_unless_it_has_figures(text: str, opinion: bool) -> None:
    """A last line with figures says more than whose opinion it is."""
    assert lines(f"<p>{FIRST}</p><p>{text}</p>") == ([FIRST] if opinion else [FIRST, text])
