"""Time, CPU and memory of processes, turns in alternation, and what they come to: ratios of runs of the same
minute, never times."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
POLL = 0.1  # seconds between two looks at the processes
PACKAGES = ("scrapy", "trafilatura", "warcio", "sqlite-utils", "selectolax")


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run took. ``cpu`` is user and system time of all its processes; ``busiest`` that of the one with
    most; ``rss`` the most of the sum."""

    wall: float  # seconds
    cpu: float  # seconds
    busiest: float = 0.0  # seconds
    rss: int = 0  # bytes
    units: float = 1  # pages, versions: what was got done

    @property
    def rate(self) -> float:
        """Units a second of wall time."""
        return self.units / self.wall


class Failed(RuntimeError):
    """Raised when a program that is measured does not end well, by `run`."""


def environment() -> dict[str, str]:
    """This one's, without what steers Python or a crawl."""
    return {
        k: v for k, v in os.environ.items() if not k.startswith(("ARCHIVE_", "SCRAPY_", "PYTHON", "SOHR_"))
    }


def run(
    line: Sequence[object],
    *,
    cwd: Path = ROOT,
    units: float = 1,
    watch: bool = False,
    within: float = 3600,
    ok: Sequence[int] = (0,),
) -> Spent:
    """Run a program to its end. ``watch`` looks at its processes meanwhile, for memory and the busiest.
    Raises Failed."""
    with TemporaryFile() as told:
        begun = time.monotonic()
        child = subprocess.Popen(
            [str(part) for part in line],
            cwd=cwd,
            env=environment(),
            stdout=told,
            stderr=told,
            start_new_session=True,
        )
        seen: dict[int, float] = {}
        rss = 0
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG if watch else 0)
            if pid:
                break
            rss = max(rss, _look(child.pid, seen))
            if time.monotonic() - begun > within:
                child.kill()
            time.sleep(POLL)
        wall = time.monotonic() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in ok:
            told.seek(0)
            tail = told.read().decode(errors="replace")[-1500:]
            raise Failed(f"{' '.join(map(str, line))[:200]} ended with {child.returncode}:\n{tail}")
    return Spent(wall, usage.ru_utime + usage.ru_stime, max(seen.values(), default=0.0), rss, units)


def _look(pid: int, seen: dict[int, float]) -> int:
    """Note the CPU of a process and of all below it; the sum of their resident memory."""
    rss = 0
    try:
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            times = one.cpu_times()
            seen[one.pid] = times.user + times.system
            rss += one.memory_info().rss
    except psutil.Error:
        pass  # it ended between two questions
    return rss


Arms = Mapping[str, Callable[[], Spent]]


def alternate(arms: Arms, turns: int) -> dict[str, list[Spent]]:
    """Run each arm once a turn; every second turn in the other order, so that a machine that slows down slows
    all alike."""
    spent: dict[str, list[Spent]] = {name: [] for name in arms}
    for turn in range(turns):
        for name in list(arms)[:: 1 if turn % 2 == 0 else -1]:
            spent[name].append(arms[name]())
            print(
                f"  turn {turn + 1} of {turns}: {name} {spent[name][-1].wall:.2f} s, "
                f"{spent[name][-1].cpu:.2f} s of CPU",
                file=sys.stderr,
                flush=True,
            )
    return spent


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure: the median of the turns' ratios, the least and the most of them, and what is asked of it."""

    name: str
    median: float
    least: float
    most: float
    target: float | None = None
    higher_is_better: bool = True
    unit: str = "x"

    @property
    def is_reached(self) -> bool | None:
        """None where nothing is asked."""
        if self.target is None:
            return None
        return self.median >= self.target if self.higher_is_better else self.median <= self.target


def ratio(
    name: str,
    values: Sequence[float],
    target: float | None = None,
    *,
    higher_is_better: bool = True,
    unit: str = "x",
) -> Ratio:
    """The figure of some turns."""
    return Ratio(name, statistics.median(values), min(values), max(values), target, higher_is_better, unit)


def over(
    spent: Mapping[str, Sequence[Spent]], top: str, below: str, what: Callable[[Spent], float]
) -> list[float]:
    """Turn by turn, one arm's figure over another's."""
    return [what(a) / what(b) for a, b in zip(spent[top], spent[below], strict=True)]


@dataclass(slots=True)
class Bench:
    """The result of one bench. ``facts`` are figures that hold on this machine only, for orientation."""

    name: str
    turns: int
    ratios: list[Ratio]
    facts: dict[str, Any] = field(default_factory=dict)


def machine() -> dict[str, Any]:
    """Where it ran, and with what."""
    return {
        "cpus": os.cpu_count(),
        "cpu": next(
            (
                line.partition(":")[2].strip()
                for line in _lines("/proc/cpuinfo")
                if line.startswith("model name")
            ),
            platform.processor(),
        ),
        "memory_mb": psutil.virtual_memory().total // 2**20,
        "load": [round(x, 2) for x in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in PACKAGES},
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def table(benches: Sequence[Bench]) -> str:
    """The figures, for people."""
    lines = [f"{'':58} {'median':>8} {'least':>8} {'most':>8} {'asked':>8}"]
    for bench in benches:
        lines.append(f"{bench.name} ({bench.turns} turns)")
        for r in bench.ratios:
            asked = "" if r.target is None else f"{'>=' if r.higher_is_better else '<='}{r.target:g}"
            mark = {None: "", True: "  reached", False: "  NOT REACHED"}[r.is_reached]
            lines.append(f"  {r.name:56} {r.median:8.3f} {r.least:8.3f} {r.most:8.3f} {asked:>8}{mark}")
        lines += [f"    {name}: {value}" for name, value in bench.facts.items()]
    return "\n".join(lines)
