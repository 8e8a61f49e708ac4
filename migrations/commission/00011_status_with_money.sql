-- A status tells where money lies, so none changes without it: whoever writes, the ledger has moved by the end of the transaction.
-- Earnings that are approved at once, as by rules without hold days, are inserted as such and pay for none of this.

-- +goose Up
CREATE INDEX ledger_settled ON ledger (commission_id) WHERE from_account = 'pending';

-- +goose StatementBegin
CREATE FUNCTION commissions_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (CASE
        WHEN NEW.kind <> 'earning' THEN -- goes where its earning goes
            EXISTS (SELECT FROM commissions WHERE id = NEW.reverses_id AND (status = 'rejected') = (NEW.status = 'rejected') AND status NOT IN ('pending', 'held'))
        WHEN NEW.status = 'reversed' THEN -- nothing is left that could lie anywhere
            NEW.amount_minor + (SELECT coalesce(sum(amount_minor), 0) FROM commissions WHERE reverses_id = NEW.id) = 0
        ELSE EXISTS (SELECT FROM ledger WHERE commission_id = NEW.id AND from_account = 'pending'
                     AND to_account = CASE NEW.status WHEN 'approved' THEN 'available' ELSE 'programme' END AND amount_minor = NEW.amount_minor)
        END) THEN
        RAISE EXCEPTION 'a % that becomes % takes its money along', NEW.kind, NEW.status USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER commissions_settled AFTER UPDATE ON commissions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.status IN ('approved', 'rejected', 'reversed')) EXECUTE FUNCTION commissions_settled();

-- +goose Down
DROP TRIGGER commissions_settled ON commissions;
DROP FUNCTION commissions_settled;
DROP INDEX ledger_settled;
