# Everything a person or CI does here. Needs make, git and Python 3.11; nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# `make lock` builds with exactly this resolver.
UV     := uv==0.13.9
# Tests side by side: half of their time they wait, for a process of their own or for the inbox to be complete.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(2 * (os.cpu_count() or 1))')
# How many releases `make torture` kills.
TRIALS ?= 300

export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test torture property test-duckdb2 test-browser check static fix bench lock clean

help:          ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' Makefile | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 22

demo: $(VENV)/.done          ## the sample company over ten weeks, in ./demo
	$(BIN)/relance demo

test: static          ## checks, then every test; policies/ must be covered wholly
	$(BIN)/coverage erase
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "not browser and not long" --cov --cov-report=
	$(BIN)/coverage report --include='policies/*' --fail-under=100

property: $(VENV)/.done          ## 10,000 drawn histories, decided by the fast path and by the oracle
	$(BIN)/python -m tests.property --histories 10000

test-duckdb2: .venv-duckdb2/.done          ## the same tests on DuckDB 2
	.venv-duckdb2/bin/python -m pytest -n $(WORKERS) --dist loadfile -m "not browser and not long"

test-browser: $(VENV)/.done          ## the tests that look at the Prefect UI with Chromium
	$(BIN)/python -m pytest -m browser

check: static          ## what CI asks before the tests: format, lint, types, YAML, house rules
	$(BIN)/python -m pytest -q tests/conventions

static: $(VENV)/.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/yamllint --strict .

fix: $(VENV)/.done          ## format, and repair what lint can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.done          ## seconds and memory per stage, and messages per second
	$(BIN)/python -m tests.benchmarks
	$(BIN)/python -m tests.benchmarks.mail

torture: $(VENV)/.done          ## pull the plug: releases, every command, migrations; tampering; full disks; readers (an hour)
	$(BIN)/python -m tests.torture.release_trials --trials $(TRIALS)
	$(BIN)/python -m tests.torture.maildir_trials
	$(BIN)/python -m tests.torture --within 60
	$(BIN)/python -m tests.torture.migrations
	$(BIN)/python -m tests.torture.tampering --changes 1000 --seed 1
	$(BIN)/python -m tests.torture.full_disks
	$(BIN)/python -m tests.torture.readers --messages 20000
	$(BIN)/python -m pytest -q -m long

lock: .venv-lock/.done          ## resolve the dependencies anew, within the bounds of pyproject.toml
	.venv-lock/bin/uv pip compile pyproject.toml --extra dev $(LOCK_OPTIONS) --output-file requirements.lock
	printf 'duckdb>=2,<3\n' | .venv-lock/bin/uv pip compile - --no-config --no-deps $(LOCK_OPTIONS) --output-file requirements-duckdb2.lock

clean:          ## remove the environments, caches and the demo
	rm -rf .venv .venv-duckdb2 .venv-lock demo build *.egg-info .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find flows tasks policies tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Hashes and no addresses; one lock for every platform and Python from 3.11 on.
LOCK_OPTIONS := --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate

# An environment with exactly the locked versions, compiled once: without bytecode Prefect starts too slowly
# for its own time limit, and some machines set PYTHONDONTWRITEBYTECODE.
%/.done: requirements.lock requirements-duckdb2.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Relance needs Python 3.11 or newer, and '$(PYTHON)' is not. Name another: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Setting up $* from requirements.lock: once, a minute or two."
	$(PYTHON) -m venv $*
	$*/bin/python -m pip install -qq --no-deps --require-hashes -r requirements.lock
	$(if $(findstring duckdb2,$*),$*/bin/python -m pip install -qq --require-hashes --no-deps -r requirements-duckdb2.lock)
	$*/bin/python -m pip install -qq --no-build-isolation --no-deps -e .
	-env -u PYTHONDONTWRITEBYTECODE $*/bin/python -m compileall -qq -j 0 $*/lib
	@touch $@

.venv-lock/.done:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install -qq $(UV)
	@touch $@
