# make demo: sets everything up and runs the main job. make test: sets everything up and passes all tests.

VENV := .venv
PY := $(VENV)/bin/python
PYTHON ?= python3
# How many tests run side by side; each has a database and, where it needs one, a browser of its own.
JOBS ?= 2

.PHONY: help demo demo-reset test check soak setup conformance lock translations screenshots clean

help:
	@echo "make demo        set up, then run the tool and a demo LMS (Ctrl-C stops both)"
	@echo "make demo-reset  the same, starting over"
	@echo "make test        set up, then run every check and test"
	@echo "make check       style, types and import contract only"
	@echo "make soak        2 000 scores against a platform that fails in every way, five times over (some minutes)"
	@echo "make conformance  Open edX's LTI consumer opens the tool (an environment of its own)"
	@echo "make lock        pin the dependencies again"

demo: $(VENV)/.runtime
	@$(PY) -m lti_tool demo

demo-reset: $(VENV)/.runtime
	@$(PY) -m lti_tool demo --reset

test: $(VENV)/.dev
	@sh .ci/test-tools
	@$(MAKE) --no-print-directory check
	$(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

check: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

# Workers killed, databases crashed, a disk full, queues wiped; it starts and ends its own servers (docs/reliability.md).
soak: $(VENV)/.dev
	@sh .ci/test-tools
	@$(PY) -m tests.soak

setup: $(VENV)/.dev

# Some fifty packages, AGPL, that `make test` does without: they never enter the tool's own environment.
conformance: $(VENV)/.runtime .venv-conformance/.ready
	@.venv-conformance/bin/python tests/conformance/open_edx.py $(abspath $(PY))

.venv-conformance/.ready: requirements-conformance.lock
	@PYTHON="$(PYTHON)" sh .ci/make-venv .venv-conformance
	@.venv-conformance/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-conformance.lock
	@touch $@

$(VENV)/.runtime: requirements.lock pyproject.toml
	@PYTHON="$(PYTHON)" sh .ci/make-venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

lock: $(VENV)/.dev
	@$(PY) -m pip install --quiet uv
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --all-extras pyproject.toml -o requirements.lock
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --all-extras --group dev pyproject.toml -o requirements-dev.lock
	printf 'lti-consumer-xblock\ncryptography\n' | $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header - -o requirements-conformance.lock

# Texts changed: bring the catalogues up to date; what it prints is to be written in the English one, then run it again.
translations: $(VENV)/.dev
	@$(PY) lti_tool/translations/catalogues.py

screenshots: $(VENV)/.dev
	@$(PY) docs/screenshots.py

clean:
	rm -rf $(VENV) .venv-conformance var .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
