#!/usr/bin/env bash
# Seals new migrations: writes their checksums to scripts/migrations.sum, which `make verify` holds them to.
# A migration that has landed (its line is in the last commit) is never edited, renamed or removed; write a new one.
set -euo pipefail
cd "$(dirname "$0")/.."

sum=scripts/migrations.sum
new=$(mktemp)
trap 'rm -f "$new"' EXIT
find services -path '*/migrations/*' -name '*.sql' -print0 | sort -z | xargs -0r sha256sum >"$new"

if lost=$(git show "HEAD:$sum" 2>/dev/null | grep -vxFf "$new"); then
  echo "these migrations have landed and were edited, renamed or removed since:" >&2
  echo "$lost" >&2
  exit 1
fi
cat "$new" >$sum
