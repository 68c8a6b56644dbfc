# Every target makes what it needs first (scripts/bootstrap), so each works in a fresh clone.
# ARGS is handed on: make demo ARGS=--serve, make test ARGS="-k zone", make lock ARGS=--upgrade

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON_FILES := reconciler tests benchmarks scripts
BIN := .venv/bin

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: runtime dev
runtime:
	@scripts/bootstrap runtime
dev:
	@scripts/bootstrap dev

.PHONY: demo
demo: runtime ## Show a simulated farm follow its git repository (ARGS=--serve keeps it running)
	@$(BIN)/reconciler demo $(ARGS)

.PHONY: test
test: dev ## Run the tests, all but those that need the lab (ARGS goes to pytest)
	@$(BIN)/pytest -n auto -m "not system" $(ARGS)

.PHONY: lab
HOSTS := 2
lab: ## Boot real hosts on this machine, as root or with sudo (HOSTS=3 for a third)
	@scripts/bootstrap lab
	@deploy/lab/lab up --hosts $(HOSTS)

.PHONY: lab-down
lab-down: ## End the lab, and remove all it made but its caches
	@deploy/lab/lab down

.PHONY: lab-clean
lab-clean: ## The same, and remove its caches too
	@deploy/lab/lab clean

.PHONY: system
system: dev ## Run the tests that need the lab, as root (ARGS goes to pytest)
	@scripts/bootstrap lab
	@$(BIN)/pytest -n 0 -m system $(ARGS)

.PHONY: verify
verify: dev ## Run everything that must hold before a merge, as root because of the lab
	@scripts/bootstrap lab
	@scripts/verify

.PHONY: fmt
fmt: dev ## Format the code, and mend what ruff can mend safely
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

.PHONY: lint
lint: dev ## Check format and style
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

.PHONY: types
types: dev ## Check types
	@$(BIN)/mypy

.PHONY: imports
imports: dev ## Check that each layer knows only those below it
	@$(BIN)/lint-imports --no-logo

.PHONY: schemas
schemas: dev ## Generate schemas/ from the models
	@$(BIN)/reconciler schema --write schemas

.PHONY: docs
docs: dev ## Generate the reference pages in docs/
	@$(BIN)/python scripts/docs.py --write

.PHONY: bench
bench: dev ## Measure, and print the figures as a table
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: bench-lab
bench-lab: dev lab ## Measure libvirt on a host of the lab, and Ansible beside it, as root
	@$(BIN)/python -m benchmarks.hypervisor $(ARGS)

.PHONY: bench-base
bench-base: HOSTS = 9
bench-base: dev lab ## Measure the base of nine hosts of the lab, pyinfra and Ansible beside it, as root
	@$(BIN)/python -m benchmarks.base $(ARGS)

.PHONY: bench-names
bench-names: dev lab ## Measure zones of up to 100,000 records at BIND in the lab, octoDNS beside it, as root
	@$(BIN)/python -m benchmarks.names $(ARGS)

.PHONY: bench-webhooks
bench-webhooks: dev ## Measure ten thousand webhooks in a minute
	@$(BIN)/python -m benchmarks.webhooks $(ARGS)

.PHONY: lock
lock: dev ## Resolve the dependencies into requirements*.lock (ARGS=--upgrade for newer ones)
	@scripts/lock $(ARGS)

.PHONY: clean
clean: ## Remove what was made here, the environment too
	@rm -rf .venv .cache build dist .coverage* htmlcov
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find $(wildcard $(PYTHON_FILES)) -name __pycache__ -type d -prune -exec rm -rf {} +
