# The ways to use the source tree. `make setup` is the only one that installs anything.
CARGO ?= cargo
# Where setup puts cargo when the machine has none.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)
# The name or the file of the weights that the demonstration and the tests use.
MODEL ?= qwen2.5-coder-1.5b

# What reads text off the screen, in the catalogue.
READING ?= ocr

.PHONY: setup build model demo test lint fmt bench see

setup:
	./scripts/setup.sh

build:
	$(CARGO) build --workspace

# Fetches the weights and prints where they are; a file that is there and right is not fetched again.
model:
	$(CARGO) run --quiet --package freehand -- model pull $(MODEL)
	$(CARGO) run --quiet --package freehand -- model pull $(READING)

demo: setup
	$(CARGO) build --package freehand --package freehand-examples
	weights=$$($(CARGO) run --quiet --package freehand -- model pull $(MODEL)) && \
	$(CARGO) run --quiet --package freehand-examples --bin demo -- "$$weights" $(DEMO)

# The doctests hold what must not compile; nextest does not run them.
test:
	weights=$$($(CARGO) run --quiet --package freehand -- model pull $(MODEL)) && \
	networks=$$($(CARGO) run --quiet --package freehand -- model pull $(READING) | head -n 1) && \
	FREEHAND_TEST_GGUF="$$weights" FREEHAND_TEST_OCR="$${networks%/*}" $(CARGO) nextest run --workspace
	$(CARGO) test --workspace --doc

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	./scripts/features.sh

fmt:
	$(CARGO) fmt --all

# Built as it is installed: an unoptimised build would measure itself.
bench:
	$(CARGO) run --release --package freehand -- bench step
	$(CARGO) run --release --package freehand -- bench ocr

# How well it sees real pages and programs, as it does once it has the networks for reading; says what to install where one is missing.
see:
	$(CARGO) build --package freehand
	weights=$$($(CARGO) run --quiet --package freehand -- model pull $(MODEL)) && \
	python3 bench/corpus/see.py --read --tokens "$$weights" --details
