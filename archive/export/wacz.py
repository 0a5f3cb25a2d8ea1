"""A WACZ file (Web Archive Collection Zipped 1.1.1): a WARC subset with index, list of pages and checksums,
for ReplayWeb.page.

Written here rather than by the `wacz` package, which holds the index in memory and stamps the hour. The same
archive gives the same bytes: every time in it is the newest `recorded_at`, ids are those of the records.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from archive.clock import parse_time
from archive.export.warc import Copied, Seen, write_warc
from archive.read.selection import Selection

_BLOCK = 1024  # lines of the index in one gzip member, as cdxj-indexer writes it
_HEADER = {"format": "json-pages-1.0", "id": "pages", "title": "Articles", "hasText": False}
_TITLES = """select a.url, v.title, v.plain_title from captures c join articles a using (article_id)
left join versions v on v.article_id = a.article_id and c.captured_at between v.first_captured_at and v.last_captured_at
where c.record_id = ? and c.outcome in ('new', 'changed', 'unchanged') limit 1"""
_WARC = "archive/data.warc.gz"


@dataclass(frozen=True, slots=True)
class _Resource:
    path: str
    hash: str
    bytes: int

    def as_record(self) -> dict[str, Any]:
        return {
            "name": self.path.rpartition("/")[2].lower(),
            "path": self.path,
            "hash": self.hash,
            "bytes": self.bytes,
        }


def write_wacz(
    conn: sqlite3.Connection,
    folder: Path,
    selection: Selection,
    out: IO[bytes],
    facts: dict[str, str],
    seen: Seen = lambda *_: None,
) -> None:
    """Write the selected captures as a WACZ. ``facts``: title, description, software, created. Raises
    DamagedWarc."""
    # "": a database on disk that nobody else sees
    with tempfile.TemporaryFile() as whole, closing(sqlite3.connect("")) as sorter:
        sorter.execute("create table lines (surt text, at text, record_id text, line text)")
        sorter.execute("create table pages (at text, url text, line text)")
        with zipfile.ZipFile(whole, "w", allowZip64=True) as archive:
            resources = [
                _add(
                    archive,
                    _WARC,
                    facts["created"],
                    lambda file: _warc(conn, folder, selection, file, sorter, seen),
                )
            ]
            lookup: list[str] = []
            lines = (row[0] for row in sorter.execute("select line from lines order by surt, at, record_id"))
            resources.append(
                _add(
                    archive,
                    "indexes/index.cdx.gz",
                    facts["created"],
                    lambda file: lookup.extend(_compressed(lines, file)),
                )
            )
            resources.append(
                _add(archive, "indexes/index.idx", facts["created"], lambda file: _write(file, lookup))
            )
            pages = (row[0] for row in sorter.execute("select line from pages order by at, url"))
            resources.append(
                _add(
                    archive,
                    "pages/pages.jsonl",
                    facts["created"],
                    lambda file: _write(file, [_json(_HEADER) + "\n"], pages),
                    True,
                )
            )
            package = _package(
                resources, facts, sorter.execute("select line from pages order by at, url limit 1").fetchone()
            )
            text = (json.dumps(package, ensure_ascii=False, indent=2) + "\n").encode()
            _add(archive, "datapackage.json", facts["created"], lambda file: file.write(text))
            digest = {"path": "datapackage.json", "hash": "sha256:" + hashlib.sha256(text).hexdigest()}
            _add(
                archive,
                "datapackage-digest.json",
                facts["created"],
                lambda file: file.write((json.dumps(digest, indent=2) + "\n").encode()),
            )
        whole.seek(0)
        shutil.copyfileobj(whole, out, 1 << 20)


def surt(url: str) -> str:
    """An address in the order and form an index sorts by: ``org,example)/path?query``."""
    parts = urlsplit(re.sub(r"^(https?://)www\d*\.", r"\1", url, flags=re.IGNORECASE).lower())
    host = ",".join(reversed((parts.hostname or "").split(".")))
    port = (
        f":{parts.port}" if parts.port and parts.port != {"http": 80, "https": 443}.get(parts.scheme) else ""
    )
    path = parts.path.rstrip("/") or "/"
    query = "&".join(sorted(parts.query.split("&"))) if parts.query else ""
    return f"{host}{port}){path}" + (f"?{query}" if query else "")


class _Digesting:
    """A file that knows the SHA-256 and the size of what was written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.hash, self.size = file, hashlib.sha256(), 0

    def write(self, part: bytes) -> int:
        """Write all of it."""
        self._file.write(part)
        self.hash.update(part)
        self.size += len(part)
        return len(part)


def _add(
    archive: zipfile.ZipFile, name: str, at: str, fill: Callable[[Any], object], is_deflated: bool = False
) -> _Resource:
    year, month, day, hour, minute, second = (int(part) for part in re.findall(r"\d+", at))
    info = zipfile.ZipInfo(name, (max(year, 1980), month, day, hour, minute, second))
    # What is to be read in parts is stored as it is
    info.compress_type = zipfile.ZIP_DEFLATED if is_deflated else zipfile.ZIP_STORED
    info.create_system, info.external_attr = 3, 0o644 << 16
    # ReplayWeb.page looks for the length of a local header's extra fields only where the central directory
    # has some too, and `force_zip64` makes local ones alone. So each file has one in both: the extended
    # timestamp (UTC seconds).
    info.extra = struct.pack("<HHBI", 0x5455, 5, 1, int(parse_time(at).timestamp()))
    with archive.open(info, "w", force_zip64=True) as file:
        digesting = _Digesting(file)
        fill(digesting)
    return _Resource(name, "sha256:" + digesting.hash.hexdigest(), digesting.size)


def _warc(
    conn: sqlite3.Connection,
    folder: Path,
    selection: Selection,
    out: Any,
    sorter: sqlite3.Connection,
    seen: Seen,
) -> None:
    for copied in write_warc(conn, folder, selection, out, seen):
        sorter.execute(
            "insert into lines values (?, ?, ?, ?)",
            (key := surt(copied.url), copied.at, copied.record_id, _cdxj(key, copied)),
        )
        if page := conn.execute(_TITLES, (copied.record_id,)).fetchone():
            told = {
                "id": copied.record_id.strip("<>").removeprefix("urn:uuid:"),
                "url": copied.url,
                "ts": copied.at,
            }
            title = page["plain_title"] or page["title"] or page["url"]
            sorter.execute(
                "insert into pages values (?, ?, ?)",
                (copied.at, copied.url, _json(told | {"title": title}) + "\n"),
            )


def _cdxj(key: str, copied: Copied) -> str:
    fields = {
        "url": copied.url,
        "mime": copied.mime,
        "status": str(copied.status),
        "digest": f"sha256:{copied.digest}",
        "length": str(copied.length),
        "offset": str(copied.offset),
        "filename": _WARC.rpartition("/")[2],
    }
    return f"{key} {re.sub('[^0-9]', '', copied.at)} {json.dumps(fields)}\n"


def _compressed(lines: Iterable[str], out: Any) -> Iterator[str]:
    """Write the index in blocks; the lines of the index of blocks."""
    yield '!meta 0 {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}\n'
    offset, block = 0, list[str]()

    def flush() -> str:
        nonlocal offset, block
        deflate = zlib.compressobj(6, zlib.DEFLATED, 31)
        member = deflate.compress("".join(block).encode()) + deflate.flush()
        key, at, _ = block[0].split(" ", 2)
        place = {
            "offset": offset,
            "length": len(member),
            "digest": "sha256:" + hashlib.sha256(member).hexdigest(),
            "filename": "index.cdx.gz",
        }
        offset, block = offset + out.write(member), []
        return f"{key} {at} {json.dumps(place)}\n"

    for line in lines:
        block.append(line)
        if len(block) == _BLOCK:
            yield flush()
    if block:
        yield flush()


def _write(out: Any, *texts: Iterable[str]) -> None:
    for text in texts:
        for line in text:
            out.write(line.encode())


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _package(resources: list[_Resource], facts: dict[str, str], first: tuple[str] | None) -> dict[str, Any]:
    package: dict[str, Any] = {"profile": "data-package", "wacz_version": "1.1.1"}
    package |= {name: facts[name] for name in ("title", "description", "software", "created")} | {
        "modified": facts["created"]
    }
    if first:
        page = json.loads(first[0])
        package |= {"mainPageUrl": page["url"], "mainPageDate": page["ts"]}
    return package | {"resources": [resource.as_record() for resource in resources]}
