# One verb a line; `make` alone prints them. Works with GNU make 3.81 and up.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

# What you may set: PYTHON=/path/to/python3.11  TORCH_INDEX=<extra package index>  NO_RELEASE=1
#                   SET='finetune.epochs=1 product.audience="The team"'  ARGS="-k data"
#                   PRODUCT=products/tickets.yaml
PYTHON ?=
TORCH_INDEX ?=
SET ?=
PRODUCT ?=
ARGS ?=
export TORCH_INDEX

VENV := .venv
STAMP := $(VENV)/.complete
RUN := $(VENV)/bin/python
TOOL := $(VENV)/bin/modelyard
# Through the environment, so that blanks, brackets and quotes arrive as they were written.
export MODELYARD_SET := $(SET)
export MODELYARD_PRODUCT := $(PRODUCT)
# DVC runs `python -m pipeline.<stage>`: that must be this environment's Python.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONUNBUFFERED := 1
# Python reads these before a line of ours runs; pipeline/core/chosen_environment.py chooses all the others.
# Without PYTHONDONTWRITEBYTECODE, each stage's process would compile all our files again.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONSTARTUP PYTHONINSPECT PYTHONWARNINGS PYTHONOPTIMIZE

define NEWLINE


endef
ifneq ($(findstring :,$(CURDIR))$(findstring $(NEWLINE),$(CURDIR)),)
$(error Modelyard cannot work in a folder whose path has a `:` or a line break; move it: $(subst $(NEWLINE),?,$(CURDIR)))
endif

.PHONY: help pipeline quickstart test check format annotate serve stop ui compare compress-search bench soak clean install

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' Makefile

pipeline: $(STAMP) ## raw text to a served, compressed model (SET="section.key=value", NO_RELEASE=1)
	@$(TOOL) build $(ARGS)

quickstart: $(STAMP) ## the same, small: a first result within two minutes
	@$(TOOL) build --profile quickstart $(ARGS)

# Three files of tests at a time: much of the time of the longest is spent waiting for others.
test: $(STAMP) ## every test but the soak tests (ARGS="-k name" for some)
	@$(RUN) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(STAMP) ## format, lint, types, imports, code lock
	@$(RUN) -m ruff format --check .
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy
	@$(RUN) -c "from importlinter.cli import lint_imports_command as lint; lint()"
	@$(RUN) -m flows.planning.codelock --check

format: $(STAMP) ## put the code into the house's format, and write what is generated from it
	@$(RUN) -m scripts.import_rules
	@$(RUN) -m scripts.parameters
	@$(RUN) -m scripts.artifacts
	@$(RUN) -m ruff check --fix-only --quiet .
	@$(RUN) -m ruff format .
	@$(RUN) -m scripts.tour
	@$(RUN) -m flows.planning.codelock

annotate: $(STAMP) ## people label rows on a page of this machine; prints a link each (ARGS="--people ann,bob")
	@$(TOOL) annotate $(ARGS)

serve: $(STAMP) ## serve the released model, detached; prints the address
	@$(TOOL) serve $(ARGS)

stop: ## stop what serve and ui started
	@if [ -x $(TOOL) ]; then $(TOOL) stop; else echo "Nothing runs: there is no .venv."; fi

ui: $(STAMP) ## Prefect, MLflow, and a process that runs what their forms and schedules ask for
	@$(TOOL) ui $(ARGS)

compare: $(STAMP) ## models of all builds here in one table (ARGS="--all")
	@$(TOOL) compare $(ARGS)

compress-search: $(STAMP) ## tries recipes until one meets product.requirements (SET="compress.trials=4")
	@$(TOOL) search $(ARGS)

bench: $(STAMP) ## each benchmark; each ends with one line of JSON
	@set -e; for file in benchmarks/[a-z]*.py; do \
	    name=$$(basename "$$file" .py); echo "benchmark $$name"; $(RUN) -m benchmarks.$$name $(ARGS); done

soak: $(STAMP) ## the long tests: every stage killed and resumed, and more
	@$(RUN) -m pytest -m soak $(ARGS)

install: $(STAMP) ## only set up .venv, which every other target does by itself

clean: ## remove artifacts, training checkpoints and tool caches; says what it keeps
	@rm -rf artifacts .modelyard/checkpoints .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find pipeline flows benchmarks tests scripts -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
	@echo "Removed artifacts, training checkpoints and tool caches. \`make pipeline\` brings the artifacts back from DVC's cache."
	@echo "Kept: .modelyard (releases, ledger), mlflow.db, mlartifacts, .dvc/cache, .venv. Delete them by hand if you mean to."

# Runs when .venv is missing, unfinished, or older than the files that decide what is installed. Its own
# Python is named too, so that an environment whose system Python was upgraded or removed is checked.
$(STAMP): pyproject.toml constraints.txt $(VENV)/bin/python $(TOOL)
	@python="$$(sh scripts/find_python.sh "$(PYTHON)")" && "$$python" scripts/environment.py
	@$(RUN) -m pipeline.release.mlflow_database
	@$(RUN) -m flows.orchestration.prefect_server

$(VENV)/bin/python $(TOOL): ;
