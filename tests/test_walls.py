"""Pages with status 200 that stand in place of a site: guards against robots, hosts, servers in trouble."""

from __future__ import annotations

import pytest

from archive.extract.page import extract
from archive.model import ArticleKey, Capture, Extract, Unextractable
from archive.sites.sohr.addresses import Site
from tests.case_pages import FIRST, page_of


def read(html: str, status: int = 200) -> Extract | Unextractable:
    url = "https://www.syriahr.com/en/1/"
    page = Capture(url, status, (("Content-Type", "text/html"),), html.encode(), "2026-01-02T00:00:00Z")
    return extract(page, Site(), ArticleKey("en", "1"))


def page(title: str, body: str = "") -> str:
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{body}</body></html>"


SCRIPT = '<script src="{}"></script>'
WALLS = {
    "captcha": page("Captcha", '<form><div class="h-captcha" data-sitekey="x"></div></form>'),
    "turnstile": page("syriahr.com", '<div class="cf-turnstile"></div><p>Confirm that you are human.</p>'),
    "amazon": page("", SCRIPT.format("https://a.token.awswaf.com/a/challenge.js") + "<h1>No JavaScript</h1>"),
    "imperva": page("", '<iframe src="/_Incapsula_Resource?CWUDNSAI=9">Request unsuccessful.</iframe>'),
    "human": page("Access to this page has been denied", "Press and hold."),
    "datadome": page("syriahr.com", SCRIPT.format("https://ct.captcha-delivery.com/c.js")),
    "anubis": page("Making sure you&#39;re not a bot!", "<p>Loading...</p>"),
    "fastly": page("Client Challenge", SCRIPT.format("/_fs-ch-1T/script.js")),
    "sucuri": page("You are being redirected...", "<script>var s={},u,c,U,r,i,l=0,a,e=eval;</script>"),
}
SERVERS = {
    "cloudflare": page("syriahr.com | 522: Connection timed out", "<h1>Connection timed out</h1>"),
    "limit": page("429 Too Many Requests", "<center><h1>429 Too Many Requests</h1></center>"),
    "suspended": page("Account Suspended", "<p>Contact your hosting provider.</p>"),
    "apache": page("Apache2 Ubuntu Default Page: It works", "<p>It works!</p>"),
    "nginx": page("Welcome to nginx!"),
    "folder": page("Index of /", '<pre><a href="?C=N">Name</a></pre>'),
    "expired": page("This domain has expired"),
    "parked": page("syriahr.com", "<p>The domain syriahr.com is for sale.</p>"),
    "install": page("WordPress &rsaquo; Installation", "<h1>Welcome</h1>"),
    "fatal": "<br />\n<b>Fatal error</b>:  Uncaught Error: no function in /srv/a.php:12",
}


@pytest.mark.parametrize("name", WALLS)
def test_a_guard_is_a_challenge(name: str) -> None:
    """It is the site that refuses (69), not a page that we cannot read (65)."""
    found = read(WALLS[name])
    assert isinstance(found, Unextractable) and found.reason == "challenge"


@pytest.mark.parametrize("name", SERVERS)
def test_what_a_host_shows_is_an_error(name: str) -> None:
    """The site is not there; no layout is missing."""
    found = read(SERVERS[name])
    assert isinstance(found, Unextractable) and found.reason == "error"


def test_back_soon_is_maintenance() -> None:
    """The words of a page that plugins show in place of the site."""
    found = read(page("SOHR", "<h1>We&rsquo;ll be back soon!</h1>"))
    assert isinstance(found, Unextractable) and found.reason == "maintenance"


@pytest.mark.parametrize("name", WALLS)
def test_the_marks_of_a_guard_on_an_ordinary_page(name: str) -> None:
    """Guards put their scripts on every page, and forms for comments have captchas."""
    marks = WALLS[name].partition("<body>")[2].partition("</body>")[0]
    found = extract(page_of(f"<p>{FIRST}</p>", beside=marks), Site())
    assert isinstance(found, Extract) and found.text == FIRST
    unknown = read(page("T - SOHR", f"<div>{FIRST * 6}</div>{marks}"))
    assert isinstance(unknown, Unextractable) and unknown.reason == "layout"


HEAD = '<html><head><title>T</title></head><body class="single postid-1"><article id="post-1">'
TEXT = f'<h1 class="entry-title">T</h1><div class="entry-content"><p>{FIRST}</p><div>A box.</div>'


def test_a_page_that_breaks_off_after_a_closed_box() -> None:
    """The server died there, and stated the length of what it had sent. What follows is not known."""
    found = read(HEAD + TEXT)
    assert isinstance(found, Unextractable) and found.reason == "truncated"


def test_a_theme_that_leaves_out_the_end_of_the_page() -> None:
    """All boxes are closed: the page is whole."""
    assert isinstance(read(HEAD + TEXT + "</div></article>"), Extract)
