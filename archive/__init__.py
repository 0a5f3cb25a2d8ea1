"""A versioned archive, for reading: ``from archive import Archive``. Importing this package loads nothing; the names below load when used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archive.api import Archive, Article, Hit
    from archive.consumers import Consumer, Consumers
    from archive.diffing import Diff
    from archive.errors import ArchiveError
    from archive.records import Change, ChangedFigure, Link, TextLine, Version
    from archive.references import BadReference, NotHeld

_HOMES = {
    "Archive": "api",
    "ArchiveError": "errors",
    "Article": "api",
    "BadReference": "references",
    "Change": "records",
    "ChangedFigure": "records",
    "Consumer": "consumers",
    "Consumers": "consumers",
    "Diff": "diffing",
    "Hit": "api",
    "Link": "records",
    "NotHeld": "references",
    "TextLine": "records",
    "Version": "records",
}

__all__ = [
    "Archive",
    "ArchiveError",
    "Article",
    "BadReference",
    "Change",
    "ChangedFigure",
    "Consumer",
    "Consumers",
    "Diff",
    "Hit",
    "Link",
    "NotHeld",
    "TextLine",
    "Version",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load a name of the API when it is first used (PEP 562), so that ``import archive`` costs nothing."""
        if name not in _HOMES:
            raise AttributeError(f"module 'archive' has no attribute {name!r}")
        return getattr(import_module(f"archive.{_HOMES[name]}"), name)
