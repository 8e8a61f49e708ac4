package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"tributary/commission/internal/application/command"
	"tributary/commission/internal/application/replay"
	"tributary/commission/internal/domain/commission"
	"tributary/commission/internal/domain/effect"
	domain "tributary/commission/internal/domain/replay"
)

// interrupted is a store in which something happens while the step of a user is made: before it, or
// between its last statement and its commit.
type interrupted struct {
	replay.Store

	userID        string
	before, after func(replay.Claim)
}

func (s interrupted) Post(
	ctx context.Context,
	claim replay.Claim,
	users []string,
	fn func(*domain.Replay, []replay.History) (replay.Posting, error),
) ([]commission.Snapshot, error) {
	if !slices.Contains(users, s.userID) {
		return s.Store.Post(ctx, claim, users, fn)
	}

	if s.before != nil {
		s.before(claim)
	}

	return s.Store.Post(ctx, claim, users, func(
		r *domain.Replay,
		histories []replay.History,
	) (replay.Posting, error) {
		posting, err := fn(r, histories)

		if s.after != nil {
			s.after(claim)
		}

		return posting, err
	})
}

// threeUsers has sales of u, v and w, and then another rule for them.
func (f fixture) threeUsers(t *testing.T) {
	t.Helper()
	f.decide(t, purchase("e1", "u", "100"), purchase("e2", "v", "100"), purchase("e3", "w", "100"))
	f.rule(t, 1, 1, "0.2", "", "")
}

// posted returns the users with adjustments, and their sums.
func (f fixture) posted(t *testing.T) string {
	t.Helper()

	return f.one(t, `SELECT coalesce(string_agg(concat(user_id, ' ', sum), ';' ORDER BY user_id), '')
    FROM (SELECT user_id, sum(amount_minor) FROM commissions WHERE kind = 'adjustment'
    GROUP BY user_id) AS x`)
}

// One process dies in the middle of a step: all its connections end before the commit. Another one
// takes the replay when the claim has ended, and does the rest: nothing is lost or posted twice.
func TestAReplayGoesOnInAnotherProcess(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.threeUsers(t)

	// no replica works on it
	_, err := f.start(t, failing{apart{f.store}, "u"}, november())
	mustAll(t, err)

	var lost replay.Claim

	f.replays(interrupted{Store: apart{f.store}, userID: "v", after: func(claim replay.Claim) {
		lost = claim

		f.one(t, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = 'commission_user'`)
	}}).Work(t.Context())

	if got := f.posted(t); got != "u 1000" {
		t.Errorf("when the process died: %s", got)
	}

	f.replays(apart{f.store}).Work(t.Context())

	if got := f.posted(t); got != "u 1000" {
		t.Errorf("before the claim has ended: %s", got)
	}

	f.owned(t, `UPDATE replays SET held_until = statement_timestamp()`)
	f.replays(apart{f.store}).Work(t.Context())

	if got := f.posted(t); got != "u 1000;v 1000;w 1000" {
		t.Errorf("at the end: %s", got)
	}

	if got := f.one(t, `SELECT concat_ws(' ', status, users, total_users, events, differences)
    FROM replays`); got != "completed 3 3 3 3" {
		t.Errorf("the replay: %s", got)
	}

	if err := f.store.Replays().Keep(t.Context(), lost); !errors.Is(err, replay.ErrLost) {
		t.Errorf("the first process keeps its claim: %v", err)
	}
}

// A process whose claim has ended, and that does not know it, stores nothing.
func TestAClaimIsOfOneProcess(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.threeUsers(t)

	_, err := f.start(t, interrupted{Store: apart{f.store}, userID: "v", before: func(replay.Claim) {
		f.owned(t, `UPDATE replays SET held_until = statement_timestamp()`)
		f.replays(apart{f.store}).Work(t.Context())
	}}, november())
	mustAll(t, err)

	if got := f.posted(t); got != "u 1000;v 1000;w 1000" {
		t.Errorf("posted: %s", got)
	}

	if got := f.one(t, `SELECT concat_ws(' ', status, users, differences, (SELECT count(*)
    FROM replay_differences)) FROM replays`); got != "completed 3 3 3" {
		t.Errorf("the replay: %s", got)
	}
}

// What a cancelled replay has posted stands. Another one does the rest.
func TestAReplayIsCancelledBetweenSteps(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.threeUsers(t)

	cancel := command.NewCancelReplay(f.store.Replays())

	var id string

	found, err := f.start(t, interrupted{Store: apart{f.store}, userID: "v", before: func(c replay.Claim) {
		id = c.ID
		_, err := cancel.Handle(t.Context(), byHand(), id)
		mustAll(t, err)
	}}, november())
	mustAll(t, err)

	if found.Complete || found.Replay.Status != domain.Cancelled || found.Replay.Progress.Done.Users != 1 {
		t.Errorf("the replay: %+v", found.Replay)
	}

	f.replays(f.store).Work(t.Context())

	if got := f.posted(t); got != "u 1000" {
		t.Errorf("posted: %s", got)
	}

	if _, err := cancel.Handle(t.Context(), byHand(), id); !errors.Is(err, effect.ErrTransition) {
		t.Errorf("cancelled twice: %v", err)
	}

	if _, err := cancel.Handle(t.Context(), byHand(), newID()); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("an unknown one: %v", err)
	}

	if got := f.one(t, `SELECT string_agg(concat_ws(' ', action, before, after), ';' ORDER BY id)
    FROM audit WHERE subject_type = 'replay' AND action = 'cancel'`); got != `cancel `+
		`{"status":"running","users":1,"events":1,"differences":1} `+
		`{"status":"cancelled","users":1,"events":1,"differences":1}` {
		t.Errorf("audit: %s", got)
	}

	if got := f.replay(t); got != "e2 +1000;e3 +1000;" {
		t.Errorf("another one: %s", got)
	}
}

// All users of a replay are decided by the same rules, or it fails.
func TestAReplayFailsWhenTheRulesChange(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.threeUsers(t)

	_, err := f.start(t, interrupted{Store: apart{f.store}, userID: "v", before: func(replay.Claim) {
		f.rule(t, 2, 1, "0.3", "", "")
	}}, november())
	if !errors.Is(err, domain.ErrRulesChanged) {
		t.Errorf("Start = %v", err)
	}

	if got := f.posted(t) + f.one(t, `SELECT concat_ws(' ', '', status, failure, users)
    FROM replays`); got != "u 1000 failed replay_rules_changed 1" {
		t.Errorf("posted: %s", got)
	}

	if got := f.replay(t); got != "e1 +1000;e2 +2000;e3 +2000;" {
		t.Errorf("another one: %s", got)
	}
}

func TestTheDatabaseHasTheTransitionsOfReplays(t *testing.T) {
	t.Parallel()
	f := setup(t)

	for _, from := range domain.Statuses() {
		for _, to := range domain.Statuses() {
			listed := slices.Contains(domain.Transitions(), domain.Transition{From: from, To: to})

			allowed := f.tries(t, "replays", fmt.Sprintf(`INSERT INTO replays (id, period_from,
    period_to, dry_run, reason, actor, request_id, revision, requested_at, status, failure, users,
    events, differences, sums, position, changed_at, ended_at, holder, held_until, at_once)
VALUES (gen_random_uuid(), now(), now() + interval '1 day', false, '', '', '', 1, now(), '%[1]s',
    CASE '%[1]s' WHEN 'failed' THEN 'x' END, 0, 0, 0, '{}', '', now(),
    CASE WHEN '%[1]s' <> 'running' THEN now() END, '', now(), false)`, from), fmt.Sprintf(
				`UPDATE replays SET status = '%[1]s', failure = CASE '%[1]s' WHEN 'failed' THEN 'x' END,
    ended_at = CASE WHEN '%[1]s' <> 'running' THEN now() END`, to,
			))

			// a step of a running replay leaves it running
			if allowed != listed && (from != to) {
				t.Errorf("replay, %s to %s: listed %v, allowed %v", from, to, listed, allowed)
			}
		}
	}
}
