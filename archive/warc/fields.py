"""What records of the archive must state: the fields of its events, and the headers of its exchanges.

A record with right digests may still be forged, or damaged before it was written. One that lacks what is read
of it is as damaged as one that cannot be unpacked: `verify` names it, and the others are read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from archive.clock import parse_time
from archive.warc.records import Headers, NoRecord

_MOST_EPOCHS, _MOST_COUNTED = 2**31, 2**53
_STATUSES = range(256)  # of a process that ended
Check = Callable[[Any], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_null(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_time(value: object) -> bool:
    try:
        parse_time(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _is_home(value: object) -> bool:
    """Whether it can be the home address of a site."""
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_bare = not (parts.query or parts.fragment or "@" in parts.netloc)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and has_port and is_bare


def _is_number_in(numbers: range) -> Check:
    return lambda value: type(value) is int and value in numbers


def _are(check: Check, length: int | None = None) -> Check:
    """Whether it is a list of such values, of that length if one is given."""
    return lambda value: isinstance(value, list) and length in (None, len(value)) and all(map(check, value))


def _is_count(value: object) -> bool:
    return type(value) in (int, float) and abs(value) <= _MOST_COUNTED  # type: ignore[arg-type]  # false for NaN


def _are_counters(value: object) -> bool:
    """Whether they are the counters of a crawl: numbers by name, and the results of editions."""
    if not isinstance(value, dict):
        return False
    results = value.get("editions", {})
    are_results = isinstance(results, dict) and all(
        isinstance(one, dict) and isinstance(one.get("listed"), bool) and isinstance(one.get("healthy"), bool)
        for one in results.values()
    )
    return are_results and all(_is_count(one) for name, one in value.items() if name != "editions")


def _are_arguments(value: object) -> bool:
    return isinstance(value, dict) and _TEXTS(value.get("editions", []))


def _are_texts_by_name(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


_TEXTS = _are(_is_text)
_PAIRS = _are(_are(_is_text, 2))
_NO_ANSWER: dict[str, Check] = {"url": _is_text, "error": _is_text, "crawl": _is_text_or_null}
# By the name of the event; each states `at` too. An event of another name was written by a newer release
_FIELDS: dict[str, dict[str, Check]] = {
    "crawl-started": {
        "name": _is_text,
        "kind": ("crawl", "import", "backfill").__contains__,
        "site": _is_home,
        "extractor": _is_text,
        "arguments": _are_arguments,
        "software": _is_object,
    },
    "crawl-finished": {
        "name": _is_text,
        "reason": _is_text,
        "exit_status": lambda value: value is None or _is_number_in(_STATUSES)(value),
        "verdict": _is_text,
        "counters": _are_counters,
    },
    "no-answer": _NO_ANSWER,
    "not-asked": _NO_ANSWER,
    "tls": {"host": _is_text, "protocol": _is_text, "cipher": _is_text_or_null, "certificates": _TEXTS},
    "cited": {"urls": _TEXTS},
    "read-apart": {"record_id": _is_text, "stopped": _is_text_or_null, "drift": _is_text_or_null},
    "layout-confirmed": {"layout": _is_text},
    "re-extracted": {"extractor": _is_text},
    "site-moved": {"to": _is_home, "has_slash": (True, False).__contains__},
    "crawl-judged": {
        "crawl": _is_text,
        "held": _PAIRS,
        "proven": _PAIRS,
        "shared": _are_texts_by_name,
        "withdrawn": _are_texts_by_name,
        "invented": _TEXTS,
        "over": _PAIRS,
        "waiting": _TEXTS,
    },
    "held-accepted": {"crawl": _is_text},
    "epoch": {"epoch": _is_number_in(range(1, _MOST_EPOCHS)), "extractor": _is_text},
}
_OPTIONAL: dict[str, Check] = {"last_sign_at": _is_time, "shorter_files": _TEXTS}


def parse_event(block: bytes) -> dict[str, Any]:
    """The fields of an event. Raises NoRecord if one that is read is missing or of another type."""
    try:
        event: Any = json.loads(block)
        json.dumps(event, ensure_ascii=False).encode()  # halves of characters, which no database stores
    except (ValueError, RecursionError) as error:
        raise NoRecord("is an event that is no JSON") from error
    if not isinstance(event, dict) or not isinstance(name := event.get("event"), str):
        raise NoRecord("is an event without a name")
    fields = {"at": _is_time} | _FIELDS.get(name, {})
    for field, is_right in (fields | {one: _OPTIONAL[one] for one in _OPTIONAL if one in event}).items():
        if field not in event:
            raise NoRecord(f"is an event {name} without the field {field}")
        if not is_right(event[field]):
            raise NoRecord(f"is an event {name} whose field {field} cannot be read")
    return event


def check_exchange(headers: Headers, recorded_at: str | None) -> None:
    """Raise NoRecord if a response or revisit lacks an id, an address or a time."""
    if not headers.get("WARC-Record-ID"):
        raise NoRecord("states no WARC-Record-ID")
    if not headers.get("WARC-Target-URI"):
        raise NoRecord("states no WARC-Target-URI")
    if not _is_time(headers.get("WARC-Date")):
        raise NoRecord("states no WARC-Date that can be read")
    if recorded_at is not None and not _is_time(recorded_at):
        raise NoRecord("was recorded at no time that can be read")
