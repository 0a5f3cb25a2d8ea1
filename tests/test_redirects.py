"""A redirect is followed, believed or distrusted by what it proves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.ingest.redirects import Proof, judge_redirect, read_location
from archive.model import Capture
from archive.sites.sohr.addresses import Site as Addresses
from tests.bytewise import Site, http
from tests.crawling import Crawled, crawl, rows, states
from tests.first_crawl import FirstCrawl

CASES = Path(__file__).parent / "cases" / "crawl"
IDS = (101, 102, 103, 104, 105, 106)


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


def run(site: Site, folder: Path, *arguments: str, clock: str = "", edition: str = "en") -> Crawled:
    return crawl(site.url, folder, f"edition={edition}", *arguments, ARCHIVE_CLOCK=clock, RETRY_TIMES=0)


def kinds(folder: Path) -> list[str]:
    """What the feed says besides that posts were found."""
    return [kind for (kind,) in rows(folder, "select kind from changes where kind != 'created' order by seq")]


def location(value: str, url: str = "https://example.org/en/1/") -> str:
    return read_location(Capture(url, 301, (("Location", value),), b"", "2026-01-02T00:00:00Z"))


def test_a_location_is_read_as_browsers_do() -> None:
    """Raw UTF-8, spaces, relative, without a scheme, with a fragment, with line ends."""
    raw = "http://example.org/خبر/501/".encode().decode("latin-1")
    assert location(raw) == "http://example.org/%D8%AE%D8%A8%D8%B1/501/"
    assert location(" /en/a b/ ") == "https://example.org/en/a%20b/"
    assert location("../2/") == "https://example.org/en/2/"
    assert location("//example.org/en/2/#top") == "https://example.org/en/2/"
    assert location("/en/\r\n2/") == "https://example.org/en/2/"
    assert location("/en/%D8%AE/") == "https://example.org/en/%D8%AE/"
    assert location("") == "" and location("http://[") == ""


@pytest.mark.parametrize(
    ("to", "status", "proof"),
    [
        ("/en/8/", 302, Proof.DETOUR),
        ("/en/8/", 307, Proof.DETOUR),
        ("/en/8/", 301, Proof.UNSURE),
        ("/en/8/", 308, Proof.UNSURE),
        ("/en/7/?utm_source=x", 302, Proof.SAME),
        ("/en/2015/03/a-slug/", 301, Proof.SAME),
        ("/en/", 301, Proof.MISSING),
        ("/en/", 302, Proof.MISSING),
        ("/en/category/news/", 302, Proof.MISSING),
        ("/?s=post", 302, Proof.MISSING),
        ("/about/", 301, Proof.UNSURE),  # a new permalink, or a page for all that is gone: its id says
        ("/about/", 302, Proof.DETOUR),
        ("/404.html", 302, Proof.MISSING),
        ("/en/page-not-found/", 302, Proof.MISSING),
        ("/en/7/print/", 301, Proof.DETOUR),
        ("/en/a-slug/7/", 301, Proof.DETOUR),
        ("/en/4048/", 302, Proof.DETOUR),
        ("/wp-login.php?redirect_to=/en/7/", 301, Proof.DETOUR),
        ("/maintenance/", 301, Proof.DETOUR),
        ("/consent?to=/en/7/", 307, Proof.DETOUR),
        ("https://hosting.example/suspended", 301, Proof.DETOUR),
        ("/en/7/", 302, Proof.DETOUR),
    ],
)
def test_what_a_redirect_proves(to: str, status: int, proof: Proof) -> None:
    """By its status and by where it leads."""
    addresses = Addresses("https://example.org/")
    url = "https://example.org/en/7/"
    answer = Capture(url, status, (("Location", to),), b"", "2026-01-02T00:00:00Z")
    address = addresses.parse(url)
    assert address is not None
    assert judge_redirect(answer, address, read_location(answer), addresses)[0] is proof


@pytest.mark.parametrize("case", ["log-in", "maintenance", "consent", "suspended", "itself"])
def test_a_wall_before_all_posts_is_trouble_of_the_site(site: Site, folder: Path, case: str) -> None:
    """69, and nothing is said of any post."""
    for post_id in IDS:
        path = site.path_of(post_id)
        if case == "log-in":
            port = site.url.rsplit(":", 1)[1].strip("/").encode()
            site.answers[path] = (CASES / "login-302.http").read_bytes().replace(b"9224", port)
        elif case == "maintenance":
            site.redirect(path, "/maintenance/", 302)
        elif case == "consent":
            site.redirect(path, f"/consent?to={path}", 307)
        elif case == "suspended":
            site.redirect(path, "https://hosting.example/suspended.page/", 302)
        else:
            site.redirect(path, path, 302, "Set-Cookie: seen=1")
    done = run(site, folder, "look=all")
    assert done.status == 69, done.stderr[-2000:]
    assert set(states(folder).values()) == {"live"} and kinds(folder) == []


@pytest.mark.parametrize("status", ["300 Multiple Choices", "304 Not Modified", "305 Use Proxy"])
@pytest.mark.parametrize("what", ["posts", "listing"])
def test_other_answers_of_300_and_more_are_trouble_of_the_site(
    site: Site, folder: Path, status: str, what: str
) -> None:
    """No text came, also where nothing was asked under a condition: 69, and the next crawl reads on."""
    before = dict(site.answers)
    for path in ["/en/"] if what == "listing" else map(site.path_of, IDS):
        site.answers[path] = http(b"", status, "Location: /en/")
    assert run(site, folder, "look=all", clock="+1h").status == 69
    assert set(states(folder).values()) == {"live"} and kinds(folder) == []
    site.answers = before
    assert run(site, folder, "look=all", clock="+2h").status == 0


def test_a_guess_of_wordpress_is_no_move(tmp_path: Path) -> None:
    """A deleted Arabic post: its slug leads to a post whose slug begins alike, its id to nothing."""
    with Site() as site:
        site.publish(501, 502, edition="ar")
        folder = tmp_path / "a"
        assert run(site, folder, edition="ar").status == 0
        site.list_posts(502, edition="ar")
        site.redirect(site.path_of(501, "ar"), site.post_url(502, "ar"))
        assert run(site, folder, "look=all", edition="ar").status == 0
        assert states(folder) == {("ar", 501): "missing", ("ar", 502): "live"}
        site.asked.clear()
        assert run(site, folder, "look=all", edition="ar").status == 0
        assert "/?p=501" in site.asked


def test_a_move_that_the_id_confirms(tmp_path: Path) -> None:
    """Slug and id lead to another post for good. It is looked at again, and may be itself again."""
    with Site() as site:
        site.publish(501, 502, edition="ar")
        folder = tmp_path / "a"
        assert run(site, folder, edition="ar").status == 0
        before = site.answers[site.path_of(501, "ar")]
        site.redirect(site.path_of(501, "ar"), site.post_url(502, "ar"))
        site.redirect("/?p=501", site.post_url(502, "ar"))
        # While a listing shows it, it is not moved
        run(site, folder, "look=all", edition="ar")
        assert states(folder)["ar", 501] == "live" and kinds(folder) == []
        site.list_posts(502, edition="ar")
        assert run(site, folder, "look=all", edition="ar", clock="+2h").status == 0
        assert states(folder)["ar", 501] == "moved" and kinds(folder) == ["moved"]
        site.asked.clear()
        assert run(site, folder, edition="ar", clock="+1d").status == 0
        assert site.path_of(501, "ar") in site.asked and kinds(folder) == ["moved"]
        site.answers[site.path_of(501, "ar")] = before
        assert run(site, folder, "look=all", edition="ar", clock="+2d").status == 0
        assert states(folder)["ar", 501] == "live" and kinds(folder) == ["moved", "restored"]


def test_one_post_that_leads_elsewhere_for_the_moment(site: Site, folder: Path) -> None:
    """302 to another post for one crawl; then it is itself again, edited: its second version."""
    site.redirect("/en/103/", "/en/104/", 302)
    assert run(site, folder, "look=all").status == 0
    assert states(folder)["en", 103] == "live" and kinds(folder) == []
    site.put_post(103, "The text of post 103 has 5 words more in one line.")
    assert run(site, folder, clock="+2h").status == 0
    assert kinds(folder) == ["updated"]


def test_a_location_in_raw_utf8_is_followed(tmp_path: Path) -> None:
    """As browsers do: the article is read."""
    with Site() as site:
        port = site.url.rsplit(":", 1)[1].strip("/").encode()
        site.publish(501, edition="ar")
        path = "/%D8%AE%D8%A8%D8%B1-%D8%A3%D9%88%D9%84/501/"
        site.answers[path] = site.answers[site.path_of(501, "ar")]
        site.answers[site.path_of(501, "ar")] = (
            (CASES / "location-utf8.http").read_bytes().replace(b"9221", port)
        )
        assert run(site, tmp_path / "a", edition="ar").status == 0
        assert states(tmp_path / "a") == {("ar", 501): "live"} and path in site.asked


def test_a_post_that_somebody_ordered_away(site: Site, folder: Path) -> None:
    """451 on one post is its own state, and it may come back."""
    before = site.answers["/en/103/"]
    site.answers["/en/103/"] = http("<title>Unavailable</title>", "451 Unavailable For Legal Reasons")
    assert run(site, folder, "look=all").status == 0
    assert states(folder)["en", 103] == "withheld" and kinds(folder) == ["metadata"]
    site.answers["/en/103/"] = before
    assert run(site, folder, "look=all").status == 0
    assert states(folder)["en", 103] == "live" and kinds(folder) == ["metadata", "restored"]


def test_ids_that_never_gave_an_article(site: Site, tmp_path: Path) -> None:
    """A link to a post that never was: no state, no change, asked ever more rarely."""
    folder = tmp_path / "a"
    site.list_posts(*IDS, 999)
    assert run(site, folder).status == 0
    site.asked.clear()
    for clock in ("+10m", "+2h", "+4h"):
        assert run(site, folder, clock=clock).status == 0
    assert site.asked.count("/en/999/") == 1
    assert states(folder)["en", 999] is None and kinds(folder) == []


def _put_in_a_circle(site: Site, post_id: int, case: str) -> None:
    """Let an Arabic post lead to itself in another spelling, and that back, or for ever on."""
    path = site.path_of(post_id, "ar")
    other = f"/another-slug-{post_id}/{post_id}/"
    if case == "capitals":
        site.redirect(path, path.replace("slug", "%73lug"))
        site.redirect(path.replace("slug", "%73lug"), path)
    elif case == "slash":
        site.redirect(path, path.rstrip("/"), 302)
        site.redirect(path.rstrip("/"), path, 302)
    elif case == "slugs":
        site.redirect(path, other, 302)
        site.redirect(other, path, 302)
    elif case == "query":
        for n in range(20):
            site.redirect(path + f"?n={n}" if n else path, f"{path}?n={n + 1}", 302)
    else:  # for ever
        site.redirect(path, f"/on-1/{post_id}/", 302)
        for n in range(1, 20):
            site.redirect(f"/on-{n}/{post_id}/", f"/on-{n + 1}/{post_id}/", 302)


@pytest.mark.parametrize(
    ("case", "most"), [("capitals", 2), ("slash", 2), ("slugs", 2), ("query", 7), ("for ever", 7)]
)
def test_a_redirect_in_a_circle_is_a_failed_page(tmp_path: Path, case: str, most: int) -> None:
    """Between spellings of one address: of one post it is counted and no more, of all of an edition it ends
    with 69."""
    folder, ids = tmp_path / "a", range(501, 509)
    with Site() as site:
        site.publish(*IDS[:2])
        site.publish(*ids, edition="ar")
        assert run(site, folder, edition="all").status == 0
        _put_in_a_circle(site, 501, case)
        site.asked.clear()
        done = run(site, folder, "look=all", edition="all", clock="+2h")
        assert done.status == 0, done.stderr[-2000:]
        asked = [path for path in site.asked if "501" in path]
        assert 2 <= len(asked) <= most, asked
        [(counts,)] = rows(folder, "select counters from crawls order by crawl_id desc limit 1")
        assert json.loads(counts)["editions"]["ar"]["refused"] == 1, counts
        for post_id in ids:
            _put_in_a_circle(site, post_id, case)
        done = run(site, folder, "look=all", edition="all", clock="+4h")
        assert done.status == 69 and "edition ar: " in done.stderr, done.stderr[-2000:]
        assert set(states(folder).values()) == {"live"} and kinds(folder) == []


def test_a_site_that_insists_on_another_spelling_is_read(tmp_path: Path) -> None:
    """Percent signs in small letters where the archive writes capitals: each post is read, as by browsers."""
    with Site() as site:
        site.publish(501, edition="ar")
        small, capital = "/%d8%ae%d8%a8%d8%b1/501/", "/%D8%AE%D8%A8%D8%B1/501/"
        site.answers[small] = site.answers[site.path_of(501, "ar")]
        site.redirect(site.path_of(501, "ar"), small)
        site.redirect(capital, small)
        for clock in ("", "+2h"):
            assert run(site, tmp_path / "a", "look=all", edition="ar", clock=clock).status == 0
            assert small in site.asked
            site.asked.clear()
        assert states(tmp_path / "a") == {("ar", 501): "live"} and kinds(tmp_path / "a") == []
