-- What an event's rows cost. Keys that end in an id are never equal, so looking for equal ones before a page is split is in vain; and the programme's
-- account is the others' counterpart, so it needs no sum of its own.

-- +goose Up
ALTER INDEX commissions_user SET (deduplicate_items = off);
ALTER INDEX commissions_campaign SET (deduplicate_items = off);
ALTER INDEX commissions_product SET (deduplicate_items = off);

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION ledger_book() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO balances AS b (user_id, currency, programme_minor, pending_minor, available_minor, in_payout_minor, paid_minor)
    SELECT user_id, currency, -(pending + available + in_payout + paid), pending, available, in_payout, paid
    FROM (SELECT user_id, currency,
                 sum(CASE 'pending' WHEN to_account THEN amount_minor WHEN from_account THEN -amount_minor ELSE 0 END)::bigint AS pending,
                 sum(CASE 'available' WHEN to_account THEN amount_minor WHEN from_account THEN -amount_minor ELSE 0 END)::bigint AS available,
                 sum(CASE 'in_payout' WHEN to_account THEN amount_minor WHEN from_account THEN -amount_minor ELSE 0 END)::bigint AS in_payout,
                 sum(CASE 'paid' WHEN to_account THEN amount_minor WHEN from_account THEN -amount_minor ELSE 0 END)::bigint AS paid
          FROM moved GROUP BY user_id, currency ORDER BY user_id, currency) AS m
    ON CONFLICT (user_id, currency) DO UPDATE SET
        programme_minor = b.programme_minor + excluded.programme_minor, pending_minor = b.pending_minor + excluded.pending_minor,
        available_minor = b.available_minor + excluded.available_minor, in_payout_minor = b.in_payout_minor + excluded.in_payout_minor,
        paid_minor = b.paid_minor + excluded.paid_minor;
    IF EXISTS (SELECT FROM moved WHERE to_account = 'in_payout')
       AND EXISTS (SELECT FROM moved AS m JOIN balances AS b USING (user_id, currency) WHERE m.to_account = 'in_payout' AND b.available_minor < 0) THEN
        RAISE EXCEPTION 'a payout needs its amount available' USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_covered';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION ledger_book() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO balances AS b (user_id, currency, programme_minor, pending_minor, available_minor, in_payout_minor, paid_minor)
    SELECT user_id, currency,
           sum(CASE 'programme' WHEN to_account THEN amount_minor WHEN from_account THEN -amount_minor ELSE 0 END),
           sum(CASE 'pending' WHEN to_account THEN amount_minor WHEN from_account THEN -amount_minor ELSE 0 END),
           sum(CASE 'available' WHEN to_account THEN amount_minor WHEN from_account THEN -amount_minor ELSE 0 END),
           sum(CASE 'in_payout' WHEN to_account THEN amount_minor WHEN from_account THEN -amount_minor ELSE 0 END),
           sum(CASE 'paid' WHEN to_account THEN amount_minor WHEN from_account THEN -amount_minor ELSE 0 END)
    FROM moved GROUP BY user_id, currency ORDER BY user_id, currency
    ON CONFLICT (user_id, currency) DO UPDATE SET
        programme_minor = b.programme_minor + excluded.programme_minor, pending_minor = b.pending_minor + excluded.pending_minor,
        available_minor = b.available_minor + excluded.available_minor, in_payout_minor = b.in_payout_minor + excluded.in_payout_minor,
        paid_minor = b.paid_minor + excluded.paid_minor;
    IF EXISTS (SELECT FROM moved WHERE to_account = 'in_payout')
       AND EXISTS (SELECT FROM moved AS m JOIN balances AS b USING (user_id, currency) WHERE m.to_account = 'in_payout' AND b.available_minor < 0) THEN
        RAISE EXCEPTION 'a payout needs its amount available' USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_covered';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
ALTER INDEX commissions_user RESET (deduplicate_items);
ALTER INDEX commissions_campaign RESET (deduplicate_items);
ALTER INDEX commissions_product RESET (deduplicate_items);
