# `make demo` plays a whole show, `make run` starts a server with a lobby open, `make test` runs every test.
.PHONY: build release test lint
build:
	cargo build --workspace
release:
	cargo build --workspace --release
test: build
	cargo test --workspace
lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
