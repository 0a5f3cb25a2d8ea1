"""An edit is `stealth` only if no channel of the site states a newer modified time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from archive.clock import Clock, use
from tests.crawling import rows
from tests.replica.channels import Answer
from tests.replica.site import ReplicaSite
from tests.simulating import PAGE, Simulation

STATED = re.compile(r'(article:modified_time" content=|"dateModified":)"[^"]+"')


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[Simulation]:
    made = Simulation(tmp_path / "a", ReplicaSite(posts=12), "edition=en")
    yield made
    made.close()
    use(Clock("", 0.0))


def keep_time(path: str, answer: Answer) -> Answer:
    """Let pages of articles state one modified time for ever."""
    if not PAGE.fullmatch(path):
        return answer
    return replace(answer, body=STATED.sub(r'\1"2024-01-01T00:00:00+00:00"', answer.body))


def test_a_newer_time_in_a_channel_is_no_silence(simulation: Simulation) -> None:
    """Pages that never state another time accuse nobody whose edit REST or a feed dates."""
    site = simulation.site
    site.trouble = keep_time
    simulation.set_time(site.replica.now + timedelta(hours=1))
    assert simulation.crawl().status == 0
    posts = filter(None, (site.replica.post("en", post_id) for post_id in site.replica.ids("en")))
    honest, silent = [post for post in posts if not post.odd][:2]
    for post, is_silent in ((honest, False), (silent, True)):
        site.replica.edit(edition="en", post_id=post.post_id, title="Another headline", silent=is_silent)
    simulation.set_time(site.replica.now + timedelta(days=3))
    simulation.crawl()
    sql = """select stealth from changes join articles using (article_id)
             where post_id = ? and kind = 'updated'"""
    folder = simulation._folder
    assert [rows(folder, sql, post.post_id) for post in (honest, silent)] == [[(0,)], [(1,)]]
