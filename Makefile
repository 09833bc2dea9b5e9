# `make demo` and `make test` do all their own set-up: Python >= 3.11 and a package registry are enough.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test soak lint types contracts format check proof fuzz model bench clean

demo: $(READY)  ## Show the promise: deploy, cancel in the middle, compare, deploy to completion
	$(BIN)/kubemin demo

test: $(READY)  ## The tests
	$(BIN)/pytest -n 2 --dist worksteal -m "not proof and not soak"

proof: $(READY)  ## The long proofs: a kill and a cancel at every point
	$(BIN)/pytest -n 2 --dist worksteal -m proof

soak: $(READY)  ## 200 tasks over 3 workers, one killed every few seconds
	$(BIN)/pytest -m soak tests/multi

SECONDS ?= 300

# The property tests with new examples first, then random applications in the time that is left.
fuzz: $(READY)  ## Random examples, applications and faults, the promise after each: make fuzz SECONDS=600
	begun=$$(date +%s) && \
	KUBEMIN_TEST_RANDOM=1 $(BIN)/pytest -n 2 --dist worksteal -m "hypothesis and not proof and not soak" && \
	$(BIN)/python -m tests.proof.fuzz --seconds $$(($(SECONDS) + begun - $$(date +%s)))

BENCH ?= deploy cancel commands claim memory takeover bodies

bench: $(READY)  ## The numbers of docs/benchmarks.md; one of them: make bench BENCH=cancel
	@for one in $(BENCH); do $(BIN)/python -m bench.$$one || exit 1; done

model: $(READY)  ## The explicit-state model of journal, lease and late requests
	$(BIN)/python -m model

lint: $(READY)  ## Style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## Strict types
	$(BIN)/mypy

contracts: $(READY)  ## Which room may import which
	$(BIN)/lint-imports

golden: $(READY)  ## Write the expected manifests and plans anew, to be read in the diff
	$(BIN)/python -m tests.render.regenerate

check: lint types contracts

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "KubeMin needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ./kubesim --editable . --group dev
	touch $(READY)

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
