"""The formats of an export. A new one is an entry here and its writer: command and docs follow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from pkgutil import resolve_name
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from archive.export.source import Source


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """A format: its name, the ending of its files, and its writer.

    ``writer`` is ``module:function`` in this package, imported when it is used: ``export --help`` stays fast.
    The function takes a `Source` and a binary file. ``is_table``: rows with the columns of the source.
    ``needs``: the extra to install for it.
    """

    name: str
    ending: str
    media_type: str
    about: str
    writer: str
    is_table: bool = False
    is_binary: bool = False
    needs: str | None = None

    def write(self, source: Source, out: IO[bytes]) -> None:
        """Write an export in this format. Raises what its writer raises."""
        resolve_name(f"archive.export.{self.writer}")(source, out)


TABLE_NAMES = (
    "versions",
    "figure-changes",
    "figures",
    "series",
)  # what can be exported: `archive.export.source.TABLES`
FORMATS = {
    one.name: one
    for one in (
        ExportFormat(
            "jsonl", ".jsonl", "application/x-ndjson", "one version a line, with its lines, links and claims",
            "lines:write_json_lines", is_table=True,
        ),
        ExportFormat(
            "csv", ".csv", "text/csv", "the same as a table; lists and objects are JSON",
            "tables:write_csv", is_table=True,
        ),
        ExportFormat(
            "parquet", ".parquet", "application/vnd.apache.parquet", "the same with types",
            "tables:write_parquet", is_table=True, is_binary=True, needs="export",
        ),
        ExportFormat(
            "text", ".txt", "text/plain", "a header, the text as stored and a form feed for each version",
            "lines:write_text",
        ),
        ExportFormat(
            "warc", ".warc.gz", "application/warc",
            "the captures of these versions, byte for byte, with their requests",
            "warc:write_warc", is_binary=True,
        ),
        ExportFormat(
            "wacz", ".wacz", "application/wacz", "the same with an index and pages, for ReplayWeb.page",
            "wacz:write_wacz", is_binary=True,
        ),
    )
}  # fmt: skip


def format_of(file: str) -> str | None:
    """The format of a file by its ending; jsonl without one, None for an unknown one."""
    by_ending = (name for name, one in FORMATS.items() if file.lower().endswith(one.ending))
    return next(by_ending, None if PurePath(file).suffix else "jsonl")


def format_lines() -> str:
    """The formats as ``export --help`` shows them: one a line."""
    return "\n".join(f"{one.name:<8} {one.about}{_needs(one)}" for one in FORMATS.values())


def format_table() -> str:
    """The formats as docs/export.md shows them."""
    rows = (f"| `{one.name}` | `{one.ending}` | {one.about}{_needs(one)} |" for one in FORMATS.values())
    return "\n".join(("| format | ending | what it is |", "|---|---|---|", *rows))


def _needs(one: ExportFormat) -> str:
    return f" (needs: pip install 'sohr-archive[{one.needs}]')" if one.needs else ""
