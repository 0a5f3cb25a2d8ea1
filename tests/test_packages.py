"""`cite --package`: everything in it can be checked without this project; one changed byte shows."""

from __future__ import annotations

import gzip
import json
import os
import runpy
import shutil
import subprocess
import sys
import zipfile
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from datasette.app import Datasette

from archive.clock import MACHINE, Clock, use
from archive.model import Capture
from archive.warc.manifests import manifests
from archive.warc.timestamps import ROOTS, trusted_roots
from tests.archiving import HOME, Archive, capture, sohr, well
from tests.authority import Authority
from tests.replica.server import ROOT

DEAD = {1: "The blast killed 3 civilians.", 2: "The blast killed 31 civilians."}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """A timestamp authority whose root is trusted."""
    with pytest.MonkeyPatch.context() as patch:
        one = Authority(tmp_path_factory.mktemp("authority"))
        patch.setenv(ROOTS, str(one.root))
        trusted_roots.cache_clear()
        yield one
    trusted_roots.cache_clear()


@pytest.fixture(scope="module")
def folder(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two dated crawls: 3 dead, then 31; each asks for robots.txt and for other posts."""
    folder = tmp_path_factory.mktemp("package") / "archive"
    for number, day in ((1, "2026-01-02"), (2, "2026-01-03")):
        use(Clock.of(f"{day}T10:00:09Z"))
        with Archive(folder) as archive:
            robots = Capture(
                f"{HOME}robots.txt", 200, (("Content-Type", "text/plain"),), b"User-agent: *\nDisallow: /x\n",
                f"{day}T10:00:00Z", channel="robots",
            )  # fmt: skip
            others = (capture(n, f"{day}T10:00:01Z", f"Other {n} of {number}. " * 200) for n in range(2, 12))
            plain = capture(1, f"{day}T10:00:05Z", DEAD[number], "No more is known.")
            headers = (*plain.headers, ("Content-Encoding", "gzip"))
            archive.take(robots, *others, replace(plain, body=gzip.compress(plain.body), headers=headers))
        use(MACHINE)
        path = manifests(folder)[-1].path
        path.with_suffix(".tsr").write_bytes(authority.stamp(path))
    return folder


@pytest.fixture(scope="module")
def package(authority: Authority, folder: Path) -> Path:
    """The package of the edit."""
    ran = sohr(folder, "cite", "en:1", 2, "--package", folder.parent / "edit.wacz", roots=authority.root)
    assert ran.status == 0 and "Dated" in ran.out.decode(), ran
    return folder.parent / "edit.wacz"


@pytest.fixture
def unpacked(package: Path, tmp_path: Path) -> Path:
    """The package as a stranger has it."""
    with zipfile.ZipFile(package) as file:
        file.extractall(tmp_path / "package")
    return tmp_path / "package"


def shell(line: str, folder: Path) -> str:
    """What a command of the stranger prints. Raises CalledProcessError."""
    return subprocess.run(
        ["bash", "-ec", line],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        check=True,
    ).stdout


def digest(name: str, folder: Path) -> str:
    """What sha256sum says of a file."""
    return shell(f"sha256sum '{name}'", folder).split()[0]


def test_a_stranger_checks_everything(authority: Authority, unpacked: Path) -> None:
    """From the signature down to the words on the page, with sha256sum, openssl and zcat."""
    whole = json.loads((unpacked / "datapackage.json").read_text())
    said = json.loads((unpacked / "datapackage-digest.json").read_text())
    assert f"sha256:{digest('datapackage.json', unpacked)}" == said["hash"] == said["signedData"]["hash"]
    for resource in whole["resources"]:
        assert f"sha256:{digest(resource['path'], unpacked)}" == resource["hash"]
    sheet = json.loads((unpacked / "provenance" / "sheet.json").read_text())
    assert [version["text"].splitlines()[0] for version in sheet["versions"]] == list(DEAD.values())
    for version in sheet["versions"]:
        assert digest(version["file"], unpacked) == version["text_sha256"]
    assert sheet["edit"]["severity"] == 3
    assert [(f["before"], f["after"]) for f in sheet["edit"]["figures"]] == [("3", "31")]
    assert [one["manifest"] for one in sheet["seals"]] == ["manifests/000001.json", "manifests/000002.json"]
    for seal in sheet["seals"]:
        data, token = seal["manifest"], seal["token"]
        shell(f"openssl ts -verify -data {data} -in {token} -CAfile {authority.root}", unpacked)
        assert digest(data, unpacked) == seal["sha256"] and seal["authority"] == "Test Authority"
        for part in json.loads((unpacked / data).read_text())["files"]:
            blocks = f"blocks-{data[10:16]}-{part['serial']:06d}"
            assert digest(f"{blocks}/list.sha256", unpacked) == part["blocks"]
            assert "OK" in shell(f"cd {blocks} && sha256sum --ignore-missing -c list.sha256", unpacked)
    captures = {(one["address"], one["captured_at"]): one for one in sheet["captures"]}
    assert sorted(url.removeprefix(HOME) for url, _ in captures) == [
        "en/1/",
        "en/1/",
        "robots.txt",
        "robots.txt",
    ]
    for (url, at), one in captures.items():
        record = shell(one["command"], unpacked)
        assert record.count(f"WARC-Target-URI: {url}") == 3 and record.count(f"WARC-Date: {at}") == 3
        assert one["record_id"] in record and one["payload_sha256"] in record
        assert shell(f"{one['body']} | sha256sum", unpacked).split()[0] == one["payload_sha256"]
    assert DEAD[1] in shell(captures[f"{HOME}en/1/", "2026-01-02T10:00:05Z"]["page"], unpacked)
    page = (unpacked / "provenance" / "sheet.html").read_text()
    assert DEAD[2] in page and "unknown" in page and "<script" not in page and "src=" not in page


def test_the_signature_is_that_of_the_archive(folder: Path, package: Path, unpacked: Path) -> None:
    """openssl agrees; the key is its owner's alone; `head` shows the public part."""
    said = json.loads((unpacked / "datapackage-digest.json").read_text())
    signed = said["signedData"]
    (unpacked / "key.der").write_bytes(b64decode(signed["publicKey"]))
    (unpacked / "signature").write_bytes(b64decode(said["signatureDer"]))
    (unpacked / "signed").write_text(signed["hash"])
    line = "openssl dgst -sha256 -verify key.der -keyform DER -signature signature signed"
    assert shell(line, unpacked) == "Verified OK\n"
    assert len(b64decode(signed["signature"])) == 96 and signed["version"] == "0.1.0"
    assert (folder / "archive.key").stat().st_mode & 0o777 == 0o600
    assert json.loads(well(folder, "head", "--json"))["public_key"] == signed["publicKey"]
    (unpacked / "signed").write_text(signed["hash"].replace("a", "b"))
    with pytest.raises(subprocess.CalledProcessError):
        shell(line, unpacked)


def without_created(package: zipfile.ZipFile) -> dict[str, bytes]:
    """The files of a package as they are in each package of the same."""
    files = {name: package.read(name) for name in package.namelist() if name != "datapackage-digest.json"}
    created = json.loads(files["datapackage.json"])["created"].encode()
    assert files["datapackage.json"].count(created) == 2  # and modified
    return files | {"datapackage.json": files["datapackage.json"].replace(created, b"")}


def test_the_same_archive_gives_the_same_package(folder: Path, package: Path, authority: Authority) -> None:
    """But for the signature and when it was made; an existing file is not replaced."""
    other = folder.parent / "again.wacz"
    line = ("cite", "en:1", 2, "--package", other)
    assert sohr(folder, *line, roots=authority.root).status == 0
    with zipfile.ZipFile(package) as one, zipfile.ZipFile(other) as two:
        assert one.namelist() == two.namelist()
        assert without_created(one) == without_created(two)
    ran = sohr(folder, *line)
    assert ran.status == 73 and "--force" in ran.err


async def test_the_page_gives_the_package(folder: Path, package: Path) -> None:
    """The button of the citation; where the archive has a key, signed."""
    datasette = Datasette([str(folder / "archive.db")])
    page = await datasette.client.get("/-/sohr/en/1?version=2")
    assert "/-/sohr/en/1/cite.wacz?version=2" in page.text
    answer = await datasette.client.get("/-/sohr/en/1/cite.wacz?version=2")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/wacz"
    with zipfile.ZipFile(package) as one, zipfile.ZipFile(BytesIO(answer.content)) as two:
        assert without_created(one) == without_created(two)
        assert b"signedData" in two.read("datapackage-digest.json")


async def test_memento_lists_the_captures(folder: Path) -> None:
    """Of an article all, each with its time; a shown capture has the same time and leads back to the list."""
    datasette = Datasette([str(folder / "archive.db")])
    address = f"/-/sohr/timemap/link/{HOME}en/1/"
    answer = await datasette.client.get(address)
    assert answer.headers["content-type"].startswith("application/link-format")
    original, itself, *mementos = answer.text.strip().split(",\n")
    assert original == f'<{HOME}en/1/>; rel="original"'
    assert itself == (
        f'<http://localhost{address}>; rel="self"; type="application/link-format"; '
        'from="Fri, 02 Jan 2026 10:00:05 GMT"; until="Sat, 03 Jan 2026 10:00:05 GMT"'
    )
    assert len(mementos) == 2
    for memento, day, dead in zip(mementos, ("Fri, 02", "Sat, 03"), (" 3 ", " 31 "), strict=True):
        at = f"{day} Jan 2026 10:00:05 GMT"
        assert memento.endswith(f'/page>; rel="memento"; datetime="{at}"')
        shown = await datasette.client.get(memento.partition(">")[0].removeprefix("<http://localhost"))
        assert shown.headers["memento-datetime"] == at and f"killed{dead}civilians" in shown.text
        assert shown.headers["link"] == (
            f'<{HOME}en/1/>; rel="original", <http://localhost{address}>; rel="timemap"; '
            'type="application/link-format"'
        )
    assert (await datasette.client.get("/-/sohr/timemap/link/http://127.0.0.1:9/nothing")).status_code == 404
    robots = await datasette.client.get(f"/-/sohr/timemap/link/{HOME}robots.txt")
    assert robots.text.count('rel="memento"') == 2


def test_the_program_for_strangers(authority: Authority, package: Path, tmp_path: Path) -> None:
    """It says that all fits, in a Python without this project; and one changed byte of any file is wrong."""
    program = ROOT / "docs" / "examples" / "check_package.py"
    key = json.loads(well(package.parent / "archive", "head", "--json"))["public_key"]
    line = [sys.executable, "-I", "-S", str(program), str(package), str(authority.root), key]
    ran = subprocess.run(line, capture_output=True, text=True, check=True)
    assert ran.stdout.endswith("Everything fits.\n") and "ok manifests/000002.tsr" in ran.stdout
    main = runpy.run_path(str(program))["main"]
    with zipfile.ZipFile(package) as whole:
        files = {name: whole.read(name) for name in whole.namelist()}
    for name, content in files.items():
        at = content.index(b'"signature": "') + 15 if name == "datapackage-digest.json" else len(content) // 2
        changed = files | {name: content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]}
        with zipfile.ZipFile(tmp_path / "changed.wacz", "w") as archive:
            for one, raw in changed.items():
                archive.writestr(one, raw)
        with pytest.raises((SystemExit, ValueError)):
            main(tmp_path / "changed.wacz", authority.root, key)


@pytest.mark.wacz
def test_wacz_validate_passes(package: Path) -> None:
    """The standard's own tool finds a signed package right."""
    line = [os.environ["SOHR_WACZ"], "validate", "-f", str(package)]
    ran = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0 and "Validation succeeded" in ran.stdout, ran


def test_of_one_version(folder: Path, tmp_path: Path) -> None:
    """The first has no edit. Where no token is trusted the package holds the chain to its end."""
    assert sohr(folder, "cite", "en:1", 1, "--package", tmp_path / "one.wacz").status == 0
    with zipfile.ZipFile(tmp_path / "one.wacz") as file:
        sheet = json.loads(file.read("provenance/sheet.json"))
        assert {name for name in file.namelist() if "manifests" in name} == {
            "manifests/000001.json",
            "manifests/000002.json",
        }
    assert sheet["edit"] is None and len(sheet["versions"]) == 1 and sheet["seals"][0]["token"] is None


def test_a_package_needs_its_evidence(folder: Path, tmp_path: Path) -> None:
    """A changed byte in a block: 73, and no file."""
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    path = min((copy / "warc").iterdir())
    raw = bytearray(path.read_bytes())
    raw[5000] ^= 1
    path.write_bytes(raw)
    ran = sohr(copy, "cite", "en:1", 2, "--package", tmp_path / "edit.wacz")
    assert ran.status == 73 and "is not what its manifest sealed" in ran.err
    assert not (tmp_path / "edit.wacz").exists()
