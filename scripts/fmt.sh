#!/usr/bin/env bash
# Formats the Go files as .golangci.yml says: gofmt, imports grouped with ours last.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/tools/build.sh lint
scripts/tools/lint/bin/golangci-lint fmt ./proto/... ./services/...
gofmt -w scripts/tools
