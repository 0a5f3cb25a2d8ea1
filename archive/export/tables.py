"""Exports as tables: CSV, and Parquet with types. Memory holds one group of rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import IO, TYPE_CHECKING, Any, ClassVar

from archive.clock import parse_time
from archive.errors import USAGE, ArchiveError
from archive.export.source import Records, Source
from archive.store.fields import Field, Type

if TYPE_CHECKING:
    import pyarrow as pa

GROUP_ROWS = 5_000  # in a row group at most: readers skip groups by their statistics
GROUP_CHARACTERS = 2_000_000  # in a row group at most: about 60 MB of memory


class NeedsPyarrow(ArchiveError):
    """Raised when pyarrow is not installed, by `write_parquet`."""

    exit_status: ClassVar[int] = USAGE


def write_csv(source: Source, out: IO[bytes]) -> None:
    """RFC 4180 in UTF-8 without a byte order mark, lines ended by LF.

    Text is always quoted, so that null (nothing) and empty (``""``) differ. Lists and objects are JSON.
    Nothing is escaped for spreadsheets: a title that begins with ``=`` stays as it is.
    """
    names = [column.name for column in source.table.fields]
    out.write((",".join(names) + "\n").encode())
    for record in source.records():
        out.write((",".join(_cell(record[name]) for name in names) + "\n").encode())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return '"' + text.replace('"', '""') + '"'


def write_parquet(source: Source, out: IO[bytes]) -> None:
    """Parquet with zstd, UTC times in milliseconds, lists, structs, and the source's facts as metadata.

    Raises NeedsPyarrow.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise NeedsPyarrow("Parquet needs pyarrow: pip install 'sohr-archive[export]'") from error
    schema = _schema(source.table.fields).with_metadata(source.facts)
    with pq.ParquetWriter(out, schema, compression="zstd", version="2.6") as writer:
        for group in _groups(source.records()):
            arrays = [
                pa.array([_value(column, record[column.name]) for record in group], field.type)
                for column, field in zip(source.table.fields, schema, strict=True)
            ]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema), row_group_size=GROUP_ROWS)
            del arrays
            pa.default_memory_pool().release_unused()


def _schema(columns: Sequence[Field]) -> pa.Schema:
    import pyarrow as pa

    simple: dict[Type, Callable[[], pa.DataType]] = {
        "string": pa.string,
        "integer": pa.int64,
        "number": pa.float64,
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
        for c in columns
    ]
    return pa.schema(fields)


def _groups(records: Records) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    size = 0
    for record in records:
        group.append(record)
        size += sum(len(value) for value in record.values() if isinstance(value, str))
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
