#!/usr/bin/env bash
# Proves that the lint bites: copies the checkout, breaks each rule of the architecture once, and expects each break to be
# named by the lint, by codelint, by the compiler or by a test. Usage: e2e/lint_proof.sh PATH-OF-GOLANGCI-LINT
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

# What codelint has to say: an error code is defined once, in the program as in the whole checkout.
codes=(
  'commission/internal/domain/rule/zz_code.go|package rule; import "tributary/platform/fault"; var errAgain = fault.Define(fault.NotFound, "payout_not_found", "It does not exist.")|payout_not_found is defined twice'
  'bff/internal/domain/campaign/zz_code.go|package campaign; import "tributary/platform/fault"; var errAgain = fault.DefineField("zero", "must not be 0")|zero is defined twice'
  'tracking/internal/application/query/zz_code.go|package query; import "tributary/platform/fault"; func late() error { return fault.Define(fault.NotFound, "late", "It is late.") }|defined for a variable of the package'
  'tracking/internal/domain/event/zz_code.go|package event; import "tributary/platform/fault"; const late = "too_late"; var errLate = fault.DefineField(late, "is late")|the name of a code is a literal'
  'bff/internal/domain/evidence/zz_code.go|package evidence; import "tributary/platform/fault"; func bare() error { return &fault.Error{Detail: "It has no code."} }|comes from a defined code'
)

# What the compiler has to say, of the package of the file.
compiled=(
  'bff/internal/domain/payment/zz_type.go|package payment; import "tributary/platform/fault"; func note(f *fault.Fields) { f.Add("amount", "zero", "must not be 0") }|cannot use "zero"'
  'commission/internal/application/command/zz_type.go|package command; import "tributary/commission/internal/domain/payout"; func force(p *payout.Payout) { p.snapshot.Status = payout.Completed }|p.snapshot undefined'
  'commission/internal/application/replay/zz_type.go|package replay; import "tributary/commission/internal/domain/ledger"; func lose() ledger.Transfer { return ledger.Transfer{userID: "half"} }|cannot refer to unexported field'
  'commission/internal/api/rest/zz_type.go|package rest; import ("context"; "tributary/commission/internal/application/query"); func peek(ctx context.Context, p query.PayoutReader) { _, _ = p.Payout(ctx, "id") }|not enough arguments'
  'commission/internal/application/command/zz_status.go|package command; import "tributary/commission/internal/domain/commission"; func force(c *commission.Commission) { c.Snapshot().Status = commission.Approved }|cannot assign'
  'commission/internal/domain/rule/zz_formula.go|package rule; import ("tributary/platform/fault"; "tributary/platform/money"); type silent struct{}; func (silent) Kind() Kind { return "silent" }; func (silent) Parameters() Parameters { return Parameters{} }; func (silent) Volume() Period { return "" }; func (silent) Expression(_, _ money.Amount) (money.Decimal, error) { return money.Decimal{}, nil }; func (silent) check(*fault.Fields) {}; func formulaWithoutSteps() Formula { return silent{} }|wrong type for method Expression'
  'commission/internal/application/command/zz_owner.go|package command; import "tributary/commission/internal/application/query"; func everyone() query.Owner { return query.Owner{all: true} }|cannot refer to unexported field'
)

# plant BREAK... writes the file of each break.
plant() {
  local file content b
  for b in "$@"; do
    IFS='|' read -r file content _ <<<"$b"
    printf '// %s\n%s\n' "Broken on purpose." "$content" >"$file"
  done
}

# caught FOUND BREAK... exits unless FOUND, the text of a tool, names the file and the message of each break.
caught() {
  local found=$1 file message b
  shift
  for b in "$@"; do
    IFS='|' read -r file _ message <<<"$b"
    if ! grep -E "$file.*" <<<"$found" | grep -qE "$message"; then
      printf 'Nothing catches %s (expected: %s). The tool says:\n%s\n' "$file" "$message" "$found" >&2
      exit 1
    fi
  done
}

go build -o "$copy/codelint" ./e2e/cmd/codelint
plant "${codes[@]}"
caught "$("$copy/codelint" $(find bff commission platform tracking -name '*.go') 2>&1 || true)" "${codes[@]}"
rm $(printf '%s\n' "${codes[@]}" | cut -d'|' -f1)

for b in "${compiled[@]}"; do # one by one: a package that is broken hides those that import it
  plant "$b"
  caught "$(go build "./$(dirname "${b%%|*}")" 2>&1 || true)" "$b"
  rm "${b%%|*}"
done

# What a test has to say: a decision reads the cap of the next month, which nothing loaded.
decision=commission/internal/domain/decision/decision.go
sed -i 's/winner.CapKey(snapshot.OccurredAt)/winner.CapKey(snapshot.OccurredAt.AddDate(0, 1, 0))/' "$decision"
unloaded=$(go test -run TestWhatWasNotLoadedIsNotRead ./commission/internal/domain/decision 2>&1 || true)
if ! grep -q 'not loaded: the account of user u by rule graduated in 2026-12' <<<"$unloaded"; then
  printf 'No test catches a read of what was not loaded:\n%s\n' "$unloaded" >&2
  exit 1
fi
sed -i 's/winner.CapKey(snapshot.OccurredAt.AddDate(0, 1, 0))/winner.CapKey(snapshot.OccurredAt)/' "$decision"

plant "${breaks[@]}"
caught "$("$lint" run --allow-serial-runners --enable-only depguard,forbidigo --max-issues-per-linter 0 --max-same-issues 0 ./bff/... ./tracking/... ./commission/... 2>&1 || true)" "${breaks[@]}"
echo "lint proof: $((${#breaks[@]} + ${#codes[@]} + ${#compiled[@]} + 1)) broken rules, all caught"
