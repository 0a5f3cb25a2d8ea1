"""The package as it is installed from a wheel, outside the repository: its command, schemas, pages, files to
deploy, and the crawl; and a server as docs/server.md sets it up. The wheel is built from the files that the
Dockerfile copies."""

from __future__ import annotations

import http.server
import json
import re
import shlex
import shutil
import site
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urljoin

import pytest

from tests.crawling import environment
from tests.replica.server import ROOT, Replica

pytestmark = pytest.mark.slow

DOCKERFILE = (ROOT / "archive/deploy/Dockerfile").read_text()
SOURCES = re.findall(r"[\w./]+", " ".join(re.findall(r"^COPY (.*) /source/", DOCKERFILE, re.MULTILINE)))


def test_a_source_package_has_what_the_dockerfile_copies() -> None:
    """setuptools adds packages, pyproject.toml, README.md and the licence; MANIFEST.in names the rest."""
    named = (ROOT / "MANIFEST.in").read_text().split()
    itself = {"archive", "crawler", "pyproject.toml", "README.md", "LICENSE"}
    assert {"archive", "constraints.txt"} < set(SOURCES) and set(SOURCES) - itself <= set(named)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of an environment that holds the wheel; what it needs comes from this one,
    which does not lend its own `archive`."""
    folder = tmp_path_factory.mktemp("wheel")
    (folder / "source").mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, folder / "source" / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", folder, folder / "source"], check=True, timeout=300)
    shutil.rmtree(folder / "source")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    [wheel] = folder.glob("*.whl")
    subprocess.run([*pip, "--python", python, "install", "--no-deps", wheel], check=True, timeout=300)
    packages = subprocess.run(
        [python, "-c", "import site; print(site.getsitepackages()[0])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (Path(packages.strip()) / "others.pth").write_text("\n".join(site.getsitepackages()))
    return folder / "venv" / "bin"


def run(installed: Path, cwd: Path, *line: object, **more: str) -> str:
    """Run one of its commands elsewhere; what it wrote."""
    command = (
        [installed / "python", "-m", "scrapy.cmdline"] if line[0] == "scrapy" else [installed / str(line[0])]
    )
    given = [str(part) for part in (*command, *line[1:])]
    env = {name: value for name, value in environment().items() if name != "PYTHONPATH"} | more
    answer = subprocess.run(given, cwd=cwd, env=env, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_all_of_it_is_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    """A crawl without the project's folder, then what reads: schemas, types, templates and styles,
    schedules."""
    code = (
        "import archive, json; from importlib.resources import files as f; a = f('archive'); p = 'py.typed'; "
    )
    code += (
        "print(archive.__file__); [json.loads(s.read_text()) for s in (a / 'export' / 'schema').iterdir()]; "
    )
    code += "print((a / p).is_file(), (f('crawler') / p).is_file())"
    where, typed = run(installed, tmp_path, "python", "-c", code).splitlines()
    assert Path(where).is_relative_to(installed.parent) and typed == "True True"
    archive = tmp_path / "archive"
    with Replica(posts=4) as replica:
        given = ("-a", f"site={replica.url}", "-s", f"ARCHIVE_DIR={archive}", "-s", "DOWNLOAD_DELAY=0")
        run(installed, tmp_path, "scrapy", "crawl", "sohr", *given, SCRAPY_SETTINGS_MODULE="crawler.settings")
    told = json.loads(
        run(installed, tmp_path, "sohr-archive", "--archive", archive, "export", "--json", "-o", "v.jsonl")
    )
    assert told["versions"] == len((tmp_path / "v.jsonl").read_text("utf-8").splitlines()) > 4
    assert "crawl sohr" in run(
        installed,
        tmp_path,
        "sohr-archive",
        "--archive",
        archive,
        "schedule",
        "systemd",
        "--contact",
        "a@b.example",
    )
    line = [installed / "sohr-archive", "--archive", archive, "serve", "--port", "0", "--json"]
    env = {name: value for name, value in environment().items() if name != "PYTHONPATH"}
    with subprocess.Popen(
        line, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as served:
        try:
            assert served.stdout
            url = json.loads(served.stdout.readline())["url"]
            page = answer(url)
            style = next(part for part in page.split('"') if part.endswith(".css") or ".css?" in part)
            assert "</html>" in page and "{" in answer(urljoin(url, style))
        finally:
            served.terminate()


def unit_of(folder: Path, name: str) -> tuple[list[str], dict[str, str], str]:
    """Command, environment and working directory of a service that was written."""
    lines = (folder / f"{name}.service").read_text().splitlines()
    values = [line.split("=", 1) for line in lines if "=" in line and not line.startswith("#")]
    [command] = [value for key, value in values if key == "ExecStart"]
    [place] = [value for key, value in values if key == "WorkingDirectory"]
    pairs = (shlex.split(value)[0].split("=", 1) for key, value in values if key == "Environment")
    return shlex.split(command), dict(pairs), place


def test_a_server_from_nothing(installed: Path, tmp_path: Path) -> None:
    """Settings, a first crawl, then the units' own commands in an empty environment: another crawl finds an
    edit, its alert arrives, and of the backup, elsewhere, verify finds nothing wrong."""
    got: list[dict[str, str]] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(dict(self.headers) | {"body": body.decode()})
            self.send_response(204)
            self.end_headers()

    receiver = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    archive, units = tmp_path / "srv" / "sohr", tmp_path / "units"
    run(installed, tmp_path, "sohr-archive", "init", archive, "--contact", "you@example.org")
    with Replica(posts=4) as replica:
        settings = (
            (archive / "settings.toml").read_text()
            + f"""
site = "{replica.url}"
log = "{tmp_path}/log/archive.jsonl"
[[alerts]]
name = "all"
url = "http://127.0.0.1:{receiver.server_port}/hook"
secret = "16 characters or more"
"""
        )
        (archive / "settings.toml").write_text(settings)
        given = {"SCRAPY_SETTINGS_MODULE": "crawler.settings", "ARCHIVE_DIR": str(archive)}
        run(installed, tmp_path, "scrapy", "crawl", "sohr", "-s", "DOWNLOAD_DELAY=0", **given)
        line = ["--archive", archive, "schedule", "systemd", "--contact", "you@example.org", "--write", units]
        run(installed, tmp_path, "sohr-archive", *line)
        for name in ("serve", "audit", "verify", "backup", "alert"):
            assert (units / f"sohr-archive-{name}.service").exists()

        def start(name: str, *more: str) -> None:
            command, env, place = unit_of(units, name)
            line = [*command, *more]
            done = subprocess.run(line, cwd=place, env=env, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, (name, done.stdout, done.stderr)

        start("sohr-archive-alert")  # it begins here
        start("sohr-archive-alert", "--test")
        replica.call("edit", edition="en", post_id=replica.posts("en")[0].post_id, digit=True)
        start("sohr-archive", "-s", "DOWNLOAD_DELAY=0")
    for name in ("alert", "audit", "verify", "backup"):
        start(f"sohr-archive-{name}")
    receiver.shutdown()
    assert got[0]["Idempotency-Key"] == "test" and json.loads(got[1]["body"])["change"]["kind"] == "updated"
    assert got[1]["Sohr-Signature"].startswith("sha256=") and len(got) == 2
    elsewhere = tmp_path / "elsewhere"
    for name in ("warc", "manifests"):
        shutil.copytree(archive / name, elsewhere / name)
    shutil.copy(archive / "backup.db", elsewhere / "archive.db")
    assert run(installed, tmp_path, "sohr-archive", "--archive", elsewhere, "verify") == ""
    said = [json.loads(line) for line in (tmp_path / "log/archive.jsonl").read_text().splitlines()]
    assert {one["command"] for one in said} == {"crawl", "alert", "audit", "verify", "backup"}


def answer(url: str) -> str:
    """A page of it, once it is up."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as got:
                return str(got.read().decode())
        except URLError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
