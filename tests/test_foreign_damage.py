"""Random damage to other people's files: the posts taken are those that an independent reading finds whole.

The reading is FastWARC's, record by record from the offsets of the undamaged file, where SOHR_PYWB names a
Python that has it; else a reading in this module that shares no code with ours.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import random
import re
import subprocess
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archive.warc.foreign import Report, Response, read_captures
from archive.writer.import_file import SINCE
from tests.archiving import Foreign, answer, page, sohr
from tests.crawling import rows

SITE = "https://www.syriahr.com/"
POSTS = 30
FLIPS, CUTS = 500, 200
Whole = set[tuple[str, str, str]]  # address, time, digest of the body

FASTWARC = r"""
import hashlib, io, json, sys
from fastwarc.warc import ArchiveIterator
for line in sys.stdin:
    path, pieces = json.loads(line)
    raw = open(path, "rb").read()
    found = []
    for start, end in pieces:
        try:
            for record in ArchiveIterator(io.BytesIO(raw[start:end]), parse_http=False):
                head = record.headers
                is_http = head.get("Content-Type", "").startswith("application/http")
                is_proven = "WARC-Block-Digest" not in head or record.verify_block_digest()
                if head.get("WARC-Type") == "response" and is_http and is_proven:
                    block = record.reader.read()
                    if len(block) == int(head["Content-Length"]):
                        body = block.partition(b"\r\n\r\n")[2]
                        digest = hashlib.sha256(body).hexdigest()
                        found.append((head["WARC-Target-URI"], head["WARC-Date"], digest))
                break
        except Exception:
            pass  # not whole
    print(json.dumps(found), flush=True)
"""


def posts(random: random.Random) -> list[Foreign]:
    """Posts of a few KiB, each with its digests."""
    made = []
    for number in range(1, POSTS + 1):
        words = [f"{random.getrandbits(60):x}" for _ in range(random.randrange(20, 400))]
        body = page(f"Post {number}", " ".join(words), f"It says {number}.", post_id=number)
        made.append(Foreign(f"{SITE}en/{number}/", f"2024-05-01T12:00:{number:02}Z", answer(body)))
    return made


def pack_zstd(plain: bytes) -> bytes:
    """One frame with a checksum."""
    zstd = pytest.importorskip("backports.zstd")
    packed: bytes = zstd.compress(plain, options={zstd.CompressionParameter.checksum_flag: 1})
    return packed


def unpack_zstd(packed: bytes) -> bytes:
    """One frame."""
    plain: bytes = pytest.importorskip("backports.zstd").decompress(packed)
    return plain


PACKINGS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "gz": (lambda plain: gzip.compress(plain, mtime=0), lambda packed: zlib.decompress(packed, 31)),
    "zst": (pack_zstd, unpack_zstd),
    "plain": (bytes, bytes),
}


def read_here(packed: bytes, unpack: Callable[[bytes], bytes]) -> Iterator[tuple[str, str, str]]:
    """The record in these bytes, if it is whole by its digest."""
    try:
        plain = unpack(packed)
        head, _, rest = plain.partition(b"\r\n\r\n")
        fields = dict(re.findall(rb"(?m)^([A-Za-z-]+): (.*?)\r?$", head))
        block = rest[: int(fields[b"Content-Length"])]
        made = hashlib.sha1(block, usedforsecurity=False).digest()
        spellings = ("", "sha1:" + made.hex(), "sha1:" + base64.b32encode(made).decode())
        is_http = fields[b"Content-Type"].startswith(b"application/http")
        is_proven = fields.get(b"WARC-Block-Digest", b"").decode() in spellings
        if fields[b"WARC-Type"] == b"response" and is_http and is_proven:
            body = hashlib.sha256(block.partition(b"\r\n\r\n")[2]).hexdigest()
            yield fields[b"WARC-Target-URI"].decode(), fields[b"WARC-Date"].decode(), body
    except Exception:  # noqa: BLE001, S110  # not whole
        pass


class Oracle:
    """Says which records of a damaged file are whole."""

    def __init__(self, kind: str, pieces: list[tuple[int, int]]) -> None:
        self._pieces, self._unpack = pieces, PACKINGS[kind][1]
        self._process: subprocess.Popen[str] | None = None
        if os.environ.get("SOHR_PYWB") and kind != "zst":  # FastWARC does not read zstd
            line = [os.environ["SOHR_PYWB"], "-c", FASTWARC]
            self._process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def whole(self, path: Path) -> Whole:
        """The whole records of a file."""
        if self._process:
            assert self._process.stdin and self._process.stdout
            self._process.stdin.write(json.dumps([str(path), self._pieces]) + "\n")
            self._process.stdin.flush()
            return {(url, at, digest) for url, at, digest in json.loads(self._process.stdout.readline())}
        raw = path.read_bytes()
        return {found for start, end in self._pieces for found in read_here(raw[start:end], self._unpack)}

    def close(self) -> None:
        """End the other process."""
        if self._process:
            self._process.communicate()


def is_taken(url: str, at: str) -> bool:
    """Whether a whole record is a capture at all: a flipped bit may have made its date or address none."""
    return bool(
        re.fullmatch(r"https?://[!-~]+", url)
        and re.fullmatch(r"20[0-2]\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\dZ", at)
    )


def read(path: Path) -> tuple[Whole, Report]:
    """What we take of a file."""
    report = Report()
    captures = [found.capture for found in read_captures(path, report, SINCE) if isinstance(found, Response)]
    found = [(one.url, one.captured_at, hashlib.sha256(one.body).hexdigest()) for one in captures]
    assert len(found) == len(set(found))
    return set(found), report


def flip_bit(raw: bytes, at: int, bit: int) -> bytes:
    """The bytes with one bit flipped."""
    return raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :]


def check_command(folder: Path, file: Path, taken: int, lost: int) -> None:
    """`import` takes as many posts and names as many damaged places, and what it made is in order."""
    ran = sohr(folder, "import", file)
    assert ran.status == (65 if lost or not taken else 0), ran
    assert ran.err.count("damaged: ") == lost and "Traceback" not in ran.err
    if taken:
        assert rows(folder, "select count(*) from captures") == [(taken,)]
        assert sohr(folder, "verify").status == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", PACKINGS)
def test_random_damage_costs_the_records_it_strikes(tmp_path: Path, kind: str) -> None:
    """500 flipped bits and 200 cuts over three files: the posts taken equal the whole records, and what was
    lost is named at its place."""
    dice = random.Random(f"damage to {kind}")
    records = [PACKINGS[kind][0](one.plain()) for one in posts(dice)]
    ends = [sum(map(len, records[: n + 1])) for n in range(len(records))]
    pieces = list(zip([0, *ends], ends, strict=False))
    raw = b"".join(records)
    path = tmp_path / f"x.warc.{kind}"
    path.write_bytes(raw)
    oracle = Oracle(kind, pieces)
    every, report = read(path)
    assert len(every) == POSTS and every == oracle.whole(path) and not report.lost
    seen: Counter[str] = Counter()
    for number in range((FLIPS + CUTS) // len(PACKINGS) + 1):
        at = dice.randrange(len(raw))
        is_cut = number % 7 >= 5  # two of seven
        path.write_bytes(raw[:at] if is_cut else flip_bit(raw, at, dice.randrange(8)))
        taken, report = read(path)
        whole = {found for found in oracle.whole(path) if is_taken(*found[:2])}
        assert taken == whole, (at, is_cut, taken ^ whole)
        start = max(start for start, _ in pieces if start <= at)
        seen["cuts" if is_cut else "flips"] += 1
        seen["lost"] += POSTS - len(taken)
        assert {lost.offset for lost in report.lost} <= {start}, (at, report.lost)
        # A plain file protects the block alone: a flipped bit of a header may make it say something else.
        is_in_headers = (
            kind == "plain" and b"\r\n\r\n" in raw[at : start + raw[start:].index(b"\r\n\r\n") + 4]
        )
        assert report.lost or len(taken & every) == POSTS - (is_cut and at == start) or is_in_headers, at
        if number % 40 == 0:
            check_command(tmp_path / str(number), path, len(taken), len(report.lost))
    oracle.close()
    assert seen["flips"] >= FLIPS / 3 and seen["cuts"] >= CUTS / 3 - 1 and seen["lost"] > seen["cuts"]
