"""The pure half of a backfill: rows of an index, addresses, which rows to ask for, captures from answers."""

from __future__ import annotations

import gzip
from itertools import permutations

import pytest

from archive.model import Capture
from archive.public_archives.captures import NotServed, read_memento, read_record
from archive.public_archives.plan import FETCHED, REFUSED, Listed, choose
from archive.public_archives.queries import (
    commoncrawl_query,
    identity_of,
    memento_url,
    record_url,
    wayback_query,
)
from archive.public_archives.rows import IndexRow, parse_commoncrawl, parse_wayback

URL = "https://www.syriahr.com/en/15522/"
ROW = f"com,syriahr)/en/15522 20160301100000 {URL} text/html 200 AAAA 9000"
FOUND = IndexRow(f"20160301100000/{URL}", URL, "2016-03-01T10:00:00Z", 200, "AAAA")
CAPTURED = "Tue, 01 Mar 2016 10:00:00 GMT"


def test_rows_of_wayback_as_text_and_as_json() -> None:
    """Both forms give the same rows and the same key. A header line is not a row."""
    text = parse_wayback(f"{ROW}\n{ROW.replace('200 AAAA', '- -')}\n\ncom%2Csyriahr+2016\n".encode())
    as_json = parse_wayback(
        f'[["urlkey","timestamp","original","mimetype","statuscode","digest","length"],{_json(ROW)},'
        f'{_json(ROW.replace("200 AAAA", "- -"))},[],["com%2Csyriahr+2016"]]'.encode()
    )
    assert text == as_json
    assert text.rows[0] == FOUND and text.next_key == "com,syriahr 2016"
    assert (text.rows[1].status, text.rows[1].digest) == (None, "")


def _json(row: str) -> str:
    return "[" + ",".join(f'"{part}"' for part in row.split()) + "]"


def test_an_empty_slice_with_a_key_is_not_the_end() -> None:
    """No rows and a key: the key counts. No rows and no key: the end."""
    assert parse_wayback(b"\nkey+1\n").next_key == "key 1"
    assert parse_wayback(b"").next_key is None
    assert parse_wayback(ROW.encode()).next_key is None


def test_lines_that_are_no_rows_are_counted() -> None:
    """An error page, a row with an impossible date, a row without an address."""
    bad = [
        b"<html>busy</html>",
        ROW.replace("20160301", "20160231").encode(),
        ROW.replace("https:", "ftp:").encode(),
    ]
    assert parse_wayback(b"\n".join([*bad, ROW.encode()])).unread == 3
    assert parse_commoncrawl(b"\n".join(bad)).unread == 3
    assert parse_wayback(b"[broken").unread == 1


def test_rows_of_common_crawl() -> None:
    """A JSON object a line, with the bytes of the record; also after urlkey and time."""
    line = f'{{"timestamp": "20160301100000", "url": "{URL}", "status": "200", "digest": "AAAA", '
    line += '"filename": "crawl-data/x/y.warc.gz", "offset": "10", "length": "5"}'
    [row] = parse_commoncrawl(line.encode()).rows
    assert row == IndexRow("crawl-data/x/y.warc.gz#bytes=10-14", URL, "2016-03-01T10:00:00Z", 200, "AAAA")
    other = line.replace('"timestamp": "20160301100000", ', "")
    assert parse_commoncrawl(f"com,syriahr)/en 20160301100000 {other}".encode()).rows == (row,)


def test_addresses_name_the_same_capture_at_every_service() -> None:
    """Whatever the service's address, an answer leads back to its row."""
    for service in ("https://web.archive.org/", "http://127.0.0.1:8000/mirror/"):
        assert identity_of(memento_url(service, FOUND.identity)) == FOUND.identity
        url, span = record_url(service, "crawl-data/x/y.warc.gz#bytes=10-14")
        assert identity_of(f"{url}#{span}") == "crawl-data/x/y.warc.gz#bytes=10-14"
    assert identity_of("https://web.archive.org/cdx/search/cdx?url=x") is None
    query = wayback_query("http://s/", "syriahr.com/", "2016-01-01", "2016-12-31", 10, "com,syriahr 2016")
    assert query.endswith(
        "cdx?url=syriahr.com/*&limit=10&showResumeKey=true&from=20160101&to=20161231"
        "&resumeKey=com%2Csyriahr+2016"
    )
    assert commoncrawl_query("http://s/", "CC-MAIN-2016-07", "syriahr.com/", 2).endswith(
        "&output=json&page=2"
    )


def _row(number: int, digest: str, status: int | None = 200, answer: str | None = None) -> Listed:
    return Listed(number, "en:1 1", f"2016-03-0{number}T00:00:00Z", status, digest, answer)


def _listed(*digests: str) -> list[Listed]:
    return [_row(number, digest) for number, digest in enumerate(digests, 1)]


def _chosen(rows: list[Listed]) -> list[int]:
    return [row.listed_id for row in choose(sorted(rows, key=lambda row: (row.post, row.at)))]


@pytest.mark.parametrize(
    ("digests", "wanted"),
    [("AAB", [1, 3]), ("ABA", [1, 2, 3]), ("AAAA", [1]), (("", "", "A"), [1, 2, 3])],
)
def test_a_row_is_left_out_only_after_the_same_digest(digests: str, wanted: list[int]) -> None:
    """A text that came back is asked for again; without a digest nothing is left out."""
    assert _chosen(_listed(*digests)) == wanted


def test_rows_of_other_posts_say_nothing() -> None:
    """The same digest at another post, or a revisit of another status, is another answer."""
    other = [Listed(9, "en:2 1", "2016-03-01T12:00:00Z", 200, "A")]
    assert _chosen(_listed("A", "A") + other) == [1, 9]
    assert _chosen([_row(1, "E", 301), _row(2, "E", 404)]) == [1, 2]
    assert _chosen([_row(1, "A"), _row(2, "A", None)]) == [1]


def test_what_is_held_is_not_asked_and_what_is_refused_stands_for_nothing() -> None:
    """A refused row is as if it was not listed: the next one with its digest is asked for."""
    assert _chosen([_row(1, "A", answer=FETCHED), _row(2, "A")]) == []
    assert _chosen([_row(1, "A", answer=REFUSED), _row(2, "A")]) == [2]


def test_trouble_of_that_day_is_not_asked_for() -> None:
    """An archived 503 proves nothing, and does not stand between two equal texts."""
    assert _chosen([_row(1, "A"), _row(2, "X", 503), _row(3, "A")]) == [1]


def _exchange(
    *headers: tuple[str, str], status: int = 200, body: bytes = b"<html>", **more: object
) -> Capture:
    url = f"http://s/web/20160301100000id_/{URL}"
    return Capture(url, status, headers, body, "2026-01-01T00:00:00Z", **more)  # type: ignore[arg-type]


def test_a_memento_is_dated_by_what_was_served() -> None:
    """Its time, address and headers are those of the capture; its exchange is of today."""
    found = read_memento(
        _exchange(
            ("Memento-Datetime", "Wed, 02 Mar 2016 11:00:00 GMT"),
            ("Link", f'<http://other/>; rel="timegate", <{URL}?a=1>; rel="original"'),
            ("X-Archive-Orig-Content-Type", "text/html; charset=windows-1256"),
            ("X-Archive-Orig-Transfer-Encoding", "chunked"),
            ("Content-Type", "text/html"),
        )
    )
    assert isinstance(found, Capture)
    assert (found.url, found.captured_at, found.recorded_at) == (
        f"{URL}?a=1", "2016-03-02T11:00:00Z", "2026-01-01T00:00:00Z",
    )  # fmt: skip
    assert found.headers == (("Content-Type", "text/html; charset=windows-1256"),)
    assert (found.source, found.service_url) == ("wayback", f"http://s/web/20160301100000id_/{URL}")


@pytest.mark.parametrize("status", [404, 429, 301])
def test_an_archived_error_is_a_memento_too(status: int) -> None:
    """The status is the site's own of that day, not the service's."""
    found = read_memento(_exchange(("Memento-Datetime", CAPTURED), status=status))
    assert isinstance(found, Capture) and found.status == status and found.url == URL


@pytest.mark.parametrize(
    ("status", "body", "reason", "is_final"),
    [
        (404, b"not archived", "absent", True),
        (403, b"x AdministrativeAccessControlException x", "excluded", True),
        (403, b"", "error", False),
        (429, b"", "error", False),
        (503, b"", "error", False),
        (200, b"<html>down for maintenance</html>", "error", False),
        (302, b"", "elsewhere", True),
    ],
)
def test_without_memento_datetime_the_answer_is_the_services(
    status: int, body: bytes, reason: str, is_final: bool
) -> None:
    """It is never a capture; trouble of the service is not "not there"."""
    found = read_memento(_exchange(("Location", "/web/20200101000000id_/x"), status=status, body=body))
    assert isinstance(found, NotServed) and (found.reason, found.is_final) == (reason, is_final)


def test_a_packed_body_is_labelled_once_and_a_short_one_is_cut() -> None:
    """The service packs bodies by itself; fewer bytes than the site stated is a cut page."""
    packed = read_memento(_exchange(("Memento-Datetime", CAPTURED), body=gzip.compress(b"<html>")))
    assert isinstance(packed, Capture) and packed.header("content-encoding") == "gzip"
    short = read_memento(
        _exchange(("Memento-Datetime", CAPTURED), ("X-Archive-Orig-Content-Length", "900"), body=b"<html>")
    )
    assert isinstance(short, Capture) and short.truncated == "unspecified"


def _record(url: str = URL, date: str | None = "2016-03-01T10:00:00Z", extra: bytes = b"") -> bytes:
    block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"
    dated = f"WARC-Date: {date}\r\n" if date else ""
    head = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\n{dated}"
    head += f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
    return gzip.compress(head.encode() + block + b"\r\n\r\n" + extra)


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (_record(), 206, None),
        (_record("https://www.syriahr.com/en/2/"), 206, "broken"),
        (_record(date=None), 206, "broken"),
        (_record(extra=b"more"), 206, "broken"),
        (_record()[:-9], 206, "broken"),
        (_record()[7:], 206, "broken"),
        (b"<html>", 206, "broken"),
        (b"", 206, "error"),  # fewer bytes than asked for: trouble of the service
        (_record(), 200, "error"),
        (b"", 416, "absent"),
        (b"", 503, "error"),
    ],
)
def test_a_record_is_taken_whole_or_not_at_all(body: bytes, status: int, reason: str | None) -> None:
    """Another page, no date, other bytes or a cut member: none becomes a capture."""
    request = (("Range", "bytes=10-14"),)
    exchange = Capture(
        "http://d/crawl-data/x.warc.gz", status, (), body, "2026-01-01T00:00:00Z", request_headers=request
    )
    found = read_record(exchange, URL, "")
    if reason is None:
        assert isinstance(found, Capture) and found.captured_at == "2016-03-01T10:00:00Z"
        assert found.service_url == "http://d/crawl-data/x.warc.gz#bytes=10-14"
        wrong = read_record(exchange, URL, "A" * 32)
        assert isinstance(wrong, NotServed) and wrong.reason == "broken"
    else:
        assert isinstance(found, NotServed) and found.reason == reason


def test_the_choice_does_not_depend_on_how_rows_were_listed() -> None:
    """Every order of listing gives the same requests."""
    rows = _listed("A", "B", "B", "A")
    assert {tuple(_chosen(list(order))) for order in permutations(rows)} == {(1, 2, 4)}
