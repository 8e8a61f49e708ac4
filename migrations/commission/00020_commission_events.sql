-- The log of changes: a row for each published event, written in the transaction of the change.
-- Readers follow (tx, seq): everything below the oldest running transaction is final. A writer
-- takes the locks of its users before its first write, so each user's events are in that order.

-- +goose Up
CREATE TABLE commission_events (
    tx               xid8        NOT NULL DEFAULT pg_current_xact_id(),
    seq              bigint      GENERATED ALWAYS AS IDENTITY,
    at               timestamptz NOT NULL DEFAULT statement_timestamp(),

    -- Whom it is about: a user, or a rule, which no user has.
    user_id          text        COLLATE "C" CHECK (length(user_id) BETWEEN 1 AND 128),
    rule_id          uuid,
    -- of the user or the rule, from 1, without gaps
    sequence         bigint      NOT NULL CHECK (sequence > 0),

    type             text        NOT NULL,

    -- What it is about. Everything that never changes is read from there.
    event_id         text,       -- of a decision
    commission_id    uuid,
    payout_id        uuid,

    caused_by        text        NOT NULL
        CHECK (caused_by IN ('event', 'operator', 'clock', 'replay', 'payment_request')),
    cause_id         text,       -- NULL if it is the event or the payout itself
    actor            text,

    -- What can change, as it is after the change. The status of a decision is that of its
    -- commission, or its outcome without one.
    status           text,
    version          int,
    changed_at       timestamptz, -- NULL if the thing is new
    state            text,        -- a JSON object of what else can change, of payouts

    previous_status  text,
    previous_version int,

    CHECK (num_nonnulls(user_id, rule_id) = 1),
    CHECK (num_nonnulls(event_id, commission_id, payout_id, rule_id) = 1),
    CHECK (
        split_part(type, '.', 1) = CASE
            WHEN event_id IS NOT NULL THEN 'decision'
            WHEN commission_id IS NOT NULL THEN 'commission'
            WHEN payout_id IS NOT NULL THEN 'payout'
            ELSE 'rule'
        END
    )
) PARTITION BY RANGE (at);

-- For each row, since a trigger for each statement is not called for a partition named directly.
CREATE TRIGGER commission_events_immutable
    BEFORE UPDATE OR DELETE ON commission_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER commission_events_kept
    BEFORE TRUNCATE ON commission_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

REVOKE UPDATE, DELETE, TRUNCATE ON commission_events FROM commission_user;

-- commission_events_prepare creates the partitions of today and of the days after it, days of UTC,
-- and returns how many were missing. A partition is attached with a lock that readers and writers
-- do not notice. The service may call it, but alter no table.
-- +goose StatementBegin
CREATE FUNCTION commission_events_prepare(days int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    today   date := (statement_timestamp() AT TIME ZONE 'UTC')::date;
    name    text;
    created int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(7311);

    FOR ahead IN 0..least(days, 30) LOOP
        name := 'commission_events_' || to_char(today + ahead, 'YYYYMMDD');
        CONTINUE WHEN to_regclass(name) IS NOT NULL;

        -- A vacuum would only prepare for deletes and updates that never come.
        EXECUTE format('CREATE TABLE %I
            (LIKE commission_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
            WITH (autovacuum_vacuum_insert_threshold = -1)', name);
        EXECUTE format('REVOKE ALL ON %I FROM commission_user', name);
        EXECUTE format('CREATE UNIQUE INDEX ON %I (tx, seq) WITH (deduplicate_items = off)', name);
        EXECUTE format('CREATE UNIQUE INDEX ON %I (user_id, sequence)
            WITH (deduplicate_items = off) WHERE user_id IS NOT NULL', name);
        EXECUTE format('CREATE UNIQUE INDEX ON %I (rule_id, sequence)
            WHERE rule_id IS NOT NULL', name);
        EXECUTE format('CREATE TRIGGER commission_events_kept BEFORE TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('ALTER TABLE commission_events ATTACH PARTITION %I
            FOR VALUES FROM (%L) TO (%L)', name,
            (today + ahead)::timestamp AT TIME ZONE 'UTC',
            (today + ahead + 1)::timestamp AT TIME ZONE 'UTC');
        created := created + 1;
    END LOOP;

    RETURN created;
END $$;
-- +goose StatementEnd

SELECT commission_events_prepare(7);
