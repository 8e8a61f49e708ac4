-- What replay makes of decisions and of their money. A decision stays what it was; what stands for the reversals to come, and for tiers and caps,
-- is what the last replay made of it. See docs/adr/0006.

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
    commission_id     uuid -- what clawbacks take from: the earning, or without one the first adjustment
);
CREATE INDEX replayed_decisions_reverses ON replayed_decisions (reverses_event_id) WHERE reverses_event_id IS NOT NULL;
REVOKE DELETE, TRUNCATE ON replayed_decisions FROM commission_user;

CREATE VIEW standing_decisions AS
SELECT d.event_id, d.user_id, d.event_type, d.occurred_at, d.received_at, d.decided_at, d.resolved_at, d.campaign_id, d.product_id, d.order_id, d.original_event_id,
       d.amount_sent, d.currency_sent, d.self_referral,
       CASE WHEN p.event_id IS NULL THEN d.outcome ELSE p.outcome END AS outcome,
       CASE WHEN p.event_id IS NULL THEN d.reason ELSE p.reason END AS reason,
       CASE WHEN p.event_id IS NULL THEN d.rules_revision ELSE p.rules_revision END AS rules_revision,
       CASE WHEN p.event_id IS NULL THEN d.rule_id ELSE p.rule_id END AS rule_id,
       CASE WHEN p.event_id IS NULL THEN d.rule_version ELSE p.rule_version END AS rule_version,
       CASE WHEN p.event_id IS NULL THEN d.currency ELSE p.currency END AS currency,
       CASE WHEN p.event_id IS NULL THEN d.base_minor ELSE p.base_minor END AS base_minor,
       CASE WHEN p.event_id IS NULL THEN d.position_minor ELSE p.position_minor END AS position_minor,
       CASE WHEN p.event_id IS NULL THEN d.cap_used_minor ELSE p.cap_used_minor END AS cap_used_minor,
       CASE WHEN p.event_id IS NULL THEN d.reverses_event_id ELSE p.reverses_event_id END AS reverses_event_id,
       CASE WHEN p.event_id IS NULL THEN d.reversed_before ELSE p.reversed_before END AS reversed_before,
       CASE WHEN p.event_id IS NULL THEN d.order_taken_by ELSE p.order_taken_by END AS order_taken_by,
       CASE WHEN p.event_id IS NULL THEN d.unrounded ELSE p.unrounded END AS unrounded,
       CASE WHEN p.event_id IS NULL THEN d.amount_minor ELSE p.amount_minor END AS amount_minor,
       CASE WHEN p.event_id IS NULL THEN d.available_at ELSE p.available_at END AS available_at,
       CASE WHEN p.event_id IS NULL THEN d.commission_id ELSE p.commission_id END AS commission_id
FROM decisions AS d LEFT JOIN replayed_decisions AS p USING (event_id);
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON standing_decisions FROM commission_user;

-- An adjustment that replay makes for an earning shares its fate, as a clawback does; and a clawback may take from an adjustment that stands in for an
-- earning.
ALTER TABLE commissions DROP CONSTRAINT commissions_check2;
ALTER TABLE commissions ADD CONSTRAINT commissions_check2 CHECK (kind <> 'adjustment' OR (amount_minor <> 0 AND reason IS NOT NULL
    AND (status = 'approved' OR (reverses_id IS NOT NULL AND status IN ('pending', 'rejected')))));
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION commissions_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    earning commissions;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status NOT IN ('pending', 'approved') OR NEW.version <> 1 THEN
            RAISE EXCEPTION 'a commission begins as pending or approved' USING ERRCODE = 'restrict_violation';
        END IF;
        SELECT * INTO earning FROM commissions
        WHERE id = NEW.reverses_id AND user_id = NEW.user_id AND currency = NEW.currency AND (kind = 'earning' OR (kind = 'adjustment' AND event_id IS NOT NULL AND reverses_id IS NULL));
        IF NOT FOUND THEN
            RAISE EXCEPTION 'a clawback needs an earning of the same user and currency, or the adjustment in its stead' USING ERRCODE = 'foreign_key_violation';
        END IF;
        IF NEW.kind = 'adjustment' AND (NEW.event_id IS DISTINCT FROM earning.event_id OR (NEW.status = 'pending') <> (earning.status IN ('pending', 'held'))) THEN
            RAISE EXCEPTION 'an adjustment of an earning is of the same event, and pending while the earning is pending or held' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.id, OLD.event_id, OLD.user_id, OLD.campaign_id, OLD.product_id, OLD.order_id, OLD.event_type, OLD.kind, OLD.base_minor, OLD.rate,
        OLD.amount_minor, OLD.currency, OLD.rule_id, OLD.rule_version, OLD.reverses_id, OLD.available_at, OLD.occurred_at, OLD.created_at)
       IS DISTINCT FROM
       (NEW.id, NEW.event_id, NEW.user_id, NEW.campaign_id, NEW.product_id, NEW.order_id, NEW.event_type, NEW.kind, NEW.base_minor, NEW.rate,
        NEW.amount_minor, NEW.currency, NEW.rule_id, NEW.rule_version, NEW.reverses_id, NEW.available_at, NEW.occurred_at, NEW.created_at) THEN
        RAISE EXCEPTION 'a commission changes nothing but its status' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.version <> OLD.version + 1 THEN
        RAISE EXCEPTION 'a change of a commission counts its version up by one' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT (CASE OLD.kind
        WHEN 'earning' THEN (OLD.status, NEW.status) IN (('pending', 'held'), ('held', 'pending'), ('pending', 'approved'), ('pending', 'rejected'), ('held', 'rejected'),
                                                         ('pending', 'reversed'), ('held', 'reversed'), ('approved', 'reversed'))
        WHEN 'clawback' THEN (OLD.status, NEW.status) IN (('pending', 'approved'), ('pending', 'rejected'))
        WHEN 'adjustment' THEN (OLD.status, NEW.status) IN (('pending', 'approved'), ('pending', 'rejected'))
                               AND EXISTS (SELECT FROM commissions WHERE id = OLD.reverses_id AND (NEW.status = 'rejected') = (status = 'rejected') AND status NOT IN ('pending', 'held'))
        ELSE false END) THEN
        RAISE EXCEPTION 'a % that is % cannot become %', OLD.kind, OLD.status, NEW.status USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION commissions_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status NOT IN ('pending', 'approved') OR NEW.version <> 1 THEN
            RAISE EXCEPTION 'a commission begins as pending or approved' USING ERRCODE = 'restrict_violation';
        END IF;
        IF NOT EXISTS (SELECT FROM commissions WHERE id = NEW.reverses_id AND kind = 'earning' AND user_id = NEW.user_id AND currency = NEW.currency) THEN
            RAISE EXCEPTION 'a clawback needs an earning of the same user and currency' USING ERRCODE = 'foreign_key_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.id, OLD.event_id, OLD.user_id, OLD.campaign_id, OLD.product_id, OLD.order_id, OLD.event_type, OLD.kind, OLD.base_minor, OLD.rate,
        OLD.amount_minor, OLD.currency, OLD.rule_id, OLD.rule_version, OLD.reverses_id, OLD.available_at, OLD.occurred_at, OLD.created_at)
       IS DISTINCT FROM
       (NEW.id, NEW.event_id, NEW.user_id, NEW.campaign_id, NEW.product_id, NEW.order_id, NEW.event_type, NEW.kind, NEW.base_minor, NEW.rate,
        NEW.amount_minor, NEW.currency, NEW.rule_id, NEW.rule_version, NEW.reverses_id, NEW.available_at, NEW.occurred_at, NEW.created_at) THEN
        RAISE EXCEPTION 'a commission changes nothing but its status' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.version <> OLD.version + 1 THEN
        RAISE EXCEPTION 'a change of a commission counts its version up by one' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NOT (CASE OLD.kind
        WHEN 'earning' THEN (OLD.status, NEW.status) IN (('pending', 'held'), ('held', 'pending'), ('pending', 'approved'), ('pending', 'rejected'), ('held', 'rejected'),
                                                         ('pending', 'reversed'), ('held', 'reversed'), ('approved', 'reversed'))
        WHEN 'clawback' THEN (OLD.status, NEW.status) IN (('pending', 'approved'), ('pending', 'rejected'))
        ELSE false END) THEN
        RAISE EXCEPTION 'a % that is % cannot become %', OLD.kind, OLD.status, NEW.status USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
ALTER TABLE commissions DROP CONSTRAINT commissions_check2;
ALTER TABLE commissions ADD CONSTRAINT commissions_check2 CHECK (kind <> 'adjustment' OR (amount_minor <> 0 AND reason IS NOT NULL AND status = 'approved'));
DROP VIEW standing_decisions;
DROP TABLE replayed_decisions;
