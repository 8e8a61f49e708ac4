-- What is remembered of a request with an Idempotency-Key: that its key was used, when, and for what. It is written by the statement that writes the
-- request's events, so that there is a key if and only if there are its events.

-- +goose Up
CREATE TABLE idempotency_keys (
    caller       text        NOT NULL,
    key          text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash bytea       NOT NULL CHECK (length(request_hash) = 32), -- of operation and content: another one with the same key is refused
    received_at  timestamptz NOT NULL, -- as of the events that the request recorded; others of its events were there before
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_keys_received ON idempotency_keys (received_at); -- keys that were kept long enough are deleted, the oldest first
REVOKE UPDATE, TRUNCATE ON idempotency_keys FROM tracking_user;

-- +goose Down
DROP TABLE idempotency_keys;
