"""What page builders, accordions and plugins print into a text: each figure is read, nothing that changes by
itself is."""

from __future__ import annotations

import pytest

from archive.extract.page import extract
from archive.model import Extract, LineKind
from archive.sites.sohr.addresses import Site
from tests.case_pages import FIRST, LAST, lines, page_of, post

COUNTERS = (
    '<span class="elementor-counter-number" data-to-value="{}" data-from-value="0">0</span> people killed',
    '<span class="elementor-counter-number" data-to-value="{}" data-from-value="1">1</span> people killed',
    '<span class="display-counter" data-value="{}">0</span> people killed',
    '<b class="odometer" data-count="{}">00</b> people killed',
    '<span class="timer count-number" data-to="{}">0</span> people killed',
)


@pytest.mark.parametrize("counter", COUNTERS)
def test_a_number_that_counts_up_is_read(counter: str) -> None:
    """Its element says 0 until a script runs. Otherwise an edit of the figure is not noticed."""
    assert lines(f"<p>{counter.format('1,057')}</p><p>{LAST}</p>") == ["1,057 people killed", LAST]


def test_a_number_of_divi_is_read() -> None:
    """It stands at the box around an empty element."""
    box = '<div class="et_pb_number_counter" data-number-value="57"><div class="percent"><p>'
    box += '<span class="percent-value"></span></p></div><h3 class="title">Killed</h3></div>'
    assert lines(f"{box}<p>{LAST}</p>") == ["57", "Killed", LAST]


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ('<p><span class="follower-count" data-count="57">0</span> people</p>', "0 people"),
        ('<p><span class="count" data-count="57">31</span> people</p>', "31 people"),
        ('<p><span class="count" data-count="57">31 of 40</span> people</p>', "31 of 40 people"),
        ('<p><span class="note" data-value="57">0</span> people</p>', "0 people"),
        ('<p><span class="counter" data-to="#top">0</span> people</p>', "0 people"),
    ],
)
def test_other_numbers_in_attributes_are_not_read(html: str, shown: str) -> None:
    """The text of an element counts where no counter replaces it, and shares are counted for the page."""
    assert lines(f"{html}<p>{LAST}</p>") == [shown, LAST]


@pytest.mark.parametrize(
    "title",
    [
        '<h4 class="vc_tta-panel-title"><a href="#1">{}</a></h4>',
        '<h2 id="x"><a href="#x">{}</a></h2>',
        '<h3><a href="https://www.syriahr.com/en/1/#x">{}</a></h3>',
        '<div class="toggle-title"><a data-toggle="collapse" href="#c1">{}</a></div>',
        '<p><a href="#c1">{}</a></p>',
        '<button class="kt-blocks-accordion-header"><span>{}</span></button>',
        '<div class="tab" role="button"><a tabindex="0">{}</a></div>',
    ],
)
def test_the_title_of_a_toggle_is_text(title: str) -> None:
    """It may hold the place or the toll of what unfolds below it. Its link is no statement."""
    found = post(f"<p>{FIRST}</p>{title.format('Homs: 4 killed')}<div><p>Three men.</p></div><p>{LAST}</p>")
    assert [line.text for line in found.lines] == [FIRST, "Homs: 4 killed", "Three men.", LAST]
    assert found.links == ()


def test_titles_of_tabs_are_text_and_a_table_of_contents_is_not() -> None:
    """What a table of contents says stands in the text as well."""
    entries = '<ul><li><a href="#1">1. Homs</a></li><li><a href="#2">2. The north</a></li></ul>'
    tabs = [FIRST, "1. Homs", "2. The north", LAST]
    assert lines(f"<p>{FIRST}</p>{entries}<p>{LAST}</p>") == tabs
    shown = lines(f"<p>{FIRST}</p>{entries}<h2 id='1'>Homs</h2><p>{LAST}</p><a href='#top'>Back to top</a>")
    assert shown == [FIRST, "Homs", LAST]


@pytest.mark.parametrize(
    "ago",
    [
        "2 hours ago",
        "Posted 3 days ago",
        "Last updated: about an hour ago",
        "منذ ساعتين",
        "قبل ٣ ساعات",
        "نشر منذ 5 أيام",
    ],
)
def test_how_long_ago_is_no_text(ago: str) -> None:
    """It is different at each visit. A sentence with such words is text."""
    assert lines(f"<p>{FIRST}</p><p>{ago}</p><span>{ago}</span><p>{LAST}</p>") == [FIRST, LAST]
    assert lines(f"<p>{FIRST}</p><p>The man was killed {ago}</p>")[1:] == [f"The man was killed {ago}"]


@pytest.mark.parametrize(
    "box",
    [
        '<p class="post-last-modified">Last updated on <time>January 5, 2025</time></p>',
        "<amp-ad width=1><p>Buy 5 now.</p></amp-ad>",
        "<amp-iframe><p placeholder>Loading 3</p></amp-iframe>",
    ],
)
def test_boxes_of_plugins_are_no_text(box: str) -> None:
    """The date of the last save, and AMP's elements for advertisements."""
    assert lines(f"<p>{FIRST}</p>{box}<p>{LAST}</p>") == [FIRST, LAST]


NEXT = '<article id="post-{}" class="post-{} post type-post hentry"><h2>Another</h2><p>{}</p></article>'


def test_the_next_post_below_the_text_is_not_the_text() -> None:
    """Plugins that scroll without an end print it into the element of the text. It may be longer."""
    other = NEXT.format(2, 2, "In the other town 99 people were counted. Nobody knows more of them. " * 5)
    found = post(f"<p>{FIRST}</p>{other}")
    assert [line.text for line in found.lines] == [FIRST]


def test_the_posts_own_element_within_the_text_is_the_text() -> None:
    """Some themes repeat the post's element, and boxes of an author are articles too."""
    found = extract(page_of(NEXT.format(1, 1, FIRST) + f"<article><p>{LAST}</p></article>"), Site())
    assert isinstance(found, Extract)
    assert [line.text for line in found.lines if line.kind is LineKind.PARAGRAPH] == [FIRST, LAST]


def test_the_text_beside_a_deck_in_an_element_of_the_same_name() -> None:
    """The longer one is the text: an edit of it is noticed."""
    text = f'<p>A deck of 5 words.</p></div><div class="entry-content"><p>{FIRST}</p><p>{LAST}</p>'
    assert lines(text) == [FIRST, LAST]
    assert lines(f'<p>{FIRST}</p></div><div class="entry-content"><p>3 views</p>') == [FIRST]
