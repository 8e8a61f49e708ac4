-- Keys that end in seq are never equal, so looking for equal ones before a page is split is in vain.

-- +goose Up
ALTER INDEX events_user_seq SET (deduplicate_items = off);
ALTER INDEX events_campaign_seq SET (deduplicate_items = off);

-- +goose Down
ALTER INDEX events_user_seq RESET (deduplicate_items);
ALTER INDEX events_campaign_seq RESET (deduplicate_items);
