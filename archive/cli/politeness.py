"""`sohr-archive politeness`"""

from __future__ import annotations

import sqlite3
import sys

import click

from archive.cli.common import folder_of, json_option, reading

IMPOLITE = 1  # as with verify: no error of the command, and not nothing


@click.command()
@click.option("--crawl", "name", default="last", show_default=True, metavar="NAME", help="Which crawl.")
@click.option(
    "--budget",
    type=click.IntRange(min=0),
    envvar="ARCHIVE_DAILY_REQUESTS",
    default=8000,
    show_default=True,
    metavar="N",
    help="A day's.",
)
@json_option()
@click.pass_context
def politeness(ctx: click.Context, name: str, budget: int, as_json: bool) -> None:
    """Say what a crawl asked of the site: how much, how fast, and whether it kept to robots.txt and
    Retry-After.

    All of it is told from the evidence, not from what the crawler meant to do. Times are those of the
    answers, in whole seconds. Ends with 1 where something was asked that the site had said not to ask.

    \b
    Examples:
      sohr-archive politeness
      sohr-archive politeness --crawl 2026-01-02T00:00:00Z-0a1b2c --json
    """
    from dataclasses import asdict

    from archive.extract.reread import Evidence
    from archive.html.decode import Undecodable, decode_body
    from archive.read.database import about, json_line, snapshot
    from archive.reports.politeness import read_politeness, render
    from archive.sites.sohr.addresses import HOME, Site

    with reading(ctx) as conn, snapshot(conn):
        evidence = Evidence(
            folder_of(ctx),
            lambda sql, *values: conn.execute(sql, values).fetchall(),
            Site(about(conn, "home") or HOME),
        )

        def body(row: sqlite3.Row) -> bytes:
            try:
                return decode_body(evidence.capture(row))
            except Undecodable:
                return b""  # states no rules, as Scrapy's own reading has it

        found = read_politeness(conn, name, body, budget)
    if as_json:
        sys.stdout.buffer.write(json_line(asdict(found) | {"is_polite": found.is_polite}))
    else:
        click.echo(render(found))
    if not found.is_polite:
        ctx.exit(IMPOLITE)
