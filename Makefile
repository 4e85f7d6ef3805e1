# `make help` lists the targets. Variables, on the command line:
#   ARGS    more arguments for snakemake, pytest or uv
#   TORCH   cpu (default), or cuda: 2.5 GB of CUDA packages
#   PYTHON  the Python 3.11 or 3.12 to build .venv with
#   WALK_STEPS, WALK_SEED  how far to walk (500), and which way (another one each time)

TORCH ?= cpu
WALK_STEPS ?= 500
WALK_SEED ?= $(shell date +%s)

SUITS := import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))
ifndef PYTHON
PYTHON := $(shell for p in python3.11 python3.12 python3; do \
	$$p -c '$(SUITS)' 2>/dev/null && echo $$p && break; done)
endif

TORCH_LOCK := envs/local.torch-$(TORCH).lock
ifeq ($(wildcard $(TORCH_LOCK)),)
$(error TORCH=$(TORCH): expected cpu or cuda)
endif

# Stamps bear a digest of what they vouch for, because a checkout does not keep modification times:
# the locks, the interpreter, and the path, which the scripts of a virtual environment contain.
digest = $(if $(PYTHON),$(shell cat $(1) | $(PYTHON) 2>/dev/null -c 'import hashlib, os, sys; \
	seal = repr((sys.version, sys.base_prefix, os.getcwd())).encode(); \
	print(hashlib.sha256(sys.stdin.buffer.read() + seal).hexdigest()[:16])'))
READY := .venv/.ready-$(call digest,envs/local.lock $(TORCH_LOCK))
READY_DEV := .venv/.ready-dev-$(call digest,envs/local.lock $(TORCH_LOCK) envs/dev.lock)
READY_CONDA := .venv/.ready-conda-$(call digest,envs/local.lock $(TORCH_LOCK) envs/dev.lock \
	envs/conda-test.lock)
READY_CLUSTER := .venv/.ready-cluster-$(call digest,envs/local.lock $(TORCH_LOCK) \
	envs/cluster.lock)

PIP := .venv/bin/python -m pip --disable-pip-version-check -qq install --require-hashes
NO_TORCH_cpu := If pip found no torch without CUDA: set PIP_EXTRA_INDEX_URL to the index of CPU \
	wheels that the PyTorch install page names, or use TORCH=cuda.
SMK := Snakefile workflow/rules benchmarks/bare.smk

# Imports without bytecode take three times as long, in every job.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup cluster run test test-conda test-slurm walk bench bench-full lint format config lock clean

help:  ## list the targets
	@awk -F ':.*## *' '/^[a-z-]+:.*##/ {printf "%-10s %s\n", $$1, $$2}' Makefile
	@sed -n '1s/.*Variables/Variables/p; 2,5s/^# *//p' Makefile

setup: $(READY)  ## build .venv from the locks, hashes checked

cluster: $(READY_CLUSTER)  ## the same, with Snakemake's executor for Slurm; see docs/slurm.md

run: $(READY)  ## make results/submission.csv
	.venv/bin/snakemake -c8 results/submission.csv $(ARGS)

test: lint  ## check style, then run the whole test suite
	.venv/bin/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

test-conda: $(READY_CONDA)  ## run the chain through snakemake --use-conda, with a stand-in for conda
	.venv/bin/python -m pytest tests/conda $(ARGS)

test-slurm: $(READY_DEV) $(READY_CLUSTER)  ## run the chain, and what may go wrong with it, on a real Slurm; as root on Debian
	.venv/bin/python -m pytest tests/slurm $(ARGS)

walk: $(READY_DEV)  ## do what may happen to a small chain at random, and check it each time
	.venv/bin/python -m tests.workflow.scenarios.walk --steps $(WALK_STEPS) --seed $(WALK_SEED) $(ARGS)

bench: $(READY_DEV)  ## measure speed, into results/speed.html, and what content addressing costs
	.venv/bin/python -m benchmarks.cost
	.venv/bin/python -m benchmarks.speed $(ARGS)

bench-full: $(READY_DEV)  ## measure speed at the competition's size as well: an hour and a half
	.venv/bin/python -m benchmarks.speed --full $(ARGS)

lint: $(READY_DEV)  ## check style
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/snakefmt --check $(SMK)
	.venv/bin/snakemake --lint

format: $(READY_DEV)  ## put files into the style that lint checks
	.venv/bin/ruff check --fix-only
	.venv/bin/ruff format
	.venv/bin/snakefmt $(SMK)

config: $(READY)  ## write config.yaml, its JSON schema and its reference anew, from the models
	.venv/bin/python -m emodag config >config.yaml.new && mv config.yaml.new config.yaml
	.venv/bin/python -m emodag config --schema >schema.new && \
		mv schema.new workflow/schemas/config.schema.json
	.venv/bin/python -m emodag config --reference >reference.new && \
		mv reference.new docs/configuration.md

lock:  ## write envs/*.lock and *.yaml anew; needs uv
	$(PYTHON) envs/lock.py $(ARGS)

clean:  ## remove .venv and the tools' caches; results stay
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .walk
	find workflow tests envs -name __pycache__ -prune -exec rm -rf {} +

run test test-conda test-slurm walk bench bench-full lint format: export PATH := $(CURDIR)/.venv/bin:$(PATH)

# Always from nothing, so that what an interrupted run left is not taken for installed; downloads
# come from pip's cache. torch goes first: its lock has the setuptools that one package is built
# with. pip compiles on one core only, and what no job imports as well.
$(READY):
	@test -n '$(PYTHON)' && $(PYTHON) -c '$(SUITS)' || \
		{ echo 'Python 3.11 or 3.12 is needed: install one, or name it with PYTHON=' >&2; exit 1; }
	@echo 'Building .venv: torch ($(TORCH)) ...'
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) --no-compile -r $(TORCH_LOCK) || { echo '$(NO_TORCH_$(TORCH))' >&2; exit 1; }
	@echo 'Building .venv: the other packages ...'
	@$(PIP) --no-compile --no-build-isolation -r envs/local.lock
	@echo 'Building .venv: bytecode ...'
	@.venv/bin/python -m compileall -qq -j0 -x '/tests/|/testing/_internal/' .venv/lib || true
	@.venv/bin/python -c 'import pathlib, sysconfig; \
		site = pathlib.Path(sysconfig.get_path("purelib")); \
		site.joinpath("emodag.pth").write_text(str(pathlib.Path("workflow").resolve()))'
	@touch $@

# While it installs, .venv counts as incomplete.
$(READY_DEV): $(READY)
	@echo 'Building .venv: development tools ...'
	@rm -f .venv/.ready-*
	@$(PIP) -r envs/dev.lock
	@touch $(READY) $@

# Without what its packages need, which is all there; one asks for another NumPy than the jobs'.
$(READY_CLUSTER): $(READY)
	@echo 'Building .venv: the executor for Slurm ...'
	@$(PIP) --no-deps -r envs/cluster.lock
	@touch $@

$(READY_CONDA): $(READY_DEV)
	@echo 'Building .venv: what stands in for conda ...'
	@rm -f .venv/.ready-*
	@$(PIP) -r envs/conda-test.lock
	@touch $(READY) $(READY_DEV) $@
