# `make run` sets up and runs the night on the bundled sample; `make test` sets up and tests.
# `make setup` only sets up. Everything lives in .venv and var/; remove them to start over.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Compiled wheels only; versions as locked. pip keeps no state but its own cache.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --prefer-binary -c constraints.txt

export PREFECT_HOME ?= $(CURDIR)/var/prefect

.PHONY: setup setup-dev run test lint lock clean

setup: $(VENV)/.run-ready

setup-dev: $(VENV)/.dev-ready

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-ready: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "dsn-nlp: installing into $(VENV) …"
	$(INSTALL) -e .
	@touch $@

$(VENV)/.dev-ready: $(VENV)/.run-ready pyproject.toml constraints.txt
	@echo "dsn-nlp: installing training and test tools …"
	$(INSTALL) -e '.[train,dev]'
	@touch $@

run: setup
	@$(BIN)/dsn-nlp run

test: setup-dev
	@mkdir -p $(PREFECT_HOME)
	$(BIN)/python -m pytest

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Lock what is installed now: run in a fresh .venv made without constraints.
lock: 
	$(BIN)/python -m pip freeze --exclude-editable | sed 's/+cpu$$//' > constraints.txt

clean:
	rm -rf $(VENV) var work
