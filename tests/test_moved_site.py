"""The address asked is not the identity: a site that is served elsewhere within its domain is followed."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from archive.outcome import Served
from archive.sites.hosts import registrable_domain
from archive.sites.moves import find_served
from tests.archiving import sohr, told
from tests.crawling import crawl, records, rows, states
from tests.exact import Exact, http, moved

HOME = "http://www.news.example/"


@pytest.mark.parametrize(
    ("asked", "location", "served"),
    [
        (HOME + "en/5/", "http://news.example/en/5/", Served("http://news.example/")),
        (HOME + "en/", "https://www.news.example/en/", Served("https://www.news.example/")),
        (HOME, "https://news.example/", Served("https://news.example/")),
        (HOME + "en/5/", "/en/5", Served(HOME, has_slash=False)),
        (
            HOME + "en/5/",
            "https://archive.news.example/sohr/en/5/",
            Served("https://archive.news.example/sohr/"),
        ),
        (HOME + "a%d8%a8/5/", "https://news.example/a%D8%A8/5/", Served("https://news.example/")),
        (HOME + "?p=5", "https://news.example/?p=5", Served("https://news.example/")),
        (HOME + "en/5/", "/en/6/", None),
        (HOME + "en/5/", "/", None),
        (HOME, "/en/", None),
        (HOME + "?p=5", "/slug/5/", None),
        (HOME + "en/5/", HOME + "en/5/", None),
        ("https://www.news.example/en/5/", "http://www.news.example/en/5/", None),
    ],
)
def test_what_a_redirect_says_of_the_site(asked: str, location: str, served: Served | None) -> None:
    """The same page elsewhere: the home it is below, and whether paths end with a slash."""
    assert find_served(301, asked, location, (HOME,)) == served
    assert find_served(302, asked, location, (HOME,)) is None


def test_a_served_address() -> None:
    """Only addresses below home are spelled anew."""
    served = Served("https://news.example/", has_slash=False)
    assert served.respell(HOME + "en/5/", HOME) == "https://news.example/en/5"
    assert served.respell(HOME + "en/feed/?paged=2", HOME) == "https://news.example/en/feed?paged=2"
    assert served.respell("http://other.example/", HOME) == "http://other.example/"


def test_registrable_domains() -> None:
    """Hosts of one owner share a registrable domain. A suffix under which anybody may register is not one."""
    same = registrable_domain("www.news.example") == registrable_domain("news.example")
    assert same and registrable_domain("a.co.uk") != registrable_domain("b.co.uk")
    assert registrable_domain("a.github.io") != registrable_domain("b.github.io")
    assert (
        registrable_domain("127.0.0.1") == registrable_domain("localhost") != registrable_domain("10.0.0.1")
    )


def elsewhere(site: Exact, respell: Callable[[str], str]) -> None:
    """From now on each address is answered by a redirect, if it is not spelled as the site wants it."""
    own = site.answer

    def answer(host: str, path: str) -> bytes:
        wanted = respell(f"http://{host}{path}")
        if wanted != f"http://{host}{path}":
            return moved(wanted)
        return own(host, path)

    site.answer = answer  # type: ignore[method-assign]


def without_slash(url: str) -> str:
    return url if url.count("/") <= 4 else url.rstrip("/")


MOVES: dict[str, Callable[[str], str]] = {
    "host": lambda url: url.replace("127.0.0.1", "localhost"),
    "path": lambda url: url.replace("/en/", "/news/en/") if "/news/" not in url and "/en/" in url else url,
}


@pytest.mark.parametrize("how", MOVES)
def test_a_site_that_moves_within_its_domain_is_followed(tmp_path: Path, how: str) -> None:
    """Learnt once: identity stays, looks are answered, new posts found, one request an article; rebuilt
    alike."""
    folder = tmp_path / "a"
    with Exact() as site:
        site.add_posts(range(101, 107))
        assert crawl(site.url, folder, "edition=en").status == 0
        before = rows(folder, "select source, key, url from articles order by 1, 2")
        site.add_posts(range(101, 109))
        if how == "path":
            for path, answer in list(site.answers.items()):
                site.answers["/news" + path] = answer
        elsewhere(site, MOVES[how])
        site.log.clear()
        done = crawl(site.url, folder, "edition=en", "look=all")
        assert done.status == 0, done.stderr[-3000:]
        assert set(states(folder).values()) == {"live"} and len(states(folder)) == 8
        assert rows(folder, "select source, key, url from articles order by 1, 2")[:6] == before
        assert rows(folder, "select max(number) from versions") == [(1,)]
        posts = [path for path in site.paths if path.rstrip("/").rpartition("/")[2].startswith("10")]
        assert len(posts) <= 8 + 1, posts
        [event] = [r for r in records(folder) if b"site-moved" in r.body]
        assert b'"to"' in event.body

        site.log.clear()
        assert crawl(site.url, folder, "edition=en", "look=all").status == 0
        assert len([path for path in site.paths if "/10" in path]) == 8
        assert len(site.paths) == len(set(site.log)), site.log
        every = told(folder)
        assert sohr(folder, "rebuild").status == 0 and told(folder) == every
        site.log.clear()
        assert crawl(site.url, folder, "edition=en", "look=all").status == 0
        assert len(site.paths) == len(set(site.log))


def home_of(folder: Path) -> list[bytes]:
    """What the archive learnt of where the site is."""
    return [record.body for record in records(folder) if b"site-moved" in record.body]


def test_a_few_posts_without_their_slash_are_exceptions(tmp_path: Path) -> None:
    """Two of eight posts lead to themselves without a slash: they are read there, and later asked for there;
    the others as before."""
    folder = tmp_path / "a"
    with Exact() as site:
        site.add_posts(range(101, 109))
        for post_id in (101, 108):
            site.answers[f"/en/{post_id}"] = site.answers[f"/en/{post_id}/"]
            site.answers[f"/en/{post_id}/"] = moved(f"{site.url}en/{post_id}")
        for turn in range(3):
            site.log.clear()
            assert crawl(site.url, folder, "edition=en", "look=all", ARCHIVE_CLOCK=f"+{turn}h").status == 0
            posts = Counter(path.rstrip("/") for path in site.paths if "/10" in path)
            twice = (101, 108) if turn == 0 else ()
            assert posts == {f"/en/{n}": 1 + (n in twice) for n in range(101, 109)}
    assert set(states(folder).values()) == {"live"} and home_of(folder) == []
    assert rows(folder, "select max(number) from versions") == [(1,)]


def test_one_post_on_another_host_does_not_move_the_site(tmp_path: Path) -> None:
    """It leads there for good, and everything else answers as ever: it is a failed page, and says nothing of
    the site nor of the post."""
    folder = tmp_path / "a"
    with Exact() as site:
        site.add_posts(range(101, 109))
        assert crawl(site.url, folder, "edition=en").status == 0
        site.answers["/en/103/"] = moved(f"http://localhost:{site.port}/en/103/")
        for clock in ("+1h", "+2h"):
            site.log.clear()
            done = crawl(site.url, folder, "edition=en", "look=all", ARCHIVE_CLOCK=clock)
            assert done.status == 0, done.stderr[-2000:]
            assert {host.partition(":")[0] for host, _ in site.log} == {"127.0.0.1"}
            assert len([path for path in site.paths if "/10" in path]) == 8
    assert set(states(folder).values()) == {"live"} and home_of(folder) == []
    assert rows(folder, "select distinct kind from changes") == [("created",)]


def test_a_site_without_slashes(tmp_path: Path) -> None:
    """Each address leads to the one without a slash: learnt from three posts, then each is asked for once.
    Later the site has slashes again."""
    folder = tmp_path / "a"
    with Exact() as site:
        site.add_posts(range(101, 113))
        own = site.answer
        site.answers |= {path.rstrip("/"): answer for path, answer in site.answers.items()}
        elsewhere(site, without_slash)
        for turn in range(2):
            site.log.clear()
            assert crawl(site.url, folder, "edition=en", "look=all", ARCHIVE_CLOCK=f"+{turn}h").status == 0
            asked = Counter(path.rstrip("/") for path in site.paths if "/1" in path)
            assert set(asked) == {f"/en/{n}" for n in range(101, 113)}
            assert turn == 0 or asked.total() == 12, asked
        site.answer = own  # type: ignore[method-assign]
        site.add_posts(range(101, 115))
        for path in [path for path in site.answers if path.startswith("/en/")]:
            site.answers[path.rstrip("/")] = moved(f"{site.url.rstrip('/')}{path.rstrip('/')}/")
        site.add_posts(range(101, 115))
        for clock in ("+2h", "+3h"):
            assert crawl(site.url, folder, "edition=en", "look=all", ARCHIVE_CLOCK=clock).status == 0
        every = told(folder)
        assert sohr(folder, "rebuild").status == 0 and told(folder) == every
    assert set(states(folder).values()) == {"live"} and len(states(folder)) == 14
    assert len(home_of(folder)) == 2
    assert rows(folder, "select max(number) from versions") == [(1,)]


def test_a_fresh_archive_of_a_site_that_redirects(tmp_path: Path) -> None:
    """The first crawl follows as well."""
    with Exact() as site:
        site.add_posts(range(101, 107))
        elsewhere(site, MOVES["host"])
        assert crawl(site.url, tmp_path / "a", "edition=en").status == 0
        assert set(states(tmp_path / "a").values()) == {"live"} and len(states(tmp_path / "a")) == 6


def test_a_move_to_another_domain_names_the_command(tmp_path: Path) -> None:
    """The crawl ends with 69 and changes nothing. With the command that it prints, the archive continues
    under the new address, later also without it."""
    folder = tmp_path / "a"
    with Exact() as site, Exact() as other:
        site.add_posts(range(101, 107))
        assert crawl(site.url, folder, "edition=en").status == 0
        before = rows(folder, "select source, key, url from articles order by 1, 2")
        site.answer = lambda host, path: moved(f"http://elsewhere.example{path}")  # type: ignore[method-assign]
        done = crawl(site.url, folder, "edition=en", "look=all")
        assert done.status == 69 and set(states(folder).values()) == {"live"}
        assert f"-a site=http://elsewhere.example/ -a moved_from={site.url}" in done.stderr

        other.add_posts(range(101, 108))
        assert crawl(other.url, folder, "edition=en").status == 2
        line = ("edition=en", "look=all", f"moved_from={site.url}")
        assert crawl(other.url, folder, *line).status == 0
        assert len(states(folder)) == 7 and set(states(folder).values()) == {"live"}
        assert rows(folder, "select source, key, url from articles order by 1, 2")[:6] == before
        assert rows(folder, "select max(number) from versions") == [(1,)]
        site.log.clear()
        assert crawl(other.url, folder, "edition=en", "look=all").status == 0
        assert crawl(site.url, folder, "edition=en", "look=all").status == 0 and not site.log
        every = told(folder)
        assert sohr(folder, "rebuild").status == 0 and told(folder) == every


def test_robots_txt_is_followed_within_the_domain_only(tmp_path: Path) -> None:
    """A robots.txt elsewhere on this machine forbids; one on another site is not asked for."""
    with Exact({"/robots.txt": moved("/rules.txt")}) as site:
        site.answers["/rules.txt"] = http("User-agent: *\nDisallow: /\n", kind="text/plain")
        site.add_posts([101])
        assert crawl(site.url, tmp_path / "a", "edition=en").status == 69
        assert set(site.paths) == {"/robots.txt", "/rules.txt"}
    with Exact({"/robots.txt": moved("http://other.invalid/robots.txt")}) as site:
        site.add_posts([101])
        assert crawl(site.url, tmp_path / "b", "edition=en").status == 0


def test_a_robots_txt_that_cannot_be_unpacked_means_stay_away(tmp_path: Path) -> None:
    """Its rules are there, and nobody can read them."""
    packed = gzip.compress(b"User-agent: *\nDisallow: /\n" * 50)[:40]
    with Exact({"/robots.txt": http(packed, "200 OK", "Content-Encoding: gzip", kind="text/plain")}) as site:
        site.add_posts([101])
        done = crawl(site.url, tmp_path / "a", "edition=en")
        assert done.status == 69 and "so what it forbids is not known" in done.stderr
        assert set(site.paths) == {"/robots.txt"}
