#!/usr/bin/env bash
# Builds the pinned tools of scripts/tools/go.mod into scripts/tools/bin, or those of scripts/tools/lint/go.mod
# into scripts/tools/lint/bin, if they are missing or older than their go.mod.
#
#   scripts/tools/build.sh          buf and the protobuf plugins
#   scripts/tools/build.sh lint     golangci-lint
set -euo pipefail

dir=$(cd "$(dirname "$0")" && pwd)
[ "${1:-}" = lint ] && dir=$dir/lint

# The stamp holds what the tools were built from, so a changed version or a new Go rebuilds them and nothing else does.
want=$(cat "$dir/go.mod" "$dir/go.sum" <(go env GOVERSION) | sha256sum | cut -d' ' -f1)
[ "$(cat "$dir/bin/.stamp" 2>/dev/null)" = "$want" ] && exit 0

echo "building the tools of ${dir#"$PWD"/} (once, about a minute) …" >&2
# The tools are outside go.work, so that their dependencies never raise those of a service.
GOWORK=off CGO_ENABLED=0 go -C "$dir" build -trimpath -ldflags='-s -w' -o bin/ tool
echo "$want" >"$dir/bin/.stamp"
