# `make` lists what there is. Everything is installed into .venv/, nothing outside this folder.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

SERVE ?= 1
PAGES ?= 3
JOBS ?= 4
ARCHIVE_DIR ?= data
PORT ?= 8001

# what another environment left in this shell must not leak into ours
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow lint docs crawl serve clean bench bench-quick bench-extract bench-browse pictures
.SILENT:

help:
	echo "make demo            crawl a bundled copy of the site on this machine, say what the archive noticed, show it in a browser"
	echo "make demo SERVE=0    the same, without the browser"
	echo "make crawl           probe the site, then take the newest pages of the live site (PAGES=3) into data/"
	echo "make serve           read the archive in data/ in a browser (PORT=8001)"
	echo "make test            the whole suite, unit and end to end"
	echo "make bench           speed side by side with other tools (an hour; docs/speed.md); BENCH=\"--only startup,crawl\" runs some"
	echo "make bench-quick     the same in two minutes, against the ratios recorded in tests/bench/recorded.json"
	echo "make bench-extract   our extraction beside trafilatura, readability-lxml and others (SOHR_BENCHMARKS=folder of public pages)"
	echo "make bench-browse    the reading pages over 10,000 and over 1,000,000 versions (6 GB and minutes, once); BENCH=\"--large 100000\" is smaller"
	echo "make test-slow       what takes minutes: memory at scale, kills at many instants (CI runs it too)"
	echo "make lint            style, types, rules of dependency"
	echo "make docs            the documentation as HTML in build/docs/, strictly"
	echo "make setup           only create the environment in .venv/ (PYTHON=python3)"
	echo "make clean           remove .venv/, demo-data/ and caches; data/ is kept"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here: install Python 3.11 or newer, or name one with PYTHON=." >&2; exit 1; }
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "This needs Python 3.11 or newer and $(PYTHON) is $$($(PYTHON) -V 2>&1): name a newer one, as in make setup PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) lacks venv: install it (Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
	echo "Setting up .venv/ (about a minute, once) ..."
	$(BIN)/python -c '' 2>/dev/null || rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	{ $(BIN)/python -m pip install --progress-bar off --disable-pip-version-check -c constraints.txt -e '.[dev]' || echo FAILED; } | \
	    { n=0; while read -r word rest; do case $$word in \
	        Collecting) n=$$((n + 1)); printf '\r  %d packages found' $$n ;; \
	        Installing) [ $$n = 0 ] || printf '\n  installing them (half a minute) ...\n'; n=0 ;; \
	        FAILED) exit 1 ;; esac; done; }
	touch $(STAMP)

demo: $(STAMP)
	SERVE=$(SERVE) ARCHIVE_DIR=demo-data $(BIN)/python -m tests.demo

test: $(STAMP)
	env -u ARCHIVE_DIR $(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder --durations=10 -m "not slow"
	$(BIN)/lint-imports --no-logo

test-slow: $(STAMP)
	env -u ARCHIVE_DIR $(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder --durations=10 -m slow

bench: $(STAMP)
	$(BIN)/python -m tests.bench $(BENCH)

bench-quick: $(STAMP)
	$(BIN)/python -m tests.bench --quick $(BENCH)

bench-extract: $(STAMP)
	$(BIN)/python -m tests.bench.extract

pictures: $(STAMP)
	$(BIN)/python -c 'import playwright' 2>/dev/null || $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[browser]'
	test -f demo-data/archive.db || $(MAKE) --no-print-directory demo SERVE=0
	$(BIN)/python -m tests.browser.pictures

bench-browse: $(STAMP)
	$(BIN)/python -m tests.bench.browse $(BENCH)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m tests.complexity

docs: $(STAMP)
	$(BIN)/python -c 'import furo, myst_parser, sphinx' 2>/dev/null || \
	    $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[docs]'
	$(BIN)/python -m sphinx -q -W --keep-going -E -d build/doctrees -b html docs build/docs
	echo "The documentation is in build/docs/index.html"

crawl: $(STAMP)
	test -f "$(ARCHIVE_DIR)/archive.db" || $(BIN)/sohr-archive probe --folder "$(ARCHIVE_DIR)-probe"
	ARCHIVE_DIR="$(ARCHIVE_DIR)" $(BIN)/scrapy crawl sohr -a pages=$(PAGES)
	echo
	echo "These were the newest pages only. Read them:      make serve"
	echo "To crawl the whole site:                          $(BIN)/scrapy crawl sohr -a budget=0"
	echo "Its 200,000 posts take about 4.6 days at one request in 2 seconds. You can stop the crawl with Ctrl-C"
	echo "at any time; the same command continues where it stopped."

serve: $(STAMP)
	test -f "$(ARCHIVE_DIR)/archive.db" || { echo "There is no archive in $(ARCHIVE_DIR)/ yet: make crawl takes the newest pages, make demo shows an invented one." >&2; exit 1; }
	$(BIN)/sohr-archive --archive "$(ARCHIVE_DIR)" serve --port $(PORT)

clean:
	rm -rf $(VENV) demo-data build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .complexipy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
