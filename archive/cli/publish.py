"""`sohr-archive publish-copy`"""

from __future__ import annotations

import json
from pathlib import Path

import click

from archive.cli.common import folder_of, json_option


@click.command("publish-copy")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--redact",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="What to leave out: one citation a line (sohr:en:332481@2025-03-01T10:00:00Z), # begins a note.",
)
@json_option()
@click.pass_context
def publish_copy(ctx: click.Context, file: Path, redact: Path | None, as_json: bool) -> None:
    """Make a compact copy of the database for public hosting.

    A crawl may be at work meanwhile. The copy tells search engines to stay away. It goes without the WARC
    files: raw evidence stays here.

    With --redact, the text of the versions named is replaced by a note, and so are their titles, addresses,
    links and tags, the figures and sentences in changes, and the words in the search. What other posts say in
    their own text stays: name their versions too.

    \b
    Examples:
      sohr-archive publish-copy public.db
      sohr-archive publish-copy public.db --redact redact.txt
      sohr-archive serve public.db
    """
    from archive.export.public_copy import publish, read_redactions

    redactions = read_redactions(redact.read_text(encoding="utf-8")) if redact else []
    made = publish(folder_of(ctx), file, redactions)
    if as_json:
        click.echo(json.dumps({"file": str(made.path), "size": made.size, "redacted": made.redacted}))
        return
    taken = f", {made.redacted} version{'' if made.redacted == 1 else 's'} taken out" if redact else ""
    click.echo(f"{made.path}: {made.size:,} bytes{taken}. To look at it: sohr-archive serve {made.path}")
