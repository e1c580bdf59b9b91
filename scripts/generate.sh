#!/usr/bin/env bash
# Generates proto/gen from the .proto files, and the documents of the life cycle and of who may call what from their tables. Needs no network once the modules below are in the module cache.
#
#   scripts/generate.sh         replace proto/gen, services/doc/lifecycle.md and services/doc/access.md
#   scripts/generate.sh DIR     write to DIR/gen instead (verify compares the two)
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/tools/build.sh
scripts/third-party-protos.sh

out=${1:-proto}
mkdir -p "$out"
# Beside the target, so that the swap is a rename: a .proto that does not compile leaves the old code standing,
# and a .proto that is gone takes its code with it. The leading dot hides it from the go command meanwhile.
new=$(mktemp -d "$(cd "$out" && pwd)/.generate.XXXXXX")
trap 'rm -rf "$new"' EXIT
chmod 755 "$new"
(cd proto && ../scripts/tools/bin/buf generate --output "$new")
# The generator takes title and version from the first file; they are those of the whole.
sed -i -e '1,8s|"title": ".*"|"title": "Tongzhen REST API"|' -e '1,8s|"version": ".*"|"version": "v1"|' \
  -e '1,8s|"description": ".*"|"description": "Two-way referral for county medical communities. Sign in with POST /api/v1/sessions, then send Authorization: Bearer."|' \
  "$new/gen/openapi/tongzhen.swagger.json"
rm -rf "$out/gen"
mv "$new/gen" "$out/gen"
if [ $# -eq 0 ]; then
  go run ./services/referral/internal/lifecycledoc >services/doc/lifecycle.md
  go run ./services/cmd/tongzhen/internal/accessdoc >services/doc/access.md
fi
