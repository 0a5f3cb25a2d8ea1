"""A 304 refers to the answer whose validator was sent; one that nobody asked for is a failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.model import Capture
from archive.rebuild.rebuild import rebuild
from archive.rebuild.verify import verify
from archive.warc.files import warc_files
from archive.warc.reader import read
from tests.archiving import HOME, LONG, Archive, capture, dump, kinds
from tests.crawling import check_warcs, rows

ETAG = ("ETag", '"v1"')
MODIFIED = ("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")


def asked_again(at: str, post_id: int = 1, **headers: str) -> Capture:
    """A 304 to a request with validators."""
    sent = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Capture(f"{HOME}en/{post_id}/", 304, (ETAG,), b"", at, request_headers=sent, channel="article")


def with_validators(one: Capture, *headers: tuple[str, str]) -> Capture:
    """The same with ETag or Last-Modified."""
    return Capture(one.url, one.status, (*one.headers, *headers), one.body, one.captured_at)


@pytest.mark.parametrize(
    "sent", [{"If_None_Match": '"v1"'}, {"If_Modified_Since": MODIFIED[1]}], ids=["etag", "date"]
)
def test_a_304_refers_to_the_answer_whose_validator_was_sent(tmp_path: Path, sent: dict[str, str]) -> None:
    """A row without a body; the next look moves on, and no version claims to have been seen again."""
    folder = tmp_path / "a"
    with Archive(folder) as archive:
        archive.take(with_validators(capture(1, "2026-01-02T00:00:00Z", LONG), ETAG, MODIFIED))
        # Itself a revisit
        archive.take(with_validators(capture(1, "2026-01-03T00:00:00Z", LONG), ETAG, MODIFIED))
        archive.take(with_validators(capture(1, "2026-01-04T00:00:00Z", LONG, "Other."), ("ETag", '"v2"')))
        before = rows(folder, "select * from versions")
        (outcome,) = archive.take(asked_again("2026-01-05T00:00:00Z", **sent))
    assert (outcome.word, str(outcome.article)) == ("not_modified", "en:1")
    assert kinds(folder) == ["response", "revisit", "response", "revisit"]
    found = rows(
        folder, "select status, outcome, size, original_id, article_id from captures where status = 304"
    )
    assert found == [(304, "not_modified", 0, 1, 1)]
    assert rows(folder, "select * from versions") == before
    assert rows(folder, "select count(*) from failures") == [(0,)]
    ((last, due, unchanged),) = rows(
        folder, "select last_captured_at, next_look_at, unchanged_looks from articles"
    )
    assert last == "2026-01-05T00:00:00Z" and due > last and unchanged == 0
    stored = [s for s in read(warc_files(folder / "warc")[-1]) if s.capture][-1]
    assert stored.capture and (stored.capture.status, stored.capture.body, stored.capture.header("etag")) == (
        304,
        b"",
        '"v1"',
    )
    assert [name for name, _ in stored.capture.request_headers if name.startswith("If-")]
    check_warcs(folder)
    told = dump(folder)
    (folder / "archive.db").unlink()
    rebuild(folder)
    assert dump(folder) == told
    assert list(verify(folder, deep=True)) == []


def test_a_304_nobody_asked_for_is_a_failure(tmp_path: Path) -> None:
    """Without a validator in the request, a 304 confirms nothing and is an error of the site; nor does one
    that confirms a validator of another answer."""
    with Archive(tmp_path / "a") as archive:
        archive.take(with_validators(capture(1, "2026-01-02T00:00:00Z", LONG), ETAG))
        archive.take(
            asked_again("2026-01-03T00:00:00Z"), asked_again("2026-01-03T00:00:01Z", If_None_Match='"v0"')
        )
    assert kinds(tmp_path / "a") == ["response"] * 3
    assert rows(tmp_path / "a", "select reason from failures") == [("error",), ("not_modified",)]
    assert rows(tmp_path / "a", "select last_captured_at from articles") == [("2026-01-02T00:00:00Z",)]


def test_a_304_brings_no_article_back(tmp_path: Path) -> None:
    """One that was not there is restored by its text, not by a date."""
    with Archive(tmp_path / "a") as archive:
        archive.take(with_validators(capture(1, "2026-01-02T00:00:00Z", LONG), ETAG))
        archive.take(
            capture(1, "2026-01-03T00:00:00Z", status=404, body=b"gone"),
            asked_again("2026-01-04T00:00:00Z", If_None_Match='"v1"'),
        )
    assert rows(tmp_path / "a", "select state, last_captured_at from articles") == [
        ("missing", "2026-01-03T00:00:00Z")
    ]
