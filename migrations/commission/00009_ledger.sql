-- Double entry under commissions and payouts. One row is one transfer between two accounts of a
-- user in a currency, so a transaction that does not sum to zero cannot even be written.

-- +goose Up
CREATE TABLE ledger (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id       text        NOT NULL,
    currency      text        NOT NULL CHECK (length(currency) = 3),
    from_account  text        NOT NULL
        CHECK (from_account IN ('programme', 'pending', 'available', 'in_payout', 'paid')),
    to_account    text        NOT NULL
        CHECK (to_account IN ('programme', 'pending', 'available', 'in_payout', 'paid')),
    amount_minor  bigint      NOT NULL CHECK (amount_minor > 0),
    commission_id uuid,
    payout_id     uuid,
    created_at    timestamptz NOT NULL,

    CHECK (from_account <> to_account),
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

CREATE INDEX ledger_settled ON ledger (commission_id)
    WHERE from_account = 'pending';

CREATE TRIGGER ledger_immutable
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

REVOKE UPDATE, DELETE, TRUNCATE ON ledger FROM commission_user;
