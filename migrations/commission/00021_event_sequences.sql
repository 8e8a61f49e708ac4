-- The last sequence of each user and rule among the events that were dropped, so that numbering
-- goes on.

-- +goose Up
CREATE TABLE event_sequences (
    -- user_id and rule_id of commission_events
    user_id  text   COLLATE "C",
    rule_id  uuid,
    sequence bigint NOT NULL CHECK (sequence > 0),

    UNIQUE NULLS NOT DISTINCT (user_id, rule_id),
    CHECK (num_nonnulls(user_id, rule_id) = 1)
);

REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON event_sequences FROM commission_user;
