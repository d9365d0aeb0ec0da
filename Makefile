# make demo   run the main job: a lender and a bureau build a scorecard
# make test   run the tests (WORKERS=1: one by one)    make lint   check style, types and layers
# make deaths kill nodes at fifty instants of a job (a few minutes); the suite does three
# make fuzz   run each fuzzer for a minute (SECONDS=…)
# make bench  measure, and write the tables of docs/benchmarks.md
# make bench-peers  the same work by SecretFlow's engine, in an environment of its own (.peers), taking turns
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install demo test lint deaths fuzz bench bench-ledger bench-peers clean
install: $(STAMP)

$(STAMP): pyproject.toml
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --allow-existing $(VENV) && uv pip install --quiet --python $(BIN)/python -e '.[dev]'; \
	else \
	  python3 -m venv $(VENV) && $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'; \
	fi
	@touch $@

demo: $(STAMP)
	$(BIN)/unseen demo

# As many processes as processors, but no more than memory allows; compiled Python is kept for the nodes they start.
WORKERS ?= logical
test: $(STAMP)
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 6 --dist worksteal

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

deaths: $(STAMP)
	UNSEEN_DEATHS=50 $(BIN)/python -m pytest -q tests/end_to_end/test_sudden_death.py

SECONDS ?= 60
fuzz: $(STAMP)
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip -q
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[fuzz]'
	@cd $(VENV) && readers=$$(PYTHONPATH=../fuzz bin/python -c "import readers; print(*readers.READERS)" 2>/dev/null) && \
	for reader in $$readers; do echo "== $$reader"; \
	  bin/python ../fuzz/readers.py $$reader -max_total_time=$(SECONDS) > fuzz.log 2>&1 || { tail -n 40 fuzz.log; exit 1; }; \
	  tail -n 1 fuzz.log; done

bench: $(STAMP)
	$(BIN)/unseen bench --all --write docs/benchmarks.md

bench-ledger: $(STAMP)
	$(BIN)/python -m unseen.cli.bench.ledger --entries 1000000

bench-peers: $(STAMP) .peers/venv/.installed
	$(BIN)/python -m unseen.cli.bench.peers --write docs/benchmarks.md

.peers/venv/.installed:
	python3 -m venv .peers/venv
	.peers/venv/bin/pip install --quiet --disable-pip-version-check 'spu==0.9.5' 'numpy<2' 'jax==0.4.34' 'jaxlib==0.4.34'
	@touch $@

clean:
	rm -rf $(VENV) .peers build dist .mypy_cache .ruff_cache .pytest_cache
