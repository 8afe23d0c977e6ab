# make run    trains a network on the embedded digits, in a virtual environment of its own
# make test   runs the tests; once its packages are installed, offline; what it compiles is kept in .cache for the next time
# make test-all runs also those that are marked long, as `make check` does
# make extras tests what needs other libraries (scikit-learn, optax, onnx, ...), in .venv-extras; there nothing is skipped
# make campaigns runs what takes too long for that: all planted bugs, 200 random functions, ...
# make claims runs every claim of the lecture notes and writes experiments/notes/CLAIMS.md
# make docs   builds the pages of docs/ into site/, in a virtual environment of its own
# make check  is all that CI runs
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test test-all extras extras-here campaigns lint claims docs check clean

run: $(VENV)/run
	$(BIN)/fnn run configs/digits.toml

PYTEST := $(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile

test: $(VENV)/test
	$(PYTEST)

test-all: $(VENV)/test
	$(PYTEST) -m "not campaign"

extras:
	$(MAKE) extras-here VENV=.venv-extras

# the second line: tests that stand elsewhere, with the libraries themselves in place of what stands for them in `make test`
extras-here: $(VENV)/extras
	FNN_EXTRAS=1 $(PYTEST) tests/interop src/fnn/interop \
		tests/data/test_tables.py tests/looking/test_tables.py \
		tests/checking/test_second_opinions.py::test_the_gradient_is_that_of_scikit_learn \
		tests/checking/test_rules.py::test_an_equinox_loss tests/checking/test_rules.py::test_a_flax_loss

campaigns: $(VENV)/test
	$(PYTEST) -m campaign

lint: $(VENV)/lint
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyrefly check
	$(BIN)/pyrefly check --python-platform win32
	$(BIN)/pyrefly check --python-platform darwin

claims: $(VENV)/run
	$(BIN)/python -m experiments.notes.claims

docs: .venv-docs/docs
	.venv-docs/bin/zensical build --clean --strict
	.venv-docs/bin/python -m experiments.docs.built_pages

check:
	bash .ci/run

clean:
	rm -rf $(VENV) .venv-extras .venv-docs .cache site

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "fnn needs Python 3.11 or newer; none of python3 ... python3.11 is. Name it: make PYTHON=/path/to/python $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) 'pip>=25.1'

# a file per set of packages says that it is installed; a newer pyproject.toml installs again
$(VENV)/run: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[plots]'
	@touch $@

$(VENV)/test: pyproject.toml $(VENV)/run
	$(PIP) --group test
	@touch $@

$(VENV)/extras: pyproject.toml $(VENV)/run
	$(PIP) --group extras
	@touch $@

$(VENV)/lint: pyproject.toml $(VENV)/run
	$(PIP) --group lint
	@touch $@

# the pages are made from the text of the sources, so neither fnn nor JAX is installed
.venv-docs/docs: pyproject.toml
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
	.venv-docs/bin/python -m pip install --quiet --disable-pip-version-check --group docs
	@touch $@
