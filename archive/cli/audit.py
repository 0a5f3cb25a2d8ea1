"""`sohr-archive audit`"""

from __future__ import annotations

from pathlib import Path

import click

from archive.cli.common import Day, folder_of, json_option, reading, write, write_json
from archive.errors import FOUND


@click.command()
@click.option("--since", type=Day(), metavar="YYYY-MM-DD", help="Only this archive day and later.")
@click.option("--until", type=Day(), metavar="YYYY-MM-DD", help="Only this archive day and earlier.")
@click.option("--edition", type=click.Choice(["en", "ar", "all"]), default="all", show_default=True)
@click.option("--days", "every_day", is_flag=True, help="Show each day (always with --since or --until).")
@click.option("--fix", is_flag=True, help="Print only the commands of the crawls that close the gaps.")
@click.option(
    "--urls",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    default="gaps.txt",
    show_default=True,
    help="With --fix: where to write the addresses to crawl.",
)
@json_option()
@click.pass_context
def audit(
    ctx: click.Context,
    since: str | None,
    until: str | None,
    edition: str,
    every_day: bool,
    fix: bool,
    target: Path,
    as_json: bool,
) -> None:
    """Show what is missing from the archive, for each day and edition.

    Counts the posts sighted by each channel, captured, gone from the site and never captured.

    Ends with 1 when there is an unexplained gap: a day whose listings were not all read, an article sighted
    and never captured, or an address whose article is unknown. Days that were not over at the last crawl and
    articles that are gone from the site are explained.

    \b
    Examples:
      sohr-archive audit
      sohr-archive audit --since 2024-05-01 --until 2024-05-31 --edition ar
      sohr-archive audit --fix | sh
    """
    from dataclasses import asdict

    from archive.model import EDITIONS, Edition
    from archive.read.database import about
    from archive.reports.audit import commands, read_audit, write_urls
    from archive.reports.audit_text import render_audit

    if since and until and since > until:
        raise click.UsageError(f"--since {since} is later than --until {until}: swap them", ctx)
    editions: tuple[Edition, ...] = tuple(e for e in EDITIONS if edition in (e, "all"))
    with reading(ctx) as conn:
        report = read_audit(conn, editions, since, until)
        home = about(conn, "home")
    todo = commands(report, folder_of(ctx), home, target)
    if fix:
        write_urls(report, target)
    if as_json:
        days = [asdict(day) | {"is_gap": day.is_gap} for day in report.days]
        write_json(asdict(report) | {"days": days, "has_gaps": report.has_gaps, "fix": todo if fix else None})
    elif fix:
        click.echo("".join(f"{line}\n" for line in todo), nl=False)
    else:
        text = render_audit(report, every_day=every_day or bool(since or until))
        if report.has_gaps:
            text += "\n\n'sohr-archive audit --fix' prints the crawls that close these gaps"
        write(report, text, as_json=False)
    if report.has_gaps:
        ctx.exit(FOUND)
