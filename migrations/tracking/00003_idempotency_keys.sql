-- What is kept of a request with an Idempotency-Key: that its key was used, when, and for what. The
-- statement that writes the request's events writes it too, so that there is a key if and only if
-- there are its events.

-- +goose Up
CREATE TABLE idempotency_keys (
    caller       text        NOT NULL,
    key          text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),

    -- of operation and content: another request with the same key is refused
    request_hash bytea       NOT NULL CHECK (length(request_hash) = 32),

    -- that of the events that the request recorded; its other events were there before
    received_at  timestamptz NOT NULL,

    PRIMARY KEY (caller, key)
);

-- Keys that were kept long enough are deleted, the oldest first.
CREATE INDEX idempotency_keys_received ON idempotency_keys (received_at);

REVOKE UPDATE, TRUNCATE ON idempotency_keys FROM tracking_user;
