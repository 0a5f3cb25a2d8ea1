"""The evidence read and nothing done (`read`), or trafilatura on each page in a pool. ``read_warc.py
read|trafilatura FOLDER PAGES JOBS``."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator


def pages(folder: Path) -> Iterator[bytes]:
    """Bodies of the answers that were pages of posts, unpacked."""
    for file in sorted((folder / "warc").iterdir()):
        with file.open("rb") as stream:
            for record in ArchiveIterator(stream):
                if record.rec_type == "response" and record.http_headers.get_statuscode() == "200":
                    yield record.content_stream().read()


def text(html: bytes) -> int:
    """One page through trafilatura, as its documentation shows."""
    from trafilatura import bare_extraction

    found = bare_extraction(html, with_metadata=True)
    return len(found.text or "") if found else 0


def main() -> None:
    """Fail where a page is missing."""
    what, folder, wanted, jobs = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    if what == "read":
        count = sum(1 for html in pages(folder) if html[:2] != gzip.compress(b"")[:2])
    else:
        with ProcessPoolExecutor(jobs) as pool:
            count = sum(1 for _ in pool.map(text, pages(folder), chunksize=16))
    sys.exit(count != wanted)


if __name__ == "__main__":
    main()
