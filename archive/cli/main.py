"""The `sohr-archive` command: finds the subcommand and turns errors into a sentence and an exit status."""

from __future__ import annotations

import errno
import gc
import io
import logging
import os
import sys
import time
import traceback
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Any

import click

from archive.errors import (
    CANNOT_WRITE,
    INTERNAL,
    INTERRUPTED,
    OK,
    ArchiveError,
    advice_after,
    exit_status_lines,
)
from archive.log import open_closed_streams, open_task_log, told
from archive.settings_file import apply_settings


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            click.echo(f"sohr-archive {version('sohr-archive')}")
        except PackageNotFoundError:
            click.echo("sohr-archive (run from its source, not installed)")
        ctx.exit()


TASKS = ("alert", "audit", "backup", "verify")  # for timers: what they say is logged too

# In the order of `--help`. Each stands in the module of its name, imported when the command is used.
COMMANDS = (
    "init", "probe", "alert", "status", "search", "show", "diff", "cite", "changes", "ack", "series", "check",
    "export", "verify", "rebuild", "repair", "backup", "head", "import", "backfill", "sift", "layouts",
    "held", "audit", "politeness", "schedule", "serve", "publish-copy",
)  # fmt: skip


class _Group(click.Group):
    """Imports a command when it is used, and suggests one for a name that is nearly right."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"archive.cli.{name}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            advice = f"did you mean '{near[0]}'?" if near else "'sohr-archive --help' lists them"
            ctx.fail(f"there is no command '{args[0]}': {advice}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        commands = {name: self.get_command(ctx, name) for name in COMMANDS}
        with formatter.section("Commands"):
            formatter.write_dl([(n, c.get_short_help_str(200)) for n, c in commands.items() if c])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            try:
                return super().invoke(ctx)
            finally:  # a full disk counts before the command's own status
                sys.stdout.flush()
        except BrokenPipeError:  # the reader has ended (`| head`): no error, but click would end with 1
            _discard_output()
            return OK


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
    help="Show the release.",
)
@click.pass_context
def sohr_archive(ctx: click.Context, archive: Path) -> None:
    """Read and check an archive that 'scrapy crawl sohr' has made.

    You can read the archive while a crawl runs. Every command has --json.

    \b
    Examples:
      sohr-archive status                        what the archive has, last crawls, gaps
      sohr-archive --archive demo-data status    the same for another archive
      sohr-archive search قتل                    articles with this word
      sohr-archive diff en:332481 1 2            what changed between two versions
      sohr-archive changes --after 1200          changes after number 1200
      sohr-archive export -o versions.jsonl      every version
      sohr-archive export --help                 more about one command
    """
    apply_settings(archive)
    if ctx.invoked_subcommand in TASKS and (place := os.environ.get("ARCHIVE_LOG")):
        open_task_log(ctx.invoked_subcommand, place, archive)
    if stated := os.environ.get("ARCHIVE_CLOCK"):  # in tests alone
        _set_clock(stated, archive)


def _set_clock(stated: str, folder: Path) -> None:
    """Use the clock of a test, if the archive's site is on this machine. Raises BadClock."""
    from archive.clock import Clock, for_site, use
    from archive.rebuild.rebuild import recorded_site

    Clock.of(stated)
    if site := recorded_site(folder):
        use(for_site(stated, site.home, is_loopback=site.is_loopback))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status. Errors are one sentence on standard error."""
    open_closed_streams()
    begun = time.monotonic()
    status = _run(arguments)
    facts = {"exit_status": status, "seconds": round(time.monotonic() - begun, 1)}
    level = logging.ERROR if status else logging.INFO
    told.log(level, "ended with %d after %s s", *facts.values(), extra={"facts": facts})
    gc.freeze()  # else Python looks for garbage among all modules once more before it ends
    return status


def _run(arguments: Sequence[str] | None) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # for terminals without Arabic letters
    try:
        answer = sohr_archive.main(
            args=None if arguments is None else list(arguments),
            prog_name="sohr-archive",
            standalone_mode=False,
        )
        return answer if isinstance(answer, int) else OK
    except click.NoSuchOption as error:
        if error.option_name == "--archive" and error.ctx:
            line = f"sohr-archive --archive DIR {error.ctx.info_name} ..."
            error = click.NoSuchOption(
                "--archive", f"write --archive before the command: {line}", None, error.ctx
            )
        error.show()
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except ArchiveError as error:
        return _report(str(error), error.exit_status)
    except (click.Abort, KeyboardInterrupt):
        return _report("stopped by Ctrl-C", INTERRUPTED)
    except OSError as error:
        place, reason = error.filename or "the output", error.strerror or error
        return _report(f"{place}: {reason}: {advice_after(error)}", CANNOT_WRITE)
    except Exception:  # noqa: BLE001  # any other exception is a bug: print where it happened
        traceback.print_exc()
        return _report("this is a bug in sohr-archive: please report the lines above", INTERNAL)


def _report(sentence: str, exit_status: int) -> int:
    try:
        click.echo(f"sohr-archive: {sentence}", err=True)
        told.error("%s", sentence)
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC):
            raise
        _discard_output()
    return exit_status


def _discard_output() -> None:
    """Send buffered output to the null device, because the interpreter's own flush at exit would fail."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        pass  # no real file, in a test


if __name__ == "__main__":
    sys.exit(main())
