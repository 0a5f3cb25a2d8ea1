"""What a public Datasette gives away and puts up with: no folder of the machine, no foreign script, nothing
too large."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from datasette.app import Datasette

from archive.browse import guard
from archive.read.search import MAX_TYPED, parse_query
from tests.archiving import Archive, capture
from tests.reading import start

pytestmark = pytest.mark.pages
PAGES = (
    *("/", "/-/sohr/", "/-/sohr/datasette", "/archive", "/archive/articles", "/archive/articles/1"),
    *("/archive/articles?_facet=edition", "/archive/newest_versions", "/archive/search_both?q=town"),
    *("/archive?sql=select+1", "/archive/-/query?sql=select+1", "/archive?sql=select+nonsense"),
    *("/-/databases", "/-/threads", "/-/versions", "/-/plugins", "/-/settings", "/-/metadata", "/-/actor"),
    *("/-/permissions", "/-/allow-debug", "/-/messages", "/-/config", "/nothing", "/archive/nothing"),
    *("/-/sohr/crawls", "/-/sohr/coverage", "/-/sohr/changes", "/-/sohr/en/1", "/-/sohr/en/2"),
    *("/-/sohr/capture/1/0", "/-/sohr/capture/9/9", "/-/sohr/en/1/cite.json", "/robots.txt"),
)
SQL = "?sql=select+file+from+pragma_database_list"


@pytest.fixture(autouse=True)
def _no_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    """With rich beside it, Datasette prints all local variables of an error, and fails at some."""
    monkeypatch.setattr("datasette.handle_exception.rich", None, raising=False)


@pytest.fixture(scope="module")
async def ds(tmp_path_factory: pytest.TempPathFactory) -> Datasette:
    """An archive whose evidence has been taken away, so that a page about it fails."""
    folder = tmp_path_factory.mktemp("secret-place")
    with Archive(folder) as archive:
        archive.take(capture(1, "2026-01-02T10:00:00Z", "In all 3 were killed near the town of Nawa."))
    for path in (folder / "warc").iterdir():
        path.unlink()
    return await start(folder / "archive.db")


@pytest.mark.parametrize("ending", ["", ".json"])
async def test_no_page_names_a_folder(ds: Datasette, ending: str) -> None:
    """Of Datasette's and of ours; not in errors and not by SQL."""
    seen = 0
    for address in (*PAGES, f"/archive{SQL}", f"/archive/-/query{SQL}"):
        path, mark, query = address.partition("?")
        path = path.rstrip("/") + ending if path != "/" else path
        answer = await ds.client.get(path + mark + query)
        said = answer.text + json.dumps(dict(answer.headers))
        assert "secret-place" not in said and str(Path(guard.__file__).parents[2]) not in said, address
        seen += answer.status_code == 200
    assert seen > 12


async def test_every_page_has_a_policy(ds: Datasette) -> None:
    """Scripts run that come from here or stand in Datasette's templates: each has this answer's nonce."""
    scripts, nonces = 0, set()
    for address in PAGES:
        answer = await ds.client.get(address, follow_redirects=True)
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy, address
        scripts_of = policy.partition("script-src")[2].partition(";")[0]
        assert "unsafe" not in scripts_of.replace("'unsafe-hashes'", "")
        for script in re.findall(r"<script[^>]*>", answer.text):
            if " src=" not in script:
                [nonce] = re.findall(r"nonce=\"([^\"]+)\"", script) or [f"none at {address}"]
                assert f"'nonce-{nonce}'" in policy, address
                nonces.add(nonce)
                scripts += 1
        for code in re.findall(r"<[^>]+\son[a-z]+=\"([^\"]*)\"", answer.text):
            digest = hashlib.sha256(html.unescape(code).encode()).digest()
            assert base64.b64encode(digest).decode() in policy, address
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert scripts > 5 and len(nonces) > 5


async def test_what_sql_makes_has_no_nonce(ds: Datasette) -> None:
    """A script that a value brings along would have none, if it came through."""
    for path in ("/archive", "/archive/-/query"):
        sql = "select '<script>alert(1)</script>' as a"
        answer = await ds.client.get(path, params={"sql": sql}, follow_redirects=True)
        assert "<script>alert(1)" not in answer.text


@pytest.mark.parametrize(
    "door", ["/-/sohr/search?q=", "/archive/articles?_search=", "/archive.json?sql=", "/"]
)
async def test_a_huge_request_is_refused_at_once(ds: Datasette, door: str) -> None:
    """Not read, at every door; what waits meanwhile is answered."""
    huge = ("a\u0301k*l " * 3_000_000)[:5_000_000].encode("utf-8").hex("%")  # 15 MB as an address

    async def ask(url: str) -> tuple[int, float]:
        begun = time.monotonic()
        done: list[Any] = []
        scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "headers": [],
            "scheme": "http",
        }
        path, _, query = url.partition("?")
        scope |= {"path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": ""}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            done.append(message)

        await ds.app()(scope, receive, send)
        return done[0]["status"], time.monotonic() - begun

    [(status, seconds), (front, _)] = await asyncio.gather(ask(f"{door}{huge}"), ask("/-/sohr/"))
    assert (status, front) == (414, 302) or (status, front) == (414, 200)
    assert seconds < 2
    posted = await ds.client.post("/-/sohr/search", content=b"x" * 2_000_000)
    assert posted.status_code == 413


async def test_a_table_is_bounded(ds: Datasette) -> None:
    """Rows of a page for people, and facets of any; for programs there are more rows."""
    facets = "&".join(["_facet=title"] * 6)
    for query in (
        "_size=max",
        "_size=201",
        f"_size=10&_size=1{'0' * 30}",
        facets,
        facets.replace("=", "_array="),
    ):
        for path in ("/archive/versions", "/archive/newest_versions"):
            answer = await ds.client.get(f"{path}?{query}")
            assert answer.status_code == 400 and re.search("at most|facets", answer.text), query
    for fine in ("?_size=200", ".json?_size=max", ".csv?_stream=on&_size=max", "?_facet=title&_facet_size=3"):
        assert (await ds.client.get(f"/archive/versions{fine}")).status_code == 200, fine
    assert (await ds.client.get(f"/archive/versions.json?{facets}")).status_code == 400


async def test_an_answer_ends_with_its_reader(ds: Datasette) -> None:
    """Rows that nobody reads any more are not made; meanwhile others are answered."""
    sql = "with recursive c(n) as (select 1 union all select n + 1 from c limit 900) select n from c"
    sent, others, gone = [], [], asyncio.Event()
    first = True

    async def receive() -> dict[str, Any]:
        nonlocal first
        if not first:
            await gone.wait()
            return {"type": "http.disconnect"}
        first = False
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message.get("body"))
        if len(sent) == 20:
            gone.set()

    async def count() -> None:
        while True:
            others.append(len(sent))
            await asyncio.sleep(0)

    counting = asyncio.ensure_future(count())
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "headers": [], "scheme": "http"}
    query = urlencode({"sql": sql}).encode()
    is_here = (await ds.client.get("/archive.csv?sql=select+1")).is_success  # Datasette 1.0 has it elsewhere
    at = "/archive.csv" if is_here else "/archive/-/query.csv"
    path = {"path": at, "raw_path": at.encode(), "query_string": query, "root_path": ""}
    await ds.app()(scope | path, receive, send)
    counting.cancel()
    assert 20 <= len(sent) < 25 and len(set(others)) > 10


async def test_fold_is_bounded(ds: Datasette) -> None:
    """What SQL makes may be too long for it."""
    sql = "select fold(replace(hex(zeroblob(:n)), '0', 'k*')) as a"
    given = {"sql": sql, "n": 1_000_000, "_shape": "array"}
    path = (
        "/archive.json"
        if (await ds.client.get("/archive.json?sql=select+1")).is_success
        else "/archive/-/query.json"
    )
    assert (await ds.client.get(path, params=given)).json() == [{"a": None}]
    assert (await ds.client.get(path, params=given | {"n": 2})).json() != [{"a": None}]


def test_a_long_query_has_a_beginning() -> None:
    """A word without end is no work either."""
    begun = time.process_time()
    assert len(parse_query("x" * 5_000_000).clauses) == 1
    assert len(parse_query("k* " * 1_000_000).typed) <= MAX_TYPED
    assert time.process_time() - begun < 1
