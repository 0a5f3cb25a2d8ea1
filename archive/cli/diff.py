"""`sohr-archive diff`"""

from __future__ import annotations

import sys

import click

from archive.cli.common import json_option, opened


@click.command()
@click.argument("article")
@click.argument("before", type=click.IntRange(min=1), required=False)
@click.argument("after", type=click.IntRange(min=1), required=False)
@click.option("--unified", is_flag=True, help="As `diff -u` writes it.")
@click.option("--html", is_flag=True, help="A page of its own.")
@click.option(
    "--color/--no-color",
    "colour",
    default=None,
    help="Colours instead of [-went-]{+came+}.  [default: on a terminal, unless NO_COLOR is set]",
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
    """Show what changed in ARTICLE between two versions, by number; without numbers between the last two.

    \b
    Examples:
      sohr-archive diff en:332481 1 2
      sohr-archive diff en:332481 --unified
      sohr-archive diff en:332481 1 2 --html > change.html
      sohr-archive diff en:332481 1 2 --json | jq .figures
    """
    import os

    from archive.read.database import json_line
    from archive.read.diff import safe
    from archive.read.references import NotHeld

    if unified + html + as_json > 1:
        raise click.UsageError("give one of --unified, --html and --json", ctx)
    if before is not None and after is None:
        raise click.UsageError("give both numbers, or none", ctx)
    is_terminal = sys.stdout.isatty()
    with opened(ctx) as archive:
        found = archive.find(article)
        if before is None or after is None:
            numbers = [version.number for version in found.versions]
            if len(numbers) < 2:
                raise NotHeld(
                    f"{found.source}:{found.key} has {len(numbers) or 'no'} version{'s' * (len(numbers) != 1)}: there is nothing to compare"
                )
            before, after = numbers[-2:]
        told = found.diff(before, after)
    if as_json:
        sys.stdout.buffer.write(json_line(told.as_record()))
    elif html:
        sys.stdout.buffer.write(told.html().encode())
    elif unified:
        click.echo(safe(told.unified()) if is_terminal else told.unified(), nl=False)
    else:
        marked = colour if colour is not None else is_terminal and not os.environ.get("NO_COLOR")
        click.echo(told.words(colour=marked), nl=False, color=marked)
