-- What an event earns. A published version never changes; it can be superseded by a later version and retired.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
-- +goose StatementEnd

CREATE TABLE rules (
    rule_id            uuid        NOT NULL,
    version            int         NOT NULL CHECK (version > 0),
    name               text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    event_type         text        NOT NULL CHECK (event_type IN ('view', 'click', 'engagement', 'lead', 'sale', 'purchase')),
    user_id            text,
    campaign_id        text,
    product_id         text,
    currency           text        CHECK (currency ~ '^[A-Z]{3}$'),
    kind               text        NOT NULL CHECK (kind IN ('flat', 'percentage', 'graduated', 'all_units')),
    rate               text        CHECK (rate ~ '^(0|[1-9][0-9]{0,5})(\.[0-9]{1,12})?$'),
    flat_amount        text        CHECK (flat_amount ~ '^(0|[1-9][0-9]{0,5})(\.[0-9]{1,12})?$'),
    tier_from_minor    bigint[],
    tier_rates         text[],
    tier_period        text        CHECK (tier_period IN ('month', 'lifetime')),
    minimum_base_minor bigint      NOT NULL DEFAULT 0 CHECK (minimum_base_minor >= 0),
    maximum_minor      bigint      NOT NULL DEFAULT 0 CHECK (maximum_minor >= 0),
    cap_minor          bigint      CHECK (cap_minor > 0),
    cap_period         text        CHECK (cap_period IN ('day', 'month', 'lifetime')),
    hold_days          int         NOT NULL DEFAULT 0 CHECK (hold_days BETWEEN 0 AND 3650),
    rounding           text        NOT NULL DEFAULT 'half_even' CHECK (rounding IN ('half_even', 'half_up')),
    priority           int         NOT NULL DEFAULT 0,
    effective_from     timestamptz NOT NULL,
    effective_to       timestamptz CHECK (effective_to > effective_from),
    published_at       timestamptz NOT NULL DEFAULT now(),
    revision           bigint      NOT NULL, -- of all rules, that the version came with: what was known at a decision can be told exactly
    PRIMARY KEY (rule_id, version),
    CHECK ((kind = 'percentage') = (rate IS NOT NULL)),
    CHECK ((kind = 'flat') = (flat_amount IS NOT NULL)),
    CHECK ((kind IN ('graduated', 'all_units')) = (tier_from_minor IS NOT NULL AND tier_rates IS NOT NULL AND tier_period IS NOT NULL)),
    CHECK (cardinality(tier_from_minor) = cardinality(tier_rates)),
    CHECK ((cap_minor IS NULL) = (cap_period IS NULL)),
    CHECK (currency IS NOT NULL OR (kind = 'percentage' AND minimum_base_minor = 0 AND maximum_minor = 0 AND cap_minor IS NULL))
);
CREATE TRIGGER rules_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON rules FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON rules FROM commission_user;

CREATE TABLE rule_retirements (
    rule_id    uuid        PRIMARY KEY,
    retired_at timestamptz NOT NULL,
    reason     text        NOT NULL,
    revision   bigint      NOT NULL
);
CREATE TRIGGER rule_retirements_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON rule_retirements FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON rule_retirements FROM commission_user;

-- Counts everything that was published or retired, so that readers know when to read the rules again.
CREATE TABLE rules_revision (
    id       boolean PRIMARY KEY DEFAULT true CHECK (id),
    revision bigint  NOT NULL DEFAULT 0
);
INSERT INTO rules_revision DEFAULT VALUES;
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON rules_revision FROM commission_user;
-- +goose StatementBegin
CREATE FUNCTION rules_revise() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE rules_revision SET revision = revision + 1;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER rules_revise AFTER INSERT ON rules FOR EACH STATEMENT EXECUTE FUNCTION rules_revise();
CREATE TRIGGER rules_revise AFTER INSERT ON rule_retirements FOR EACH STATEMENT EXECUTE FUNCTION rules_revise();

-- The first rules. Each gives way to a narrower scope or a higher priority.
INSERT INTO rules (rule_id, version, name, event_type, currency, kind, rate, flat_amount, priority, effective_from, published_at, revision) VALUES
    ('00000000-0000-7000-8000-000000000001', 1, 'Purchase: 10 % of the amount', 'purchase',   NULL,  'percentage', '0.1', NULL,    0, '2000-01-01Z', '2000-01-01Z', 1),
    ('00000000-0000-7000-8000-000000000002', 1, 'Sale: 10 % of the amount',     'sale',       NULL,  'percentage', '0.1', NULL,    0, '2000-01-01Z', '2000-01-01Z', 1),
    ('00000000-0000-7000-8000-000000000003', 1, 'View: 0.025 USD',              'view',       'USD', 'flat',       NULL,  '0.025', 0, '2000-01-01Z', '2000-01-01Z', 1),
    ('00000000-0000-7000-8000-000000000004', 1, 'Click: 0.20 USD',              'click',      'USD', 'flat',       NULL,  '0.2',   0, '2000-01-01Z', '2000-01-01Z', 1),
    ('00000000-0000-7000-8000-000000000005', 1, 'Engagement: 0.75 USD',         'engagement', 'USD', 'flat',       NULL,  '0.75',  0, '2000-01-01Z', '2000-01-01Z', 1);

-- +goose Down
DROP TABLE rules_revision, rule_retirements, rules;
DROP FUNCTION rules_revise, refuse_change;
