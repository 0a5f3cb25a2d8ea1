"""Checking an archive: `verify` with a timestamp beside each manifest, and without any; and `verify` beside
`warcio check`, which checks the digests of the same files and nothing else."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from archive.clock import now
from archive.rebuild.rebuild import rebuild
from archive.software import software
from archive.warc.manifests import manifests, write_manifest
from archive.warc.timestamps import ROOTS
from archive.warc.writer import Appender
from tests.archiving import HOME, Archive, capture
from tests.authority import Authority
from tests.bench.filling import fill, posts
from tests.bench.measure import Bench, alternate, over, ratio, run

BIN = Path(sys.executable).parent
TOKENS = 1000  # three weeks of a crawl every half hour
PAGES = 2_113
OF_WARCIO = 0.7  # of the CPU of `warcio check`
MOST = 10.0  # times as long: a token is two checks of a signature, a small manifest one digest


def bench(turns: int, quick: bool) -> Bench:
    """The same archive twice; tokens are checked offline, each with its chain up to the root."""
    count = TOKENS // 10 if quick else TOKENS
    with tempfile.TemporaryDirectory() as beside:
        bare, dated = Path(beside, "bare"), Path(beside, "dated")
        with Archive(bare):
            pass
        for number in range(count - 1):
            warc = Appender(bare / "warc", HOME.split("/")[2].replace(":", "-"))
            warc.describe(software())
            warc.append_exchange(capture(number + 1, now(), f"{number} were wounded.", "And more."))
            warc.close()
            write_manifest(bare, f"crawl {number}", now())
        rebuild(bare)
        shutil.copytree(bare, dated)
        authority = Authority(Path(beside, "authority"))
        for manifest in manifests(dated):
            manifest.path.with_suffix(".tsr").write_bytes(authority.stamp(manifest.path))
        command = ["env", f"{ROOTS}={authority.root}", BIN / "sohr-archive", "--archive"]
        with_tokens, without = f"verify, {count:,} tokens", "verify, no tokens"
        arms = {
            with_tokens: lambda: run([*command, dated, "verify"]),
            without: lambda: run([*command, bare, "verify"]),
        }
        pages = Path(beside, "pages")
        fill(pages, posts(PAGES // 5 if quick else PAGES))
        arms |= {
            "verify": lambda: run([BIN / "sohr-archive", "--archive", pages, "verify"]),
            "warcio check": lambda: run([BIN / "warcio", "check", *(pages / "warc").iterdir()]),
        }
        spent = alternate(arms, turns)
    what = f"{with_tokens} / none, CPU"
    one = ratio(what, over(spent, with_tokens, without, lambda s: s.cpu), MOST, higher_is_better=False)
    cpu = over(spent, "verify", "warcio check", lambda s: s.cpu)
    other = ratio("verify / warcio check, CPU", cpu, OF_WARCIO, higher_is_better=False)
    return Bench("verify", turns, [one, other])
