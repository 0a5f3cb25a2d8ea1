"""`sohr-archive status`"""

from __future__ import annotations

import shutil

import click

from archive.cli.common import folder_of, json_option, reading, write


@click.command()
@json_option()
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Show what the archive has, the last crawls and the gaps.

    \b
    Examples:
      sohr-archive status
      sohr-archive --archive demo-data status --json
    """
    from dataclasses import asdict

    from archive.clock import now
    from archive.reports.status import read_status
    from archive.reports.terminal import render_status

    with reading(ctx) as conn:
        report = read_status(conn, folder_of(ctx), now())
    text = render_status(report, shutil.get_terminal_size((100, 24)).columns)
    write(asdict(report), text, as_json=as_json)
