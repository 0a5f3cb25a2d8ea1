"""Nothing of this machine or of its network gets into an archive, unless the user names the host."""

from __future__ import annotations

import http.server
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from crawler.private_addresses import _PublicAddresses, is_public, is_public_name
from tests.crawling import QUICK, archived, asked, run
from tests.replica.server import Replica

# Ways to write 127.0.0.1 that a browser or a resolver reads
DISGUISES = ("0.0.0.0", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "[::ffff:127.0.0.1]", "localhost")


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1"),
        *("224.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1%eth0", "fc00::1", "ff02::1"),
        *("0.1.2.3", "192.0.0.1", "198.18.0.1", "240.0.0.1", "100.127.255.255", "203.0.113.1", "ff0e::1"),
        *("::7f00:1", "::10.0.0.1", "::ffff:0:7f00:1", "64:ff9b:1::808:808", "fec0::1", "fd00::1", "::1%lo"),
        *("2001::1", "2001:db8::1", "3fff::1", "5f00::1", "100::1", "2002:a00:1::", "4000::1"),
    ],
)
def test_private(address: str) -> None:
    """Loopback, private, link-local, multicast and metadata addresses, also inside IPv6."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8", "2002:808:808::"]
)
def test_public(address: str) -> None:
    """Addresses of the internet."""
    assert is_public(address)


def test_names_as_a_proxy_looks_them_up() -> None:
    """Of a name only its spelling can be checked."""
    private = [
        "[::1]",
        "192.168.0.1",
        "a.localhost",
        "localhost.",
        "127.0.0.1.",
        "[::1%25lo]",
        "127.0.0.1%00",
    ]
    private += ["\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "017700000001", "0", "ip6-localhost"]
    private += ["router.local", "intranet", "db.internal", "nas.home.arpa"]
    assert not [name for name in (*DISGUISES, *private) if is_public_name(name)]
    public = [
        "www.syriahr.com",
        "8.8.8.8",
        "dead.beef.example",
        "[2606:4700::1111]",
        "local.example",
        "xn--p1ai.xn--p1ai",
    ]
    assert all(map(is_public_name, public))


def test_an_answer_that_is_both() -> None:
    """Of a name with a public and a private address only the public one is connected to, now and from the
    cache: what is checked is what is connected to."""
    got: list[str] = []
    receiver = SimpleNamespace(
        resolutionBegan=None, resolutionComplete=None, addressResolved=lambda one: got.append(one.host)
    )
    refused: dict[str, str] = {}
    for host in ("10.0.0.1", "8.8.8.8", "::ffff:127.0.0.1"):
        _PublicAddresses(receiver, "a.example", refused).addressResolved(SimpleNamespace(host=host))
    assert got == ["8.8.8.8"] and refused == {"a.example": "::ffff:127.0.0.1"}


def crawl_pages(folder: Path, urls: list[str], site: str = "", **settings: str) -> tuple[int, str]:
    """`scrapy crawl pages` as a person types it, without a site for the archive of the real one."""
    listed = folder.with_suffix(".txt")
    listed.write_text("\n".join(urls))
    given = {"ARCHIVE_DIR": folder, **QUICK, "RETRY_TIMES": 0, **settings}
    line = [sys.executable, "-m", "scrapy.cmdline", "crawl", "pages", "-a", f"urls={listed}"]
    line += ["-a", f"site={site}"] if site else []
    done = run([*line, *(part for name, value in given.items() for part in ("-s", f"{name}={value}"))])
    return done.status, done.stderr


@pytest.fixture(scope="module")
def site() -> Iterator[Replica]:
    with Replica(posts=3) as replica:
        yield replica


def address(site: Replica, host: str) -> str:
    """A post's address, by another name of this machine."""
    port = site.url.rstrip("/").rpartition(":")[2]
    return f"http://{host}:{port}/en/{next(iter(site.posts('en'))).post_id}/"


@pytest.mark.parametrize("of_real_site", [True, False])
def test_cited_pages_of_this_machine(site: Replica, tmp_path: Path, of_real_site: bool) -> None:
    """However it is written: no connection, and a sentence that names the setting."""
    site.clear_log()
    hosts = DISGUISES if of_real_site else DISGUISES[:-1]  # localhost is 127.0.0.1, which is named then
    urls = [address(site, host) for host in hosts]
    status, said = crawl_pages(tmp_path / "a", urls, "" if of_real_site else "http://127.0.0.1:9/")
    assert status == 69 and asked(site) == [] and archived(tmp_path / "a") == {}, said
    assert "of this machine or of a private network" in said and "-s ARCHIVE_PRIVATE_HOSTS=" in said


def test_a_host_that_is_named(site: Replica, tmp_path: Path) -> None:
    """A private host that the setting names is asked."""
    site.clear_log()
    url = address(site, "0x7f.1")
    status, said = crawl_pages(tmp_path / "a", [url], "http://127.0.0.1:9/", ARCHIVE_PRIVATE_HOSTS="0x7f.1")
    assert status == 0 and url.endswith(asked(site)[-1]), said


@contextmanager
def server(leads_to: str = "0x7f.1") -> Iterator[tuple[int, list[str]]]:
    """A server that has no robots.txt and sends everything else to another name of this machine: its port,
    and what it was asked for."""
    paths: list[str] = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the library's name
            paths.append(self.path)
            self.send_response(404 if self.path.endswith("/robots.txt") else 301)
            self.send_header("Location", f"http://{leads_to}:{port}/secret")
            self.send_header("Content-Length", "0")
            self.end_headers()

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as listening:
        port = listening.server_port
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        try:
            yield port, paths
        finally:
            listening.shutdown()


def test_through_a_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy may be on this machine. What it is asked for may not."""
    with server() as (port, paths):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        _, said = crawl_pages(tmp_path / "a", ["http://0x7f.1/secret", "http://news.example/story"])
    assert paths == ["http://news.example/robots.txt", "http://news.example/story"], said


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("exceptions", ["", "localhost,127.0.0.1"])
def test_a_proxy_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, exceptions: str
) -> None:
    """It is asked for pages of others, and nothing else there: a redirect to this machine ends, through the
    proxy, and where the environment excepts this machine from it."""
    with server(host) as (port, paths):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("no_proxy", exceptions)
        _, said = crawl_pages(tmp_path / "a", ["http://news.example/story"])
    assert paths == ["http://news.example/robots.txt", "http://news.example/story"], said
    assert f"{host} leads to" in said and archived(tmp_path / "a") == {}


def test_a_health_check_on_this_machine(tmp_path: Path) -> None:
    """It is told how a crawl ended; no page may lead there."""
    with server("127.0.0.1") as (port, paths):
        (tmp_path / "a").mkdir()
        (tmp_path / "a/settings.toml").write_text(f'ping = "http://127.0.0.1:{port}/robots.txt"')
        url = f"http://0x7f.1:{port}/story"
        _, said = crawl_pages(tmp_path / "a", [url], ARCHIVE_PRIVATE_HOSTS="0x7f.1")
    assert paths[:3] == ["/robots.txt", "/story", "/robots.txt/69"], said


def test_a_redirect(tmp_path: Path) -> None:
    """A page of a host that is named leads to one that is not: the way ends there."""
    with server() as (port, paths):
        _, said = crawl_pages(tmp_path / "a", [f"http://127.0.0.1:{port}/story"], "http://127.0.0.1:9/")
    assert paths == ["/robots.txt", "/story"], said
    assert "0x7f.1 leads to 127.0.0.1" in said and archived(tmp_path / "a") == {}
