-- Lists by time: where in the log events of a time were received, and an index that finds those which came late.

-- +goose Up
DROP INDEX events_occurred_brin;
CREATE INDEX events_occurred_brin ON events USING brin (occurred_at timestamptz_minmax_multi_ops, seq) WITH (pages_per_range = 128, autosummarize = on); -- multi: late events are outliers

-- The position behind which everything lies that was received since then, if received_at rises with seq; where it does not, the position is off by
-- no more than that disorder.
-- +goose StatementBegin
CREATE FUNCTION events_received_since(since timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    low    bigint := 0;
    high   bigint := (SELECT coalesce(max(seq), 0) FROM events);
    middle bigint;
    found  record;
BEGIN
    WHILE low < high LOOP
        middle := (low + high) / 2;
        SELECT seq, received_at INTO found FROM events WHERE seq > middle ORDER BY seq LIMIT 1;
        IF found.received_at >= since THEN
            high := middle;
        ELSE
            low := found.seq;
        END IF;
    END LOOP;
    RETURN low;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION events_received_since;
DROP INDEX events_occurred_brin;
CREATE INDEX events_occurred_brin ON events USING brin (occurred_at timestamptz_minmax_multi_ops) WITH (pages_per_range = 32, autosummarize = on);
