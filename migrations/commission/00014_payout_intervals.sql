-- What each payout pays: intervals of the sums of money that commissions brought into available
-- (credit) and took out of it (debit). The rows of the ledger lie on these sums by their positions,
-- so two intervals name a million commissions. See docs/adr/0018.

-- +goose Up
CREATE TABLE payout_intervals (
    payout_id  uuid        NOT NULL REFERENCES payouts,
    user_id    text        NOT NULL,
    currency   text        NOT NULL,
    side       text        NOT NULL CHECK (side IN ('credit', 'debit')),
    from_minor numeric(40) NOT NULL CHECK (from_minor >= 0),
    to_minor   numeric(40) NOT NULL,

    -- whether the payout failed or was cancelled: another may take the money
    released   boolean     NOT NULL DEFAULT false,

    PRIMARY KEY (payout_id, side, from_minor),

    CHECK (from_minor < to_minor)
);

-- No two that are not released overlap, so the order of the ends is that of the beginnings.
CREATE UNIQUE INDEX payout_intervals_taken
    ON payout_intervals (user_id, currency, side, to_minor)
    WHERE NOT released;

CREATE INDEX payout_intervals_released
    ON payout_intervals (user_id, currency, side, to_minor)
    WHERE released;

-- The lock on the balance keeps writers of one user apart who have no other.
-- +goose StatementBegin
CREATE FUNCTION payout_intervals_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    ends numeric;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.released OR NOT NEW.released
           OR (OLD.payout_id, OLD.user_id, OLD.currency, OLD.side, OLD.from_minor, OLD.to_minor)
              IS DISTINCT FROM
              (NEW.payout_id, NEW.user_id, NEW.currency, NEW.side, NEW.from_minor, NEW.to_minor)
           OR NOT EXISTS (
               SELECT FROM payouts WHERE id = NEW.payout_id AND status IN ('failed', 'cancelled')
           ) THEN
            RAISE EXCEPTION 'an interval is released once, with its payout'
                USING ERRCODE = 'restrict_violation';
        END IF;

        RETURN NEW;
    END IF;

    SELECT CASE NEW.side WHEN 'credit' THEN credited_minor ELSE debited_minor END INTO ends
    FROM balances
    WHERE (user_id, currency) = (NEW.user_id, NEW.currency)
    FOR UPDATE;

    IF NEW.released OR NEW.to_minor > coalesce(ends, 0) OR NOT EXISTS (
        SELECT FROM payouts
        WHERE id = NEW.payout_id
          AND (user_id, currency, status) = (NEW.user_id, NEW.currency, 'requested')
    ) THEN
        RAISE EXCEPTION 'a requested payout takes money that its user has'
            USING ERRCODE = 'restrict_violation';
    END IF;

    -- the first taken interval that ends after the beginning is the only one that can overlap
    IF NEW.to_minor > (
        SELECT from_minor FROM payout_intervals
        WHERE (user_id, currency, side) = (NEW.user_id, NEW.currency, NEW.side)
          AND NOT released
          AND to_minor > NEW.from_minor
        ORDER BY to_minor
        LIMIT 1
    ) THEN
        RAISE EXCEPTION 'no two payouts take the same money'
            USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'payout_intervals_disjoint';
    END IF;

    RETURN NEW;
END $$;
-- +goose StatementEnd

CREATE TRIGGER payout_intervals_guard
    BEFORE INSERT OR UPDATE ON payout_intervals
    FOR EACH ROW EXECUTE FUNCTION payout_intervals_guard();

-- +goose StatementBegin
CREATE FUNCTION payout_intervals_sum() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    payout uuid := to_jsonb(NEW) ->> CASE TG_TABLE_NAME WHEN 'payouts' THEN 'id' ELSE 'payout_id' END;
BEGIN
    IF (SELECT amount_minor FROM payouts WHERE id = payout) IS DISTINCT FROM (
        SELECT sum(CASE side WHEN 'credit' THEN to_minor - from_minor ELSE from_minor - to_minor END)
        FROM payout_intervals
        WHERE payout_id = payout
    ) THEN
        RAISE EXCEPTION 'the intervals of a payout sum to its amount'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payout_intervals_sum';
    END IF;

    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE CONSTRAINT TRIGGER payout_intervals_sum
    AFTER INSERT ON payout_intervals
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION payout_intervals_sum();

CREATE CONSTRAINT TRIGGER payouts_intervals_sum
    AFTER INSERT ON payouts
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    WHEN (NEW.status = 'requested')
    EXECUTE FUNCTION payout_intervals_sum();

-- +goose StatementBegin
CREATE FUNCTION payouts_release() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE payout_intervals SET released = true WHERE payout_id = NEW.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER payouts_release
    AFTER UPDATE ON payouts
    FOR EACH ROW
    WHEN (OLD.status = 'requested' AND NEW.status IN ('failed', 'cancelled'))
    EXECUTE FUNCTION payouts_release();

CREATE TRIGGER payout_intervals_kept
    BEFORE DELETE OR TRUNCATE ON payout_intervals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

REVOKE UPDATE, DELETE, TRUNCATE ON payout_intervals FROM commission_user;
