# Everything here makes its own virtual environment first. `make help` lists what there is.
PYTHON ?= python3
BIN := .venv/bin
CORES ?= all
ACCELERATOR := $(shell nvidia-smi >/dev/null 2>&1 && echo gpu || echo cpu)
PROFILE := $(if $(filter gpu,$(ACCELERATOR)),default,cpu)
STAMP := .venv/installed-$(ACCELERATOR)

.PHONY: help setup demo test lint bench bench-large docs lock
help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

setup: $(STAMP) ## virtual environment and default models (fetched once, checked by sha256)
	@$(BIN)/faceset setup

$(STAMP): requirements.lock pyproject.toml
	@echo "Making the virtual environment .venv ($(ACCELERATOR)); this takes a minute or two."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	@$(PYTHON) -m venv --clear .venv
	@awk -v want="# $(ACCELERATOR)" '/^# /{here=$$0} here=="# every machine" || here==want' requirements.lock \
		> .venv/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@rm -f .venv/installed-* && touch $@

demo: setup ## set up, then take real footage from frames to face sets, in demo/
	@$(BIN)/faceset demo demo
	@$(BIN)/snakemake --cores $(CORES) --directory demo --workflow-profile profiles/$(PROFILE) --quiet rules progress

test: lint ## lint, and prove that everything works
	@$(BIN)/pytest -n 2 --dist loadfile

lint: setup
	@$(BIN)/faceset demo demo
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/snakefmt --check Snakefile workflow/Snakefile rules
	@$(BIN)/snakemake --lint --directory demo
	@$(BIN)/mypy

bench: setup ## measure speed and memory, clustering beside other ways
	@$(BIN)/python -m benchmarks

bench-large: setup ## measure the clustering of a million faces; ten minutes
	@$(BIN)/python -m benchmarks clustering_large

docs: $(STAMP) ## write the manuals that are made from the code
	@$(BIN)/python docs/make.py

lock: ## write requirements.lock and envs/ from pyproject.toml (needs uv)
	@$(PYTHON) envs/lock.py
