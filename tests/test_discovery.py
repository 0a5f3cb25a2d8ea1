"""Nothing is missed, whichever channel alone shows it; and a run on a site that did not change costs next to
nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.archiving import sohr
from tests.crawling import AGAIN, article_requests, asked, crawl, rows, states, versions
from tests.replica.posts import Post
from tests.replica.server import Replica


@pytest.fixture
def site() -> Iterator[Replica]:
    with Replica(posts=30) as replica:
        yield replica


CHANNELS = ("home", "date", "category", "feed", "rest", "sitemap")


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Replica, Path, dict[str, Post]]]:
    """260 posts, of which six are each in one channel only, and one in none; crawled once."""
    with Replica(posts=130, frozen=True, days=40) as site:
        posts = [post for post in site.posts("en") if not post.odd]
        own = {channel: posts[10 + 15 * n] for n, channel in enumerate((*CHANNELS, "sweep"))}
        for channel, post in own.items():
            hidden = [name for name in CHANNELS if name != channel]
            if channel == "feed":  # the feed is a log of edits, not walked whole beside the others
                site.call("edit", edition="en", post_id=post.post_id, title="Seen in the feed alone")
            site.call("hide", edition="en", post_id=post.post_id, channels=hidden)
        folder = tmp_path_factory.mktemp("spread") / "archive"
        assert crawl(site, folder, "budget=0").status == 0
        yield site, folder, own


class TestDiscovery:
    """Nothing is missed, whichever channel alone shows it; and nothing is asked for needlessly."""

    def test_each_channel_shows_what_it_alone_has(
        self, spread: tuple[Replica, Path, dict[str, Post]]
    ) -> None:
        """All posts are captured, and the audit says which channel showed each."""
        site, folder, own = spread
        for turn in range(1, 7):  # one category a run
            assert crawl(site, folder, "look=none", ARCHIVE_CLOCK=f"+{turn}m").status == 0
        sql = (
            "select channel from sightings join articles using (article_id) where edition = 'en' and "
            "post_id = ? and state = 'live'"
        )
        found = {
            channel: {name for (name,) in rows(folder, sql, post.post_id)} for channel, post in own.items()
        }
        assert found == {channel: {channel} for channel in CHANNELS} | {"sweep": set()}
        assert len(states(folder)) == 259
        alone = (
            "select channel, sum(alone) from channel_coverage where edition = 'en' group by channel "
            "having sum(alone) > 0"
        )
        assert dict(rows(folder, alone)) == dict.fromkeys(CHANNELS, 1)
        assert all(
            "(1 alone)" in part
            for part in sohr(folder, "audit", "--edition", "en")
            .out.decode()
            .split("\n")[1]
            .split("  ")[-1]
            .split(", ")
        )

    def test_a_sweep_finds_what_no_channel_shows(self, spread: tuple[Replica, Path, dict[str, Post]]) -> None:
        """A sweep finds the post by its number. A number without a post is asked for once a month, an
        archived post never."""
        site, folder, own = spread
        post_id = own["sweep"].post_id
        sweep = f"sweep={post_id - 20}-{post_id + 20}"
        held_already = {i for _, i in states(folder)}
        site.call("set", rest=False)
        site.clear_log()
        assert crawl(site, folder, "edition=en", sweep, ARCHIVE_CLOCK="+12h").status == 0
        expected = {f"/en/{i}/" for i in range(post_id - 20, post_id + 21) if i not in held_already}
        assert article_requests(site) == dict.fromkeys(expected, 1) and len(expected) > 30
        sql = (
            "select channel from sightings join articles using (article_id) where edition = 'en' and "
            "post_id = ? and state = 'live'"
        )
        assert rows(folder, sql, post_id) == [("sweep",)]
        for clock, again in (("+13h", 0), ("+50d", len(expected) - 1)):
            site.clear_log()
            assert crawl(site, folder, "edition=en", sweep, ARCHIVE_CLOCK=clock).status == 0
            assert len(article_requests(site)) == again

    def test_a_sweep_asks_rest_for_a_hundred_at_once(self, site: Replica, tmp_path: Path) -> None:
        """What is there comes in, what is not is remembered; two questions for 150 ids."""
        first = min(post.post_id for post in site.posts("ar"))
        for clock, questions in (("+0s", 2), ("+1h", 0)):
            site.clear_log()
            assert (
                crawl(
                    site, tmp_path / "a", "edition=ar", f"sweep={first}-{first + 149}", ARCHIVE_CLOCK=clock
                ).status
                == 0
            )
            assert len(asked(site, lambda path: "include=" in path)) == questions
        there = {post.post_id for post in site.posts("ar") if post.post_id < first + 150}
        assert {i for (_, i), state in states(tmp_path / "a").items() if state} == there

    @pytest.mark.parametrize("given", ["9-5", "1-", "a-b", "0-5", "1-9999999", "1-5 "])
    def test_bad_ranges_end_with_2(self, site: Replica, tmp_path: Path, given: str) -> None:
        """With a sentence that says what would do; nothing is asked."""
        done = crawl(site, tmp_path / "a", "edition=en", f"sweep={given}")
        assert done.status == 2 and "sweep=" in done.stderr and not asked(site)


class TestUnchanged:
    """A run on a site that did not change costs it next to nothing."""

    @pytest.mark.slow
    def test_a_thousand_posts_unchanged(self, tmp_path: Path) -> None:
        """No version, no article's body beyond looks; robots.txt and one request a channel and edition on its
        cadence, from the server's log."""
        with Replica(posts=500, frozen=True, per_page=100) as site:
            turn = 0
            assert crawl(site, tmp_path / "a", "budget=0").status == 0
            while rows(
                tmp_path / "a", "select 1 from channels where channel = 'category' and asked_at is null"
            ):
                turn += 1
                assert (
                    crawl(site, tmp_path / "a", "look=none", "budget=0", ARCHIVE_CLOCK=f"+{turn}m").status
                    == 0
                )
            assert len(states(tmp_path / "a")) == 1000
            count = versions(tmp_path / "a")

            site.clear_log()
            assert crawl(site, tmp_path / "a", ARCHIVE_CLOCK=f"+{turn + 1}m").status == 0
            assert asked(site) == AGAIN
            assert [entry["status"] for entry in site.log() if "/feed/" in str(entry["path"])] == [304, 304]

            # The first looks compare REST's text with nothing: each page once, ten questions
            site.clear_log()
            assert crawl(site, tmp_path / "a", ARCHIVE_CLOCK="+1h").status == 0
            looks = [path for path in asked(site) if "include=" in path]
            assert 10 <= len(looks) <= 12

            site.clear_log()  # from then on a hundred in one request
            assert crawl(site, tmp_path / "a", ARCHIVE_CLOCK="+3h").status == 0
            paths = asked(site)
            looks = [path for path in paths if "include=" in path]
            edited = [path for path in paths if "modified_after=" in path]
            textless = len(
                rows(tmp_path / "a", "select 1 from articles where state in ('protected', 'empty')")
            )
            assert (
                10 <= len(looks) <= 12
                and len(edited) == 2
                and sum(article_requests(site).values()) == textless
            )
            assert len(paths) == len(AGAIN) + len(looks) + len(edited) + textless
            assert versions(tmp_path / "a") == count

            site.clear_log()  # a day later: sitemaps, and one category an edition
            assert crawl(site, tmp_path / "a", "look=none", ARCHIVE_CLOCK="+25h").status == 0
            others = [path for path in asked(site) if path not in AGAIN and "modified_after=" not in path]
            assert len([path for path in others if path.endswith(".xml")]) == 4 and len(others) == 6
        # Rebuilt beside it: the same rows, channels and digests too
        assert sohr(tmp_path / "a", "verify", "--deep").status == 0
