#!/usr/bin/env bash
# Checks docker-compose.yml and the YAML files of deploy.
set -euo pipefail
cd "$(dirname "$0")/.."

GOWORK=off go -C scripts/tools build -o bin/deploycheck ./deploycheck
scripts/tools/bin/deploycheck

# The engine's own opinion, where it is installed; it needs no running engine.
if docker compose version >/dev/null 2>&1; then
  docker compose config -q
fi
