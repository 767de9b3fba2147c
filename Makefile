# Everything that these do stays inside the clone, apart from the caches of pip and npm.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check format gas clean distclean

ARGS ?=
PARTS ?=

help: ## print this
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing, compile what has changed
	@scripts/setup

demo: setup ## run a whole federated task on this machine; options as ARGS="--rounds 3"
	@.venv/bin/bcfl demo $(ARGS)

test: ## run all tests, or PARTS="forge brownie client e2e"
	@scripts/setup tests
	@scripts/test $(PARTS)

check: setup ## check format, lint and types
	@.venv/bin/ruff format --check
	@.venv/bin/ruff check
	@.venv/bin/mypy

format: setup ## format the Python code
	@.venv/bin/ruff format
	@.venv/bin/ruff check --fix

gas: setup ## measure gas per function and round, and write docs/gas.json
	@.venv/bin/python scripts/gas.py

clean: ## remove what builds and tests made
	rm -rf build .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -not -path '*/node_modules/*' -prune -exec rm -rf {} +

distclean: clean ## also remove the environment and the npm packages
	rm -rf .venv node_modules tests/ipfs/node_modules
