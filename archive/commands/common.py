"""What the commands share: where the archive is, an archive opened for reading, `--json`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import click

from archive.reading import open_readonly, told

Command = TypeVar("Command", bound=Callable[..., object])


def folder_of(ctx: click.Context) -> Path:
    """The folder that `--archive` names."""
    folder: Path = ctx.find_root().params["archive"]
    return folder


@contextmanager
def reading(ctx: click.Context) -> Iterator[sqlite3.Connection]:
    """The archive, for reading. Raises what `archive.reading` raises."""
    folder = folder_of(ctx)
    with closing(open_readonly(folder)) as conn, told(folder / "archive.db"):
        yield conn


def json_option(about: str = "Write one JSON object instead of text.") -> Callable[[Command], Command]:
    """`--json`, which every command has."""
    return click.option("--json", "as_json", is_flag=True, help=about)
