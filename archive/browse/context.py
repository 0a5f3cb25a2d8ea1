"""What all reading pages share: the archive, permissions, addresses, queries and response headers."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from unicodedata import category
from urllib.parse import unquote, urlencode, urlsplit

from datasette.utils.asgi import NotFound, Response
from markupsafe import Markup, escape

from archive.browse import archives
from archive.browse.language import ENGLISH, LANGUAGES, Language
from archive.read.diff import is_rtl
from archive.sites.addresses_elsewhere import clean, host_of

T = TypeVar("T")

HEADERS = {
    # img-src: the browser's own wish for a favicon
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    # Following a link to the site does not tell it where the archive is read
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# Readers need permission for all of them
TABLES = ("articles", "versions", "changes", "aliases", "captures", "crawls")
STATIC = Path(__file__).parent / "static"
_CODES = re.compile("(?:%[89A-Fa-f][0-9A-Fa-f])+")


@dataclass(frozen=True, slots=True)
class Frame:
    """A request for a page of one archive."""

    datasette: Any
    request: Any
    database: str
    site: str
    is_first: bool  # the first archive is not named in addresses
    language: Language

    def to(self, path: str = "", /, **query: object) -> str:
        """Address of a reading page in the language of this one: ``to("en/332481", version=2)``. Empty values
        are left out."""
        given = {key.strip("_"): str(value) for key, value in query.items() if value not in (None, "", False)}
        if not self.is_first:
            given["archive"] = self.database
        return self._address(self.language.code, path) + (f"?{urlencode(given)}" if given else "")

    def _address(self, language: str, path: str) -> str:
        # English is named for the front page only, which without a name is in the reader's own language
        named = f"{language}/" if language != ENGLISH.code or not path else ""
        return str(self.datasette.urls.path(f"/-/sohr/{named}{path}"))

    def in_language(self, code: str) -> str:
        """Address of this page in another language."""
        path = self.request.path.partition("/-/sohr/")[2]
        if named := self.request.url_vars.get("language"):
            path = path.removeprefix(named).removeprefix("/")
        query = self.request.query_string
        return self._address(code, path) + (f"?{query}" if query else "")

    def hidden(self) -> Markup:
        """The field that keeps the archive in a form."""
        if self.is_first:
            return Markup("")
        return Markup('<input type="hidden" name="archive" value="{}">').format(self.database)

    def absolute(self, path: str = "", /, **query: object) -> str:
        """The same with scheme and host, for feeds and citations."""
        return str(self.datasette.absolute_url(self.request, self.to(path, **query)))

    def read(self, row: Mapping[str, Any], part: str = "", /, **query: object) -> str:
        """Address of an article's page, or of a part of it (``/diff/1/2``). The row has edition and post_id;
        of a page of another site, key."""
        if row["edition"]:
            return self.to(f"{row['edition']}/{row['post_id']}{part}", **query)
        return self.to(f"page{part}", url=row["key"], **query)

    def read_absolute(self, row: Mapping[str, Any], part: str = "", /, **query: object) -> str:
        """The same with scheme and host."""
        return str(self.datasette.absolute_url(self.request, self.read(row, part, **query)))

    def argument(self, name: str, longest: int = 200) -> str:
        """A query parameter, trimmed; empty if it is not given."""
        return str(self.request.args.get(name) or "").replace("\0", " ").strip()[:longest]

    def number(self, name: str, default: int = 0, most: int = 2**53) -> int:
        """A query parameter as a whole number of 0 or more; ``default`` if it is something else."""
        text = self.argument(name, 20)
        return min(int(text), most) if text.isascii() and text.isdigit() else default

    def chosen(self, name: str, among: Sequence[str]) -> str:
        """A query parameter if it is one of these words; else empty."""
        text = self.argument(name)
        return text if text in among else ""

    def path(self, name: str) -> int:
        """A number in the path of the address."""
        return int(self.request.url_vars[name])

    @property
    def article(self) -> tuple[str, str]:
        """Source and key of the article in the address: a post of an edition, or (``?url=``) a page of
        another site."""
        given = self.request.url_vars
        if "edition" in given:
            return given["edition"], str(int(given["post_id"]))
        url = clean(self.argument("url", 8000)) or ""
        return host_of(url), url

    @property
    def folder(self) -> Path | None:
        """The archive's folder; None for a database in memory."""
        path = self.datasette.get_database(self.database).path
        return Path(path).parent if path else None

    async def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function of a connection in one of Datasette's threads, without its time limit: the reading
        pages' queries are few and bounded."""

        def at_one_instant(conn: sqlite3.Connection) -> T:
            if conn.in_transaction:
                return question(conn)
            conn.execute("begin")  # all queries of a page see the same state
            try:
                return question(conn)
            finally:
                conn.rollback()

        answer: T = await self.datasette.get_database(self.database).execute_fn(at_one_instant)
        return answer

    async def page(self, template: str, context: Mapping[str, Any]) -> Response:
        """Render a template as a response with our headers."""
        urls = self.datasette.urls
        given = {
            "frame": self,
            "to": self.to,
            "read": self.read,
            "database": self.database,
            "site": self.site,
            "style": urls.path("/-/sohr/pages.css"),
            "keys": urls.path("/-/sohr/keys.js"),
            "tables": urls.database(self.database),
            "home": urls.path("/-/sohr/datasette"),
            "table": lambda name: urls.table(self.database, name),
            "link": link,
            "readable": readable,
            "hidden": self.hidden,
            "here": self.request.path,
            "absolute": self.datasette.absolute_url(self.request, self.request.full_path),
            "read_absolute": self.read_absolute,
            "rtl": is_rtl,
            "t": self.language,
            "day": self.language.day,
            "moment": self.language.moment,
            "others": [
                (code, other("language.name"), self.in_language(code))
                for code, other in LANGUAGES.items()
                if code != self.language.code
            ],
        }
        body = await self.datasette.render_template(template, given | dict(context), request=self.request)
        return Response.html(body, headers=dict(HEADERS))

    def text(self, body: str, content_type: str, **headers: str) -> Response:
        """A response that is not HTML: a feed, a citation."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response(body, content_type=f"{content_type}; charset=utf-8", headers=HEADERS | more)


async def open_frame(datasette: Any, request: Any) -> Frame:
    """The archive that ``?archive=`` names, else the first. Raises NotFound, or Forbidden without
    permission."""
    language = LANGUAGES[request.url_vars.get("language") or ENGLISH.code]
    held = archives.archives(datasette) or await archives.find(datasette)
    first = next(iter(held), None)
    database = request.args.get("archive") or first
    if database not in held:
        raise NotFound(language.text("not_found.archive"))
    for table in TABLES:
        await _allow(datasette, request, str(database), table)
    return Frame(datasette, request, str(database), held[str(database)], database == first, language)


async def _allow(datasette: Any, request: Any, database: str, table: str) -> None:
    if hasattr(datasette, "ensure_permissions"):  # 0.65
        await datasette.ensure_permissions(
            request.actor, [("view-table", (database, table)), ("view-database", database), "view-instance"]
        )
        return
    from datasette.resources import TableResource  # 1.0 only

    await datasette.ensure_permission(
        action="view-table", resource=TableResource(database=database, table=table), actor=request.actor
    )


async def style(request: Any) -> Response:
    """Serve style sheets and script at an address that does not depend on the installation."""
    name = request.url_vars["name"]
    return Response(
        (STATIC / name).read_text(encoding="utf-8"),
        content_type=f"text/{'css' if name.endswith('.css') else 'javascript'}; charset=utf-8",
        headers={"Cache-Control": "max-age=300", "X-Content-Type-Options": "nosniff"},
    )


async def nothing(datasette: Any, request: Any) -> Response:
    """Answer any other address below /-/sohr/."""
    frame = await open_frame(datasette, request)
    raise NotFound(frame.language.text("not_found.page"))


def with_navigation(page: Callable[[Any, Any], Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    """Show NotFound of a page as a page that keeps navigation and search, with status 404."""

    async def answer(datasette: Any, request: Any) -> Response:
        try:
            return await page(datasette, request)
        except NotFound as error:
            frame = await open_frame(datasette, request)  # raises it again where there is no archive
            response = await frame.page("sohr_404.html", {"sentence": str(error)})
            response.status = 404
            return response

    return answer


def article_path(datasette: Any, database: str, edition: str, post_id: int) -> str:
    """Address of an article's page, for a cell of a table."""
    first = next(iter(archives.archives(datasette)), database)
    return str(datasette.urls.path(f"/-/sohr/{edition}/{post_id}")) + (
        "" if database == first else f"?{urlencode({'archive': database})}"
    )


def link(url: str, shown: str = "") -> Markup:
    """An address as a link, if it is http or https; from left to right on every page."""
    try:
        is_web = urlsplit(url).scheme in ("http", "https")
    except ValueError:  # the site's links are not always valid addresses
        is_web = False
    if is_web:
        return Markup('<a href="{}" rel="noreferrer" dir="ltr">{}</a>').format(url, shown or readable(url))
    return escape(url)


def readable(url: str) -> str:
    """An address as a browser shows it: Arabic letters instead of their percent codes."""

    def decode(codes: re.Match[str]) -> str:
        text = unquote(codes[0])  # what is no text has signs of its own, which are no letters
        return text if all(category(sign)[0] in "LMN" for sign in text) else codes[0]

    return _CODES.sub(decode, url)


def rows(conn: sqlite3.Connection, sql: str, *values: object) -> list[dict[str, Any]]:
    """Rows of a query, as dicts for templates."""
    cursor = conn.execute(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def listed(value: str | None) -> list[Any]:
    """A JSON array in a column; empty for anything else."""
    try:
        found = json.loads(value or "[]")
    except (ValueError, TypeError):
        return []
    return found if isinstance(found, list) else []


def worded(value: str | None) -> list[str]:
    """A JSON array of words in a column."""
    return [str(word) for word in listed(value)]
