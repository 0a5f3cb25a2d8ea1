"""`sohr-archive ack`"""

from __future__ import annotations

import click

from archive.cli.common import folder_of, json_option, reading, write_json


@click.command()
@click.argument("name")
@click.argument("seq", type=click.IntRange(min=0))
@click.option("--rewind", is_flag=True, help="Allow a lower number than before; 0 starts again.")
@json_option()
@click.pass_context
def ack(ctx: click.Context, name: str, seq: int, rewind: bool, as_json: bool) -> None:
    """Record that consumer NAME has processed all changes up to SEQ.

    \b
    Examples:
      sohr-archive ack parser 1200
      sohr-archive ack parser 0 --rewind     replay from the beginning
    """
    from dataclasses import asdict

    from archive.read.consumers import Consumers

    with reading(ctx) as conn:
        consumer = Consumers(folder_of(ctx), conn).ack(name, seq, rewind=rewind)
    if as_json:
        write_json(asdict(consumer))
    else:
        click.echo(f"the cursor of {consumer.name} is now {consumer.seq}", err=True)
