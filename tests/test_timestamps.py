"""Timestamps by an authority on this machine: asked for after a crawl, checked offline by us and by openssl,
each fault with a sentence of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.warc.manifests import manifests
from archive.warc.timestamps import ROOTS, read_token, stamp, trusted_roots
from tests import archiving
from tests.archiving import Archive, Ran, capture
from tests.authority import Authority, wait_and
from tests.crawling import crawl
from tests.replica.server import Replica


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """An authority that answers well."""
    with Authority(tmp_path_factory.mktemp("authority")) as one:
        yield one


@pytest.fixture(autouse=True)
def trust(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its root is trusted, here and by commands that are started."""
    trusted_roots.cache_clear()
    authority.alter = lambda answer: answer
    monkeypatch.setenv(ROOTS, str(authority.root))


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with two manifests and no token."""
    folder = tmp_path_factory.mktemp("stamped") / "archive"
    for day in ("2026-01-02", "2026-01-03"):
        with Archive(folder) as archive:
            archive.take(capture(1, f"{day}T10:00:00Z", f"It says {day}.", "And more."))
    return folder


@pytest.fixture
def folder(crawled: Path, tmp_path: Path) -> Path:
    """A copy, to be dated."""
    return Path(shutil.copytree(crawled, tmp_path / "archive"))


def sohr(folder: Path, *arguments: object, clock: str = "") -> Ran:
    """Run the command; it trusts what this process does."""
    return archiving.sohr(folder, *arguments, clock=clock, roots=os.environ.get(ROOTS, ""))


def token(folder: Path, authority: Authority, number: int = 2) -> Path:
    """Put a token beside a manifest; where it lies."""
    path = manifests(folder)[number - 1].path
    path.with_suffix(".tsr").write_bytes(authority.stamp(path))
    return path.with_suffix(".tsr")


def openssl(path: Path, root: Path, *more: str | Path) -> bool:
    """Whether openssl agrees that a token is good for the manifest beside it."""
    line = ["openssl", "ts", "-verify", "-data", path.with_suffix(".json"), "-in", path, "-CAfile", root]
    return subprocess.run([*line, *more], capture_output=True, check=False).returncode == 0


def finding(ran: Ran) -> str:
    """The only line of `verify`."""
    assert ran.status == 1 and len(ran.lines) == 1, ran
    return ran.lines[0].removeprefix("mismatch: manifests/000002.tsr ")


def test_a_crawl_dates_its_manifest(authority: Authority, tmp_path: Path) -> None:
    """One request with our digest; the raw answer lies beside the manifest; `verify`, openssl, `head` and
    `cite` say the same. The next crawl dates the next."""
    folder = tmp_path / "a"
    with Replica(posts=3) as site:
        done = crawl(site, folder, ARCHIVE_TIMESTAMPS=authority.url)
        assert done.status == 0 and "timestamp" not in done.stderr
        assert len(authority.asked) == 1
        (path,) = (folder / "manifests").glob("*.tsr")
        assert path.name == "000001.tsr" and path.read_bytes() == (authority.folder / "answer").read_bytes()
        newest = manifests(folder)[-1]
        assert openssl(path, authority.root) and read_token(path).digest == newest.digest
        ran = sohr(folder, "verify", "--deep", "--head", newest.digest)
        assert (ran.status, ran.out) == (0, b"") and ran.err.endswith(": everything matches.\n")
        one, two = sohr(folder, "head").lines
        assert one == newest.digest and two.startswith(f"{one} was there at 20")
        assert two.endswith(f"Z, says {authority.name} (manifests/000001.tsr)")
        post = site.posts("en")[-1].post_id
        cited = json.loads(sohr(folder, "cite", f"en:{post}", "--json").out)
        assert cited["token"] == "manifests/000001.tsr" and cited["authority"] == authority.name
        assert cited["manifest_sha256"] == newest.digest and cited["stamped_at"] in two
        assert crawl(site, folder, ARCHIVE_TIMESTAMPS=authority.url).status == 0
        assert {path.name for path in (folder / "manifests").glob("*.tsr")} == {"000001.tsr", "000002.tsr"}
        # Without the setting nobody is asked
        assert crawl(site, folder).status == 0 and len(authority.asked) == 2
    ran = sohr(folder, "verify", "--head", "\n".join(sohr(folder, "head").lines))
    pending, checked = ran.err.splitlines()
    assert ran.status == 0 and pending == "no timestamp yet after manifest 2, up to manifest 3"
    assert checked.startswith("Checked 1 WARC file") and checked.endswith("everything matches.")


def test_an_authority_elsewhere_is_not_asked_by_a_crawl_on_this_machine(tmp_path: Path) -> None:
    """And what is no address, or a third one, ends with 2."""
    with Replica(posts=1) as site:
        done = crawl(site, tmp_path / "a", ARCHIVE_TIMESTAMPS="http://authority.invalid/")
        assert done.status == 0 and "timestamp" not in done.stderr
        for bad in ("authority", "http://a/ http://b/ http://c/"):
            done = crawl(site, tmp_path / "b", ARCHIVE_TIMESTAMPS=bad)
            assert done.status == 2 and "is not one or two web addresses" in done.stderr


@pytest.mark.parametrize("chain", [("between", "root"), ("root", "between"), ("between",)], ids="-".join)
def test_certificates_in_any_order(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chain: tuple[str, ...]
) -> None:
    """As authorities send them; with the root or without. openssl agrees."""
    with Authority(tmp_path / "other", chain) as other:
        monkeypatch.setenv(ROOTS, str(other.root))
        path = token(folder, other)
        assert read_token(path).fault is None and openssl(path, other.root)


def test_two_authorities(
    folder: Path, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each answer in a file of its own; one that failed is asked again, the other is not."""
    with Authority(tmp_path / "other", name="Other") as other:
        both = tmp_path / "both.pem"
        both.write_bytes(authority.root.read_bytes() + other.root.read_bytes())
        monkeypatch.setenv(ROOTS, str(both))
        other.alter = lambda answer: answer[:100]
        asked = len(authority.asked)
        (problem,) = stamp(folder, [authority.url, other.url])
        assert problem == (
            f"manifests/000002.json has no timestamp yet: the answer of {other.url} cannot be read as a "
            "timestamp: it was cut or altered; the next crawl asks again"
        )
        other.alter = lambda answer: answer
        assert stamp(folder, [authority.url, other.url]) == []
        assert len(authority.asked) == asked + 1 and len(other.asked) == 2
    first, second = sorted((folder / "manifests").glob("*.tsr"))
    assert (first.name, second.name) == ("000002.2.tsr", "000002.tsr")
    assert {read_token(path).authority for path in (first, second)} == {authority.name, other.name}
    assert sohr(folder, "verify").status == 0


def test_an_authority_that_fails_means_pending(authority: Authority, folder: Path, tmp_path: Path) -> None:
    """Down, slow, cut, of another request: a sentence on standard error, the status of the crawl, no file."""
    with Replica(posts=1) as site:
        done = crawl(site, tmp_path / "a", ARCHIVE_TIMESTAMPS="http://127.0.0.1:9/")
    assert (
        done.status == 0 and "manifests/000001.json has no timestamp yet: http://127.0.0.1:9/" in done.stderr
    )
    old = authority.stamp(manifests(folder)[-1].path)  # a good answer to somebody else
    other = authority.stamp(manifests(folder)[0].path)
    for alter, what in (
        (lambda answer: answer[: len(answer) // 2], "was cut or altered"),
        (lambda _: b"<html>busy</html>", "was cut or altered"),
        (lambda _: old, "the nonce is not ours"),
        (lambda _: other, "the nonce is not ours"),
        (lambda answer: wait_and(answer, 3), "did not answer within 1 seconds"),
    ):
        authority.alter = alter
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("archive.warc.timestamps.SECONDS", 1.0)
            (problem,) = stamp(folder, [authority.url])
        assert what in problem and not list((folder / "manifests").glob("*.tsr")), problem


def test_an_unknown_root(folder: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named, and what to do."""
    path = token(folder, authority)
    assert sohr(folder, "verify").status == 0
    monkeypatch.delenv(ROOTS)
    said = finding(sohr(folder, "verify"))
    assert said.startswith("has an unknown root: CN=Test Root is not trusted here") and ROOTS in said
    assert not openssl(path, Path("/etc/ssl/certs/ca-certificates.crt"))
    monkeypatch.setenv(ROOTS, str(folder / "nothing.pem"))
    ran = sohr(folder, "verify")
    assert ran.status == 2 and "cannot be read as certificates in PEM" in ran.err


def test_a_broken_chain(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate between is missing."""
    with Authority(tmp_path / "other", chain=("root",)) as other:
        monkeypatch.setenv(ROOTS, str(other.root))
        path = token(folder, other)
        assert not openssl(path, other.root)
        assert finding(sohr(folder, "verify")) == (
            "has a broken chain: the certificate of CN=Test Between is missing"
        )


def test_a_certificate_that_was_not_valid(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The authority signed after its own end."""
    with Authority(tmp_path / "other", days=0) as other:
        monkeypatch.setenv(ROOTS, str(other.root))
        path = token(folder, other)
        assert not openssl(path, other.root)
        assert finding(sohr(folder, "verify")).startswith(
            "was signed with a certificate that was not valid at"
        )


def test_a_certificate_that_has_expired_since(
    folder: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named until a later token covers the same."""
    token(folder, authority, 1)
    assert sohr(folder, "verify").status == 0
    said = sohr(folder, "verify", clock="+400d").lines
    assert len(said) == 1 and "but the certificate of Test Authority has expired since, 20" in said[0]
    with Authority(folder.parent / "later", days=900, name="Later") as later:
        both = folder.parent / "both.pem"
        both.write_bytes(authority.root.read_bytes() + later.root.read_bytes())
        monkeypatch.setenv(ROOTS, str(both))
        token(folder, later, 2)
        assert sohr(folder, "verify", clock="+400d").status == 0


def test_a_token_of_another_manifest(folder: Path, authority: Authority) -> None:
    """Moved, or its manifest was written anew; and one whose manifest is gone."""
    path = token(folder, authority, 1).rename(folder / "manifests" / "000002.tsr")
    assert not openssl(path, authority.root)
    assert finding(sohr(folder, "verify")).startswith(
        "dates another file than 000002.json: one of the digest"
    )
    path.rename(folder / "manifests" / "000009.tsr")
    assert "000009.tsr dates a manifest that is not there" in sohr(folder, "verify").lines[0]


def test_a_token_that_is_older_than_its_manifest(folder: Path, authority: Authority) -> None:
    """What an authority had dated cannot have been written days later: the manifest's time is forged."""
    archiving.sohr(folder, "rebuild", "--extract", clock="+3d")
    path = manifests(folder)[-1].path
    path.with_suffix(".tsr").write_bytes(authority.stamp(path))
    said = [line for line in sohr(folder, "verify", clock="+3d").lines if ".tsr" in line]
    assert len(said) == 1 and "and its manifest says that it was written later, at 20" in said[0]


def test_each_changed_byte_of_a_token_is_named(folder: Path, authority: Authority) -> None:
    """Or changes nothing that was signed: openssl agrees in each case."""
    path = token(folder, authority)
    raw = path.read_bytes()
    for at in range(3, len(raw), 41):
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 4]) + raw[at + 1 :])
        assert (read_token(path).fault is None) <= openssl(path, authority.root), at
    path.write_bytes(raw[: len(raw) // 2])
    assert finding(sohr(folder, "verify")).startswith("cannot be read as a timestamp")
