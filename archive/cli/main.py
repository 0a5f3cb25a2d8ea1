"""`sohr-archive`: the group, its exit status and its sentences. The commands are in `archive.commands`."""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Any

import click

from archive.errors import CANNOT_WRITE, INTERNAL, INTERRUPTED, OK, ArchiveError, exit_status_lines


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            click.echo(f"sohr-archive {version('sohr-archive')}")
        except PackageNotFoundError:
            click.echo("sohr-archive, not installed (run from its source)")
        ctx.exit()


# In the order of the help. A command's module is imported when it is asked for, so that each starts with what
# it needs alone.
COMMANDS = {
    "status": "archive.cli.status",
    "search": "archive.cli.search",
    "show": "archive.cli.show",
    "diff": "archive.cli.diff",
    "cite": "archive.cli.cite",
    "changes": "archive.cli.changes",
    "ack": "archive.cli.changes",
    "export": "archive.cli.export",
    "verify": "archive.cli.evidence",
    "rebuild": "archive.cli.evidence",
    "repair": "archive.cli.evidence",
    "backup": "archive.cli.evidence",
    "head": "archive.cli.evidence",
    "import": "archive.cli.evidence",
    "layouts": "archive.cli.evidence",
    "audit": "archive.cli.audit",
    "politeness": "archive.cli.politeness",
    "schedule": "archive.cli.schedule",
    "serve": "archive.cli.serve",
    "publish-copy": "archive.cli.publish",
    "completion": "archive.cli.completion",
}


class _Group(click.Group):
    """Knows its commands by name, and takes a reader that went away (`| head`) for no error; click would end
    with 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        function = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(COMMANDS[cmd_name]), function)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            answer = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _hush()
            return OK
        return answer


@click.group(
    cls=_Group,
    epilog="\b\nExit status:\n" + "\n".join(exit_status_lines("command")),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--archive",
    type=click.Path(path_type=Path),
    envvar="ARCHIVE_DIR",
    default="data",
    show_default="$ARCHIVE_DIR, else data",
    metavar="DIR",
    help="Folder of the archive.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Say which release this is.",
)
def sohr_archive(archive: Path) -> None:
    """Read an archive that 'scrapy crawl sohr' has made: what it holds, what it noticed, all of it as files.

    The archive may be read while a crawl is at work on it. All commands know --json.

    \b
    Examples:
      sohr-archive status                        what is held, last crawls, gaps
      sohr-archive --archive demo-data status    of another archive
      sohr-archive search قتل                    articles that say so
      sohr-archive diff en:332481 1 2            what changed between two versions
      sohr-archive changes --after 1200          what was noticed behind change 1200
      sohr-archive export -o versions.jsonl      every version
      sohr-archive export --help                 all about one command
    """
    if stated := os.environ.get("ARCHIVE_CLOCK"):  # in tests alone
        _set_clock(stated, archive)


def _set_clock(stated: str, folder: Path) -> None:
    """The clock of a test, for the archive of a site on this machine. Raises BadClock; where there is no
    archive, only for a bad value."""
    from archive.clock import Clock, for_site, use
    from archive.rebuild.rebuild import recorded_site

    Clock.of(stated)
    if site := recorded_site(folder):
        use(for_site(stated, site.home, is_loopback=site.is_loopback))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status. What goes wrong is one sentence on standard error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that knows no Arabic still gets its status
            stream.reconfigure(errors="backslashreplace")
    try:
        answer = sohr_archive.main(
            args=None if arguments is None else list(arguments),
            prog_name="sohr-archive",
            standalone_mode=False,
        )
        return answer if isinstance(answer, int) else OK
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except ArchiveError as error:
        return _say(str(error), error.exit_status)
    except (click.Abort, KeyboardInterrupt):
        return _say("stopped by Ctrl-C", INTERRUPTED)
    except OSError as error:
        return _say(
            f"{error.filename or 'the output'}: {error.strerror or error}: free some space or give another place",
            CANNOT_WRITE,
        )
    except Exception:  # noqa: BLE001  # the border: whatever else is our own fault, and whoever reports it needs to see where
        traceback.print_exc()
        return _say("an error of ours: please report the lines above", INTERNAL)


def _say(sentence: str, exit_status: int) -> int:
    try:
        click.echo(f"sohr-archive: {sentence}", err=True)
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC):
            raise
        _hush()
    return exit_status


def _hush() -> None:
    """What is still in the buffer goes nowhere, so that the interpreter's own flush at the end has nothing to
    complain about."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        pass  # no real file behind it: a test's


if __name__ == "__main__":
    sys.exit(main())
