# One word each: make run, make test, make demo, make bench, make clean.
# They need Python 3.11 or newer and make; everything else goes into .venv.

VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready

# The first of these that is new enough; name another with: make PYTHON=/path/to/python3
PYTHON ?= $(firstword $(foreach candidate,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(candidate) -c 'import sys; sys.version_info >= (3, 11) and print("$(candidate)")' 2>/dev/null)))

.PHONY: run test demo bench clean

run: $(READY)
	$(PY) -m bench.first_minute run

test: $(READY)
	$(PY) -m pytest

demo: $(READY)
	$(PY) -m bench.first_minute demo

bench: $(READY)
	$(PY) -m bench

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "smppgw needs Python 3.11 or newer: install it, or name it with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "smppgw needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .hypothesis .benchmarks .coverage
	rm -rf tests/interop/node/node_modules config/data
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
