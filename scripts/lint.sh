#!/usr/bin/env bash
# golangci-lint over the workspace, go vet over the tools, buf lint over the contracts.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/tools/build.sh
scripts/tools/build.sh lint
scripts/third-party-protos.sh

scripts/tools/lint/bin/golangci-lint run ./proto/... ./services/...
GOWORK=off go -C scripts/tools vet ./...
(cd proto && ../scripts/tools/bin/buf lint)
