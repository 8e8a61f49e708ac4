-- Replays: periods that are decided again by the rules at a revision. A replay is work in small
-- steps. Each step is a transaction that posts for some users and moves the position behind them,
-- so whoever goes on with it posts nothing twice.

-- +goose Up
CREATE TABLE replays (
    id           uuid        PRIMARY KEY,
    period_from  timestamptz NOT NULL,
    period_to    timestamptz NOT NULL,
    dry_run      boolean     NOT NULL,
    reason       text        NOT NULL,
    actor        text        NOT NULL,
    request_id   text        NOT NULL,
    revision     bigint      NOT NULL, -- of the rules
    requested_at timestamptz NOT NULL,

    status       text        NOT NULL
        CHECK (status IN ('running', 'completed', 'cancelled', 'failed')),
    failure      text,                 -- the code of the error
    total_users  bigint,               -- NULL until they are counted
    total_events bigint,
    users        bigint      NOT NULL, -- that are done
    events       bigint      NOT NULL, -- of the period, of these users
    differences  bigint      NOT NULL,
    sums         jsonb       NOT NULL, -- of the differences, minor units as text by currency
    position     text        NOT NULL, -- the last user that is done, in the order of ids
    changed_at   timestamptz NOT NULL,
    ended_at     timestamptz,
    version      int         NOT NULL DEFAULT 1,

    -- Who works on it, and until when another process leaves it alone.
    holder       text        NOT NULL,
    held_until   timestamptz NOT NULL,
    at_once      boolean     NOT NULL, -- the request is answered with the result

    CHECK (period_to > period_from),
    CHECK ((status = 'running') = (ended_at IS NULL)),
    CHECK ((status = 'failed') = (failure IS NOT NULL)),
    CHECK ((total_users IS NULL) = (total_events IS NULL))
);

CREATE INDEX replays_requested ON replays (requested_at, id);

CREATE INDEX replays_running ON replays (held_until)
    WHERE status = 'running';

-- +goose StatementBegin
CREATE FUNCTION replays_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.id, OLD.period_from, OLD.period_to, OLD.dry_run, OLD.reason, OLD.actor, OLD.request_id,
        OLD.revision, OLD.requested_at)
       IS DISTINCT FROM
       (NEW.id, NEW.period_from, NEW.period_to, NEW.dry_run, NEW.reason, NEW.actor, NEW.request_id,
        NEW.revision, NEW.requested_at) THEN
        RAISE EXCEPTION 'a replay stays what was asked for' USING ERRCODE = 'restrict_violation';
    END IF;

    IF OLD.status <> 'running' AND (OLD.status, OLD.users, OLD.events, OLD.differences, OLD.version)
       IS DISTINCT FROM (NEW.status, NEW.users, NEW.events, NEW.differences, NEW.version) THEN
        RAISE EXCEPTION 'a replay that is % cannot become %', OLD.status, NEW.status
            USING ERRCODE = 'restrict_violation';
    END IF;

    IF NEW.users < OLD.users OR NEW.events < OLD.events OR NEW.differences < OLD.differences
       OR NEW.position COLLATE "C" < OLD.position COLLATE "C" THEN
        RAISE EXCEPTION 'a replay only goes on' USING ERRCODE = 'restrict_violation';
    END IF;

    RETURN NEW;
END $$;
-- +goose StatementEnd

CREATE TRIGGER replays_move
    BEFORE UPDATE ON replays
    FOR EACH ROW EXECUTE FUNCTION replays_guard();

CREATE TRIGGER replays_kept
    BEFORE DELETE OR TRUNCATE ON replays
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

REVOKE DELETE, TRUNCATE ON replays FROM commission_user;

-- An adjustment of an event names the replay that made it. A trigger checks it, since a foreign key
-- would cost every earning a check as well. A replay is never deleted, and keeps its id.
-- +goose StatementBegin
CREATE FUNCTION commissions_replay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM replays WHERE id = NEW.replay_id) THEN
        RAISE EXCEPTION 'an adjustment names a replay that exists'
            USING ERRCODE = 'foreign_key_violation';
    END IF;

    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TRIGGER commissions_replay
    AFTER INSERT ON commissions
    FOR EACH ROW
    WHEN (NEW.replay_id IS NOT NULL)
    EXECUTE FUNCTION commissions_replay();

-- What a replay found, by user and then by time: also of a dry run, which posts nothing.
CREATE TABLE replay_differences (
    replay_id      uuid        NOT NULL REFERENCES replays,
    number         bigint      NOT NULL, -- from 1
    user_id        text        NOT NULL,
    event_id       text        NOT NULL,
    occurred_at    timestamptz NOT NULL,
    currency       text        NOT NULL,
    expected_minor bigint      NOT NULL,
    booked_minor   bigint      NOT NULL,

    PRIMARY KEY (replay_id, number)
);

CREATE TRIGGER replay_differences_immutable
    BEFORE UPDATE OR DELETE OR TRUNCATE ON replay_differences
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

REVOKE UPDATE, DELETE, TRUNCATE ON replay_differences FROM commission_user;
