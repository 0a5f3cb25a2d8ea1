"""`scrapy crawl pages`: pages of other sites, from a loopback server of their own, into the archive of a site
that nobody asks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from archive.extract.other_sites import LAYOUT
from tests.archiving import HOME, dump, told, well
from tests.crawling import crawl as sohr_crawl
from tests.crawling import environment, rows
from tests.press import LINES, crawl, page, press
from tests.replica.server import ROOT, Replica


def articles(folder: Path) -> list[tuple[str, str, str, int, str | None]]:
    """source, key, state, versions and next look of each article."""
    return rows(folder, "select source, key, state, versions, next_look_at from articles order by key")


def failures(folder: Path) -> set[tuple[str, str]]:
    """Path and reason of each failure."""
    return {
        ("/" + url.split("/", 3)[3], reason)
        for url, reason in rows(folder, "select url, reason from failures")
    }


def test_cited_pages_come_in_stay_and_are_rebuilt(tmp_path: Path) -> None:
    """One crawl of all that can be cited; then the same again, an edit, a page that is gone; then all of it
    from the evidence alone."""
    folder = tmp_path / "archive"
    with press() as site:
        source = f"<p>Source: {HOME}en/195945/</p><p>[Disclaimer]</p>"
        repost = site.put(
            "/a/repost", page("A wall falls", LINES, canonical=f"{site.url}/a/repost/", tail=source)
        )
        edited = site.put("/b?id=7&lang=en", page("Shops | seventeen to open again", LINES[::-1]))
        site.put("/old", "", 301, Location="/new")
        site.put("/new", page("Under its new address", LINES))
        site.put("/round", "", 302, Location="/trip")
        site.put("/trip", "", 302, Location="/round")
        challenge = (
            "<html><head><title>Just a moment...</title></head><body><p>Checking your browser before "
            "accessing</p></body></html>"
        )
        site.put("/challenge", challenge, 403)
        site.put(
            "/polite",
            "<html><head><title>Just a moment...</title></head><body><p>Enable JavaScript to go on.</p>"
            "</body></html>",
        )
        site.put("/menu", "<html><body><nav><a href='/x'>Home</a></nav></body></html>")
        site.put("/private/secret", page("Not for robots", LINES))
        paths = ("/old", "/round", "/challenge", "/polite", "/menu", "/gone", "/private/secret")
        urls = [
            repost + "?utm_source=feed#top",
            edited,
            *(site.url + path for path in paths),
            "http://127.0.0.1:9/en/1/",
            "mailto:someone@example.org",
        ]
        first = crawl(folder, urls)
        assert "/private/secret" not in site.asked and site.asked.count("/robots.txt") == 1
        host = site.url.removeprefix("http://")
        assert articles(folder) == [
            (host, f"{site.url}/a/repost/", "live", 1, None),
            (host, f"{site.url}/b?id=7&lang=en", "live", 1, None),
            (host, f"{site.url}/new", "live", 1, None),
        ]
        assert failures(folder) == {
            *{
                ("/challenge", "challenge"),
                ("/polite", "challenge"),
                ("/menu", "layout"),
                ("/gone", "missing"),
                ("/private/secret", "not_asked"),
            },
        }
        assert sorted(version["title"] for version in first.new) == [
            "A wall falls",
            "Shops | seventeen to open again",
            "Under its new address",
        ]
        [(edition, post_id, text, url, published, layout)] = rows(
            folder,
            """select edition, post_id, v.text, source_url, v.published_at, v.layout from articles join
               versions v using (article_id)
               where url like '%repost%'""",
        )
        assert (edition, post_id, text.split("\n"), url) == (None, None, LINES, f"{HOME}en/195945/")
        assert (published, layout) == ("2024-03-02T06:00:00Z", LAYOUT)
        assert rows(folder, "select url from links") == [(f"{HOME}en/195945/",)]
        assert rows(
            folder, "select count(*) from captures where requested_url like '%/old' and url like '%/new'"
        ) == [(1,)]
        assert "127.0.0.1:9/en/1/ is not a page of another site" in first.stderr
        assert first.status == 69, first.told  # a third of what was asked for was refused

        site.asked.clear()
        again = crawl(folder, [repost, edited, f"{site.url}/old"])  # /old led to what is held
        assert (again.status, again.new, site.asked) == (0, [], [])
        site.put(
            "/b?id=7&lang=en",
            page("Shops | seventeen to open again", [LINES[2].replace("17", "18"), *LINES[:2]]),
        )
        site.put("/new", "gone", 410)
        looked = crawl(folder, [repost, edited, f"{site.url}/new"], "look=all")
        assert looked.status == 0, looked.told
        assert [(one["kind"], one["number"]) for one in looked.new] == [("updated", 2)]
        assert [row[2:] for row in articles(folder)] == [
            ("live", 1, None),
            ("live", 2, None),
            ("live", 1, None),
        ]
        assert ("/new", "missing") in failures(folder)
    before, said = dump(folder), told(folder)
    for path in folder.glob("archive.db*"):
        path.unlink()
    well(folder, "rebuild")
    assert (dump(folder), told(folder)) == (before, said)


def test_a_host_that_is_down_is_passed_over(tmp_path: Path) -> None:
    """One dead host, or one whose robots.txt fails, costs its own pages and no others'."""
    with press() as good, press() as bad:
        bad.put("/robots.txt", "", 503)
        url = good.put("/page", page("A wall falls", LINES))
        bad.put("/page", page("Not to be seen", LINES))
        done = crawl(tmp_path / "archive", ["http://127.0.0.1:1/dead", f"{bad.url}/page", url])
        assert "/page" not in bad.asked
    assert [version["title"] for version in done.new] == ["A wall falls"]
    assert failures(tmp_path / "archive") >= {
        ("/robots.txt", "no_answer"),
        ("/dead", "not_asked"),
        ("/page", "not_asked"),
    }


def test_cited_pages_cost_the_site_nothing_of_its_day(tmp_path: Path) -> None:
    """What other hosts were asked is not in the daily budget of the archive's site, nor in what `politeness`
    counts against it."""
    folder = tmp_path / "archive"
    with press() as other, Replica(posts=10) as site:
        done = crawl(folder, [other.put(f"/{n}", page(f"Story {n}", LINES)) for n in range(8)], site=site.url)
        assert len(done.new) == 8, done.stderr
        sohr_crawl(site, folder, "budget=6")
        asked = len(site.log())
        assert asked in (6, 7)  # one may be under way when the last is answered
        assert sohr_crawl(site, folder, "budget=6").status == 0 and len(site.log()) == asked
        assert b"over the budget" not in well(folder, "politeness", "--budget", "7")


@pytest.mark.parametrize(
    ("arguments", "told_so"),
    [
        ((), "urls=FILE is missing"),
        (("urls=/no/such/file",), "cannot be read"),
        (("pages=3",), "there is no argument"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path: Path, arguments: tuple[str, ...], told_so: str) -> None:
    """Before anything is made."""
    line = [
        sys.executable,
        "-m",
        "scrapy.cmdline",
        "crawl",
        "pages",
        *(part for a in arguments for part in ("-a", a)),
    ]
    done = subprocess.run(
        [*line, "-s", f"ARCHIVE_DIR={tmp_path / 'none'}"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2 and told_so in done.stderr and not (tmp_path / "none").exists()
