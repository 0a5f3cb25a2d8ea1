"""`sohr-archive completion`"""

from __future__ import annotations

import sys

import click

from archive.cli.common import json_option

VARIABLE = "_SOHR_ARCHIVE_COMPLETE"  # by which a shell asks; the name is click's


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@json_option()
@click.pass_context
def completion(ctx: click.Context, shell: str, as_json: bool) -> None:
    """Write what SHELL needs to complete commands, options and their values when Tab is pressed.

    \b
    Examples:
      eval "$(sohr-archive completion bash)"                     in ~/.bashrc (bash 4.4 or newer)
      eval "$(sohr-archive completion zsh)"                      in ~/.zshrc, behind compinit
      sohr-archive completion fish > ~/.config/fish/completions/sohr-archive.fish
    """
    from click.shell_completion import get_completion_class

    from archive.read.database import json_line

    found = get_completion_class(shell)
    assert found is not None  # click.Choice saw to it
    script = found(ctx.find_root().command, {}, "sohr-archive", VARIABLE).source()
    if as_json:
        sys.stdout.buffer.write(json_line({"shell": shell, "script": script}))
    else:
        click.echo(script, nl=False)
