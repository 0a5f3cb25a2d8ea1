"""`sohr-archive schedule`"""

from __future__ import annotations

from pathlib import Path

import click

from archive.cli.common import folder_of, json_option, write_json


@click.command()
@click.argument("kind", type=click.Choice(["systemd", "cron", "github"]))
@click.option(
    "--every",
    default="30min",
    show_default=True,
    metavar="TIME",
    help="Time between crawls: 5min to 30min, 1h to 12h, 1d.",
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
    help="Write the files to this folder instead of printing them.",
)
@json_option()
@click.pass_context
def schedule(
    ctx: click.Context, kind: str, every: str, contact: str, target: Path | None, as_json: bool
) -> None:
    """Print the files that start a crawl from a timer.

    KIND is systemd (units for crawl, audit, verify, backup and serve), cron (a crontab line) or github (a
    workflow). The paths are those of this environment and of --archive, which need not exist yet. Nothing is
    installed; the top of each file says how to install it.

    \b
    Examples:
      sohr-archive schedule systemd --contact you@example.org --write units
      sohr-archive --archive /srv/sohr schedule cron --every 2h
      sohr-archive schedule github
    """
    from typing import cast

    from archive.deploy.schedule import BadSchedule, Kind, fill, here, write
    from archive.settings_file import read_settings

    folder = folder_of(ctx)
    # A contact in the unit would go before the settings file, also after somebody edits that
    settings = read_settings(folder)
    stated = "" if contact and settings.get("contact") == contact else contact
    place = here(folder, stated, _other_site(folder), settings.get("log", ""))
    try:
        texts = fill(cast("Kind", kind), place, every)
    except BadSchedule as error:
        raise click.UsageError(str(error), ctx) from error
    written = [str(path) for path in write(texts, target)] if target else []
    if as_json:
        write_json({"kind": kind, "files": texts, "written": written})
    elif target:
        click.echo("\n".join(written))
    else:
        named = [f"# {name}\n{text}" if len(texts) > 1 else text for name, text in texts.items()]
        click.echo("\n".join(named), nl=False)
    if not contact:
        click.echo(
            "no contact given: with --contact you@example.org the site can write to you before it blocks you",
            err=True,
        )


def _other_site(folder: Path) -> str | None:
    """The address of the site of an existing archive, if it is not the default site."""
    from contextlib import closing

    from archive.errors import NoArchive
    from archive.read.database import about, open_readonly
    from archive.reports.status import site_argument

    try:
        with closing(open_readonly(folder)) as conn:
            return site_argument(about(conn, "home"))
    except NoArchive:
        return None
