"""`sohr-archive publish-copy`"""

from __future__ import annotations

from pathlib import Path

import click

from archive.cli.common import folder_of, json_option, write


@click.command("publish-copy")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--redact",
    type=click.Path(dir_okay=False, exists=True, allow_dash=True),
    metavar="FILE",
    help="What to leave out: one citation a line (sohr:en:332481@2025-03-01T10:00:00Z); # starts a comment; "
    "- reads standard input.",
)
@json_option()
@click.pass_context
def publish_copy(ctx: click.Context, file: Path, redact: str | None, as_json: bool) -> None:
    """Write a compact copy of the database for public hosting.

    A crawl may run meanwhile. The copy asks search engines not to index it. The WARC files are not part of
    it.

    --redact replaces the text of the listed versions by a note. It also removes their titles, addresses,
    links and tags, the figures and sentences in changes, and the words in the search index. Then all of the
    copy is searched for the titles and the lines that no other post has. If the text of another post still
    says one, no copy is made: list that version too.

    \b
    Examples:
      sohr-archive publish-copy public.db
      sohr-archive publish-copy public.db --redact redact.txt
      sohr-archive serve public.db
    """
    from archive.export.public_copy import publish, read_redactions
    from archive.reports.terminal import number_of

    redactions = []
    if redact:
        with click.open_file(redact, encoding="utf-8") as listed:
            redactions = read_redactions(listed.read())
    made = publish(folder_of(ctx), file, redactions)
    redacted = f", {number_of(made.redacted, 'version')} redacted" if redact else ""
    text = f"{made.path}: {made.size:,} bytes{redacted}. Look at it: sohr-archive serve {made.path}"
    write({"file": str(made.path), "size": made.size, "redacted": made.redacted}, text, as_json=as_json)
