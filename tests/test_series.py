"""Series of figures: sixty of them in two languages, with what could be taken for one another."""

from __future__ import annotations

import random
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from archive import Archive as Reader
from archive import Wanted
from archive.figures.reading import read_figures
from archive.model import Capture
from tests.archiving import HOME, Archive, capture, sohr
from tests.reading import start
from tests.test_figures_numbers import arabic, english
from tests.test_figures_table import toll

HERE = Path(__file__).parent / "figures"
BASES = ("2023", "2024")
EN_REGIONS = ("Homs desert", "Hama desert", "Deir Ezzor desert")
AR_REGIONS = ("بادية حمص", "بادية حماة", "بادية دير الزور")
EN_BULLETS = (
    ("{} combatants, most of them guards.", "{} combatant, most of them guards."),
    ("{} ISIS members were killed.", "{} ISIS member was killed."),
    ("{} civilians.", "{} civilian."),
)
AR_BULLETS = (
    ("{} مقاتلين من حراس الملح.", "{} مقاتل من حراس الملح."),
    ("{} عناصر من التنظيم.", "{} عنصر من التنظيم."),
    ("{} مدنيين.", "{} مدني."),
)
WRITTEN = re.compile(r"\{(.+?)\}")


def write(value: int, edition: str, chosen: random.Random) -> str:
    """A value in one of the ways in which the site writes numbers."""
    ways = [str(value), f"{value:,}"]
    ways.append(
        english(value) if edition == "en" else str(value).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    )
    if edition == "ar" and value > 2:
        ways.append(arabic(value))
    return chosen.choice(ways)


def post(edition: str, base: str, round_: int, chosen: random.Random) -> Iterator[tuple[str, list[str]]]:
    """The lines of a post, each with the gold names of its figures in order."""
    number = 3 + round_ * 7 + chosen.randrange(5) - 6 * (round_ == 4)  # corrected backwards once
    mark = chosen.choice("•-") if round_ > 3 else "•"
    dash = "–" if mark == "-" else "-"
    if edition == "en":
        yield f"Since early {base} the salt war has spread as follows:", []
        yield "Here is a distribution by region:", []
        regions, line, bullets = EN_REGIONS, "{} {}: {} operations left {} fatalities:", EN_BULLETS
    else:
        yield f"منذ مطلع العام {base} توزعت حرب الملح على النحو التالي:", []
        yield "وهنا التوزع بحسب المناطق:", []
        regions, line, bullets = AR_REGIONS, "{} {}: {} عمليات خلفت {} قتلى:", AR_BULLETS
    for region in regions:
        written = [write(number + n * 3, edition, chosen) for n in range(2)]
        names = [f"{edition} {base} {region} {what}" for what in ("operations", "fatalities")]
        yield line.format(dash, region, *written), names
        for n, (many, one) in enumerate(bullets):
            value = max(1, number // (n + 1) - 2)
            text = (one if value == 1 else many).format(write(value, edition, chosen))
            yield f"{mark} {text}", [f"{edition} {base} {region} {n}"]


def gold() -> Iterator[tuple[str, str, list[list[str]]]]:
    """Posts: source, text, and the gold names of the figures of each line."""
    chosen = random.Random(60)
    for edition in ("en", "ar"):
        for base in BASES:
            for round_ in range(8):
                lines = list(post(edition, base, round_, chosen))
                yield edition, "\n".join(text for text, _ in lines), [names for _, names in lines]
    # the same English text as a post of the other edition, and two counts in another order
    lines = list(post("en", "2024", 3, chosen))
    for _ in range(2):
        yield "ar", "\n".join(text for text, _ in lines), [[f"twin {n}" for n in names] for _, names in lines]
    for n in (12, 15):
        yield "en", f"The raid left {n} soldiers and {n + 3} civilians dead.", [["a soldiers", "a civilians"]]
        yield "en", f"The raid left {n + 3} civilians and {n} soldiers dead.", [["b civilians", "b soldiers"]]
        yield "en", f"• {n} civilians.", [["without a heading"]]
        yield (
            "en",
            f"The raid left at least {n} soldiers and {n + 3} civilians dead.",
            [["c soldiers", "c civilians"]],
        )


def test_sixty_series_and_no_wrong_join() -> None:
    """Two figures share a series only if they are of one in the gold; at least nine in ten pairs do."""
    series_of: dict[str, set[int]] = defaultdict(set)
    keys: dict[str, list[int]] = defaultdict(list)
    names = set()
    for source, text, expected in gold():
        figures = read_figures(source, "", text, [])
        by_line: dict[int, list[int]] = defaultdict(list)
        for figure in figures:
            by_line[figure.line].append(figure.series)
        assert [len(by_line[n]) for n in range(1, len(expected) + 1)] == [len(line) for line in expected], (
            text
        )
        for n, line in enumerate(expected, 1):
            for name, key in zip(line, by_line[n], strict=True):
                names.add(name)
                keys[name].append(key)
                series_of[name].add(key)
    assert sum(name.startswith(("en 2", "ar 2")) for name in names) == 60
    joined = {
        (one, other) for one, other in combinations(sorted(names), 2) if series_of[one] & series_of[other]
    }
    assert joined == set()
    pairs = [(a, b) for name in names for a, b in combinations(keys[name], 2)]
    assert sum(a == b for a, b in pairs) >= 0.9 * len(pairs)


MARKED = re.compile(r"\{([^:{}]+):([^{}]+)\}")
POSTS = [block.split("\n") for block in (HERE / "series.txt").read_text("utf-8").strip().split("\n\n")[1:]]


def gold_of(n: int, post: list[str]) -> tuple[Capture, list[tuple[int, str, str]]]:
    """A post as captured, and its figures: line (0 is the title), name of the series, as written."""
    edition, title = post[0].split(" ", 1)
    lines = [title, *post[1:]]
    figures = [(k, mark[1], mark[2]) for k, line in enumerate(lines) for mark in MARKED.finditer(line)]
    plain = [MARKED.sub(r"\2", line) for line in lines]
    post_of = capture(n, f"2026-01-01T10:{n // 60:02}:{n % 60:02}Z", *plain[1:], title=plain[0])
    if edition == "ar":
        body = post_of.body.replace(f"{HOME}en/".encode(), HOME.encode()).replace(b"en-US", b"ar")
        post_of = replace(post_of, url=f"{HOME}post/{n}/", body=body)
    return post_of, figures


def test_eighty_series_of_posts_in_an_archive(tmp_path: Path) -> None:
    """Other quotes, dashes, case, bullets, number words, plurals and vowel signs keep a series; another
    heading, base, place, order or edition begins one."""
    gold = [gold_of(n, post) for n, post in enumerate(POSTS, 1)]
    with Archive(tmp_path / "archive") as archive:
        archive.take(*(post for post, _ in gold))
    with closing(sqlite3.connect(tmp_path / "archive" / "archive.db")) as db:
        found: dict[int, list[tuple[int, str, int]]] = defaultdict(list)
        sql = """select cast(key as integer), line, written, series from figures
                 join versions using (version_id) join articles using (article_id) order by 1, line, start"""
        for key, *figure in db.execute(sql):
            found[key].append((figure[0], figure[1], figure[2]))
    keys: dict[str, list[int]] = defaultdict(list)
    names_of: dict[int, set[str]] = defaultdict(set)
    for n, (_, figures) in enumerate(gold, 1):
        assert [(line, written) for line, written, _ in found[n]] == [(k, text) for k, _, text in figures]
        for (_, name, _), (_, _, series) in zip(figures, found[n], strict=True):
            keys[name].append(series)
            names_of[series].add(name)
    assert len(keys) >= 79
    assert [names for names in names_of.values() if len(names) > 1] == []
    pairs = [(name, a == b) for name in keys for a, b in combinations(keys[name], 2)]
    # "boat" and "boats" are of no unit, so that series alone falls apart
    assert {name for name, is_joined in pairs if not is_joined} == {"hv1"}


@pytest.fixture(scope="module")
def tolls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight posts with a toll; the fifth corrects a total backwards, the third is edited later."""
    folder = tmp_path_factory.mktemp("series") / "archive"
    with Archive(folder) as archive:
        for n in range(1, 9):
            civilians = str(10 + n - 3 * (n == 5))
            archive.take(toll(n, f"2026-01-0{n}T10:00:00Z", civilians, 20 + n * 3, title="Toll"))
    with Archive(folder) as archive:
        archive.take(toll(3, "2026-02-01T10:00:00Z", "14", 29, title="Toll"))
    return folder


def test_api(tolls: Path) -> None:
    """Series by unit, place and falls; their points by time, with those edited since where asked for."""
    with Reader.open(tolls) as archive:
        assert {one.last.unit for one in archive.series()} == {"combatants", "civilians"}
        [fell] = archive.series(Wanted(falls=True))
        assert (fell.points, fell.falls, fell.lowest, fell.highest) == (8, 1, 11, 18)
        assert [*archive.series(Wanted(unit="children"))] == [*archive.series(Wanted(least=9))] == []
        assert [*archive.series(Wanted(since="2024", unit="civilians", source="en"))] == [fell]
        points = archive.points(fell.series)
        assert [point.value for point in points] == [11, 12, 14, 14, 12, 16, 17, 18]
        assert points[2].citation == "sohr:en:3@2026-02-01T10:00:00Z"
        assert archive.resolve(points[2].citation).text[points[2].start : points[2].end] == "14"
        assert [point.value for point in archive.points(fell.series, every=True)][2:4] == [13, 14]
        assert len([*archive.figures("en")]) == 16 == len([*archive.figures(which="all")]) - 2
        assert archive.points("no name") == []


def test_command(tolls: Path) -> None:
    """The list shows numbers and wording, a series its points with their citations."""
    listed = sohr(tolls, "series", "--falls").lines
    assert listed[0].endswith(
        "8 points, 2026-01-01 to 2026-01-08: 11 to 18, now 18, 1 point lower than the one before"
    )
    assert listed[2].strip() == "• 18 civilians were killed."
    points = sohr(tolls, "series", listed[0][:16], "--every").lines
    assert len(points) == 11 and points[4].endswith("sohr:en:3@2026-01-03T10:00:00Z  edited since")
    assert [line for line in points if line.endswith("  lower than before")] == [points[7]]
    assert sohr(tolls, "series", "en:3").lines == sohr(tolls, "series").lines
    for wrong in ("0" * 16, "en:99"):
        ran = sohr(tolls, "series", wrong)
        assert ran.status == 2 and ran.err.count("\n") == 1 and wrong in ran.err
    ran = sohr(tolls, "series", "--unit", "tanks")
    assert ran.status == 0 and ran.err.startswith("No series fits these options")


@pytest.mark.parametrize("what", ["figures", "series"])
def test_exports(tolls: Path, tmp_path: Path, what: str) -> None:
    """All formats of tables hold the rows of the view, in a stable order; the schema describes each."""
    import json

    import jsonschema
    import pyarrow.parquet as pq

    from archive.export.dictionary import make_schemas

    for form in ("jsonl", "csv", "parquet"):
        ran = sohr(tolls, "export", "--what", what, "-o", tmp_path / f"it.{form}")
        assert ran.status == 0 and " of 8 articles in " in ran.err
    records = [json.loads(line) for line in (tmp_path / "it.jsonl").read_text().splitlines()]
    for record in records:
        jsonschema.validate(record, make_schemas()["figure"])
    view = "figure_rows" if what == "figures" else "series_points"
    with closing(sqlite3.connect(tolls / "archive.db")) as db:
        [(count,)] = db.execute(f"select count(*) from {view}")
    table = pq.read_table(tmp_path / "it.parquet").to_pylist()
    assert len(records) == count == len(table) == 18
    assert [row["value"] for row in table] == [record["value"] for record in records]
    assert len((tmp_path / "it.csv").read_text().splitlines()) == count + 1


@pytest.mark.pages
async def test_pages(tolls: Path) -> None:
    """The list leads to a series; its chart has a link for each point to the line with sentence and citation,
    in both languages."""
    datasette = await start(tolls / "archive.db")

    async def get(address: str) -> tuple[int, str]:
        answer = await datasette.client.get(f"/-/sohr/{address}")
        return answer.status_code, answer.text

    status, listed = await get("series")
    assert status == 200 and listed.count("8 points") == 2 and "1 point lower than the one before" in listed
    _, fell = await get("series?falls=1")
    [name] = set(re.findall(r"/-/sohr/series/([0-9a-f]{16})", fell))
    for language in ("", "ar/"):
        status, shown = await get(f"{language}series/{name}")
        anchors = re.findall(r'<a href="#(p\d+)"><title>[^<]* (sohr:\S+)</title><circle', shown)
        assert status == 200 and len(anchors) == 8
        for anchor, citation in anchors:
            line = re.search(rf'<li id="{anchor}">(.*?)</li>', shown)
            assert line and citation in line[1] and "civilians were killed." in line[1]
    assert shown.count('class="rise"') == 7
    assert (await get("series/0000000000000000"))[0] == 404
    assert (await get("series?unit=tanks&place=%00&page=x&edition=fr"))[0] == 200
