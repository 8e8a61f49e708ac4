-- Payment runs: requested payouts of one currency and method that are approved, sent and settled
-- together. payouts.batch_id says which are in a batch, so a payout is in one at most.

-- +goose Up
CREATE TABLE payout_batches (
    id             uuid        PRIMARY KEY,

    currency       text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    payment_method text        NOT NULL,
    cutoff         timestamptz NOT NULL,
    max_payouts    int         NOT NULL CHECK (max_payouts BETWEEN 1 AND 5000),
    status         text        NOT NULL
        CHECK (status IN ('draft', 'approved', 'sent', 'settled', 'cancelled')),

    -- of its payouts; those of a cancelled batch are what it had
    payouts        int         NOT NULL,
    total_minor    numeric(40) NOT NULL,
    open_payouts   int         NOT NULL, -- that are still requested

    four_eyes      boolean     NOT NULL,
    made_by        text        NOT NULL,
    made_at        timestamptz NOT NULL,
    approved_by    text,
    approved_at    timestamptz,
    sent_by        text,
    sent_at        timestamptz,
    closed_at      timestamptz,
    reason         text        NOT NULL,
    version        int         NOT NULL DEFAULT 1,

    CHECK (open_payouts BETWEEN 0 AND payouts AND payouts <= max_payouts),
    CHECK (payouts > 0 OR status IN ('draft', 'cancelled')),
    CHECK (open_payouts = payouts OR status IN ('sent', 'settled')),
    CHECK ((open_payouts = 0) = (status = 'settled') OR payouts = 0),
    CHECK ((approved_by IS NULL) = (approved_at IS NULL)),
    CHECK ((sent_by IS NULL) = (sent_at IS NULL)),
    CHECK (status <> 'draft' OR approved_at IS NULL),
    CHECK (status NOT IN ('approved', 'sent', 'settled') OR approved_at IS NOT NULL),
    CHECK (status NOT IN ('draft', 'approved') OR sent_at IS NULL),
    CHECK (status NOT IN ('sent', 'settled') OR sent_at IS NOT NULL),
    CHECK ((status IN ('settled', 'cancelled')) = (closed_at IS NOT NULL)),
    CONSTRAINT payout_batches_four_eyes CHECK (NOT four_eyes OR approved_by <> made_by)
);

CREATE INDEX payout_batches_made ON payout_batches (made_at, id);

CREATE INDEX payout_batches_status ON payout_batches (status, made_at, id);

ALTER TABLE payouts
    ADD FOREIGN KEY (batch_id) REFERENCES payout_batches;

CREATE INDEX payouts_batch ON payouts (batch_id, created_at, id)
    WHERE batch_id IS NOT NULL;

-- What a new batch claims, the oldest first.
CREATE INDEX payouts_unclaimed ON payouts (currency, payment_method, created_at, id)
    WHERE status = 'requested' AND batch_id IS NULL;

-- +goose StatementBegin
CREATE FUNCTION payout_batches_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.currency, OLD.payment_method, OLD.cutoff, OLD.max_payouts, OLD.four_eyes,
        OLD.made_by, OLD.made_at)
       IS DISTINCT FROM
       (NEW.id, NEW.currency, NEW.payment_method, NEW.cutoff, NEW.max_payouts, NEW.four_eyes,
        NEW.made_by, NEW.made_at)
       OR NEW.version <= OLD.version
       OR NOT (CASE
           WHEN NEW.status = OLD.status
           -- payouts leave a draft; an approved batch has files; those of a sent one are closed
           THEN OLD.status IN ('draft', 'approved', 'sent')
           ELSE (OLD.status, NEW.status) IN (
               ('draft', 'approved'),
               ('draft', 'cancelled'),
               ('approved', 'sent'),
               ('approved', 'cancelled'),
               ('sent', 'settled'),
               ('sent', 'cancelled')
           )
       END)
       OR (NEW.payouts, NEW.total_minor) IS DISTINCT FROM (OLD.payouts, OLD.total_minor)
           AND (NEW.status <> 'draft' OR NEW.payouts > OLD.payouts)
       OR (OLD.approved_by, OLD.approved_at) IS DISTINCT FROM (NEW.approved_by, NEW.approved_at)
           AND (OLD.status, NEW.status) <> ('draft', 'approved')
       OR (OLD.sent_by, OLD.sent_at) IS DISTINCT FROM (NEW.sent_by, NEW.sent_at)
           AND (OLD.status, NEW.status) <> ('approved', 'sent') THEN
        RAISE EXCEPTION 'a payout batch that is % cannot become %', OLD.status, NEW.status
            USING ERRCODE = 'restrict_violation';
    END IF;

    IF NEW.status IN ('approved', 'sent') AND NEW.status <> OLD.status AND EXISTS (
        SELECT FROM payouts
        WHERE batch_id = NEW.id
          AND user_id = CASE NEW.status WHEN 'approved' THEN NEW.approved_by ELSE NEW.sent_by END
    ) THEN
        RAISE EXCEPTION 'who is paid by a batch does not act on it' USING ERRCODE = 'restrict_violation';
    END IF;

    RETURN NEW;
END $$;
-- +goose StatementEnd

CREATE TRIGGER payout_batches_move
    BEFORE UPDATE ON payout_batches
    FOR EACH ROW EXECUTE FUNCTION payout_batches_guard();

-- Count, sum and what is open are those of the payouts: by the end of the transaction for whoever
-- writes the batch, and at once for whoever writes payouts, so the batch is written first.
-- +goose StatementBegin
CREATE FUNCTION payout_batch_matches(batch uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT b.status = 'cancelled' AND p.payouts = 0
        OR b.status <> 'cancelled' AND (b.payouts, b.total_minor, b.open_payouts)
            = (p.payouts, p.total_minor, p.open_payouts)
    FROM payout_batches AS b
    CROSS JOIN LATERAL (
        SELECT
            count(*) AS payouts,
            coalesce(sum(amount_minor), 0) AS total_minor,
            count(*) FILTER (WHERE status = 'requested') AS open_payouts
        FROM payouts
        WHERE batch_id = b.id
    ) AS p
    WHERE b.id = batch
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION payout_batches_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND (NEW.status <> 'draft' OR NEW.version <> 1) THEN
        RAISE EXCEPTION 'a payout batch begins as a draft' USING ERRCODE = 'restrict_violation';
    END IF;

    IF NOT payout_batch_matches(NEW.id) THEN
        RAISE EXCEPTION 'a payout batch has the count and the sum of its payouts'
            USING ERRCODE = 'restrict_violation';
    END IF;

    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE CONSTRAINT TRIGGER payout_batches_whole
    AFTER INSERT OR UPDATE ON payout_batches
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION payout_batches_whole();

-- Which payouts may join, leave and be closed depends on their batch.
-- +goose StatementBegin
CREATE FUNCTION payouts_in_batch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    b payout_batches;
BEGIN
    SELECT * INTO b FROM payout_batches WHERE id = coalesce(NEW.batch_id, OLD.batch_id);

    IF NOT (CASE
        WHEN OLD.batch_id IS NULL THEN b.status = 'draft'
            AND NEW.currency = b.currency
            AND NEW.payment_method = b.payment_method
            AND NEW.created_at <= b.cutoff
            AND NEW.user_id <> b.made_by
        WHEN NEW.batch_id IS NOT NULL THEN NEW.batch_id = OLD.batch_id
            AND (b.status IN ('sent', 'settled') OR NEW.status = OLD.status)
        WHEN NEW.status = 'requested' THEN b.status = 'cancelled'
        ELSE b.status = 'draft' AND NEW.status IN ('failed', 'cancelled')
    END) THEN
        RAISE EXCEPTION 'the batch does not allow this change of its payout'
            USING ERRCODE = 'restrict_violation';
    END IF;

    RETURN NEW;
END $$;
-- +goose StatementEnd

CREATE TRIGGER payouts_in_batch
    BEFORE UPDATE ON payouts
    FOR EACH ROW
    WHEN (OLD.batch_id IS NOT NULL OR NEW.batch_id IS NOT NULL)
    EXECUTE FUNCTION payouts_in_batch();

-- +goose StatementBegin
CREATE FUNCTION payouts_batched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (
            SELECT batch_id FROM before WHERE batch_id IS NOT NULL
            UNION
            SELECT batch_id FROM after WHERE batch_id IS NOT NULL
            OFFSET 0 -- the batches first, and then one check of each
        ) AS b
        WHERE NOT payout_batch_matches(b.batch_id)
    ) THEN
        RAISE EXCEPTION 'a payout batch has the count and the sum of its payouts'
            USING ERRCODE = 'restrict_violation';
    END IF;

    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER payouts_batched
    AFTER UPDATE ON payouts
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_batched();

-- A payout begins outside of any batch.
ALTER TABLE payouts
    ADD CONSTRAINT payouts_begin CHECK (batch_id IS NULL OR version > 1);

CREATE TRIGGER payout_batches_kept
    BEFORE DELETE OR TRUNCATE ON payout_batches
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

REVOKE DELETE, TRUNCATE ON payout_batches FROM commission_user;

-- The files of a batch. The bytes are not kept, since they name accounts: they are made again from
-- the same payouts, and must have the same digest.
CREATE TABLE payout_files (
    batch_id uuid        NOT NULL REFERENCES payout_batches,
    format   text        NOT NULL,
    digest   bytea       NOT NULL CHECK (length(digest) = 32),
    bytes    int         NOT NULL,
    made_by  text        NOT NULL,
    made_at  timestamptz NOT NULL,

    PRIMARY KEY (batch_id, format)
);

CREATE TRIGGER payout_files_immutable
    BEFORE UPDATE OR DELETE OR TRUNCATE ON payout_files
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

REVOKE UPDATE, DELETE, TRUNCATE ON payout_files FROM commission_user;
