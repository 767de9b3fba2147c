# Everything that these do stays inside the clone, apart from the caches of pip and npm.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check format gas bench-bulk bench-aggregation bench-engine experiments catalogue equivalence invariants mutants coverage slither halmos clean distclean

ARGS ?=
PARTS ?=
COUNT ?= 1000000
CALLS ?= 2000000
SAMPLE ?= 200

help: ## print this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing, compile what has changed
	@scripts/setup

demo: setup ## run a whole federated task on this machine; options as ARGS="--rounds 3"
	@.venv/bin/bcfl demo $(ARGS)

test: ## run the tests, or PARTS="forge brownie client e2e"
	@scripts/setup tests
	@scripts/test $(PARTS)

check: setup ## check format, lint and types
	@.venv/bin/ruff format --check
	@.venv/bin/ruff check
	@.venv/bin/mypy

format: setup ## format the Python code
	@.venv/bin/ruff format
	@.venv/bin/ruff check --fix

gas: setup ## measure gas per function, round and fraud proof, and write docs/gas.json
	@.venv/bin/python scripts/gas.py

bench-bulk: setup ## measure how long the updates of 100 trainers take to be in blocks: in a batch, one by one
	@.venv/bin/python -m scripts.bench_bulk

bench-aggregation: setup ## measure the aggregation rules beside Flower's loop, NumPy and the bandwidth of memory
	@.venv/bin/python -m scripts.bench_aggregation $(ARGS)

bench-engine: setup ## measure the training engine beside Flower and PyTorch on MNIST; options as ARGS="--batch 32"
	@.venv/bin/python -m scripts.bench_engine $(ARGS)

experiments: setup ## play what docs/experiments.md shows, two hours, and write it; options as ARGS="--runs 2"
	@for what in \
		resource-allocation "resource-allocation --setting blade" lazy-nodes forking scale \
		"laziness --runs 10" "laziness --runs 3 --dataset fashion-mnist" "rewards --runs 5" \
		"poisoning --runs 3" "poisoning --runs 3 --dataset fashion-mnist" \
	; do .venv/bin/bcfl experiment $$what $(ARGS) || exit 1; done
	@.venv/bin/python -m scripts.experiment_docs .bcfl/experiments

catalogue: ## list the tests of every attack in docs/attacks.md, and what is missing
	@scripts/catalogue

equivalence: setup ## compare Python and Solidity bit for bit; COUNT=1000000 random coordinates
	@.venv/bin/python scripts/equivalence --count $(COUNT)

invariants: setup ## fuzz whole tasks; CALLS=2000000 calls
	@scripts/invariants $(CALLS)

mutants: setup ## plant bugs in the contracts and see whether the tests find them; SAMPLE=200 of them
	@scripts/mutate --sample $(SAMPLE)

coverage: setup ## measure which lines and branches of the contracts the tests reach
	@scripts/coverage

slither: setup ## analyse the contracts with Slither, in an environment of its own
	@scripts/slither

halmos: setup ## prove the money rules symbolically with halmos, in an environment of its own
	@scripts/halmos

clean: ## remove what builds and tests made
	rm -rf build .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -not -path '*/node_modules/*' -prune -exec rm -rf {} +

distclean: clean ## also remove the environment and the npm packages
	rm -rf .venv node_modules tests/ipfs/node_modules
