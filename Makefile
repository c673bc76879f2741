# Every step has a name, and CI runs these same names: `make check`, `make test` …
.PHONY: help all check format lint docs test unit hostile stories stories-postgres architecture property demo bench bench-short \
	bench-postgres bench-postgres-short drills drills-short processes processes-short chaos chaos-short

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 18

all: check test ## Everything that CI runs

check: format lint docs ## Format, lints, documentation

format: ## Is the code formatted?
	cargo fmt --all --check

lint: ## Clippy, with warnings as errors
	cargo clippy --workspace --all-targets --locked -- -D warnings

docs: ## Documentation builds without a warning
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

test: ## All tests, with whatever they need installed
	./tests/run

unit: ## Tests of the crates alone
	cargo test --locked -p domain -p journal -p projections -p sagas -p gateways -p api -p reservoir

stories: ## The whole-system stories, over HTTP against the real program
	cargo build --locked -p reservoir
	cargo test --locked -p stories --test stories

stories-postgres: ## The same with every journal in PostgreSQL, on a server of the run's own
	cargo build --locked -p reservoir
	RESERVOIR_TEST_JOURNAL=postgres cargo test --locked -p stories --test stories

hostile: ## Sixteen hostile writers and 1,000,000 events in PostgreSQL; about ten minutes
	RESERVOIR_HOSTILE_EVENTS=1000000 cargo test --release --locked -p journal --test hostile -- --nocapture

architecture: ## Do the arrows between the crates point where they should?
	cargo test --locked -p stories --test architecture

property: ## Random lives for ten minutes (PROPERTY_S=60: one), and every interleaving with two crashes
	PROPERTY_S=$${PROPERTY_S:-600} cargo test --locked -p sagas --test property -- --nocapture
	cargo test --locked -p sagas --lib interleavings -- --include-ignored

demo: ## Play the stories and serve
	cargo run --release --locked -- demo

bench: ## Sagas per second, latency and replay rate, beside the bare limit
	cargo build --release --locked -p reservoir
	cargo run --release --locked -p stories --bin bench

bench-short: ## The same in about a minute
	cargo build --release --locked -p reservoir
	cargo run --release --locked -p stories --bin bench -- --short

bench-postgres: ## The same on PostgreSQL, beside a service written plainly from the manuals of cqrs-es and postgres-es
	cargo build --release --locked -p reservoir -p baseline
	cargo run --release --locked -p stories --bin bench -- --postgres

bench-postgres-short: ## The same in about half a minute
	cargo build --release --locked -p reservoir -p baseline
	cargo run --release --locked -p stories --bin bench -- --postgres --short

drills: ## Load pictures: steady, outages, three times too much, slow and curious clients; about twenty minutes
	cargo build --release --locked -p reservoir
	cargo run --release --locked -p stories --bin drills -- $(DRILL)

drills-short: ## The same in about four minutes
	cargo build --release --locked -p reservoir
	cargo run --release --locked -p stories --bin drills -- --short $(DRILL)

processes: ## Several processes over PostgreSQL: each part away for ten seconds, a rolling restart behind HAProxy, 10,000 buyers
	cargo build --release --locked -p reservoir
	cargo run --release --locked -p stories --bin drills -- processes rolling rush

processes-short: ## The same in about two minutes, in the profile of the tests
	cargo build --locked -p reservoir
	cargo run --locked -p stories --bin drills -- --short processes rolling rush

chaos: ## 5,000 sagas, a provider with every behaviour, 50 kills; and without keys it has to fail
	cargo build --release --locked -p reservoir
	cargo run --release --locked -p stories --bin drills -- chaos
	cargo run --release --locked -p stories --bin drills -- chaos --short --negative-control

chaos-short: ## 300 sagas and 4 kills, in the profile of the tests
	cargo build --locked -p reservoir
	cargo run --locked -p stories --bin drills -- chaos --short
	cargo run --locked -p stories --bin drills -- chaos --short --negative-control
