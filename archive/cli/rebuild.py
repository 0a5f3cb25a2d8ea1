"""`sohr-archive rebuild`"""

from __future__ import annotations

import os
import sys

import click

from archive.cli.common import folder_of, json_option, write


@click.command()
@click.option(
    "--extract",
    is_flag=True,
    help="Keep the database and the feed, and read every article again with this release.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=os.cpu_count() or 1,
    show_default="all cores",
    help="Number of processes that read pages.",
)
@json_option()
@click.pass_context
def rebuild(ctx: click.Context, extract: bool, jobs: int, as_json: bool) -> None:
    """Make the database again from the WARC files, without a network.

    The old database is replaced when the new one is complete.

    With --extract the feed continues. Texts that this release reads differently are replaced, and the feed
    reports them as `reparsed`, not as edits. Captures that an earlier release could not read are added.

    \b
    Examples:
      rm data/archive.db; sohr-archive rebuild
      sohr-archive rebuild --extract
    """
    from tqdm import tqdm

    from archive.rebuild.rebuild import rebuild as run
    from archive.rebuild.rebuild import reextract
    from archive.warc.files import warc_files

    folder = folder_of(ctx)
    if extract:
        counts = reextract(folder, jobs)
        text = f"{counts['reparsed']} articles read differently, {counts['mended']} captures added, "
        write(counts, f"{text}{counts['unread']} still unreadable", as_json=as_json)
        return
    size = sum(file.path.stat().st_size for file in warc_files(folder / "warc"))
    with tqdm(
        total=size, unit="B", unit_scale=True, desc="rebuild", disable=not sys.stderr.isatty(), leave=False
    ) as bar:
        count = run(folder, lambda number: (bar.update(number), None)[1], jobs)
    write({"records": count}, f"the database was made again from {count} records", as_json=as_json)
