-- Volumes and earnings of users by rules with tiers or caps, in a period.

-- +goose Up
CREATE TABLE usage (
    user_id      text   NOT NULL,
    rule_id      uuid   NOT NULL,
    currency     text   NOT NULL,
    period       text   NOT NULL, -- 2026-11, and in another zone than UTC 2026-11 Europe/Berlin
    volume_minor bigint NOT NULL,
    earned_minor bigint NOT NULL,

    PRIMARY KEY (user_id, rule_id, currency, period)
) WITH (fillfactor = 70);

REVOKE DELETE, TRUNCATE ON usage FROM commission_user;
