"""A long crawl is judged as it goes: its edits wait for 200 looks, not for its end."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from tests.bytewise import Answer, Site
from tests.crawling import crawl, rows, running, until

IDS = tuple(range(101, 311))


def test_an_edit_is_told_after_200_looks(tmp_path: Path) -> None:
    """The site answers for the last of 210 posts only once the feed has the edit of the first."""
    folder, go = tmp_path / "a", Event()
    with Site() as site:
        site.list_posts(*IDS)
        for post_id in IDS:
            site.put_post(post_id, f"The text of post {post_id} has some words in one line.")
        assert crawl(site.url, folder, "edition=en").status == 0
        [(first,)] = rows(folder, "select post_id from articles order by next_look_at limit 1")
        site.put_post(first, "The text of this post has 7 words in one line.")

        def wait_at_the_last(answer: Answer) -> Answer:
            assert isinstance(answer, bytes)
            posts = set(map(site.path_of, IDS))
            return lambda _: answer if len(posts & set(site.asked)) < len(posts) or go.wait(100) else b""

        site.answers |= {path: wait_at_the_last(site.answers[path]) for path in map(site.path_of, IDS)}
        site.asked.clear()
        told = "select 1 from changes where kind = 'updated'"
        with running(site.url, folder, "edition=en", "look=all") as run:
            until(lambda: rows(folder, told), "the edit to be told")
            assert not run.is_over
            go.set()
            assert run.wait().status == 0
        assert rows(folder, "select count(*) from pending_outcomes") == [(0,)]
