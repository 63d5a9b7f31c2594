# `make demo` and `make test` work in a fresh clone: they make .venv first where it is missing.
# Needed beforehand: make, and Python 3.11, 3.12 or 3.13 with venv (Debian: apt install make python3-venv).

# --- What one may want to change, as in `make demo EPOCHS=6` ---------------------------------------------------------
EPOCHS ?= 4
EPOCH_STEPS ?= 120
# Further flags of pip, for example an index with a smaller torch:
# make test PIP_FLAGS="--extra-index-url https://download.pytorch.org/whl/cpu"
PIP_FLAGS ?=
# What is installed, with hashes of PyPI's files; `make setup LOCK=` goes by the ranges of pyproject.toml instead.
LOCK ?= requirements.lock
# `make lock LOCK_FLAGS=--upgrade` takes the newest of everything.
LOCK_FLAGS ?=
# Processes that run tests side by side; those of the dashboard wait half of their time, so one more than two cores.
TEST_PROCESSES ?= 3
# The registry that `make screenshots` shows.
DB ?= demo/runs.db
# What `make bench-training` is told; `python -m bench.training --help` lists what there is.
TRAINING ?= --quick
# What `make paper-gpu` is told; `python -m bench.paper --help` lists what there is.
PAPER ?= --data data
# How many inputs `make fuzz` tries in all, and from where: the same seed gives the same inputs.
INPUTS ?= 100000
# How many keys `make bursts` types in all.
KEYS ?= 10000
SEED := $(or $(SEED),$(shell date +%s))
# What `make test` hands to pytest, for example TESTS="tests/unit -k recipe".
TESTS ?=
# ---------------------------------------------------------------------------------------------------------------------

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO := demo
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS)

.PHONY: help setup demo test check fuzz bursts torture cluster calibrate mutants packages release-check lock bench bench-training bench-gpu paper-gpu docs screenshots clean

help:
	@echo "make demo        train the baseline and the final model on the embedded data, and compare them"
	@echo "make test        linters, types and all tests"
	@echo "make check       linters and types alone"
	@echo "make fuzz        100,000 damaged inputs for every reader of files, words and registries"
	@echo "make bursts      10,000 keys, clicks and new sizes, faster than screens are made: the dashboard goes on, and listens"
	@echo "make torture     kills, full disks, torn files and failing calls, by the thousand, with a tally"
	@echo "make cluster     a real Slurm of two nodes on this machine, and all that can go wrong there (Debian, as root; skipped elsewhere)"
	@echo "make calibrate   how often what compare says is wrong, where the truth is known: the tables of docs/methods.md"
	@echo "make mutants     changes bertmt/comparison in every small way, and lists the changes that no test sees"
	@echo "make packages    builds wheel and sdist, installs each into a fresh environment, and works a queue there"
	@echo "make release-check  all that is too long for make test: the seven above, whole (about an hour and three quarters)"
	@echo "make lock        write requirements.lock anew where pyproject.toml has changed (LOCK_FLAGS=--upgrade: the newest)"
	@echo "make bench       benchmarks, side by side with peers"
	@echo "make bench-training  how fast it trains, beside a course's loop and two libraries (TRAINING=\"--data DIR --json FILE\")"
	@echo "make bench-gpu   whether everything works on a GPU and how fast, in a quarter of an hour without a network"
	@echo "make paper-gpu   all models of the paper at full size, with figures, verdicts and a report; goes on where it stopped (PAPER=\"--data DIR\")"
	@echo "make docs        write docs/cli.md and docs/registry.md anew"
	@echo "make screenshots write the pictures of docs/tour.md, from the runs of $(DB)"
	@echo "make setup       make .venv and install everything into it (the others do that when it is missing)"
	@echo "make clean       remove .venv, the demo and all caches; runs and registries stay"

setup: $(STAMP)

# Installed again only when what is needed has changed. The lock has all but torch and the CUDA libraries that some of its
# builds need: which build there is depends on index, platform and Python (PyPI's, the CPU's, a local file), and a hash
# would refuse all others. So constraints.txt pins its version alone; without the lock it goes first, so that pip does not
# look for another one while it resolves the rest.
$(STAMP): pyproject.toml constraints.txt $(LOCK)
	@python=""; \
	for candidate in python3 python3.13 python3.12 python3.11; do \
	    if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then \
	        python="$$candidate"; break; \
	    fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "make: bertmt needs Python 3.11, 3.12 or 3.13; found: $$(python3 --version 2>/dev/null || echo none)." \
	         "On Debian or Ubuntu type: apt install python3 python3-venv" >&2; \
	    exit 1; \
	fi; \
	if ! "$$python" -c 'import venv, ensurepip' 2>/dev/null; then \
	    echo "make: $$("$$python" --version) has no venv. On Debian or Ubuntu type: apt install python3-venv" >&2; \
	    exit 1; \
	fi; \
	if ! { [ -x $(BIN)/python ] && $(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }; then \
	    echo "Making $(VENV) with $$("$$python" --version)"; \
	    "$$python" -m venv --clear $(VENV); \
	fi
	@echo "Installing (torch is large; the first time takes minutes)"
	@[ -z "$(LOCK)" ] || $(PIP_INSTALL) --no-deps --require-hashes -r $(LOCK) || { \
	    echo "make: only where this package index is known to have other files than PyPI: make setup LOCK=" >&2; \
	    exit 1; \
	}
	@torch="$$(sed -n 's/^\(torch==[^ ]*\).*/\1/p' constraints.txt)"; $(PIP_INSTALL) -c constraints.txt "$$torch"
	@$(PIP_INSTALL) -c constraints.txt $(if $(LOCK),--no-deps --no-build-isolation -e .,-e ".[dev,offline]")
	@touch $@

# Typed again it goes on, or shows what is there; in a terminal the dashboard opens at the end.
demo: $(STAMP)
	@$(BIN)/bertmt demo --dir $(DEMO) --set epochs=$(EPOCHS) --set epoch_steps=$(EPOCH_STEPS)

check: $(STAMP)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# One thread per test process: torch would otherwise start as many as there are cores in each of them.
test: check
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_PROCESSES) $(TESTS)

# `make test` draws a small sample of the same inputs, always the same one. What failed lies in .hypothesis, and is tried
# first the next time.
fuzz: $(STAMP)
	@echo "INPUTS=$(INPUTS) SEED=$(SEED)"
	@INPUTS=$(INPUTS) OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/fuzz --hypothesis-profile=fuzz \
	    --hypothesis-seed=$(SEED) --hypothesis-show-statistics -n $(TEST_PROCESSES) $(TESTS)

# `make test` types a tenth of them, always the same ones.
bursts: $(STAMP)
	@echo "KEYS=$(KEYS) SEED=$(SEED)"
	@KEYS=$(KEYS) SEED=$(SEED) OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/tui/test_key_bursts.py -k no_burst -n $(TEST_PROCESSES) $(TESTS)

$(VENV)/.installed-bench: $(STAMP)
	@$(PIP_INSTALL) -c constraints.txt -e ".[bench]"
	@touch $@

bench: $(VENV)/.installed-bench
	@$(BIN)/python -m bench

bench-training: $(VENV)/.installed-bench
	@$(BIN)/python -m bench.training $(TRAINING)

bench-gpu: $(STAMP)
	@$(BIN)/python -m bench.training.gpu

# Days on a CPU. Typed again it goes on; `PAPER="... --report"` tells what is there so far.
paper-gpu: $(STAMP)
	@$(BIN)/python -m bench.paper $(PAPER)

# Kills, full disks, torn files, failing calls; ends with an error on any violation.
torture: $(STAMP)
	@$(BIN)/python -m torture
	@$(BIN)/python -m torture.crowd

# 77: no Slurm can be had here, which is said.
cluster: $(STAMP)
	@$(BIN)/python -m torture.slurm || [ $$? -eq 77 ]

# `make test` has a sample with fixed seeds (tests/unit/comparison/test_calibration.py).
calibrate: $(STAMP)
	@OMP_NUM_THREADS=1 $(BIN)/python -m bench.calibration

$(VENV)/.installed-mutation: $(STAMP)
	@$(PIP_INSTALL) -c constraints.txt -e ".[mutation]"
	@touch $@

# Goes on where it stopped; `mutmut browse` shows what survived.
mutants: $(VENV)/.installed-mutation
	@OMP_NUM_THREADS=1 $(BIN)/mutmut run --max-children $(TEST_PROCESSES) > mutants.log 2>&1 || { tail -n 20 mutants.log; exit 1; }
	@$(BIN)/python -m bench.mutants

$(VENV)/.installed-release: $(STAMP)
	@$(PIP_INSTALL) -c constraints.txt -e ".[release]"
	@touch $@

# `make test` looks at the lists of files alone (tests/contracts/test_packages.py).
packages: $(VENV)/.installed-release
	@$(BIN)/python -m bench.packages $(PIP_FLAGS)

release-check: test calibrate mutants torture cluster fuzz bursts packages

# One set of versions for Linux and macOS and all Pythons of pyproject.toml, with the hashes of all their files on PyPI. The
# first pass finds the CUDA libraries, which the second leaves out with torch; pip is the environment's own.
lock: $(VENV)/.installed-release
	@compile="$(BIN)/uv pip compile pyproject.toml --quiet --extra dev --extra offline -c constraints.txt $(LOCK_FLAGS) \
	    --universal --python-version 3.11 --fork-strategy fewest --custom-compile-command \"make lock\""; \
	left_out="$$(eval "$$compile --no-header --no-annotate" | sed -nE \
	    '/^nvidia-ml-py==/d; s/^((cuda|nvidia)-[a-z0-9-]+|triton|torch|pip)==.*/--no-emit-package \1/p')"; \
	eval "$$compile --generate-hashes --annotation-style line" $$left_out --output-file requirements.lock > /dev/null

docs: $(STAMP)
	@$(BIN)/python -m bertmt.cli.reference
	@$(BIN)/python -m bertmt.registry.reference

screenshots: $(STAMP)
	@$(BIN)/python -m tui.tour docs/pictures --db $(DB)

clean:
	@rm -rf $(VENV) $(DEMO) mutants mutants.log .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	@find bertmt tui bench tests -name __pycache__ -type d -prune -exec rm -rf {} +
