"""Listings as real themes print them: each post once, in the page's order, nothing of the boxes beside."""

from __future__ import annotations

import pytest

from archive.model import Listing
from archive.sites.sohr.addresses import Site
from archive.sites.wordpress.listings import parse_listing
from tests.replica.server import ROOT

SITE = Site()
FIVE = [330005, 330004, 330003, 330002, 330001]


def read(body: str, path: str = "en/") -> Listing:
    address = SITE.parse(SITE.home + path)
    assert address is not None
    return parse_listing(f"<html><body>{body}</body></html>", address, SITE)


def ids(body: str, path: str = "en/") -> list[int | None]:
    return [sighting.post_id for sighting in read(body, path).sightings]


def entry(post_id: int, inside: str = "") -> str:
    return (
        f'<article id="post-{post_id}" class="post-{post_id} post type-post">'
        f'<h2 class="entry-title"><a href="/en/{post_id}/">N</a></h2>{inside}</article>'
    )


@pytest.mark.parametrize("name", ["listing-front-page", "listing-latest-posts-block", "listing-newsup"])
def test_lists_of_real_themes(name: str) -> None:
    """A list in a page, WordPress's block of latest posts, a theme with one wrapper around all entries."""
    text = (ROOT / "tests/cases/themes" / f"{name}.html").read_text(encoding="utf-8")
    assert ids(text) == FIVE and read(text).has_next


def test_a_heading_inside_a_link_is_a_headline() -> None:
    """Cards put the heading into the link."""
    cards = "".join(f'<div class="card"><a href="/en/{n}/"><div><h3>N</h3></div></a></div>' for n in FIVE)
    assert ids(cards) == FIVE


def test_a_top_story_does_not_hide_the_list_below() -> None:
    """One marked entry and four cards: five posts; on later pages a marked entry is all that counts."""
    cards = "".join(f'<h3><a href="/en/{n}/">N</a></h3>' for n in FIVE[1:])
    assert ids(entry(FIVE[0]) + cards) == FIVE
    assert ids(entry(FIVE[0]) + cards, "en/date/2024/05/03/") == FIVE[:1]


def test_a_box_beside_the_entries_is_not_read() -> None:
    """More posts in an unmarked list do not replace three entries or more."""
    box = "".join(f'<li><a href="/en/{n}/">N</a></li>' for n in range(1, 9))
    assert ids("".join(entry(n) for n in FIVE) + f"<ul>{box}</ul>") == FIVE


def test_an_entry_is_its_title_not_what_its_text_links_to() -> None:
    """A whole text on the list may link to other posts, in headings too."""
    text = '<p><a href="/en/7/">before</a></p><h3><a href="/en/8/">also</a></h3>'
    assert ids(entry(9, text)) == [9]


def test_an_untitled_entry_is_known_by_its_id() -> None:
    """Its headline has no link."""
    assert ids('<article id="post-5" class="post-5 post type-post"><h2></h2></article>') == [5]
