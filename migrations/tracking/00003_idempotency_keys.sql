-- The use of an Idempotency-Key: when, and for which request. The statement that writes the
-- request's events writes it too, so that a key exists if and only if its events do.

-- +goose Up
CREATE TABLE idempotency_keys (
    caller       text        NOT NULL,
    key          text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),

    -- of operation and content: another request with the same key is refused
    request_hash bytea       NOT NULL CHECK (length(request_hash) = 32),

    -- Equal to that of the events that the request recorded; its other events were recorded before.
    received_at  timestamptz NOT NULL,

    PRIMARY KEY (caller, key)
);

-- Old keys are deleted, the oldest first.
CREATE INDEX idempotency_keys_received ON idempotency_keys (received_at);

REVOKE UPDATE, TRUNCATE ON idempotency_keys FROM tracking_user;
