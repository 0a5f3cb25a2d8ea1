"""`sohr-archive schedule`"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from archive.cli.common import folder_of, json_option


@click.command()
@click.argument("kind", type=click.Choice(["systemd", "cron", "github"]))
@click.option(
    "--every",
    default="30min",
    show_default=True,
    metavar="TIME",
    help="How often: 5min to 30min, 1h to 12h, 1d.",
)
@click.option(
    "--contact",
    envvar="ARCHIVE_CONTACT",
    default="",
    show_default="$ARCHIVE_CONTACT",
    metavar="TEXT",
    help="Your e-mail or web address.",
)
@click.option(
    "--write",
    "target",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the files there instead.",
)
@json_option()
@click.pass_context
def schedule(
    ctx: click.Context, kind: str, every: str, contact: str, target: Path | None, as_json: bool
) -> None:
    """Print what runs the crawl from a timer, filled in: systemd units, a crontab line, or a GitHub workflow.

    Paths are those of this environment and of --archive, which need not exist yet. Nothing is installed: the
    head of each file says how.

    \b
    Examples:
      sohr-archive schedule systemd --contact you@example.org --write units
      sohr-archive --archive /srv/sohr schedule cron --every 2h
      sohr-archive schedule github
    """
    from typing import cast

    from archive.deploy.schedule import BadSchedule, Kind, fill, here, write
    from archive.read.database import json_line

    folder = folder_of(ctx)
    try:
        texts = fill(cast("Kind", kind), here(folder, contact, _site(folder)), every)
    except BadSchedule as error:
        raise click.UsageError(str(error), ctx) from error
    written = write(texts, target) if target else []
    if as_json:
        sys.stdout.buffer.write(
            json_line({"kind": kind, "files": texts, "written": [str(path) for path in written]})
        )
    elif target:
        for path in written:
            click.echo(str(path))
    else:
        click.echo(
            "\n".join(f"# {name}\n{text}" if len(texts) > 1 else text for name, text in texts.items()),
            nl=False,
        )
    if not contact:
        click.echo(
            "no contact is named: --contact you@example.org lets the site reach you before it blocks you",
            err=True,
        )


def _site(folder: Path) -> str | None:
    """The address of the site of an archive that is there already, where it is not the one a crawl takes by
    itself."""
    from contextlib import closing

    from archive.errors import NoArchive
    from archive.read.database import about, open_readonly
    from archive.sites.sohr.addresses import HOME, Site

    try:
        with closing(open_readonly(folder)) as conn:
            home = about(conn, "home")
    except NoArchive:
        return None
    return home if home and Site(home).name != Site(HOME).name else None
