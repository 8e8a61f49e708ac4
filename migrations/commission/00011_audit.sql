-- Who changed what, when and why, written in the transaction of the change.

-- +goose Up
CREATE TABLE audit (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL,
    actor        text        NOT NULL,
    action       text        NOT NULL,
    subject_type text        NOT NULL
        CHECK (subject_type IN ('commission', 'payout', 'payout_batch', 'rule', 'replay')),
    subject_id   text        NOT NULL,
    reason       text        NOT NULL,
    before       text        NOT NULL,
    after        text        NOT NULL,
    request_id   text        NOT NULL
);

CREATE INDEX audit_subject ON audit (subject_type, subject_id, id);

-- The lists of all rows, of a person and of an action, by time.
CREATE INDEX audit_time ON audit (at, id);
CREATE INDEX audit_actor ON audit (actor, at, id);
CREATE INDEX audit_action ON audit (action, at, id);

CREATE TRIGGER audit_immutable
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

REVOKE UPDATE, DELETE, TRUNCATE ON audit FROM commission_user;
