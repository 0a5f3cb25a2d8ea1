"""`sohr-archive backfill`"""

from __future__ import annotations

from collections.abc import Sequence

import click

from archive.cli.common import Day, folder_of, home_of, json_option, reading, write
from archive.errors import USAGE


@click.command()
@click.option("--plan", is_flag=True, help="List what there is, and fetch nothing.")
@click.option(
    "--service",
    "services",
    multiple=True,
    type=click.Choice(["commoncrawl", "wayback"]),
    help="Only this public archive (default: Common Crawl, then Wayback).",
)
@click.option("--since", type=Day(), metavar="DAY", help="Captured on this day or later.")
@click.option("--until", type=Day(), metavar="DAY", help="Captured on this day or earlier.")
@click.option("--edition", type=click.Choice(["en", "ar", "all"]), default="all", show_default=True)
@click.option("--budget", type=click.IntRange(min=0), help="Requests in 24 hours, at most (0: no limit).")
@click.option("--site", metavar="URL", help="The site, where the archive is new.")
@click.option(
    "-s", "settings", multiple=True, metavar="NAME=VALUE", help="A setting, as of 'scrapy crawl -s'."
)
@json_option()
@click.pass_context
def backfill(
    ctx: click.Context,
    plan: bool,
    services: tuple[str, ...],
    since: str | None,
    until: str | None,
    edition: str,
    budget: int | None,
    site: str | None,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Add the years before the first crawl, from Common Crawl and the Wayback Machine.

    Asks their indexes for captures of the site's posts, then for the captures, oldest first; what is here
    already is not asked for. You can stop it at any time: the same command goes on. It is the same as
    'scrapy crawl commoncrawl' and then 'scrapy crawl wayback'.

    \b
    Exit status:
      0   what was asked for is here, or the day's budget is used up
      69  a service refuses, is down, or did not list all it has
    \b
    Examples:
      sohr-archive backfill --plan
      sohr-archive backfill --since 2015-01-01 --until 2016-12-31
    """
    import os
    from dataclasses import asdict

    from archive.folder import DATABASE
    from archive.model import EDITIONS, Edition
    from archive.public_archives.queries import SERVICES
    from archive.rebuild.rebuild import recorded_site
    from archive.reports.backfill import read_backfill, render_backfill
    from archive.sites.sohr.addresses import HOME

    if bad := [one for one in settings if "=" not in one]:
        raise click.UsageError(f"-s {bad[0]} gives no value: write -s NAME=VALUE", ctx)
    folder = folder_of(ctx)
    known = recorded_site(folder)
    given = {
        "site": home_of(site, "--site", ctx) if site else (known.home if known else HOME),
        "edition": edition,
        "since": since,
        "until": until,
    }
    given |= {"budget": None if budget is None else str(budget), "only": "index" if plan else None}
    rest = [part for name, value in given.items() if value is not None for part in ("-a", f"{name}={value}")]
    rest += [part for one in (f"ARCHIVE_DIR={folder}", *settings) for part in ("-s", one)]
    environment = {**os.environ, "SCRAPY_SETTINGS_MODULE": "crawler.settings"}
    status = _crawl_all(services or SERVICES, rest, environment)
    if status == USAGE:
        ctx.exit(status)
    editions: tuple[Edition, ...] = tuple(e for e in EDITIONS if edition in (e, "all"))
    if (folder / DATABASE).exists():
        with reading(ctx) as conn:
            plans = read_backfill(conn, editions, since, until, services or SERVICES)
        record = [asdict(one) | {"seconds": one.seconds} for one in plans]
        write({"services": record}, render_backfill(plans), as_json=as_json)
    ctx.exit(status)


def _crawl_all(services: Sequence[str], arguments: list[str], environment: dict[str, str]) -> int:
    """Run a crawl for each service; return the worst exit status. A wrong argument is wrong for all."""
    worst = 0
    for service in services:
        worst = max(worst, status := _crawl(service, arguments, environment))
        if status == USAGE:
            break
    return worst


def _crawl(service: str, arguments: list[str], environment: dict[str, str]) -> int:
    """Run a crawl; return its exit status."""
    import subprocess
    import sys

    line = [sys.executable, "-m", "scrapy.cmdline", "crawl", service, *arguments]
    return subprocess.run(line, env=environment, check=False).returncode
