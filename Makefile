# `make help` lists the targets. Variables, on the command line:
#   ARGS    more arguments for snakemake, pytest or uv
#   TORCH   cpu (default), or cuda: 2.5 GB of CUDA packages
#   PYTHON  the Python 3.11 or 3.12 to build .venv with, in place of the one found or fetched
#   WALK_STEPS, WALK_SEED  how far to walk (500), and which way (another one each time)

TORCH ?= cpu
WALK_STEPS ?= 500
WALK_SEED ?= $(shell date +%s)

SETUP := sh envs/setup.sh
# Where tests are chosen by ARGS, a directory may have none of them.
CHOSEN = $(ARGS) $(if $(ARGS),|| [ $$? = 5 ])
# What takes longest is named first, and so begun first.
PYTEST := .venv/bin/python -m pytest --dist loadfile --no-loadscope-reorder --numprocesses
# Real runs wait now and then, so one more than there are processors.
RUNS := $(shell echo $$(($$(nproc) + 1)))
SMK := Snakefile workflow/Snakefile workflow/rules examples/words/Snakefile benchmarks/bare.smk

export TORCH PYTHON

# Imports without bytecode take three times as long, in every job.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev doctor cluster remote run check test test-all test-conda test-remote test-setup test-slurm walk sweep bench bench-full lint format config lock clean

help:  ## list the targets
	@awk -F ':.*## *' '/^[a-z-]+:.*##/ {printf "%-10s %s\n", $$1, $$2}' Makefile
	@sed -n '1s/.*Variables/Variables/p; 2,5s/^# *//p' Makefile

# Set-up itself sees whether anything is to be done.
setup:  ## build .venv from the locks, hashes checked
	@$(SETUP)

setup-dev:
	@$(SETUP) dev

doctor:  ## say what is here, for a bug report
	@$(SETUP) doctor

cluster:  ## the same, with Snakemake's executor for Slurm; see docs/slurm.md
	@$(SETUP) cluster

remote:  ## the same, with what further stores on S3 and behind SSH need; see docs/remote-stores.md
	@$(SETUP) remote

run: setup  ## make results/submission.csv
	.venv/bin/snakemake -c8 results/submission.csv $(ARGS)

check: lint  ## check style, then run the unit tests: a minute on two cores
	$(PYTEST) auto tests/unit $(CHOSEN)

test: check  ## that, then real runs of all that a user does: four minutes
	$(PYTEST) $(RUNS) tests/workflow $(CHOSEN)

test-all: check  ## all that, and what takes long, such as every command of these pages: 18 minutes
	$(PYTEST) $(RUNS) tests/long tests/workflow $(CHOSEN)

test-conda:  ## run the chain through snakemake --use-conda, with a stand-in for conda
	@$(SETUP) dev conda-test
	.venv/bin/python -m pytest tests/conda $(ARGS)

test-remote:  ## use further stores on real servers of S3 and SSH, which run on this host
	@$(SETUP) dev remote
	.venv/bin/python -m emodag environment .tools/remote-test envs/remote-test.lock
	.venv/bin/python -m pytest tests/remote $(ARGS)

test-setup: setup-dev  ## have set-up fetch uv by pip, by ensurepip, by apt-get, and in vain
	.venv/bin/python -m pytest tests/setup $(ARGS)

test-slurm:  ## run the chain, and what may go wrong with it, on a real Slurm; as root on Debian
	@$(SETUP) dev cluster
	.venv/bin/python -m pytest tests/slurm $(ARGS)

walk: setup-dev  ## do what may happen to a small chain at random, and check it each time
	.venv/bin/python -m tests.workflow.scenarios.walk --steps $(WALK_STEPS) --seed $(WALK_SEED) $(ARGS)

sweep: setup-dev  ## make every file operation of a small chain fail once, and check it each time
	.venv/bin/python -m tests.workflow.scenarios.sweep $(ARGS)

bench: setup-dev  ## measure speed, into results/speed.html, and what content addressing costs
	.venv/bin/python -m benchmarks.cost
	.venv/bin/python -m benchmarks.speed $(ARGS)

bench-full: setup-dev  ## measure speed at the competition's size as well: two hours
	.venv/bin/python -m benchmarks.speed --full $(ARGS)

lint: setup-dev  ## check style
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/snakefmt --check $(SMK)
	.venv/bin/snakemake --lint

format: setup-dev  ## put files into the style that lint checks
	.venv/bin/ruff check --fix-only
	.venv/bin/ruff format
	.venv/bin/snakefmt $(SMK)

config: setup  ## write config.yaml, its JSON schema and its reference anew, from the models
	.venv/bin/python -m emodag config >config.yaml.new && mv config.yaml.new config.yaml
	.venv/bin/python -m emodag config --schema >schema.new && \
		mv schema.new workflow/schemas/config.schema.json
	.venv/bin/python -m emodag config --reference >reference.new && \
		mv reference.new docs/configuration.md

lock: setup  ## write envs/*.lock and *.yaml anew
	.venv/bin/python envs/lock.py $(ARGS)

clean:  ## remove .venv, .tools and the tools' caches; results stay
	rm -rf .venv .tools .pytest_cache .ruff_cache .hypothesis .walk
	find workflow examples tests envs -name __pycache__ -prune -exec rm -rf {} +

run check test test-all test-conda test-remote test-setup test-slurm walk sweep bench bench-full lint format lock: export PATH := $(CURDIR)/.venv/bin:$(PATH)
