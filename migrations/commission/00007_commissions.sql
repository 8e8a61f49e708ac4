-- What users earned, and what was reversed. Amounts never change; the status follows the state
-- machine, whoever writes.

-- +goose Up

-- The numbers of all movements of money: see the view ledger.
CREATE SEQUENCE ledger_id;

CREATE TABLE commissions (
    id           uuid        PRIMARY KEY,
    event_id     text,
    user_id      text        NOT NULL CHECK (length(user_id) BETWEEN 1 AND 128),
    campaign_id  text,
    product_id   text,
    order_id     text,
    event_type   text        CHECK (earns(event_type) OR reverses(event_type)),
    kind         text        NOT NULL CHECK (kind IN ('earning', 'clawback', 'adjustment')),
    status       text        NOT NULL
        CHECK (status IN ('pending', 'held', 'approved', 'rejected', 'reversed')),
    base_minor   bigint      NOT NULL,
    rate         text,
    amount_minor bigint      NOT NULL,
    currency     text        NOT NULL CHECK (length(currency) = 3),
    rule_id      uuid,
    rule_version int,

    -- For a clawback, its earning. A trigger checks it, since a foreign key would cost every
    -- earning a check as well.
    reverses_id  uuid,

    reason       text,
    available_at timestamptz NOT NULL,
    occurred_at  timestamptz NOT NULL,
    created_at   timestamptz NOT NULL,
    version      int         NOT NULL DEFAULT 1,
    changed_at   timestamptz, -- NULL if it is as it was created
    replay_id    uuid,       -- of an adjustment that a replay made

    -- The movement that brings the amount to its account has no row of its own: it is this one.
    -- The account is available if there is a position (see transfers), or else pending.
    ledger_id      bigint NOT NULL DEFAULT nextval('ledger_id'),
    position_minor numeric(40),

    CHECK (replay_id IS NULL OR (kind = 'adjustment' AND event_id IS NOT NULL)),
    CHECK (
        kind <> 'earning'
        OR (
            amount_minor > 0
            AND event_id IS NOT NULL
            AND rule_id IS NOT NULL
            AND reverses_id IS NULL
        )
    ),
    CHECK (
        kind <> 'clawback'
        OR (amount_minor < 0 AND event_id IS NOT NULL AND reverses_id IS NOT NULL)
    ),
    -- An adjustment that a replay posts for an earning shares its status, as a clawback does. One that
    -- stands in for an earning waits, is acted on and is rejected as that would be.
    CHECK (
        kind <> 'adjustment'
        OR (
            amount_minor <> 0
            AND reason IS NOT NULL
            AND (
                -- One by an operator waits for a second person; one by a replay as its rule says.
                status IN ('approved', 'pending', 'rejected')
                OR (event_id IS NOT NULL AND status = 'held' AND reverses_id IS NULL)
            )
        )
    )
) WITH (fillfactor = 95);

-- Keys that end in an id are never equal, so deduplication before a page split is useless.
CREATE INDEX commissions_user ON commissions (user_id, id)
    WITH (deduplicate_items = off);

CREATE INDEX commissions_campaign ON commissions (campaign_id, id)
    WITH (deduplicate_items = off)
    WHERE campaign_id IS NOT NULL;

CREATE INDEX commissions_product ON commissions (product_id, id)
    WITH (deduplicate_items = off)
    WHERE product_id IS NOT NULL;

CREATE INDEX commissions_due ON commissions (available_at)
    WHERE status = 'pending' AND reverses_id IS NULL;

CREATE INDEX commissions_status ON commissions (status, id)
    WHERE status <> 'approved';

CREATE INDEX commissions_rejected ON commissions (user_id, id)
    WHERE status = 'rejected';

CREATE INDEX commissions_kind ON commissions (kind, id)
    WHERE kind <> 'earning';

CREATE INDEX commissions_reverses ON commissions (reverses_id)
    WHERE reverses_id IS NOT NULL;

-- What was changed since a time, or created since. Every change is one of the status, which other
-- indexes have too, so this one takes no HOT update away. See docs/adr/0020.
CREATE INDEX commissions_updated ON commissions (coalesce(changed_at, created_at), id)
    WITH (deduplicate_items = off);

-- An earning costs one entry for its order: this index keeps it the only one, and finds it. The
-- next one has the few other commissions of orders.
CREATE UNIQUE INDEX commissions_one_order ON commissions (order_id, user_id, campaign_id)
    NULLS NOT DISTINCT
    WHERE kind = 'earning' AND order_id IS NOT NULL AND sells(event_type);

CREATE INDEX commissions_other_of_order ON commissions (order_id)
    WHERE order_id IS NOT NULL
        AND (kind = 'earning' AND event_type IN ('sale', 'purchase')) IS NOT TRUE;

-- What an interval of a payout consists of, with transfers_position.
CREATE INDEX commissions_position ON commissions
    (user_id, currency, (amount_minor > 0), position_minor)
    WITH (deduplicate_items = off)
    WHERE position_minor IS NOT NULL;

-- The ledger by time, with transfers_created.
CREATE INDEX commissions_created ON commissions (created_at, ledger_id)
    WITH (deduplicate_items = off);

CREATE INDEX commissions_rare_type ON commissions (event_type, id)
    WHERE rare(event_type);

-- multi, because late events are outliers
CREATE INDEX commissions_occurred_brin ON commissions
    USING brin (occurred_at timestamptz_minmax_multi_ops, id uuid_minmax_multi_ops)
    WITH (pages_per_range = 128, autosummarize = on);

-- +goose StatementBegin
CREATE FUNCTION commissions_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    earning commissions;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status NOT IN ('pending', 'approved') OR NEW.version <> 1 THEN
            RAISE EXCEPTION 'a commission begins as pending or approved' USING ERRCODE = 'restrict_violation';
        END IF;

        IF (NEW.status = 'approved') <> (NEW.position_minor IS NOT NULL) THEN
            RAISE EXCEPTION 'what is available at once has a position' USING ERRCODE = 'restrict_violation';
        END IF;

        SELECT * INTO earning FROM commissions
        WHERE id = NEW.reverses_id AND user_id = NEW.user_id AND currency = NEW.currency
          AND (kind = 'earning' OR (kind = 'adjustment' AND event_id IS NOT NULL AND reverses_id IS NULL));
        IF NOT FOUND THEN
            RAISE EXCEPTION
                'a clawback needs an earning of the same user and currency, or the adjustment in its stead'
                USING ERRCODE = 'foreign_key_violation';
        END IF;

        IF NEW.kind = 'adjustment'
           AND (NEW.event_id IS DISTINCT FROM earning.event_id
                OR (NEW.status = 'pending') <> (earning.status IN ('pending', 'held'))) THEN
            RAISE EXCEPTION
                'an adjustment of an earning is of the same event, and pending while the earning is pending or held'
                USING ERRCODE = 'restrict_violation';
        END IF;

        RETURN NEW;
    END IF;

    IF (OLD.id, OLD.event_id, OLD.user_id, OLD.campaign_id, OLD.product_id, OLD.order_id,
        OLD.event_type, OLD.kind, OLD.base_minor, OLD.rate, OLD.amount_minor, OLD.currency,
        OLD.rule_id, OLD.rule_version, OLD.reverses_id, OLD.available_at, OLD.occurred_at,
        OLD.created_at, OLD.replay_id, OLD.ledger_id, OLD.position_minor)
       IS DISTINCT FROM
       (NEW.id, NEW.event_id, NEW.user_id, NEW.campaign_id, NEW.product_id, NEW.order_id,
        NEW.event_type, NEW.kind, NEW.base_minor, NEW.rate, NEW.amount_minor, NEW.currency,
        NEW.rule_id, NEW.rule_version, NEW.reverses_id, NEW.available_at, NEW.occurred_at,
        NEW.created_at, NEW.replay_id, NEW.ledger_id, NEW.position_minor) THEN
        RAISE EXCEPTION 'a commission changes nothing but its status' USING ERRCODE = 'restrict_violation';
    END IF;

    IF NEW.version <> OLD.version + 1 THEN
        RAISE EXCEPTION 'a change of a commission counts its version up by one'
            USING ERRCODE = 'restrict_violation';
    END IF;

    IF NOT (CASE
        WHEN OLD.reverses_id IS NULL THEN (OLD.status, NEW.status) IN (
            ('pending', 'held'),
            ('held', 'pending'),
            ('pending', 'approved'),
            ('pending', 'rejected'),
            ('held', 'rejected')
        )
            OR (
                OLD.kind = 'earning'
                AND OLD.status IN ('pending', 'held', 'approved')
                AND NEW.status = 'reversed'
            )
        WHEN OLD.kind = 'clawback' THEN (OLD.status, NEW.status) IN (
            ('pending', 'approved'),
            ('pending', 'rejected')
        )
        WHEN OLD.kind = 'adjustment' THEN (OLD.status, NEW.status) IN (
            ('pending', 'approved'),
            ('pending', 'rejected')
        )
            AND EXISTS (
                SELECT FROM commissions
                WHERE id = OLD.reverses_id
                  AND (NEW.status = 'rejected') = (status = 'rejected')
                  AND status NOT IN ('pending', 'held')
            )
        ELSE false
    END) THEN
        RAISE EXCEPTION 'a % that is % cannot become %', OLD.kind, OLD.status, NEW.status
            USING ERRCODE = 'restrict_violation';
    END IF;

    RETURN NEW;
END $$;
-- +goose StatementEnd

-- After, because rows come by COPY, which writes page by page unless a trigger has to see each row
-- before. An earning begins as pending or approved and pays for none of this.
CREATE TRIGGER commissions_begin
    AFTER INSERT ON commissions
    FOR EACH ROW
    WHEN (
        NEW.status NOT IN ('pending', 'approved')
        OR NEW.version <> 1
        OR NEW.reverses_id IS NOT NULL
        OR (NEW.status = 'approved') <> (NEW.position_minor IS NOT NULL)
    )
    EXECUTE FUNCTION commissions_guard();

CREATE TRIGGER commissions_move
    BEFORE UPDATE ON commissions
    FOR EACH ROW EXECUTE FUNCTION commissions_guard();

-- The status says where the money is, so it never changes without a transfer: whoever writes, there
-- is one by the end of the transaction.
-- +goose StatementBegin
CREATE FUNCTION commissions_money_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (CASE
        WHEN NEW.reverses_id IS NOT NULL THEN -- goes where its earning goes
            EXISTS (
                SELECT FROM commissions
                WHERE id = NEW.reverses_id
                  AND (status = 'rejected') = (NEW.status = 'rejected')
                  AND status NOT IN ('pending', 'held')
                  AND (
                      status = 'reversed' -- it lies where it lay, with nothing left of it
                      OR EXISTS (
                          SELECT FROM transfers WHERE coalesce(commission_id, payout_id) = NEW.id
                      )
                  )
            )
        WHEN NEW.status = 'reversed' THEN -- nothing is left that could lie anywhere
            NEW.amount_minor
                + (SELECT coalesce(sum(amount_minor), 0) FROM commissions WHERE reverses_id = NEW.id)
                = 0
        ELSE
            EXISTS (SELECT FROM transfers WHERE coalesce(commission_id, payout_id) = NEW.id)
    END) THEN
        RAISE EXCEPTION 'a % that becomes % takes its money along', NEW.kind, NEW.status
            USING ERRCODE = 'restrict_violation';
    END IF;

    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE CONSTRAINT TRIGGER commissions_money_moved
    AFTER UPDATE ON commissions
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    WHEN (NEW.status IN ('approved', 'rejected', 'reversed'))
    EXECUTE FUNCTION commissions_money_moved();

CREATE TRIGGER commissions_kept
    BEFORE DELETE OR TRUNCATE ON commissions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

REVOKE DELETE, TRUNCATE ON commissions FROM commission_user;
