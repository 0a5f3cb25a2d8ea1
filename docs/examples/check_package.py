"""Check a package of `sohr-archive cite --package` on a machine without this project: Python 3.8 and openssl.

    python check_package.py edit.wacz [ROOT.PEM [PUBLIC_KEY]]

ROOT.PEM is the root certificate of the timestamp authority, PUBLIC_KEY what `sohr-archive head --json` shows.
Nothing of the package is executed. It prints what it checked, and ends with 1 at the first wrong thing.
"""

import base64
import gzip
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

BLOCK = 65536


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def check(what, is_right):
    print("ok" if is_right else "WRONG", what)
    if not is_right:
        sys.exit(1)


def openssl(what, files, *arguments):
    """Run openssl in a folder with some files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            Path(folder, name).write_bytes(content)
        ran = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=False)
    check(what, ran.returncode == 0)


def der(signature):
    """A signature as openssl reads it: the standard has its two numbers side by side."""
    half = len(signature) // 2
    numbers = [b"\0" + part.lstrip(b"\0") for part in (signature[:half], signature[half:])]
    numbers = [one if one[1] & 0x80 else one[1:] for one in numbers]
    parts = b"".join(b"\x02" + bytes([len(one)]) + one for one in numbers)
    return b"\x30" + bytes([len(parts)]) + parts


def check_files(files, key):
    """Every file has the hash that is stated, and the hash of hashes is signed."""
    digest = json.loads(files["datapackage-digest.json"])
    stated = {one["path"]: one["hash"] for one in json.loads(files["datapackage.json"])["resources"]}
    check("datapackage.json", digest["hash"] == "sha256:" + sha256(files["datapackage.json"]))
    check("no other files", set(files) - set(stated) == {"datapackage.json", "datapackage-digest.json"})
    for path, expected in stated.items():
        check(path, expected == "sha256:" + sha256(files.get(path, b"")))
    signed = digest.get("signedData")
    if not signed:
        print("-- it is not signed")
        return
    parts = {"key": base64.b64decode(signed["publicKey"]), "hash": signed["hash"].encode()}
    parts["signature"] = der(base64.b64decode(signed["signature"]))
    check("the signed hash is that of datapackage.json", signed["hash"] == digest["hash"])
    openssl(
        "signature",
        parts,
        "dgst",
        "-sha256",
        "-verify",
        "key",
        "-keyform",
        "DER",
        "-signature",
        "signature",
        "hash",
    )
    check("the key is the one you have", key in (None, signed["publicKey"]))


def check_seals(files, sheet, manifests, root):
    """Each manifest names the one before; tokens date them."""
    for number in sorted(manifests):
        if number + 1 in manifests:
            own = sha256(files[f"manifests/{number:06d}.json"])
            check(f"manifest {number} is before {number + 1}", manifests[number + 1]["before"] == own)
    for seal in sheet["seals"]:
        check(seal["manifest"], seal["sha256"] == sha256(files[seal["manifest"]]))
        if seal["token"] and root:
            data = files[seal["token"].replace(".2.tsr", ".tsr").replace(".tsr", ".json")]
            parts = {"data": data, "token": files[seal["token"]], "root": root}
            openssl(seal["token"], parts, "ts", "-verify", "-data", "data", "-in", "token", "-CAfile", "root")
        print(
            "--", "dated", seal["dated_at"], seal["authority"], "" if root else "(not checked: no ROOT.PEM)"
        )


def check_capture(files, one, manifests):
    """The record is in blocks that its manifest sealed, and its body has the digest that the sheet states."""
    name = f"{one['address']} at {one['captured_at']}"
    if not one["sealed_by"]:
        print("--", name, "is in no manifest yet")
        return
    number = int(one["sealed_by"][10:16])
    part = next(
        p
        for p in manifests[number]["files"]
        if p["from"] <= one["offset"] < p["to"] and p["name"] == one["warc_file"]
    )
    folder = f"blocks-{number:06d}-{part['serial']:06d}"
    listed = files[f"{folder}/list.sha256"]
    check(f"{name}: list of blocks", sha256(listed) == part["blocks"])
    digests = [line.split()[0] for line in listed.decode().splitlines()]
    start, record = one["offset"] - part["from"], b""
    for block in range(start // BLOCK, (start + one["length"] - 1) // BLOCK + 1):
        content = files[f"{folder}/{block:05d}.bin"]
        check(f"{name}: block {block}", sha256(content) == digests[block])
        record += content
    record = record[start % BLOCK : start % BLOCK + one["length"]]
    check(f"{name}: the same record in the WARC file", record in files["archive/data.warc.gz"])
    whole = gzip.decompress(record)
    head = whole.partition(b"\r\n\r\n")[0].decode()
    for word in (one["record_id"], one["address"], one["captured_at"], one["payload_sha256"]):
        check(f"{name}: {word}", word in head)
    if "WARC-Type: response" in head:
        body = whole.split(b"\r\n\r\n", 2)[2][:-4]
        check(f"{name}: body", sha256(body) == one["payload_sha256"])


def main(package, root=None, key=None):
    with zipfile.ZipFile(package) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    check_files(files, key)
    sheet = json.loads(files["provenance/sheet.json"])
    names = [name for name in files if name.startswith("manifests/") and name.endswith(".json")]
    manifests = {int(name[10:16]): json.loads(files[name]) for name in names}
    for version in sheet["versions"]:
        check(version["citation"], sha256(files[version["file"]]) == version["text_sha256"])
    check_seals(files, sheet, manifests, root and Path(root).read_bytes())
    for one in sheet["captures"]:
        check_capture(files, one, manifests)
    print("Everything fits.")


if __name__ == "__main__":
    main(*sys.argv[1:])
