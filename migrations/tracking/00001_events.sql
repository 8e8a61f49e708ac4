-- The append-only log of tracking events. It is also the outbox: the relay publishes it in the order of seq.

-- +goose Up
CREATE TABLE events (
    seq               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    occurred_at       timestamptz NOT NULL,
    received_at       timestamptz NOT NULL,
    event_id          text        NOT NULL UNIQUE,
    user_id           text        NOT NULL,
    event_type        text        NOT NULL,
    body_hash         bytea       NOT NULL, -- of the canonical content: tells a repetition from a conflict
    campaign_id       text,
    product_id        text, -- these five are read out of metadata once, when the event is accepted
    order_id          text,
    original_event_id text,
    amount            text, -- major units, the exact decimal text
    currency          text,
    metadata          text, -- the JSON text of the object, as received
    attributes        text, -- JSON text: what else was said of the event and concerns nobody downstream
    traceparent       text,
    CHECK (length(event_id) BETWEEN 1 AND 128),
    CHECK (length(user_id) BETWEEN 1 AND 128),
    CHECK (length(campaign_id) BETWEEN 1 AND 128),
    CHECK (length(body_hash) = 16)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.02);

-- Lists are in the order of seq, so their indexes end in it: a page is read and not sorted. Each index costs some 85 bytes of WAL an event. The
-- types that come often need none: the log itself has a page of them close by; the rare ones have theirs.
CREATE INDEX events_user_seq ON events (user_id, seq);
CREATE INDEX events_campaign_seq ON events (campaign_id, seq) WHERE campaign_id IS NOT NULL;
CREATE INDEX events_rare_type_seq ON events (event_type, seq) WHERE event_type IN ('engagement', 'lead', 'refund', 'void', 'chargeback');
CREATE INDEX events_occurred_brin ON events USING brin (occurred_at timestamptz_minmax_multi_ops) WITH (pages_per_range = 32, autosummarize = on); -- multi: late events are outliers

-- A reader of seq > n must never skip a row that becomes visible later with a lower seq. So inserting transactions take
-- turns: the order of seq is the order of commits, for every writer. Commits carry hundreds of rows; the lock is cheap.
-- +goose StatementBegin
CREATE FUNCTION events_in_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7201);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER events_in_order BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION events_in_order();

-- +goose StatementBegin
CREATE FUNCTION events_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events is append-only' USING ERRCODE = 'restrict_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION events_append_only();
REVOKE UPDATE, DELETE, TRUNCATE ON events FROM tracking_user;

-- Which replica relays, until when, and how far the broker has confirmed. One row.
CREATE TABLE relay (
    id         boolean     PRIMARY KEY DEFAULT true CHECK (id),
    pos        bigint      NOT NULL DEFAULT 0 CHECK (pos >= 0),
    holder     text        NOT NULL DEFAULT '',
    expires_at timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);
INSERT INTO relay DEFAULT VALUES;
REVOKE INSERT, DELETE, TRUNCATE ON relay FROM tracking_user;

-- +goose Down
DROP TABLE relay, events;
DROP FUNCTION events_in_order, events_append_only;
