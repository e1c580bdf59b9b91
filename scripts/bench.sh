#!/usr/bin/env bash
# Go benchmarks of the workspace, three runs of each: read the median and the spread, compare within one run only.
set -euo pipefail
cd "$(dirname "$0")/.."

go test -run '^$' -bench "${BENCH:-.}" -benchmem -count=3 work
