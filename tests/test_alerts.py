"""Alerts: what matches is posted, signed, at least once, and status shows what fails."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from archive.clock import current_time, format_time, now
from archive.read import alerts
from archive.read.alerts import read_alerts
from archive.settings_file import BadSettings
from tests.archiving import Archive, capture, command_line, sohr
from tests.crawling import environment, rows
from tests.replica.server import ROOT

SECRET = "a secret of the tests"


class Receiver(BaseHTTPRequestHandler):
    """Keeps what is posted; answers as the path says."""

    got: list[tuple[str, dict[str, str], bytes]] = []  # noqa: RUF012  # one server a test
    status = 204
    slow = 0.0
    retry_after = ""
    moods: Iterator[str] = iter(())  # of the answers on the path /moody

    def do_POST(self) -> None:
        """Keep it, then answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, dict(self.headers), body))
        time.sleep(self.slow)
        mood = next(self.moods, "") if self.path == "/moody" else ""
        if mood == "hangs up":
            self.close_connection = True
            return
        self.send_response(int(mood or (self.status if "/broken" in self.path else 204)))
        self.send_header("Location", "/elsewhere")
        if self.retry_after:
            self.send_header("Retry-After", self.retry_after)
        self.end_headers()
        try:
            self.wfile.write(b"x" * (10_000_000 if self.path == "/huge" else 0))
        except OSError:
            pass  # nobody listens any more

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    """The address of a receiver."""
    Receiver.got.clear()
    Receiver.status, Receiver.slow, Receiver.retry_after = 500, 0.0, ""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def settle(folder: Path, *rules: str) -> None:
    """Write the settings file, and let its alerts begin here."""
    blocks = (f'[[alerts]]\nsecret = "{SECRET}"\n{rule}\n' for rule in rules)
    (folder / "settings.toml").write_text("\n".join(blocks))
    assert sohr(folder, "alert").status == 0


def keys(path: str = "") -> list[str]:
    """The keys of what was posted."""
    return [headers["Idempotency-Key"] for at, headers, _ in Receiver.got if at.startswith(path)]


def day(number: int) -> str:
    """An instant of a day."""
    return f"2026-01-{number:02}T10:00:00Z"


def fill(folder: Path, first: int, *texts: str, posts: int = 1) -> None:
    """Each post says these texts on following days."""
    with Archive(folder) as archive:
        for n, text in enumerate(texts, first):
            archive.take(*(capture(post, day(n), f"{text} Post {post}.") for post in range(1, posts + 1)))


def test_what_matches_is_posted(tmp_path: Path, url: str) -> None:
    """By kind, severity, edition and words; not the history before; with signature, diff and citation."""
    fill(tmp_path, 1, "In all 3 were killed by a landmine near the town.")
    settle(
        tmp_path,
        f'name = "all"\nurl = "{url}/all"',
        f'name = "figures"\nurl = "{url}/figures"\nseverity = 3\nwords = "landmine"',
        f'name = "arabic"\nurl = "{url}/arabic"\nedition = "ar"',
        f'name = "kind"\nurl = "{url}/kind"\nkind = "missing"',
        f'name = "words"\nurl = "{url}/words"\nwords = "drone"',
    )
    assert Receiver.got == []
    fill(tmp_path, 2, "In all 31 were killed by a landmine near the town.")
    told = json.loads(sohr(tmp_path, "alert", "--json").out)
    counts = {one["name"]: one["sent"] for one in told["alerts"]}
    assert counts == {"all": 1, "figures": 1, "arabic": 0, "kind": 0, "words": 0}
    _, headers, body = next(one for one in Receiver.got if one[0] == "/figures")
    [(seq, epoch)] = rows(tmp_path, "select seq, epoch from changes where kind = 'updated'")
    assert headers["Idempotency-Key"] == f"{epoch}-{seq}"
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers["Sohr-Signature"] == f"sha256={signature}"
    found: dict[str, Any] = json.loads(body)
    assert found["change"]["citation"] == f"sohr:en:1@{day(2)}" and found["change"]["severity"] == 3
    assert "-In all 3 were killed" in found["diff"] and "+In all 31 were killed" in found["diff"]
    assert sohr(tmp_path, "alert").status == 0 and len(Receiver.got) == 2, "nothing is sent twice"


@pytest.mark.parametrize(("lines", "is_compared"), [(1_900, True), (2_100, False)])
def test_a_long_text_is_not_compared(tmp_path: Path, url: str, lines: int, is_compared: bool) -> None:
    """Its change is sent all the same, at once."""
    texts = [[f"Line {n} of {n % words} words." for n in range(lines)] for words in (3, 4)]
    with Archive(tmp_path) as archive:
        archive.take(capture(1, day(1), *texts[0]))
    settle(tmp_path, f'name = "a"\nurl = "{url}"')
    with Archive(tmp_path) as archive:
        archive.take(capture(1, day(2), *texts[1]))
    begun = time.monotonic()
    assert sohr(tmp_path, "alert").status == 0 and time.monotonic() - begun < 30
    [(_, _, body)] = Receiver.got
    assert (json.loads(body)["diff"] is not None) is is_compared


def test_a_feed_that_is_numbered_anew(tmp_path: Path, url: str) -> None:
    """The alert goes on with what comes after it; the history is not sent."""
    fill(tmp_path, 1, "In all 3 were killed.", "In all 4 were killed.")
    settle(tmp_path, f'name = "a"\nurl = "{url}"')
    with closing(sqlite3.connect(tmp_path / "consumers.db", isolation_level=None)) as db:
        db.execute("update consumers set epoch = epoch - 1")
    assert sohr(tmp_path, "alert").status == 0 and Receiver.got == []
    fill(tmp_path, 3, "In all 5 were killed.")
    assert sohr(tmp_path, "alert").status == 0 and len(Receiver.got) == 1


def test_a_backfill_sends_nothing(tmp_path: Path, url: str) -> None:
    """What public archives had is of years ago; what the site says next is sent."""
    fill(tmp_path, 1, "In all 3 were killed.")
    settle(tmp_path, f'name = "all"\nurl = "{url}"')
    past = {"source": "wayback", "service_url": "http://127.0.0.1:9/web/2015id_/x", "recorded_at": day(2)}
    with Archive(tmp_path) as archive:
        archive.take(*(capture(2, f"201{n}-01-01T00:00:00Z", f"It said {n}.", **past) for n in (5, 6, 7)))
        archive.take(capture(2, "2018-01-01T00:00:00Z", status=404, body=b"gone", **past))
    kinds = [kind for (kind,) in rows(tmp_path, "select kind from changes order by seq")]
    assert kinds == ["created", "created", "updated", "updated", "missing"]
    assert sohr(tmp_path, "alert").status == 0 and Receiver.got == []
    fill(tmp_path, 3, "In all 4 were killed.")
    assert sohr(tmp_path, "alert").status == 0 and len(Receiver.got) == 1


def test_what_fails_waits_and_status_shows_it(tmp_path: Path, url: str) -> None:
    """Three tries, then exit status 1; another alert goes on; the next run sends what waited, in order."""
    fill(tmp_path, 1, "In all 3 were killed near the town.")
    settle(tmp_path, f'name = "a"\nurl = "{url}/broken"', f'name = "b"\nurl = "{url}/well"')
    fill(tmp_path, 2, "In all 4 were killed near the town.", "In all 5 were killed near the town.")
    done = sohr(tmp_path, "alert")
    assert done.status == 1 and "a: 0 sent; its address answered with status 500" in done.lines
    [first, second] = keys("/well")
    assert keys("/broken") == [first] * 3
    status = sohr(tmp_path, "status")
    assert "ALERT NOT SENT since" in status.out.decode() and "status 500" in status.out.decode()
    [trouble] = json.loads(sohr(tmp_path, "status", "--json").out)["alerts"]
    assert trouble["name"] == "a" and first.endswith(f"-{trouble['seq']}")
    Receiver.status = 200
    assert sohr(tmp_path, "alert").status == 0
    assert keys("/broken")[3:] == [first, second] and keys("/well") == [first, second]
    assert "ALERT" not in sohr(tmp_path, "status").out.decode()


def test_a_test_message(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """--test sends one to each alert, before there is an archive too; a redirect is a failure."""
    text = f'[[alerts]]\nname = "a"\nsecret = "{SECRET}"\nurl = "{url}/a"'
    (tmp_path / "settings.toml").write_text(text)
    assert sohr(tmp_path, "alert", "--test").status == 0
    assert keys() == ["test"] and json.loads(Receiver.got[0][2])["change"] is None
    monkeypatch.setattr(alerts, "WAITS", ())
    Receiver.status = 302
    [alert] = read_alerts(tmp_path)
    moved = alerts.Alert(alert.name, f"{url}/broken", SECRET)
    assert alerts.send_test(moved) == "its address answered with status 302"
    assert alerts.send_test(alerts.Alert("a", "http://127.0.0.1:9/secret", SECRET)) == (
        "its address did not answer (URLError)"
    )


def test_odd_addresses(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect, a lasting refusal, a huge answer, no TLS, a pause that is asked for, no answer: each ends
    soon, with a sentence."""
    monkeypatch.setattr(alerts, "WAITS", (0.0, 0.0))

    def answer(path: str, status: int = 204, at: str = url) -> tuple[alerts.Refused | None, int]:
        Receiver.got.clear()
        Receiver.status = status
        refused = alerts.post(alerts.Alert("a", at + path, SECRET), {}, "1-1")
        return refused, len(Receiver.got)

    for status in (301, 308, 400, 410, 500):
        assert answer("/broken", status) == ((f"its address answered with status {status}", ""), 3)
    assert answer("/huge") == (None, 1)
    refused, _ = answer("/", at=url.replace("http:", "https:"))
    assert refused is not None and "did not answer (" in refused.why
    Receiver.retry_after = "3600"
    refused, tries = answer("/broken", 429)
    assert (
        tries == 1
        and refused is not None
        and now() < refused.until < format_time(current_time() + timedelta(hours=2))
    )
    Receiver.retry_after = ""
    monkeypatch.setattr(alerts, "SECONDS", 0.3)
    Receiver.slow = 1
    assert answer("/slow") == (("its address did not answer within 0.3 seconds", ""), 3)


def test_a_pause_that_is_asked_for(tmp_path: Path, url: str) -> None:
    """Retry-After holds for the next runs too; status shows the trouble."""
    fill(tmp_path, 1, "In all 3 were killed near the town.")
    settle(tmp_path, f'name = "a"\nurl = "{url}/broken"')
    fill(tmp_path, 2, "In all 4 were killed near the town.")
    Receiver.status, Receiver.retry_after = 429, "3600"
    assert [sohr(tmp_path, "alert").status for _ in range(2)] == [1, 1] and len(Receiver.got) == 1
    assert "status 429" in sohr(tmp_path, "status").out.decode()
    [noted] = json.loads((tmp_path / "alerts.json").read_text())
    noted["until"] = format_time(current_time() + timedelta(days=400))
    (tmp_path / "alerts.json").write_text(json.dumps([noted]))
    assert sohr(tmp_path, "alert").status == 1 and len(Receiver.got) == 2, "noted by a clock that was ahead"


def test_a_full_disk_sends_nothing(tmp_path: Path, url: str, room: Callable[[Path, int], None]) -> None:
    """Else each run would repeat the change, as it cannot note that it was sent: 73 and the reason. One may
    be sent before the disk is full. A public copy says what is full too. With room again, it goes on."""
    folder = tmp_path / "a"
    room(folder, 8_000)
    fill(folder, 1, "In all 3 were killed near the town.")
    settle(folder, f'name = "a"\nurl = "{url}"')
    fill(folder, 2, "In all 4 were killed near the town.")
    with suppress(OSError), (folder / "filler").open("wb", 0) as file:
        while file.write(b"x" * 4096):
            pass
    for _ in range(4):  # the first often runs in the second of what was noted last
        done = sohr(folder, "alert")
        assert done.status == 73 and "consumers.db cannot be used (database or disk is full)" in done.err
    done = sohr(folder, "publish-copy", folder / "public.db")
    assert done.status == 73 and "the copy has no room" in done.err
    assert len(Receiver.got) <= 1
    (folder / "filler").unlink()
    assert sohr(folder, "alert").status == 0 and len(Receiver.got) in (1, 2) and len(set(keys())) == 1


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ('name = "A b"', "needs a name"),
        ('name = "a"\nurl = "file:///etc"', "needs a url"),
        ('name = "a"\nurl = "http://[/"', "needs a url"),
        ('name = "a"\nurl = "https://x.test:99999/"', "needs a url"),
        ('name = "a"\nurl = "https://x.test/a b"', "has a url with blanks"),
        ('name = "a"\nurl = "https://x.test/\u0634"', "beyond ASCII"),
        ('name = "a"\nurl = "https://me:word@x.test/"', "has a login"),
        ('name = "a"\nurl = "https://x.test/"\nsecret = "short"', "needs a secret"),
        ('name = "a"\nurl = "https://x.test/"\nkinds = "x"', "may have only texts"),
        (f'name = "a"\nurl = "https://x.test/"\nsecret = "{SECRET}"\nseverity = 4', "not 0, 1, 2 or 3"),
        (f'name = "a"\nurl = "https://x.test/"\nsecret = "{SECRET}"\nkind = "new"', "unknown kind"),
    ],
)
def test_a_wrong_rule_is_refused(tmp_path: Path, rule: str, words: str) -> None:
    """A sentence that says which alert, and what."""
    (tmp_path / "settings.toml").write_text(f"[[alerts]]\n{rule}")
    with pytest.raises(BadSettings, match=f"alert 1 .*{words}"):
        read_alerts(tmp_path)


@pytest.mark.slow
def test_twenty_kills(tmp_path: Path, url: str) -> None:
    """Killed at any instant, it goes on: a receiver that drops repeated keys sees each change once, in
    order, also one that took a change and answers with an error, a redirect or not at all."""
    posts = 60
    fill(tmp_path, 1, "In all 3 were killed near the town.", posts=posts)
    settle(tmp_path, f'name = "a"\nurl = "{url}/moody"')
    fill(tmp_path, 2, "In all 4 were killed near the town.", posts=posts)
    Receiver.slow = 0.02
    Receiver.moods = cycle([*[""] * 7, "500", *[""] * 5, "hangs up", *[""] * 4, "307", *[""] * 3, "429"])
    line = command_line(tmp_path, "alert")
    chance = random.Random(7)  # instants to kill at, repeatable
    kills = 0
    while kills < 20:
        seen = len(Receiver.got)
        child = subprocess.Popen(line, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while len(Receiver.got) == seen and time.monotonic() < deadline and child.poll() is None:
            time.sleep(0.002)
        time.sleep(chance.random() * 0.05)
        if child.poll() is None:
            os.kill(child.pid, signal.SIGKILL)
            kills += 1
        child.wait()
        assert len(set(keys())) <= posts
        if child.returncode == 0:
            break
    assert kills == 20 and sohr(tmp_path, "alert").status == 0
    wanted = rows(tmp_path, "select epoch || '-' || seq from changes where kind = 'updated' order by seq")
    assert list(dict.fromkeys(keys())) == [key for (key,) in wanted]
    assert len(wanted) == posts
