"""To add a channel takes one `Channel` value and its parser: a crawl then finds a post by it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tests.crawling import command, environment, rows, run
from tests.exact import Exact, http

# JSON Feed, as a plugin offers it. Python loads this in the crawl and in its archive process.
PLUGIN = """
import json

from archive.model import Kind, Listing, Sighting
from archive.sites.wordpress import channels


def page_url(site, edition, page):
    return site.edition_home(edition) + "posts.json" + (f"?page={page}" if page > 1 else "")


def find_page(address, site):
    return 1 if address.edition and address.url == page_url(site, address.edition, 1) else None


def parse(text, address, site, page):
    found = [site.parse(item["url"], address.url) for item in json.loads(text)["items"]]
    posts = [
        Sighting(at.url, at.edition, at.post_id, "jsonfeed")
        for at in found
        if at and at.kind is Kind.ARTICLE
    ]
    return Listing("jsonfeed", page, tuple(posts), None, address.edition)


channels.CHANNELS += (
    channels.Channel("jsonfeed", "jsonfeed", page_url, find_page, parse, is_news=True, is_optional=True),
)
"""


def test_a_channel_is_one_value_and_its_parser(tmp_path: Path) -> None:
    """The post that only the new channel shows is fetched; the archive keeps the channel's state."""
    (tmp_path / "sitecustomize.py").write_text(PLUGIN, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), *(part for part in sys.path if part)])
    with Exact() as site:
        site.add_posts(range(101, 107))
        site.answers["/en/201/"] = http(site.post(201))
        items = {"items": [{"url": site.url + "en/201/"}]}
        site.answers["/en/posts.json"] = http(json.dumps(items), kind="application/json")
        line = command(site.url, tmp_path / "a", "edition=en")
        assert run(line, environment() | {"PYTHONPATH": path}).status == 0
    assert rows(tmp_path / "a", "select state from articles where post_id = 201") == [("live",)]
    shown = "select post_id from sightings join articles using (article_id) where channel = 'jsonfeed'"
    assert rows(tmp_path / "a", shown) == [(201,)]
    assert rows(tmp_path / "a", "select is_open from channels where channel = 'jsonfeed'") == [(1,)]
