-- The balance of each account of a user in a currency. Triggers of commissions and transfers update
-- it in the writer's transaction, so no writer can forget it.

-- +goose Up
CREATE TABLE balances (
    user_id         text   NOT NULL,
    currency        text   NOT NULL,

    -- numeric, because a sum of amounts may be beyond 64 bits although none of them is
    programme_minor numeric(40) NOT NULL,

    -- Negative while a deduction waits for a second person, and less than that is pending.
    pending_minor   numeric(40) NOT NULL,

    -- Negative if a clawback followed the payout; the next payouts net it.
    available_minor numeric(40) NOT NULL,

    in_payout_minor numeric(40) NOT NULL,
    paid_minor      numeric(40) NOT NULL,

    -- What commissions have ever brought into available, and taken out of it: where the positions
    -- of the ledger end. The first two are what the rows claim, the third is their sum.
    credited_minor  numeric(40) NOT NULL,
    debited_minor   numeric(40) NOT NULL,
    moved_minor     numeric(40) NOT NULL,

    PRIMARY KEY (user_id, currency),

    CHECK (programme_minor + pending_minor + available_minor + in_payout_minor + paid_minor = 0)
) WITH (fillfactor = 50);

REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON balances FROM commission_user;

-- Not a CHECK of the table: PostgreSQL tests those on the row that an upsert proposes, and here
-- that is a difference.
-- +goose StatementBegin
CREATE FUNCTION balances_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'in_payout and paid are never negative'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'balances_not_negative';
END $$;
-- +goose StatementEnd

CREATE TRIGGER balances_not_negative
    AFTER INSERT OR UPDATE ON balances
    FOR EACH ROW
    WHEN (NEW.in_payout_minor < 0 OR NEW.paid_minor < 0)
    EXECUTE FUNCTION balances_guard();

-- Together with the checks below that the positions of one statement follow each other, the
-- two equations leave neither a gap nor an overlap on either side.
-- +goose StatementBegin
CREATE FUNCTION balances_positions_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the position of a transfer is the sum of those before it'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_positions';
END $$;
-- +goose StatementEnd

CREATE TRIGGER balances_positions
    AFTER INSERT OR UPDATE ON balances
    FOR EACH ROW
    WHEN (
        NEW.credited_minor - NEW.debited_minor
            <> NEW.available_minor + NEW.in_payout_minor + NEW.paid_minor
        OR NEW.credited_minor + NEW.debited_minor <> NEW.moved_minor
    )
    EXECUTE FUNCTION balances_positions_guard();

-- In order of user and currency, so that two writers lock balances in the same order. The
-- programme's account is the others' counterpart, so it needs no sum of its own. If the positions
-- of a statement do not follow each other, the sum gets an end that is never right: the trigger
-- above refuses the row.
-- +goose StatementBegin
CREATE FUNCTION commissions_book() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO balances AS b
        (user_id, currency, programme_minor, pending_minor, available_minor, in_payout_minor, paid_minor,
         credited_minor, debited_minor, moved_minor)
    SELECT user_id, currency, -(pending + available), pending, available, 0, 0,
        CASE WHEN broken THEN -1 ELSE credit_end END, debit_end, moved
    FROM (
        SELECT
            user_id,
            currency,
            coalesce(sum(amount_minor) FILTER (WHERE position_minor IS NULL), 0) AS pending,
            coalesce(sum(amount_minor) FILTER (WHERE position_minor IS NOT NULL), 0) AS available,
            coalesce(max(position_minor + amount_minor) FILTER (WHERE amount_minor > 0), 0)
                AS credit_end,
            coalesce(max(position_minor - amount_minor) FILTER (WHERE amount_minor < 0), 0)
                AS debit_end,
            coalesce(sum(abs(amount_minor)) FILTER (WHERE position_minor IS NOT NULL), 0) AS moved,
            bool_or(position_minor IS DISTINCT FROM expected) AS broken
        FROM (
            SELECT
                user_id,
                currency,
                amount_minor,
                position_minor,
                -- the first one of each side is checked by the sums
                lag(position_minor + abs(amount_minor), 1, position_minor) OVER (
                    PARTITION BY user_id, currency, position_minor IS NULL, amount_minor > 0
                    ORDER BY position_minor
                ) AS expected
            FROM made
        ) AS m
        GROUP BY user_id, currency
        ORDER BY user_id, currency
    ) AS m
    ON CONFLICT (user_id, currency) DO UPDATE SET
        programme_minor = b.programme_minor + excluded.programme_minor,
        pending_minor = b.pending_minor + excluded.pending_minor,
        available_minor = b.available_minor + excluded.available_minor,
        credited_minor = coalesce(nullif(excluded.credited_minor, 0), b.credited_minor),
        debited_minor = coalesce(nullif(excluded.debited_minor, 0), b.debited_minor),
        moved_minor = b.moved_minor + excluded.moved_minor;

    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER commissions_book
    AFTER INSERT ON commissions
    REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION commissions_book();

-- +goose StatementBegin
CREATE FUNCTION transfers_book() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO balances AS b
        (user_id, currency, programme_minor, pending_minor, available_minor, in_payout_minor, paid_minor,
         credited_minor, debited_minor, moved_minor)
    SELECT user_id, currency, -(pending + available + in_payout + paid), pending, available, in_payout, paid,
        CASE WHEN broken THEN -1 ELSE credit_end END, debit_end, commissions
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
            END) AS paid,
            coalesce(max(position_minor + amount_minor) FILTER (WHERE to_account = 'available'), 0)
                AS credit_end,
            coalesce(max(position_minor + amount_minor) FILTER (WHERE from_account = 'available'), 0)
                AS debit_end,
            coalesce(sum(amount_minor) FILTER (WHERE position_minor IS NOT NULL), 0)
                AS commissions,
            bool_or(position_minor IS DISTINCT FROM expected) AS broken
        FROM (
            SELECT
                *,
                -- the first one of each side is checked by the sums
                lag(position_minor + amount_minor, 1, position_minor) OVER (
                    PARTITION BY user_id, currency, position_minor IS NULL, to_account = 'available'
                    ORDER BY position_minor
                ) AS expected
            FROM moved
        ) AS m
        GROUP BY user_id, currency
        ORDER BY user_id, currency
    ) AS m
    ON CONFLICT (user_id, currency) DO UPDATE SET
        programme_minor = b.programme_minor + excluded.programme_minor,
        pending_minor = b.pending_minor + excluded.pending_minor,
        available_minor = b.available_minor + excluded.available_minor,
        in_payout_minor = b.in_payout_minor + excluded.in_payout_minor,
        paid_minor = b.paid_minor + excluded.paid_minor,
        credited_minor = coalesce(nullif(excluded.credited_minor, 0), b.credited_minor),
        debited_minor = coalesce(nullif(excluded.debited_minor, 0), b.debited_minor),
        moved_minor = b.moved_minor + excluded.moved_minor;

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

CREATE TRIGGER transfers_book
    AFTER INSERT ON transfers
    REFERENCING NEW TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION transfers_book();
