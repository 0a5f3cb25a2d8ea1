"""`sift` beside FastWARC's own pass over the same bytes, and on one and two Dask workers.

python -m tests.bench.sift [MEGABYTES]     needs fastwarc and distributed; 1000 takes a few minutes
"""

from __future__ import annotations

import gzip
import io
import random
import sys
import tempfile
import time
from pathlib import Path

from archive.public_archives.sift_files import sift_here, sift_on_cluster
from archive.sites.sohr.addresses import HOME

ROUNDS = 3  # on a machine that does other things too: the best counts
PARTS = 10  # files, each a tenth of the whole: a task each


def make(path: Path, size: int) -> None:
    """Write pages of many sites, one in a hundred of ours, until the file has ``size`` bytes."""
    chance = random.Random(5)
    words = [
        bytes(chance.choices(b"abcdefghijklmnopqrstuvwxyz", k=chance.randint(3, 11))) for _ in range(20000)
    ]
    bodies = [b" ".join(chance.choices(words, k=chance.randint(1500, 9000))) for _ in range(400)]
    number = 0
    with open(path, "wb") as file:
        while file.tell() < size:
            url = f"{HOME}en/{number + 1}/" if number % 97 == 0 else f"https://n{number}.example.org/"
            block = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + bodies[number % 400]
            head = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{number:032d}>\r\n"
            head += f"WARC-Target-URI: {url}\r\nWARC-Date: 2016-03-01T10:00:00Z\r\n"
            head += f"Content-Type: application/http\r\nContent-Length: {len(block)}\r\n\r\n"
            file.write(gzip.compress(head.encode() + block + b"\r\n\r\n", 6, mtime=0))
            number += 1


def on_cluster(names: list[str], workers: int) -> tuple[float, bytes]:
    """Seconds and result on so many workers, which have worked before."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=workers, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        address, found = cluster.scheduler_address, io.BytesIO()
        list(sift_on_cluster(names[:2], HOME, io.BytesIO(), address, lambda _: None))
        begun = time.monotonic()
        list(sift_on_cluster(names, HOME, found, address, lambda _: None))
        return time.monotonic() - begun, found.getvalue()


def main() -> None:
    """Print seconds and ratios."""
    from fastwarc.warc import ArchiveIterator

    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        names = [str(Path(folder) / f"{number}.warc.gz") for number in range(PARTS)]
        make(Path(names[0]), megabytes * 2**20 // PARTS)
        for name in names[1:]:
            Path(name).hardlink_to(names[0])
        begun = time.process_time()
        for name in names:
            with open(name, "rb") as file:
                records = sum(1 for _ in ArchiveIterator(file, parse_http=False))
        fastwarc = time.process_time() - begun
        here, begun = io.BytesIO(), time.process_time()
        assert [report.sifted.records for report in sift_here(names, HOME, here)] == [records] * PARTS
        ours = time.process_time() - begun
        print(f"{megabytes} MB: FastWARC {fastwarc:.2f} s, sift {ours:.2f} s of CPU")
        walls = dict[int, list[float]]({1: [], 2: []})
        for workers in (1, 2) * ROUNDS:
            seconds, found = on_cluster(names, workers)
            walls[workers].append(seconds)
            assert found == here.getvalue()
        one, two = min(walls[1]), min(walls[2])
        print(f"sift {fastwarc / ours:.2f} times FastWARC's pass; two workers {one / two:.2f} times one")
        print(f"one worker {one:.2f} s, two {two:.2f} s, the best of {ROUNDS}; equal bytes")


if __name__ == "__main__":
    main()
