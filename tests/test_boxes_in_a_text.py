"""Boxes in a text: advertisements, sharing, related posts and the like are no lines, and no rule about them
takes a sentence or a toll of the article."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from archive.extract.page import extract
from archive.html.lines import Raw, read_lines
from archive.model import EDITIONS, LineKind, Unextractable
from archive.sites.sohr.addresses import Site
from archive.sites.wordpress import noise
from archive.sites.wordpress.boxes import drop_boxes, is_notice
from tests.case_pages import CASES, FIRST, LAST, lines, page_of, post, read
from tests.replica.site import ReplicaSite

TOLLS = (
    "12 civilians killed",
    "Killed: 7",
    "مقتل 12 مدنيا",
    "The shelling of the town went on until the evening. Nobody could bring the wounded to a hospital.",
)


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


LOG_IN = '<form{} action="/wp-login.php"><input name="log"><input type="password" name="pwd"></form>'
WORDPRESS = '<form class="post-password-form"{}><label>Password: <input type="password"></label></form>'


@pytest.mark.parametrize("form", [LOG_IN, WORDPRESS])
@pytest.mark.parametrize(
    "box",
    [
        '<div style="display: none">{}</div>',
        "<section hidden>{}</section>",
        '<div class="mfp-hide" id="log-in">{}</div>',
        '<div aria-hidden="true">{}</div>',
        "<aside>{}</aside>",
        "<nav><div>{}</div></nav>",
        '<div class="related-posts"><div class="entry">{}</div></div>',
    ],
)
def test_a_form_for_a_password_that_is_not_in_place_of_the_text(box: str, form: str) -> None:
    """A short post with a form that nobody sees, or in a box of the theme, is not protected."""
    assert lines(f"<p>{SENTENCE}</p>" + box.format(form.format(""))) == [SENTENCE]


@pytest.mark.parametrize("of_form", ["", ' role="form"', ' class="subscribe-form"'])
@pytest.mark.parametrize("form", [LOG_IN, WORDPRESS])
def test_a_form_for_a_password_in_place_of_the_text(of_form: str, form: str) -> None:
    """It makes the post protected, whatever its own role and names."""
    page = page_of(f"<p>This is for members only.</p><div>{form.format(of_form)}</div>")
    found = extract(page, Site())
    assert isinstance(found, Unextractable) and found.reason == "protected"
