# durable-trace: one command for each habit; the same in CI.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help setup servers demo test test-unit test-pythons lint format types engines bench docs failures pictures dashboards lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## the Python environment, from locked requirements

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

servers: setup ## finds or gets the servers: Temporal and the Collector (demo), Phoenix, Chromium and Prometheus (tests)
	$(BIN)/python -m agent.servers

demo: setup ## the agent, a killed worker, the resumed run, its traces, its costs
	$(BIN)/durable-trace demo

test: setup ## all tests, on real servers
	$(BIN)/python -m agent.servers all
	$(PYTEST) tests -n auto --dist loadfile

test-unit: setup ## the fast tests, for every save
	$(PYTEST) tests --ignore=tests/e2e -m "not e2e and not slow" -n auto

test-pythons: ## all tests (or TARGET=test-unit) on the oldest and the newest Python at hand
	$(PYTHON) tests/pythons.py $(TARGET)

lint: setup ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup ## ruff: format, and mend what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: setup ## mypy, strict
	$(BIN)/mypy

docs: setup ## writes docs/reference.md from the code
	$(BIN)/python -m tracing.reference docs/reference.md

failures: setup ## makes every failure of the README's table happen, and writes the table
	$(BIN)/python -m agent.failures --write README.md --json docs/failures.json

pictures: setup ## runs the demo, and makes the pictures of the README from it
	$(BIN)/python -m agent.demo.pictures

dashboards: setup ## writes the Grafana dashboards from dashboards/*.py
	$(BIN)/python -m dashboards

engines: setup ## measures the agent on Temporal and on DBOS; writes docs/engines.md
	$(BIN)/python -m benchmarks.engines

bench: setup ## the benchmarks; writes benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks

lock: setup ## locks the requirements again, with hashes
	$(BIN)/uv pip compile pyproject.toml --group dev --all-extras --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command 'make lock' -o requirements/dev.txt --quiet
