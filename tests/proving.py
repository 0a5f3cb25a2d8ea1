"""The end of the demo: an edit as one signed file, dated by an authority on this machine and checked as a
stranger would, with unzip's, sha256sum's and openssl's means only."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from archive.warc.manifests import newest_manifest
from archive.warc.timestamps import ROOTS
from tests.authority import Authority

PACKAGE = "edit.wacz"


def prove(folder: Path, article: str, env: dict[str, str]) -> Iterator[str]:
    """Package version 2 of an article and check the package; yield what was done, in lines.

    The authority is made for this moment, so it dates a copy of the archive: the archive itself keeps no
    token whose root nobody knows. Raises CalledProcessError if a check fails.
    """
    if not shutil.which("openssl"):
        yield "openssl is not on this machine, so nothing is dated and proven here."
        return
    with TemporaryDirectory(prefix="sohr-demo-") as scratch:
        copy = Path(shutil.copytree(folder, Path(scratch) / "archive"))
        authority = Authority(Path(scratch) / "authority", name="Demo")
        newest = newest_manifest(copy)
        assert newest is not None  # three crawls have ended
        newest.path.with_suffix(".tsr").write_bytes(authority.stamp(newest.path))
        line = ["--archive", str(copy), "cite", article, "2", "--package", str(folder.absolute() / PACKAGE)]
        yield f"$ sohr-archive cite {article} 2 --package {shlex.quote(str(folder / PACKAGE))}"
        run = [sys.executable, "-m", "archive.cli.main", *line, "--force"]
        roots = env | {ROOTS: str(authority.root), "PYTHONPATH": os.pathsep.join(sys.path)}
        yield subprocess.run(run, env=roots, check=True, capture_output=True, text=True).stdout.rstrip()
        with zipfile.ZipFile(folder / PACKAGE) as package:
            package.extractall(Path(scratch) / "package")
        yield from _check(Path(scratch) / "package", authority.root)


def _check(unpacked: Path, root: Path) -> Iterator[str]:
    """Each step from the authority's word down to the two sentences."""
    sheet = json.loads((unpacked / "provenance" / "sheet.json").read_text("utf-8"))
    token = next(seal["token"] for seal in sheet["seals"] if seal["token"])
    data = token.replace(".tsr", ".json")
    commands = [f"openssl ts -verify -data {data} -in {token} -CAfile {shlex.quote(str(root))}"]
    folders = sorted(path.name for path in unpacked.glob("blocks-*"))
    commands += [f"cd {name} && sha256sum --ignore-missing --quiet -c list.sha256" for name in folders]
    articles = [one for one in sheet["captures"] if one["channel"] == "article" and one["page"]]
    for dead, one in (("3", articles[0]), ("31", articles[-1])):
        commands.append(f"{one['page']} | grep -om1 'killed {dead} civilians'")
    for command in commands:
        done = subprocess.run(["sh", "-c", command], cwd=unpacked, check=True, capture_output=True, text=True)
        yield f"$ {command.replace(str(root), 'root.pem')}"
        yield f"  {done.stdout.strip() or 'OK'}"
