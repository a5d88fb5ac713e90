# Two commands matter to a newcomer: `make test` here, `make demo` once the line is whole.
PY := .venv/bin/python
STAMP := .venv/.installed

.PHONY: test lint clean

$(STAMP): pyproject.toml
	python3 -m venv .venv
	.venv/bin/pip install -q --disable-pip-version-check -e '.[dev]'
	touch $(STAMP)

test: $(STAMP)
	$(PY) -m pytest

lint: $(STAMP)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
