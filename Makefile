# make run    the demo: a central and an enrolled terminal on this machine
# make test   every check and test, on a fresh machine too
# make lint   the checks alone
# make screenshots  pictures of every page and state, in the folder shots
# make bench  the measurements, each beside its reference
# make lighthouse  Lighthouse on the phone's pages (needs npm; no part of make test)
# make fuzz   coverage-guided fuzzing of the receipt printer's data for ten minutes (no part of make test)
SHELL := /bin/bash
VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= python3

.PHONY: run test lint bench translations screenshots lighthouse fuzz clean

run: $(VENV)/.installed
	@exec $(BIN)/merchant-agent demo

test: $(VENV)/.installed-dev
	@tests/system-packages
	$(MAKE) --no-print-directory lint
	$(BIN)/pytest -n 2

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev
	@tests/system-packages
	$(BIN)/python -m tests.bench

lighthouse: $(VENV)/.installed-dev
	@tests/system-packages
	$(BIN)/python -m tests.lighthouse

fuzz: $(VENV)/.installed-dev
	$(BIN)/python -m pip install --quiet --group fuzz
	$(BIN)/python -m tests.fuzz

screenshots: $(VENV)/.installed-dev
	@tests/system-packages
	rm -rf shots
	$(BIN)/pytest -q --shots shots tests/e2e/test_access.py tests/e2e/test_states.py tests/e2e/test_unsigned.py tests/e2e/test_out_of_service.py tests/e2e/test_printing.py tests/e2e/test_phone.py tests/e2e/test_phone_states.py tests/e2e/test_components.py tests/e2e/test_central_pages.py tests/e2e/test_shop_pages.py

translations: $(VENV)/.installed-dev
	$(BIN)/python -m tests.translations

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq python3-venv; } || { echo "Python's venv module is needed (Debian: python3-venv)." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

$(VENV)/.installed: $(VENV)/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --editable ".[central]"
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
