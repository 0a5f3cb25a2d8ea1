"""Pages with the traits of real themes, plugins and servers (tests/cases): text, title and statements are
exact."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from archive.compare.classes import metadata_changes
from archive.extract.page import extract
from archive.extract.reread import join_pages
from archive.html.decode import decode_text
from archive.html.lines import Raw, read_lines
from archive.model import EDITIONS, ArticleKey, Capture, Extract, LineKind, Unextractable
from archive.sites.sohr.addresses import Site
from archive.sites.wordpress import noise
from archive.sites.wordpress.boxes import drop_boxes, is_notice
from tests.crawling import changes, crawl, rows
from tests.replica.server import Replica
from tests.replica.site import ReplicaSite

CASES = Path(__file__).parent / "cases"
FIRST = "SOHR activists have documented the death of 3 civilians in Kafr Alyan."
LAST = "According to SOHR sources, the mine was planted last year in the area."
ABOVE = "Aleppo | Mine explosion kills 3 civilians"
TOLLS = (
    "12 civilians killed",
    "Killed: 7",
    "مقتل 12 مدنيا",
    "The shelling of the town went on until the evening. Nobody could bring the wounded to a hospital.",
)


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


def page_of(text: str, *, head: str = "", beside: str = "") -> Capture:
    """A post with this text, and what stands in its head and beside its headline."""
    html = (
        f'<!DOCTYPE html><html><head><title>T - SOHR</title>{head}</head><body class="single postid-1">'
        f'<article id="post-1"><h1 class="entry-title">T</h1>{beside}'
        f'<div class="entry-content">{text}</div></article></body></html>'
    )
    return Capture("https://www.syriahr.com/en/1/", 200, (), html.encode(), "2026-01-02T00:00:00Z")


def post(text: str, *, head: str = "", beside: str = "") -> Extract:
    """What such a page says."""
    found = extract(page_of(text, head=head, beside=beside), Site())
    assert isinstance(found, Extract), found
    return found


def lines(html: str) -> list[str]:
    """The lines of a post with this text."""
    return [line.text for line in post(html).lines]


@pytest.mark.parametrize("name", sorted(path.name for path in (CASES / "themes").glob("leak-*.html")))
def test_the_words_of_a_box_are_no_lines(name: str) -> None:
    """Advertisements, counters, votes, tables of contents and related posts are not the article."""
    assert [line.text for line in read(f"themes/{name}").lines] == [FIRST, LAST]


def test_a_link_to_another_post_is_a_note() -> None:
    """A line with only a kicker and a link to another post is kept as a note. Its link is not a claim."""
    found = read("themes/leak-intelly.html")
    assert found.notes == ("See also\xa0 Other headline",)
    assert found.links == ()


SENTENCE = "SOHR activists have documented the death of 3 civilians."
LONG = '<a href="https://www.syriahr.com/en/{}/">A headline that is longer than the whole text of a post</a>'


@pytest.mark.parametrize(
    ("text", "box", "count"),
    [
        (SENTENCE, f'<div class="q7f">{LONG}</div>', 1),  # a short post with boxes
        ("Six people were injured.", f'<div class="q7f"><div>{LONG}</div></div>', 1),
        ("أصيب ستة أشخاص.", f'<div class="q7f">{LONG}</div>', 1),
        (SENTENCE, f"<p>{LONG}</p>", 3),  # a post that lists others
        (SENTENCE, f"<ul><li>{LONG}</li></ul>", 3),
        ("Read today:", f'<div class="q7f">{LONG}</div>', 3),
    ],
)
def test_links_that_are_most_of_a_text(text: str, box: str, count: int) -> None:
    """Boxes longer than a short post are no text. A post that lists others keeps its list."""
    assert len(lines(f"<p>{text}</p>{box.format(2)}{box.format(3)}")) == count


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


FORM = '<div class="x1"><h3>Sign up for news</h3><form><input type="email"><button>Go</button></form></div>'
OTHER = '<a href="/en/999/">Four civilians killed near the bridge</a>'
UNNAMED = {
    "form": FORM,
    "kicker": f"<p><strong>Read also:</strong></p><ul><li>{OTHER}</li></ul>",
    "kicker in Arabic": f"<p>«اقرأ أيضًا»</p><p>{OTHER}</p>",
    "kicker in the line": f"<p>«اقرأ أيضا» {OTHER}</p>",
    "kicker and a title of a word": '<div class="o3"><div>Related: <a href="/en/999/">Added</a></div></div>',
    "beginning of another post": f'<div class="q8f"><a href="/en/999/"><img src="/t.jpg"></a><h4>{OTHER}</h4>'
    "<p>The four people were on their way to…</p></div>",
    "date of another post": f'<div class="q8f"><h4>{OTHER}</h4><span>3 May 2026</span></div>',
    "share": '<div class="w8"><span>Share</span><a href="https://facebook.com/sharer.php?u=x">Facebook</a>'
    '<a href="https://twitter.com/intent/tweet?x">Twitter</a></div>',
    "print": '<div class="w9"><a href="javascript:window.print()">Print</a></div>',
    "comments": '<div class="c8"><a href="/en/1/#respond">Leave a comment</a></div>',
    "views": '<div class="q"><i class="icon"></i> 1,234 views</div>',
    "reading time": '<span class="q9">3 min read</span>',
    "least reading time": '<span class="q9">Less than a minute</span>',
    "reading time in Arabic": '<span class="q9">دقيقة واحدة للقراءة</span>',
    "posts before and after": f'<div class="n2">{OTHER}<a href="/en/998/" rel="next">Next: another</a></div>',
    "name of an author": '<div class="m4"><b><a href="/en/author/r/">Rami</a></b></div>',
    "listen": '<div class="l4"><div>Listen to this article</div></div>',
    "contents": '<div class="k2"><p>Contents</p><ul><li><a href="/en/1/#a">Part one</a></li></ul></div>',
    "path": '<div class="b9"><a href="/en/">Home</a> » <a href="/en/category/news/">News</a> » T</div>',
    "tags": '<div class="t9"><b>Tags:</b> <a href="/en/tag/a/">Homs</a> <a href="/en/tag/b/">Hama</a></div>',
    "donation": '<div class="donate-box"><h3>Support us</h3><p>Donate to SOHR today.</p></div>',
    "poll": '<div class="wp-polls"><p>Do you agree?</p><p>Total Voters: 12</p></div>',
    "author with a picture": '<div class="author-box"><img src="/a.jpg"><p>Rami is a reporter of SOHR. '
    "He has covered the war in Syria since 2011.</p></div>",
    "cookies": '<div class="cookie-notice"><p>We use cookies to serve you well. If you go on we '
    "assume that you agree.</p></div>",
    "related without links": '<div class="related-posts"><h3>Related</h3><p>12 killed in Homs</p></div>',
    "author": '<div class="molongui-author-box m-a-box"><p>Rami writes on Syria.</p></div>',
}


@pytest.mark.parametrize("name", UNNAMED)
def test_boxes_are_told_by_what_they_do(name: str) -> None:
    """A form, links to other posts, tags, sharing or a place in the page: no lines, and no claims."""
    found = post(f"<p>{FIRST}</p>{UNNAMED[name]}<p>{LAST}</p>")
    assert [line.text for line in found.lines] == [FIRST, LAST]
    assert (found.links, found.images) == ((), ())


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<p>12 shares</p>", ["12 shares"]),
        ('<p>Related: <a href="/en/999/">earlier report</a></p>', ["Related: earlier report"]),
        ("<p>Read also</p><p>In Homs nothing changed.</p>", ["Read also", "In Homs nothing changed."]),
        (f"<p>As SOHR wrote, {OTHER}.</p>", ["As SOHR wrote, Four civilians killed near the bridge."]),
        (
            '<p>More from <a href="/en/tag/homs/">Homs</a> and <a href="/en/tag/hama/">Hama</a> soon.</p>',
            ["More from Homs and Hama soon."],
        ),
        (f"{OTHER}<p>The wait goes on…</p>", ["The wait goes on…"]),
        (
            '<div class="elementor-section" id="share"><p>Half of them were children.</p></div>',
            ["Half of them were children."],
        ),
        ("<details><summary>Names</summary><p>Ahmad, 12.</p></details>", ["Names", "Ahmad, 12."]),
        ("<aside><p>In Homs 4 people were killed.</p></aside>", ["In Homs 4 people were killed."]),
        (
            "<dl><dt>Homs</dt><dd>3 killed</dd></dl><address>SOHR, Coventry</address>",
            ["Homs", "3 killed", "SOHR, Coventry"],
        ),
        ('<h2 id="author">Who wrote the list</h2>', ["Who wrote the list"]),
        (
            f'<div class="social"><p>{TOLLS[-1]}</p><div class="share"><a href="/s">Share</a></div></div>',
            [TOLLS[-1]],
        ),
        (
            '<section id="share"><p>They were 12 killed, <a href="/x">it wrote</a>.</p></section>',
            ["They were 12 killed, it wrote."],
        ),
    ],
)
def test_words_that_look_like_a_box_stay(html: str, shown: list[str]) -> None:
    """A paragraph with a number, a kicker without a link below it, links in a sentence, an author's ids."""
    assert lines(f"<p>{FIRST}</p>{html}<p>{LAST}</p>") == [FIRST, *shown, LAST]


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


def test_a_box_is_not_the_text_of_a_post_without_text() -> None:
    """One box that links to another post makes no article; links in paragraphs are a list of posts."""
    box = f'<div class="q8f"><div class="a91">{OTHER}</div></div>'
    for boxes in (
        box,
        f"<div><p>4.5 / 5 (143 votes)</p></div>{box}",
        f"<div>{box}</div><b>12 views</b>{box}",
    ):
        found = extract(page_of(boxes), Site())
        assert isinstance(found, Unextractable) and found.reason in ("empty", "layout")
    assert lines(f"<div><p>{OTHER}</p><p>{OTHER}</p></div>") == ["Four civilians killed near the bridge"] * 2


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


def test_statements_about_another_post_are_ignored() -> None:
    """JSON-LD that names another post says nothing about this one."""
    found = read("pages/ld-related-first.html", "http://127.0.0.1:9220/en/304/", "http://127.0.0.1:9220/")
    assert (found.published_at, found.author) == ("2026-05-01T10:00:00Z", "Desk")


def test_half_a_character_is_storable() -> None:
    """A lone surrogate in JSON-LD becomes a replacement character."""
    found = read("pages/ld-lone-surrogate.html", "http://127.0.0.1:9220/en/301/", "http://127.0.0.1:9220/")
    assert "cut emoji \ufffd" in [claim.value for claim in found.claims]


@pytest.mark.parametrize(
    "script",
    [
        '{"@type":"NewsArticle","datePublished":"2026-05-01T10:00:00Z","author":{"name":"Desk"}}',
        '//<![CDATA[\n{"@type":"NewsArticle","datePublished":"2026-05-01T10:00:00Z","author":"Desk"}\n//]]>',
        '<!-- {"@type":"NewsArticle","datePublished":"2026-05-01T10:00:00Z","author":"Desk"} -->',
        '{"@type":["http://schema.org/NewsArticle"],"datePublished":"2026-05-01T10:00:00Z","author":"Desk",}',
        (
            "{&quot;@type&quot;:&quot;NewsArticle&quot;,&quot;datePublished&quot;:&quot;2026-05-01T10:00:00Z&quot;,"
            "&quot;author&quot;:&quot;Desk&quot;}"
        ),
        (
            '{"@graph":[{"@type":"Article","datePublished":"2026-05-01T10:00:00Z","author":{"@id":"#a"}},'
            '{"@type":"Person","@id":"#a","name":"Desk"}]}'
        ),
    ],
)
def test_json_ld_as_pages_have_it(script: str) -> None:
    """In comments and CDATA, with a trailing comma, escaped, with types as addresses and authors by
    reference."""
    found = post("<p>Words.</p>", head=f'<script type="application/ld+json">{script}</script>')
    assert (found.published_at, found.author) == ("2026-05-01T10:00:00Z", "Desk")


def test_a_day_that_does_not_exist_is_not_stated() -> None:
    """30 February is NULL."""
    found = post(
        "<p>Words.</p>", head='<meta property="article:published_time" content="2024-02-30T10:00:00Z">'
    )
    assert (found.published_at, found.day) == (None, None)


def test_metadata_of_real_themes() -> None:
    """Two times of the theme Publisher, joined categories, a link that does not name the author, a deck and a
    source."""
    found = post(
        "<p>Words.</p>",
        head='<script type="application/ld+json">{"@type":"Article","articleSection":"News, Syria"}</script>',
        beside=(
            '<h2 class="s-tagline">A line below</h2>'
            '<time class="post-published updated" datetime="2024-05-03T14:07:00+03:00">x</time>'
            '<time class="post-published updated" datetime="2024-05-04T14:07:00+03:00">y</time>'
            '<a rel="author" href="/en/author/desk/">View all posts by Desk</a>'
            '<div class="source-bar">Source <a href="https://paper.example/1">The Paper</a></div>'
        ),
    )
    assert (found.published_at, found.modified_at) == ("2024-05-03T11:07:00Z", "2024-05-04T11:07:00Z")
    assert (found.author, found.deck, found.categories) == (None, "A line below", ("News", "Syria"))
    assert (found.source_outlet, found.source_url) == ("The Paper", "https://paper.example/1")


def test_protected_addresses_are_decoded() -> None:
    """An e-mail address that Cloudflare hides is text; its link and a pixel are no claims."""
    found = post(
        '<p>Write to <a href="/cdn-cgi/l/email-protection#543d14256c7a34"><span class="__cf_email__" '
        'data-cfemail="2a430a4f520449">[email&#160;protected]</span></a></p><img src="/p.gif?9" width="1" '
        'height="1">'
    )
    assert (found.text, found.links, found.images) == ("Write to i ex.c", (), ())


@pytest.mark.parametrize(
    ("header", "head"),
    [
        ("", '<meta charset="iso-8859-6">'),
        ("text/html; charset=iso-8859-6", '<!-- <meta charset="koi8-r"> -->'),
        (
            "text/html",
            '<script>"<meta charset=koi8-r>"</script><meta name="x" content="<meta charset=koi8-r>">',
        ),
    ],
)
def test_charsets_are_read_as_browsers_do(header: str, head: str) -> None:
    """Labels by their standard, meta tags only where they are tags, and windows-1256 for unlabelled
    Arabic."""
    words = "قتل ثلاثة مدنيين في ريف حلب"
    charset = "iso-8859-6" if "8859-6" in header + head else "cp1256"
    body = f"<!DOCTYPE html><html><head>{head}</head><body><p>{words}</p></body></html>".encode(charset)
    got = decode_text(Capture("https://www.syriahr.com/en/1/", 200, (("Content-Type", header),), body, ""))
    assert words in got


def answer(name: str) -> Capture:
    """A whole answer of tests/cases/crawl as the crawler keeps it."""
    head, _, body = (CASES / "crawl" / name).read_bytes().partition(b"\r\n\r\n")
    pairs = [line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:]]
    headers = tuple((key, value) for key, value in pairs)
    short = int(dict(headers)["Content-Length"]) > len(body)
    found = re.search(rb'canonical" href="([^"]+)"', body)
    url = found[1].decode() if found else "http://127.0.0.1:9220/en/1/"
    return Capture(url, 200, headers, body, "2026-01-02T00:00:00Z", truncated="disconnect" if short else None)


@pytest.mark.parametrize("name", ["cenc-text-html.http", "ctype-comma.http", "length-of-unpacked.http"])
def test_labels_that_lie(name: str) -> None:
    """A plain body under a wrong coding, a comma in the type, the length of the unpacked body: read all the
    same."""
    found = extract(answer(name), Site("http://127.0.0.1:9220/"))
    assert isinstance(found, Extract), found
    assert len(found.lines) == 2


@pytest.mark.parametrize(
    "kind", ["*/*", "unknown/unknown", "nonsense", "text/html; charset", "text/html, text/html"]
)
@pytest.mark.parametrize("coding", ["br", "zstd", "deflate", "gzip", "utf8", "chunked", "UTF-8"])
def test_a_plain_page_is_read_whatever_its_labels(kind: str, coding: str) -> None:
    """The first bytes decide."""
    page = replace(page_of("<p>Words.</p>"), headers=(("Content-Type", kind), ("Content-Encoding", coding)))
    found = extract(page, Site())
    assert isinstance(found, Extract), found


def test_a_page_without_its_end_is_truncated() -> None:
    """Only a closing tag or a checksum proves that an interrupted answer is whole."""
    page = replace(page_of("<p>Words.</p>"), truncated="disconnect")
    assert isinstance(extract(page, Site()), Extract)
    cut = extract(replace(page, body=page.body[:-20]), Site())
    assert isinstance(cut, Unextractable) and cut.reason == "truncated"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example/r?nonce=8f2c1d", "https://a.example/r?nonce=77aa01"),
        (
            "https://a.example/f.pdf?X-Amz-Signature=ab&X-Amz-Date=1",
            "https://a.example/f.pdf?X-Amz-Signature=cd&X-Amz-Date=2",
        ),
        ("https://a.example/r?cb=1732814400", "https://a.example/r?cb=1732814500"),
        ("https://a.example/r?zz=8f2c1d8f2c1d8f2c1d", "https://a.example/r?zz=77aa0177aa0177aa01"),
        ("https://a.example/i.jpg?ver=1", "https://a.example/i.jpg?ver=2"),
    ],
)
def test_addresses_made_anew_are_no_change(one: str, other: str) -> None:
    """Nonces, signatures, cache busters and random values differ at each request; other values count."""
    assert (
        metadata_changes(
            {"links": [[one, "x"]], "images": [one]}, {"links": [[other, "x"]], "images": [other]}
        )
        == {}
    )
    old, new = ([[f"https://a.example/r?id={number}", "x"]] for number in (1, 2))
    assert list(metadata_changes({"links": old}, {"links": new})) == ["links"]


def seeds() -> list[list[str]]:
    """The lines of the reference articles, where they are."""
    folder = os.environ.get("SOHR_SEEDS")
    found = json.loads((Path(folder) / "expected.json").read_text()) if folder else []
    return [seed["lines"] for seed in found]


def test_no_rule_about_boxes_takes_a_toll() -> None:
    """Tolls repeat from post to post; no line of the replica's posts or of the reference articles is a
    box's."""
    site = ReplicaSite(posts=200, seed=11)
    texts = [
        list(post.lines) for lang in EDITIONS for key in site.ids(lang) if (post := site.post(lang, key))
    ]
    for text in texts + seeds():
        raw = [Raw(line, LineKind.PARAGRAPH, 0, False, "p") for line in text if "\t" not in line]
        assert drop_boxes(raw, lambda _href: True) == (raw, [])
        assert [line.text for line in raw if is_notice(line)] == []


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


def shortest(parsed: Any) -> list[str]:
    """A text for each way through a regular expression, repeating as little as it can."""
    found = [""]
    for operator, value in parsed:
        ways = _ways(str(operator), value)
        found = [text + way for text in found for way in ways]
    return found


def _ways(operator: str, value: Any) -> list[str]:
    if operator == "LITERAL":
        return [chr(value)]
    if operator == "SUBPATTERN":
        return shortest(value[3])
    if operator == "BRANCH":
        return [way for branch in value[1] for way in shortest(branch)]
    if operator == "MAX_REPEAT":
        return [way * value[0] for way in shortest(value[2])] if value[0] else [""]
    if operator == "IN":
        kind, first = value[0]
        return [chr(first) if str(kind) == "LITERAL" else "1"]
    return [""]  # the edges


def unnamed(html: str) -> list[str]:
    """The lines of a text without what the rules take."""
    body = LexborHTMLParser(html).body
    assert body is not None
    return [line.text for line in read_lines(body, noise.is_noise).lines]


def test_no_rule_takes_sentences_or_a_toll() -> None:
    """Each name of a box, as a class and as an id, around the site's own words."""
    # Python has no public parser of regular expressions, and a list of the names would miss new ones
    names = dict.fromkeys(shortest(re._parser.parse(noise._NOISE.pattern)))  # type: ignore[attr-defined]
    assert len(names) > 400 and all(map(noise._NOISE.match, names))
    for mark in ('class="{}"', 'id="{}"'):
        boxes = "".join(f"<div {mark.format(name)}><p>{text}</p></div>" for name in names for text in TOLLS)
        assert unnamed(boxes) == [*TOLLS] * len(names)
        empty = "".join(f"<div {mark.format(name)}><b>17</b> <i>of them.</i></div>" for name in names)
        assert unnamed(f"<p>{FIRST}</p>{empty}<p>{LAST}</p>") == [FIRST, LAST]


SHORT = {"en": "Aleppo: one civilian died of his wounds.", "ar": "ريف حلب: استشهد مدني متأثرا بجراحه."}
LONG = {
    "en": "Activists wrote down the names of all who were there, and <a href='LIST'>the list</a> is long. "
    * 9,
    "ar": "وثق النشطاء أسماء جميع من كانوا هناك، و<a href='LIST'>القائمة</a> طويلة جدا. " * 9,
}
SOURCE = "https://example.org/list"


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_text_of_which_more_than_half_is_left_out_is_of_an_unknown_layout(edition: str) -> None:
    """What is left out reads like the article's own text: sentences, no invitation, no other post."""
    words = LONG[edition].replace("LIST", SOURCE)
    for name in ("widget", "post-info", "entry-footer"):
        page = page_of(f'<p>{SHORT[edition]}</p><div class="{name}"><p>{words}</p></div>')
        found = extract(page, Site())
        assert isinstance(found, Unextractable) and found.reason == "layout"


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_short_article_stands_beside_any_box(edition: str) -> None:
    """One sentence or three, however much others say inside its element."""
    words, teaser = LONG[edition].replace("LIST", SOURCE), LONG[edition].replace("LIST", "/en/2/")
    cut = teaser.replace("<a href='/en/2/'>", "").replace("</a>", "")
    invitation = {"en": "Subscribe to our newsletter.", "ar": "اشترك في نشرتنا."}[edition]
    boxes = {
        **dict.fromkeys(
            ("author-box", "comments", "newsletter-box", "ad-box", "widget-area", "site-footer"),
            f"<img src='/a.jpg'><p>{words}</p>",
        ),
        **dict.fromkeys(
            ("post-share", "post-views", "entry-meta"), "<p>Telegram and Facebook 1,234 views</p>" * 9
        ),
        "related-posts": f"<h4>{OTHER}</h4><img src='/a.jpg'><p>{cut}</p>",
        "widget": f"<p>{teaser}</p>",
        "post-info": f"<p><a href='/en/2/'>{OTHER}</a></p><p>{cut}</p>",
        "entry-footer": f"<p>{cut}<a href='/en/author/x/'>x</a></p><p class='author-bio'>{words}</p>",
        "widget widget_text": f"<p>{invitation} {words}</p>",
        "post-footer": f"<p>{words}</p><form><input name='s'></form>",
    }
    for text in ([SHORT[edition]], [SHORT[edition], FIRST, LAST]):
        written = "".join(f"<p>{line}</p>" for line in text)
        for name, inside in boxes.items():
            assert lines(f'{written}<div class="{name}">{inside}</div>') == text, name
            assert lines(f'<div class="{name}">{inside}</div>{written}') == text, name
