-- Decisions as replayed. A decision never changes; later reversals, tiers and caps use the result
-- of the last replay. See docs/adr/0006.

-- +goose Up
CREATE TABLE replayed_decisions (
    event_id          text        PRIMARY KEY REFERENCES decisions,
    replayed_at       timestamptz NOT NULL,

    -- the answer, as in decisions
    outcome           text        NOT NULL CHECK (outcome IN ('commissioned', 'not_commissioned')),
    reason            text        NOT NULL,
    rules_revision    bigint      NOT NULL,
    rule_id           uuid,
    rule_version      int,
    currency          text,
    base_minor        bigint,
    position_minor    bigint,
    cap_used_minor    bigint,
    reverses_event_id text,
    reversed_before   bigint,
    order_taken_by    text,
    unrounded         text,
    amount_minor      bigint,
    available_at      timestamptz,

    -- clawbacks reverse this commission: the earning, or the first adjustment if there is no
    -- earning
    commission_id     uuid
);

CREATE INDEX replayed_decisions_reverses ON replayed_decisions (reverses_event_id)
    WHERE reverses_event_id IS NOT NULL;

REVOKE DELETE, TRUNCATE ON replayed_decisions FROM commission_user;

-- Each event with its effective decision: that of the last replay, or the first one without a
-- replay.
CREATE VIEW effective_decisions AS
SELECT
    d.event_id,
    d.user_id,
    d.event_type,
    d.occurred_at,
    d.received_at,
    d.decided_at,
    d.resolved_at,
    d.campaign_id,
    d.product_id,
    d.order_id,
    d.original_event_id,
    d.amount_sent,
    d.currency_sent,
    d.self_referral,
    CASE WHEN p.event_id IS NULL THEN d.outcome ELSE p.outcome END AS outcome,
    CASE WHEN p.event_id IS NULL THEN d.reason ELSE p.reason END AS reason,
    CASE WHEN p.event_id IS NULL THEN d.rules_revision ELSE p.rules_revision END AS rules_revision,
    CASE WHEN p.event_id IS NULL THEN d.rule_id ELSE p.rule_id END AS rule_id,
    CASE WHEN p.event_id IS NULL THEN d.rule_version ELSE p.rule_version END AS rule_version,
    CASE WHEN p.event_id IS NULL THEN d.currency ELSE p.currency END AS currency,
    CASE WHEN p.event_id IS NULL THEN d.base_minor ELSE p.base_minor END AS base_minor,
    CASE WHEN p.event_id IS NULL THEN d.position_minor ELSE p.position_minor END AS position_minor,
    CASE WHEN p.event_id IS NULL THEN d.cap_used_minor ELSE p.cap_used_minor END AS cap_used_minor,
    CASE WHEN p.event_id IS NULL THEN d.reverses_event_id ELSE p.reverses_event_id END
        AS reverses_event_id,
    CASE WHEN p.event_id IS NULL THEN d.reversed_before ELSE p.reversed_before END
        AS reversed_before,
    CASE WHEN p.event_id IS NULL THEN d.order_taken_by ELSE p.order_taken_by END AS order_taken_by,
    CASE WHEN p.event_id IS NULL THEN d.unrounded ELSE p.unrounded END AS unrounded,
    CASE WHEN p.event_id IS NULL THEN d.amount_minor ELSE p.amount_minor END AS amount_minor,
    CASE WHEN p.event_id IS NULL THEN d.available_at ELSE p.available_at END AS available_at,
    CASE WHEN p.event_id IS NULL THEN d.commission_id ELSE p.commission_id END AS commission_id
FROM decisions AS d
LEFT JOIN replayed_decisions AS p USING (event_id);

REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON effective_decisions FROM commission_user;
