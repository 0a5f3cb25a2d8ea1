"""Records of other people's files that repeat an earlier one have the body of that one, or are counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from archive.warc.files import warc_files
from archive.warc.reader import read
from tests.archiving import HOME, Archive, Foreign, answer, capture, said, sohr, warc
from tests.importing import FIRST, FIRST_ID, IDENTICAL, NOON, again, import_file, texts, whole

NAMED: dict[str, dict[str, str | None]] = {
    "as wget does": {"WARC-Refers-To": FIRST_ID, "WARC-Truncated": "length"},
    "as browsertrix does": {"WARC-Refers-To-Target-URI": FIRST.uri, "WARC-Refers-To-Date": NOON},
    "as Heritrix did": {},
}


@pytest.mark.parametrize("named", NAMED.values(), ids=NAMED)
@pytest.mark.parametrize("order", ["behind", "before"])
def test_a_revisit_has_the_body_it_repeats(tmp_path: Path, named: dict[str, str | None], order: str) -> None:
    """Wherever in the file that stands: the same text once more, at its own time, with its own headers."""
    records = [FIRST, said(2, NOON, "Another.", "And more."), again(**named)]
    file = warc(tmp_path / "x.warc.gz", records if order == "behind" else records[::-1])
    with Archive(tmp_path / "a"):
        pass
    assert import_file(tmp_path / "a", file) == Counter({"new": 2, "unchanged": 1})
    assert texts(tmp_path / "a") == [(1, "It says 5 then.", NOON, "2024-05-02T12:00:00Z", 2)]
    (second,) = [
        s.capture
        for s in read(warc_files(tmp_path / "a" / "warc")[0])
        if s.capture and s.capture.captured_at > NOON
    ]
    assert (
        second.header("x-seen") == "again"
        and second.header("transfer-encoding") is None
        and second.truncated is None
    )
    assert import_file(tmp_path / "a", file) == Counter({"known_already": 3})
    whole(tmp_path / "a")


def test_a_revisit_without_headers_has_those_of_its_original(tmp_path: Path) -> None:
    """Old files write none."""
    file = warc(tmp_path / "x.warc.gz", [FIRST, again(http=b"", WARC_Refers_To=FIRST_ID)])
    with Archive(tmp_path / "a"):
        pass
    assert import_file(tmp_path / "a", file) == Counter({"new": 1, "unchanged": 1})
    one, two = (s.capture for s in read(warc_files(tmp_path / "a" / "warc")[0]) if s.capture)
    assert (two.status, two.headers, two.body) == (
        one.status,
        one.headers,
        one.body,
    ) and two.captured_at > one.captured_at


UNRESOLVED: dict[str, tuple[str, Foreign]] = {
    "not in the file": ("revisit", again(uri=f"{HOME}en/2/", WARC_Refers_To="<urn:uuid:1>")),
    "another digest": ("revisit", again(WARC_Payload_Digest="sha1:" + "A" * 32, WARC_Refers_To=FIRST_ID)),
    "a digest of an unknown kind": ("revisit", again(WARC_Payload_Digest="best:1", WARC_Refers_To=FIRST_ID)),
    "no digest": ("revisit", again(WARC_Payload_Digest=None, WARC_Refers_To=FIRST_ID)),
    "no profile": ("revisit", again(WARC_Profile=None, WARC_Refers_To=FIRST_ID)),
    "a 304": (
        "not_modified",
        again(
            WARC_Profile=IDENTICAL.replace("identical-payload-digest", "server-not-modified"),
            WARC_Refers_To=FIRST_ID,
        ),
    ),
    "another site": ("other_page", again(uri="https://example.org/", WARC_Refers_To=FIRST_ID)),
    "no response at all": ("incomplete", again(http=b"\0\1\2", WARC_Refers_To=FIRST_ID)),
    "a wrong digest of its own": (
        "wrong_digest",
        again(WARC_Block_Digest="sha1:" + "A" * 32, WARC_Refers_To=FIRST_ID),
    ),
    "headers without end": (
        "too_large",
        again(http=answer(b"", "X: " + "x" * 70_000), WARC_Refers_To=FIRST_ID),
    ),
}


@pytest.mark.parametrize(("word", "record"), UNRESOLVED.values(), ids=UNRESOLVED)
def test_a_revisit_of_what_is_not_there_is_counted(tmp_path: Path, word: str, record: Foreign) -> None:
    """By why; the rest of the file comes in."""
    with Archive(tmp_path / "a"):
        pass
    file = warc(tmp_path / "x.warc.gz", [record, FIRST])
    assert import_file(tmp_path / "a", file) == Counter({"new": 1, word: 1})


def test_our_own_export_imports(tmp_path: Path) -> None:
    """With its revisits, into another archive: the same texts at the same times."""
    long = "It says 5 there, and this sentence is long enough for a page of more than one KiB. " * 20
    with Archive(tmp_path / "a") as archive:
        archive.take(
            *(
                capture(1, f"2024-05-0{n}T12:00:00Z", long, "And less." if n == 2 else "And more.")
                for n in (1, 2, 3, 4)
            )
        )
    assert sohr(tmp_path / "a", "export", "--format", "warc", "-o", tmp_path / "x.warc.gz").status == 0
    with Archive(tmp_path / "b"):
        pass
    assert import_file(tmp_path / "b", tmp_path / "x.warc.gz")["revisit"] == 0
    assert [row[:4] for row in texts(tmp_path / "b")] == [row[:4] for row in texts(tmp_path / "a")]
    whole(tmp_path / "b")
