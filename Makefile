# keytui: make help says what there is.
#
# Everything Python lives in .venv, made once and brought up to date when pyproject.toml or
# constraints.txt change. ARGS is handed on: make test ARGS='-k rotate', make demo ARGS=--read-only

PYTHON ?=
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
# Half of the time tests wait, for a time limit or a child: twice the cores is no load.
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) \* 2)
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt
DEFINES_VENV := pyproject.toml constraints.txt scripts/make-venv.sh

.PHONY: help demo test test-fast faults check bench screenshots constraints clean
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

help:  ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo-is-ready  ## Open keytui on a demo account that can't reach AWS
	@$(BIN)/keytui --demo $(ARGS)

test: $(VENV)/.dev-is-ready  ## Run all tests; installs the real components they need
	@scripts/install-test-packages.sh
	$(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

test-fast: $(VENV)/.dev-is-ready  ## Run the tests that start nothing, in half a minute
	$(BIN)/pytest -n $(WORKERS) -m fast tests/unit tests/property $(ARGS)

faults: $(VENV)/.dev-is-ready  ## Run the fault matrix alone: every step of each change x every fault
	@scripts/install-test-packages.sh
	KEYTUI_FAULTS=all KEYTUI_EXAMPLES=2000 \
	  $(BIN)/pytest -n $(WORKERS) --dist worksteal tests/faults tests/property $(ARGS)

check: $(VENV)/.dev-is-ready  ## Check format, style, types and who imports whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/structure.py

bench: $(VENV)/.dev-is-ready  ## Measure speed, memory and bytes, beside aws and bare Textual
	@$(BIN)/python -m bench $(ARGS)

screenshots: $(VENV)/.dev-is-ready  ## Make the screenshots anew
	$(BIN)/python -m screenshots.make $(ARGS)

# The oldest Python supported needs the most packages, so that is the one to run this with:
# make constraints PYTHON=python3.11
constraints:  ## Pin the newest releases that pyproject.toml allows
	rm -rf build
	scripts/make-venv.sh build/constraints $(PYTHON)
	build/constraints/bin/python -m pip install -qq --disable-pip-version-check '.[dev]'
	{ echo '# What pyproject.toml asks for and all it brings. Made by: make constraints'; \
	  build/constraints/bin/python -m pip freeze --exclude keytui; } > build/constraints.txt
	mv build/constraints.txt constraints.txt
	rm -rf build

clean:  ## Remove the virtual environment and all that was made
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.demo-is-ready: $(DEFINES_VENV)
	@echo 'keytui: setting up $(VENV), once'
	@scripts/make-venv.sh $(VENV) $(PYTHON)
	@$(INSTALL) -e '.[demo]'
	@touch $@

# For developing, the demo's packages are among the rest: one installation serves both.
$(VENV)/.dev-is-ready: $(DEFINES_VENV)
	@echo 'keytui: setting up $(VENV) for development, once'
	@scripts/make-venv.sh $(VENV) $(PYTHON)
	@$(INSTALL) -e '.[dev]'
	@touch $(VENV)/.demo-is-ready $@
