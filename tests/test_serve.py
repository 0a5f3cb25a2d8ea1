"""`sohr-archive serve` and `publish-copy` as a person runs them, over an archive that the real crawlers
made."""

from __future__ import annotations

import json
import re
import sqlite3
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from archive.export.public_copy import NOTE
from tests.archiving import sohr, well
from tests.crawling import rows
from tests.press import LINES, crawl, page, press
from tests.serving import Served, serve

TITLE = "A wall falls in Kafr Alyan"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of another site in two versions, and one in one."""
    folder = tmp_path_factory.mktemp("serve") / "archive"
    with press() as site:
        urls = [
            site.put("/a?id=7&lang=en", page(TITLE, LINES)),
            site.put("/b", page("Shops to open again", LINES[::-1])),
        ]
        assert crawl(folder, urls).status == 0
        site.put("/a?id=7&lang=en", page(TITLE, [LINES[0].replace("Three", "31"), *LINES[1:]]))
        time.sleep(1)  # captures of one second would share a citation
        assert crawl(folder, urls, "look=all").status == 0
    return folder


@pytest.fixture(scope="module")
def served(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The archive, served."""
    with serve(tmp_path_factory.mktemp("log") / "log", "--archive", folder, "serve") as found:
        yield found


def links(page: str) -> list[str]:
    """Addresses of this server that a page leads to."""
    return [link.replace("&amp;", "&") for link in re.findall(r'href="(/-/sohr/[^"#]*)', page)]


def good(served: Served, address: str) -> str:
    """The body of a page that is there."""
    status, body, _ = served.get(address)
    assert status == 200, (address, body[:500])
    return body


def test_a_page_of_another_site_is_read_compared_and_cited(served: Served, folder: Path) -> None:
    """From the search to the article, its comparison, its citation and the raw evidence: as for a post of the
    site."""
    found = good(served, "/-/sohr/search?q=%22A+wall+falls%22")
    article = next(link for link in links(found) if link.startswith("/-/sohr/page?"))
    body = good(served, article)
    assert f"<h1>{TITLE}</h1>" in body and 'lang="None"' not in body
    difference = good(served, next(link for link in links(body) if "/diff/1/2" in link))
    assert re.search(r"<del[^>]*>Three</del>.*?<ins[^>]*>31</ins>", difference, re.DOTALL)
    cite = {
        form: good(served, next(link for link in links(body) if f"cite.{form}" in link))
        for form in ("txt", "bib", "json")
    }
    told = json.loads(cite["json"])
    [(key,)] = rows(folder, "select key from articles where versions = 2")
    assert told["citation"].startswith(f"sohr:127.0.0.1:{key.split(':')[2].split('/')[0]}:{key}@")
    assert all(told["citation"] in text for text in (cite["txt"], cite["json"]))
    assert told["read_at"].startswith(served.url + "/-/sohr/page?url=" + quote(key, safe=""))
    good(served, told["read_at"].removeprefix(served.url))
    evidence = good(served, next(link for link in links(body) if link.startswith("/-/sohr/capture/")))
    assert "The body in the WARC file has this digest." in evidence
    assert article.partition("&version")[0] in links(evidence)
    assert TITLE in good(served, "/-/sohr/changes")
    feed = ET.fromstring(good(served, "/-/sohr/changes.atom"))  # noqa: S314  # our own
    entry = feed.find("{http://www.w3.org/2005/Atom}entry/{http://www.w3.org/2005/Atom}link")
    assert entry is not None and "/diff/1/2?url=" in entry.attrib["href"]
    good(served, entry.attrib["href"].removeprefix(served.url))


@pytest.mark.parametrize(
    "url", ["", "nonsense", "http://example.org/", "javascript:alert(1)", "http://[", "http://a:b/"]
)
def test_a_page_that_is_not_held_is_not_found(served: Served, url: str) -> None:
    """Whatever is asked for."""
    for part in ("", "/diff/1/2", "/cite.json"):
        assert served.get(f"/-/sohr/page{part}?url={quote(url)}")[0] == 404


def test_every_link_leads_somewhere(served: Served) -> None:
    """All pages of this server that can be reached from the front page in two steps."""
    first = set(links(good(served, "/-/sohr/")))
    for address in sorted(
        first | {link for one in first if "?" not in one for link in links(good(served, one))}
    ):
        good(served, address)


def test_serve_has_the_settings(served: Served) -> None:
    """What a visitor may ask is bounded, and exports are whole."""
    settings = json.loads(good(served, "/-/settings.json"))
    assert (settings["suggest_facets"], settings["max_csv_mb"], settings["sql_time_limit_ms"]) == (
        False,
        0,
        5000,
    )
    assert served.get("/-/sohr/nothing")[0] == 404
    lines = good(served, "/archive/version_history.csv?_stream=on").splitlines()
    assert lines[0].startswith("edition,post_id,number")


def test_no_visitor_is_logged(served: Served) -> None:
    """Not what one reads, nor what one asks in error, where rich would print all of it."""
    good(served, "/-/sohr/search?q=secretword")
    for query in (
        "?sql=pragma+secret",
        "?sql=select+secret",
        "/articles?_search=secret%00",
        "/articles?_where=secret(",
    ):
        assert served.get(f"/archive{query}")[0] == 400
    said = served.log.read_text()
    assert "secret" not in said and "127.0.0.1:" not in said.partition(served.url)[2]


def test_a_copy_without_what_is_to_be_hidden(folder: Path, tmp_path: Path) -> None:
    """publish-copy with a list; the copy is served, says so to robots, and of the version named no word is
    left."""
    [(source, key, at)] = rows(
        folder,
        "select a.source, a.key, v.first_captured_at from articles a join versions v using (article_id) "
        "where v.number = 2",
    )
    listed = tmp_path / "redact.txt"
    listed.write_text(f"# asked for by the family\n\nsohr:{source}:{key}@{at}  # both sentences\n")
    target = tmp_path / "public.db"
    told = json.loads(well(folder, "publish-copy", target, "--redact", listed, "--json"))
    assert told == {"file": str(target), "size": target.stat().st_size, "redacted": 1}
    assert b"31 people were wounded" not in target.read_bytes()
    with closing(sqlite3.connect(target)) as conn:
        assert conn.execute("select count(*) from versions where title = ?", (NOTE,)).fetchone() == (1,)
    with serve(tmp_path / "log", "serve", target, "--no-sql") as copy:
        assert copy.get("/public?sql=select+1")[0] == 403 and "/newest_versions" in good(copy, "/public")
        assert copy.get(f"/?q={'x' * 70_000}")[0] in (400, 414, 431)
        status, _, headers = copy.get("/-/sohr/")
        assert status == 200 and "noindex" in headers["x-robots-tag"]
        assert NOTE in good(copy, "/-/sohr/changes")
        assert copy.get("/robots.txt")[1] == "User-agent: *\nDisallow: /\n"
        assert "GET " not in copy.log.read_text(), "visitors are not logged"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("publish-copy",), "Missing argument"),
        (("publish-copy", "there.db"), "exists: move it away"),
        (("publish-copy", "no/such/folder/x.db"), "cannot be written"),
        (("publish-copy", "x.db", "--redact", "none.txt"), "does not exist"),
        (("publish-copy", "x.db", "--redact", "wrong.txt"), "is not a citation"),
        (("publish-copy", "x.db", "--redact", "unknown.txt"), "has no version"),
        (("serve", "none.db"), "publish-copy"),
        (("serve", "wrong.txt"), "is not a database"),
        (("serve", "--port", "99999"), "99999"),
        (("serve", "--host", "192.0.2.7", "--port", "0"), "--host"),
    ],
)
def test_refused_arguments(folder: Path, tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    """One sentence that says what to do, a status other than 0, and no file."""
    (tmp_path / "there.db").write_text("mine")
    (tmp_path / "wrong.txt").write_text("en 332481, please\n" * 20)
    (tmp_path / "unknown.txt").write_text("sohr:en:1@2025-03-01T10:00:00Z\n")
    given = [
        str(tmp_path / part) if "." in part and not part.startswith("192") else part for part in arguments
    ]
    ran = sohr(folder, *given)
    assert ran.status not in (0, 1) and says in ran.err, ran
    assert (tmp_path / "there.db").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"there.db", "wrong.txt", "unknown.txt"}
    assert sohr(tmp_path / "nowhere", "serve").status != 0
