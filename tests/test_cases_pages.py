"""Pages with the traits of real themes, plugins and servers (tests/cases): text, title and statements are
exact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archive.extract.page import extract
from archive.extract.reread import join_pages
from archive.model import ArticleKey, Capture, Extract, Unextractable
from archive.sites.sohr.addresses import Site
from tests.case_pages import CASES, FIRST, LAST, lines, post, read
from tests.crawling import changes, crawl, rows
from tests.replica.server import Replica

ABOVE = "Aleppo | Mine explosion kills 3 civilians"


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<p>12<sup>1</sup> killed</p>", ["12¹ killed"]),
        ("<p>12<s>3</s> killed</p>", ["12 3 killed"]),
        ("<p>10<sup>2</sup> shells</p>", ["10² shells"]),
        ("<p><sup>1</sup>2 killed</p>", ["1 2 killed"]),
        ("<p>1<b>2</b> killed</p>", ["12 killed"]),
        ("<p><ruby>12<rt>3</rt></ruby> killed</p>", ["12 3 killed"]),
        ('<p>12<img src="a.jpg">3 killed</p>', ["12 3 killed"]),
        ('<p>12<span class="adsbygoogle">x</span>3 killed</p>', ["12 3 killed"]),
        ("<p>1<script>x</script>2<!-- x -->3<wbr>4 killed</p>", ["1234 killed"]),
        ('<p><span style="display: block">12</span><span style="display:block">3</span></p>', ["12", "3"]),
        (
            "<p>1\u00a0204 and 1\u2009204 and ١٢ and 12<br>3</p>",
            ["1\u00a0204 and 1\u2009204 and ١٢ and 12", "3"],
        ),
        (
            (
                "<table><tr><th></th><th>Killed</th><th>Wounded</th></tr><tr><td rowspan=2>Aleppo</td>"
                "<td>3</td>"
                "<td>1</td></tr><tr><td>4</td><td>5</td></tr><tr><td>Homs</td><td></td><td>9</td></tr>"
                "</table>"
            ),
            ["\tKilled\tWounded", "Aleppo\t3\t1", "\t4\t5", "Homs\t\t9"],
        ),
        ("<table><tr><td>Homs</td><td colspan=2>9</td><td>1</td></tr></table>", ["Homs\t9\t\t1"]),
        (
            (
                "<table dir=rtl><thead><tr><th rowspan=2>Area<th colspan=2>Toll</tr>"
                "<tr><th>Killed<th>Hurt</tr></thead><tr><th scope=row rowspan=0>Homs<td>1<td>2</tr>"
                "<tr><td>3<td></tr><tr><td><td>4</tr></table>"
            ),
            ["Area\tToll", "\tKilled\tHurt", "Homs\t1\t2", "\t3", "\t\t4"],
        ),
        (
            "<table><tr><td rowspan=150>Homs<td>1</tr>"
            + "<tr><td>2</tr>" * 149
            + "<tr><td>Hama<td>3</tr></table>",
            ["Homs\t1", *["\t2"] * 149, "Hama\t3"],
        ),
    ],
)
def test_numbers_and_cells_are_as_the_page_shows_them(html: str, shown: list[str]) -> None:
    """What is raised or struck out joins no number, and each figure stands in its column."""
    assert lines(html) == shown


@pytest.mark.parametrize("name", sorted(path.name for path in (CASES / "themes").glob("layout-*.html")))
def test_title_and_text_of_other_themes(name: str) -> None:
    """Themes that no layout names are read, and never with the title of another post."""
    found = read(f"themes/{name}")
    assert found.title == ABOVE
    assert [line.text for line in found.lines] == [
        FIRST,
        "2 men",
        "1 woman",
        "According to SOHR sources, the mine was planted last year.",
    ]


BUILDERS = {
    "elementor canvas": ""
    '<div data-elementor-type="wp-post" data-elementor-id="1" class="elementor elementor-1">'
    '<section class="elementor-section"><div class="elementor-widget elementor-widget-heading">'
    '<h1 class="elementor-heading-title">T</h1></div>'
    '<div class="elementor-element elementor-widget elementor-widget-text-editor">'
    '<div class="elementor-widget-container">{P}</div></div></section></div>',
    "bricks text": '<main id="brx-content"><section class="brxe-section"><div class="brxe-container">'
    '<h1 class="brxe-heading">T</h1><div class="brxe-text">{P}</div></div></section></main>',
    "amp reader": '<article class="amp-wp-article"><header class="amp-wp-article-header">'
    '<h1 class="amp-wp-title">T</h1></header><div class="amp-wp-article-content">{P}</div>'
    '<footer class="amp-wp-article-footer">x</footer></article>',
    "ampforwp": '<main><article class="amp-wp-article"><h1 class="amp-title">T</h1>'
    '<div class="amp-wp-article-content"><div class="amp-wp-content the_content">{P}</div></div>'
    "</article></main>",
    "ampforwp swift": '<div class="sp sgl"><div class="sp-cnt"><h1 class="amp-post-title">T</h1></div>'
    '<div class="cntn-wrp artl-cnt">{P}</div></div>',
    "oxygen": '<div id="section-1" class="ct-section"><h1 class="ct-headline">T</h1>'
    '<div id="inner_content-2" class="ct-inner-content">{P}</div></div>',
    "oxygen rich": '<section class="ct-section"><h1 class="ct-headline"><span class="ct-span">T</span>'
    '</h1><div class="ct-text-block oxy-rich-text"><span class="ct-span oxy-stock-content-styles">{P}'
    "</span></div></section>",
    "beaver themer": '<main class="fl-builder-content"><h1 class="fl-heading">T</h1>'
    '<div class="fl-module fl-module-fl-post-content"><div class="fl-module-content fl-node-content">'
    "{P}</div></div></main>",
    "tdb": '<div class="tdb-block-inner"><h1 class="tdb-title-text">T</h1></div>'
    '<div class="td_block_wrap tdb_single_content"><div class="tdb-block-inner td-fix-index">{P}</div>'
    "</div>",
    "bare main article": "<main><article><h1>T</h1>{P}</article></main>",
    "bare main article div": "<main><article><h1>T</h1><div>{P}</div></article></main>",
    "bare main div": '<main><h1>T</h1><div class="css-1x2">{P}</div><div class="css-9"><a href="/en/2/">'
    "More</a></div></main>",
    "brizy": '<div class="brz brz-root__container"><section class="brz-section"><h1>T</h1>'
    '<div class="brz-wp-post-content">{P}</div></section></div>',
}


@pytest.mark.parametrize("name", BUILDERS)
def test_the_wrappers_of_page_builders_are_read(name: str) -> None:
    """Builders, AMP pages and a bare article: the text's element, without what the builder puts beside."""
    beside = '<div class="elementor-widget-post-navigation brxe-post-navigation et_pb_post_nav">Next</div>'
    text = BUILDERS[name].replace("{P}", f"<p>{FIRST}</p><p>{LAST}</p>{beside}")
    html = (
        f'<html><head><title>T - SOHR</title></head><body class="single postid-1"><nav>SOHR</nav>{text}'
        "<footer>The end</footer></body></html>"
    )
    page = Capture("https://www.syriahr.com/en/1/amp/", 200, (), html.encode(), "2026-01-02T00:00:00Z")
    found = extract(page, Site(), ArticleKey("en", "1"))
    assert isinstance(found, Extract), found
    assert (found.title, [line.text for line in found.lines]) == ("T", [FIRST, LAST])


def test_an_amp_page_is_the_post() -> None:
    """Whatever edition; a slug that is called so is none."""
    shown = Site().parse("https://www.syriahr.com/en/123/amp/")
    assert shown is not None and (shown.key, shown.url) == (
        ArticleKey("en", "123"),
        "https://www.syriahr.com/en/123/",
    )
    slug = Site().parse("https://www.syriahr.com/amp/123/")
    assert slug is not None and slug.key == ArticleKey("ar", "123")


def test_a_post_that_changed_between_its_pages_is_not_joined() -> None:
    """Pages of two states of a post make no version."""
    one = post(
        "<p>First words.</p>", head='<meta property="article:modified_time" content="2026-05-01T10:00:00Z">'
    )
    other = replace(one, page=2, modified_at="2026-05-01T11:00:00Z")
    assert isinstance(join_pages([one, replace(one, page=2)]), Extract)
    assert isinstance(join_pages([one, other]), Unextractable)
    for numbers, is_joined in (((3, 3, 3), True), ((2, 3, 3), True), ((3, 3, 1), True), ((4, 3, 3), False)):
        pages = [replace(one, page=page, pages=number) for page, number in enumerate(numbers, 1)]
        assert isinstance(join_pages(pages), Extract) == is_joined, numbers


def noisy_text(salt: int) -> str:
    """A text with what plugins and networks in front of a site make anew for each request."""
    key = 0x20 + salt
    hidden = bytes((key, *(byte ^ key for byte in b"desk@example.org"))).hex()
    address = (
        f'<a href="/cdn-cgi/l/email-protection#{hidden}"><span data-cfemail="{hidden}">[email]</span></a>'
    )
    return (
        f"<p>Two men were{chr(0x200B) * salt} injured near the bridge{chr(0xFEFF) * salt}.</p><p>Write to "
        f"{address}.</p>"
        f'<p>The <a href="https://files.example/list.pdf?nonce={salt * 7919:x}&amp;id=3">list</a> of '
        "names.</p>"
        f'<p><img src="/wp-content/uploads/a.jpg?ver={salt}"><img src="https://count.example/p?u={salt}" '
        'width="1" '
        f'height="1"></p><div style="margin:1em"><a href="/en/{12000 + salt}/" class="u{salt:032x}"><div>'
        "<span>See "
        f"also</span> <span>Another headline of the day {salt}</span></div></a></div><p>The road is open "
        "again.</p>"
    )


def test_what_is_made_anew_for_each_request_is_no_change(tmp_path: Path) -> None:
    """Crawled twice, a page with nonces, protected addresses, pixels, rotating links and characters without
    shape has one version, and nothing about it changed."""
    lines = ["Two men were injured near the bridge.", "Write to desk@example.org.", "The list of names."]
    lines.append("The road is open again.")
    with Replica(posts=6) as site:
        given = {"edition": "en", "title": "A mine near the bridge", "html": noisy_text(0), "lines": lines}
        post_id = site.call("put", **given)
        assert crawl(site, tmp_path / "a", "edition=en").status == 0
        before = changes(tmp_path / "a", "en", post_id)
        for salt in (1, 2):
            site.call("edit", edition="en", post_id=post_id, html=noisy_text(salt), lines=lines, silent=True)
            assert crawl(site, tmp_path / "a", "edition=en", "look=all").status == 0
        assert changes(tmp_path / "a", "en", post_id) == before
        text = rows(
            tmp_path / "a",
            f"select text from versions join articles using (article_id) where post_id = {post_id}",
        )
        assert [line.strip("\u200b\ufeff") for (found,) in text for line in found.split("\n")] == lines
