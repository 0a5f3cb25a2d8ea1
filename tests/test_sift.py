"""`sohr-archive sift`: one site's records out of any WARC stream, byte for byte, here or on a cluster."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from archive.warc import sift as module
from archive.warc.sift import Sifted, sift
from tests.archiving import HOME, Archive, Foreign, answer, capture, said, sohr, warc
from tests.crawling import environment, rows
from tests.replica.server import ROOT

ELSEWHERE = "https://news.example.org/"
AT = "2016-03-01T10:00:00Z"


def _mixed(first: int, count: int = 6) -> list[Foreign]:
    """Records of other sites, and of ours a third of them; one holds our address in its path alone."""
    records = [
        said(number, AT, f"Text {number}.", site=HOME if number % 3 == 0 else ELSEWHERE)
        for number in range(first, first + count)
    ]
    return [*records, Foreign(f"{ELSEWHERE}?u={HOME}en/1/", AT, answer(b"<html>"))]


def _ours(records: list[Foreign]) -> bytes:
    return b"".join(gzip.compress(r.plain(), mtime=0) for r in records if r.uri.startswith(HOME))


def _sifted(data: bytes, wanted: bytes = b"127.0.0.1:9/en") -> tuple[bytes, Sifted]:
    class Stream:
        def read(self, size: int) -> bytes:
            nonlocal data
            piece, data = data[:size], data[size:]
            return piece

    out, found = list[bytes](), Sifted()
    sift(Stream(), lambda address: address.startswith(b"http://" + wanted), out.append, found)
    return b"".join(out), found


def test_files_become_one_that_import_reads(tmp_path: Path) -> None:
    """Members byte for byte, in the order of the files; `import` makes versions of them."""
    one, two = _mixed(1), _mixed(7)
    names = [warc(tmp_path / "one.warc.gz", one), warc(tmp_path / "two.warc.gz", two)]
    ran = sohr(
        tmp_path / "archive", "sift", *names, "-o", tmp_path / "ours.warc.gz", "--site", HOME, "--json"
    )
    assert ran.status == 0, ran.err
    assert (tmp_path / "ours.warc.gz").read_bytes() == _ours(one + two)
    assert [json.loads(line)["copied"] for line in ran.lines] == [2, 2]


def test_a_sifted_file_is_imported(tmp_path: Path) -> None:
    """The whole way, into an archive of the site, whose address need not be named then."""
    folder, list_of = tmp_path / "archive", tmp_path / "names"
    with Archive(folder) as archive:
        archive.take(capture(99, AT, "First."))
    list_of.write_text(f"{warc(tmp_path / 'one.warc.gz', _mixed(1))}\n")
    ran = sohr(folder, "sift", "--from", list_of, "-o", tmp_path / "o.warc.gz")
    assert ran.status == 0 and ran.lines == [f"{tmp_path / 'one.warc.gz'}: 2 of 7 records copied"]
    assert sohr(folder, "import", tmp_path / "o.warc.gz").status == 0
    sql = "select post_id, c.source from captures c join articles using (article_id) where c.source != 'live'"
    assert rows(folder, sql) == [(3, "import"), (6, "import")]


def test_a_file_that_exists_is_kept(tmp_path: Path) -> None:
    """Also where somebody names a source as the target; with --force it is replaced when all are read."""
    one = warc(tmp_path / "one.warc.gz", _mixed(1))
    before = one.read_bytes()
    line = ("sift", one, "-o", one, "--site", HOME)
    ran = sohr(tmp_path / "archive", *line)
    assert (ran.status, one.read_bytes()) == (73, before) and "--force" in ran.err
    assert sohr(tmp_path / "archive", *line, "--force").status == 0
    assert one.read_bytes() == _ours(_mixed(1))


def test_plain_files_are_packed_and_standard_input_is_read(tmp_path: Path) -> None:
    """A plain WARC gives the same records as members; `-` is standard input and output."""
    records = _mixed(1)
    plain = warc(tmp_path / "plain.warc", records, packed=False)
    line = [sys.executable, "-m", "archive.cli.main", "sift", "-", "-o", "-", "--site", HOME]
    done = subprocess.run(
        line,
        cwd=ROOT,
        env=environment(),
        input=plain.read_bytes(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert gzip.decompress(done.stdout) == gzip.decompress(_ours(records))
    assert b"2 of 7 records copied" in done.stderr


@pytest.mark.parametrize("reader", ["isal", "zlib"])
def test_damage_costs_the_damaged_record(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A torn member in the middle and a cut end are counted; every whole record is copied."""
    if reader == "zlib":
        monkeypatch.setattr(module, "_inflate", module.zlib)
    records = [said(number, AT, f"Text {number}. " + "More. " * 400) for number in range(1, 7)]
    members = [gzip.compress(record.plain(), mtime=0) for record in records]
    torn = members[2][:200] + b"\x00" * 40 + members[2][240:]
    data = b"".join([*members[:2], torn, *members[3:5], members[5][:-30]])
    copied, found = _sifted(data)
    assert copied == b"".join([*members[:2], *members[3:5]])
    assert (found.copied, found.damaged) == (4, 2)
    assert found.first_damage == len(members[0] + members[1])


@pytest.mark.parametrize("is_packed", [True, False])
def test_damage_of_every_kind_costs_no_other_record(is_packed: bool) -> None:
    """In one of eight records bits are flipped, bytes are taken out or put in: the other seven are copied."""
    chance = random.Random(3)
    texts = [" ".join(f"{chance.getrandbits(24):x}" for _ in range(80)) for _ in range(8)]
    records = [said(number, AT, text).plain() for number, text in enumerate(texts, 1)]
    for _ in range(300):
        struck = chance.randrange(8)
        parts = [gzip.compress(one, mtime=0) if is_packed else one for one in records]
        whole, at = parts[struck], chance.randrange(len(parts[struck]) - 304)  # its end stays
        parts[struck] = chance.choice(
            (
                whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :],
                whole[:at] + chance.randbytes(chance.randrange(1, 60)) + whole[at:],
                whole[:at] + whole[at + chance.randrange(1, 300) :],
            )
        )
        copied, found = _sifted(b"".join(parts))
        told = gzip.decompress(copied)
        assert [n for n, text in enumerate(texts) if n != struck and text.encode() not in told] == []
        assert found.damaged <= 2


def test_large_and_odd_members() -> None:
    """A member that unpacks to many pieces, one with long headers, an empty one, one without an address."""
    large = Foreign(f"{HOME}en/1/", AT, answer(b"x" * (5 << 20)))
    long = Foreign(f"{HOME}en/2/", AT, answer(b"y"), headers={"X-Long": "z" * 70_000})
    info = Foreign("", AT, b"software: x", kind="warcinfo", headers={"WARC-Target-URI": None})
    records = [gzip.compress(one.plain(), mtime=0) for one in (info, large, long)]
    copied, found = _sifted(b"".join([*records, gzip.compress(b"", mtime=0)]))
    assert copied == records[1] + records[2] and (found.copied, found.damaged) == (2, 0)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"<html>", "not a WARC file"), (b"\x28\xb5\x2f\xfdxxxx", "packed with zstd"), (None, "cannot be read")],
)
def test_what_is_no_warc_is_named(content: bytes | None, sentence: str, tmp_path: Path) -> None:
    """The command ends with 65 and goes on with the other files."""
    bad, good = tmp_path / "bad", warc(tmp_path / "good.warc.gz", _mixed(1))
    if content is not None:
        bad.write_bytes(content)
    ran = sohr(tmp_path / "archive", "sift", bad, good, "-o", tmp_path / "out.warc.gz", "--site", HOME)
    assert ran.status == 65 and sentence in ran.err and "good.warc.gz: 2 of 7" in ran.out.decode()
    assert (tmp_path / "out.warc.gz").read_bytes() == _ours(_mixed(1))


@contextmanager
def _breaking(content: bytes) -> Iterator[str]:
    """A server that closes each connection after 3,000 bytes, and continues where it is asked to."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            first = int((self.headers.get("Range") or "bytes=0-")[6:-1])
            self.send_response(206 if first else 200)
            self.send_header("Content-Length", str(len(content) - first))
            self.end_headers()
            self.wfile.write(content[first : first + 3000])

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/x.warc.gz"
        server.shutdown()


def test_a_download_goes_on_where_it_broke_off(tmp_path: Path) -> None:
    """Every record of a file that comes in ten pieces."""
    records = _mixed(1, 60)
    content = warc(tmp_path / "one.warc.gz", records).read_bytes()
    assert len(content) > 9000
    with _breaking(content) as url:
        ran = sohr(tmp_path / "archive", "sift", url, "-o", tmp_path / "out.warc.gz", "--site", HOME)
    assert ran.status == 0, ran.err
    assert (tmp_path / "out.warc.gz").read_bytes() == _ours(records)


def test_arguments_that_make_no_sense(tmp_path: Path) -> None:
    """2 with a sentence: no files, standard input on a cluster; 69: no cluster there."""
    out = ("-o", tmp_path / "out.warc.gz")
    assert sohr(tmp_path / "archive", "sift", *out).status == 2
    assert sohr(tmp_path / "archive", "sift", "-", "--scheduler", "tcp://127.0.0.1:9", *out).status == 2


@pytest.mark.slow
@pytest.mark.dask
def test_two_workers_give_the_same_file(tmp_path: Path) -> None:
    """On a cluster of two processes: the same bytes in the same order; a file that is not there is named; no
    scheduler is 69."""
    distributed = pytest.importorskip("distributed")
    names = [warc(tmp_path / f"{number}.warc.gz", _mixed(number * 10)) for number in range(1, 6)]
    here, there = tmp_path / "here.warc.gz", tmp_path / "there.warc.gz"
    assert sohr(tmp_path / "archive", "sift", *names, "-o", here, "--site", HOME).status == 0
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        given = ("--site", HOME, "--scheduler", cluster.scheduler_address)
        ran = sohr(tmp_path / "archive", "sift", *names, "-o", there, *given)
        assert ran.status == 0, ran.err
        lost = sohr(tmp_path / "archive", "sift", tmp_path / "no", *names, "-o", tmp_path / "part", *given)
    assert there.read_bytes() == here.read_bytes() == (tmp_path / "part").read_bytes()
    assert lost.status == 65 and "cannot be read" in lost.err
    gone = sohr(tmp_path / "archive", "sift", *names, "-o", there, "--force", *given)
    assert gone.status == 69 and "no Dask scheduler answers" in gone.err
