-- What an event earns. A published version never changes: a later version supersedes it, or its
-- rule is retired.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
-- +goose StatementEnd

-- The types of events, as in contracts/eventtype, which a test compares. The planner puts the lists
-- in place of the calls.
CREATE FUNCTION earns(event_type text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN event_type IN ('view', 'click', 'engagement', 'lead', 'sale', 'purchase');

CREATE FUNCTION sells(event_type text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN event_type IN ('sale', 'purchase');

CREATE FUNCTION reverses(event_type text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN event_type IN ('refund', 'void', 'chargeback');

-- those that have an index of their own in lists
CREATE FUNCTION rare(event_type text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN event_type IN ('engagement', 'lead', 'refund', 'void', 'chargeback');

CREATE TABLE rules (
    rule_id            uuid        NOT NULL,
    version            int         NOT NULL CHECK (version > 0),
    name               text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),

    -- the events that the rule is for
    event_type         text        NOT NULL CHECK (earns(event_type)),
    user_id            text,
    campaign_id        text,
    product_id         text,
    currency           text        CHECK (currency ~ '^[A-Z]{3}$'),

    -- the formula
    kind               text        NOT NULL
        CHECK (kind IN ('flat', 'percentage', 'graduated', 'all_units')),
    rate               text        CHECK (rate ~ '^(0|[1-9][0-9]{0,5})(\.[0-9]{1,12})?$'),
    flat_amount        text        CHECK (flat_amount ~ '^(0|[1-9][0-9]{0,5})(\.[0-9]{1,12})?$'),
    tier_from_minor    bigint[],
    tier_rates         text[],
    tier_period        text        CHECK (tier_period IN ('month', 'lifetime')),

    -- its bounds
    minimum_base_minor bigint      NOT NULL DEFAULT 0 CHECK (minimum_base_minor >= 0),
    maximum_minor      bigint      NOT NULL DEFAULT 0 CHECK (maximum_minor >= 0),
    cap_minor          bigint      CHECK (cap_minor > 0),
    cap_period         text        CHECK (cap_period IN ('day', 'month', 'lifetime')),

    -- where days and months of tiers and caps begin: an IANA name, fixed for the version
    period_zone        text        NOT NULL DEFAULT 'UTC'
        CHECK (length(period_zone) BETWEEN 1 AND 64 AND period_zone <> 'Local'),

    hold_days          int         NOT NULL DEFAULT 0 CHECK (hold_days BETWEEN 0 AND 3650),
    rounding           text        NOT NULL DEFAULT 'half_even'
        CHECK (rounding IN ('half_even', 'half_up')),
    priority           int         NOT NULL DEFAULT 0,

    effective_from     timestamptz NOT NULL,
    effective_to       timestamptz CHECK (effective_to > effective_from),
    published_at       timestamptz NOT NULL DEFAULT now(),

    -- The revision of all rules with which the version was published. It identifies what was known
    -- at a decision.
    revision           bigint      NOT NULL,

    PRIMARY KEY (rule_id, version),

    CHECK ((kind = 'percentage') = (rate IS NOT NULL)),
    CHECK ((kind = 'flat') = (flat_amount IS NOT NULL)),
    CHECK ((kind IN ('graduated', 'all_units')) = (tier_from_minor IS NOT NULL)),
    CHECK ((kind IN ('graduated', 'all_units')) = (tier_rates IS NOT NULL)),
    CHECK ((kind IN ('graduated', 'all_units')) = (tier_period IS NOT NULL)),
    CHECK (cardinality(tier_from_minor) = cardinality(tier_rates)),
    CHECK ((cap_minor IS NULL) = (cap_period IS NULL)),
    CHECK (period_zone = 'UTC' OR tier_period IS NOT NULL OR cap_period IS NOT NULL),
    CHECK (
        currency IS NOT NULL
        OR (
            kind = 'percentage'
            AND minimum_base_minor = 0
            AND maximum_minor = 0
            AND cap_minor IS NULL
        )
    )
);

CREATE TRIGGER rules_immutable
    BEFORE UPDATE OR DELETE OR TRUNCATE ON rules
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

REVOKE UPDATE, DELETE, TRUNCATE ON rules FROM commission_user;
