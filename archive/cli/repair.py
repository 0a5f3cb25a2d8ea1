"""`sohr-archive repair`"""

from __future__ import annotations

import click

from archive.cli.common import folder_of, json_option, write


@click.command()
@json_option()
@click.pass_context
def repair(ctx: click.Context, as_json: bool) -> None:
    """Repair the archive after a crash.

    Cuts off an incomplete last record and adds records that the database lacks. Complete records are never
    changed. The next crawl does the same.

    \b
    Example:
      sohr-archive repair
    """
    from archive.rebuild.rebuild import repair as run

    cut, count = run(folder_of(ctx))
    done = f"{cut} bytes of an incomplete record cut off, {count} records added to the database"
    text = done if cut or count else "nothing to repair"
    write({"bytes_cut": cut, "records_indexed": count}, text, as_json=as_json)
