# `make run` and `make test` work on a fresh clone of a machine with Python 3.11 or newer and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
OUT ?= runs/sample

.PHONY: run test test-slow check real compare bench clean

run: $(READY)
	$(BIN)/perpool run --out $(OUT) --overwrite

test: $(READY)
	$(BIN)/python -m pytest -m "not slow" -n 2 -q

test-slow: $(READY)
	$(BIN)/python -m pytest -m slow -q

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# ALP through 2024 with a million positions; needs the real price files, says so where they are not there.
real: $(READY)
	$(BIN)/python -m tests.real

# The same BTC orders in ALP, JLP and GLP through 2025, side by side; needs the real price files too.
compare: $(READY)
	$(BIN)/python -m tests.real compare

bench: $(READY)
	$(BIN)/perpool bench

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "perpool needs Python 3.11 or newer; call make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache .hypothesis
