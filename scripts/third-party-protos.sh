#!/usr/bin/env bash
# Copies the third-party .proto files that ours import into proto/third_party (ignored by git).
# They come out of the Go module cache, so that no registry but the module proxy is needed and nothing foreign is committed.
set -euo pipefail
cd "$(dirname "$0")/.."

# v1 of the gateway still ships google/api; v2 does not, and genproto has only the generated Go.
googleapis=github.com/grpc-ecosystem/grpc-gateway@v1.16.0
# The release whose validate.proto matches buf.build/go/protovalidate in services/go.mod.
validate=github.com/bufbuild/protovalidate@v1.2.2

dest=proto/third_party
want="$googleapis $validate"
[ "$(cat $dest/.stamp 2>/dev/null)" = "$want" ] && exit 0

# GOWORK=off and an empty folder: a download must not touch go.work.sum or any go.sum.
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
(cd "$tmp" && GOWORK=off GOFLAGS=-mod=mod go mod download "$googleapis" "$validate")

cache=$(go env GOMODCACHE)
rm -rf $dest
mkdir -p $dest/google/api $dest/buf/validate
cp "$cache/$googleapis/third_party/googleapis/google/api/"{annotations,http}.proto $dest/google/api/
cp "$cache/$validate/proto/protovalidate/buf/validate/validate.proto" $dest/buf/validate/
chmod -R u+w $dest # the module cache is read-only
echo "$want" >$dest/.stamp
