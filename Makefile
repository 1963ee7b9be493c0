# `make run` and `make test` do everything from a fresh checkout; the rest is for those who build.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV_VERSION := 0.13.8
BIN := .venv/bin

.PHONY: run test test-full fuzz setup sample lint requirements app app-check clean

run: setup sample
	$(BIN)/python main.py resources/sample

test: setup lint
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -m "not slow"

# Everything, slow tests too; a skip (data, peer or screen missing) fails the run.
test-full: setup lint
	QT_QPA_PLATFORM=offscreen LIGHTBOX_NO_SKIP=1 $(BIN)/python -m pytest

# 2,000 damaged copies of the real files through the real open path; prints what became of them.
fuzz: setup
	$(BIN)/python -m tests.hostile.fuzz --files 2000 --seed $(or $(SEED),1)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

setup: .venv/installed
	@$(BIN)/python scripts/system_libraries.py

.venv/installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "Lightbox needs Python 3.11; name it with: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements.txt
	touch $@

sample: resources/sample

resources/sample: resources/*.py | setup
	$(BIN)/python -m resources.sample_study --out $@
	touch $@

# requirements.txt from what pyproject.toml declares, for every platform, with hashes.
requirements: setup
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes \
		--no-header --annotation-style line --output-file requirements.txt pyproject.toml

app: setup sample
	$(BIN)/pyinstaller --noconfirm --log-level WARN build.spec

app-check: setup
	$(BIN)/python scripts/check_app.py dist/Lightbox

clean:
	rm -rf .venv build dist resources/sample
