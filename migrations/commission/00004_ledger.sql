-- Double entry under commissions and payouts. One row is one transfer between two accounts of a user in a currency, so a transaction
-- that does not sum to zero cannot even be written. Balances are kept by a trigger in the writer's transaction: no writer can forget them.

-- +goose Up
CREATE TABLE payouts (
    id              uuid        PRIMARY KEY, -- that of the command that asked for it: a command is acted on once
    user_id         text        NOT NULL CHECK (length(user_id) BETWEEN 1 AND 128),
    amount_minor    bigint      NOT NULL CHECK (amount_minor > 0),
    currency        text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    payment_method  text        NOT NULL,
    account_details text        NOT NULL, -- as the command had them: a JSON object, or sealed
    status          text        NOT NULL CHECK (status IN ('requested', 'rejected', 'completed', 'failed', 'cancelled')),
    reason          text,
    requested_at    timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    closed_at       timestamptz,
    version         int         NOT NULL DEFAULT 1,
    CHECK ((status = 'requested') = (closed_at IS NULL)),
    CHECK (status <> 'rejected' OR reason IS NOT NULL)
);
CREATE INDEX payouts_user ON payouts (user_id, created_at, id);
CREATE INDEX payouts_created ON payouts (created_at, id);

-- +goose StatementBegin
CREATE FUNCTION payouts_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.user_id, OLD.amount_minor, OLD.currency, OLD.payment_method, OLD.account_details, OLD.requested_at, OLD.created_at)
       IS DISTINCT FROM
       (NEW.id, NEW.user_id, NEW.amount_minor, NEW.currency, NEW.payment_method, NEW.account_details, NEW.requested_at, NEW.created_at)
       OR NEW.version <> OLD.version + 1 OR OLD.status <> 'requested' OR NEW.status NOT IN ('completed', 'failed', 'cancelled') THEN
        RAISE EXCEPTION 'a payout that is % cannot become %', OLD.status, NEW.status USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER payouts_move BEFORE UPDATE ON payouts FOR EACH ROW EXECUTE FUNCTION payouts_guard();
CREATE TRIGGER payouts_kept BEFORE DELETE OR TRUNCATE ON payouts FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE DELETE, TRUNCATE ON payouts FROM commission_user;

CREATE TABLE ledger (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id       text        NOT NULL,
    currency      text        NOT NULL CHECK (length(currency) = 3),
    from_account  text        NOT NULL CHECK (from_account IN ('programme', 'pending', 'available', 'in_payout', 'paid')),
    to_account    text        NOT NULL CHECK (to_account IN ('programme', 'pending', 'available', 'in_payout', 'paid')),
    amount_minor  bigint      NOT NULL CHECK (amount_minor > 0),
    commission_id uuid,
    payout_id     uuid,
    created_at    timestamptz NOT NULL,
    CHECK (from_account <> to_account),
    CHECK (num_nonnulls(commission_id, payout_id) = 1),
    CHECK (payout_id IS NULL OR (from_account, to_account) IN (('available', 'in_payout'), ('in_payout', 'paid'), ('in_payout', 'available'))),
    CHECK (commission_id IS NULL OR (from_account IN ('programme', 'pending', 'available') AND to_account IN ('programme', 'pending', 'available')))
);
CREATE TRIGGER ledger_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON ledger FROM commission_user;

CREATE TABLE balances (
    user_id         text   NOT NULL,
    currency        text   NOT NULL,
    programme_minor bigint NOT NULL,
    pending_minor   bigint NOT NULL,
    available_minor bigint NOT NULL, -- negative when a clawback came after the payout; the next payouts net it
    in_payout_minor bigint NOT NULL,
    paid_minor      bigint NOT NULL,
    PRIMARY KEY (user_id, currency),
    CHECK (programme_minor + pending_minor + available_minor + in_payout_minor + paid_minor = 0)
) WITH (fillfactor = 50);
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON balances FROM commission_user;

-- Not a CHECK on the table: PostgreSQL tests those on the row that an upsert proposes, and here that is a difference.
-- +goose StatementBegin
CREATE FUNCTION balances_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'pending, in_payout and paid are never negative' USING ERRCODE = 'check_violation', CONSTRAINT = 'balances_not_negative';
END $$;
-- +goose StatementEnd
CREATE TRIGGER balances_not_negative AFTER INSERT OR UPDATE ON balances FOR EACH ROW
    WHEN (NEW.pending_minor < 0 OR NEW.in_payout_minor < 0 OR NEW.paid_minor < 0) EXECUTE FUNCTION balances_guard();

-- In order of user and currency, so that two writers lock balances in the same order.
-- +goose StatementBegin
CREATE FUNCTION ledger_book() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
CREATE TRIGGER ledger_book AFTER INSERT ON ledger REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION ledger_book();

-- +goose Down
DROP TABLE balances, ledger, payouts;
DROP FUNCTION ledger_book, balances_guard, payouts_guard;
