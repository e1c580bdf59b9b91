#!/usr/bin/env bash
# Holds the repository to what no compiler checks. Every check runs; the failed ones are named at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/tools/build.sh
scripts/third-party-protos.sh
buf=$PWD/scripts/tools/bin/buf
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=()

# check NAME FUNCTION: a check says what is wrong and returns non-zero, or is silent and returns zero.
check() {
  local rc=0
  # Not in a condition: bash would then ignore `set -e` inside the function.
  set +e
  out=$(set -euo pipefail; "$2" 2>&1)
  rc=$?
  set -e
  if [ $rc -eq 0 ]; then
    echo "ok    $1"
  else
    echo "FAIL  $1"
    [ -z "$out" ] || sed 's/^/        /' <<<"$out"
    failed+=("$1")
  fi
}

# none MESSAGE TEXT: passes when there is no text, else prints it under the message.
none() {
  [ -z "$2" ] || { printf '%s\n%s\n' "$1" "$2"; return 1; }
}

# What the repository holds or is about to hold: committed or new, not ignored, still there.
files() { git ls-files -co --exclude-standard -- "$@" | while read -r f; do [ ! -e "$f" ] || echo "$f"; done; }

# A grep that finds nothing is not an error here.
without() { grep -v "$@" || true; }
only() { grep "$@" || true; }

top_level() {
  local allowed have
  allowed=$(tr ' ' '\n' <<<"README.md LICENSE Makefile go.work go.work.sum docker-compose.yml proto services deploy scripts")
  have=$(files | cut -d/ -f1 | sort -u | without '^\.')
  none "not allowed at the top:" "$(without -xF "$allowed" <<<"$have")"
  # go.work.sum exists only when the workspace needs sums that no module has.
  none "missing at the top:" "$(without -x go.work.sum <<<"$allowed" | without -xF "$have")"
}

formatted() {
  local found
  found=$(files '*.go' | xargs -r gofmt -l)
  none "run make fmt:" "$found"
}

contract_lint() { (cd proto && "$buf" lint); }

contract_compatible() {
  (cd proto && "$buf" breaking . --path tongzhen --against baseline.binpb --exclude-imports)
  grep -q "$(sha256sum proto/baseline.binpb | cut -c1-12)" services/CHANGELOG.md || {
    echo "services/CHANGELOG.md does not mention this baseline; see scripts/baseline.sh"
    return 1
  }
}

generated_current() {
  scripts/generate.sh "$tmp/proto"
  diff -rq proto/gen "$tmp/proto/gen" || { echo "run make generate"; return 1; }
}

lifecycle_current() {
  go run ./services/referral/internal/lifecycledoc | diff services/doc/lifecycle.md - || { echo "run make generate"; return 1; }
}

access_current() {
  go run ./services/cmd/tongzhen/internal/accessdoc | diff services/doc/access.md - || { echo "run make generate"; return 1; }
}

# Every criterion compiles, and its examples hold.
criteria() {
  go test -count=1 -run 'EveryRule' ./services/referral/internal/criteria || { echo "a rule or one of its examples is wrong"; return 1; }
}

migrations_paired() {
  local dir problems
  problems=$(for dir in $(files | only -oE '^.*/migrations/(postgres|sqlite)/' | sed -E 's#/(postgres|sqlite)/$##' | sort -u); do
    [ -d "$dir/postgres" ] && [ -d "$dir/sqlite" ] || { echo "$dir has only one engine"; continue; }
    { diff <(ls "$dir/postgres") <(ls "$dir/sqlite") || true; } | sed -nE "s#^< #$dir: only postgres has #p; s#^> #$dir: only sqlite has #p"
    ls "$dir/postgres" "$dir/sqlite" | only -E '\.sql$' | sort -u | without -E '^[0-9]{4}_[a-z0-9_]+\.sql$' | sed "s#^#$dir: not NNNN_name.sql: #"
    ls "$dir/postgres" | cut -c1-4 | uniq -d | sed "s#^#$dir: number used twice: #"
    only -lE '^-- \+goose Down' "$dir"/*/*.sql | sed 's#$# has a Down; migrations go forward only#'
  done)
  none "both engines have the same migrations, NNNN_name.sql, forward only:" "$problems"
}

migrations_unedited() {
  local landed
  files | only -E '/migrations/.*\.sql$' | sort | xargs -r sha256sum >"$tmp/migrations.sum"
  # What landed stays, byte for byte; what is new is sealed before it lands.
  landed=$(git show HEAD:scripts/migrations.sum 2>/dev/null || true)
  none "landed migrations were edited or removed; write a new one instead:" "$(only . <<<"$landed" | without -xFf "$tmp/migrations.sum")"
  diff scripts/migrations.sum "$tmp/migrations.sum" || { echo "run make migrations-sum"; return 1; }
}

modules_tidy() {
  local dir
  for dir in proto services scripts/tools/lint; do
    GOWORK=off go -C "$dir" mod tidy -diff || { echo "in $dir: go mod tidy"; return 1; }
  done
  # tidy also wants the tests of every dependency, and buf's need a module that cannot be downloaded;
  # so of this one it is only asked that go.mod and go.sum are enough to build the tools.
  GOWORK=off go -C scripts/tools list -mod=readonly -deps tool ./... >/dev/null
}

one_replace() {
  local n
  n=$(files '*go.mod' go.work | xargs sed 's#//.*##' | only -c '=>')
  [ "$n" -eq 1 ] || { echo "go.mod files hold $n replace lines; the only one is services/go.mod's for proto"; return 1; }
}

# modernc.org/sqlite is tested with exactly one libc; another one corrupts or crashes at run time, not at build time.
libc_matches_sqlite() {
  local want have
  want=$(awk '$1 == "modernc.org/libc" || $2 == "modernc.org/libc" { print $NF }' "$(GOWORK=off go -C services list -m -f '{{.GoMod}}' modernc.org/sqlite)")
  have=$(go list -m -f '{{.Version}}' modernc.org/libc)
  [ "$want" = "$have" ] || { echo "modernc.org/sqlite wants modernc.org/libc $want, the workspace has $have"; return 1; }
}

scripts_parse() {
  local f
  for f in $(files '*.sh' .ci/run); do bash -n "$f"; done
}

# Dependencies have a version and are fetched: no copy of one is kept.
no_copies() {
  none "copies of dependencies in the repository:" "$(git ls-files | grep -E '(^|/)(node_modules|vendor|third_party)/' || true)"
}

no_private_keys() {
  none "private keys in the repository:" "$(files | xargs -d '\n' grep -lIE -e '^-----BEGIN [A-Z ]*PRIVATE KEY-----' || true)"
}

deploy() { scripts/check-deploy.sh; }

check "top level" top_level
check "gofmt" formatted
check "contracts: lint" contract_lint
check "contracts: compatible with the baseline" contract_compatible
check "contracts: generated code is current" generated_current
check "life cycle: its document is current" lifecycle_current
check "access: its document is current" access_current
check "criteria: rules and examples" criteria
check "migrations: the same on both engines" migrations_paired
check "migrations: unedited" migrations_unedited
check "modules: tidy" modules_tidy
check "modules: one replace" one_replace
check "modules: libc fits sqlite" libc_matches_sqlite
check "scripts parse" scripts_parse
check "no private keys" no_private_keys
check "no copies of dependencies" no_copies
check "deploy files" deploy

# Reported here, refused by services/anatomy_test.go.
files '*.go' | grep -vE '^proto/gen/|_test\.go$' | xargs -r wc -l | awk '$2 != "total" && $1 > 400 { print "long  " $2 ": " $1 " lines" }'

if [ ${#failed[@]} -gt 0 ]; then
  printf 'verify: %d failed\n' ${#failed[@]}
  exit 1
fi
echo "verify: all good"
