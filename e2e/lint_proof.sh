#!/usr/bin/env bash
# Proves that the lint bites: copies the checkout, breaks each rule of the architecture once, and expects each break to be
# named. Usage: e2e/lint_proof.sh PATH-OF-GOLANGCI-LINT
set -euo pipefail
lint=$(realpath "${1:?the path of golangci-lint}")
cd "$(dirname "$0")/.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$copy" 2>/dev/null || true
cd "$copy"

# file to add | its content | what the lint has to say
breaks=(
  'tracking/internal/domain/event/zz_broken.go|package event; import _ "net/http"|import .net/http. is not allowed'
  'tracking/internal/application/ingest/zz_broken.go|package ingest; import _ "github.com/jackc/pgx/v5"|pgx/v5. is not allowed'
  'commission/internal/api/rest/zz_broken.go|package rest; import _ "tributary/commission/internal/infrastructure/postgres"|only cmd wires infrastructure'
  'bff/internal/infrastructure/pulsar/zz_broken.go|package pulsar; import _ "tributary/bff/internal/api/rest"|infrastructure must not know api'
  'commission/internal/domain/ledger/zz_broken.go|package ledger; func half(amount float64) float64 { return amount / 2 }|never binary floats'
  'commission/cmd/explain/zz_broken.go|package main; func half(amount float64) float64 { return amount / 2 }|never binary floats'
  'tracking/internal/infrastructure/postgres/zz_broken.go|package postgres; import "strconv"; func read(amount string) { _, _ = strconv.ParseFloat(amount, 64) }|never binary floats'
  'tracking/cmd/tracking/zz_broken.go|package main; func half(amount float32) float32 { return amount / 2 }|never binary floats'
  'bff/cmd/generate-jwt/zz_broken.go|package main; func half(amount float64) float64 { return amount / 2 }|never binary floats'
)
for b in "${breaks[@]}"; do
  IFS='|' read -r file content _ <<<"$b"
  printf '// %s\n%s\n' "Broken on purpose." "$content" >"$file"
done
found=$("$lint" run --allow-serial-runners --enable-only depguard,forbidigo --max-issues-per-linter 0 --max-same-issues 0 ./bff/... ./tracking/... ./commission/... 2>&1 || true)
for b in "${breaks[@]}"; do
  IFS='|' read -r file _ message <<<"$b"
  if ! grep -E "$file.*" <<<"$found" | grep -qE "$message"; then
    printf 'The lint does not catch %s (expected: %s). It says:\n%s\n' "$file" "$message" "$found" >&2
    exit 1
  fi
done
echo "lint proof: ${#breaks[@]} broken rules, all caught"
