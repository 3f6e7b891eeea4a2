#!/usr/bin/env bash
# The whole test suite on a fresh clone: packages, build, lint, types, tests. Ends with a line "N passed, N failed, N skipped".
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -d node_modules ] && [ node_modules/.package-lock.json -nt package-lock.json ] || npm install --no-audit --no-fund --no-save
bash test/setup/install.sh

started=
if ! docker version >/dev/null 2>&1; then
  echo 'starting dockerd for the tests'
  setsid dockerd >"${TMPDIR:-/tmp}/bake-test-dockerd.log" 2>&1 &
  started=$!
  trap 'kill "$started" 2>/dev/null || true; wait "$started" 2>/dev/null || true' EXIT
  for _ in $(seq 300); do docker version >/dev/null 2>&1 && break; sleep 0.1; done
fi

npm run --silent build
npm run --silent lint
npx tsc -p test
log=$(mktemp)
status=0
npx tap run --reporter=tap "$@" >"$log" || status=$?
grep -E '^ *not ok ' -A 24 "$log" | head -400 || true
grep -E '^ *ok .* # SKIP' "$log" || true
totals=$(grep -E '^# \{ total:' "$log" | tail -n 1)
count() { grep -oE "$1: [0-9]+" <<<"$totals" | grep -oE '[0-9]+' || echo 0; }
skipped=$(count skip)
echo "$(count pass) passed, $(count fail) failed, $skipped skipped"
if [ -n "${CI:-}" ] && [ "$skipped" != 0 ]; then
  echo 'a skipped test is a failed one here' >&2
  status=1
fi
rm -f "$log"
exit "$status"
