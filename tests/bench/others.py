"""Tools of others, each in an environment of its own below build/bench/, made when it is first asked for."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from tests.bench.measure import ROOT, Failed

FOLDER = ROOT / "build" / "bench"
WANTED = {
    "news-please": ["news-please"],
    "trafilatura": [f"trafilatura=={version('trafilatura')}", "lxml_html_clean"],
}


def python_of(name: str) -> Path:
    """The interpreter of a tool's environment. Raises Failed where it cannot be installed."""
    home = FOLDER / f"crawl-{name}"
    python = home / "bin" / "python"
    if (home / ".ready").exists():
        return python
    try:
        subprocess.run(
            [sys.executable, "-m", "venv", "--clear", str(home)], check=True, capture_output=True, timeout=300
        )
        line = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *WANTED[name]]
        subprocess.run(line, check=True, capture_output=True, text=True, timeout=900)
    except subprocess.CalledProcessError as error:
        raise Failed(str(error.stderr or error)) from error
    except (subprocess.TimeoutExpired, OSError) as error:
        raise Failed(str(error)) from error
    (home / ".ready").touch()
    return python
