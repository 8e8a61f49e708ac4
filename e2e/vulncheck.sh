#!/usr/bin/env bash
# Looks the code up in the database of known vulnerabilities and fails on one that the code can reach.
# Without the database (no network, a proxy that refuses it) it says so and passes: the rest of
# `make lint` must work everywhere. With REQUIRE_VULNCHECK=1 that is a failure too.
#   e2e/vulncheck.sh PROGRAM MODULE...
set -euo pipefail
cd "$(dirname "$0")/.."
program=$1
shift
limit=${VULNCHECK_TIMEOUT:-300}

not_run() {
  echo "vulnerabilities NOT CHECKED: $1" >&2
  exit "${REQUIRE_VULNCHECK:-0}"
}

[[ -x $program ]] || not_run "govulncheck could not be built"

# The database is asked first, with something small: a scan would compile everything before it fails.
probe=$(mktemp -d)
trap 'rm -rf "$probe"' EXIT
printf 'module probe\n\ngo 1.26.0\n' > "$probe/go.mod"
printf 'package main\n\nfunc main() {}\n' > "$probe/main.go"
(cd "$probe" && GOWORK=off timeout --kill-after=5 60 "$program" ./...) > "$probe/log" 2>&1 ||
  { (($? == 3)) || not_run "the database does not answer: $(tail -n 1 "$probe/log" | cut -c1-100)"; }

for module in "$@"; do
  code=0
  (cd "$module" && GOWORK=off timeout --kill-after=5 "$limit" "$program" ./...) || code=$?
  case $code in
    0) echo "$module: no known vulnerability is reached" ;;
    124 | 137) echo "$module: not finished within $limit s" >&2; exit 1 ;;
    *) echo "$module: see above (code $code)" >&2; exit 1 ;;
  esac
done
