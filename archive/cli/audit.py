"""`sohr-archive audit`"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from archive.cli.common import folder_of, json_option, reading

GAPS = 1  # as with verify: no error of the command, and not nothing
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--since", type=_DAY, metavar="YYYY-MM-DD", help="Only this archive day and later.")
@click.option("--until", type=_DAY, metavar="YYYY-MM-DD", help="Only this archive day and earlier.")
@click.option("--edition", type=click.Choice(["en", "ar", "all"]), default="all", show_default=True)
@click.option(
    "--days", "every_day", is_flag=True, help="Show each day; with --since or --until they are shown anyway."
)
@click.option("--fix", is_flag=True, help="Print the crawls that close the gaps, and nothing else.")
@click.option(
    "--urls",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    default="gaps.txt",
    show_default=True,
    help="For --fix: addresses.",
)
@json_option()
@click.pass_context
def audit(
    ctx: click.Context,
    since: datetime | None,
    until: datetime | None,
    edition: str,
    every_day: bool,
    fix: bool,
    target: Path,
    as_json: bool,
) -> None:
    """Say what is missing: for each day of an edition what was sighted by which channel, held, gone, never
    captured.

    Ends with 1 where there is a gap that nothing explains: a day whose listings were not all seen, an article
    sighted and never captured, an address whose article is not known. Days that were not over at the last
    crawl, and articles that are gone from the site, are explained.

    \b
    Examples:
      sohr-archive audit
      sohr-archive audit --since 2024-05-01 --until 2024-05-31 --edition ar
      sohr-archive audit --fix | sh
    """
    from dataclasses import asdict

    from archive.model import EDITIONS, Edition
    from archive.read.database import json_line
    from archive.reports.audit import commands, of_site, read_audit, render, write_urls

    first, last = (day.date().isoformat() if day else None for day in (since, until))
    if first and last and first > last:
        raise click.UsageError(f"--since {first} is after --until {last}: swap them", ctx)
    editions: tuple[Edition, ...] = tuple(e for e in EDITIONS if edition in (e, "all"))
    with reading(ctx) as conn:
        found = read_audit(conn, editions, first, last)
        home, site = of_site(conn)
    todo = commands(found, folder_of(ctx), home, site, target)
    if fix:
        write_urls(found, target)
    if as_json:
        days = [asdict(day) | {"is_gap": day.is_gap} for day in found.days]
        sys.stdout.buffer.write(
            json_line(
                asdict(found) | {"days": days, "has_gaps": found.has_gaps, "fix": todo if fix else None}
            )
        )
    elif fix:
        for line in todo:
            click.echo(line)
    else:
        click.echo(render(found, every_day=every_day or bool(first or last)))
        if found.has_gaps:
            click.echo("\n'sohr-archive audit --fix' names the crawls that close these gaps")
    if found.has_gaps:
        ctx.exit(GAPS)
