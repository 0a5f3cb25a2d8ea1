"""What captures say of how they were made: TLS and certificates of each host, protocol, address, operator,
where a repeated body lies."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from cryptography import x509
from warcio.archiveiterator import ArchiveIterator

from archive.warc.files import warc_files
from tests.archiving import Archive, capture, dump, sohr, well
from tests.certificates import Authority
from tests.crawling import crawl
from tests.exact import Exact


def headers(folder: Path, kind: str) -> list[dict[str, str]]:
    """The WARC headers of the records of a kind, as warcio reads them."""
    found = []
    for file in warc_files(folder / "warc"):
        with open(file.path, "rb") as stream:
            found += [
                dict(record.rec_headers.headers)
                for record in ArchiveIterator(stream)
                if record.rec_type == kind
            ]
    return found


def blocks(folder: Path, kind: str) -> list[str]:
    """Their blocks."""
    found = []
    for file in warc_files(folder / "warc"):
        with open(file.path, "rb") as stream:
            found += [
                record.raw_stream.read().decode()
                for record in ArchiveIterator(stream)
                if record.rec_type == kind
            ]
    return found


def test_the_certificate_of_each_host_is_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS version, cipher and chain in a record of each crawl; every capture names it, and a package shows
    it. A rebuild gives the same rows."""
    authority, folder = Authority(tmp_path), tmp_path / "a"
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with Exact(tls=authority.server("127.0.0.1")) as site:
        site.add_posts(range(101, 104))
        for _ in range(2):
            assert crawl(site.url, folder, "edition=en", "look=all").status == 0
        host = site.url.split("/")[2]
    metadata = blocks(folder, "metadata")
    events = [json.loads(one) for one in metadata if one.startswith("{")]
    secured = [event for event in events if event["event"] == "tls"]
    assert len(secured) == 2 and {event["host"] for event in secured} == {host}
    assert secured[0]["protocol"].startswith("TLSv1.") and secured[0]["cipher"]
    first = x509.load_pem_x509_certificate(secured[0]["certificates"][0].encode())
    names = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "127.0.0.1" in {str(name.value) for name in names}
    provenance = [one for one in metadata if "crawl: " in one]
    assert len(provenance) > 8 and all("\r\ntls: <urn:uuid:" in one for one in provenance)
    assert {one["WARC-Protocol"] for one in headers(folder, "response")} == {"http/1.1"}
    assert {one["WARC-IP-Address"] for one in headers(folder, "response")} == {"127.0.0.1"}
    before = dump(folder)
    assert sohr(folder, "rebuild").status == 0 and dump(folder) == before
    well(folder, "cite", "en:101", 1, "--package", tmp_path / "one.wacz")
    with zipfile.ZipFile(tmp_path / "one.wacz") as package:
        sheet = json.loads(package.read("provenance/sheet.json"))
        page = package.read("provenance/sheet.html").decode()
    for one in sheet["captures"]:
        assert one["tls"] == f"{secured[0]['protocol']} {secured[0]['cipher']}"
        sent = one["certificates"][0]
        assert sent["pem"] in (secured[0]["certificates"][0], secured[1]["certificates"][0])
        assert sent["sha256"] in page and "BEGIN CERTIFICATE" not in page


def test_who_captures_is_said_if_it_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the first record of a file and in the sheet; without the settings the fields are not there."""
    with Archive(tmp_path / "a"):
        pass
    (plain,) = blocks(tmp_path / "a", "warcinfo")
    assert "operator" not in plain and "hostname" not in plain and "warc-format/warc-1.1/" in plain
    monkeypatch.setenv("ARCHIVE_OPERATOR", "A desk, desk@example.org")
    monkeypatch.setenv("ARCHIVE_HOSTNAME", "archive-1")
    with Archive(tmp_path / "b"):
        pass
    (said,) = blocks(tmp_path / "b", "warcinfo")
    assert "operator: A desk, desk@example.org\r\n" in said and "hostname: archive-1\r\n" in said


def test_a_repeated_body_names_the_file_that_has_it(tmp_path: Path) -> None:
    """By its final name, beside our own header."""
    for day in ("2026-01-02", "2026-01-03"):
        with Archive(tmp_path / "a") as archive:
            archive.take(capture(1, f"{day}T10:00:00Z", "The same. " * 200))
    (revisit,) = headers(tmp_path / "a", "revisit")
    (file,) = warc_files(tmp_path / "a" / "warc")
    assert revisit["WARC-Refers-To-Container"] == file.name and revisit["Sohr-Refers-To"].startswith("1:")
