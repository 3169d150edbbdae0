# Every target sets up what it needs by itself.
.DEFAULT_GOAL := help
PY := .venv/bin/python

.PHONY: help setup demo test check lint types unit docs format lock bench torture fuzz clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

setup: .venv/.ready ## .venv with the command twin, everything locked

.venv/.ready: requirements.txt pyproject.toml
	test -x $(PY) || python3 -m venv .venv
	$(PY) -m pip install -q --disable-pip-version-check uv==$$(sed -n 's/^# uv //p' requirements.in)
	.venv/bin/uv pip sync -q --python $(PY) --require-hashes requirements.txt
	.venv/bin/uv pip install -q --python $(PY) --no-deps --no-build-isolation -e .
	touch $@

demo: setup ## a day of a street along the whole road: Kafka, database, archive, replay; DAY=2026-10-25 for another
	@.venv/bin/twin demo $(if $(DAY),--day $(DAY))

lint: setup ## ruff: rules and format
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: setup ## mypy, strict
	.venv/bin/mypy

unit: setup ## the tests
	tests/run

test: lint types unit ## lint, types, all tests on the real stack

check: test ## the same

docs: setup ## write anew what documents show of schema, commands, twins and their output
	$(PY) -m cli.reference
	$(PY) -m cli.twins_page
	WRITE_DOCS=1 TWIN_TEST_PROCESSES=0 tests/run tests/streams/test_database_page.py tests/test_readme.py tests/replay/test_coverage.py

format: setup ## let the formatter write
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

lock: setup ## resolve requirements.in again
	.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url requirements.in -o requirements.txt
	$(MAKE) setup

torture: setup ## kill parts at random under load (DURATION=seconds, SEED=n), then hold log, tables and archive together
	$(PY) -m replay.torture --duration $(or $(DURATION),1800) $(if $(SEED),--seed $(SEED))

bench: setup ## measure everything in one run into build/bench.json (BENCH_SCALE=0.05 to try, BENCH_WORKERS=n)
	$(PY) -m replay.bench

fuzz: setup ## mutated messages against every decoder (COUNT=10000 each, SEED=1); what one fails on is in build/fuzz
	$(PY) -m replay.fuzz $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED))

clean: ## forget what was built
	rm -rf .venv build .stamps
