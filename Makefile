# Every command of the repository. `make help` lists them; each longer one is a script in scripts/.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# A static binary without a C compiler. The race detector alone needs cgo and says so itself.
export CGO_ENABLED ?= 0
# What is compiled does not depend on the folder: each checkout of the same commit finds it in the cache.
export GOFLAGS ?= -trimpath

# Extra flags for go test, e.g. `make test ARGS='-run Lifecycle -v'`.
ARGS ?=
# What `make test` covers.
TEST ?= work
# What `make race` covers; the whole workspace takes long on a small machine.
RACE ?= work
# How long `make crash` keeps killing processes.
CRASH_SECONDS ?= 600

.PHONY: help run build test lint verify generate race crash bench e2e axe fmt clean migrations-sum baseline tools

help: ## list these targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

run: build ## build and start everything in one process with the demo county, on http://127.0.0.1:8080
	@exec bin/tongzhen serve --demo $(ARGS)

# timetzdata: local days are counted in the county's zone, also on a machine without zone files.
build: ## build bin/tongzhen
	go build -tags timetzdata -ldflags='-s -w' -o bin/tongzhen ./services/cmd/tongzhen

test: ## all tests; those that need a server skip unless TEST_POSTGRES_URL, TEST_NATS_URL, TEST_REDIS_URL name one
	go test -shuffle=on $(ARGS) $(TEST)

race: ## the same tests under the race detector (needs a C compiler); RACE=./services/internal/... narrows it
	CGO_ENABLED=1 go test -race -shuffle=on -timeout 25m $(ARGS) $(RACE)

e2e: axe ## drive the built binary and a real browser (needs chromium and npm)
	@rm -rf .cache/e2e
	go test -tags e2e -count=1 -timeout 40m $(ARGS) ./services/e2e/...
	@cat .cache/e2e/*.txt 2>/dev/null || true

axe: ## fetch the pinned rules of accessibility that the browser tests hold every page against
	npm ci --prefix scripts/tools/axe --ignore-scripts --no-audit --no-fund

crash: ## fight for slots, then kill processes, CRASH_SECONDS a test (default 600), and check the invariants
	TONGZHEN_CRASH_SECONDS=$(CRASH_SECONDS) go test -count=1 -timeout 0 -v -run UnderFire $(ARGS) ./services/scheduling
	TONGZHEN_CRASH_SECONDS=$(CRASH_SECONDS) go test -tags e2e -count=1 -timeout 0 -v -run Crash $(ARGS) ./services/e2e/...

bench: ## measure; see scripts/bench.sh for what and against what
	scripts/bench.sh

lint: ## golangci-lint and buf lint
	scripts/lint.sh

verify: ## what is generated, paired, pinned or sealed is as it should be
	scripts/verify.sh

generate: ## proto/gen from the .proto files, the documents of the life cycle and of access from their tables
	scripts/generate.sh

baseline: ## make the present contract the one that `verify` compares with (needs a CHANGELOG line)
	scripts/baseline.sh

migrations-sum: ## seal new migrations in scripts/migrations.sum
	scripts/migrations-sum.sh

fmt: ## format Go and .proto files
	scripts/fmt.sh

tools: ## build the pinned build tools
	scripts/tools/build.sh
	scripts/tools/build.sh lint

clean: ## remove what make built (not ./.data)
	rm -rf bin scripts/tools/bin scripts/tools/lint/bin scripts/tools/axe/node_modules proto/third_party
