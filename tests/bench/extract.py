"""`make bench-extract`: our extraction beside the extractors that people use, on golden pages, pages like the
site's, and public ones.

Each foreign extractor lives in an environment of its own under build/bench/, made at the first run; one that
cannot be had is told, and the others go on. Every figure of time is CPU, measured page by page in turn with
trafilatura's default in the same process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.bench import like
from tests.bench.worker import READERS
from tests.scoring import Marked, benchmarks, golden, score

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).with_name("worker.py")
# Extractor -> package
OWN = {name: name for name in ("readability-lxml", "newspaper4k", "resiliparse", "news-please")}
LIKE = "pages like the site's (65 to 78 KB, all layouts)"
SECONDS = 1800  # an extractor may take; news-please has 165 ms a page


def python_of(name: str, folder: Path) -> Path:
    """The interpreter of an extractor's environment, made where there is none. Raises CalledProcessError,
    TimeoutExpired, OSError."""
    home = folder / name
    python = home / "bin" / "python"
    if not (home / ".ready").exists():
        subprocess.run(
            [sys.executable, "-m", "venv", "--clear", str(home)], check=True, capture_output=True, timeout=300
        )
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        # 3.11's own fails
        subprocess.run([*pip, "--upgrade", "pip"], check=True, capture_output=True, text=True, timeout=300)
        wanted = [OWN[name], f"trafilatura=={version('trafilatura')}", "lxml_html_clean"]
        subprocess.run([*pip, *wanted], check=True, capture_output=True, text=True, timeout=600)
        (home / ".ready").touch()
    return python


def run(name: str, pages: list[Marked], folder: Path) -> dict[str, Any]:
    """One extractor over one set of pages: scores and times, or ``missing`` with the reason."""
    try:
        python = python_of(name, folder) if name in OWN else Path(sys.executable)
        with tempfile.TemporaryDirectory() as beside:
            entries = []
            for number, page in enumerate(pages):
                path = Path(beside, f"{number}.html")
                path.write_bytes(page.html)
                entries.append({"name": page.name, "url": page.url, "path": str(path)})
            given, out = Path(beside, "pages.json"), Path(beside, "out.json")
            given.write_text(json.dumps(entries))
            environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | (
                {} if name in OWN else {"PYTHONPATH": str(ROOT)}
            )
            # -P: modules of the bench beside it are none of the extractor's
            line = [str(python), "-P", str(WORKER), name, str(given), str(out)]
            subprocess.run(
                line, check=True, capture_output=True, text=True, timeout=SECONDS, env=environment, cwd=beside
            )
            told = json.loads(out.read_text())
    except subprocess.CalledProcessError as error:
        return {"name": name, "missing": str(error.stderr or error).strip().splitlines()[-1][:200]}
    except (subprocess.TimeoutExpired, OSError) as error:
        return {"name": name, "missing": str(error)[:200]}
    seconds, base = told["seconds"], told["base"]
    ratios = [mine / theirs for mine, theirs in zip(seconds, base, strict=True) if theirs]
    return {
        "name": name,
        **asdict(score(pages, told["texts"])),
        "pages": len(pages),
        "ms_median": 1000 * statistics.median(seconds),
        "ms_p95": 1000 * statistics.quantiles(seconds, n=20)[-1],
        "ratio": statistics.median(ratios),
    }


def table(title: str, rows: list[dict[str, Any]]) -> str:
    """The figures, for people."""
    lines = [
        f"{title}",
        (
            f"{'':22} {'F1':>6} {'+-':>6} {'prec':>6} {'recall':>6} {'exact':>6} {'leaks':>5} {'ms':>7} "
            f"{'p95':>7} {'/trafilatura':>12}"
        ),
    ]
    for row in rows:
        if "missing" in row:
            lines.append(f"{row['name']:22} missing: {row['missing']}")
            continue
        figures = " ".join(f"{row[key]:6.3f}" for key in ("f1", "spread", "precision", "recall", "exact"))
        lines.append(
            f"{row['name']:22} {figures} {row['leaks']:5d} {row['ms_median']:7.2f} {row['ms_p95']:7.2f} "
            f"{row['ratio']:12.2f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Print a table a set of pages, and write build/bench/extract.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "build" / "bench", help="where environments and the JSON go"
    )
    parser.add_argument("--only", help="names of extractors, parted by commas")
    chosen = parser.parse_args()
    names = chosen.only.split(",") if chosen.only else list(READERS)
    folder = chosen.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    sets = {
        "golden pages (the site's own layouts, invented text)": golden(),
        LIKE: like.pages(),
        "public pages (SOHR_BENCHMARKS)": benchmarks(),
    }
    out: dict[str, Any] = {
        "python": platform.python_version(),
        "trafilatura": version("trafilatura"),
        "cpus": os.cpu_count(),
        "sets": {},
    }
    for title, pages in sets.items():
        if not pages:
            print(f"{title}: none here\n")
            continue
        rows = []
        for name in names:
            print(f"... {name}", file=sys.stderr)
            rows.append(run(name, pages, folder))
        out["sets"][title] = rows
        print(table(f"{title}: {len(pages)}", rows), flush=True)
        if title == LIKE and (
            mine := next((row for row in rows if row["name"] == "ours" and "missing" not in row), None)
        ):
            print(
                f"On these, ours (its metadata included) is {1 / mine['ratio']:.1f} times as fast as "
                "trafilatura.extract(html), median; wanted: 5."
            )
        print()
    (folder / "extract.json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
