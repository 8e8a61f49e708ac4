-- Retired rules, with the time and the reason.

-- +goose Up
CREATE TABLE rule_retirements (
    rule_id    uuid        PRIMARY KEY,
    retired_at timestamptz NOT NULL,
    reason     text        NOT NULL,
    revision   bigint      NOT NULL
);

CREATE TRIGGER rule_retirements_immutable
    BEFORE UPDATE OR DELETE OR TRUNCATE ON rule_retirements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

REVOKE UPDATE, DELETE, TRUNCATE ON rule_retirements FROM commission_user;
