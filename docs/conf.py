"""How `make docs` makes HTML of these pages; every warning is an error there: a link, an anchor or a name
that leads nowhere."""

from importlib.metadata import version as version_of

project = "sohr-archive"
author = "the authors of sohr-archive"
copyright = "Apache License 2.0"  # noqa: A001  # the name is Sphinx's
version = release = version_of("sohr-archive")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
myst_heading_anchors = 3  # `page.md#a-heading` is checked
nitpicky = True  # names in signatures too
nitpick_ignore_regex = [("py:.*", r"(?!archive\.).*")]  # of other libraries: nothing is fetched to check them
default_role = "code"  # docstrings have names in single backticks
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True

html_theme = "furo"
html_title = f"sohr-archive {release}"
html_copy_source = False
