"""Manifests: one JSON file a crawl, import or rebuild, each naming the digest of the one before. The newest digest stands for all the evidence.

A manifest says which bytes were added to which WARC files since the one before, with their digests. Kept elsewhere (printed, mailed, posted),
the digest of the newest proves later that nothing was removed, reordered or altered: `sohr-archive verify --head DIGEST`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive.warc import WarcFile, warc_files

_NAME = re.compile(r"^([0-9]{6})\.json$")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as it lies on disk. ``digest`` is that of its bytes, in hexadecimal."""

    path: Path
    number: int
    digest: str
    content: dict[str, Any]


def manifests(folder: Path) -> Iterator[Manifest]:
    """The manifests of an archive in the order of their numbers. Raises ValueError for one that is no JSON object."""
    paths = sorted(p for p in (folder / "manifests").glob("*.json") if _NAME.match(p.name))
    for path in paths:
        raw = path.read_bytes()
        content = json.loads(raw)
        if not isinstance(content, dict):
            raise ValueError(f"{path.name} is no manifest")  # noqa: TRY004  # of content, not of a caller's type
        yield Manifest(path, int(path.stem), hashlib.sha256(raw).hexdigest(), content)


def covered(folder: Path) -> dict[int, int]:
    """How far each WARC file (by serial number) stands in manifests, in bytes."""
    reach: dict[int, int] = {}
    for manifest in manifests(folder):
        for part in manifest.content["files"]:
            reach[part["serial"]] = part["to"]
    return reach


def write_manifest(folder: Path, why: str, at: str) -> Manifest | None:
    """Put what was added since the last manifest into a new one; None where nothing was. Durable on return. Raises OSError."""
    before = list(manifests(folder))
    reach: dict[int, int] = {}
    for manifest in before:
        reach |= {part["serial"]: part["to"] for part in manifest.content["files"]}
    parts = [part for file in warc_files(folder / "warc") if (part := _part(file, reach.get(file.serial, 0)))]
    if not parts:
        return None
    number = before[-1].number + 1 if before else 1
    content = {"manifest": 1, "number": number, "why": why, "at": at, "before": before[-1].digest if before else None, "files": parts}
    raw = (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()
    target = folder / "manifests" / f"{number:06d}.json"
    target.parent.mkdir(exist_ok=True)
    partial = target.with_suffix(".partial")
    with open(partial, "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(target)
    return Manifest(target, number, hashlib.sha256(raw).hexdigest(), content)


def _part(file: WarcFile, start: int) -> dict[str, Any] | None:
    end = file.path.stat().st_size
    if end <= start:
        return None
    return {"name": file.name, "serial": file.serial, "from": start, "to": end, "sha256": digest_of(file.path, start, end)}


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
