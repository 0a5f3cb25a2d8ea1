"""`sohr-archive check`: what others cite, checked as a newcomer would."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from archive import Archive as Reader
from archive.reports.check import RESULTS, check_rows
from archive.reports.cited_rows import BadTable, CitedRow, Columns, read_day, read_rows
from archive.sites.addresses_elsewhere import clean
from tests.archiving import HOME, Archive, capture, sohr
from tests.small_archive import Small

POSTS = 120
EDITED = range(5, 125, 10)  # twelve posts whose toll was changed later
REWORDED = range(2, 122, 12)
FIRST, LATER = "2026-01-01T10:00:00Z", "2026-03-01T10:00:00Z"


def said(post_id: int, toll: str | int, verb: str = "killed") -> tuple[str, ...]:
    return (f"The flood at Wadi {post_id} {verb} {toll} people.", "Another 4 were hurt.")


@pytest.fixture(scope="module")
def cited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Posts with a toll of 100 and their number; twelve tolls are changed later, ten verbs too."""
    folder = tmp_path_factory.mktemp("check") / "archive"
    with Archive(folder) as archive:
        archive.take(*(capture(n, FIRST, *said(n, 100 + n), title=f"Flood {n}") for n in range(1, POSTS + 1)))
        archive.take(*(capture(n, LATER, *said(n, 300 + n), title=f"Flood {n}") for n in EDITED))
        archive.take(*(capture(n, LATER, *said(n, 100 + n, "took"), title=f"Flood {n}") for n in REWORDED))
    return folder


def shapes(n: int) -> list[str]:
    """Addresses of a post: as people copy them, archived or not."""
    bare = HOME.removeprefix("http://").rstrip("/")
    return [
        f"{HOME}en/{n}/", f"{HOME}en/{n}", f"{HOME}en/?p={n}", f"{HOME}en/{n}/?fbclid=x&utm_source=y",
        f"{HOME}en/{n}/embed/", f"https://web.archive.org/web/20260201000000/{HOME}en/{n}/",
        f"http://archive.org/web/20260201000000id_/{HOME}en/?p={n}", f"https://archive.ph/20260201/{HOME}en/{n}/",
        f"https://archive.today/2026.02.01-120000/{HOME}en/{n}/", f"https://archive.is/newest/{HOME}en/{n}/",
        f"https://web.archive.org/web/2026/{bare and HOME.replace('//', '/')}en/{n}/",
        f"sohr:en:{n}@{FIRST}", f"en:{n}",
    ]  # fmt: skip


def test_a_thousand_rows(cited: Path, tmp_path: Path) -> None:
    """Each row is resolved or named; the twelve planted edits are found, and none is invented."""
    rows = [
        {
            "id": n,
            "Source URL": shapes(1 + n % POSTS)[n % 13],
            "Event date": "2026-01-15",
            "Killed": 101 + n % POSTS,
        }
        for n in range(1000)
    ]
    table = tmp_path / "events.csv"
    with open(table, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0]])
        writer.writeheader()
        writer.writerows(rows)
    ran = sohr(cited, "check", table, "--json")
    assert ran.status == 1 and ran.err == ""
    found = [json.loads(line) for line in ran.lines]
    assert [one["row"] for one in found] == list(range(1, 1001))
    moved = {one["article"] for one in found if one["result"] == "figure moved"}
    assert moved == {f"en:{n}" for n in EDITED}
    for one in found:
        n = int(one["article"].removeprefix("en:"))
        expected = "figure moved" if n in EDITED else "edited" if n in REWORDED else "stands"
        assert one["result"] == expected and one["cited"] == str(100 + n)
        assert one["then"] == f"sohr:en:{n}@{FIRST}" and str(100 + n) in one["sentence_then"]
        if expected == "figure moved":
            assert (one["figure_now"], one["changed_at"], one["now"]) == (
                str(300 + n),
                LATER,
                f"sohr:en:{n}@{LATER}",
            )


EDITS = {  # what was edited, and the cited numbers that moved
    "another number": ("Raiders killed 90 guards and hurt 7.", "50"),
    "a number removed": ("Raiders killed guards and hurt 7.", "50"),
    "the other number": ("Raiders killed 50 guards and hurt 9.", "7"),
    "in words": ("Raiders killed fifty guards and hurt seven.", ""),
    "another order": ("Raiders hurt 7 and killed 50 guards.", ""),
    "at least": ("Raiders killed at least 50 guards and hurt 7.", ""),
    "quotes": ("Raiders killed 50 “guards” and hurt 7.", ""),
    "a sentence more": ("Raiders killed 50 guards and hurt 7. Another 3 fled.", ""),
    "a base since": ("Since early 2024 raiders killed 50 guards and hurt 7.", ""),
    "both": ("Raiders killed 51 guards and hurt 8.", "50 7"),
}


def test_each_edit_moves_its_own_number(tmp_path: Path) -> None:
    """A number moved if it was changed or removed, not if it was spelt, placed or introduced otherwise."""
    with Archive(tmp_path / "archive") as archive:
        old = "Raiders killed 50 guards and hurt 7."
        archive.take(*(capture(n, FIRST, old, f"Of pass {n}.", title="A raid") for n in range(1, 11)))
        after = enumerate((text for text, _ in EDITS.values()), 1)
        archive.take(*(capture(n, LATER, text, f"Of pass {n}.", title="A raid") for n, text in after))
    with Reader.open(tmp_path / "archive") as archive:
        for n, (name, (_, moved)) in enumerate(EDITS.items(), 1):
            for cited in ("50", "7"):
                [one] = check_rows(archive, [CitedRow(1, (f"en:{n}",), "15 January 2026", cited)])
                expected = "figure moved" if cited in moved.split() else "edited"
                assert (one.result, one.note) == (expected, None), (name, cited)


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026/1/20", "2026-01-20"), ("20/01/2026", "2026-01-20"), ("01/20/2026", "2026-01-20"),
        ("2.2.2026", "2026-02-02"), ("20260120", "2026-01-20"), ("20 January 2026", "2026-01-20"),
        ("Jan. 20, 2026", "2026-01-20"), ("January 20th 2026", "2026-01-20"), ("20-Jan-2026", "2026-01-20"),
        ("٢٠٢٦-٠١-٢٠", "2026-01-20"), ("2026-01-20 12:30", "2026-01-20"),
        ("2026-01-20T12:30:00+03:00", "2026-01-20"), ("46042", None),
        ("3/2/2026", None), ("03-02-2026", None), ("2026-01", None), ("2026", None), ("31/2/2026", None),
        ("20 Jan", None), ("20-Jan-26", None), ("spring", None), ("Jan 20 20, 2026", None),
    ],
)  # fmt: skip
def test_days(written: str, day: str | None) -> None:
    """A day is read in the usual ways; one that could be two days is not guessed."""
    assert read_day(written) == day


def test_the_report_and_the_csv(cited: Path, tmp_path: Path) -> None:
    """A newcomer sees what moved first, then how many of each result; the CSV has a line for each address."""
    table = tmp_path / "cited.csv"
    table.write_text(
        "\ufefflink;date;number\n"
        f'"{HOME}en/5/; {HOME}en/6/";2026-01-15;105\n'
        f"{HOME}en/999/;;\n{HOME}en/category/news/;;\nhttps://elsewhere.example/a;;\nhttps://archive.ph/AbCdE;;\n;;7\n",
        "utf-8",
    )
    ran = sohr(cited, "check", table)
    assert ran.status == 1 and ran.err == ""
    assert ran.lines[:4] == [
        f"row 1: figure moved  {HOME}en/5/",
        f"  105 -> 305, {LATER}",
        f"  then: The flood at Wadi 5 killed 105 people.  sohr:en:5@{FIRST}",
        f"  now: The flood at Wadi 5 killed 305 people.  sohr:en:5@{LATER}",
    ]
    assert "6 rows, 7 addresses:" in ran.lines
    counted = [line.split("  ", 1)[1].split(":")[0] for line in ran.lines if line[:3] == "1  "]
    named = [
        "figure moved",
        "figure absent",
        "not archived",
        "no post",
        "other site",
        "no original",
        "no address",
    ]
    assert counted == named and set(named) < set(RESULTS)
    listed = list(csv.DictReader(io.StringIO(sohr(cited, "check", table, "--csv").out.decode())))
    assert [row["result"] for row in listed] == named[:2] + named[2:]
    assert listed[0]["then"] == f"sohr:en:5@{FIRST}" and listed[0]["silent"] in ("", "True", "False")


def test_a_cell_that_a_spreadsheet_would_run(cited: Path, tmp_path: Path) -> None:
    """What stands in the list of somebody else comes out as text."""
    table = tmp_path / "cited.csv"
    table.write_text(f"link,date\n=HYPERLINK(0),\n{HOME}en/5/,\n", "utf-8")
    listed = list(csv.DictReader(io.StringIO(sohr(cited, "check", table, "--csv").out.decode())))
    assert [row["url"] for row in listed] == ["'=HYPERLINK(0)", f"{HOME}en/5/"]


def test_without_a_figure_or_a_date(cited: Path) -> None:
    """Without a figure any changed one counts; without a date the oldest version is compared; a citation
    names its own instant."""

    def check(url: str, date: str | None = None, figure: str | None = None) -> tuple[str, str | None]:
        with Reader.open(cited) as archive:
            [one] = check_rows(archive, [CitedRow(1, (url,), date, figure)])
        return one.result, one.note

    assert check("en:15")[0] == "figure moved" and check("en:2")[0] == "edited"
    # As copied out of a sentence
    for copied in (f"sohr:en:15@{FIRST}.", f"(«sohr:en:15@{FIRST}»)", f"<{HOME}en/15/>.", "“en:15”,"):
        assert check(copied)[0] == "figure moved", copied
    assert check("see above")[0] == check(f"sohr:en:15@{FIRST}x")[0] == "no address"
    assert check("en:15", figure="4") == ("edited", None)
    assert check("en:15", figure="77")[0] == "figure absent"
    assert check("en:15", figure="one hundred and fifteen")[0] == "figure moved"
    assert check("en:15", figure="315")[0] == "stands"
    assert check("en:15", "2026-04-01", "315") == ("stands", None)
    assert check(f"sohr:en:15@{LATER}", "2026-01-15") == ("stands", None)
    assert check("en:16", "2025-01-01") == (
        "stands",
        "first captured after the citation: what it said then is not known",
    )
    result, note = check("en:16", "spring", "3 or 4")
    assert result == "stands" and note is not None and "spring" in note and "3 or 4" in note


def test_posts_that_are_gone_edited_or_arabic(small: Small) -> None:
    """On an archive that the crawler made: a missing post, an edit, an Arabic address in both hex cases."""
    with Reader.open(small.folder) as archive:
        arabic = archive.article("ar", small.arabic)
        slug = next(url for url in arabic.aliases if "%" in url)
        edited = archive.article("en", small.edited)
        urls = (slug, slug.lower(), archive.article("en", small.gone).url, edited.url)
        found = {one.url: one for one in check_rows(archive, [CitedRow(1, urls, None, None)])}
        assert found[slug].article == found[slug.lower()].article == f"ar:{small.arabic}"
        assert found[slug].result == "figure moved"
        assert (found[urls[2]].result, found[urls[2]].state) == ("gone", "missing")
        [change] = [one for one in edited.changes if one.kind == "updated"]
        assert found[edited.url].changed_at == change.said_at and found[edited.url].silent == change.stealth
        assert clean(slug) is not None


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"url,date\n", "no rows"),
        (b"place,killed\nHoms,3\n", "--url-column"),
        (b'{"url": "en:1"}\n{"url"', "line 2"),
        (b"[1]", "JSON array"),
        (b"{1}\n", "no JSON"),
        (b"PK\x03\x04\0\0", "save it as CSV"),
    ],
)
def test_bad_files_get_one_sentence(cited: Path, tmp_path: Path, data: bytes, sentence: str) -> None:
    """What cannot be read is said once, with what to do."""
    table = tmp_path / "bad"
    table.write_bytes(data)
    ran = sohr(cited, "check", table)
    assert ran.status == 2 and ran.out == b"" and ran.err.count("\n") == 1 and sentence in ran.err
    with pytest.raises(BadTable):
        list(read_rows(data, "bad", Columns()))


def test_a_file_that_is_not_there(cited: Path, tmp_path: Path) -> None:
    """No file, a folder: one sentence."""
    for name in (tmp_path / "nothing.csv", tmp_path):
        ran = sohr(cited, "check", name)
        assert ran.status == 2 and ran.err.count("\n") == 1 and "cannot be read" in ran.err


def test_columns_and_encodings() -> None:
    """Tabs, a byte order mark, UTF-16, a list in JSON, named columns, addresses separated as people do."""

    def urls(data: bytes, columns: Columns = Columns()) -> list[tuple[str, ...]]:  # noqa: B008  # frozen
        return [row.urls for row in read_rows(data, "x", columns)]

    both = ("http://a.example/1", "http://a.example/2")
    text = "place\tURL\nHoms\thttp://a.example/1; http://a.example/2\n"
    assert (
        urls(text.encode()) == urls(text.encode("utf-16")) == urls(b"\xef\xbb\xbf" + text.encode()) == [both]
    )
    assert urls(json.dumps({"links": both}).encode()) == [both]
    assert urls(b'where,x\n"http://a.example/1 | http://a.example/2",3\n', Columns(url="Where")) == [both]
    assert urls("المكان,الرابط\nحمص,http://a.example/1\n".encode("cp1256")) == [both[:1]]
    with pytest.raises(BadTable, match="has no column 'y': it has where, x"):
        urls(b"where,x\na,b\n", Columns(url="y"))
    for table in (
        "sep=;\r\nid;url\r\n1;{0}; {1}\r\n".replace("; {", ", {"),
        "url|id\n{0} {1}|1\n",
        "\n\r\nid,url\n1,see {0} and {1}.\n",
        'url,title,url\n{0},"a\nb",{1}\n',
        '"notes; a; b; c; d",url\nx,"<a href=\'x\'>{0}</a>, {1}"\n',
        "id,url\r1,{0};{1}\r",
        '{{"url": {{"href": "{0}", "other": "{1}"}}}}\n',
    ):
        assert urls(table.format(*both).encode()) in ([both], [(both[0], both[1] + ".")]), table
    assert urls("{}\n{}\n".format(*both).encode()) == [both[:1], both[1:]]
    assert urls(f'{{"url": "{both[0]}"}}\n{{"x": 1}}\n'.encode()) == [both[:1], ()]
