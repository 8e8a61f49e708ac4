-- Lists that would search their whole table: the operators' work list of payouts, commissions of types of event that come seldom, and what came
-- late in a list by time. None of these indexes is written to by a usual earning, but for the BRIN one, which costs next to nothing.

-- +goose Up
CREATE INDEX payouts_status ON payouts (status, created_at, id) WHERE status <> 'completed';
CREATE INDEX commissions_rare_type ON commissions (event_type, id) WHERE event_type IN ('engagement', 'lead', 'refund', 'void', 'chargeback');
CREATE INDEX commissions_occurred_brin ON commissions USING brin (occurred_at timestamptz_minmax_multi_ops, id uuid_minmax_multi_ops)
    WITH (pages_per_range = 128, autosummarize = on); -- multi: late events are outliers

-- It was always 200. A repeated request is answered with the status of its operation, as the first one was.
ALTER TABLE idempotency_keys DROP COLUMN status;

-- +goose Down
ALTER TABLE idempotency_keys ADD COLUMN status int NOT NULL DEFAULT 200;
DROP INDEX commissions_occurred_brin, commissions_rare_type, payouts_status;
