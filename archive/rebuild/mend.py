"""Mend the end of WARC files after a crash, and record the digests of closed files."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from archive.clock import now
from archive.errors import DamagedWarc
from archive.folder import WARC
from archive.store.rows import Store
from archive.warc.files import WarcFile, warc_files
from archive.warc.manifests import covered, digest_of, manifests_since
from archive.warc.repair import cut_torn


def cut_torn_ends(folder: Path, store: Store, *, is_lenient: bool = False) -> int:
    """Cut the torn ends of open files; return the bytes cut. What is indexed or in a manifest is not touched.

    A damaged file stays as it is; it raises DamagedWarc unless ``is_lenient``. Raises OSError.
    """
    known = known_ends(folder, store)
    cut = 0
    for file in warc_files(folder / WARC):
        start = known.get(file.serial, 0)
        if file.is_open and start < file.path.stat().st_size:
            with suppress(*[DamagedWarc] * is_lenient):
                cut += cut_torn(file.path, start)
    return cut


def known_ends(folder: Path, store: Store) -> dict[int, int]:
    """How far each WARC file is in a manifest or indexed, in bytes, by serial number. What the database knows
    as closed is not looked up in manifests."""
    known = "select serial, coalesce(size, 0), sha256 is not null from warc_files order by serial"
    rows = [tuple(row) for row in store.query(known)]
    first = next((serial for serial, _, is_closed in rows if not is_closed), rows[-1][0] if rows else 0)
    ends = covered(manifests_since(folder, first))
    for serial, size, _ in rows:
        ends[serial] = max(ends.get(serial, 0), size, store.files.indexed_to(serial) or 0)
    return ends


def record_closed(folder: Path, store: Store, files: list[WarcFile]) -> None:
    """Record the sizes and digests of closed files, unless a file differs from its manifests. Empties
    ``files``."""
    while files:
        file = files.pop()
        if store.one("select 1 from warc_files where serial = ? and sha256 is null", file.serial) is None:
            continue
        parts = (part for manifest in manifests_since(folder, file.serial) for part in manifest.parts)
        if any(
            digest_of(file.path, part.start, part.end) != part.sha256
            for part in parts
            if part.serial == file.serial
        ):
            continue
        with open(file.path, "rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        with store.transaction():
            store.files.close(file.serial, now(), file.path.stat().st_size, digest)
