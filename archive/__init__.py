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

# Modules in the order of their imports: the first that knows a name has it
_HOMES = ["errors", "read.references", "read.find", "read.consumers", "read.records", "read.diff"]
_HOMES += ["figures.series", "read.api"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load a name of the API when it is first used (PEP 562), so that ``import archive`` costs
        nothing."""
        for home in _HOMES if name in __all__ else ():
            if hasattr(module := import_module(f"archive.{home}"), name):
                return getattr(module, name)
        raise AttributeError(f"module 'archive' has no attribute {name!r}")
