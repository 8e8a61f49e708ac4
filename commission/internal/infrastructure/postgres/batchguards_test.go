package postgres_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	platform "tributary/platform/postgres"
)

// SQL must refuse this, to the service's role and to the owner alike.
func TestTheDatabaseGuardsBatches(t *testing.T) {
	t.Parallel()
	f := setup(t)
	ctx := t.Context()
	ids := f.requested(t, 6)

	draft, err := f.batched(ctx, "maker", 2) // u0, u1
	mustAll(t, err)
	fixed, err := f.batched(ctx, "maker", 2) // u2, u3
	mustAll(t, err, f.approved(ctx, "second", fixed.ID))
	sent, err := f.batched(ctx, "maker", 1) // u4
	mustAll(t, err, f.approved(ctx, "second", sent.ID), f.sent(ctx, "finance", sent.ID))

	b := func(set, id string) string {
		return `UPDATE payout_batches SET version = version + 1, ` + set + ` WHERE id = '` + id + `'`
	}
	p := func(set, id string) string {
		return `UPDATE payouts SET version = version + 1, ` + set + ` WHERE id = '` + id + `'`
	}
	closing := func(status, id string) string {
		account, more := "paid", ", paid_at = now()"
		if status == "failed" {
			account, more = "available", ", failure_code = 'other'"
		}

		return p(`status = '`+status+`', closed_at = now()`+more, id) + `; INSERT INTO transfers (user_id,
    currency, from_account, to_account, amount_minor, payout_id, created_at) SELECT user_id, currency,
    'in_payout', '` + account + `', amount_minor, id, now() FROM payouts WHERE id = '` + id + `'`
	}
	approve := `status = 'approved', approved_at = now(), approved_by = `

	for name, sql := range map[string]string{
		"approve by its maker":       b(approve+`'maker'`, draft.ID),
		"approve by one who is paid": b(approve+`'u1'`, draft.ID),
		"approve without an actor":   b(`status = 'approved'`, draft.ID),
		"send a draft":               b(`status = 'sent', sent_by = 'x', sent_at = now()`, draft.ID),
		"settle what is open":        b(`status = 'settled', closed_at = now()`, sent.ID),
		"settle by saying so":        b(`status = 'settled', closed_at = now(), open_payouts = 0`, sent.ID),
		"back to draft":              b(`status = 'draft', approved_at = NULL, approved_by = NULL`, fixed.ID),
		"another count":              b(`payouts = 1, open_payouts = 1`, draft.ID),
		"another sum":                b(`total_minor = 1`, draft.ID),
		"another sum when approved":  b(`total_minor = 1`, fixed.ID),
		"another approver":           b(`approved_by = 'other'`, sent.ID),
		"without four eyes":          b(`four_eyes = false`, draft.ID),
		"another maker":              b(`made_by = 'other'`, draft.ID),
		"another currency":           b(`currency = 'EUR'`, draft.ID),
		"no version":                 `UPDATE payout_batches SET reason = 'x' WHERE id = '` + draft.ID + `'`,
		"delete":                     `DELETE FROM payout_batches`,
		"truncate":                   `TRUNCATE payout_batches CASCADE`,
		"cancel and keep":            b(`status = 'cancelled', closed_at = now()`, draft.ID),
		"join a draft":               p(`batch_id = '`+draft.ID+`'`, ids[5]),
		"join an approved one":       p(`batch_id = '`+fixed.ID+`'`, ids[5]),
		"join none":                  p(`batch_id = gen_random_uuid()`, ids[5]),
		"leave a draft":              p(`batch_id = NULL`, ids[0]),
		"leave a draft with its sum": b(`payouts = 1, open_payouts = 1, total_minor = 100`, draft.ID) + "; " +
			p(`batch_id = NULL`, ids[0]),
		"leave an approved one":        p(`batch_id = NULL`, ids[2]),
		"move to another batch":        p(`batch_id = '`+fixed.ID+`'`, ids[0]),
		"complete in a draft":          closing("completed", ids[0]),
		"fail and stay in a draft":     closing("failed", ids[0]),
		"complete when approved":       closing("completed", ids[2]),
		"fail when approved":           closing("failed", ids[2]),
		"complete without the batch":   closing("completed", ids[4]),
		"completed without a time":     p(`status = 'completed', closed_at = now()`, ids[5]),
		"failed without a code":        p(`status = 'failed', closed_at = now()`, ids[5]),
		"a reference while it is open": p(`external_reference = 'x'`, ids[5]),
		"begin in a batch": `INSERT INTO payouts (id, user_id, amount_minor, currency, payment_method,
    account_details, status, requested_at, created_at, batch_id) SELECT gen_random_uuid(), user_id, 1,
    currency, payment_method, '', 'requested', now(), now(), batch_id FROM payouts WHERE id = '` + ids[0] + `'`,
		"begin as approved": `INSERT INTO payout_batches SELECT gen_random_uuid(), currency,
    payment_method, cutoff, max_payouts, status, payouts, total_minor, open_payouts, four_eyes,
    made_by, made_at, approved_by, approved_at, sent_by, sent_at, closed_at, reason, 1
    FROM payout_batches WHERE id = '` + fixed.ID + `'`,
		"a file twice": `INSERT INTO payout_files SELECT id, 'csv', decode(repeat('00', 32), 'hex'), 1,
    'x', now() FROM payout_batches, generate_series(1, 2)`,
	} {
		for role, url := range map[string]string{"the service": f.db.URL, "the owner": f.db.OwnerURL} {
			conn, err := pgx.Connect(ctx, url)
			if err != nil {
				t.Fatal(err)
			}

			// statements that are sent as one text are one transaction
			_, err = conn.Exec(ctx, sql)
			if code := platform.Code(err); !strings.HasPrefix(code, "23") &&
				(role == "the owner" || code != "42501") {
				t.Errorf("%s, by %s: %v", name, role, err)
			}

			_ = conn.Close(ctx)
		}
	}

	f.wantBatch(t, draft.ID, "draft 2/2 2.00")
	f.wantBatch(t, fixed.ID, "approved 2/2 2.00")
	f.wantBatch(t, sent.ID, "sent 1/1 1.00")
}
