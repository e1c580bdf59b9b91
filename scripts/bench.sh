#!/usr/bin/env bash
# Measures Tongzhen against the limit of the PostgreSQL that it runs on, in one run on one machine:
#   (a) pgbench: transactions per second that insert the rows of one submission, and the bare three inserts;
#   (b) tongzhen: referrals per second created and submitted through gRPC, every process on this machine;
#   (c) Go micro-benchmarks of the hot paths.
# (a) and (b) take turns, three rounds at 8 and 32 clients; read the ratio of the medians, with the lowest and highest.
#
# BENCH_POSTGRES_URL, else TEST_POSTGRES_URL, else 127.0.0.1: a server on which a scratch database may be made and dropped.
# BENCH_SECONDS: seconds of one measurement, at most 10 (default 6). BENCH_QUICK=1: 2 seconds, to see that it works.
# BENCH: which Go benchmarks, as go test -bench takes it; BENCH_ONLY=go or =postgres leaves the other part out.
set -euo pipefail
cd "$(dirname "$0")/.."

server=${BENCH_POSTGRES_URL:-${TEST_POSTGRES_URL:-postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable}}
seconds=${BENCH_SECONDS:-6}
[[ -n ${BENCH_QUICK:-} ]] && seconds=2
(( seconds >= 1 && seconds <= 10 )) || { echo "bench: BENCH_SECONDS must be 1 to 10" >&2; exit 2; }
rounds=3
clients=(8 32)
county=450321

micro() {
  echo
  echo "Go benchmarks of the hot paths:"
  local packages=()
  for p in referral/internal/domain referral/internal/store referral/internal/icd10 patientrecord/internal/store scheduling/internal/store internal/crypt internal/sqldb; do
    packages+=("./services/$p")
  done
  local time=500ms
  [[ -n ${BENCH_QUICK:-} ]] && time=20ms
  TEST_POSTGRES_URL=$server go test -run '^$' -bench "${BENCH:-.}" -benchmem -benchtime "$time" "${packages[@]}" | sed -E '/^(goos|goarch|cpu|PASS|ok)/d'
}

if [[ ${BENCH_ONLY:-} == go ]]; then
  micro
  exit
fi

# The client programs of PostgreSQL; Debian keeps pgbench beside the server, out of PATH.
tool() {
  command -v "$1" 2>/dev/null || ls -1 /usr/lib/postgresql/*/bin/"$1" 2>/dev/null | sort -V | tail -n 1
}
psql=$(tool psql) pgbench=$(tool pgbench)
if [[ -z $psql || -z $pgbench ]]; then
  echo "bench: psql and pgbench are needed (Debian: postgresql-client and postgresql-15)" >&2
  exit 1
fi

work=$(mktemp -d)
database=tongzhen_bench_$$
serve_pid=
# The scratch database on the same server: the path of the URL is replaced.
scratch=$(sed -E "s#^(postgres(ql)?://[^/?]*)(/[^?]*)?#\1/$database#" <<<"$server")

stop_serving() {
  [[ -n $serve_pid ]] || return 0
  kill -TERM "$serve_pid" 2>/dev/null || true
  wait "$serve_pid" 2>/dev/null || true
  serve_pid=
}
cleanup() {
  stop_serving
  "$psql" -X -q -d "$server" -c "DROP DATABASE IF EXISTS $database WITH (FORCE)" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

go build -trimpath -tags timetzdata -ldflags='-s -w' -o "$work/tongzhen" ./services/cmd/tongzhen
"$psql" -X -q -d "$server" -c "CREATE DATABASE $database"

# Settings of the caller's shell must not lead this system anywhere else.
while IFS= read -r name; do unset "$name"; done < <(compgen -e | grep '^TONGZHEN_' || true)
export TONGZHEN_DATABASE_URL=$scratch TONGZHEN_DATA_DIR=$work/data TONGZHEN_HTTP_ADDR=127.0.0.1:0 TONGZHEN_LOG_LEVEL=error
"$work/tongzhen" migrate >"$work/migrate.log" || { cat "$work/migrate.log" >&2; exit 1; }

# The tables of the submission once more, for pgbench, by the same migrations.
export PGOPTIONS='-c search_path=bench_rows'
"$psql" -X -q -d "$scratch" -c 'CREATE SCHEMA bench_rows'
for f in services/internal/{sqldb,outbox,audit,stats}/migrations/postgres/*.sql services/referral/internal/store/migrations/postgres/*.sql scripts/bench/three-schema.sql; do
  "$psql" -X -q -v ON_ERROR_STOP=1 -d "$scratch" -f "$f" >/dev/null
done
unset PGOPTIONS

random_hex() { head -c "$1" /dev/urandom | od -An -vtx1 | tr -d ' \n'; }
sealed=()
for n in 120 190 560 860 960; do sealed+=(-D "b$n=$(random_hex "$n")"); done

# run_pgbench SCRIPT CLIENTS appends "transactions-per-second p99-in-ms" to the results of SCRIPT.
run_number=1000
run_pgbench() {
  run_number=$((run_number + 1))
  "$psql" -X -q -d "$scratch" -c CHECKPOINT
  (cd "$work" && rm -f pgbench_log.* && PGOPTIONS='-c search_path=bench_rows' "$pgbench" -n -M prepared -c "$2" -j 2 -T "$seconds" -l \
    -D n=100000000000 -D run="$run_number" "${sealed[@]}" -f "$OLDPWD/scripts/bench/$1.sql" "$scratch") >"$work/pgbench.out" 2>"$work/pgbench.err" ||
    { cat "$work/pgbench.err" >&2; exit 1; }
  local tps p99
  tps=$(sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$work/pgbench.out")
  p99=$(cat "$work"/pgbench_log.* | awk '{print $3 / 1000}' | sort -n | awk '{v[NR] = $1} END {print v[int((NR * 99 + 99) / 100)]}')
  echo "$tps $p99" >>"$work/$1.$2"
  printf '  %-15s %3d clients  %8.0f/s  p99 %7.1f ms\n' "pgbench $1" "$2" "$tps" "$p99"
}

start_serving() {
  : >"$work/serve.out"
  "$work/tongzhen" serve --demo --admin-addr= >"$work/serve.out" 2>"$work/serve.err" &
  serve_pid=$!
  for _ in $(seq 300); do
    grep -q 'is ready' "$work/serve.out" && return
    kill -0 "$serve_pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "bench: tongzhen did not become ready:" >&2
  tail -n 5 "$work/serve.err" >&2
  exit 1
}

# run_tongzhen CLIENTS: the server runs only while it is measured, so that it takes nothing from pgbench.
run_tongzhen() {
  start_serving
  "$psql" -X -q -d "$scratch" -c CHECKPOINT
  "$work/tongzhen" bench --county "$county" --only create --doctors "$1" --duration "${seconds}s" >"$work/bench.out" 2>"$work/bench.err" ||
    { cat "$work/bench.out" "$work/bench.err" >&2; exit 1; }
  stop_serving
  local rate p99
  rate=$(sed -n '1s/.*: \([0-9.]*\)\/s.*/\1/p' "$work/bench.out")
  p99=$(awk '$1 == "create+submit" {print $6}' "$work/bench.out")
  echo "$rate $p99" >>"$work/tongzhen.$1"
  printf '  %-15s %3d clients  %8.0f/s  p99 %7.1f ms   invariants hold\n' tongzhen "$1" "$rate" "$p99"
}

echo "PostgreSQL $("$psql" -X -At -d "$server" -c "SHOW server_version"), fsync $("$psql" -X -At -d "$server" -c "SHOW fsync"), $(nproc) processors, $seconds s each:"
for _ in $(seq "$rounds"); do
  for c in "${clients[@]}"; do
    run_pgbench submit "$c"
    run_tongzhen "$c"
    run_pgbench three "$c"
  done
done

# column FILE N: median lowest highest of column N.
column() { awk -v n="$2" '{print $n}' "$1" | sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)], v[1], v[NR]}'; }
echo
echo "medians of $rounds rounds [lowest–highest]:"
for c in "${clients[@]}"; do
  read -r rows rows_low rows_high < <(column "$work/submit.$c" 1)
  read -r ours ours_low ours_high < <(column "$work/tongzhen.$c" 1)
  read -r three three_low three_high < <(column "$work/three.$c" 1)
  read -r rows_p99 _ < <(column "$work/submit.$c" 2)
  read -r ours_p99 _ < <(column "$work/tongzhen.$c" 2)
  read -r ratio ratio_low ratio_high < <(paste -d' ' "$work/tongzhen.$c" "$work/submit.$c" | awk '{print $1 / $3}' | sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)], v[1], v[NR]}')
  printf '%2d clients: pgbench, same rows %.0f/s [%.0f–%.0f] · three inserts %.0f/s [%.0f–%.0f] · tongzhen %.0f/s [%.0f–%.0f]\n' \
    "$c" "$rows" "$rows_low" "$rows_high" "$three" "$three_low" "$three_high" "$ours" "$ours_low" "$ours_high"
  printf '            tongzhen / same rows %.2f [%.2f–%.2f] · tongzhen / three inserts %.2f · p99 %.1f ms, %.1f × that of pgbench\n' \
    "$ratio" "$ratio_low" "$ratio_high" "$(awk "BEGIN {print $ours / $three}")" "$ours_p99" "$(awk "BEGIN {print $ours_p99 / $rows_p99}")"
done

[[ ${BENCH_ONLY:-} == postgres ]] || micro
