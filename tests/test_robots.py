"""robots.txt as RFC 9309 reads it: which group is ours, which rule decides. Names and paths are invented."""

from __future__ import annotations

import time

import pytest

from archive.sites.robots import parse_robots

SITE = "https://news.example"


def allows(text: str, path: str, name: str = "sohr-archive") -> bool:
    return parse_robots(text, name).allows(SITE + path)


GROUPS = [
    ("User-agent: sohr-archive/0.1.0 (research archive)\nDisallow: /\n", False),
    ("User-agent: SOHR-Archive\nDisallow: /\n", False),
    ("User-agent: sohr-archive and friends\nDisallow: /\n", False),
    ("User-agent: sohr\nDisallow: /\n", True),
    ("User-agent: archive\nDisallow: /\n", True),
    ("User-agent: sohr-archive-news\nDisallow: /\n", True),
    ("User-agent: *\nDisallow: /\n\nUser-agent: sohr-archive\nDisallow:\n", True),
    ("User-agent: sohr-archive\nDisallow: /x\n\nUser-agent: *\nDisallow: /\n", True),
    (
        (
            "User-agent: sohr-archive\nAllow: /\nUser-agent: other\nDisallow: /\nUser-agent: "
            "sohr-archive\nDisallow: /press/"
        ),
        False,
    ),
    ("User-agent: other\nUser-agent: sohr-archive\nDisallow: /\n", False),
    ("User-agent: other\nDisallow: /\nUser-agent: sohr-archive\n", True),
    ("User-agent: sohr-archive\nSitemap: https://news.example/s.xml\nDisallow: /\n", False),
    ("User-agent: sohr-archive\nUnknown: yes\nDisallow: /\n", False),
    ("User-agent: sohr-archive\nSitemap: https://news.example/s.xml\n\nUser-agent: b\nDisallow: /\n", False),
    ("User-agent: sohr-archive-news\nAllow: /\n\nUser-agent: *\nDisallow: /\n", False),
    ("User-agent: sohr-archive*\nDisallow: /\n", False),
    ("User-agent: b\n\n# a pause\n\nUser-agent: SOHR-ARCHIVE\n\nDisallow: /\n", False),
    ("Disallow: /\n", True),
    ("user-agent:*\r\ndisallow:/press\r\n", False),
    ("User-agent: *\rDisallow: /press\r", False),
    ("User-agent: *\nDisallow: /x\n\nUser-agent: *\nDisallow: /press\n", False),
    ("User-agent: *\nDisallow:\n", True),
    ("\ufeffUser-agent: *\nDisallow: /press", False),
    ("User-agent: *  # everybody\nDisallow: /press # not this\n", False),
    ("User-agent *\nDisallow /press\n", False),
    ("User-agent: *\nDissallow: /press\n", False),
    ("User-agent: *\nDisallow: /PRESS\n", True),
    ("", True),
    ("<html><body>Disallow everything</body></html>", True),
]


@pytest.mark.parametrize(("text", "expected"), GROUPS)
def test_which_group_is_ours(text: str, expected: bool) -> None:
    """The product name decides, cut at the first character it cannot hold; `*` only where no group names
    us."""
    assert allows(text, "/press/1/") is expected


RULES = [
    ("/fish", "/fish", True),
    ("/fish", "/fish.html", True),
    ("/fish", "/fish/salmon.html", True),
    ("/fish", "/fishheads", True),
    ("/fish", "/fish.php?id=anything", True),
    ("/fish", "/Fish.asp", False),
    ("/fish", "/catfish", False),
    ("/fish", "/?id=fish", False),
    ("/", "/any/page.html", True),
    ("/*", "/any/page.html", True),
    ("/fish*", "/fish", True),
    ("/fish*", "/?id=fish", False),
    ("/fish/", "/animals/fish/", False),
    ("/fish/", "/fish.html", False),
    ("/fish/", "/Fish/Salmon.asp", False),
    ("/*.php", "/filename.php?parameters", True),
    ("/*.php", "/?file.php5", True),
    ("/*.php$", "/folder/filename.php", True),
    ("/fish*", "/fishheads/yummy.html", True),
    ("/fish*", "/desert/fish", False),
    ("/fish/", "/fish/", True),
    ("/fish/", "/fish/?id=1", True),
    ("/fish/", "/fish", False),
    ("/*.php", "/index.php", True),
    ("/*.php", "/folder/any.php.file.html", True),
    ("/*.php", "/", False),
    ("/*.php", "/windows.PHP", False),
    ("/*.php$", "/filename.php", True),
    ("/*.php$", "/filename.php?x=1", False),
    ("/*.php$", "/filename.php5", False),
    ("/*.php$", "/filename.php/", False),
    ("/fish*.php", "/fish.php", True),
    ("/fish*.php", "/fishheads/cat.php?x=1", True),
    ("/fish*.php", "/Fish.PHP", False),
    ("/$", "/", True),
    ("/$", "/page", False),
    ("*", "/anything", True),
    ("/a$b", "/a$b", True),
    ("/a%3cd.html", "/a%3Cd.html", True),
    ("/a%62c", "/abc", True),
    ("/a%2fb", "/a/b", False),
    ("/ツ", "/%E3%83%84", True),
    ("/%E3%83%84", "/ツ", True),
    ("/foo?x=http://a.b", "/foo?x=http://a.b", True),
    ("/a*b*c$", "/a-b-b-c", True),
    ("/a*b*c$", "/a-c-b", False),
]


@pytest.mark.parametrize(("pattern", "path", "matches"), RULES)
def test_which_paths_a_rule_matches(pattern: str, path: str, matches: bool) -> None:
    """From the start of the path, `*` any characters, a final `$` the end, escapes compared as one
    spelling."""
    assert allows(f"User-agent: *\nDisallow: {pattern}\n", path) is not matches


LONGEST = [
    ("Allow: /p\nDisallow: /", "/page", True),
    ("Allow: /folder\nDisallow: /folder", "/folder/page", True),
    ("Allow: /page\nDisallow: /*.htm", "/page.htm", False),
    ("Allow: /page\nDisallow: /*.ph", "/page.php5", True),
    ("Allow: /$\nDisallow: /", "/", True),
    ("Allow: /$\nDisallow: /", "/page.htm", False),
    ("Disallow: /x/\nAllow: /x/page.html\n", "/x/page.html", True),
    ("Disallow: /x/\nAllow: /x/page.html\n", "/x/", False),
    ("Disallow: /\n", "/robots.txt", True),
]


@pytest.mark.parametrize(("rules", "path", "expected"), LONGEST)
def test_the_longest_rule_decides(rules: str, path: str, expected: bool) -> None:
    """Whatever the order; where two are as long, the one that allows."""
    assert allows(f"User-agent: *\n{rules}", path) is expected


def test_delay_and_sitemaps() -> None:
    """The delay belongs to the group, sitemaps to no group. A delay that is not a number of seconds is
    ignored."""
    text = (
        "User-agent: *\nCrawl-delay: 5\nSitemap: https://news.example/a.xml\n\nUser-agent: "
        "x\nCrawl-delay: never\n"
    )
    assert (parse_robots(text).crawl_delay, parse_robots(text).sitemaps) == (
        5.0,
        ("https://news.example/a.xml",),
    )
    assert parse_robots(text, "x").crawl_delay is None


def test_many_stars_take_linear_time() -> None:
    """A pattern made to be slow is not."""
    robots = parse_robots("User-agent: *\nDisallow: /" + "*a" * 2000 + "b$\n")
    begun = time.process_time()
    assert robots.allows(SITE + "/" + "a" * 20_000)
    assert time.process_time() - begun < 1
