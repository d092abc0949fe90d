package link_test

import (
	"context"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/link"
)

func (w *world) account() string {
	w.t.Helper()
	return one[string](w, "SELECT garmin_email FROM garmin_authentication_states WHERE user_id = $1", w.user)
}

func TestRelinkKeepsTheRowAndReplacesTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.start("plain")
	before := w.sessionData()
	w.advance(time.Minute)
	second := w.start("plain")
	if !second.CreatedAt.Equal(first.CreatedAt) || string(w.sessionData()) == string(before) {
		t.Errorf("created %s then %s; session replaced: %v", first.CreatedAt, second.CreatedAt,
			string(w.sessionData()) != string(before))
	}
	w.wantEvents("login_done: not_linked -> active", "login_done: active -> active")
}

func TestAnotherGarminAccountWaitsForAYes(t *testing.T) {
	t.Parallel()
	answers := map[string]struct {
		yes     bool
		account string
	}{
		"yes": {true, "plain@garmin.example"},
		"no":  {false, "mfa@garmin.example"},
	}
	for name, want := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.start("mfa")
			if _, err := w.code("123456"); err != nil {
				t.Fatal(err)
			}
			l := w.start("plain")
			if l.Candidate == nil || l.State.Session != link.Live || w.account() != "mfa@garmin.example" {
				t.Fatalf("link is %+v of %s", l, w.account())
			}
			_, err := w.links.Replace(context.Background(), w.act(), l.Candidate.Generation+1, true)
			wantKind(t, err, link.NoCandidate)
			l, err = w.replica().Replace(context.Background(), w.act(), l.Candidate.Generation, want.yes)
			if err != nil || l.Candidate != nil || l.State.Session != link.Live || w.account() != want.account {
				t.Fatalf("link is %+v of %s, %v", l, w.account(), err)
			}
			// Whichever session the link has now, it works.
			if _, err := w.links.Validate(context.Background(), w.act()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCandidateByCodeLeavesTheLinkAsItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.start("mfa")
	l, err := w.code("123456")
	if err != nil || l.Candidate == nil || l.State != (link.State{Session: link.Live}) || w.account() != "plain@garmin.example" {
		t.Fatalf("link is %+v, %v", l, err)
	}
	w.wantEvents("login_done: not_linked -> active", "code_asked: active -> mfa_pending", "set_aside: mfa_pending -> active")
}

func TestCandidateExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.start("mfa")
	if _, err := w.code("123456"); err != nil {
		t.Fatal(err)
	}
	w.db.Advance(t, 10*time.Minute)
	_, err := w.links.Replace(context.Background(), w.act(), 0, true)
	wantKind(t, err, link.NoCandidate)
	if l := w.view(); l.Candidate != nil {
		t.Errorf("candidate is %+v", l.Candidate)
	}
	if n := one[int](w, "SELECT count(*) FROM garmin_candidates"); n != 0 {
		t.Errorf("%d candidates are left", n)
	}
}

func TestCandidateThatAnotherUserLinkedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.start("mfa")
	if _, err := w.code("123456"); err != nil {
		t.Fatal(err)
	}
	other := link.Act{User: w.newUser("other@example.com"), By: link.ByUser}
	l, err := w.links.Start(context.Background(), other, credentials("mfa"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.links.SubmitCode(context.Background(), other, l.Challenge.ID, "123456"); err != nil {
		t.Fatal(err)
	}
	_, err = w.links.Replace(context.Background(), w.act(), 0, true)
	wantKind(t, err, link.AccountTaken)
	if w.account() != "plain@garmin.example" {
		t.Errorf("the link is of %s", w.account())
	}
}

func TestUnlinkErasesAllButTheHistory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.start("mfa")
	if _, err := w.code("123456"); err != nil { // a candidate
		t.Fatal(err)
	}
	w.start("totp") // a challenge
	if err := w.links.Unlink(context.Background(), w.act()); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"garmin_authentication_states", "garmin_challenges", "garmin_candidates"} {
		if n := one[int](w, "SELECT count(*) FROM "+table); n != 0 {
			t.Errorf("%s has %d rows", table, n)
		}
	}
	if n := one[int](w, "SELECT count(*) FROM link_events"); n != 5 {
		t.Errorf("the history has %d entries, want 5", n)
	}
	if err := w.links.Unlink(context.Background(), w.act()); err != nil {
		t.Errorf("a second Unlink: %v", err)
	}
}

func TestSealedSessionCopiedToAnotherUserDoesNotOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	other := w.newUser("other@example.com")
	w.exec(`INSERT INTO garmin_authentication_states (user_id, session_data, last_validated, region, garmin_email,
			garmin_guid, generation, key_id, session_expires_at)
		SELECT $1, session_data, last_validated, region, garmin_email, 'other', generation, key_id, session_expires_at
		FROM garmin_authentication_states`, other)
	calls := w.garmin.Calls("profile")
	_, err := w.links.Validate(context.Background(), link.Act{User: other, By: link.ByUser})
	if err == nil || link.KindOf(err) != "" {
		t.Errorf("Validate of a copied session: %v", err)
	}
	if w.garmin.Calls("profile") != calls {
		t.Error("Garmin was asked with a copied session")
	}
}
