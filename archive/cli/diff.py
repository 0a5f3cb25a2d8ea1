"""`sohr-archive diff`"""

from __future__ import annotations

import os
import sys

import click

from archive.cli.common import json_option, opened, write_json


@click.command()
@click.argument("article")
@click.argument("before", type=click.IntRange(min=1), required=False)
@click.argument("after", type=click.IntRange(min=1), required=False)
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
    before: int | None,
    after: int | None,
    unified: bool,
    html: bool,
    colour: bool | None,
    as_json: bool,
) -> None:
    """Show what changed in ARTICLE between two versions.

    BEFORE and AFTER are version numbers. Without them the last two versions are compared.

    \b
    Examples:
      sohr-archive diff en:332481 1 2
      sohr-archive diff en:332481 --unified
      sohr-archive diff en:332481 1 2 --html > change.html
      sohr-archive diff en:332481 1 2 --json | jq .figures
    """
    from archive.read.diff import safe
    from archive.read.references import NotArchived
    from archive.reports.terminal import number_of

    if unified + html + as_json > 1:
        raise click.UsageError("give one of --unified, --html and --json", ctx)
    if before is not None and after is None:
        raise click.UsageError("give two version numbers, or none", ctx)
    is_terminal = sys.stdout.isatty()
    with opened(ctx) as archive:
        found = archive.find(article)
        if before is None or after is None:
            numbers = [version.number for version in found.versions]
            if len(numbers) < 2:
                count = number_of(len(numbers), "version")
                raise NotArchived(f"{found.source}:{found.key} has {count}: a comparison needs two")
            before, after = numbers[-2:]
        difference = found.diff(before, after)
    if as_json:
        write_json(difference.as_record())
    elif html:
        sys.stdout.buffer.write(difference.html().encode())
    elif unified:
        click.echo(safe(difference.unified()) if is_terminal else difference.unified(), nl=False)
    else:
        marked = colour if colour is not None else is_terminal and not os.environ.get("NO_COLOR")
        click.echo(difference.words(colour=marked), nl=False, color=marked)
