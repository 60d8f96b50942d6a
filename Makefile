# Every target does its own set-up: the virtual environment, the pinned packages and, where faces
# are looked at, the model files. The second time that takes a second or two. Settings:
#
#   PYTHON   the Python for a new environment (left out: the first of 3.13, 3.11, 3.12 that runs)
#   VENV     the environment's folder, without spaces (.venv); VENV=.venv-3.13 makes another one
#   CAMERA   a camera (/dev/video0) or a film (clip.mp4) instead of the rendered walk-up
#   ONCE     1: play the story once and end, with 1 if it went otherwise
#   FACES    for calibrate: a folder with one folder of photographs per person
#   TESTS    for test: what to run instead of everything (TESTS=tests/hw)
#   TRIALS   for fuzz: how many payloads are tried (10 million)
#   SECONDS  for fuzz-atheris: how long it looks (120)

PYTHON ?=
VENV ?= .venv
CAMERA ?=
ONCE ?=
FACES ?=
TESTS ?=
TRIALS ?=
SECONDS ?= 120

python := $(VENV)/bin/python
stamp := $(VENV)/.installed
parity := build/parity-venv
fuzzing := build/fuzz-venv

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test models check format coverage requirements bench ways flood codes decline \
	fuzz fuzz-atheris parity calibrate lock wheels units clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

run: models ## A walk-up, live: consent, enrolment, the door, a decline, a card (CAMERA=, ONCE=1)
	@"$(python)" -m terminal run $(if $(CAMERA),--camera "$(CAMERA)") $(if $(ONCE),--once)

test: models ## All tests (TESTS=tests/hw for some of them)
	@"$(python)" -m pytest $(TESTS)

models: $(stamp) ## Fetch, verify and convert the model files (once; then only verify)
	@"$(python)" -m models build

check: $(stamp) ## Format, lint, types, import contracts, rules of the house, docs
	@"$(python)" -m tests.tools.check

format: $(stamp) ## Put the code into its one form
	@"$(python)" -m ruff format . && "$(python)" -m ruff check --fix --select I .

coverage: $(stamp) ## Branch coverage of terminal/core by its tests, walks apart: all, or this fails
	@mkdir -p build/coverage
	@"$(python)" -m pytest -q --cov --cov-config=setup.cfg --cov-report=term-missing tests/core \
		--ignore=tests/core/test_the_tests_can_fail.py --ignore=tests/core/test_walks.py \
		--ignore=tests/core/test_every_state_hears_every_event.py

requirements: $(stamp) ## Each requirement with the tests that cite it; fails where one is owed
	@"$(python)" -m tests.tools.requirements_table

bench: models ## Measure each stage and the whole; also as build/bench.json
	@mkdir -p build
	@"$(python)" -m tests.bench

ways: models ## Face, card and code side by side at the bench terminal: whether D12 holds
	@"$(python)" -m tests.bench.ways

flood: models ## From card to release while vision is dead, frozen or flooded
	@"$(python)" -m tests.bench.flood

codes: $(stamp) ## Which QR codes are read: distance, tilt, blur, light; also as build/codes.json
	@"$(python)" -m tests.bench.codes

parity: models $(parity)/.installed ## Compare with the reference programs, in their own environment
	@"$(parity)/bin/python" -m tests.parity.compare

decline: $(stamp) ## Decline 10,000 times, at any moment of a scan: no face model may begin after it
	@"$(python)" -m tests.terminal.decline_moments

calibrate: models ## Measure the error curve on your own photographs (FACES=folder)
	@[ -n "$(FACES)" ] || { echo "Say which photographs: make calibrate FACES=folder" >&2; exit 2; }
	@"$(python)" -m models calibrate --faces "$(FACES)"

fuzz: $(stamp) ## Try 10 million broken and forged passes; goes on where it stopped (TRIALS=)
	@"$(python)" -m tests.fuzz $(if $(TRIALS),--trials "$(TRIALS)")

fuzz-atheris: $(fuzzing)/.installed ## Look for unseen branches with broken passes; x86-64 only (SECONDS=)
	@mkdir -p build/fuzz/corpus
	@"$(fuzzing)/bin/python" -m tests.fuzz.coverage_guided build/fuzz/corpus \
		-max_total_time="$(SECONDS)" -max_len=300 -artifact_prefix=build/fuzz/

lock: ## Choose new exact versions for one Python (PYTHON=python3.13); needs the network
	@"$(or $(PYTHON),python3)" tests/tools/lock.py

wheels: ## Ask the package index that a board finds a wheel for everything in the lock
	@"$(or $(PYTHON),python3)" tests/tools/lock.py --check-wheels

units: ## Rate the hardening of the systemd units (needs systemd-analyze)
	@systemd-analyze security --offline=true --no-pager systemd/*.service

clean: ## Remove what was built, models included; the environment stays
	@rm -rf build models/*.tflite *.egg-info

$(stamp): setup.cfg pyproject.toml .ci/environment $(wildcard constraints/*.txt)
	@.ci/environment "$(VENV)" "$(PYTHON)"
	@touch "$@"

$(fuzzing)/.installed: tests/fuzz/requirements.txt
	@[ "$$(uname -m)" = x86_64 ] || { echo "atheris has wheels for x86-64 alone." >&2; exit 1; }
	@"$(or $(PYTHON),python3.11)" -m venv "$(fuzzing)" || \
		{ echo "No environment for fuzzing: make fuzz-atheris PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(fuzzing)/bin/python" -m pip install --disable-pip-version-check -q -r tests/fuzz/requirements.txt
	@touch "$@"

# One of the reference programs is compiled here, which takes about 25 minutes on two cores.
$(parity)/.installed: tests/parity/requirements.txt
	@command -v c++ >/dev/null && command -v cmake >/dev/null || \
		{ echo "A C++ compiler or cmake is missing: sudo apt-get install build-essential cmake" >&2; exit 1; }
	@"$(or $(PYTHON),python3.11)" -m venv "$(parity)" || \
		{ echo "The reference programs need Python 3.11: make parity PYTHON=/path/to/python3.11" >&2; exit 1; }
	@"$(parity)/bin/python" -m pip install --disable-pip-version-check -q -r tests/parity/requirements.txt
	@touch "$@"
