-- One row for each event: the inbox for exactly-once consumption, the answer to "why no
-- commission?", and the basis of explanations and replays. A row never changes, except that a
-- parked reversal is resolved once.

-- +goose Up
CREATE TABLE decisions (
    event_id          text        PRIMARY KEY CHECK (length(event_id) BETWEEN 1 AND 128),
    user_id           text        NOT NULL CHECK (length(user_id) BETWEEN 1 AND 128),
    event_type        text        NOT NULL CHECK (earns(event_type) OR reverses(event_type)),
    occurred_at       timestamptz NOT NULL,
    received_at       timestamptz NOT NULL,
    decided_at        timestamptz NOT NULL, -- of a resolved one: when it was parked
    resolved_at       timestamptz,

    -- the event as it was sent
    campaign_id       text,
    product_id        text,
    order_id          text,
    original_event_id text,
    amount_sent       text,
    currency_sent     text,
    self_referral     boolean     NOT NULL,

    -- the answer
    outcome           text        NOT NULL
        CHECK (outcome IN ('commissioned', 'not_commissioned', 'parked')),
    reason            text        NOT NULL,
    rules_revision    bigint      NOT NULL,
    rule_id           uuid,
    rule_version      int,
    currency          text,
    base_minor        bigint,
    position_minor    bigint,     -- volume in the tier period before the event
    cap_used_minor    bigint,     -- earned in the cap period before the event
    reverses_event_id text,       -- a reversal: its original, once known
    reversed_before   bigint,     -- a reversal: how much of the original was taken back before
    order_taken_by    text,
    unrounded         text,
    amount_minor      bigint,
    available_at      timestamptz,
    commission_id     uuid,

    CHECK ((outcome = 'commissioned') = (commission_id IS NOT NULL)),
    CHECK (
        outcome <> 'commissioned'
        OR (rule_id IS NOT NULL AND currency IS NOT NULL AND amount_minor <> 0)
    )
);

CREATE INDEX decisions_reverses ON decisions (reverses_event_id)
    WHERE reverses_event_id IS NOT NULL;

CREATE INDEX decisions_order ON decisions (user_id, order_id)
    WHERE order_id IS NOT NULL;

CREATE INDEX decisions_parked ON decisions (user_id, coalesce(original_event_id, order_id))
    WHERE outcome = 'parked';

CREATE INDEX decisions_occurred_brin ON decisions USING brin (occurred_at);

-- Replay reads the decisions of one user. Those with a commission are found by it, the parked ones
-- by their own index. An index by user on all decisions would cost every event an entry; this one
-- costs only the events that earned nothing. No other query may find it useful: a search for what
-- waits for one event must not read everything of its user.
CREATE INDEX decisions_without_commission ON decisions (user_id)
    WHERE outcome = 'not_commissioned';

-- +goose StatementBegin
CREATE FUNCTION decisions_resolve() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.outcome <> 'parked' OR NEW.outcome = 'parked' THEN
        RAISE EXCEPTION 'a decision is final unless it is parked' USING ERRCODE = 'restrict_violation';
    END IF;

    IF (OLD.event_id, OLD.user_id, OLD.event_type, OLD.occurred_at, OLD.received_at, OLD.decided_at,
        OLD.campaign_id, OLD.product_id, OLD.order_id, OLD.original_event_id, OLD.amount_sent,
        OLD.currency_sent, OLD.self_referral)
       IS DISTINCT FROM
       (NEW.event_id, NEW.user_id, NEW.event_type, NEW.occurred_at, NEW.received_at, NEW.decided_at,
        NEW.campaign_id, NEW.product_id, NEW.order_id, NEW.original_event_id, NEW.amount_sent,
        NEW.currency_sent, NEW.self_referral)
       OR NEW.resolved_at IS NULL THEN
        RAISE EXCEPTION 'the event of a decision never changes' USING ERRCODE = 'restrict_violation';
    END IF;

    RETURN NEW;
END $$;
-- +goose StatementEnd

CREATE TRIGGER decisions_resolve
    BEFORE UPDATE ON decisions
    FOR EACH ROW EXECUTE FUNCTION decisions_resolve();

CREATE TRIGGER decisions_kept
    BEFORE DELETE OR TRUNCATE ON decisions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

REVOKE DELETE, TRUNCATE ON decisions FROM commission_user;
