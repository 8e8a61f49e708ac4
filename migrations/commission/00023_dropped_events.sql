-- How far the log of changes was dropped: a reader whose position is before it has missed events.
-- The table has one row.

-- +goose Up
CREATE TABLE dropped_events (
    id       boolean PRIMARY KEY DEFAULT true CHECK (id),
    tx       xid8    NOT NULL DEFAULT '0', -- the last event that was dropped
    seq      bigint  NOT NULL DEFAULT 0,

    -- The partition to be dropped next, and the user down to whom its sequences are kept.
    dropping text    NOT NULL DEFAULT '',
    kept     text    NOT NULL DEFAULT '' COLLATE "C"
) WITH (fillfactor = 50);

INSERT INTO dropped_events DEFAULT VALUES;

REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON dropped_events FROM commission_user;

-- commission_events_expire drops the oldest partition if all its events are older than the time and
-- published. It does so in steps, one a call, so that no transaction is long: it keeps the sequences
-- of a thousand users ("keeping"), or drops the partition ("dropped"). It returns "unpublished" or
-- "nothing" if there is nothing to drop yet, and "busy" while another caller is at it. The drop
-- waits for running statements a fifth of a second and then fails, so that no other has to wait
-- longer.
-- +goose StatementBegin
CREATE FUNCTION commission_events_expire(before timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET lock_timeout = '200ms' AS $$
DECLARE
    users_a_step CONSTANT int := 1000;
    after_all    CONSTANT text := chr(1114111);

    name  text;
    last  record;
    below text;
    users int;
BEGIN
    IF NOT pg_try_advisory_xact_lock(7312) THEN
        RETURN 'busy';
    END IF;

    SELECT c.relname INTO name
    FROM pg_inherits AS i
    JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'commission_events'::regclass
    ORDER BY c.relname
    LIMIT 1;

    IF name IS NULL
       OR (to_date(right(name, 8), 'YYYYMMDD') + 1)::timestamp AT TIME ZONE 'UTC'
          > least(before, statement_timestamp() - interval '1 day') THEN
        RETURN 'nothing';
    END IF;

    EXECUTE format('SELECT tx, seq FROM %I ORDER BY tx DESC, seq DESC LIMIT 1', name) INTO last;
    IF EXISTS (SELECT FROM relay WHERE (tx, seq) < (last.tx, last.seq)) THEN
        RETURN 'unpublished';
    END IF;

    SELECT CASE WHEN dropping = name THEN kept ELSE after_all END INTO below FROM dropped_events;

    -- From the last user down, since the last row of a user comes first then.
    EXECUTE format('
        WITH RECURSIVE found AS (
            (
                SELECT user_id, sequence FROM %1$I WHERE user_id < $1
                ORDER BY user_id DESC, sequence DESC LIMIT 1
            )
            UNION ALL
            SELECT n.user_id, n.sequence
            FROM found
            CROSS JOIN LATERAL (
                SELECT user_id, sequence FROM %1$I WHERE user_id < found.user_id
                ORDER BY user_id DESC, sequence DESC LIMIT 1
            ) AS n
        ), page AS (
            SELECT * FROM found LIMIT $2
        ), stored AS (
            INSERT INTO event_sequences AS s (user_id, sequence)
            SELECT user_id, sequence FROM page ORDER BY user_id
            ON CONFLICT (user_id, rule_id) DO UPDATE
            SET sequence = greatest(s.sequence, excluded.sequence)
        )
        SELECT min(user_id), count(*) FROM page', name)
    INTO below, users USING below, users_a_step;

    IF users = users_a_step THEN
        UPDATE dropped_events SET dropping = name, kept = below;
        RETURN 'keeping';
    END IF;

    EXECUTE format('
        INSERT INTO event_sequences AS s (rule_id, sequence)
        SELECT rule_id, max(sequence) FROM %I WHERE rule_id IS NOT NULL GROUP BY rule_id
        ON CONFLICT (user_id, rule_id) DO UPDATE
        SET sequence = greatest(s.sequence, excluded.sequence)', name);

    UPDATE dropped_events
    SET tx = greatest(tx, last.tx),
        seq = CASE WHEN last.tx > tx THEN last.seq ELSE seq END,
        dropping = '',
        kept = '';
    EXECUTE format('DROP TABLE %I', name);

    RETURN 'dropped';
END $$;
-- +goose StatementEnd

REVOKE EXECUTE ON FUNCTION commission_events_prepare, commission_events_expire FROM PUBLIC;
GRANT EXECUTE ON FUNCTION commission_events_prepare, commission_events_expire TO commission_user;
