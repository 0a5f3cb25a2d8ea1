"""What the commands share: where the archive is, an archive opened for reading, `--json`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from archive.read.database import open_readonly, told

if TYPE_CHECKING:
    from archive.read.api import Archive
    from archive.read.records import Version

Command = TypeVar("Command", bound=Callable[..., object])


def folder_of(ctx: click.Context) -> Path:
    """The folder that `--archive` names."""
    folder: Path = ctx.find_root().params["archive"]
    return folder


@contextmanager
def reading(ctx: click.Context) -> Iterator[sqlite3.Connection]:
    """The archive, for reading. Raises what `archive.read.database` raises."""
    folder = folder_of(ctx)
    with closing(open_readonly(folder)) as conn, told(folder / "archive.db"):
        yield conn


def json_option(about: str = "Write one JSON object instead of text.") -> Callable[[Command], Command]:
    """`--json`, which every command has."""
    return click.option("--json", "as_json", is_flag=True, help=about)


@contextmanager
def opened(ctx: click.Context) -> Iterator[Archive]:
    """The archive through the Python API. Raises what `Archive.open` raises."""
    from archive.read.api import Archive

    with Archive.open(folder_of(ctx)) as archive:
        yield archive


def version_of(archive: Archive, named: str, number: int | None = None) -> Version:
    """The version that an argument names: by number; else of the instant of a citation; else the newest.
    Raises NotHeld, BadReference."""
    from archive.read.references import NotHeld, parse_reference

    reference = parse_reference(named)
    article = archive.find(reference)
    if number is not None:
        return article.version(number)
    if reference.at is not None:
        return article.at(reference.at)
    if (latest := article.latest) is None:
        raise NotHeld(
            f"{article.source}:{article.key} is {article.state or 'sighted, not captured yet'}: no text of it was captured"
        )
    return latest
