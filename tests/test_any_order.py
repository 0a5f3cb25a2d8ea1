"""The same captures of the years before, handed over in any order, give the same history: versions with their
times, states, and what the feed says of states that holds in the end.

What a text was when it was learnt (`created`, `updated` or `backfilled`) depends on the order, and so does
the state that a row names as the one before: rows of the feed are never rewritten.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from archive.model import Capture
from archive.rebuild.rebuild import rebuild
from tests.archiving import HOME, Archive, capture, dump
from tests.crawling import rows

OLD_ADDRESS = f"{HOME}en/2016/03/an-old-address/"


def _said(post_id: int, day: str, text: str, **fields: Any) -> Capture:
    return capture(post_id, f"{day}T12:00:00Z", text, "And more.", channel="import", **fields)


def _gone(post_id: int, day: str, status: int = 404) -> Capture:
    return _said(post_id, day, "", status=status, body=b"<title>Not found</title>")


def _at(url: str, one: Capture, *headers: tuple[str, str]) -> Capture:
    return Capture(url, one.status, (*one.headers, *headers), one.body, one.captured_at, channel="import")


def _permanent(post_id: int, day: str, url: str, to: str) -> Capture:
    return _at(url, _said(post_id, day, "", status=301, body=b""), ("Location", to))


STORIES = {
    "deleted": [
        _said(1, "2015-03-01", "A"),
        _said(1, "2016-03-01", "A"),
        _gone(1, "2017-03-01"),
        _gone(1, "2018-03-01", 410),
        _gone(1, "2019-03-01"),
    ],
    "restored": [
        _said(2, "2015-03-01", "A"),
        _said(2, "2015-09-01", "B"),
        _said(2, "2016-03-01", "A"),
        _gone(2, "2017-03-01"),
        _gone(2, "2018-03-01"),
        _said(2, "2019-03-01", "A"),
        _said(2, "2020-03-01", "C"),
    ],
    "flapping": [
        _gone(3, "2014-03-01"),
        _said(3, "2015-03-01", "A"),
        _gone(3, "2016-03-01"),
        _said(3, "2017-03-01", "A"),
        _gone(3, "2018-03-01"),
        _said(3, "2019-03-01", "B"),
        _gone(3, "2020-03-01"),
    ],
    "withheld": [
        _gone(4, "2014-03-01", 451),
        _said(4, "2015-03-01", "A"),
        _said(4, "2017-03-01", "A"),
        _gone(4, "2018-03-01", 451),
        _gone(4, "2019-03-01"),
    ],
    "two addresses": [
        _at(OLD_ADDRESS, _said(5, "2015-03-01", "A")),
        _at(OLD_ADDRESS, _gone(5, "2016-03-01")),
        _at(OLD_ADDRESS, _gone(5, "2017-03-01")),
        _said(5, "2018-03-01", "A"),
        _permanent(5, "2019-03-01", OLD_ADDRESS, f"{HOME}en/5/"),
        _gone(5, "2020-03-01"),
    ],
}
VERSIONS = """select post_id, number, text, v.first_captured_at, v.last_captured_at, captures
    from versions v join articles using (article_id) order by 1, 2"""
STATES = """select post_id, state, missing_looks, missing_since, a.first_captured_at, a.last_captured_at,
    versions, v.number from articles a left join versions v on v.version_id = newest_version_id order by 1"""
CHANGES = """select post_id, kind, said_at, json_extract(c.details, '$.state[1]') from valid_changes c
    join articles using (article_id) where json_extract(c.details, '$.state') is not null order by 1, 3, 2"""


def _history(folder: Path, captures: list[Capture]) -> dict[str, Any]:
    with Archive(folder) as archive:
        for one in captures:  # each by itself: as late as can be
            archive.take(one)
    return {
        name: rows(folder, sql)
        for name, sql in (("versions", VERSIONS), ("states", STATES), ("changes", CHANGES))
    }


def _in_time(captures: list[Capture]) -> list[Capture]:
    return sorted(captures, key=lambda one: one.captured_at)


@pytest.mark.parametrize("name", STORIES)
def test_the_same_captures_in_any_order_give_the_same_history(tmp_path: Path, name: str) -> None:
    """By address, newest first, and in five shuffles; a rebuild of the last gives the same rows."""
    captures = _in_time(STORIES[name])
    expected = _history(tmp_path / "in time", captures)
    orders = [sorted(captures, key=lambda one: (one.url, one.captured_at)), captures[::-1]]
    orders += [sorted(captures, key=lambda one: (one.status == 200, one.captured_at))]  # what is gone first
    orders += [random.Random(seed).sample(captures, len(captures)) for seed in range(5)]
    for number, order in enumerate(orders):
        told = [f"{one.captured_at[:10]} {one.status}" for one in order]
        assert _history(tmp_path / str(number), order) == expected, told
    before = dump(tmp_path / str(number))
    rebuild(tmp_path / str(number))
    assert dump(tmp_path / str(number)) == before


def test_a_disappearance_that_is_learnt_late_is_bounded_in_time(tmp_path: Path) -> None:
    """Learnt last, two looks of 2017 and 2018 say missing since 2017, and back in 2019: nothing else."""
    told = sorted(STORIES["restored"], key=lambda one: (one.status, one.captured_at))
    found = _history(tmp_path, told)
    assert found["changes"] == [
        (2, "missing", "2017-03-01T12:00:00Z", "missing"),
        (2, "restored", "2019-03-01T12:00:00Z", "live"),
    ]
    assert found["states"][0][:2] == (2, "live")
