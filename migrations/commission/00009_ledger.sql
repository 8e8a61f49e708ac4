-- Double entry for commissions and payouts. A movement goes from one account of a user to another
-- in a currency, so what does not sum to zero cannot be written. The first one of a commission is
-- the row of the commission itself; transfers has all others.

-- +goose Up
CREATE TABLE transfers (
    id            bigint      NOT NULL DEFAULT nextval('ledger_id'),
    user_id       text        NOT NULL,
    currency      text        NOT NULL CHECK (length(currency) = 3),
    from_account  text        NOT NULL,
    to_account    text        NOT NULL,
    amount_minor  bigint      NOT NULL CHECK (amount_minor > 0),

    -- For a commission into or out of available: the sum of all that came in, or went out, before
    -- it. Payouts name what they pay by intervals of these sums. See docs/adr/0018.
    position_minor numeric(40),

    commission_id uuid,
    payout_id     uuid,
    created_at    timestamptz NOT NULL,

    CHECK (
        (position_minor IS NOT NULL)
        = (commission_id IS NOT NULL AND 'available' IN (from_account, to_account))
    ),
    CHECK (num_nonnulls(commission_id, payout_id) = 1),
    CHECK (
        payout_id IS NULL
        OR (from_account, to_account) IN (
            ('available', 'in_payout'),
            ('in_payout', 'paid'),
            ('in_payout', 'available')
        )
    ),
    CHECK (
        commission_id IS NULL
        OR (from_account, to_account) IN (
            ('pending', 'available'),
            ('pending', 'programme'),
            -- negative amounts
            ('available', 'pending'),
            ('programme', 'pending')
        )
    )
);

-- The money of a commission moves on once; that of a payout when it is requested, and when it is
-- closed.
CREATE UNIQUE INDEX transfers_once ON transfers (
    coalesce(commission_id, payout_id),
    (from_account = 'in_payout')
);

CREATE INDEX transfers_position ON transfers
    (user_id, currency, (to_account = 'available'), position_minor)
    WITH (deduplicate_items = off)
    WHERE position_minor IS NOT NULL;

-- What was owed at a past moment is what is owed now, less what has been moved since.
CREATE INDEX transfers_created ON transfers (created_at, id)
    WITH (deduplicate_items = off);

-- credit tells the two sums of positions apart: what came into available, and what went out of it.
CREATE VIEW ledger AS
SELECT
    ledger_id AS id,
    user_id,
    currency,
    CASE
        WHEN amount_minor > 0 THEN 'programme'
        WHEN position_minor IS NULL THEN 'pending'
        ELSE 'available'
    END AS from_account,
    CASE
        WHEN amount_minor < 0 THEN 'programme'
        WHEN position_minor IS NULL THEN 'pending'
        ELSE 'available'
    END AS to_account,
    abs(amount_minor) AS amount_minor,
    position_minor,
    amount_minor > 0 AS credit,
    id AS subject_id, -- the commission or the payout
    id AS commission_id,
    NULL::uuid AS payout_id,
    created_at
FROM commissions
UNION ALL
SELECT
    id,
    user_id,
    currency,
    from_account,
    to_account,
    amount_minor,
    position_minor,
    to_account = 'available' AS credit,
    coalesce(commission_id, payout_id) AS subject_id,
    commission_id,
    payout_id,
    created_at
FROM transfers;

-- What a row moves is the whole amount of its commission or payout, of the same user and currency,
-- from where it lay to where the status has it. A negative amount moves the other way.
-- +goose StatementBegin
CREATE FUNCTION transfers_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    right_rows bigint;
    all_rows   bigint;
BEGIN
    SELECT count(*)
    INTO right_rows
    FROM moved AS m
    CROSS JOIN LATERAL (
        SELECT user_id, currency, amount_minor, version, status, reverses_id FROM commissions
        WHERE id = m.commission_id
        OFFSET 0
    ) AS c
    WHERE c.user_id = m.user_id
      AND c.currency = m.currency
      AND abs(c.amount_minor) = m.amount_minor
      AND CASE WHEN c.amount_minor > 0 THEN m.from_account ELSE m.to_account END = 'pending'
      AND CASE WHEN c.amount_minor > 0 THEN m.to_account ELSE m.from_account END
          = CASE c.status WHEN 'approved' THEN 'available' WHEN 'rejected' THEN 'programme' END
      AND c.version > 1
      AND (
          c.reverses_id IS NULL
          OR EXISTS (SELECT FROM commissions WHERE id = c.reverses_id AND status <> 'reversed')
      );

    SELECT count(*) INTO all_rows FROM moved;

    IF right_rows < all_rows THEN
        SELECT right_rows + count(*) INTO right_rows
        FROM moved AS m
        CROSS JOIN LATERAL (SELECT * FROM payouts WHERE id = m.payout_id OFFSET 0) AS p
        WHERE p.user_id = m.user_id
          AND p.currency = m.currency
          AND p.amount_minor = m.amount_minor
          AND (m.from_account, m.to_account) IN (
              SELECT 'available', 'in_payout' WHERE p.status = 'requested'
              UNION ALL SELECT 'in_payout', 'paid' WHERE p.status = 'completed'
              UNION ALL SELECT 'in_payout', 'available' WHERE p.status IN ('failed', 'cancelled')
          );
    END IF;

    IF right_rows < all_rows THEN
        RAISE EXCEPTION 'a transfer moves the amount of its commission or payout, as its status has it'
            USING ERRCODE = 'restrict_violation';
    END IF;

    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER transfers_guard
    AFTER INSERT ON transfers
    REFERENCING NEW TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION transfers_guard();

CREATE TRIGGER transfers_immutable
    BEFORE UPDATE OR DELETE OR TRUNCATE ON transfers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

REVOKE UPDATE, DELETE, TRUNCATE ON transfers FROM commission_user;
