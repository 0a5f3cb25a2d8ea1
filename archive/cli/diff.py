"""`sohr-archive diff`"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from archive.cli.common import json_option, opened, version_of, write_json

if TYPE_CHECKING:
    from archive.read.api import Archive, Article


@click.command()
@click.argument("article")
@click.argument("before", required=False)
@click.argument("after", required=False)
@click.option("--unified", is_flag=True, help="Write the format of `diff -u`.")
@click.option("--html", is_flag=True, help="Write an HTML page.")
@click.option(
    "--color/--no-color",
    "colour",
    default=None,
    help="Use colours.  [default: on a terminal, unless NO_COLOR is set]",
)
@json_option()
@click.pass_context
def diff(
    ctx: click.Context,
    article: str,
    before: str | None,
    after: str | None,
    unified: bool,
    html: bool,
    colour: bool | None,
    as_json: bool,
) -> None:
    """Show what changed in ARTICLE between two versions.

    BEFORE and AFTER are version numbers or citations. Without them the last two versions are compared; with a
    citation alone, its version and the one before. Two citations need no ARTICLE.

    \b
    Examples:
      sohr-archive diff en:332481 1 2
      sohr-archive diff sohr:en:332481@2025-03-01T10:00:00Z
      sohr-archive diff en:332481 --unified
      sohr-archive diff en:332481 1 2 --html > change.html
      sohr-archive diff en:332481 1 2 --json | jq .figures
    """
    from archive.read.diff import safe

    if unified + html + as_json > 1:
        raise click.UsageError("give one of --unified, --html and --json", ctx)
    is_terminal = sys.stdout.isatty()
    with opened(ctx) as archive:
        found = archive.find(article)
        if before is None:
            one, other = _last_two(archive, article)
        elif after is None:
            if before.isdigit():
                raise click.UsageError("give two versions, or none", ctx)
            one, other = _number(archive, found, article), _number(archive, found, before)
        else:
            one, other = _number(archive, found, before), _number(archive, found, after)
        difference = found.diff(one, other)
    if as_json:
        write_json(difference.as_record())
    elif html:
        sys.stdout.buffer.write(difference.html().encode())
    elif unified:
        click.echo(safe(difference.unified()) if is_terminal else difference.unified(), nl=False)
    else:
        marked = colour if colour is not None else is_terminal and not os.environ.get("NO_COLOR")
        click.echo(difference.words(colour=marked), nl=False, color=marked)


def _last_two(archive: Archive, name: str) -> tuple[int, int]:
    """Numbers of the version that an argument names, and of the one before it. Raises NotArchived."""
    from archive.read.references import NotArchived
    from archive.reports.terminal import number_of

    version = version_of(archive, name)
    numbers = [one.number for one in archive.find(name).versions]
    place = numbers.index(version.number)
    if not place:
        count = number_of(len(numbers), "version")
        which = f"has {count}" if len(numbers) == 1 else f"has {count}, and this is the first"
        raise NotArchived(f"{version.source}:{version.key} {which}: a comparison needs two")
    return numbers[place - 1], numbers[place]


def _number(archive: Archive, found: Article, name: str) -> int:
    """Number of a version of the article, by its number or citation. Raises NotArchived, BadReference."""
    from archive.read.references import BadReference, parse_reference

    if name.isascii() and name.isdigit() and len(name) < 10:
        return int(name)
    reference = parse_reference(name)
    if reference.at is None:
        raise BadReference(f"{name!r} names no version: give its number, or its citation")
    version = archive.find(reference).at(reference.at)
    if (version.source, version.key) != (found.source, found.key):
        raise BadReference(f"{name} is a version of another article than {found.source}:{found.key}")
    return version.number
