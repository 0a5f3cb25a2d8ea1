"""What a page says of itself beside its text: times, author, categories, source, links."""

from __future__ import annotations

import pytest

from archive.compare.classes import metadata_changes
from tests.case_pages import post, read


def test_statements_about_another_post_are_ignored() -> None:
    """JSON-LD that names another post says nothing about this one."""
    found = read("pages/ld-related-first.html", "http://127.0.0.1:9220/en/304/", "http://127.0.0.1:9220/")
    assert (found.published_at, found.author) == ("2026-05-01T10:00:00Z", "Desk")


def test_half_a_character_is_storable() -> None:
    """A lone surrogate in JSON-LD becomes a replacement character."""
    found = read("pages/ld-lone-surrogate.html", "http://127.0.0.1:9220/en/301/", "http://127.0.0.1:9220/")
    assert "cut emoji \ufffd" in [claim.value for claim in found.claims]


@pytest.mark.parametrize("nul", ["\\u0000", "\0"])
def test_a_nul_is_storable(nul: str) -> None:
    """Escaped or not: readers of CSV stop at it."""
    script = f'{{"@type":"NewsArticle","author":"De{nul}sk"}}'
    found = post("<p>Words.</p>", head=f'<script type="application/ld+json">{script}</script>')
    assert found.author == "De\ufffdsk"


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


PICTURE = "https://www.syriahr.com/wp-content/uploads/2024/03/map.jpg"


@pytest.mark.parametrize(
    "other",
    [
        "http://syriahr.com/wp-content/uploads/2024/03/map.jpg",
        PICTURE.replace(".jpg", "-1024x768.jpg"),
        PICTURE.replace(".jpg", "-scaled.jpg"),
        PICTURE + ".webp",
        PICTURE.replace("https://", "https://i2.wp.com/") + "?resize=600%2C400&ssl=1",
        "https://cdn.example/spai/w_600+q_lossy/" + PICTURE,
        PICTURE.replace("/wp-content", "/cdn-cgi/image/width=600,quality=75/wp-content"),
    ],
)
def test_a_picture_in_another_size_or_from_another_server_is_no_change(other: str) -> None:
    """A theme takes another size, a plugin packs pictures anew: all posts at once. Another picture counts."""
    assert metadata_changes({"images": [PICTURE]}, {"images": [other]}) == {}
    another = other.replace("map", "map-2")
    assert list(metadata_changes({"images": [PICTURE]}, {"images": [another]})) == ["images"]


def test_a_site_that_changes_to_https_states_the_same_links() -> None:
    """Also where it writes escapes in other letters."""
    links = [
        [[f"{scheme}://a.example/{escape}/", "x"]] for scheme, escape in (("http", "%d8"), ("https", "%D8"))
    ]
    assert metadata_changes({"links": links[0]}, {"links": links[1]}) == {}
