"""Random damage to a file of others and to an archive of ours: no capture has another body than it had."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import ArchiveError
from archive.model import Capture
from archive.rebuild.rebuild import repair
from archive.rebuild.verify import verify
from archive.warc.files import warc_files
from archive.warc.foreign_records import UnreadableFile
from archive.warc.reader import read
from tests.archiving import Archive, capture, page, said, warc
from tests.crawling import rows
from tests.importing import again, captures

RECORDS = [said(n, f"2024-05-{n:02}T12:00:00Z", f"It says {n}.", "And more.") for n in range(1, 7)]
ORIGINALS = {(record.uri, record.date): record.http.partition(b"\r\n\r\n")[2] for record in RECORDS}
for first in RECORDS[:3]:  # each of them once more
    payload = first.http.partition(b"\r\n\r\n")[2]
    digest = "sha1:" + hashlib.sha1(payload, usedforsecurity=False).hexdigest()
    RECORDS.insert(
        4,
        again(
            first.date.replace("2024", "2025"),
            first.uri,
            WARC_Payload_Digest=digest,
            WARC_Refers_To_Target_URI=first.uri,
            WARC_Refers_To_Date=first.date,
        ),
    )
    ORIGINALS[first.uri, first.date.replace("2024", "2025")] = payload
damage = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert", "drop"]),
        st.floats(0, 1),
        st.binary(min_size=1, max_size=12),
    ),
    min_size=1,
    max_size=4,
)


def harm(raw: bytes, deeds: list[tuple[str, float, bytes]]) -> bytes:
    """Bytes after something has happened to them."""
    for deed, share, some in deeds:
        at = int(share * max(0, len(raw) - 1))
        match deed:
            case "flip":
                raw = raw[:at] + bytes([raw[at] ^ (some[0] or 1)]) + raw[at + 1 :] if raw else raw
            case "cut":
                raw = raw[:at]
            case "insert":
                raw = raw[:at] + some + raw[at:]
            case "drop":
                raw = raw[:at] + raw[at + len(some) :]
    return raw


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage, st.booleans())
def test_a_damaged_foreign_file_gives_no_wrong_capture(
    tmp_path: Path, deeds: list[tuple[str, float, bytes]], packed: bool
) -> None:
    """A capture taken has the bytes it had, at the time and place it had; the end is an end, or a
    sentence."""
    file = warc(tmp_path / "x.warc.gz", RECORDS, packed=packed)
    # Of a plain file, a second blow may take the digest of the first
    file.write_bytes(harm(file.read_bytes(), deeds if packed else deeds[:1]))
    try:
        for one in captures(file, Counter()):
            if packed:
                assert ORIGINALS[one.url, one.captured_at] == one.body
            # Nothing protects the WARC headers of a plain file: the address or date may be another, the body
            # may not
            else:
                assert one.body in ORIGINALS.values() or one.truncated
    except UnreadableFile as error:
        assert str(error).startswith("x.warc.gz ")  # noqa: PT017  # it may end either way


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage, st.booleans())
def test_a_damaged_archive_gives_no_wrong_capture(
    tmp_path: Path, deeds: list[tuple[str, float, bytes]], closed: bool
) -> None:
    """Our own file, revisits of both kinds in it: `verify` finds the damage, `repair` ends or says why not,
    and no capture has another body than it had."""
    pristine = tmp_path / "pristine"
    asked = [
        (
            1 + n % 6 if n % 6 > 2 else n,
            f"2024-05-{n:02}T12:00:00Z",
            f"It says {n % 6}. " * (150 if n % 2 else 1),
        )
        for n in range(1, 13)
    ]
    every = [
        capture(post, at, text, "And more.", body=page("A title", text, "And more."))
        for post, at, text in asked
    ]
    every = [replace(one, headers=(*one.headers, ("ETag", one.captured_at))) for one in every]
    sent = (("If-None-Match", every[2].captured_at),)
    every.append(Capture(every[2].url, 304, (), b"", "2024-05-20T12:00:00Z", request_headers=sent))
    if not pristine.exists():
        with Archive(pristine) as archive:
            archive.take(*every[:-1])
            archive.take(every[-1])
        assert rows(pristine, "select count(original_id), min(status), max(status) from captures") == [
            (4, 200, 304)
        ]
    bodies = {(one.url, one.captured_at): one.body for one in every}
    folder = Path(tempfile.mkdtemp(dir=tmp_path)) / "archive"
    shutil.copytree(pristine, folder)
    (path,) = (folder / "warc").iterdir()
    raw = path.read_bytes()
    harmed = harm(raw, deeds)
    path.write_bytes(harmed)
    if closed:
        path = path.rename(path.with_suffix(""))
    found = list(verify(folder))
    assert bool(found) == (harmed[: len(raw)] != raw or len(harmed) != len(raw))
    (folder / "archive.db").unlink()
    try:
        repair(folder)
    except ArchiveError as error:
        assert len(str(error)) < 400  # noqa: PT017  # it may end either way
    try:
        taken = [stored.capture for stored in read(warc_files(folder / "warc")[0]) if stored.capture]
    except ArchiveError:
        taken = []
    assert all(bodies[one.url, one.captured_at] == one.body for one in taken)
    shutil.rmtree(folder.parent)
