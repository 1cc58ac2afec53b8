# Two commands do all the set-up on a machine with Python 3.11 or newer, make and git:
#   make publish   turns posts/ into public/ and .publisher/outbox/
#   make test      runs the tests
# Both may be run again at any time; what is installed is not installed again.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
CANIEMAIL := 2.0.2
# Each installed file has its hash in requirements/. Build tools are installed separately from the environment, in
# .venv/build, so that pip need not fetch them by itself, without hashes.
PIP := PIP_CONSTRAINT= $(BIN)/python -m pip --disable-pip-version-check --quiet
BUILDING := PYTHONPATH=$(CURDIR)/.venv/build $(PIP)
LOCKED := install --require-hashes
ITSELF := install --no-deps --no-build-isolation --editable .
LISTS := pyproject.toml $(wildcard requirements/*.txt)

PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal

.PHONY: publish test quick shuffle fuzz proof mutants coverage check bench peers lock audit clients docs pictures clean

publish: .venv/.installed
	@$(BIN)/publisher subscribers import docs/sample-subscribers.csv
	@$(BIN)/publisher publish
	@echo "Open public/index.html in a browser; the emails are in .publisher/outbox/new/."

# All tests; PYTEST_ARGS adds to it, as in PYTEST_ARGS="-k feeds" or PYTEST_ARGS="-n 0 -x".
test: .venv/.installed-test
	@$(PYTEST) $(PYTEST_ARGS)

# The tests that need no server, no database but SQLite and no browser: under a minute.
quick: .venv/.installed-test
	@$(PYTEST) -n logical tests/unit -m "not (slow or browser or postgres or servers)" $(PYTEST_ARGS)

# The unit tests in twenty random orders.
shuffle: .venv/.installed-test
	@for seed in $$(seq 1 20); do $(PYTEST) tests/unit --shuffle $$seed $(PYTEST_ARGS) || exit 1; done

# Random search instead of the same examples each time.
fuzz: .venv/.installed-test
	@HYPOTHESIS_PROFILE=fuzz $(PYTEST) --timeout=3600 -m "not (slow or browser)" tests/unit \
		tests/integration/subscribers/test_histories.py $(PYTEST_ARGS)
	@FREQUENCY_SEEDS=200 $(PYTEST) --timeout=3600 tests/integration/publishing/test_frequencies.py -k nobody_gets_a_post_twice

# The promises of the documents, at full size: kills, faults, full disks, decades of schedules, a million rows. It takes hours.
PROOFS := bounds decade clocks kills fleet outages reactions rates source_kills sources faults ticking lateness subscribing imports variants queue shell million
proof: fuzz
	@for each in $(PROOFS); do echo "$$each"; $(BIN)/python -m benchmarks.$$each || exit 1; done

# Break the code in known ways, one at a time: an assertion must fail each time. It takes two minutes.
mutants: .venv/.installed-test
	@$(BIN)/python -m tests.support.mutants

# Which lines the tests run.
coverage: .venv/.installed-test
	@$(PYTEST) --cov --cov-report=term:skip-covered --cov-report=html $(PYTEST_ARGS)

check: .venv/.installed-test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# The table in docs/performance.md: BENCH_ARGS adds to it, as in BENCH_ARGS="--only site --write" or BENCH_ARGS="--quick".
bench: .venv/.installed-bench
	@$(BIN)/python -m benchmarks.performance $(BENCH_ARGS)

# The same posts with other generators, installed from their registries.
peers: .venv/.installed-bench
	@$(BIN)/python -m benchmarks.compare_feeds
	@$(BIN)/python -m benchmarks.peers

# Write requirements/ from pyproject.toml and constraints.txt.
lock: .venv-tools/.installed
	@.venv-tools/bin/python requirements/write.py

# Ask whether an installed package has a known vulnerability.
audit: .venv-tools/.installed
	@.venv-tools/bin/python requirements/audit.py

# What email clients support: CANIEMAIL is the version of the npm package with the data.
clients: .venv/.installed-test
	@npm pack --silent --pack-destination tests/data/clients caniemail@$(CANIEMAIL) >/dev/null
	@$(BIN)/python docs/generate_clients.py tests/data/clients/caniemail-$(CANIEMAIL).tgz

docs: .venv/.installed-test
	@$(BIN)/python docs/generate_configuration.py
	@$(BIN)/python docs/generate_catalogs.py
	@$(BIN)/python docs/generate_findings.py
	@$(BIN)/python docs/generate_manual.py

# The screenshots in the documents. Chromium and pngquant are needed.
pictures: .venv/.installed-test
	@$(BIN)/python docs/generate_pictures.py

clean:
	rm -rf .venv .venv-tools public outbox .publisher

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with its venv module is needed (on Debian: apt install python3-venv)."; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv

.venv/.build: requirements/build.txt | .venv/bin/python
	@rm -rf .venv/build
	@$(PIP) $(LOCKED) --target .venv/build --requirement requirements/build.txt
	@touch $@

.venv/.installed: $(LISTS) .venv/.build
	@echo "Installing Publisher into .venv"
	@$(BUILDING) $(LOCKED) --no-deps --no-build-isolation --requirement requirements/source-run.txt
	@$(PIP) $(LOCKED) --requirement requirements/run.txt
	@$(BUILDING) $(ITSELF)
	@touch $@

.venv/.installed-test: $(LISTS) .venv/.installed
	@echo "Installing the tests' tools into .venv"
	@$(BUILDING) $(LOCKED) --no-deps --no-build-isolation --requirement requirements/source-test.txt
	@$(PIP) $(LOCKED) --requirement requirements/run.txt --requirement requirements/test.txt
	@touch $@

.venv/.installed-bench: .venv/.installed-test
	@$(PIP) $(LOCKED) $(foreach list,run test bench,--requirement requirements/$(list).txt)
	@touch $@

# An environment for tools that do not import the program.
.venv-tools/.installed: requirements/tools.txt
	@$(PYTHON) -m venv --clear .venv-tools
	@PIP_CONSTRAINT= .venv-tools/bin/python -m pip --disable-pip-version-check --quiet $(LOCKED) --requirement $<
	@touch $@
