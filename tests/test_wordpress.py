"""Against a real WordPress: what the archive holds is what WordPress itself says, through all the noise a
busy site makes."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.wordpress_html import lines_of, title_of

SITE = os.environ.get("SOHR_WORDPRESS_URL", "")
FOLDER = os.environ.get("SOHR_WORDPRESS", "")
pytestmark = [
    pytest.mark.wordpress,
    pytest.mark.skipif(
        not (SITE and FOLDER),
        reason=(
            "no real WordPress here: set SOHR_WORDPRESS to its folder and SOHR_WORDPRESS_URL to its address"
        ),
    ),
]
ROOT = Path(__file__).parents[1]
NOISE = ("cookie=1", "related=1", "views=1", "share=1", "ads=1", "nonce=1", "stamp=1")


def wpctl(*words: str) -> str:
    """Do something to the site as its owner would."""
    port = SITE.rstrip("/").rpartition(":")[2]
    return subprocess.run(
        [f"{FOLDER}/wpctl", "--port", port, *words], check=True, capture_output=True, text=True, timeout=60
    ).stdout


def crawl(archive: Path, *arguments: str) -> str:
    """The command a user types; its summary."""
    settings = (
        "-s",
        "DOWNLOAD_DELAY=0",
        "-s",
        "AUTOTHROTTLE_ENABLED=False",
        "-s",
        f"ARCHIVE_DIR={archive}",
        "-L",
        "WARNING",
    )
    command = [
        sys.executable,
        "-m",
        "scrapy.cmdline",
        "crawl",
        "sohr",
        "-a",
        f"site={SITE}",
        *settings,
        *arguments,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


def rows(archive: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Rows of the archive's database, read as any reader would."""
    with sqlite3.connect(f"file:{archive}/archive.db?mode=ro", uri=True) as db:
        return db.execute(sql, values).fetchall()


def published(edition: str) -> Iterator[dict[str, Any]]:
    """All published posts as WordPress's REST interface lists them."""
    page = 1
    while True:
        try:
            with urlopen(
                f"{SITE}{'en/' if edition == 'en' else ''}wp-json/wp/v2/posts?per_page=100&page={page}",
                timeout=60,
            ) as answer:
                yield from json.load(answer)
        except HTTPError as error:
            if error.code != 400:  # what WordPress answers behind the last page
                raise
            return
        page += 1


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One crawl of the whole site, with the noise on."""
    folder = tmp_path_factory.mktemp("wordpress")
    for edition in ("en", "ar"):
        wpctl(edition, "sim", *NOISE)
    crawl(folder)
    yield folder
    for edition in ("en", "ar"):
        wpctl(edition, "sim-reset")


@pytest.mark.parametrize("edition", ["en", "ar"])
def test_every_published_post_is_one_article_that_says_what_wordpress_says(
    archive: Path, edition: str
) -> None:
    """No post is missing, none is too many, and each title and line equals REST's, noise or no noise."""
    held = {
        row[0]: row[1:]
        for row in rows(
            archive, "select post_id, title, text from latest_versions where edition = ?", edition
        )
    }
    states = dict(rows(archive, "select post_id, state from articles where edition = ?", edition))
    posts = {post["id"]: post for post in published(edition)}
    assert len(posts) >= 490
    assert set(states) == set(posts)
    for post_id, post in posts.items():
        lines = lines_of(post["content"]["rendered"])
        if post["content"]["protected"]:
            assert states[post_id] == "protected"
        elif not lines:
            assert states[post_id] == "empty"
        else:
            assert states[post_id] == "live"
            assert held[post_id] == (title_of(post["title"]["rendered"]), "\n".join(lines))
    assert sum(state == "live" for state in states.values()) == len(held)


def test_all_aliases_lead_to_their_article(archive: Path) -> None:
    """Every address met names the article whose id it carries, and none is left without one."""
    assert rows(archive, "select count(*) from aliases where article_id is null") == [(0,)]
    wrong = [
        (url, post_id)
        for url, post_id in rows(
            archive, "select a.url, post_id from aliases a join articles using (article_id)"
        )
        if str(post_id) not in url
    ]
    assert wrong == []


def test_a_second_look_at_everything_adds_no_version(archive: Path) -> None:
    """Counters, related posts, ads, nonces and stamps are not the article: what did not change makes no
    version and no change."""
    before = rows(archive, "select count(*), max(seq) from changes")
    versions = rows(archive, "select count(*) from versions")
    summary = crawl(archive, "-a", "look=all")
    assert "0 new, 0 changed" in summary
    assert rows(archive, "select count(*) from versions") == versions
    assert rows(archive, "select count(*), max(seq) from changes") == before


def test_an_edit_a_silent_edit_and_a_deletion_are_named(archive: Path) -> None:
    """An edit, an edit that leaves the modified date, and a trashed post are each seen at the next look."""
    live = [
        row[0]
        for row in rows(
            archive,
            "select post_id from latest_versions where edition = 'en' and length(text) > 200 order by "
            "post_id limit 3",
        )
    ]
    loud, gone, silent = live[0], live[1], live[2]
    wpctl("en", "edit", str(loud), "--append", "<p>The toll rose to 31.</p>")
    wpctl("en", "edit", str(silent), "--append", "<p>It is worth noting.</p>", "--stealth")
    wpctl("en", "trash", str(gone))
    try:
        last = rows(archive, "select max(seq) from changes")[0][0]
        crawl(archive, "-a", "look=all", "-a", "edition=en")
        found = rows(
            archive,
            "select post_id, kind, severity from changes join articles using (article_id) where seq > ? "
            "order by post_id",
            last,
        )
        assert sorted(found) == sorted([(loud, "updated", 3), (silent, "updated", 2), (gone, "missing", 0)])
    finally:
        wpctl("en", "untrash", str(gone))


def told(archive: Path, since: int) -> dict[int, list[tuple[str, int | None]]]:
    """The changes of the English edition after a number, by post: kind and stealth."""
    sql = (
        "select post_id, kind, stealth from changes join articles using (article_id) where edition = "
        "'en' and seq > ? order by seq"
    )
    found: dict[int, list[tuple[str, int | None]]] = {}
    for post_id, kind, stealth in rows(archive, sql, since):
        found.setdefault(post_id, []).append((kind, stealth))
    return found


def at(archive: Path, clock: str) -> tuple[int, dict[int, list[tuple[str, int | None]]]]:
    """A run of the English edition at another time, as a timer starts it: how many pages of articles it
    captured, and its changes."""
    last, captures = rows(
        archive,
        "select (select max(seq) from changes), (select count(*) from captures where channel = 'article')",
    )[0]
    crawl(archive, "-a", "edition=en", "-s", f"ARCHIVE_CLOCK={clock}")
    now = rows(archive, "select count(*) from captures where channel = 'article'")[0][0]
    return now - captures, told(archive, last)


def test_what_an_editor_does_is_noticed_on_the_next_due_run(archive: Path) -> None:
    """Through REST and full-text feeds, with a page only for what differs; then, with REST off and excerpts
    in the feed, by page."""
    at(archive, "+24h")  # REST's first words of each article: nothing to compare with yet
    find = (
        "select post_id from latest_versions where edition = 'en' and state = 'live' and length(text) > "
        "200 order by post_id desc limit 17"
    )
    ids = [row[0] for row in rows(archive, find)][::2]
    edited, silent, trashed, deleted, gone, moved, later, unseen = ids[:8]
    wpctl("en", "edit", str(edited), "--append", "<p>The toll rose to 31.</p>")
    wpctl("en", "edit", str(silent), "--append", "<p>It is worth noting.</p>", "--stealth")
    wpctl("en", "trash", str(trashed))
    wpctl("en", "delete", str(deleted))
    wpctl("en", "gone", str(gone))
    to = json.loads(wpctl("en", "move", str(moved)).splitlines()[-1])["to"]
    added = json.loads(
        wpctl("en", "add", "--title", "Added", "--content", "<p>Six people were injured.</p>").splitlines()[
            -1
        ]
    )
    try:
        pages, changes = at(archive, "+72h")
        kinds = {post_id: [kind for kind, _ in told] for post_id, told in changes.items()}
        assert {i: kinds[i] for i in (edited, silent)} == {edited: ["updated"], silent: ["updated"]}
        assert {i: kinds[i] for i in (trashed, deleted, gone)} == {
            i: ["missing"] for i in (trashed, deleted, gone)
        }
        # Its old address leads elsewhere, but its address by id answers 404: that proves no move
        assert kinds[moved] == ["missing"] and {
            kinds[int(made)][0] for made in (to.split("/")[-2], added["id"])
        } == {"created"}
        # Of hundreds that were due: what differs, what REST has no more, and what has no text
        assert pages < 60

        wpctl("en", "untrash", str(trashed))
        _, changes = at(archive, "+96h")
        assert changes[trashed][0][0] == "restored"

        wpctl("en", "sim", "restoff=1", "feedexcerpt=1")
        wpctl("en", "edit", str(later), "--append", "<p>The toll rose to 41.</p>")
        wpctl("en", "edit", str(unseen), "--append", "<p>It is said.</p>", "--stealth")
        pages, first = at(archive, "+5790m")  # the feed shows the date of the edit, REST nothing
        more, second = at(archive, "+5820m")  # the silent one stands beside it, and is due with it
        assert first[later][0][0] == "updated" and pages + more < 60
        assert (first | second)[unseen] == [("updated", None)]
        # It had answered before, so REST closes only when it has refused three times, an hour apart
        for clock in ("+5890m", "+5960m"):
            at(archive, clock)
        assert rows(
            archive,
            "select is_open from channels where edition = 'en' and channel = 'rest' and scope = 'edited'",
        ) == [(0,)]
    finally:
        wpctl("en", "sim", "restoff=0", "feedexcerpt=0")
