"""A versioned archive, for reading: ``from archive import Archive``. Importing this package loads nothing;
the names below load when used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archive.errors import ArchiveError
    from archive.figures.series import CitedFigure, Series, Wanted
    from archive.read.api import Archive, Article, Hit
    from archive.read.consumers import Consumer, Consumers
    from archive.read.diff import Diff
    from archive.read.find import BadQuery, Filters
    from archive.read.records import Change, ChangedFigure, Link, TextLine, Version
    from archive.read.references import BadReference, NotArchived

_HOMES = {
    "Archive": "read.api",
    "ArchiveError": "errors",
    "Article": "read.api",
    "BadQuery": "read.find",
    "BadReference": "read.references",
    "Change": "read.records",
    "ChangedFigure": "read.records",
    "CitedFigure": "figures.series",
    "Consumer": "read.consumers",
    "Consumers": "read.consumers",
    "Diff": "read.diff",
    "Filters": "read.find",
    "Hit": "read.api",
    "Link": "read.records",
    "NotArchived": "read.references",
    "Series": "figures.series",
    "TextLine": "read.records",
    "Version": "read.records",
    "Wanted": "figures.series",
}

__all__ = [
    "Archive",
    "ArchiveError",
    "Article",
    "BadQuery",
    "BadReference",
    "Change",
    "ChangedFigure",
    "CitedFigure",
    "Consumer",
    "Consumers",
    "Diff",
    "Filters",
    "Hit",
    "Link",
    "NotArchived",
    "Series",
    "TextLine",
    "Version",
    "Wanted",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load a name of the API when it is first used (PEP 562), so that ``import archive`` costs
        nothing."""
        if name not in _HOMES:
            raise AttributeError(f"module 'archive' has no attribute {name!r}")
        return getattr(import_module(f"archive.{_HOMES[name]}"), name)
