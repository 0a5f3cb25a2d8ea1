"""Answers of public archives as servers pack, cut and repeat them: through `scrapy crawl`."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from archive.public_archives.rows import parse_commoncrawl, parse_wayback
from tests.archiving import HOME, sohr
from tests.crawling import rows
from tests.public_archives import CommonCrawl, Kept, Wayback, backfill, kept

TIMES = [f"201{year}-03-01T10:00:00Z" for year in range(5, 9)]
STORY = [kept(1, at, f"Text {number} of the post.") for number, at in enumerate(TIMES)]
Answered = tuple[int, Sequence[tuple[str, str]], bytes]


def taken(folder: Path) -> list[str]:
    """When the captures that came in were made."""
    sql = "select captured_at from captures where source != 'live' order by captured_at"
    return [at for (at,) in rows(folder, sql)]


def packed(kind: type[Any]) -> type[Any]:
    """A service that packs its answers for whoever accepts that, as the real ones do."""

    class Packed(kind):  # type: ignore[misc]
        def answer(self, path: str, headers: dict[str, str]) -> Answered:
            status, stated, body = super().answer(path, headers)
            if "gzip" not in headers.get("Accept-Encoding", ""):
                return status, stated, body
            return status, [*stated, ("Content-Encoding", "gzip")], gzip.compress(body)

    return Packed


@pytest.mark.parametrize("kind", [Wayback, CommonCrawl])
def test_an_index_that_comes_packed(kind: type[Any], tmp_path: Path) -> None:
    """All that it lists is taken."""
    with packed(kind)(STORY) as service:
        ran = backfill(service, tmp_path)
    assert ran.status == 0, ran.stderr
    assert taken(tmp_path) == TIMES


def test_pages_of_an_index_that_never_end(tmp_path: Path) -> None:
    """One that answers every number with the same rows is left, with 69; what it lists is taken."""

    class Same(CommonCrawl):
        def _index(self, crawl: str, asked: dict[str, str]) -> Answered:
            return super()._index(crawl, asked | {"page": "0"})

    with Same(STORY) as service:
        ran = backfill(service, tmp_path)
        asked = service.asked("-index")
    assert ran.status == 69 and "repeats its pages" in ran.stderr
    assert len(asked) < 20 and taken(tmp_path) == TIMES


def test_keys_of_an_index_that_never_end(tmp_path: Path) -> None:
    """An index that gives keys and no rows is left, with 69."""

    class Endless(Wayback):
        def _index(self, path: str) -> Answered:
            return 200, (("Content-Type", "text/plain"),), f"\nkey+{len(self.log)}\n".encode()

    with Endless(STORY) as service:
        ran = backfill(service, tmp_path)
    assert ran.status == 69 and "keys and no rows" in ran.stderr


@pytest.mark.parametrize("kind", [Wayback, CommonCrawl])
def test_an_index_that_breaks_off(kind: type[Any], tmp_path: Path) -> None:
    """An answer that ends within a row is none: 69, and the next run asks again and takes all."""

    class Cut(kind):  # type: ignore[misc]
        def _index(self, *given: Any) -> Answered:
            status, stated, body = super()._index(*given)
            return status, stated, body[:-30] if len(body) > 60 and self.fails("cut index") else body

    with Cut(STORY, "cut index") as service:
        assert backfill(service, tmp_path).status == 69
        assert backfill(service, tmp_path).status == 0
    assert taken(tmp_path) == TIMES


ROW = ["com,x)/en/1", "20150301100000", f"{HOME}en/1/", "text/html", "200", "D" * 32, "9"]
NAMES = ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]


@pytest.mark.parametrize(
    ("body", "count", "key"),
    [
        ("\n\n" + " ".join(ROW) + "\n\n" + " ".join(ROW) + "\n", 2, None),
        (" ".join(ROW) + "\n\n\n\ncom%2Cx)+1!\n", 1, "com,x) 1!"),
        (" ".join(NAMES[::-1]) + "\n" + " ".join(ROW[::-1]) + "\n", 1, None),
        ("\t".join(ROW) + "\r\n", 1, None),
        (" ".join([*ROW[:6], "-", "-", "9", "0", "f.warc.gz"]) + "\n", 1, None),
        (json.dumps([[NAMES[n] for n in (1, 2, 4, 5)], [ROW[n] for n in (1, 2, 4, 5)]]), 1, None),
        (json.dumps([NAMES, ROW, [], ["k+1"]]), 1, "k 1"),
        ("\n", 0, None),
        ("[]", 0, None),
    ],
)
def test_rows_in_every_order(body: str, count: int, key: str | None) -> None:
    """Blank lines, other orders under a row of names, more fields, tabs: the rows and the key are read."""
    page = parse_wayback(body.encode())
    assert (len(page.rows), page.next_key, page.unread) == (count, key, 0)
    assert {(row.at, row.url, row.status) for row in page.rows} <= {(TIMES[0], f"{HOME}en/1/", 200)}


def test_a_row_that_breaks_off_is_seen() -> None:
    """By the line end that is missing; a line of rubbish within is only counted."""
    assert parse_wayback(" ".join(ROW).encode()[:40]).is_cut
    assert parse_wayback(json.dumps([NAMES, ROW]).encode()[:-5]).is_cut
    assert not parse_wayback(("rubbish\n" + " ".join(ROW)).encode()).is_cut
    assert parse_commoncrawl(b'{"url": "http').is_cut and not parse_commoncrawl(b"rubbish\n").is_cut


def test_a_list_of_crawls_with_empty_days(tmp_path: Path) -> None:
    """A crawl whose first and last day are null may have anything."""

    class Undated(CommonCrawl):
        def _crawls(self) -> bytes:
            return json.dumps(
                [one | {"from": None, "to": None} for one in json.loads(super()._crawls())]
            ).encode()

    with Undated(STORY) as service:
        assert backfill(service, tmp_path, "since=2016-01-01", "until=2017-12-31").status == 0
    assert taken(tmp_path) == TIMES[1:3]


def test_a_memento_of_the_first_century(tmp_path: Path) -> None:
    """A time that is none is the service's error, not a crash; what is right is taken."""

    class Ancient(Wayback):
        def _memento(self, path: str) -> Answered:
            status, stated, body = super()._memento(path)
            if TIMES[1][:4] in path:
                stated = [("Memento-Datetime", "Mon, 01 Jan 0103 00:00:00 GMT"), *stated[1:]]
            return status, stated, body

    with Ancient(STORY) as service:
        ran = backfill(service, tmp_path)
        assert taken(tmp_path) == [TIMES[0], *TIMES[2:]]
        assert ran.status == 0 and "1 failed" in ran.stderr
    left = json.loads(sohr(tmp_path, "audit", "--json").out)["archives"]
    assert [(one["fetched"], one["to_fetch"]) for one in left] == [(3, 1)]


def test_mementos_of_others_are_asked_for_once(tmp_path: Path) -> None:
    """One that the service says is of another site, of no address or of the future is refused for good."""
    stated = {
        TIMES[0]: ("Link", '<http://example.org/>; rel="original"'),
        TIMES[1]: ("Link", '<http://[>; rel="original"'),
        TIMES[2]: ("Memento-Datetime", "Fri, 01 Mar 2199 10:00:00 GMT"),
    }

    class Others(Wayback):
        def _memento(self, path: str) -> Answered:
            status, headers, body = super()._memento(path)
            odd = next((one for at, one in stated.items() if at[:4] in path), ("", ""))
            return status, [odd if name == odd[0] else (name, value) for name, value in headers], body

    with Others(STORY) as service:
        assert backfill(service, tmp_path).status == 0
        asked = len(service.log)
        assert backfill(service, tmp_path).status == 0 and len(service.log) == asked
    assert taken(tmp_path) == TIMES[3:]
    assert rows(tmp_path, "select answer from listed_captures order by at") == [("refused",)] * 3 + [
        ("fetched",)
    ]


def test_a_range_that_comes_short_is_asked_for_again(tmp_path: Path) -> None:
    """Half a record is trouble of the service; a whole one that is damaged is refused for good."""

    class Short(CommonCrawl):
        def _record(self, name: str, span: str) -> Answered:
            status, headers, body = super()._record(name, span)
            if "2016" in name:
                body = body[:60] + bytes([body[60] ^ 4]) + body[61:]
            return status, headers, body[:-9] if "2017" in name and self.fails("short") else body

    with Short(STORY, "short") as service:
        assert backfill(service, tmp_path).status == 0
        assert taken(tmp_path) == [TIMES[0], TIMES[3]]
        assert backfill(service, tmp_path).status == 0
    assert taken(tmp_path) == [TIMES[0], *TIMES[2:]]
    assert rows(tmp_path, "select answer from listed_captures where at like '2016%'") == [("refused",)]


def test_a_page_with_the_bar_of_the_service(tmp_path: Path) -> None:
    """The bar that it puts before pages, and its addresses in their links, are no part of the text."""
    bar = (
        b'<!-- BEGIN WAYBACK TOOLBAR INSERT --><div id="wm-ipp-base" lang="en"><p>12 captures</p>'
        b"<p>The Wayback Machine - an archive of the page</p></div><!-- END WAYBACK TOOLBAR INSERT -->"
    )

    def rewritten(one: Kept) -> Kept:
        body = one.body.replace(HOME.encode(), b"https://web.archive.org/web/2015/" + HOME.encode())
        start = body.index(b">", body.index(b"<body")) + 1
        return Kept(one.url, one.at, body[:start] + bar + body[start:])

    with Wayback([rewritten(one) for one in STORY]) as service:
        assert backfill(service, tmp_path).status == 0
    texts = rows(
        tmp_path, "select post_id, text from versions join articles using (article_id) order by number"
    )
    assert texts == [(1, f"Text {number} of the post.") for number in range(len(TIMES))]


@pytest.mark.parametrize("url", ["http://[/", "http://127.0.0.1:99999/", "ftp://127.0.0.1/", "x"])
def test_an_address_of_a_service_that_is_none(url: str, tmp_path: Path) -> None:
    """Is an error of use, with the setting's name."""
    with Wayback(STORY) as service:
        ran = backfill(service, tmp_path, WAYBACK_URL=url)
    assert ran.status == 2 and "WAYBACK_URL is not a web address" in ran.stderr
