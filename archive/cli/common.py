"""What the commands share: the archive's folder, opening it for reading, and `--json`."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from archive.log import told
from archive.read.database import json_line, open_readonly, translate_sqlite_errors

if TYPE_CHECKING:
    from archive.read.api import Archive
    from archive.read.records import Version

MOST_LOGGED = 20  # lines of one answer
Command = TypeVar("Command", bound=Callable[..., object])


class Day(click.ParamType[str]):
    """A day as 2024-05-31; commands get it as text."""

    name = "day"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        with suppress(ValueError):
            if date.fromisoformat(value).isoformat() == value:  # it reads 2024-W22-5 too
                return value
        raise click.BadParameter(f"{value!r} is not a day: write it like 2024-05-31", ctx, param)


def home_of(value: str, name: str, ctx: click.Context) -> str:
    """The home address of a site that the argument ``name`` gives. Raises UsageError."""
    from archive.sites.sohr.addresses import Site

    try:
        return Site(value).home
    except ValueError as error:
        raise click.UsageError(f"{name}: {error}", ctx) from error


def folder_of(ctx: click.Context) -> Path:
    """The folder that `--archive` names."""
    folder: Path = ctx.find_root().params["archive"]
    return folder


@contextmanager
def reading(ctx: click.Context) -> Iterator[sqlite3.Connection]:
    """Open the archive's database for reading. Raises what `archive.read.database` raises."""
    folder = folder_of(ctx)
    with closing(open_readonly(folder)) as conn, translate_sqlite_errors(folder / "archive.db"):
        yield conn


def json_option(about: str = "Write one JSON object instead of text.") -> Callable[[Command], Command]:
    """`--json`, which every command has."""
    return click.option("--json", "as_json", is_flag=True, help=about)


def keep_off_terminal(ctx: click.Context, target: str | None, what: str) -> None:
    """Refuse to write binary to a terminal. Raises UsageError."""
    if target in ("-", "/dev/stdout") and sys.stdout.isatty():
        raise click.UsageError(f"{what} is binary and would garble the terminal: name a file", ctx)


def write_json(record: object) -> None:
    """Write a record to standard output as one line of JSON."""
    sys.stdout.buffer.write(json_line(record))


def write(record: object, text: str, *, as_json: bool) -> None:
    """Write an answer to standard output: a record as JSON, or the same as text. The log gets the text."""
    note(text)
    if as_json:
        write_json(record)
    else:
        click.echo(text)


def tell(text: str) -> None:
    """Write a remark to standard error, and to the log."""
    note(text)
    click.echo(text, err=True)


def note(text: str) -> None:
    """Write the lines of a text to the log, if the command has one."""
    lines = [line for line in text.splitlines() if line.strip()]
    for line in lines[:MOST_LOGGED]:
        told.info("%s", line)
    if len(lines) > MOST_LOGGED:
        told.info("and %d more lines", len(lines) - MOST_LOGGED)


@contextmanager
def opened(ctx: click.Context) -> Iterator[Archive]:
    """Open the archive with the Python API. Raises what `Archive.open` raises."""
    from archive.read.api import Archive

    with Archive.open(folder_of(ctx)) as archive:
        yield archive


def version_of(archive: Archive, name: str, number: int | None = None) -> Version:
    """The version that an argument names: by number, else by the instant in a citation, else the newest.
    Raises NotArchived, BadReference."""
    from archive.read.references import NotArchived, parse_reference

    reference = parse_reference(name)
    article = archive.find(reference)
    if number is not None:
        return article.version(number)
    if reference.at is not None:
        return article.at(reference.at)
    if (latest := article.latest) is None:
        state = article.state or "sighted, not captured yet"
        raise NotArchived(f"{article.source}:{article.key} is {state}: the archive has no text of it")
    return latest
