"""`sohr-archive export`"""

from __future__ import annotations

import sys

import click

from archive.commands.common import folder_of, json_option, reading


@click.command()
@click.option("-o", "--output", "target", default="-", show_default="standard output", metavar="FILE", help="Where to; an existing file is replaced.")
@click.option("--format", "form", type=click.Choice(["jsonl"]), default="jsonl", show_default=True)
@click.option("--edition", type=click.Choice(["en", "ar"]), help="Only this edition.")
@click.option("--versions", "which", type=click.Choice(["all", "latest"]), default="all", show_default=True, help="Or each article's newest.")
@click.option("--content", is_flag=True, help="Only what the site said, not when, where or how often it was asked.")
@json_option("Write the counts as JSON: to standard output, or to standard error where the export goes there.")
@click.pass_context
def export(ctx: click.Context, target: str, form: str, edition: str | None, which: str, content: bool, as_json: bool) -> None:
    """Write the versions held, one a line, in a stable order.

    The order is edition, post id, first capture; the same archive always gives the same bytes. A file appears whole or not at all.

    With --content two archives of the same unchanged site are equal byte for byte, whatever interrupted their crawls; articles without
    text (protected, empty) have a line too, with their state and no number.

    \b
    Examples:
      sohr-archive export -o versions.jsonl
      sohr-archive export --versions latest --edition ar -o arabic.jsonl
      sohr-archive export --content | sha256sum
    """
    from archive.export import Which, export_jsonl
    from archive.model import Edition
    from archive.reading import json_line

    only: Edition | None = edition  # type: ignore[assignment]  # click.Choice saw to it
    every: Which = "latest" if which == "latest" else "all"
    with reading(ctx) as conn:
        told = export_jsonl(conn, target, content=content, edition=only, which=every, keep=folder_of(ctx))
    if as_json:
        line = json_line({"output": target, "format": form, "versions": told.versions, "articles": told.articles})
        (sys.stderr if target == "-" else sys.stdout).buffer.write(line)
    elif target != "-":
        click.echo(f"{told.versions:,} versions of {told.articles:,} articles in {target}", err=True)
