# Every target brings what it needs: uv (by pip, when it is missing), a virtual environment in .venv, and the
# packages of the lock files, checked by their hashes. What is there already is not fetched again.

# The first Python that is new enough; `make PYTHON=/path/to/python3.12 demo` takes another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
UV := $(or $(shell command -v uv 2>/dev/null),.uv/bin/uv)
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(UV) pip install --quiet --compile-bytecode --python $(VENV)
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-package comp-pool-client --no-header

STYLE := tests/test_house.py tests/test_docs.py tests/docs/test_reference.py

.PHONY: help demo serve test check bench soak reference pictures release-check lock clean

help: ## Say what there is
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 16

demo: $(VENV)/.runtime ## Watch a pool, three volunteers and a flow at work; ends by itself
	$(BIN)/comp-pool demo

serve: $(VENV)/.runtime ## Run a pool on http://127.0.0.1:7070 until Ctrl-C
	$(BIN)/comp-pool serve

# A test that stands still fails by its name and its stack, instead of holding the whole run up.
test: $(VENV)/.dev ## Run the tests, all but those that take long and those of `make check`
	$(BIN)/pytest -m "not soak" -n auto --dist worksteal --timeout 500 $(addprefix --ignore=,$(STYLE))

soak: $(VENV)/.dev ## Run the tests that take long, and print their figures
	$(BIN)/pytest -m soak -rA

check: $(VENV)/.dev ## Style and types (of the JavaScript too), import arrows, and the committed API descriptions
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy client/python/tests
	$(BIN)/lint-imports
	$(BIN)/pytest -q $(STYLE)

bench: $(VENV)/.dev ## Measure what a request, a cycle and a validation cost
	$(BIN)/python -m bench

reference: $(VENV)/.dev ## Write docs/reference and schema/schema.graphql anew after a change of what they describe
	$(BIN)/python docs/write_reference.py

pictures: $(VENV)/.dev ## Take the README's pictures of the pages anew
	COMP_POOL_TEST_PICTURES=docs/images $(BIN)/pytest -q tests/pages/test_readme_pictures.py

release-check: | $(UV) ## Build every distribution, install each in a clean environment, and run it
	UV=$(abspath $(UV)) PYTHON=$(PYTHON) .ci/release-check

lock: | $(UV) ## Pin the versions anew after a change of pyproject.toml
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) pyproject.toml --group dev --constraints requirements.lock --output-file requirements-dev.lock

clean: ## Remove all that these targets made
	rm -rf $(VENV) .uv dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment's own program is no stamp: it is a link to a Python that may be older than these files.
$(VENV)/.created: | $(UV)
	@test -n "$(PYTHON)" || { echo "comp-pool needs Python 3.11 or newer, and there is none on the PATH" >&2; exit 1; }
	$(UV) venv --quiet --allow-existing --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV)
	@touch $@

$(VENV)/.runtime: requirements.lock pyproject.toml client/python/pyproject.toml $(VENV)/.created
	$(INSTALL) --require-hashes --requirements requirements.lock
	$(INSTALL) --no-deps --editable client/python --editable .
	@touch $@

# The development lock pins the same versions and more; a sync also removes what no lock names any more.
$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	$(UV) pip sync --quiet --compile-bytecode --python $(VENV) --require-hashes requirements-dev.lock
	$(INSTALL) --no-deps --editable client/python --editable .
	@touch $@

.uv/bin/uv:
	@test -n "$(PYTHON)" || { echo "comp-pool needs Python 3.11 or newer, and there is none on the PATH" >&2; exit 1; }
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { echo "$(PYTHON) has no pip: install it (Debian: python3-pip), or uv" >&2; exit 1; }
	$(PYTHON) -m pip install --quiet --target .uv uv
