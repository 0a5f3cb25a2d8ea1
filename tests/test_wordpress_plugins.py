"""Against a real WordPress with plugins of our own (`tests/wordpress/*.php`): boxes around and inside the
text, a magazine as front page, closed channels, a challenge; and what a probe says of each."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.test_probe import probe
from tests.test_wordpress import NOISE, SITE, crawl, published, rows, wpctl
from tests.test_wordpress import pytestmark as pytestmark
from tests.wordpress_html import lines_of, title_of

PLUGINS = Path(__file__).with_name("wordpress")


@contextmanager
def plugins(*names: str) -> Iterator[None]:
    """Must-use plugins, for as long as the block lasts."""
    port = SITE.rstrip("/").rpartition(":")[2]
    state = Path(os.environ.get("WORDPRESS_STATE") or Path(tempfile.gettempdir(), f"wordpress-{port}"))
    folder = state / "www/wp-content/mu-plugins"
    try:
        for name in names:
            shutil.copy(PLUGINS / f"{name}.php", folder)
        yield
    finally:
        for name in names:
            (folder / f"{name}.php").unlink(missing_ok=True)


@contextmanager
def theme(name: str) -> Iterator[None]:
    """Another theme in both editions, for as long as the block lasts."""
    before = "twentytwentyone"  # WordPress starts with it
    try:
        for edition in ("en", "ar"):
            wpctl(edition, "theme", name)
        yield
    finally:
        for edition in ("en", "ar"):
            wpctl(edition, "theme", before)


def check_texts(archive: Path, edition: str) -> None:
    """Title and lines of each post are exactly WordPress's own. Raises AssertionError."""
    sql = "select post_id, title, text from latest_versions where edition = ?"
    held = {post_id: (title, text) for post_id, title, text in rows(archive, sql, edition)}
    posts = {
        post["id"]: (title_of(post["title"]["rendered"]), "\n".join(lines))
        for post in published(edition)
        if not post["content"]["protected"] and (lines := lines_of(post["content"]["rendered"]))
    }
    assert set(held) == set(posts)  # a box is not the text of a post that has none
    wrong = [(post_id, held[post_id], posts[post_id]) for post_id in posts if held[post_id] != posts[post_id]]
    assert not wrong, f"{len(wrong)} of {len(posts)} differ: {wrong[:3]}"


def test_a_busy_magazine_without_channels(tmp_path: Path) -> None:
    """REST, feeds and sitemaps are closed, and home shows a hero and nine headlines: a first crawl finds all.
    Plugins print boxes of other classes, counts and places at each request: texts, lines, titles are exact,
    and a second look makes no version."""
    archive = tmp_path / "a"
    posts = {post["id"] for post in published("en")}
    wpctl("en", "sim", *NOISE)
    try:
        with plugins("boxes", "closed", "front"):
            crawl(archive, "-a", "edition=en")
            found = {post_id for (post_id,) in rows(archive, "select post_id from articles")}
            assert found == posts and len(posts) >= 490
            versions = rows(archive, "select count(*) from versions")
            summary = crawl(archive, "-a", "look=all", "-a", "edition=en")
            assert "0 new, 0 changed" in summary, summary
            assert rows(archive, "select count(*) from versions") == versions
    finally:
        wpctl("en", "sim-reset")
    check_texts(archive, "en")


class TestProbe:
    """What a probe says of a real WordPress."""

    @pytest.mark.parametrize("name", ["twentytwentyone", "twentytwentythree"])
    def test_an_open_site(self, tmp_path: Path, name: str) -> None:
        """A classic theme and one of blocks: each channel is open, each post is read, the cost is known."""
        with theme(name):
            text, found = probe(SITE, tmp_path / "p")
        assert (
            found.exit_status == 0 and found.verdict == "open: 6 of 6 posts could be read in each edition"
        ), text
        assert all(one.posts and one.posts >= 490 for one in found.editions) and found.requests, text
        assert "REST (wp-json)     yes: 100 posts, counts" in text and "feeds state     ETag" in text
        assert "no: " not in text and "names the sitemap" in text

    def test_closed_channels(self, tmp_path: Path) -> None:
        """Named, each with its status; the posts are counted by the pages of home."""
        with plugins("closed"):
            text, found = probe(SITE, tmp_path / "p")
        assert found.exit_status == 0 and "open in neither edition: feed, REST (wp-json), sitemap" in text, (
            text
        )
        assert "closed to visitors (status 403)" in text and "closed to visitors (status 401)" in text
        assert [one.counted_by for one in found.editions] == ["the number of pages of home"] * 2
        assert all(one.posts and 450 <= one.posts <= 550 for one in found.editions), text

    def test_a_challenge(self, tmp_path: Path) -> None:
        """Named; few requests, and nothing is said of what was not seen."""
        with plugins("challenge"):
            text, found = probe(SITE, tmp_path / "p")
        assert found.exit_status == 69 and "refused: the site asks for proof of being human" in text, text
        assert len(found.answers) <= 12 and "not known" in text and "yes:" not in text
