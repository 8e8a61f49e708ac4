-- The balance of each account of a user in a currency. A trigger of the ledger updates it in the
-- writer's transaction, so no writer can forget it.

-- +goose Up
CREATE TABLE balances (
    user_id         text   NOT NULL,
    currency        text   NOT NULL,

    -- numeric, because a sum of amounts may be beyond 64 bits although none of them is
    programme_minor numeric(40) NOT NULL,
    pending_minor   numeric(40) NOT NULL,

    -- Negative if a clawback followed the payout; the next payouts net it.
    available_minor numeric(40) NOT NULL,

    in_payout_minor numeric(40) NOT NULL,
    paid_minor      numeric(40) NOT NULL,

    PRIMARY KEY (user_id, currency),

    CHECK (programme_minor + pending_minor + available_minor + in_payout_minor + paid_minor = 0)
) WITH (fillfactor = 50);

REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON balances FROM commission_user;

-- Not a CHECK of the table: PostgreSQL tests those on the row that an upsert proposes, and here
-- that is a difference.
-- +goose StatementBegin
CREATE FUNCTION balances_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'pending, in_payout and paid are never negative'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'balances_not_negative';
END $$;
-- +goose StatementEnd

CREATE TRIGGER balances_not_negative
    AFTER INSERT OR UPDATE ON balances
    FOR EACH ROW
    WHEN (NEW.pending_minor < 0 OR NEW.in_payout_minor < 0 OR NEW.paid_minor < 0)
    EXECUTE FUNCTION balances_guard();

-- In order of user and currency, so that two writers lock balances in the same order. The
-- programme's account is the others' counterpart, so it needs no sum of its own.
-- +goose StatementBegin
CREATE FUNCTION ledger_book() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO balances AS b
        (user_id, currency, programme_minor, pending_minor, available_minor, in_payout_minor, paid_minor)
    SELECT user_id, currency, -(pending + available + in_payout + paid), pending, available, in_payout, paid
    FROM (
        SELECT
            user_id,
            currency,
            sum(CASE 'pending'
                WHEN to_account THEN amount_minor
                WHEN from_account THEN -amount_minor
                ELSE 0
            END) AS pending,
            sum(CASE 'available'
                WHEN to_account THEN amount_minor
                WHEN from_account THEN -amount_minor
                ELSE 0
            END) AS available,
            sum(CASE 'in_payout'
                WHEN to_account THEN amount_minor
                WHEN from_account THEN -amount_minor
                ELSE 0
            END) AS in_payout,
            sum(CASE 'paid'
                WHEN to_account THEN amount_minor
                WHEN from_account THEN -amount_minor
                ELSE 0
            END) AS paid
        FROM moved
        GROUP BY user_id, currency
        ORDER BY user_id, currency
    ) AS m
    ON CONFLICT (user_id, currency) DO UPDATE SET
        programme_minor = b.programme_minor + excluded.programme_minor,
        pending_minor = b.pending_minor + excluded.pending_minor,
        available_minor = b.available_minor + excluded.available_minor,
        in_payout_minor = b.in_payout_minor + excluded.in_payout_minor,
        paid_minor = b.paid_minor + excluded.paid_minor;

    IF EXISTS (SELECT FROM moved WHERE to_account = 'in_payout')
       AND EXISTS (
           SELECT FROM moved AS m
           JOIN balances AS b USING (user_id, currency)
           WHERE m.to_account = 'in_payout' AND b.available_minor < 0
       ) THEN
        RAISE EXCEPTION 'a payout needs its amount available'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_covered';
    END IF;

    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER ledger_book
    AFTER INSERT ON ledger
    REFERENCING NEW TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_book();
