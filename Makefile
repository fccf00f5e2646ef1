# Two commands do everything on a fresh machine with Python 3.11 to 3.13, git, make and g++:
#   make demo    set up, then run the main job
#   make test    set up, then lint and test
# Nothing outside this folder and uv's cache is changed.

UV := $(shell command -v uv 2>/dev/null || echo .tools/uv/bin/uv)
RUN := $(UV) run --no-sync
READY := .venv/.ready

# Simulated recordings are kept here rather than in the user's own cache.
export SPIKEPORT_CACHE := $(CURDIR)/.cache

# Modules are compiled once, not by each of the hundreds of programs that the tests start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint slow docs test-matrix system-deps clean

demo: $(READY)
	$(RUN) spikeport demo

test: lint
	$(RUN) pytest -q -n auto --dist worksteal

lint: $(READY)
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy

# The tests that take more than half a minute each.
slow: $(READY)
	$(RUN) pytest -q -m slow

# The documentation as a folder of pages, site/index.html first.
docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build --quiet --strict

# The Lava tests on Python 3.11, 3.12 and 3.13, each in an environment of its own (6 GB on a disk
# without hard links). TESTS=tests for all that make test runs; MISSING=skip passes over a Python
# that is not on this machine.
TESTS := tests/targets tests/failcases
test-matrix: $(UV)
	UV=$(UV) tests/matrix.sh $(TESTS)

$(READY): pyproject.toml $(UV)
	$(UV) sync --quiet
	@touch $@

.tools/uv/bin/uv:
	python3 -m venv .tools/uv
	.tools/uv/bin/pip install --quiet uv

# Debian packages that some tests use; without them those tests skip and say so.
SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)
system-deps:
	$(SUDO) apt-get update -qq
	$(SUDO) apt-get install -y -qq --no-install-recommends git make g++ graphviz chromium chromium-driver >/dev/null

clean:
	rm -rf .venv .venv-* .tools .cache .mypy_cache .pytest_cache .ruff_cache build dist site *.egg-info spikeport-demo
