"""Manifests: one JSON file a crawl, import or event, each naming the digest of the one before. The newest
digest stands for all the evidence.

A manifest says which bytes were added to which WARC files since the one before, with their digests, and its
own digest without that line. Kept elsewhere (printed, mailed, posted), the digest of the newest proves later
that nothing was removed, reordered or altered: `sohr-archive verify --head DIGEST`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import NoneType
from typing import Any

from archive.clock import parse_time
from archive.errors import CannotWrite
from archive.folder import MANIFESTS, WARC, write_whole
from archive.warc.files import LAST_NUMBER, WarcFile, warc_files

_SELF = re.compile(rb'^ "self": "([0-9a-f]{64})",\n(?= "why": )', re.MULTILINE)
_CHUNK = 1 << 20
BLOCK = 1 << 16  # bytes: a package proves a record of 10 KB with the block or two that hold it


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes ``start`` to ``end`` of a WARC file, and their SHA-256 in hexadecimal.

    ``blocks`` is the SHA-256 of `list_blocks`: a few of the bytes can be proven without the others.
    """

    name: str
    serial: int
    start: int
    end: int
    sha256: str
    blocks: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as it lies on disk. ``digest`` is that of its bytes, in hexadecimal; ``fault`` says why the
    rest cannot be trusted."""

    path: Path
    number: int  # of its name
    digest: str
    before: str | None = None
    parts: tuple[Part, ...] = ()
    at: str = ""  # when it was written, by the clock of the machine; empty with a fault
    fault: str | None = None

    @property
    def name(self) -> str:
        """Where it lies in the archive's folder."""
        return f"{MANIFESTS}/{self.path.name}"


def manifests(folder: Path, numbers: range = range(10**6)) -> list[Manifest]:
    """The manifests of an archive, or some of them, in the order of their numbers. Raises OSError."""
    return [_read(folder, name) for name in list_seals(folder, ".json") if int(name[:6]) in numbers]


def newest_manifest(folder: Path) -> Manifest | None:
    """The newest manifest, for which the others are not read. Raises OSError."""
    return next((_read(folder, name) for name in reversed(list_seals(folder, ".json"))), None)


def manifests_since(folder: Path, serial: int) -> Iterator[Manifest]:
    """Manifests from the newest back to the first that can have bytes of a WARC file: bytes are sealed in the
    order they were written. Raises OSError."""
    for name in reversed(list_seals(folder, ".json")):
        manifest = _read(folder, name)
        if manifest.parts and manifest.parts[-1].serial < serial:
            return
        yield manifest


def find_seal(folder: Path, serial: int, offset: int) -> Manifest | None:
    """The first manifest that covers a byte of a WARC file, in a few reads however many there are: bytes are
    sealed in the order they were written. None where none does yet. Raises OSError."""
    names = list_seals_for_page(folder, ".json")

    def is_past(name: str) -> bool:
        parts = _read(folder, name).parts
        return bool(parts) and (parts[-1].serial, parts[-1].end) > (serial, offset)

    for name in names[bisect_left(names, True, key=is_past) :][:1]:
        seal = _read(folder, name)
        if any(part.serial == serial and part.start <= offset < part.end for part in seal.parts):
            return seal
    return None


def list_seals(folder: Path, suffix: str) -> list[str]:
    """The names of manifests (.json) or tokens (.tsr), in order. Raises OSError."""
    second = r"(\.[0-9])?" * (suffix == ".tsr")  # authority, of a token
    wanted = re.compile(rf"[0-9]{{6}}{second}\{suffix}")
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder / MANIFESTS) as entries:
        return sorted(entry.name for entry in entries if wanted.fullmatch(entry.name))
    return []


def list_seals_for_page(folder: Path, suffix: str) -> list[str]:
    """The same, listed anew when the folder has changed and not for each page: there may be ten thousands.
    Raises OSError."""
    path = folder / MANIFESTS
    return _listed(folder, path.stat().st_mtime_ns, suffix) if path.exists() else []


@lru_cache(maxsize=8)
def _listed(folder: Path, _changed_at: int, suffix: str) -> list[str]:
    return list_seals(folder, suffix)


def _read(folder: Path, name: str) -> Manifest:
    path = folder / MANIFESTS / name
    raw = path.read_bytes()
    number, digest = int(path.stem), hashlib.sha256(raw).hexdigest()
    try:
        stated = _SELF.findall(raw)
        if [hashlib.sha256(_SELF.sub(b"", raw)).hexdigest().encode()] != stated:
            return Manifest(path, number, digest, fault="is not what it was: its own digest does not match")
        content = json.loads(raw)
        parts = tuple(_read_part(part) for part in content["files"])
        if type(content["number"]) is not int or not isinstance(content["before"], (str, NoneType)):
            raise TypeError("its number or the digest before is none")
        if content["number"] != number:
            return Manifest(
                path, number, digest, fault=f"is number {content['number']} by its content: it was moved"
            )
        parse_time(content["at"])
        return Manifest(path, number, digest, content["before"], parts, content["at"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        return Manifest(path, number, digest, fault=f"cannot be read ({type(error).__name__}: {error})")


def _read_part(part: dict[str, Any]) -> Part:
    found = tuple(part[name] for name in ("name", "serial", "from", "to", "sha256", "blocks"))
    if tuple(map(type, found)) != (str, int, int, int, str, str) or not 0 <= found[2] <= found[3] < 2**63:
        raise ValueError("a part of a file is none")
    return Part(*found)


def _canonical(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def covered(chain: Iterable[Manifest]) -> dict[int, int]:
    """How far each WARC file (by serial number) stands in manifests, in bytes."""
    reach: dict[int, int] = {}
    for part in (part for manifest in chain for part in manifest.parts):
        reach[part.serial] = max(part.end, reach.get(part.serial, 0))
    return reach


def write_manifest(folder: Path, why: str, at: str) -> Manifest | None:
    """Put what was added since the last manifest into a new one; None where nothing was. Durable on return.
    Raises OSError, CannotWrite."""
    newest = newest_manifest(folder)
    reach: dict[int, int] = {}
    for manifest in manifests_since(folder, 0):
        if reach := covered([manifest]):
            break
    # What was added to an older file is not sealed: `verify` names it
    added = (file for file in warc_files(folder / WARC) if file.serial >= max(reach, default=0))
    parts = [part for file in added if (part := _part(file, reach.get(file.serial, 0)))]
    if not parts:
        return None
    number = newest.number + 1 if newest else 1
    if number > LAST_NUMBER:
        raise CannotWrite(
            f"{folder / MANIFESTS} has no number left: move the manifests away that were put there"
        )
    content: dict[str, Any] = {
        "manifest": 1,
        "number": number,
        "why": why,
        "at": at,
        "before": newest.digest if newest else None,
        "files": parts,
    }
    raw = _canonical(content | {"self": hashlib.sha256(_canonical(content)).hexdigest()})
    target = folder / MANIFESTS / f"{number:06d}.json"
    target.parent.mkdir(exist_ok=True)
    write_whole(target, raw)
    return _read(folder, target.name)


def _part(file: WarcFile, start: int) -> dict[str, Any] | None:
    end = file.path.stat().st_size
    if end <= start:
        return None
    return {
        "name": file.name,
        "serial": file.serial,
        "from": start,
        "to": end,
        "sha256": digest_of(file.path, start, end),
        "blocks": hashlib.sha256(list_blocks(file.path, start, end).encode()).hexdigest(),
    }


def list_blocks(path: Path, start: int, end: int) -> str:
    """The SHA-256 of each block of a range, in the form of ``sha256sum``: a line for each, the name its
    number."""
    with open(path, "rb") as stream:
        stream.seek(start)
        blocks = (stream.read(min(BLOCK, end - at)) for at in range(start, end, BLOCK))
        return "".join(
            f"{hashlib.sha256(block).hexdigest()}  {number:05d}.bin\n" for number, block in enumerate(blocks)
        )


def digest_of(path: Path, start: int, end: int) -> str:
    """SHA-256 of a range of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        stream.seek(start)
        left = end - start
        while left > 0 and (chunk := stream.read(min(_CHUNK, left))):
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest()
