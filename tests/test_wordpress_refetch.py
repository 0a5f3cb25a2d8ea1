"""Refetched over and over from a real WordPress that shows something else at each load, in two of its themes,
a post stays one version."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from tests.test_wordpress import crawl, published, rows, wpctl
from tests.test_wordpress import pytestmark as pytestmark
from tests.wordpress_html import lines_of

REFETCHES = int(os.environ.get("SOHR_REFETCHES", "10"))
POSTS = 50  # of each theme: 100 posts, which stay 100 versions
THEMES = {"en": "twentytwentythree", "ar": "twentytwentyone"}  # of blocks, and classic
NOISE = ("cookie=1", "related=1", "views=1", "share=1", "ads=1", "seo=1", "nonce=1", "stamp=1", "lastmod=1")


def test_refetches_of_noisy_posts_make_no_version(tmp_path: Path) -> None:
    """Each refetch is a capture of the only version. The feed has one line: the post was created."""
    for edition, theme in THEMES.items():
        wpctl(edition, "theme", theme)
        wpctl(edition, "sim", *NOISE)
    try:
        urls = []
        for edition in THEMES:
            posts = (
                post
                for post in published(edition)
                if not post["content"]["protected"] and lines_of(post["content"]["rendered"])
            )
            if edition == "en":  # a theme of blocks shows no way to a post's further pages (docs/layouts.md)
                posts = (post for post in posts if "<!--nextpage-->" not in post["content"]["rendered"])
            urls += [post["link"] for post in islice(posts, POSTS)]
        assert len(set(urls)) == POSTS * len(THEMES)
        cited = tmp_path / "urls.txt"
        cited.write_text("\n".join(urls) + "\n")
        for look in range(1 + REFETCHES):
            told = crawl(
                tmp_path / "archive",
                "-a",
                f"urls={cited}",
                "-a",
                "look=all",
                "-s",
                "CONCURRENT_REQUESTS_PER_DOMAIN=2",
            )
            assert f"{0 if look else len(urls)} new, 0 changed" in told
    finally:
        for edition in THEMES:
            wpctl(edition, "sim-reset")
            wpctl(edition, "theme", "twentytwentyone")
    versions = (
        "select edition, count(*), min(captures), max(captures) from version_history group by 1 order by 1"
    )
    assert rows(tmp_path / "archive", versions) == [
        (edition, POSTS, 1 + REFETCHES, 1 + REFETCHES) for edition in sorted(THEMES)
    ]
    assert rows(tmp_path / "archive", "select kind, count(*) from changes group by 1") == [
        ("created", POSTS * len(THEMES))
    ]
    assert (
        rows(
            tmp_path / "archive",
            "select reason, count(*) from failures where reason != 'cross_check' group by 1",
        )
        == []
    )
