"""`sohr-archive changes`"""

from __future__ import annotations

import sys

import click

from archive.cli.common import folder_of, json_option, reading, write_json


@click.command()
@click.option(
    "--after",
    type=click.IntRange(min=0),
    metavar="SEQ",
    help="Only changes after this number.  [default: 0, all]",
)
@click.option(
    "--since", metavar="DATE", help="Only changes found then or later (2024-01-31, or an instant in UTC)."
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N changes.")
@click.option("--consumer", metavar="NAME", help="Continue after the last change that NAME has acknowledged.")
@click.option("--follow", "-f", is_flag=True, help="Wait for new changes and write them as they come.")
@json_option("The output is JSON Lines with or without it.")
@click.pass_context
def changes(
    ctx: click.Context,
    after: int | None,
    since: str | None,
    limit: int | None,
    consumer: str | None,
    follow: bool,
    as_json: bool,
) -> None:
    """Write the changes that the archive has found, as JSON Lines.

    Each change is one line with a number, "seq". The numbers have no gaps and a line never changes.
    "said_at" is when the site said it, "learnt_at" is when the archive found it.

    Save the last "seq" that you have processed and continue with --after. Or let the archive save it:
    --consumer reads the cursor and 'ack NAME SEQ' moves it. When a new release has rebuilt the database, the
    command asks the consumer to replay and ends with 76.

    \b
    kind      created, updated, metadata, missing, disappeared, restored, moved, backfilled, reparsed,
              retracted
    severity  0 to 3; 3: a figure or its sentence changed
    stealth   true: the text changed and the site's modified time did not; null: the site gives no time

    \b
    Examples:
      sohr-archive changes > changes.jsonl
      sohr-archive changes --after 1200 --limit 100
      sohr-archive changes --consumer parser --limit 500
      sohr-archive changes --follow | jq -r 'select(.severity == 3) | [.seq, .citation, .title] | @tsv'
    """
    from archive.read import feed
    from archive.read.consumers import Consumers
    from archive.read.references import parse_bound

    if consumer is not None and after is not None:
        raise click.UsageError("give --after or --consumer, not both", ctx)
    if follow and since is not None:
        raise click.UsageError("--follow continues after a number: give --after instead of --since", ctx)
    found_since = parse_bound(since) if since else None
    with reading(ctx) as conn:
        newest = feed.newest_seq(conn)
        if consumer is not None:
            after = Consumers(folder_of(ctx), conn).cursor(consumer).seq
        after = after or 0
        if after > newest:
            raise click.UsageError(
                f"the newest change is {newest}, so {after} belongs to another archive: give a lower number",
                ctx,
            )
        if not follow:
            for record in feed.changes(conn, after, limit, found_since):
                write_json(record)
            return
    _follow(ctx, after, limit)


def _follow(ctx: click.Context, after: int, limit: int | None) -> None:
    from archive.read.follow import follow

    count = 0
    for record in follow(folder_of(ctx), after):
        if record is None:  # no more for now
            sys.stdout.buffer.flush()
            continue
        write_json(record)
        count += 1
        if count == limit:
            return
