"""Five real articles, put into each of the site's layouts and crawled, come out with exactly their title and
lines."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pytest

from tests.crawling import crawl, rows
from tests.replica.server import Replica

pytestmark = pytest.mark.seeds


@pytest.mark.parametrize("layout", ["tielabs", "publisher", "foxiz", "unknown"])
def test_each_article_is_exact_in_each_layout(seeds: Path, tmp_path: Path, layout: str) -> None:
    """Title and lines as people marked them, with all the noise of the layout around them; also where no
    known layout fits the theme."""
    articles = json.loads((seeds / "expected.json").read_text(encoding="utf-8"))
    with Replica(posts=10, layout=layout) as site:
        ids = []
        for article in articles:
            body = "".join(f"<p>{html.escape(line, quote=False)}</p>\n" for line in article["lines"])
            if article["source_url"]:  # a repost's own end: it becomes metadata
                body += "".join(
                    f"<p>{html.escape(line, quote=False)}</p>\n" for line in reversed(article["chrome"])
                )
            ids.append(
                site.call("put", edition="en", title=article["title"], html=body, lines=article["lines"])
            )
        assert crawl(site, tmp_path / "archive").status == 0
    for post_id, article in zip(ids, articles, strict=True):
        [(title, text, source)] = rows(
            tmp_path / "archive",
            "select v.title, v.text, source_url from versions v join articles using (article_id) where "
            "edition = 'en' and post_id = ?",
            post_id,
        )
        assert title == article["title"]
        assert text.split("\n") == article["lines"]
        assert source == article["source_url"]
