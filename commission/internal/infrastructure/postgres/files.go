package postgres

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/jackc/pgx/v5"

	"tributary/commission/internal/application/change"
	"tributary/commission/internal/domain/batch"
	"tributary/commission/internal/domain/payout"
)

const (
	insertFile = `INSERT INTO payout_files (batch_id, format, digest, bytes, made_by, made_at)
    VALUES ($1, $2, $3, $4, $5, $6)`

	// Details that are longer than an account needs are not read, so that a batch has its bound in
	// memory: they are nothing that can be opened.
	selectAccounts = `SELECT id::text, user_id, amount_minor, currency, payment_method,
    CASE WHEN length(account_details) <= 8192 THEN account_details ELSE '' END, ` + payoutOutcome + `
FROM payouts WHERE batch_id = $1 ORDER BY created_at, payouts.id`
)

// filesOf reads the files of a batch from a list of lists.
func filesOf(text string) ([]batch.File, error) {
	if text == "" {
		return nil, nil
	}

	var rows [][5]jsontext.Value
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, err
	}

	files := make([]batch.File, len(rows))
	for i, row := range rows {
		var digest string

		for at, into := range []any{
			&files[i].Format,
			&digest,
			&files[i].Bytes,
			&files[i].MadeBy,
			&files[i].MadeAt,
		} {
			if err := json.Unmarshal(row[at], into); err != nil {
				return nil, err
			}
		}

		if _, err := hex.Decode(files[i].Digest[:], []byte(digest)); err != nil {
			return nil, err
		}

		files[i].MadeAt = files[i].MadeAt.In(time.UTC)
	}

	return files, nil
}

func (r Batches) Open(
	ctx context.Context,
	request change.Request,
	id string,
	fn func(*batch.Batch, []payout.Snapshot) (change.Outcome, error),
) error {
	return r.store.once(ctx, request, func(tx pgx.Tx) (change.Outcome, error) {
		opened, err := lockBatch(ctx, tx, id)
		if err != nil {
			return change.Outcome{}, err
		}

		before := len(opened.Snapshot().Files)

		payouts, err := collect(ctx, tx, scanPayout, selectAccounts, id)
		if err != nil {
			return change.Outcome{}, err
		}

		outcome, err := fn(&opened, payouts)
		if err != nil {
			return change.Outcome{}, err
		}

		after := opened.Snapshot()
		for _, file := range after.Files[before:] {
			if _, err := tx.Exec(
				ctx,
				insertFile,
				id,
				file.Format,
				file.Digest[:],
				file.Bytes,
				file.MadeBy,
				file.MadeAt,
			); err != nil {
				return change.Outcome{}, err
			}
		}

		return outcome, saveBatch(ctx, tx, after)
	})
}
