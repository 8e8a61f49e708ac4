-- Counts every publication and retirement, so that readers know when to read the rules again. The
-- table has one row.

-- +goose Up
CREATE TABLE rules_revision (
    id       boolean PRIMARY KEY DEFAULT true CHECK (id),
    revision bigint  NOT NULL DEFAULT 0
);

INSERT INTO rules_revision DEFAULT VALUES;

-- +goose StatementBegin
CREATE FUNCTION rules_revise() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE rules_revision SET revision = revision + 1;
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER rules_revise
    AFTER INSERT ON rules
    FOR EACH STATEMENT EXECUTE FUNCTION rules_revise();

CREATE TRIGGER rules_revise
    AFTER INSERT ON rule_retirements
    FOR EACH STATEMENT EXECUTE FUNCTION rules_revise();

REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON rules_revision FROM commission_user;
