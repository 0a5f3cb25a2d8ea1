"""Exports of evidence: WARC and WACZ as other tools read them."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from archive.export.wacz import surt
from tests.exporting import records
from tests.small_archive import Small


def test_warc_holds_each_capture_with_its_request(exports: Path, small: Small) -> None:
    """Records as they lie in the archive: ids, digests, order; `warcio check` finds them right."""
    concerning: dict[str, Counter[str]] = {}
    responses = set()
    with open(exports / "v.warc", "rb") as stream:
        for record in ArchiveIterator(stream):
            headers = record.rec_headers
            if record.rec_type == "response":
                responses.add(headers.get_header("WARC-Record-ID"))
            elif record.rec_type != "warcinfo":
                concerning.setdefault(headers.get_header("WARC-Concurrent-To"), Counter())[
                    record.rec_type
                ] += 1
    told = records(exports / "v.jsonl")
    assert {record["evidence"]["record_id"] for record in told} <= responses
    assert concerning == {record_id: Counter(request=1, metadata=1) for record_id in responses}
    check = subprocess.run(
        [sys.executable, "-m", "warcio.cli", "check", str(exports / "v.warc")], capture_output=True, text=True
    )
    assert (check.returncode, check.stdout) == (0, "")


def test_wacz_is_whole(exports: Path) -> None:
    """Every file is listed with its digest; each line of the index leads to its response; pages have
    titles."""
    import gzip

    with zipfile.ZipFile(exports / "v.wacz") as archive:
        package = json.loads(archive.read("datapackage.json"))
        digest = json.loads(archive.read("datapackage-digest.json"))
        assert digest["hash"] == "sha256:" + hashlib.sha256(archive.read("datapackage.json")).hexdigest()
        assert {r["path"] for r in package["resources"]} | {
            "datapackage.json",
            "datapackage-digest.json",
        } == set(archive.namelist())
        for resource in package["resources"]:
            data = archive.read(resource["path"])
            assert (resource["bytes"], resource["hash"]) == (
                len(data),
                "sha256:" + hashlib.sha256(data).hexdigest(),
            )
        warc = archive.read("archive/data.warc.gz")
        lines = gzip.decompress(archive.read("indexes/index.cdx.gz")).decode().splitlines()
        assert lines == sorted(lines)
        for line in lines:
            key, stamp, fields = line.split(" ", 2)
            place = json.loads(fields)
            assert key == surt(place["url"]) and len(stamp) == 14
            record = gzip.decompress(warc[int(place["offset"]) : int(place["offset"]) + int(place["length"])])
            assert (
                record.startswith(b"WARC/1.1\r\n")
                and place["url"].encode() in record
                and place["digest"].encode() in record
            )
        head, *pages = [json.loads(line) for line in archive.read("pages/pages.jsonl").splitlines()]
        assert head["format"] == "json-pages-1.0" and all(
            page["title"] and page["url"] and page["ts"] for page in pages
        )
        assert package["created"].endswith("Z") and package["mainPageUrl"] == pages[0]["url"]


def test_wacz_is_read_where_it_says(exports: Path) -> None:
    """ReplayWeb.page takes the length of a local header from the central directory alone, unless that has
    extra fields of its own."""
    data = (exports / "v.wacz").read_bytes()
    with zipfile.ZipFile(exports / "v.wacz") as archive:
        for info in archive.infolist():
            name, extra = struct.unpack_from("<HH", data, info.header_offset + 26)
            assert data[info.header_offset : info.header_offset + 4] == b"PK\x03\x04" and name == len(
                info.filename
            )
            assert bool(extra) == bool(info.extra)


@pytest.mark.wacz
def test_wacz_validate_passes(exports: Path, tmp_path: Path) -> None:
    """The standard's own tool finds it right, and a flipped byte wrong."""

    def validate(path: Path) -> tuple[int, str]:
        answer = subprocess.run(
            [os.environ["SOHR_WACZ"], "validate", "-f", str(path)],
            capture_output=True,
            text=True,
            timeout=120,
        )
        return answer.returncode, answer.stdout + answer.stderr

    status, told = validate(exports / "v.wacz")
    assert status == 0 and "Validation succeeded" in told, told
    data = bytearray((exports / "v.wacz").read_bytes())
    data[200] ^= 1  # within the WARC file, which is stored first
    (tmp_path / "flipped.wacz").write_bytes(data)
    assert "Validation succeeded" not in validate(tmp_path / "flipped.wacz")[1]


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://www.syriahr.com/en/332481/", "com,syriahr)/en/332481"),
        ("http://127.0.0.1:8000/en/1/?b=2&a=1", "1,0,0,127:8000)/en/1?a=1&b=2"),
        ("https://syriahr.com", "com,syriahr)/"),
        ("https://www.syriahr.com/%D8%A3/12/", "com,syriahr)/%d8%a3/12"),
    ],
)
def test_keys_of_the_index(url: str, key: str) -> None:
    """As the package `surt` makes them."""
    assert surt(url) == key
