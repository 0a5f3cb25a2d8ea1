"""What looks find is judged together: trouble of the site in bulk accuses nobody."""

from __future__ import annotations

import json
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.ingest.bulk import find_bulk
from tests.archiving import check_rebuild, sohr, well
from tests.bytewise import Site, http
from tests.crawling import Crawled, crawl, rows, running, states, until
from tests.first_crawl import FirstCrawl

IDS = tuple(range(101, 107))
GONE = http("<title>Page not found</title>", "404 Not Found")


@pytest.fixture(scope="module")
def first_crawl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirstCrawl]:
    with Site() as site:
        site.publish(*IDS)
        yield FirstCrawl(site, tmp_path_factory.mktemp("first") / "archive")


@pytest.fixture
def site(first_crawl: FirstCrawl) -> Site:
    """The site, as it was at the first crawl."""
    return first_crawl.restore_site()


@pytest.fixture
def folder(first_crawl: FirstCrawl, tmp_path: Path) -> Path:
    """The archive after the first crawl."""
    return first_crawl.copy_archive(tmp_path / "a")


def run(site: Site, folder: Path, *arguments: str, clock: str = "") -> Crawled:
    return crawl(site.url, folder, "edition=en", *arguments, ARCHIVE_CLOCK=clock, RETRY_TIMES=0)


def kinds(folder: Path) -> list[str]:
    """What the feed says besides that posts were found."""
    return [kind for (kind,) in rows(folder, "select kind from changes where kind != 'created' order by seq")]


def test_what_is_bulk() -> None:
    """Five or more of a kind, and at least half of the looks."""
    counts = Counter({"missing": 5, "updated": 4})
    assert find_bulk(counts, 10) == {"missing"}
    assert find_bulk(counts, 11) == set() == find_bulk(Counter({"missing": 4}), 4)


def test_a_mass_404_is_held_for_as_long_as_it_lasts(site: Site, tmp_path: Path) -> None:
    """Every crawl says so, the feed says nothing; when the posts answer again it is forgotten, also of a post
    that never had a text."""
    folder = tmp_path / "a"
    site.put_post(IDS[0], "")
    assert run(site, folder).status == 0
    well_before = states(folder)
    before = dict(site.answers)
    for post_id in IDS:
        site.answers[f"/en/{post_id}/"] = GONE
    for clock in ("+1h", "+26h", "+52h", "+100h", "+8d", "+9d"):
        done = run(site, folder, clock=clock)
        assert done.status == 69 and "sohr-archive held" in done.stderr, done.stderr[-2000:]
        assert states(folder) == well_before and kinds(folder) == []
    check_rebuild(folder)
    site.answers = before
    assert run(site, folder, clock="+10d").status == 0
    assert kinds(folder) == [] and rows(folder, "select count(*) from pending_outcomes") == [(0,)]


def test_an_edition_may_break_alone(site: Site, tmp_path: Path) -> None:
    """All English posts answer 404, while twice as many Arabic ones and both listings are well: held, and not
    proven by the Arabic posts."""
    folder, arabic = tmp_path / "a", range(501, 513)
    site.publish(*arabic, edition="ar")

    def both(clock: str) -> Crawled:
        return crawl(site.url, folder, "look=all", ARCHIVE_CLOCK=clock, RETRY_TIMES=0)

    assert both("").status == 0
    for post_id in IDS:
        site.answers[f"/en/{post_id}/"] = GONE
    for clock in ("+1h", "+4d", "+8d", "+9d"):
        done = both(clock)
        assert done.status == 69 and "sohr-archive held" in done.stderr, done.stderr[-2000:]
        assert kinds(folder) == [] and set(states(folder).values()) == {"live"}
    check_rebuild(folder)


@pytest.mark.parametrize("case", ["301", "302", "410", "not found", "451", "moved", "empty"])
def test_the_same_answer_for_all_posts_is_held(site: Site, folder: Path, case: str) -> None:
    """Whatever it is: to the home page, gone, another post, a page without text."""
    site.put_post(200, "Another post that was here all the time.")
    for post_id in IDS:
        path = f"/en/{post_id}/"
        if case in ("301", "302"):
            site.redirect(path, "/en/", int(case))
        elif case == "moved":
            site.redirect(path, "/en/200/")
            site.redirect(f"/en/?p={post_id}", "/en/200/")
        elif case == "empty":
            site.put_post(post_id, "")
        elif case == "not found":
            site.answers[path] = http('<title>Page not found</title><body class="error404">')
        else:
            site.answers[path] = http("<title>Gone</title>", f"{case} Gone")
    site.list_posts(200)
    done = run(site, folder, "look=all", clock="+1h")
    assert done.status == (65 if case == "empty" else 69), done.stderr[-2000:]
    assert kinds(folder) == [] and all(states(folder)["en", post_id] == "live" for post_id in IDS)


@pytest.mark.parametrize("to", ["/en/", "/?s={}", "/en/category/news/"])
def test_a_post_that_leads_where_any_address_leads(site: Site, folder: Path, tmp_path: Path, to: str) -> None:
    """One post redirects to the home page, as an invented address does: held. If only the post does, it is
    missing. One request more, in the crawl that meets it."""
    site.list_posts(*IDS[:5])
    site.redirect("/en/106/", to.format(106), 302)
    with_invented = tmp_path / "b"
    shutil.copytree(folder, with_invented)

    def invented() -> list[str]:
        return [path for path in site.asked if re.fullmatch(r"/en/9\d{8}/", path)]

    assert run(site, folder, "look=all", clock="+1h").status == 0
    assert kinds(folder) == ["missing"] and len(invented()) == 1
    assert run(site, folder, "look=all", clock="+2h").status == 0 and len(invented()) == 1
    site.otherwise = lambda path: http(b"", "302 Found", f"Location: {to.format(path)}")
    done = run(site, with_invented, "look=all", clock="+1h")
    assert done.status == 69 and "any address" in done.stderr
    assert kinds(with_invented) == [] and len(invented()) == 2
    assert run(site, with_invented, "look=none", clock="+2h").status == 69 and len(invented()) == 2
    assert well(with_invented, "held").decode().endswith("1 missing: en:106\n")
    check_rebuild(with_invented)


def test_no_crawl_is_healthy_while_outcomes_are_held(site: Site, tmp_path: Path) -> None:
    """Also not one without looks; the edition's last good crawl stays. Once a post answers again, the others
    are due: two crawls later nothing is held."""
    folder = tmp_path / "a"
    site.publish(501, edition="ar")

    def health() -> dict[str, tuple[bool, str, dict[str, int]]]:
        told = json.loads(well(folder, "status", "--json"))["editions"]
        return {one["edition"]: (one["healthy"], one["last_good_crawl"], one["held"]) for one in told}

    def both(*arguments: str, clock: str) -> int:
        return crawl(site.url, folder, *arguments, ARCHIVE_CLOCK=clock, RETRY_TIMES=0).status

    assert both(clock="") == 0
    first = health()["en"][1]
    before = dict(site.answers)
    for post_id in IDS:
        site.answers[f"/en/{post_id}/"] = GONE
    assert both("look=all", clock="+1h") == 69
    assert both("look=none", clock="+80m") == 69
    [(at,)] = rows(folder, "select finished_at from crawls order by crawl_id desc limit 1")
    assert health() == {"en": (False, first, {"missing": 6}), "ar": (True, at, {})}
    assert (
        "held, and not believed yet: 6 missing (see 'sohr-archive held')" in well(folder, "status").decode()
    )
    assert crawl(site.url, folder, "edition=ar", "look=none", ARCHIVE_CLOCK="+85m").status == 0
    site.answers = before
    assert [both(clock=clock) for clock in ("+130m", "+160m")] == [69, 0]
    assert health()["en"][0::2] == (True, {}) and kinds(folder) == []


def test_the_home_page_in_place_of_all_posts(site: Site, folder: Path) -> None:
    """With status 200: a page came, and it is not the post: 65, and nothing is said of any."""
    for post_id in IDS:
        site.answers[f"/en/{post_id}/"] = site.answers["/en/"]
    assert run(site, folder, "look=all").status == 65
    assert set(states(folder).values()) == {"live"} and kinds(folder) == []


def test_single_posts_that_go_are_told(site: Site, folder: Path) -> None:
    """Two of six: missing at once, in the crawl that saw it."""
    site.list_posts(*IDS[2:])
    for post_id in IDS[:2]:
        site.answers[f"/en/{post_id}/"] = GONE
    assert run(site, folder, "look=all").status == 0
    assert kinds(folder) == ["missing", "missing"]
    assert rows(
        folder,
        "select said_at = captured_at from changes join captures using (capture_id) where kind = 'missing'",
    ) == [(1,), (1,)]


def test_edits_reach_the_items(site: Site, tmp_path: Path) -> None:
    """An edit waits for the end of its crawl; the item of `-O` follows it."""
    folder = tmp_path / "a"
    assert len(run(site, folder).new) == len(IDS)
    site.put_post(103, "The text of post 103 has 7 words in one line.")
    done = run(site, folder, "look=all")
    assert done.status == 0 and [(item["post_id"], item["kind"]) for item in done.new] == [(103, "updated")]
    assert kinds(folder) == ["updated"]
    check_rebuild(folder)


def test_edits_of_all_posts_at_once_are_held(site: Site, folder: Path) -> None:
    """A machine translation, another order of the lines: 65 until it lasted a week."""
    for post_id in IDS:
        site.put_post(post_id, f"Le texte de {post_id} compte plusieurs mots.")
    for clock in ("+1h", "+4d"):
        done = run(site, folder, "look=all", clock=clock)
        assert done.status == 65 and done.new == [], done.stderr[-2000:]
        assert kinds(folder) == []
    assert run(site, folder, "look=all", clock="+8d").status == 0
    assert Counter(kinds(folder)) == {"updated": len(IDS)}
    assert rows(folder, "select distinct versions from articles") == [(2,)]
    check_rebuild(folder)


def test_a_true_mass_deletion_is_told_a_week_later(tmp_path: Path) -> None:
    """Others answer with their text, and no channel lists the posts: what three crawls saw is written."""
    folder = tmp_path / "a"
    with Site() as site:
        ids = tuple(range(101, 121))
        site.publish(*ids)
        assert run(site, folder).status == 0
        site.list_posts(*ids[12:])
        for post_id in ids[:12]:
            site.answers[f"/en/{post_id}/"] = GONE
        assert run(site, folder, "look=all", clock="+1h").status == 69
        assert run(site, folder, clock="+4d").status == 69 and kinds(folder) == []
        assert run(site, folder, clock="+205h").status == 0
        told = Counter(kinds(folder))
        assert told["missing"] == 12 and told["disappeared"] == 12
        check_rebuild(folder)


def test_what_was_told_before_the_trouble_showed_is_retracted(site: Site, folder: Path) -> None:
    """Four posts are missing, an hour later all are: the four were no deletions."""
    before = dict(site.answers)
    for post_id in IDS[:4]:
        site.answers[f"/en/{post_id}/"] = GONE
    run(site, folder, "look=all", clock="+1h")
    assert kinds(folder) == ["missing"] * 4
    for post_id in IDS:
        site.answers[f"/en/{post_id}/"] = GONE
    assert run(site, folder, "look=all", clock="+2h").status == 69
    assert kinds(folder) == ["missing"] * 4 + ["retracted"] * 4
    assert set(states(folder).values()) == {"live"}
    sql = "select r.seq from changes r join changes c on c.seq = r.retracts where c.kind = 'missing'"
    assert len(rows(folder, sql)) == 4
    check_rebuild(folder)
    site.answers = before
    assert run(site, folder, "look=all", clock="+3h").status == 0
    assert kinds(folder) == ["missing"] * 4 + ["retracted"] * 4


def test_trouble_that_a_few_looks_show_in_each_crawl(tmp_path: Path) -> None:
    """All looks answered well in the morning; from noon on one or two a crawl find posts gone: the fifth post
    in a row shows that all are, and what was told of the others is taken back."""
    folder, ids = tmp_path / "a", tuple(range(101, 121))
    with Site() as site:
        site.publish(*ids)
        assert run(site, folder).status == 0
        assert run(site, folder, "look=all", clock="+1h").status == 0
        site.answers |= {f"/en/{post_id}/": GONE for post_id in ids}
        listed = tmp_path / "urls.txt"
        for number, clock in enumerate(("+2h", "+3h", "+4h", "+5h", "+6h")):
            listed.write_text(site.post_url(ids[number]))
            status = 69 if number == 4 else 0
            assert run(site, folder, "look=all", f"urls={listed}", clock=clock).status == status
    assert kinds(folder) == ["missing"] * 4 + ["retracted"] * 4
    assert set(states(folder).values()) == {"live"}
    check_rebuild(folder)


def test_a_crawl_that_is_killed_is_judged_at_the_next_start(site: Site, folder: Path) -> None:
    """What its looks found is written then, with the times of their captures."""
    site.put_post(101, "The text of post 101 has 8 words in one line.")
    site.asked.clear()
    for post_id in IDS[1:]:
        site.answers[f"/en/{post_id}/"] = lambda _, whole=site.answers[f"/en/{post_id}/"]: (
            time.sleep(60 * ("/en/101/" in site.asked)) or whole
        )
    with running(site.url, folder, "edition=en", "look=all") as crawl:
        until(lambda: rows(folder, "select 1 from pending_outcomes"), "the edit to wait")
        crawl.kill(archive=True)
    assert kinds(folder) == []
    assert run(site, folder, "look=none").status == 0
    assert kinds(folder) == ["updated"]
    sql = "select said_at = captured_at from changes join captures using (capture_id) where kind = 'updated'"
    assert rows(folder, sql) == [(1,)]
    check_rebuild(folder)


@pytest.mark.real_process
def test_what_waits_at_ctrl_c_is_written_and_becomes_items(site: Site, tmp_path: Path) -> None:
    """An edit that was found before it is an item of `-O`, although its crawl was stopped."""
    folder, out = tmp_path / "a", tmp_path / "new.jsonl"
    assert run(site, folder).status == 0
    site.asked.clear()
    site.put_post(101, "The text of post 101 has 8 words in one line.")
    for post_id in IDS[1:]:
        whole = site.answers[f"/en/{post_id}/"]
        site.answers[f"/en/{post_id}/"] = lambda _, whole=whole: (
            time.sleep(60 * ("/en/101/" in site.asked)) or whole
        )
    feeds = json.dumps({str(out): {"format": "jsonlines"}})
    with running(site.url, folder, "edition=en", "look=all", FEEDS=feeds) as crawl:
        until(lambda: rows(folder, "select 1 from pending_outcomes"), "the edit to wait")
        crawl.signal(signal.SIGINT)
        assert crawl.wait(20).status == 130
    assert kinds(folder) == ["updated"]
    assert [json.loads(line)["post_id"] for line in out.read_text().splitlines()] == [101]


def test_a_person_accepts_what_is_held(site: Site, folder: Path) -> None:
    """`held` lists the outcomes by crawl. Once accepted, they are written with the times of their
    captures."""
    assert well(folder, "held").decode() == "nothing is held\n"
    for post_id in IDS:
        site.answers[f"/en/{post_id}/"] = GONE
    assert run(site, folder, "look=all", clock="+1h").status == 69
    [[name]] = rows(folder, "select name from crawls order by crawl_id desc limit 1")
    assert well(folder, "held").decode().startswith(f"{name}: 6 missing: en:101, ")
    assert sohr(folder, "held", "--accept", "another").status == 2
    well(folder, "held", "--accept", name)
    assert kinds(folder) == ["missing"] * 6 and set(states(folder).values()) == {"missing"}
    sql = """select distinct said_at = captured_at from changes join captures using (capture_id)
             where kind = 'missing'"""
    assert rows(folder, sql) == [(1,)]
    check_rebuild(folder)


def test_no_look_counts_while_the_newest_listing_is_refused(site: Site, folder: Path) -> None:
    """Two posts answer 404 beside a challenge in place of the home page: nothing is said of them."""
    site.answers["/en/"] = http("<title>Just a moment...</title>", "403 Forbidden")
    for post_id in IDS[:2]:
        site.answers[f"/en/{post_id}/"] = GONE
    assert run(site, folder, "look=all").status == 69
    assert set(states(folder).values()) == {"live"} and kinds(folder) == []
