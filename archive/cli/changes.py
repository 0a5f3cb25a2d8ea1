"""`sohr-archive changes` and `sohr-archive ack`"""

from __future__ import annotations

import sys

import click

from archive.cli.common import folder_of, json_option, reading


@click.command()
@click.option(
    "--after",
    type=click.IntRange(min=0),
    metavar="SEQ",
    help="Only changes behind this number.  [default: 0, all]",
)
@click.option(
    "--since", metavar="DATE", help="Only what the archive learnt then or later (2024-01-31, or an instant)."
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@click.option(
    "--consumer", metavar="NAME", help="Go on behind what this consumer has acknowledged (see 'ack')."
)
@click.option("--follow", "-f", is_flag=True, help="Do not end: write changes as they come.")
@json_option("JSON Lines is what it writes anyway.")
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
    """Write what the archive noticed, as JSON Lines.

    One line a change, in order, numbered by "seq" without a gap; the same line whenever it is asked for.
    "said_at" is when the site said it, "learnt_at" when the archive learnt it. Keep the last "seq" you have
    dealt with and go on behind it, or let --consumer keep it: then 'ack NAME SEQ', and nothing else, moves
    its cursor, so that a crash loses nothing. Where another release has made the database anew, a consumer is
    told to replay, with exit status 76.

    \b
    kind      created, updated, metadata, missing, disappeared, restored, moved, backfilled, reparsed
    severity  0 to 3; 3: a figure changed, or its sentence
    stealth   true: the text changed and the site's own modified time did not; null: the site states none

    \b
    Examples:
      sohr-archive changes > changes.jsonl
      sohr-archive changes --after 1200 --limit 100
      sohr-archive changes --consumer parser --limit 500
      sohr-archive changes --follow | jq -r 'select(.severity == 3) | [.seq, .citation, .title] | @tsv'
    """
    from archive.read import feed
    from archive.read.consumers import Consumers
    from archive.read.database import json_line
    from archive.read.references import parse_bound

    if consumer is not None and after is not None:
        raise click.UsageError("--consumer knows where to go on: give --after or --consumer, not both", ctx)
    if follow and since is not None:
        raise click.UsageError("--follow goes on behind a number: give --after instead of --since", ctx)
    learnt = parse_bound(since) if since else None
    with reading(ctx) as conn:
        newest = feed.newest_seq(conn)
        if consumer is not None:
            after = Consumers(folder_of(ctx), conn).cursor(consumer).seq
        after = after or 0
        if after > newest:
            raise click.UsageError(
                f"the newest change of this archive is {newest}: {after} must be another archive's number",
                ctx,
            )
        out = sys.stdout.buffer
        if not follow:
            for record in feed.changes(conn, after, limit, learnt):
                out.write(json_line(record))
            return
    _follow(ctx, after, limit)


def _follow(ctx: click.Context, after: int, limit: int | None) -> None:
    from archive.read.database import json_line
    from archive.read.follow import follow

    out, count = sys.stdout.buffer, 0
    for record in follow(folder_of(ctx), after):
        if record is None:
            out.flush()
            continue
        out.write(json_line(record))
        count += 1
        if count == limit:
            return


@click.command()
@click.argument("name")
@click.argument("seq", type=click.IntRange(min=0))
@click.option("--rewind", is_flag=True, help="Let the cursor go back: 0 begins anew.")
@json_option()
@click.pass_context
def ack(ctx: click.Context, name: str, seq: int, rewind: bool, as_json: bool) -> None:
    """Say that consumer NAME has dealt with all changes up to SEQ.

    \b
    Examples:
      sohr-archive ack parser 1200
      sohr-archive ack parser 0 --rewind     replay from the beginning
    """
    from dataclasses import asdict

    from archive.read.consumers import Consumers
    from archive.read.database import json_line

    with reading(ctx) as conn:
        told = Consumers(folder_of(ctx), conn).ack(name, seq, rewind=rewind)
    if as_json:
        sys.stdout.buffer.write(json_line(asdict(told)))
    else:
        click.echo(f"{told.name} goes on behind {told.seq}", err=True)
