# `make run` sets up and runs the night on the bundled sample; `make test` sets up and tests.
# `make setup` only sets up. Everything lives in .venv and var/; remove them to start over.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Compiled wheels only; versions as locked. pip keeps no state but its own cache.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --prefer-binary -c constraints.txt

export PREFECT_HOME ?= $(CURDIR)/var/prefect

.PHONY: setup setup-dev run test lint lock sbom audit clean

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
	$(INSTALL) -e '.[train,dev,scale,telemetry]'
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

# The bill of materials of the lock file, in CycloneDX; the same lock gives the same bytes.
sbom: setup
	$(BIN)/dsn-nlp privacy sbom --output docs/sbom.cdx.json

# Known vulnerabilities of the locked versions: asks a public service, so it needs a network.
audit: $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --target work/audit pip-audit
	grep -v '^#' constraints.txt > work/audit/locked.txt
	PYTHONPATH=work/audit $(BIN)/python -m pip_audit --disable-pip --no-deps -r work/audit/locked.txt

clean:
	rm -rf $(VENV) var work
