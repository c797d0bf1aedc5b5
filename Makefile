# make demo and make test do all their own set-up in .venv; `make help` lists the rest.

VENV := .venv
VENV_45 := .venv-4.5
VENV_PEERS := .venv-peers
BIN := $(VENV)/bin
OUT ?= pallas-demo
ARGS ?=
# One thread each: small arrays gain nothing from more, and the tests share the machine.
export OMP_NUM_THREADS ?= 1

.PHONY: help setup setup-45 demo test test-blender-45 test-gui check zip bench peers clean

help:
	@echo "make demo             the embedded take, solved, on a character: $(OUT)/"
	@echo "make test             every test but the window tier, with bpy 5.0 in $(VENV)"
	@echo "make test-blender-45  the Blender tests again with bpy 4.5 in $(VENV_45)"
	@echo "make test-gui         Blender in a real window (Debian chroot; needs root and a network)"
	@echo "make check            lint, format, types, manifest"
	@echo "make zip              the extension, dist/pallas-VERSION.zip"
	@echo "make bench            side-by-side runs against other programs"
	@echo "make setup            only the set-up; make clean removes what was built"

setup:
	@dev/setup $(VENV)

setup-45:
	@dev/setup $(VENV_45) 4.5.15

demo: setup
	@$(BIN)/pallas demo --out $(OUT) --force $(ARGS)

test: setup
	@$(BIN)/python -m pytest -m "not window" $(ARGS)

test-blender-45: setup-45
	@$(VENV_45)/bin/python -m pytest -m blender $(ARGS)

test-gui: setup
	@$(BIN)/python -m pytest -m window -rs tests/window $(ARGS)

check: setup
	@dev/check $(BIN)

zip: setup
	@$(BIN)/python dev/zip

peers: setup
	@dev/peers $(BIN)/python $(VENV_PEERS)

bench: setup peers
	@if ls benchmarks/*.py >/dev/null 2>&1; then for program in benchmarks/*.py; do $(BIN)/python $$program || exit 1; done; else echo "bench: no benchmark is here yet"; fi

clean:
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis $(VENV) $(VENV).log $(VENV_45) $(VENV_45).log $(VENV_PEERS) $(VENV_PEERS).log
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
