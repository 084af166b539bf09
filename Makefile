# Everything here runs in an environment that tools/venv makes on first use, from exact versions.
# PYTHON=/path/to/python says which Python to make it with; NAMES="math code" narrows `notebooks`.

PORT ?= 8000
TORCH := torch==2.13.0
BIN := .venv/bin
BOOK := .venv-book/bin
MODULES := website/node_modules/.package-lock.json

export BOOK_PDF

# What is installed is compiled when it is first used, once: whatever the shell says, that is kept.
export PYTHONDONTWRITEBYTECODE :=
# The book's figures need no screen; notebooks have a backend of their own.
export MPLBACKEND := agg

.DEFAULT_GOAL := help
.PHONY: help book test test-deep test-peers test-lowest audit dist peers bench times accuracy reference lint style notebooks studies \
	links serve pdf lock clean .venv .venv-book .venv-peers .venv-lowest .venv-bench

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

book: .venv-book $(MODULES) ## build the book; every warning is an error
	@# From nothing: pages that are not read again do not warn again, and old figures would stay.
	rm -rf _build/html _build/.doctrees
	$(BOOK)/jupyter-book build . --quiet -n -W --keep-going

pdf: ## build the book, and a PDF of it in one file
	@$(MAKE) --no-print-directory book BOOK_PDF=yes
	$(BOOK)/jupyter-book build . --quiet -n -W --keep-going --builder singlehtml
	$(BOOK)/python -m website.pdf _build/singlehtml/chapters/intro.html _build/html/activation-functions.pdf

test: .venv ## check what can break: style, types, the book, its pages and notebooks, in minutes
	@$(MAKE) --no-print-directory --jobs 2 style book
	$(BIN)/pytest $(TWO)
	$(BIN)/pytest $(TWO) --dist loadfile chapters $(LATER:%=--ignore=%) $(NBVAL)

test-deep: .venv ## check all of it at full size, with a PDF and coverage, in half an hour
	@$(MAKE) --no-print-directory pdf
	$(BIN)/pytest $(TWO) --dist loadfile $(LATER) $(NBVAL)
	$(BIN)/pytest $(TWO) --deep --cov

# The notebooks of the two parts after the tutorial, which are run at full size only.
LATER := $(wildcard $(addsuffix .ipynb, \
	$(shell sed -n '/caption: Use it/,/caption: Look up/s/.*file: //p' _toc.yml)))
TWO := --numprocesses 2 --dist worksteal
NBVAL := --nbval --nbval-current-env --nbval-sanitize-with chapters/nbval.cfg

# On Linux without a GPU, PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu saves a big download.
test-peers: .venv-peers ## run the tests that need PyTorch, in an environment of their own
	.venv-peers/bin/pytest tests/test_arrays.py tests/test_autodiff.py tests/test_devices.py \
		tests/test_frameworks.py tests/test_peers.py tests/test_readme.py --library torch

test-lowest: .venv-lowest ## run the tests of the functions with the oldest NumPy that is allowed
	.venv-lowest/bin/pytest tests/test_accuracy.py tests/test_activations.py tests/test_arrays.py \
		tests/test_autodiff.py tests/test_declare.py tests/test_devices.py tests/test_products.py \
		tests/test_vector.py --library array_api_strict --library jax

audit: .venv ## ask which locked versions have known vulnerabilities; needs the network
	for lock in requirements/*.lock; do \
		$(BIN)/uv tool run pip-audit --strict --disable-pip --requirement $$lock || exit 1; \
	done

peers: .venv .venv-peers ## check what other libraries ship, for the chapters that compare them
	$(BIN)/python benchmarks/peers.py tensorflow keras jax scipy \
		actlib actlib-compiled actlib-on-jax actlib-on-tensorflow actlib-on-dask actlib-on-array_api_strict \
		actlib-through-jax actlib-through-tensorflow
	.venv-peers/bin/python benchmarks/peers.py torch actlib-on-torch actlib-through-torch

bench: .venv-bench ## time functions beside other libraries; a ratio 1.5 times worse is an error, STORE=yes stores
	.venv-bench/bin/python benchmarks/speed.py $(if $(STORE),--store) $(NAMES)

times: .venv ## time the import, the notebooks, the book, its instruments and the tests, and store the results
	$(BIN)/python benchmarks/times.py $(NAMES)

accuracy: .venv ## measure every function and derivative on a grid that is denser still
	$(BIN)/pytest tests/test_activations.py -k "accuracy or checker" $(TWO) --deep --points 5000

reference: .venv ## compute the exact values anew that the tests compare with, all or NAMES="relu"
	$(BIN)/python tests/stored.py $(NAMES)

lint: .venv ## fix style, then check style, spelling, types and the book's words
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	@$(MAKE) --no-print-directory style
	$(BIN)/pytest --quiet tests/test_prose.py

style: .venv
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/basedpyright

notebooks: .venv ## run all notebooks and store their outputs
	$(BIN)/python tools/notebooks.py $(NAMES)

studies: .venv ## train what the book's studies lack, which takes long, and store the results
	$(BIN)/python tools/notebooks.py $$(cd chapters && grep -l '\\"data[/\\]' *.ipynb)
	$(BIN)/python tools/recording.py

links: .venv-book $(MODULES) ## ask every address that the book names whether it is there; needs the network
	$(BOOK)/jupyter-book build . --quiet -n --keep-going --builder linkcheck

serve: book ## show the book on 127.0.0.1, at port 8000 or PORT=...
	$(BOOK)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

dist: .venv ## build wheel and sdist into dist/; TAG=v0.1.0 demands that version and changelog say the same
	$(BIN)/python tools/release.py $(TAG)
	rm -rf dist
	$(BIN)/python -m build --no-isolation --outdir dist

lock: .venv ## choose the newest versions of everything anew
	$(BIN)/uv pip compile $(UV) --extra all --group dev --output-file requirements/dev.lock
	$(BIN)/uv pip compile $(UV) --extra check --extra plot --group book \
		$(AS_DEV) --output-file requirements/book.lock
	$(BIN)/uv pip compile $(UV) --extra check --group peers \
		$(AS_DEV) --output-file requirements/peers.lock
	$(BIN)/uv pip compile $(UV) --group lowest --output-file requirements/lowest.lock
	$(BIN)/uv pip compile $(UV) --extra keras --extra fast --group bench \
		$(AS_DEV) --output-file requirements/bench.lock
	cd website && $(CURDIR)/$(BIN)/npm update --ignore-scripts --package-lock-only
AS_DEV := --constraints requirements/dev.lock
UV := pyproject.toml --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-strip-extras --no-emit-index-url --custom-compile-command "make lock"

clean: ## remove everything that was made here
	rm -rf .venv .venv-* website/node_modules _build dist .coverage .*_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(MODULES): website/package-lock.json | .venv-book
	cd website && $(CURDIR)/$(BOOK)/npm ci --ignore-scripts --no-audit --no-fund

.venv:
	@tools/venv $@ requirements/dev.lock

.venv-book:
	@tools/venv $@ requirements/book.lock

.venv-peers:
	@tools/venv $@ requirements/peers.lock $(TORCH)

.venv-lowest:
	@tools/venv $@ requirements/lowest.lock

.venv-bench:
	@tools/venv $@ requirements/bench.lock $(TORCH)
