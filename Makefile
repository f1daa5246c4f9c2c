# The commands of this repository. `make help` lists them; each needs Python 3.11 or newer and pip, no more.

PYTHON ?= $(shell for python in python3 python3.13 python3.14 python3.12 python3.11 python; do \
    $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := plugins/credentials tap-bigcommerce-orders target-freshbooks plugins/sandbox plugins/webhooks
MANIFESTS := $(wildcard $(PACKAGES:%=%/pyproject.toml))
PRESENT := $(MANIFESTS:%/pyproject.toml=%)
WORKERS ?= 3
STAMP := $(VENV)/.setup
SUITE = $(BIN)/pytest --junitxml out/junit/$@.xml
PARALLEL = -n $(WORKERS) --dist loadscope
HOSTILE := tests/test_hostile.py tests/test_e2e_pipe.py tests/test_e2e_meltano.py \
    tap-bigcommerce-orders/tests/test_tap_process.py target-freshbooks/tests/target/test_target_process.py \
    target-freshbooks/tests/ledger/test_ledger_database.py target-freshbooks/tests/test_books_cases.py \
    plugins/credentials/tests/test_credentials_store.py plugins/webhooks/tests/test_webhooks_receiver.py
PROBES := tests/probe tap-bigcommerce-orders/tests/test_tap_probe.py
PURE := target-freshbooks/tests/plan $(wildcard target-freshbooks/tests/test_books_*.py) \
    target-freshbooks/tests/test_digests.py

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-live test test-more test-hostile test-postgresql sweep sweep-probes bench attack fuzz mutate kept lint types size coverage format docs-check build-check constraints clean

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup: $(STAMP) ## make .venv with all packages and tools, ready for `meltano run`

$(STAMP): pyproject.toml constraints.txt meltano.yml tools/setup.sh $(MANIFESTS)
	@PYTHON="$(PYTHON)" VENV="$(VENV)" tools/setup.sh $(PRESENT)
	@touch $@

demo: $(STAMP) ## the main job on the sandbox: a month of orders becomes invoices
	@exec env PYTHONPATH=tools $(BIN)/python -m demo

demo-live: $(STAMP) ## an order paid in the sandbox appears in the books by webhook, in seconds
	@exec env PYTHONPATH=tools $(BIN)/python -m demo.live

test: $(STAMP) ## every suite but test-more and the long sweeps; what runs on both databases on SQLite only
	$(SUITE) $(PARALLEL) --no-loadscope-reorder --durations 15 -m "not (postgresql or more or sweep)"

test-more: $(STAMP) ## seldom sequences of events: broken-off runs, hand edits, signals at commands; PART=1/2 for half
	$(SUITE) $(PARALLEL) --no-loadscope-reorder -m "more and not (postgresql or sweep)" $(PART:%=--part %)

# Python leaves assertions out here; pytest writes those of test modules anew, so they count all the same.
test-hostile: $(STAMP) ## programs and files again: no assertions, another locale, time zone and umask
	umask 000; env PYTHONUNBUFFERED=1 PYTHONOPTIMIZE=1 TZ=Pacific/Kiritimati LC_ALL=C \
	    $(SUITE) $(PARALLEL) -W "ignore:assertions not in test modules" \
	    -m "not (postgresql or more or sweep)" $(HOSTILE)

test-postgresql: $(STAMP) ## the same tests on a real PostgreSQL server, which comes as a wheel
	$(SUITE) $(PARALLEL) --no-loadscope-reorder -m "postgresql and not sweep"

# A worker that is free takes over what another has not begun; what they print, figures above all, comes at the end.
SWEEP = $(SUITE) -n $(WORKERS) --dist worksteal -v -rP --show-capture stdout --timeout 7200 -m sweep

sweep: $(STAMP) ## the long proofs: crashes, faults, generated orders
	$(SWEEP) $(PROBES:%=--ignore %)

sweep-probes: $(STAMP) ## the probes under every side of every switch, and hundreds of combinations
	$(SWEEP) $(PROBES)

bench: $(STAMP) ## figures of speed beside other taps, into docs/benchmarks.md; BEFORE=checkout to compare with
	@PYTHONPATH=tools $(BIN)/python -m bench --write docs $(BEFORE:%=--before %)
	@PYTHONPATH=tools $(BIN)/python tools/bench/hook_to_books.py $(BEFORE:%=--before %)
	@echo "webhooks, 100 a second for 60 s while FreshBooks hangs:"
	@$(BIN)/python plugins/webhooks/bench/load.py --seconds 60 --sandbox

attack: $(STAMP) ## programs against hostile answers, connections and orders, with figures
	@PYTHONPATH=tools $(BIN)/python -m attack

fuzz: $(STAMP) ## odd text for each parser of others' text, ten minutes each, with figures
	@PYTHONPATH=tools $(BIN)/python -m fuzz

kept: $(STAMP) ## NAME=...: keep what this version writes as books that later versions must leave as they are
	@PYTHONPATH=tools $(BIN)/python -m kept $(NAME)

mutate: $(STAMP) ## take each safety line out and see the tests go red
	@PYTHONPATH=tools $(BIN)/python -m mutate

lint: $(STAMP) types ## ruff, mypy, bandit, zizmor, hadolint, and whether the list of safety lines is in order
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/pylint --disable=all --enable=duplicate-code $(PRESENT:%=%/src)
	PYTHONPATH=tools $(BIN)/python -m mutate.check
	$(BIN)/zizmor --offline --quiet --strict-collection .github
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml
	$(BIN)/bandit --quiet --configfile pyproject.toml -r $(PRESENT:%=%/src) plugins/airflow tools deploy

types: $(STAMP)
	@set -e; for package in $(PRESENT); do echo "mypy $$package"; $(BIN)/mypy $$package/src; done
	$(BIN)/mypy tools deploy/schedule.py plugins/airflow/dags/orders_into_freshbooks_stores.py
	$(BIN)/mypy --config-file tools/types_of_tests.ini tests $(wildcard $(PRESENT:%=%/tests))

size: $(STAMP) ## statements, lines, modules and complexity by package; SINCE=commit for before and after
	@PYTHONPATH=tools $(BIN)/python -m size $(if $(SINCE),--since $(SINCE))

coverage: $(STAMP) ## branches of accounting and the plan, by the tests that need no server
	@mkdir -p out
	$(BIN)/coverage run -m pytest -q --hypothesis-seed=0 $(PURE)
	$(BIN)/coverage report

format: $(STAMP) ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs-check: $(STAMP) ## links in the documentation lead somewhere, and what it says of tests and settings holds
	$(BIN)/python tools/docs_check.py
	$(BIN)/python tools/about.py --check

build-check: $(STAMP) ## each wheel builds, and installs alone
	PYTHON="$(PYTHON)" VENV="$(VENV)" tools/build_check.sh $(PRESENT)

constraints: ## resolve the newest versions again and pin them, with hashes for releases; KEEP=1 only adds what is new
	$(BIN)/python tools/constraints.py $(if $(KEEP),--keep) $(PRESENT)

clean: ## remove what the commands above can make again; data/, where the ledger is, stays
	rm -rf $(VENV) .meltano out dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
