# Two commands do all the set-up on a machine with Python 3.11 or newer, make and git:
#   make publish   turns posts/ into public/ and .publisher/outbox/
#   make test      runs the tests
# Both may be run again at once; what is installed is not installed again.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
CANIEMAIL := 2.0.2
# The second variable is how pip 25.3 and later pin what builds a package.
PIP := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
	$(BIN)/python -m pip --disable-pip-version-check --quiet

PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal

.PHONY: publish test quick shuffle fuzz proof mutants coverage check bench clients docs pictures clean

publish: .venv/.installed
	@$(BIN)/publisher subscribers import docs/sample-subscribers.csv
	@$(BIN)/publisher publish
	@echo "Open public/index.html in a browser; the emails are in .publisher/outbox/new/."

# All tests; PYTEST_ARGS adds to it, as in PYTEST_ARGS="-k feeds" or PYTEST_ARGS="-n 0 -x".
test: .venv/.installed-test
	@$(PYTEST) $(PYTEST_ARGS)

# The tests that need no server, no database but SQLite and no browser: under a minute.
quick: .venv/.installed-test
	@$(PYTEST) tests/unit -m "not (slow or browser or postgres or servers)" $(PYTEST_ARGS)

# The unit tests in twenty random orders.
shuffle: .venv/.installed-test
	@for seed in $$(seq 1 20); do $(PYTEST) tests/unit --shuffle $$seed $(PYTEST_ARGS) || exit 1; done

# Random search instead of the same examples each time.
fuzz: .venv/.installed-test
	@HYPOTHESIS_PROFILE=fuzz $(PYTEST) --timeout=3600 -m "not (slow or browser)" tests/unit \
		tests/integration/subscribers/test_histories.py $(PYTEST_ARGS)

# What the documents promise, at full size: kills, faults, full disks, decades of schedules, a million rows. It takes hours.
PROOFS := decade kills faults ticking lateness subscribing imports variants queue
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

bench: .venv/.installed-test
	@$(PIP) install --use-pep517 --editable '.[bench]'
	@$(BIN)/python -m benchmarks.feeds
	@$(BIN)/python -m benchmarks.compare_feeds

# What mail programs support: CANIEMAIL is the version of the npm package that the data is taken from.
clients: .venv/.installed-test
	@npm pack --silent --pack-destination tests/data/clients caniemail@$(CANIEMAIL) >/dev/null
	@$(BIN)/python docs/generate_clients.py tests/data/clients/caniemail-$(CANIEMAIL).tgz

docs: .venv/.installed-test
	@$(BIN)/python docs/generate_configuration.py
	@$(BIN)/python docs/generate_catalogs.py
	@$(BIN)/python docs/generate_findings.py

# The screenshots in the documents. Chromium and pngquant are needed.
pictures: .venv/.installed-test
	@$(BIN)/python docs/generate_pictures.py

clean:
	rm -rf .venv public outbox .publisher

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with its venv module is needed (on Debian: apt install python3-venv)."; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv

.venv/.installed: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing Publisher into .venv"
	@$(PIP) install --use-pep517 --editable .
	@touch $@

.venv/.installed-test: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing Publisher and its tests' tools into .venv"
	@$(PIP) install --use-pep517 --editable '.[test]'
	@touch .venv/.installed $@
