-- The answers to repeat for an Idempotency-Key, written in the transaction of the change.

-- +goose Up
CREATE TABLE idempotency_keys (
    caller       text        NOT NULL,
    key          text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash bytea       NOT NULL CHECK (length(request_hash) = 32),
    body         text        NOT NULL,
    created_at   timestamptz NOT NULL,

    PRIMARY KEY (caller, key)
);

-- Old answers are deleted, the oldest first.
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

REVOKE UPDATE, TRUNCATE ON idempotency_keys FROM commission_user;
