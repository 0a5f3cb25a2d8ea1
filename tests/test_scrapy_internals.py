"""What the crawler needs of Scrapy: its undocumented names, in one module, and settings with reasons."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

import pytest
import scrapy
from scrapy.utils.project import get_project_settings

from crawler.scrapy_internals import NAMES, RELEASE
from tests.replica.server import ROOT


def test_the_release_is_the_one_that_was_read() -> None:
    """Another release of Scrapy: read the modules named in NAMES again, then change RELEASE."""
    assert scrapy.__version__.startswith(f"{RELEASE}."), (
        f"crawler/scrapy_internals.py was written for Scrapy {RELEASE} and this is {scrapy.__version__}: "
        "read the names it lists in the new release, run tests/test_retry_after.py and "
        "tests/test_stopping_a_crawl.py, "
        "then set RELEASE"
    )


@pytest.mark.parametrize("owner", NAMES)
def test_each_name_is_there(owner: str) -> None:
    """A name that is gone is reported by its name, not by a crawl that hangs."""
    cls, names = NAMES[owner]
    gone = [
        name for name in names if name not in dir(cls) and name not in getattr(cls, "__annotations__", {})
    ]
    assert not gone, (
        f"Scrapy {scrapy.__version__} has no {cls.__name__}.{', '.join(gone)} any more: mend "
        "crawler/scrapy_internals.py"
    )


def test_the_import_of_the_handler_leaves_no_trace() -> None:
    """While Scrapy's handler is imported `inspect.stack` is another; Scrapy finds the same module by it."""
    module = sys.modules["scrapy.core.downloader.contextfactory"]
    assert module.ScrapyClientContextFactory.__module__ == module.__name__
    assert inspect.stack()[0].function == "test_the_import_of_the_handler_leaves_no_trace"


def test_no_other_module_uses_private_names_of_scrapy() -> None:
    """An attribute with an underscore belongs to the object itself, everywhere else."""
    private = re.compile(r"(?<!self)(?<!cls)\.(_[a-z]\w*)")
    for path in sorted(Path(ROOT, "crawler").rglob("*.py")):
        if path.name != "scrapy_internals.py":
            found = [
                n for n in private.findall(path.read_text(encoding="utf-8")) if n != "_replace"
            ]  # that one is documented
            assert not found, f"{path}: {found}"


def test_the_settings_name_what_exists() -> None:
    """Each component named in the settings can be loaded."""
    from scrapy.utils.misc import load_object

    settings = get_project_settings()
    for name in ("DOWNLOADER_MIDDLEWARES", "EXTENSIONS"):
        for path, order in settings.getdict(name).items():
            assert order is None or load_object(path)


def test_every_setting_has_its_reason() -> None:
    """Beside it, in one line."""
    lines = Path(ROOT, "crawler/settings.py").read_text(encoding="utf-8").splitlines()
    bare = [line for line in lines if re.match(r"[A-Z_]+(?:: [^=]+)? = ", line) and "  # " not in line]
    assert not bare
