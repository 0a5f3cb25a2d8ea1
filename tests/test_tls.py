"""A site on https: a move there is followed, and what does not prove whose it is is not read. A real TLS
server on loopback, with certificates made for the test."""

from __future__ import annotations

import json
import ssl
from collections import Counter
from pathlib import Path

import pytest

from tests.archiving import sohr, told
from tests.certificates import Authority
from tests.crawling import crawl, records, rows, states
from tests.exact import Exact, http, moved

EN, ALL = "edition=en", "look=all"


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that the crawls of the test trust."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


def send_to(site: Exact, other: Exact, status: str = "301 Moved Permanently") -> None:
    """From now on every page of a site is at the other one."""
    site.answer = lambda host, path: moved(other.url.rstrip("/") + path, status)  # type: ignore[method-assign]


def test_a_site_that_moves_to_https_is_followed(tmp_path: Path, authority: Authority) -> None:
    """Learnt once for the host, then the old address is not asked any more; identity stays; rebuilt alike."""
    folder = tmp_path / "a"
    with Exact() as old, Exact(tls=authority.server("127.0.0.1")) as new:
        old.add_posts(range(101, 107))
        new.add_posts(range(101, 109))
        assert crawl(old.url, folder, EN).status == 0
        before = rows(folder, "select source, key, url from articles order by 1, 2")
        send_to(old, new)
        old.log.clear()
        done = crawl(old.url, folder, EN, ALL)
        assert done.status == 0, done.stderr[-3000:]
        assert Counter(old.paths) == Counter(["/robots.txt", "/en/"])
        again = {path: number for path, number in Counter(new.paths).items() if number > 1}
        assert again == {"/robots.txt": 2}  # also where the old host's robots.txt leads to
        assert set(states(folder).values()) == {"live"} and len(states(folder)) == 8
        assert rows(folder, "select source, key, url from articles order by 1, 2")[:6] == before
        assert rows(folder, "select max(number) from versions") == [(1,)]
        [event] = [record for record in records(folder) if b"site-moved" in record.body]
        assert json.loads(event.body)["to"] == new.url

        every = told(folder)
        assert sohr(folder, "rebuild").status == 0 and told(folder) == every
        old.log.clear()
        assert crawl(old.url, folder, EN, ALL).status == 0 and old.log == []


def test_a_first_crawl_of_a_site_that_is_on_https(tmp_path: Path, authority: Authority) -> None:
    """The address that was typed is http; both editions are read."""
    with Exact() as old, Exact(tls=authority.server("127.0.0.1")) as new:
        new.add_posts(range(101, 105))
        new.add_posts(range(501, 504), "ar")
        send_to(old, new, "308 Permanent Redirect")
        assert crawl(old.url, tmp_path / "a").status == 0
        assert set(states(tmp_path / "a").values()) == {"live"} and len(states(tmp_path / "a")) == 7
        assert Counter(old.paths) == Counter(["/robots.txt", "/en/"])


def test_never_back_to_http(tmp_path: Path, authority: Authority) -> None:
    """A site on https that sends everything to http is not read there: anybody could have answered."""
    with Exact() as plain, Exact(tls=authority.server("127.0.0.1")) as site:
        site.add_posts(range(101, 107))
        assert crawl(site.url, tmp_path / "a", EN).status == 0
        plain.add_posts(range(101, 109))
        send_to(site, plain)
        done = crawl(site.url, tmp_path / "a", EN, ALL)
        assert done.status == 69, done.stderr[-3000:]
        # Rules are taken from there: the alternative is to ask without any
        assert set(plain.paths) == {"/robots.txt"} and set(states(tmp_path / "a").values()) == {"live"}


@pytest.mark.parametrize("what", ["everything", "posts"])
def test_https_that_leads_to_http_for_a_day(tmp_path: Path, authority: Authority, what: str) -> None:
    """The same host and paths: trouble of the site, with a sentence. Nothing is asked without encryption, and
    an edit is found once https answers again."""
    folder = tmp_path / "a"
    with Exact(tls=authority.server("127.0.0.1")) as site:
        site.add_posts(range(101, 109))
        assert crawl(site.url, folder, EN).status == 0
        before, plain = dict(site.answers), site.url.replace("https", "http").rstrip("/")
        for path in list(site.answers):
            if what == "everything" or "/10" in path:
                site.answers[path] = moved(plain + path)
        for clock in ("+1h", "+5h", "+1d"):
            done = crawl(site.url, folder, EN, ALL, ARCHIVE_CLOCK=clock)
            assert done.status == 69 and "leads from https to http" in done.stderr, done.stderr[-3000:]
        site.answers = before
        site.answers["/en/103/"] = http(site.post(103, text="Another text, of 12 apples."))
        assert crawl(site.url, folder, EN, ALL, ARCHIVE_CLOCK="+26h").status == 0
    assert set(states(folder).values()) == {"live"}
    assert rows(folder, "select kind, count(*) from changes group by 1") == [("created", 8), ("updated", 1)]


def shut_out(authority: Authority) -> ssl.SSLContext:
    """A server that knows no encryption that the client knows."""
    context = authority.server("127.0.0.1")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("PSK-AES128-CBC-SHA")
    return context


TROUBLE = {
    "expired": (lambda authority: authority.server("127.0.0.1", days=-1), "the certificate has expired, or"),
    "unknown": (
        lambda authority: Authority(authority.folder / "other").server("127.0.0.1"),
        "nobody whom this machine",
    ),
    "another": (lambda authority: authority.server("other.example"), "the certificate is another host's"),
    "refused": (shut_out, "site and client agree on no way to encrypt"),
}


@pytest.mark.parametrize("kind", TROUBLE)
def test_a_site_that_does_not_prove_whose_it_is(tmp_path: Path, authority: Authority, kind: str) -> None:
    """69 with a sentence that says which; the client's own words are kept; nothing is read."""
    folder, (make, sentence) = tmp_path / "a", TROUBLE[kind]
    with Exact(tls=make(authority)) as site:
        site.add_posts([101])
        done = crawl(site.url, folder, EN, RETRY_TIMES=0)
        assert done.status == 69 and sentence in done.stderr, done.stderr[-3000:]
        assert "Failure" not in done.stderr and site.log == []
    [(word, detail)] = rows(folder, "select reason, detail from failures")
    assert word == "no_answer" and ("SSL routines" in detail or "VerificationError" in detail)
    assert rows(folder, "select count(*) from captures") == [(0,)]


def test_a_certificate_that_expires_between_two_crawls(tmp_path: Path, authority: Authority) -> None:
    """The archive keeps what it has, and reads on once the site has a new one."""
    folder = tmp_path / "a"
    with Exact(tls=authority.server("127.0.0.1")) as site:
        site.add_posts(range(101, 104))
        assert crawl(site.url, folder, EN).status == 0
        site.tls = authority.server("127.0.0.1", days=-1)
        assert crawl(site.url, folder, EN, ALL, RETRY_TIMES=0).status == 69
        assert set(states(folder).values()) == {"live"}
        site.tls = authority.server("127.0.0.1", days=2)
        site.answers["/en/103/"] = http(site.post(103, text="Another text, of 12 apples."))
        assert crawl(site.url, folder, EN, ALL).status == 0
        assert rows(folder, "select max(number) from versions") == [(2,)]
