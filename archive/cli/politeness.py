"""`sohr-archive politeness`"""

from __future__ import annotations

import sqlite3

import click

from archive.cli.common import folder_of, json_option, reading, write
from archive.errors import FOUND


@click.command()
@click.option("--crawl", "name", default="last", show_default=True, metavar="NAME", help="Name of the crawl.")
@click.option(
    "--budget",
    type=click.IntRange(min=0),
    envvar="ARCHIVE_DAILY_REQUESTS",
    default=8000,
    show_default=True,
    metavar="N",
    help="Allowed requests a day.",
)
@json_option()
@click.pass_context
def politeness(ctx: click.Context, name: str, budget: int, as_json: bool) -> None:
    """Show what a crawl requested from the site and how fast.

    Also checks that it followed robots.txt and Retry-After. The report is made from the evidence, not from
    the crawler's settings. Times are those of the responses, in whole seconds. Ends with 1 when a request was
    made that the site had forbidden.

    \b
    Examples:
      sohr-archive politeness
      sohr-archive politeness --crawl 2026-01-02T00:00:00Z-0a1b2c --json
    """
    from dataclasses import asdict

    from archive.extract.reread import Evidence
    from archive.html.decode import Undecodable, decode_body
    from archive.read.database import snapshot
    from archive.reports.politeness import read_politeness, render_politeness

    with reading(ctx) as conn, snapshot(conn):
        evidence = Evidence.of(conn, folder_of(ctx))

        def body(row: sqlite3.Row) -> bytes:
            try:
                return decode_body(evidence.capture(row))
            except Undecodable:
                return b""  # no rules, as Scrapy reads it

        report = read_politeness(conn, name, body, budget)
    write(asdict(report) | {"is_polite": report.is_polite}, render_politeness(report), as_json=as_json)
    if not report.is_polite:
        ctx.exit(FOUND)
