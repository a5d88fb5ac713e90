# Two commands matter to a newcomer: `make demo` and `make test`.
PY := .venv/bin/python
STAMP := .venv/.installed

SEEDS := 100
PIP := .venv/bin/pip install -q --disable-pip-version-check
# For every system and Python we run on; hosts of registries are the machine's own affair.
COMPILE := .venv/bin/uv pip compile -q --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --custom-compile-command 'make lock' pyproject.toml

.PHONY: demo test coverage mutants lint bench soak lock

$(STAMP): pyproject.toml locks/dev.txt
	python3 -m venv .venv
	$(PIP) --require-hashes -r locks/dev.txt
	$(PIP) --no-deps --no-build-isolation -e .
	touch $(STAMP)

# What is installed, by hash: taken anew within the bounds of pyproject.toml.
lock:
	test -x .venv/bin/uv || { python3 -m venv .venv && $(PIP) uv; }
	$(COMPILE) --upgrade --extra fast -o locks/run.txt
	$(COMPILE) --upgrade --all-extras -o locks/dev.txt

demo: $(STAMP)
	.venv/bin/homemeeting demo --home homemeeting-demo

test: $(STAMP)
	.ci/browser
	$(PY) -m pytest -n logical

# Which lines and branches of what is billed the tests go through; takes twice as long as they do.
coverage: $(STAMP)
	.venv/bin/coverage erase
	-.venv/bin/coverage run -m pytest -n logical
	.venv/bin/coverage combine -q
	.venv/bin/coverage report

# Which faults of the merge and the rating no test would find; takes hours.
mutants: $(STAMP)
	$(PY) -m tests.mutants

lint: $(STAMP)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	$(PY) .ci/locked

bench: $(STAMP)
	$(PY) benchmarks/emit.py
	$(PY) benchmarks/project.py
	$(PY) benchmarks/rate.py

soak: $(STAMP)
	$(PY) -m tests.soak $(SEEDS)
	HOMEMEETING_FIRE=$(SEEDS) $(PY) -m pytest -n logical -m "fire or soak or drawn"
