# Two commands matter to a newcomer: `make demo` and `make test`.
PY := .venv/bin/python
STAMP := .venv/.installed

.PHONY: demo test lint bench soak

SEEDS := 100

$(STAMP): pyproject.toml
	python3 -m venv .venv
	.venv/bin/pip install -q --disable-pip-version-check -e '.[dev]'
	touch $(STAMP)

demo: $(STAMP)
	.venv/bin/homemeeting demo --home homemeeting-demo

test: $(STAMP)
	.ci/browser
	$(PY) -m pytest -n logical

lint: $(STAMP)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

bench: $(STAMP)
	$(PY) benchmarks/emit.py
	$(PY) benchmarks/project.py
	$(PY) benchmarks/rate.py

soak: $(STAMP)
	$(PY) -m tests.soak $(SEEDS)
