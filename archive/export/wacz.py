"""A WACZ file (Web Archive Collection Zipped 1.1.1): a WARC subset with index, pages and checksums.

We do not use the `wacz` package: it keeps the index in memory and writes the current time. Here the same
archive gives the same bytes: every time is the newest `recorded_at`, and ids are those of the records.
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
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlsplit

from archive.clock import parse_time
from archive.export.source import Source
from archive.export.warc import Copied, Place, copy_captures

_BLOCK = 1024  # lines of the index in one gzip member, as cdxj-indexer does
_HEADER = {"format": "json-pages-1.0", "id": "pages", "title": "Articles", "hasText": False}
_TITLES = """select a.url, v.title, v.plain_title from captures c join articles a using (article_id)
left join versions v on v.article_id = a.article_id
     and c.captured_at between v.first_captured_at and v.last_captured_at
where c.record_id = ? and c.outcome in ('new', 'changed', 'unchanged') limit 1"""
_WARC = "archive/data.warc.gz"


@dataclass(frozen=True, slots=True)
class _Resource:
    path: str
    hash: str
    bytes: int

    def as_record(self) -> dict[str, Any]:
        return {
            "name": self.path.lower(),  # unique, as the standard wants
            "path": self.path,
            "hash": self.hash,
            "bytes": self.bytes,
        }


def write_wacz(
    source: Source,
    out: IO[bytes],
    places: Iterable[Place] | None = None,
    beside: Iterable[tuple[str, bytes]] = (),
    created: str | None = None,
    sign: Callable[[str], dict[str, Any]] = lambda _: {},
) -> None:
    """Write the selected captures as a WACZ, or, as a small one, those at ``places``. Raises DamagedWarc.

    ``beside`` are more files, by their path, ``created`` is said instead of the archive's own time, and
    ``sign`` makes more fields of the digest's file from the digest.
    """
    at = source.facts["created"]
    resources: list[_Resource] = []
    # "": a database on disk that nobody else sees
    with tempfile.TemporaryFile() as whole, closing(sqlite3.connect("")) as sorter:
        sorter.execute("create table lines (surt text, at text, record_id text, line text, digest text)")
        sorter.execute("create table pages (at text, url text, line text)")
        with zipfile.ZipFile(whole, "w", allowZip64=True) as archive:
            with _adding(archive, _WARC, at, resources) as file:
                _write_captures(source, file, sorter, places)
            for path, content in beside:
                with _adding(archive, path, at, resources, is_deflated=True) as file:
                    file.write(content)
            index = sorter.execute("select line, digest from lines order by surt, at, record_id")
            with _adding(archive, "indexes/index.cdx.gz", at, resources) as file:
                lines = (f'{line}, "recordDigest": "{digest}"}}\n' for line, digest in index)
                lookup = list(_write_blocks(lines, file))
            if places is None:
                with _adding(archive, "indexes/index.idx", at, resources) as file:
                    _write_lines(file, lookup)
            else:  # ReplayWeb.page 2.4.6 calls every index.idx and recordDigest invalid, the right ones too
                index = sorter.execute("select line from lines order by surt, at, record_id")
                with _adding(archive, "indexes/index.cdxj", at, resources) as file:
                    _write_lines(file, (f"{line}}}\n" for (line,) in index))
            pages = [row[0] for row in sorter.execute("select line from pages order by at, url limit 1")]
            every = (row[0] for row in sorter.execute("select line from pages order by at, url"))
            with _adding(archive, "pages/pages.jsonl", at, resources, is_deflated=True) as file:
                _write_lines(file, [_json(_HEADER) + "\n"], every)
            facts = source.facts | {"created": created or at}
            text = json.dumps(_package(resources, facts, pages), ensure_ascii=False, indent=2) + "\n"
            with _adding(archive, "datapackage.json", at, resources) as file:
                _write_lines(file, [text])
            digest: dict[str, Any] = {"path": "datapackage.json", "hash": resources[-1].hash}
            digest |= sign(resources[-1].hash)
            with _adding(archive, "datapackage-digest.json", at, resources) as file:
                _write_lines(file, [json.dumps(digest, indent=2) + "\n"])
        whole.seek(0)
        shutil.copyfileobj(whole, out, 1 << 20)


def surt(url: str) -> str:
    """An address as an index sorts it: ``org,example)/path?query``."""
    parts = urlsplit(re.sub(r"^(https?://)www\d*\.", r"\1", url, flags=re.IGNORECASE).lower())
    host = ",".join(reversed((parts.hostname or "").split(".")))
    port = (
        f":{parts.port}" if parts.port and parts.port != {"http": 80, "https": 443}.get(parts.scheme) else ""
    )
    path = parts.path.rstrip("/") or "/"
    query = "&".join(sorted(parts.query.split("&"))) if parts.query else ""
    return f"{host}{port}){path}" + (f"?{query}" if query else "")


class _Digesting:
    """A file that computes the SHA-256 and the size of what is written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.hash, self.size = file, hashlib.sha256(), 0

    def write(self, part: bytes) -> int:
        """Write all of it."""
        self._file.write(part)
        self.hash.update(part)
        self.size += len(part)
        return len(part)


@contextmanager
def _adding(
    archive: zipfile.ZipFile, name: str, at: str, resources: list[_Resource], *, is_deflated: bool = False
) -> Iterator[Any]:
    """A file to write to, which becomes a file of the ZIP and a resource."""
    year, month, day, hour, minute, second = (int(part) for part in re.findall(r"\d+", at))
    info = zipfile.ZipInfo(name, (max(year, 1980), month, day, hour, minute, second))
    # Files that are read in parts are not compressed again
    info.compress_type = zipfile.ZIP_DEFLATED if is_deflated else zipfile.ZIP_STORED
    info.create_system, info.external_attr = 3, 0o644 << 16
    # ReplayWeb.page looks for the length of a local header's extra fields only if the central directory has
    # some too, and `force_zip64` makes local ones alone. So each file has one in both: the extended timestamp
    # (UTC seconds).
    info.extra = struct.pack("<HHBI", 0x5455, 5, 1, int(parse_time(at).timestamp()))
    with archive.open(info, "w", force_zip64=True) as file:
        digesting = _Digesting(file)
        yield digesting
    resources.append(_Resource(name, "sha256:" + digesting.hash.hexdigest(), digesting.size))


def _write_captures(
    source: Source, out: Any, sorter: sqlite3.Connection, places: Iterable[Place] | None
) -> None:
    for copied in copy_captures(source, out, places):
        key = surt(copied.url)
        line = (key, copied.at, copied.record_id, _cdxj(key, copied), f"sha256:{copied.record_sha256}")
        sorter.execute("insert into lines values (?, ?, ?, ?, ?)", line)
        if titles := source.conn.execute(_TITLES, (copied.record_id,)).fetchone():
            page = {
                "id": copied.record_id.strip("<>").removeprefix("urn:uuid:"),
                "url": copied.url,
                "ts": copied.at,
                "title": titles["plain_title"] or titles["title"] or titles["url"],
            }
            sorter.execute("insert into pages values (?, ?, ?)", (copied.at, copied.url, _json(page) + "\n"))


def _cdxj(key: str, copied: Copied) -> str:
    """A line of the index, but for the brace at its end."""
    fields = {
        "url": copied.url,
        "mime": copied.mime,
        "status": str(copied.status),
        "digest": f"sha256:{copied.digest}",
        "length": str(copied.length),
        "offset": str(copied.offset),
        "filename": _WARC.rpartition("/")[2],
    }
    return f"{key} {re.sub('[^0-9]', '', copied.at)} {json.dumps(fields)[:-1]}"


def _write_blocks(lines: Iterable[str], out: Any) -> Iterator[str]:
    """Write the index in compressed blocks; yield a line for each block."""
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


def _write_lines(out: Any, *texts: Iterable[str]) -> None:
    for text in texts:
        for line in text:
            out.write(line.encode())


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _package(resources: list[_Resource], facts: dict[str, str], pages: list[str]) -> dict[str, Any]:
    package: dict[str, Any] = {"profile": "data-package", "wacz_version": "1.1.1"}
    package |= {name: facts[name] for name in ("title", "description", "software", "created")} | {
        "modified": facts["created"]
    }
    if pages:
        page = json.loads(pages[0])
        package |= {"mainPageUrl": page["url"], "mainPageDate": page["ts"]}
    return package | {"resources": [resource.as_record() for resource in resources]}
