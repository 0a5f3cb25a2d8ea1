"""`sohr-archive changes`"""

from __future__ import annotations

import sys

import click

from archive.commands.common import json_option, reading


@click.command()
@click.option("--after", type=click.IntRange(min=0), default=0, metavar="SEQ", help="Only changes behind this number.  [default: 0, all]")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@json_option("JSON Lines is what it writes anyway.")
@click.pass_context
def changes(ctx: click.Context, after: int, limit: int | None, as_json: bool) -> None:
    """Write what the archive noticed, as JSON Lines.

    One line a change, in order, numbered by "seq" without a gap; the same line whenever it is asked for. "said_at" is when the site said
    it, "learnt_at" when the archive learnt it. Keep the last "seq" you have dealt with and go on behind it.

    \b
    kind      created, updated, metadata, missing, disappeared, restored, moved, backfilled, reparsed
    severity  0 to 3; 3: a figure changed, or its sentence
    stealth   true: the text changed and the site's own modified time did not; null: the site states none

    \b
    Examples:
      sohr-archive changes > changes.jsonl
      sohr-archive changes --after 1200 --limit 100
      sohr-archive changes | jq -r 'select(.severity == 3) | [.seq, .citation, .title] | @tsv'
    """
    from archive import feed
    from archive.reading import json_line

    with reading(ctx) as conn:
        newest = feed.newest_seq(conn)
        if after > newest:
            raise click.UsageError(f"the newest change of this archive is {newest}: {after} must be another archive's number", ctx)
        out = sys.stdout.buffer
        for record in feed.changes(conn, after, limit):
            out.write(json_line(record))
