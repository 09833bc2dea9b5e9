# `make demo` and `make test` do all their own set-up: Python >= 3.11 and a package registry are enough.

PYTHON ?= python3
PYTHONS ?= 3.11 3.12 3.13 3.14
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Containers often set this. Each process of the tests would then compile pytest's plugins anew: seconds of CPU.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-all coverage soak lint types contracts docs pictures reference base golden format check proof fuzz model bench \
	wheels constraints clean

help:  ## What there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' | \
	while IFS='|' read -r target says; do printf '%-12s %s\n' "$$target" "$$says"; done

demo: $(READY)  ## Show the promise: deploy, cancel in the middle, compare, deploy to completion
	$(BIN)/kubemin demo

test: $(READY)  ## The tests
	$(BIN)/pytest -n 6 --dist worksteal -m "not proof and not soak" $(if $(COVERAGE),--cov)

coverage:  ## The tests, and which lines of src they run
	@$(MAKE) --no-print-directory test COVERAGE=1

test-all:  ## The tests on each Python from 3.11 to 3.14 that is installed
	@for one in $(PYTHONS); do \
		if python$$one -c '' 2>/dev/null; then \
			echo "Python $$one"; $(MAKE) --no-print-directory test PYTHON=python$$one VENV=.venv-$$one || exit 1; \
		else \
			echo "Python $$one: not installed, so not tested"; \
		fi; \
	done

EVERY ?= 1

proof: $(READY)  ## The long proofs: a kill and a cancel at every point, commands and pages in processes of their own; at each fourth point: make proof EVERY=4
	KUBEMIN_TEST_EVERY=$(EVERY) $(BIN)/pytest -n 4 --dist worksteal -m proof

soak: $(READY)  ## 200 tasks over 3 workers, one killed every few seconds
	$(BIN)/pytest -m soak tests/multi

SECONDS ?= 300

# The property tests with new examples first, then random applications in the time that is left.
fuzz: $(READY)  ## Random examples, applications and faults, the promise after each: make fuzz SECONDS=600
	begun=$$(date +%s) && \
	KUBEMIN_TEST_RANDOM=1 $(BIN)/pytest -n 4 --dist worksteal -m "hypothesis and not proof and not soak" && \
	$(BIN)/python -m tests.proof.fuzz --seconds $$(($(SECONDS) + begun - $$(date +%s)))

BENCH ?= start deploy bundle unchanged many cancel commands claim memory takeover bodies page writer load.history load.crowd load.forgetting

bench: $(READY)  ## The numbers of docs/benchmarks.md; one of them: make bench BENCH=cancel
	@for one in $(BENCH); do $(BIN)/python -m bench.$$one || exit 1; done

wheels: $(READY)  ## Both wheels, built, and installed into empty environments
	$(BIN)/python -m tests.wheels

model: $(READY)  ## The explicit-state model of journal, lease and late requests
	$(BIN)/python -m model

lint: $(READY)  ## Style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## Strict types
	$(BIN)/mypy

contracts: $(READY)  ## Which room may import which
	$(BIN)/lint-imports

docs: $(READY)  ## The site, in build/site; a warning is an error
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --builder html docs build/site

pictures: $(READY)  ## Write the pictures of docs/pictures/ anew, with a browser
	KUBEMIN_TEST_REQUIRE_BROWSER=1 KUBEMIN_TEST_PICTURES=docs/pictures $(BIN)/pytest -n0 tests/page/test_pictures.py

reference: $(READY)  ## Write docs/reference/ anew, from the code
	$(BIN)/python -m tests.docs.reference

base: $(READY)  ## Write the kustomize base in deploy/kustomize/ anew, from the chart
	$(BIN)/python -m tests.deploy.base

golden: $(READY)  ## Write the expected manifests and plans anew, to be read in the diff
	$(BIN)/python -m tests.render.regenerate

check: lint types contracts docs  ## lint, types, contracts and the site

format: $(READY)  ## Repair what ruff can of the style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# pip checks every file against its hash in constraints.txt, where hatchling is too, which builds kubemin.
$(READY): pyproject.toml kubesim/pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "KubeMin needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	sed -n '/^pip==/,/[^\\]$$/p' constraints.txt | $(BIN)/pip install --quiet --require-hashes --requirement /dev/stdin
	$(BIN)/pip install --quiet --require-hashes --no-deps --requirement constraints.txt
	$(BIN)/pip install --quiet --no-index --no-build-isolation --editable ./kubesim --editable .
	touch $(READY)

UPGRADE ?= --upgrade

# uv, since pip cannot solve for every Python and platform at once; nothing else needs it.
constraints:  ## Write constraints.txt: the newest releases, or with UPGRADE= only what pyproject.toml asks for anew
	$(PYTHON) -m venv .venv-uv
	.venv-uv/bin/pip install --quiet --upgrade uv
	$(COMPILE) $(UPGRADE) pyproject.toml kubesim/pyproject.toml --group dev --group docs --output-file constraints.txt
	$(COMPILE) pyproject.toml $(IMAGE_EXTRAS) --constraint constraints.txt --output-file deploy/image/requirements.txt

COMPILE = .venv-uv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet
IMAGE_EXTRAS = $(addprefix --extra ,postgresql mysql fast otel)

clean:  ## Remove the virtual environments and the caches
	rm -rf build .venv .venv-* .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
