-- The replica that relays the events, the end of its lease, and how far the broker has confirmed.
-- The table has one row.

-- +goose Up
CREATE TABLE relay (
    id         boolean     PRIMARY KEY DEFAULT true CHECK (id),
    tx         xid8        NOT NULL DEFAULT '0',
    seq        bigint      NOT NULL DEFAULT 0 CHECK (seq >= 0),
    holder     text        NOT NULL DEFAULT '',
    expires_at timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);

INSERT INTO relay DEFAULT VALUES;

REVOKE INSERT, DELETE, TRUNCATE ON relay FROM commission_user;
