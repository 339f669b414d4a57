# Two commands do everything on a fresh machine: `make demo` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

CACHE ?= $(HOME)/.cache/stowage
TOOLS := $(CACHE)/tools
TARGET := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
GUESTS := $(TARGET)/wasm32-wasip2/guest
BUF := $(TOOLS)/node_modules/.bin/buf
export CARGO_TARGET_DIR := $(TARGET)
export STOWAGE_PLUGINS_DIR := $(TARGET)/plugins
export STOWAGE_GUESTS_DIR := $(GUESTS)/examples
export STOWAGE_PYTHON := $(TOOLS)/venv/bin/python
export STOWAGE_BUF := $(BUF)
export PATH := $(HOME)/.cargo/bin:$(TOOLS)/cargo/bin:$(PATH)

.PHONY: help setup python tools plugins build demo run test test-all bench lint fmt openapi openapi-lint

help: ## Shows this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: ## Adds what a bare machine lacks (Rust target, system packages); quick when nothing is missing
	@.ci/setup machine

python: setup ## Adds a Python with the gRPC and S3 clients that demo and tests drive, under $(CACHE)
	@TOOLS=$(TOOLS) .ci/setup python

tools: python ## Adds the linters too, under $(CACHE)
	@TOOLS=$(TOOLS) .ci/setup linters

plugins: setup ## Builds the plugins and the hostile guests for wasm32-wasip2
	cargo build --locked --quiet --profile guest --target wasm32-wasip2 -p stowage-plugin-fake -p stowage-plugin-weka
	cargo build --locked --quiet --profile guest --target wasm32-wasip2 -p stowage-guests --examples
	mkdir -p $(TARGET)/plugins
	for plugin in fake weka; do install -m 0644 $(GUESTS)/stowage_plugin_$$plugin.wasm $(TARGET)/plugins/$$plugin.wasm; done

build: plugins ## Builds the host, the node agent, the emulator and the demo
	cargo build --locked --quiet -p stowage -p stowage-node -p weka-emulator -p stowage-e2e --bins

demo: build python ## Runs the whole story on the WEKA emulator and on the fake, and prints what happened
	$(TARGET)/debug/stowage-demo

run: build python ## Starts a region on loopback and leaves it running: emulator, host, one node
	$(TARGET)/debug/stowage-demo --keep

test: tools plugins build ## Runs every test but the larger matrices
	cargo nextest run --locked --workspace
	cargo test --locked --workspace --doc --quiet

test-all: tools plugins build ## Runs every test with the larger matrices
	cargo nextest run --locked --workspace --profile all
	cargo test --locked --workspace --doc --quiet

bench: plugins ## Measures speed and size as ratios to baselines in the same run; writes target/bench/report.json
	cargo build --locked --release -p stowage -p stowage-bench -p weka-emulator
	$(TARGET)/release/stowage-bench --report target/bench/report.json

lint: tools openapi-lint ## Runs every check that is not a test
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets --quiet -- -D warnings
	cargo deny --locked check bans licenses sources
	echo 'advisories: NOT CHECKED'
	cd proto
	$(BUF) lint
	$(BUF) breaking --against released/stowage-v1.binpb --path stowage/v1

fmt: ## Formats everything
	cargo fmt --all
	cd proto && $(BUF) format -w

openapi: ## Writes docs/openapi.json from the contract
	cargo run --locked --quiet -p stowage-proto --bin openapi -- docs/openapi.json

openapi-lint: tools
	$(TOOLS)/node_modules/.bin/redocly lint --config docs/redocly.yaml docs/openapi.json
