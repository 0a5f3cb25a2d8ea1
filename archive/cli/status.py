"""`sohr-archive status`"""

from __future__ import annotations

import shutil
import sys

import click

from archive.cli.common import folder_of, json_option, reading


@click.command()
@json_option()
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Say what is held, how the last crawls went, where the gaps are.

    \b
    Examples:
      sohr-archive status
      sohr-archive --archive demo-data status --json
    """
    from dataclasses import asdict

    from archive.clock import now
    from archive.read.database import json_line
    from archive.reports.status import read_status, render

    with reading(ctx) as conn:
        found = read_status(conn, folder_of(ctx), now())
    if as_json:
        sys.stdout.buffer.write(json_line(asdict(found)))
    else:
        click.echo(render(found, shutil.get_terminal_size((100, 24)).columns))
