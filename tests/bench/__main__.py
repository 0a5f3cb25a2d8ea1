"""`make bench` and `make bench-quick`: every bench beside what it is measured against; a table for people,
JSON in build/bench/.

With ``--quick``: about two minutes, and exit status 1 where a ratio has fallen by more than a third against
tests/bench/recorded.json.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from tests.bench.measure import ROOT, Bench, Ratio, machine, table

BENCHES = (
    "startup", "crawl", "reextract", "rebuild", "store", "incremental", "verify", "figures", "article",
)  # fmt: skip
RECORDED = Path(__file__).with_name("recorded.json")
FALL = 1 / 3  # of a ratio: less is this machine's mood
# How names of ratios of wall time end: told, not judged, for a busy machine bends those of few processes
# least
WALL = ("pages a second", "time")


def fallen(found: Ratio, recorded: float) -> bool:
    """Whether a ratio is worse than the recorded one by more than `FALL`."""
    return (
        found.median < recorded * (1 - FALL)
        if found.higher_is_better
        else found.median > recorded / (1 - FALL)
    )


def main() -> int:
    """Run what was asked for; 1 where a quick bench shows a fall."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small, and judged against the recorded ratios")
    parser.add_argument(
        "--record", action="store_true", help="with --quick: write the ratios down as the recorded ones"
    )
    parser.add_argument("--only", help="names of benches, parted by commas")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench")
    chosen = parser.parse_args()
    # So that servers and folders of the bench go with it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen.folder.mkdir(parents=True, exist_ok=True)
    names = chosen.only.split(",") if chosen.only else BENCHES
    begun, found = time.monotonic(), []
    before = machine()
    for name in names:
        print(f"... {name}", file=sys.stderr, flush=True)
        bench: Callable[[int, bool], Bench] = import_module(f"tests.bench.{name}").bench
        found.append(bench(3 if chosen.quick else chosen.turns, chosen.quick))
    print(table(found))
    print(", ".join(f"{name} {value}" for name, value in before.items()))
    out = {
        "machine": before,
        "seconds": round(time.monotonic() - begun),
        "benches": [asdict(bench) for bench in found],
    }
    suffix = "-quick" if chosen.quick else ""
    (chosen.folder / f"speed{suffix}.json").write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")
    return judge(found, chosen.record, chosen.only is not None) if chosen.quick else 0


def judge(found: list[Bench], record: bool, partly: bool) -> int:
    """Compare with the recorded ratios, or record these."""
    ratios = {
        f"{bench.name}: {r.name}": r for bench in found for r in bench.ratios if not r.name.endswith(WALL)
    }
    recorded = json.loads(RECORDED.read_text(encoding="utf-8")) if RECORDED.exists() else {}
    if record:
        told = (recorded if partly else {}) | {name: round(r.median, 3) for name, r in ratios.items()}
        RECORDED.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        return 0
    worse = [name for name, r in ratios.items() if name in recorded and fallen(r, recorded[name])]
    for name in worse:
        print(
            f"FALLEN by more than a third: {name} was {recorded[name]:g}, is {ratios[name].median:.3f}",
            file=sys.stderr,
        )
    for name in recorded.keys() - ratios.keys() if not partly else ():
        print(f"MISSING: {name} was recorded and is not measured any more", file=sys.stderr)
        worse.append(name)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
