# Every command that a person or CI runs. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export XDG_CACHE_HOME ?= $(HOME)/.cache
cache := $(XDG_CACHE_HOME)/antiphon
# One target folder for every clone, so that llama.cpp, libopus and aws-lc are compiled once.
export CARGO_TARGET_DIR ?= $(cache)/target
# Holds a Node.js only where the system has none that will do.
export PATH := $(cache)/node/bin:$(PATH)
export CARGO_TERM_COLOR ?= auto

antiphon := $(CARGO_TARGET_DIR)/release/antiphon
speech := $(or $(ANTIPHON__MODELS__DIR),$(cache)/models)/speech
web_sources := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print 2>/dev/null)

.PHONY: help run build models test check check-rust check-web test-pure test-rust test-web test-browser bench clean setup setup-test

help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

run: build models ## install what is missing, build, fetch models, serve http://localhost:8080
	@exec $(antiphon) serve

build: setup web/dist/index.html ## build the release binary
	@cargo build --release --locked -p server
	@echo "built $(antiphon)"

models: build ## fetch and check the models that `make run` serves with
	@$(antiphon) models pull

test: setup-test check test-web build ## install what is missing, then check and test everything
	@$(antiphon) models pull --profile fast speech-tests
	@$(MAKE) --no-print-directory test-pure test-rust test-browser

check: check-rust check-web ## formatting, lints, types, sizes, crate edges

check-rust: setup web/dist/index.html
	@cargo fmt --all --check
	@cargo clippy --release --locked --workspace --all-targets -- -D warnings
	@cargo run --quiet --locked -p xtask -- check

check-web: setup web/node_modules/.installed
	@npm --prefix web run --silent lint
	@npm --prefix web run --silent typecheck

# The pure engine is tested with debug assertions on; the rest shares the release build of the native code. `session`
# is tested alone, since its virtual clock is a feature of tokio that nothing shipped is built with.
test-pure: setup
	@cargo test --locked -p dialogue
	@cargo test --release --locked -p session

test-rust: build
	@cargo test --release --locked --workspace --exclude dialogue --exclude session --exclude xtask --no-fail-fast

test-web: setup web/node_modules/.installed
	@npm --prefix web run --silent test

# A real browser speaks a real recording to the real server.
test-browser: build web/node_modules/.installed
	@ANTIPHON_BIN=$(antiphon) ANTIPHON_E2E_SPEECH=$(speech)/austen-0880.wav ANTIPHON_E2E_WORDS="young man" \
		npm --prefix web run --silent e2e

bench: build ## measure speed; needs a quiet machine
	@benches/run

clean: ## remove what was built in this clone (shared caches stay)
	@rm -rf web/dist web/node_modules

setup:
	@scripts/setup run

setup-test:
	@scripts/setup test

web/node_modules/.installed: web/package-lock.json | setup
	@npm --prefix web ci --no-fund --no-audit --loglevel=error
	@touch $@

web/dist/index.html: $(web_sources) web/node_modules/.installed
	@npm --prefix web run --silent build
