-- Rows come by COPY, which writes page by page unless a trigger has to see each row before. The guard looks afterwards, in the same statement.

-- +goose Up
DROP TRIGGER commissions_begin ON commissions;
CREATE TRIGGER commissions_begin AFTER INSERT ON commissions FOR EACH ROW WHEN (NEW.status NOT IN ('pending', 'approved') OR NEW.version <> 1 OR NEW.reverses_id IS NOT NULL)
    EXECUTE FUNCTION commissions_guard();

-- +goose Down
DROP TRIGGER commissions_begin ON commissions;
CREATE TRIGGER commissions_begin BEFORE INSERT ON commissions FOR EACH ROW WHEN (NEW.status NOT IN ('pending', 'approved') OR NEW.version <> 1 OR NEW.reverses_id IS NOT NULL)
    EXECUTE FUNCTION commissions_guard();
