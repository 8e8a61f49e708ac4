-- Requested payouts and their outcome.

-- +goose Up
CREATE TABLE payouts (
    -- The id of the command that requested it: a command takes effect once.
    id              uuid        PRIMARY KEY,

    user_id         text        NOT NULL CHECK (length(user_id) BETWEEN 1 AND 128),
    amount_minor    bigint      NOT NULL CHECK (amount_minor > 0),
    currency        text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    payment_method  text        NOT NULL,
    account_details text        NOT NULL, -- as the command had them: a JSON object, or sealed
    request_hash    text, -- of what the command asked for; NULL if it had no idempotency key
    status          text        NOT NULL
        CHECK (status IN ('requested', 'rejected', 'completed', 'failed', 'cancelled')),
    reason          text,
    requested_at    timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    changed_at      timestamptz, -- NULL if it is as it was created
    closed_at       timestamptz,
    -- when another request with the same id arrived: it had no effect
    conflicted_at   timestamptz,
    version         int         NOT NULL DEFAULT 1,

    batch_id           uuid, -- of payout_batches: the batch that pays it
    external_reference text CHECK (length(external_reference) BETWEEN 1 AND 128),
    paid_at            timestamptz,
    failure_code       text CHECK (failure_code IN (
        'account_invalid', 'account_closed', 'account_blocked', 'recipient_mismatch',
        'recipient_refused', 'limit_exceeded', 'funds_missing', 'compliance', 'returned',
        'technical', 'other'
    )),

    CHECK ((status = 'requested') = (closed_at IS NULL)),
    CHECK (status <> 'rejected' OR reason IS NOT NULL),
    CHECK ((status = 'completed') = (paid_at IS NOT NULL)),
    CHECK ((status = 'failed') = (failure_code IS NOT NULL)),
    CHECK (external_reference IS NULL OR status IN ('completed', 'failed')),
    CHECK (batch_id IS NULL OR status IN ('requested', 'completed', 'failed'))
);

CREATE INDEX payouts_user ON payouts (user_id, created_at, id);

CREATE INDEX payouts_created ON payouts (created_at, id);

CREATE INDEX payouts_updated ON payouts (coalesce(changed_at, created_at), id);

-- The operators' work list.
CREATE INDEX payouts_status ON payouts (status, created_at, id)
    WHERE status <> 'completed';

-- +goose StatementBegin
CREATE FUNCTION payouts_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.user_id, OLD.amount_minor, OLD.currency, OLD.payment_method,
        OLD.account_details, OLD.request_hash, OLD.requested_at, OLD.created_at)
       IS DISTINCT FROM
       (NEW.id, NEW.user_id, NEW.amount_minor, NEW.currency, NEW.payment_method,
        NEW.account_details, NEW.request_hash, NEW.requested_at, NEW.created_at)
       OR NEW.version <> OLD.version + 1
       OR NOT (CASE
           -- a conflict is noted once, and nothing else with it
           WHEN NEW.conflicted_at IS DISTINCT FROM OLD.conflicted_at
           THEN OLD.conflicted_at IS NULL
               AND (NEW.status, NEW.reason, NEW.closed_at, NEW.batch_id, NEW.external_reference,
                   NEW.paid_at, NEW.failure_code)
                   IS NOT DISTINCT FROM (OLD.status, OLD.reason, OLD.closed_at, OLD.batch_id,
                   OLD.external_reference, OLD.paid_at, OLD.failure_code)
           -- a requested payout joins a batch or is released; which one is checked with the batch
           WHEN OLD.status = 'requested' AND NEW.status = 'requested'
           THEN (OLD.batch_id IS NULL) <> (NEW.batch_id IS NULL)
               AND NEW.reason IS NOT DISTINCT FROM OLD.reason
           ELSE OLD.status = 'requested'
               AND NEW.status IN ('completed', 'failed', 'cancelled')
       END) THEN
        RAISE EXCEPTION 'a payout that is % cannot become %', OLD.status, NEW.status
            USING ERRCODE = 'restrict_violation';
    END IF;

    RETURN NEW;
END $$;
-- +goose StatementEnd

CREATE TRIGGER payouts_move
    BEFORE UPDATE ON payouts
    FOR EACH ROW EXECUTE FUNCTION payouts_guard();

-- The status says where the money is: whoever writes, there is a transfer by the end of the
-- transaction.
-- +goose StatementBegin
CREATE FUNCTION payouts_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND (NEW.status NOT IN ('requested', 'rejected') OR NEW.version <> 1) THEN
        RAISE EXCEPTION 'a payout begins as requested or rejected' USING ERRCODE = 'restrict_violation';
    END IF;

    IF NEW.status <> 'rejected' AND NOT EXISTS (
        SELECT FROM transfers
        WHERE coalesce(commission_id, payout_id) = NEW.id
          AND from_account = CASE NEW.status WHEN 'requested' THEN 'available' ELSE 'in_payout' END
    ) THEN
        RAISE EXCEPTION 'a payout that is % takes its money along', NEW.status
            USING ERRCODE = 'restrict_violation';
    END IF;

    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE CONSTRAINT TRIGGER payouts_moved
    AFTER INSERT OR UPDATE ON payouts
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION payouts_moved();

CREATE TRIGGER payouts_kept
    BEFORE DELETE OR TRUNCATE ON payouts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

REVOKE DELETE, TRUNCATE ON payouts FROM commission_user;
