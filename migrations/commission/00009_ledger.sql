-- Double entry for commissions and payouts. A row is a transfer between two accounts of a user in a
-- currency, so a transaction that does not sum to zero cannot be written.

-- +goose Up
CREATE TABLE ledger (
    id            bigint      GENERATED ALWAYS AS IDENTITY,
    user_id       text        NOT NULL,
    currency      text        NOT NULL CHECK (length(currency) = 3),
    from_account  text        NOT NULL
        CHECK (from_account IN ('programme', 'pending', 'available', 'in_payout', 'paid')),
    to_account    text        NOT NULL
        CHECK (to_account IN ('programme', 'pending', 'available', 'in_payout', 'paid')),
    amount_minor  bigint      NOT NULL CHECK (amount_minor > 0),

    -- For a commission into or out of available: the sum of all that came in, or went out, before
    -- it. Payouts name what they pay by intervals of these sums. See docs/adr/0018.
    position_minor numeric(40),

    commission_id uuid,
    payout_id     uuid,
    created_at    timestamptz NOT NULL,

    CHECK (from_account <> to_account),
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
        OR (
            from_account IN ('programme', 'pending', 'available')
            AND to_account IN ('programme', 'pending', 'available')
        )
    )
);

-- Money moves once into the accounts and at most once on: that of a commission when it is made, and
-- out of pending; that of a payout when it is requested, and when it is closed.
CREATE UNIQUE INDEX ledger_once ON ledger (
    coalesce(commission_id, payout_id),
    (from_account IN ('pending', 'in_payout')),
    (to_account = 'pending')
);

-- What an interval of a payout consists of.
CREATE INDEX ledger_position ON ledger
    (user_id, currency, (to_account = 'available'), position_minor)
    WITH (deduplicate_items = off)
    WHERE position_minor IS NOT NULL;

-- The transfers by time. What was owed at a past moment is what is owed now, less what has been
-- moved since.
CREATE INDEX ledger_created ON ledger (created_at, id)
    WITH (deduplicate_items = off);

-- What a row moves is the whole amount of its commission or payout, of the same user and currency,
-- from where it lay to where the status has it. A negative amount moves the other way.
-- +goose StatementBegin
CREATE FUNCTION ledger_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    right_rows bigint;
    new_rows   bigint;
    all_rows   bigint;
BEGIN
    SELECT count(*), count(*) FILTER (WHERE c.version = 1)
    INTO right_rows, new_rows
    FROM moved AS m
    CROSS JOIN LATERAL (
        SELECT user_id, currency, amount_minor, version, status, reverses_id FROM commissions
        WHERE id = m.commission_id
        OFFSET 0
    ) AS c
    WHERE c.user_id = m.user_id
      AND c.currency = m.currency
      AND abs(c.amount_minor) = m.amount_minor
      AND CASE WHEN c.amount_minor > 0 THEN m.from_account ELSE m.to_account END
          = CASE c.version WHEN 1 THEN 'programme' ELSE 'pending' END
      AND CASE WHEN c.amount_minor > 0 THEN m.to_account ELSE m.from_account END
          = CASE c.status
              WHEN 'pending' THEN 'pending'
              WHEN 'approved' THEN 'available'
              WHEN 'rejected' THEN 'programme'
          END
      AND (
          c.version = 1
          OR c.reverses_id IS NULL
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

    IF new_rows > 0 THEN
        UPDATE commissions_unmoved SET rows = rows - new_rows WHERE xid = pg_current_xact_id();
    END IF;

    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER ledger_guard
    AFTER INSERT ON ledger
    REFERENCING NEW TABLE AS moved
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard();

CREATE TRIGGER ledger_immutable
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

REVOKE UPDATE, DELETE, TRUNCATE ON ledger FROM commission_user;
