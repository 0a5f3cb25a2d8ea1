"""`sohr-archive backup`"""

from __future__ import annotations

from pathlib import Path

import click

from archive.cli.common import folder_of, json_option, reading, write


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option()
@click.pass_context
def backup(ctx: click.Context, file: Path, as_json: bool) -> None:
    """Copy the database to FILE, with its SHA-256 beside it.

    The copy is consistent, also while a crawl writes. Copy the WARC files with any other tool. An earlier
    backup at FILE is replaced when the new one is complete; any other file is not replaced.

    \b
    Example:
      sohr-archive backup /mnt/backup/archive-2026-01-02.db
    """
    from archive.rebuild.backup import backup as run

    with reading(ctx) as conn:
        digest = run(conn, file, folder_of(ctx))
    text = f"{file} is complete; its SHA-256 is {digest}"
    write({"file": str(file), "sha256": digest}, text, as_json=as_json)
