-- The append-only log of tracking events. It is also the outbox: the relay publishes it in the
-- order of seq.

-- +goose Up
CREATE TABLE events (
    seq               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    occurred_at       timestamptz NOT NULL,
    received_at       timestamptz NOT NULL,
    event_id          text        NOT NULL UNIQUE,
    user_id           text        NOT NULL,
    event_type        text        NOT NULL,

    -- of the canonical content: it distinguishes a repetition from a conflict
    body_hash         bytea       NOT NULL,

    -- read from metadata once, when the event is accepted
    campaign_id       text,
    product_id        text,
    order_id          text,
    original_event_id text,
    amount            text, -- major units, the exact decimal text
    currency          text,

    -- JSON texts: metadata as received, and attributes that no consumer reads
    metadata          text,
    attributes        text,

    traceparent       text,

    CHECK (length(event_id) BETWEEN 1 AND 128),
    CHECK (length(user_id) BETWEEN 1 AND 128),
    CHECK (length(campaign_id) BETWEEN 1 AND 128),
    CHECK (length(body_hash) = 16)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

-- Lists are in the order of seq, so their indexes end in it: a page is read without sorting. Keys
-- that end in seq are never equal, so deduplication before a page split is useless. Each index
-- costs some 85 bytes of WAL an event. The frequent types need no index, since the log has a page
-- of them nearby; the rare ones have theirs.
CREATE INDEX events_user_seq ON events (user_id, seq)
    WITH (deduplicate_items = off);

CREATE INDEX events_campaign_seq ON events (campaign_id, seq)
    WITH (deduplicate_items = off)
    WHERE campaign_id IS NOT NULL;

CREATE INDEX events_rare_type_seq ON events (event_type, seq)
    WHERE event_type IN ('engagement', 'lead', 'refund', 'void', 'chargeback');

-- multi, because late events are outliers
CREATE INDEX events_occurred_brin ON events
    USING brin (occurred_at timestamptz_minmax_multi_ops, seq)
    WITH (pages_per_range = 128, autosummarize = on);

-- A reader of seq > n must never skip a row that becomes visible later with a lower seq. Inserting
-- transactions are therefore serialized: the order of seq is the order of commits, for every
-- writer. Commits carry hundreds of rows, so the lock is cheap.
-- +goose StatementBegin
CREATE FUNCTION events_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7201);
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER events_in_order
    BEFORE INSERT ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_in_order();

-- +goose StatementBegin
CREATE FUNCTION events_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events is append-only' USING ERRCODE = 'restrict_violation';
END $$;
-- +goose StatementEnd

CREATE TRIGGER events_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_append_only();

-- events_received_since returns the position after which every event lies that was received since
-- then, if received_at rises with seq. Where it does not, the position is off by no more than that
-- disorder.
-- +goose StatementBegin
CREATE FUNCTION events_received_since(since timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    low    bigint := 0;
    high   bigint := (SELECT coalesce(max(seq), 0) FROM events);
    middle bigint;
    found  record;
BEGIN
    WHILE low < high LOOP
        middle := (low + high) / 2;
        SELECT seq, received_at INTO found FROM events WHERE seq > middle ORDER BY seq LIMIT 1;
        IF found.received_at >= since THEN
            high := middle;
        ELSE
            low := found.seq;
        END IF;
    END LOOP;
    RETURN low;
END $$;
-- +goose StatementEnd

REVOKE UPDATE, DELETE, TRUNCATE ON events FROM tracking_user;
