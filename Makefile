# Two commands do all the set-up on a machine with Python 3.11 or newer, make and git:
#   make publish   turns posts/ into public/ and outbox/
#   make test      runs the tests
# Both may be run again at once; what is installed is not installed again.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
CANIEMAIL := 2.0.2
# The second variable is how pip 25.3 and later pin what builds a package.
PIP := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
	$(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: publish test check bench clients docs clean

publish: .venv/.installed
	@$(BIN)/publisher subscribers import docs/sample-subscribers.csv
	@$(BIN)/publisher publish
	@echo "Open public/index.html in a browser; the letters are in outbox/new/."

test: .venv/.installed-test
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

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
