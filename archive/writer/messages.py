"""What travels between the crawl and the archive process: frames of a length (four bytes) and a pickled
message."""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass, field
from typing import Any

from archive.clock import MACHINE, Clock
from archive.model import Capture, Extract, Unextractable


@dataclass(frozen=True, slots=True)
class Open:
    """First message: open this archive for a crawl."""

    folder: str
    site: str
    owner: int  # process id of the crawl
    name: str
    kind: str
    arguments: dict[str, Any]
    software: dict[str, str]
    clock: Clock = MACHINE  # the crawl's, so that both processes read the same one
    read_seconds: float = 30  # what reading one heavy page may take


@dataclass(frozen=True, slots=True)
class Took:
    """An exchange to keep. ``read`` is what it says, where the crawl had the time to read it, as the page of
    the article it promises to be."""

    capture: Capture
    look: str | None = None
    read: Extract | Unextractable | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """Something to keep that is no exchange: a time-out, a refusal, the end of the crawl."""

    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to the archive: the name of a method of `Answers` and its arguments."""

    name: str
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer to a message that could not be done."""

    sentence: str
    exit_status: int
    fatal: bool
    trace: str = field(default="", repr=False)


def frame(message: Any) -> bytes:
    """One message as it travels."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return struct.pack(">I", len(body)) + body
