-- What users earned and gave back. Amounts never change; the status moves through the state machine, whoever writes.

-- +goose Up
CREATE TABLE commissions (
    id           uuid        PRIMARY KEY,
    event_id     text,
    user_id      text        NOT NULL CHECK (length(user_id) BETWEEN 1 AND 128),
    campaign_id  text,
    product_id   text,
    order_id     text,
    event_type   text        CHECK (event_type IN ('view', 'click', 'engagement', 'lead', 'sale', 'purchase', 'refund', 'void', 'chargeback')),
    kind         text        NOT NULL CHECK (kind IN ('earning', 'clawback', 'adjustment')),
    status       text        NOT NULL CHECK (status IN ('pending', 'held', 'approved', 'rejected', 'reversed')),
    base_minor   bigint      NOT NULL,
    rate         text,
    amount_minor bigint      NOT NULL,
    currency     text        NOT NULL CHECK (length(currency) = 3),
    rule_id      uuid,
    rule_version int,
    reverses_id  uuid, -- a clawback: its earning; a trigger looks, since a foreign key would cost every earning a check as well
    reason       text,
    available_at timestamptz NOT NULL,
    occurred_at  timestamptz NOT NULL,
    created_at   timestamptz NOT NULL,
    version      int         NOT NULL DEFAULT 1,
    CHECK (kind <> 'earning' OR (amount_minor > 0 AND event_id IS NOT NULL AND rule_id IS NOT NULL AND reverses_id IS NULL)),
    CHECK (kind <> 'clawback' OR (amount_minor < 0 AND event_id IS NOT NULL AND reverses_id IS NOT NULL)),
    CHECK (kind <> 'adjustment' OR (amount_minor <> 0 AND reason IS NOT NULL AND status = 'approved'))
) WITH (fillfactor = 95);
CREATE INDEX commissions_user ON commissions (user_id, id);
CREATE INDEX commissions_campaign ON commissions (campaign_id, id) WHERE campaign_id IS NOT NULL;
CREATE INDEX commissions_product ON commissions (product_id, id) WHERE product_id IS NOT NULL;
CREATE INDEX commissions_due ON commissions (available_at) WHERE status = 'pending' AND kind = 'earning';
CREATE INDEX commissions_status ON commissions (status, id) WHERE status <> 'approved';
CREATE INDEX commissions_kind ON commissions (kind, id) WHERE kind <> 'earning';
CREATE INDEX commissions_reverses ON commissions (reverses_id) WHERE reverses_id IS NOT NULL;
CREATE UNIQUE INDEX commissions_one_order ON commissions (user_id, order_id) WHERE kind = 'earning' AND order_id IS NOT NULL AND event_type IN ('sale', 'purchase');

-- +goose StatementBegin
CREATE FUNCTION commissions_guard() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER commissions_begin BEFORE INSERT ON commissions FOR EACH ROW WHEN (NEW.status NOT IN ('pending', 'approved') OR NEW.version <> 1 OR NEW.reverses_id IS NOT NULL)
    EXECUTE FUNCTION commissions_guard();
CREATE TRIGGER commissions_move BEFORE UPDATE ON commissions FOR EACH ROW EXECUTE FUNCTION commissions_guard();
CREATE TRIGGER commissions_kept BEFORE DELETE OR TRUNCATE ON commissions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE DELETE, TRUNCATE ON commissions FROM commission_user;

-- +goose Down
DROP TABLE commissions;
DROP FUNCTION commissions_guard;
