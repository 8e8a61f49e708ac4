-- Replay reads the decisions of one user. Those with a commission are found by it; an index by user on all of decisions would cost every event an
-- entry, this one only those that earned nothing.

-- +goose Up
CREATE INDEX decisions_without_commission ON decisions (user_id) WHERE outcome <> 'commissioned';

-- +goose Down
DROP INDEX decisions_without_commission;
