-- Who changed what, when and why; and the answers that are given again for an Idempotency-Key. Both are written in the transaction of the change.

-- +goose Up
CREATE TABLE audit (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL,
    actor        text        NOT NULL,
    action       text        NOT NULL,
    subject_type text        NOT NULL CHECK (subject_type IN ('commission', 'payout', 'rule', 'replay')),
    subject_id   text        NOT NULL,
    reason       text        NOT NULL,
    before       text        NOT NULL,
    after        text        NOT NULL,
    request_id   text        NOT NULL
);
CREATE INDEX audit_subject ON audit (subject_type, subject_id, id);
CREATE TRIGGER audit_immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE, TRUNCATE ON audit FROM commission_user;

CREATE TABLE idempotency_keys (
    caller       text        NOT NULL,
    key          text        NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash bytea       NOT NULL CHECK (length(request_hash) = 32),
    status       int         NOT NULL,
    body         text        NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (caller, key)
);
REVOKE UPDATE, TRUNCATE ON idempotency_keys FROM commission_user;

-- +goose Down
DROP TABLE idempotency_keys, audit;
