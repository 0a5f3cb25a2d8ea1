"""The same captures of the years before, handed over in any order, give the same history: versions with their
times and what they state, addresses, states, and what the feed says of states that holds in the end.

What a text was when it was learnt (`created`, `updated` or `backfilled`) depends on the order, and so does
the state that a row names as the one before: rows of the feed are never rewritten.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from archive.model import Capture
from tests.archiving import HOME, Archive, capture, check_rebuild, page
from tests.crawling import rows

OLD_ADDRESS = f"{HOME}en/2016/03/an-old-address/"


def _said(post_id: int, day: str, text: str, **fields: Any) -> Capture:
    return capture(
        post_id, f"{day}T12:00:00Z", text, "And more.", channel="import", source="import", **fields
    )


def _gone(post_id: int, day: str, status: int = 404) -> Capture:
    return _said(post_id, day, "", status=status, body=b"<title>Not found</title>")


def _at(url: str, one: Capture, *headers: tuple[str, str]) -> Capture:
    return Capture(
        url,
        one.status,
        (*one.headers, *headers),
        one.body,
        one.captured_at,
        channel="import",
        source="import",
    )


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
VERSIONS = """select post_id, number, text, title, v.layout, modified_at, v.first_captured_at,
    v.last_captured_at, captures, f.captured_at, l.captured_at
    from versions v join articles using (article_id)
    join captures f on f.capture_id = first_capture_id join captures l on l.capture_id = last_capture_id
    order by 1, 2"""
STATES = """select post_id, state, missing_looks, missing_since, a.first_captured_at, a.last_captured_at,
    versions, v.number, (select m.post_id from articles m where m.article_id = a.moved_to)
    from articles a left join versions v on v.version_id = newest_version_id
    where state is not null order by 1"""
# A first state is told by `created` or by `metadata`; `unreadable` is no state of the site's
CHANGES = """select post_id, iif(kind = 'created', 'metadata', kind) as kind, said_at,
    json_extract(c.details, '$.state[1]') as told from valid_changes c join articles using (article_id)
    where told is not null and told != 'unreadable' order by 1, 3, 2"""
ALIASES = """select aliases.url, post_id from aliases join articles using (article_id)
    where state is not null order by 1"""


def _history(folder: Path, captures: list[Capture]) -> dict[str, Any]:
    with Archive(folder) as archive:
        archive.take(*captures)
    return {
        name: rows(folder, sql)
        for name, sql in (
            ("versions", VERSIONS),
            ("states", STATES),
            ("changes", CHANGES),
            ("aliases", ALIASES),
        )
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
    check_rebuild(tmp_path / str(number))


def test_a_disappearance_that_is_learnt_late_is_bounded_in_time(tmp_path: Path) -> None:
    """Learnt last, two looks of 2017 and 2018 say missing since 2017, and back in 2019: nothing else."""
    told = sorted(STORIES["restored"], key=lambda one: (one.status, one.captured_at))
    found = _history(tmp_path, told)
    assert found["changes"] == [
        (2, "missing", "2017-03-01T12:00:00Z", "missing"),
        (2, "restored", "2019-03-01T12:00:00Z", "live"),
    ]
    assert found["states"][0][:2] == (2, "live")


def _themed(day: str, figure: int, mark: str, beside: str = "") -> Capture:
    """A page with the mark of a theme around its text, and ``beside`` it."""
    line = f"Violence in the village of Kafr killed {figure} people on that day, activists say. " * 5
    body = page("A title", line).replace(b'class="entry-content"', f'class="entry-content {mark}"'.encode())
    return _said(1, day, "", body=body.replace(b"</article>", f"{beside}</article>".encode()))


def test_an_edit_on_a_change_of_theme_is_an_edit_if_a_second_reader_agrees(tmp_path: Path) -> None:
    """Whatever theme the page of an edit has, and in any order. A page of which the theme's place holds
    something else than the article waits."""
    old, new, newest = "entry clearfix", "single-post-content", "rbct"
    story = "".join(
        f"<p>The {n} families left the town of Douma, and {n} houses burnt.</p>" for n in range(90)
    )
    captures = [
        _themed("2019-03-01", 3, old),
        _themed("2021-03-01", 4, new),
        _themed("2022-03-01", 4, new),
        _themed("2023-03-01", 5, newest),
        _themed("2024-03-01", 6, newest, f'<div class="story">{story}</div>'),
    ]
    for number, order in enumerate((captures, captures[::-1], [captures[n] for n in (4, 1, 0, 3, 2)])):
        found = _history(tmp_path / str(number), order)
        spans = [(row[6][:4], row[7][:4]) for row in found["versions"]]
        assert spans == [("2019", "2019"), ("2021", "2022"), ("2023", "2023")], order
        assert rows(
            tmp_path / str(number), "select captured_at from captures where outcome = 'quarantined'"
        ) == [("2024-03-01T12:00:00Z",)]
    [(layouts,)] = rows(tmp_path / "0", "select json_group_array(layout) from versions order by number")
    assert layouts == '["tielabs","publisher","foxiz"]'


# -- all kinds of captures, at random ------------------------------------------------------------------------

THEMES = {"publisher": "single-post-content", "tielabs": "clearfix", "foxiz": "rbct", "general": ""}
ROUNDS, POSTS = 2, 25  # orders, and posts with a story of their own in each; `slow` has more


def _addresses(post_id: int) -> list[str]:
    """Addresses of one post: its own, another spelling of it, by id, and one that does not name the id."""
    own = f"{HOME}en/{post_id}/"
    return [
        own,
        own.replace("http:", "https:"),
        f"{HOME}en/?p={post_id}",
        f"{HOME}en/2016/03/post-{post_id}/",
    ]


def _text(chance: random.Random, post_id: int, day: str) -> Capture:
    """One of three texts, in a theme of the time or of another, as it is or as a cache kept it."""
    word = chance.choice(("three", "five", "nine"))
    marks = chance.choice(("“'", '"’'))  # the same text all the same
    lines = [f"{marks[0]}Post {post_id}{marks[1]}s village lost {word} people, activists say."]
    lines += [
        f"Line {number} of the {word} in the news of post {post_id}."
        for number in range(chance.choice((1, 9)))
    ]
    if chance.random() < 0.2:
        lines = [f"A text of post {post_id}."]
    body = page(f"Title {post_id}", *lines, post_id=post_id)
    if theme := THEMES[chance.choice(tuple(THEMES))]:
        body = body.replace(b'class="entry-content"', f'class="entry-content entry {theme}"'.encode())
    stated = (
        f'<meta property="article:modified_time" content="{chance.choice((2013, 2014))}-01-01T00:00:00Z">'
    )
    body = body.replace(b"</head>", stated.encode() + b"</head>")
    return _said(post_id, day, "", body=body)


def _other(chance: random.Random, post_id: int, day: str) -> Capture:
    """Anything that is not the text."""
    kind = chance.choice(
        (
            "gone",
            "gone",
            "gone",
            "moved",
            "moved",
            "alias",
            "elsewhere",
            "home",
            "protected",
            "unread",
            "cut",
            "soft404",
        )
    )
    own, by_id, slug = _addresses(post_id)[0], f"{HOME}en/?p={post_id}", _addresses(post_id)[3]
    match kind:
        case "gone":
            return _gone(post_id, day, chance.choice((404, 410, 451)))
        case "moved":
            return _permanent(post_id, day, by_id, f"{HOME}en/{chance.choice((post_id + 1, post_id + 2))}/")
        case "alias":
            return _permanent(post_id, day, slug, own)
        case "elsewhere":
            return _at(
                own, _said(post_id, day, "", status=302, body=b""), ("Location", f"{HOME}en/{post_id + 1}/")
            )
        case "home":
            return _permanent(post_id, day, own, f"{HOME}en/")
        case "soft404":
            return _said(post_id, day, "", body=b"<title>Page not found</title>")
        case "cut":
            return _said(post_id, day, "", body=page("A title", "Three", post_id=post_id)[:-60])
        case "unread":
            return _said(post_id, day, "", body=b"<html><body><b>An old theme</b></body></html>")
    asks = b'<form class="post-password-form"></form>'
    body = page("A title", "x", post_id=post_id).replace(b"<p>x</p>", asks)
    return _said(post_id, day, "", body=body)


def _invent(seed: int) -> list[Capture]:
    """Captures of several posts, each at its own time; each story has posts of its own."""
    chance, captures = random.Random(seed), list[Capture]()
    for number in range(POSTS):
        days = chance.sample(
            [f"{year}-{month:02}-10" for year in range(2014, 2026) for month in (2, 5, 8, 11)], 8
        )
        for day in days:
            post_id = 100 + 10 * number
            one = (_text if chance.random() < 0.55 else _other)(chance, post_id, day)
            if one.status not in (301, 302) and chance.random() < 0.5:
                one = _at(chance.choice(_addresses(post_id)), one)
            if chance.random() < 0.1:
                one = _at(one.url, one, ("Age", str(chance.choice((60, 86400 * 400)))))
            captures.append(one)
    return captures


def _differences(folder: Path, seed: int) -> list[str]:
    """How the histories of two orders of one set of captures differ."""
    captures = _in_time(_invent(seed))
    expected = _history(folder / "in time", captures)
    shuffled = random.Random(-seed).sample(captures, len(captures))
    found = _history(folder / "shuffled", shuffled)
    return [
        f"seed {seed}: {name}: {sorted(set(expected[name]) ^ set(found[name]), key=repr)}"
        for name in expected
        if expected[name] != found[name]
    ]


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_captures_of_all_kinds_in_any_order_give_the_same_history(tmp_path: Path, seed: int) -> None:
    """Texts, edits and what came back, five statuses, redirects, themes, caches, addresses: shuffled."""
    assert _differences(tmp_path, seed) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 140))
def test_a_thousand_shuffled_stories(tmp_path: Path, seed: int) -> None:
    """The same, for 40 times as many posts."""
    assert _differences(tmp_path, seed) == []
