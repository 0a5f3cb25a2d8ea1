"""Exports as tables: CSV that survives whatever the site wrote, Parquet with types. Memory holds one group of
rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import IO, TYPE_CHECKING, Any, ClassVar

from archive.clock import parse_time
from archive.errors import USAGE, ArchiveError
from archive.store.fields import VERSION_FIELDS, Field, Type

if TYPE_CHECKING:
    import pyarrow as pa

Records = Iterator[dict[str, Any]]
GROUP_ROWS = 5_000  # of a row group at most: a reader skips groups by their statistics
GROUP_CHARACTERS = 2_000_000  # of text in a row group: some 60 MB of Python while it is put together


class NeedsPyarrow(ArchiveError):
    """Raised when Parquet is asked for and pyarrow is not installed, by `write_parquet`."""

    exit_status: ClassVar[int] = USAGE


def write_csv(records: Records, out: IO[bytes]) -> None:
    """RFC 4180 in UTF-8 without a mark, lines ended by LF. Text is always quoted, so that null (nothing) and
    empty (``""``) stay apart.

    Lists and objects are JSON. Nothing is escaped for spreadsheets: a title that begins with ``=`` is told as
    it stands.
    """
    out.write((",".join(column.name for column in VERSION_FIELDS) + "\n").encode())
    for record in records:
        out.write((",".join(_cell(record[column.name]) for column in VERSION_FIELDS) + "\n").encode())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return '"' + text.replace('"', '""') + '"'


def write_parquet(records: Records, out: IO[bytes], facts: dict[str, str]) -> None:
    """Parquet, zstd, UTC times in milliseconds, lists and structs as such; ``facts`` go into the file's
    metadata. Raises NeedsPyarrow."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise NeedsPyarrow("Parquet needs pyarrow: pip install 'sohr-archive[export]'") from error
    schema = parquet_schema().with_metadata(facts)
    with pq.ParquetWriter(out, schema, compression="zstd", version="2.6") as writer:
        for group in _groups(records):
            arrays = [
                pa.array(
                    [_value(column, record[column.name]) for record in group], schema.field(column.name).type
                )
                for column in VERSION_FIELDS
            ]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema), row_group_size=GROUP_ROWS)
            del arrays
            pa.default_memory_pool().release_unused()


def parquet_schema() -> pa.Schema:
    """The columns as Arrow knows them."""
    import pyarrow as pa

    simple: dict[Type, Callable[[], pa.DataType]] = {
        "string": pa.string,
        "integer": pa.int64,
        "boolean": pa.bool_,
        "date": pa.date32,
        "datetime": lambda: pa.timestamp("ms", tz="UTC"),
        "strings": lambda: pa.list_(pa.string()),
    }

    def arrow(column: Field) -> pa.DataType:
        if column.type not in ("objects", "object"):
            return simple[column.type]()
        struct = pa.struct([(name, simple[kind]()) for name, kind in column.parts])
        return struct if column.type == "object" else pa.list_(struct)

    fields = [
        pa.field(c.name, arrow(c), nullable=c.is_nullable).with_metadata({"description": c.about})
        for c in VERSION_FIELDS
    ]
    return pa.schema(fields)


def _groups(records: Records) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    size = 0
    for record in records:
        group.append(record)
        size += len(record["text"])
        if len(group) >= GROUP_ROWS or size >= GROUP_CHARACTERS:
            yield group
            group, size = [], 0
    if group:
        yield group


def _value(column: Field, value: Any) -> Any:
    if value is not None and column.type == "datetime":
        return parse_time(value)
    if value is not None and column.type == "date":
        return date.fromisoformat(value)
    return value
