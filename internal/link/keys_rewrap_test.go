package link_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/internal/postgres"
	"github.com/garminlink/garminlink/internal/seal"
	"github.com/google/uuid"
)

// fill leaves one of everything that is sealed, and returns who has it: a link
// with a previous session, one that waits for a code, one with a candidate.
func (w *world) fill() (refreshed, waiting, choosing *world) {
	w.t.Helper()
	for _, name := range []string{"a", "b", "c"} {
		w.garmin.Add(garmintest.Account{Email: name + "@garmin.example", Password: garmintest.DemoPassword})
	}
	refreshed, waiting, choosing = w, w.as(w.newUser("b@example.com")), w.as(w.newUser("c@example.com"))
	refreshed.start("a")
	w.leavePrevious()
	waiting.start("mfa")
	choosing.start("b")
	choosing.start("c")
	w.keepConsumer()
	w.keepWebhook()
	return refreshed, waiting, choosing
}

// leavePrevious refreshes the session without a proof that the new one works.
func (w *world) leavePrevious() {
	w.t.Helper()
	w.exec("UPDATE garmin_authentication_states SET session_expires_at = app_now() WHERE user_id = $1", w.user)
	w.garmin.Fail(garmintest.OpProfile, garmintest.ServerError, 1)
	_, err := w.validate()
	wantKind(w.t, err, link.Unavailable)
}

// keepConsumer keeps an OAuth1 consumer as an installation with old sessions
// does, by the documented binding.
func (w *world) keepConsumer() {
	w.t.Helper()
	place := seal.Binding{Installation: one[uuid.UUID](w, "SELECT id FROM installation").String(), Kind: "oauth1-consumer", ID: "a-key"}
	secret, err := w.keys.Seal(w.keys.Primary(), []byte("a-secret"), place)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := postgres.NewLinks(w.db.DB).KeepConsumer(context.Background(), link.Consumer{Key: "a-key", Secret: secret}); err != nil {
		w.t.Fatal(err)
	}
}

// keepWebhook keeps the two secrets of an endpoint whose secret was rotated.
func (w *world) keepWebhook() {
	w.t.Helper()
	vault, err := link.OpenVault(context.Background(), postgres.NewLinks(w.db.DB), w.keys)
	if err != nil {
		w.t.Fatal(err)
	}
	id := uuid.New()
	current, err := vault.SealAt(link.HeldWebhookSecret, id.String(), []byte("new"))
	if err != nil {
		w.t.Fatal(err)
	}
	former, err := vault.SealAt(link.HeldWebhookSecret, id.String(), []byte("old"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.exec(`INSERT INTO webhook_endpoints (id, url, events, secret, key_id, former_secret, former_key_id, former_until, tells_after)
		VALUES ($1, '', '{}', $2, $3, $4, $5, app_now(), 0)`, id, current.Ciphertext, current.KeyID, former.Ciphertext, former.KeyID)
}

// openWebhook opens both of them.
func (w *world) openWebhook() {
	w.t.Helper()
	vault, err := link.OpenVault(context.Background(), postgres.NewLinks(w.db.DB), w.keys)
	if err != nil {
		w.t.Fatal(err)
	}
	id := one[uuid.UUID](w, "SELECT id FROM webhook_endpoints").String()
	for _, place := range []struct {
		in                link.Holding
		secret, key, want string
	}{
		{link.HeldWebhookSecret, "secret", "key_id", "new"},
		{link.HeldFormerWebhookSecret, "former_secret", "former_key_id", "old"},
	} {
		kept := link.Sealed{
			KeyID:      one[uint32](w, "SELECT "+place.key+" FROM webhook_endpoints"),
			Ciphertext: one[[]byte](w, "SELECT "+place.secret+" FROM webhook_endpoints"),
		}
		if got, err := vault.OpenAt(place.in, id, kept); err != nil || string(got) != place.want {
			w.t.Errorf("%s: %q, %v", place.in, got, err)
		}
	}
}

// all is one of everything that is sealed, and another session.
func all(key uint32) []link.KeyUse {
	return []link.KeyUse{
		{Key: key, In: link.HeldConsumer, Rows: 1}, {Key: key, In: link.HeldCandidate, Rows: 1},
		{Key: key, In: link.HeldChallenge, Rows: 1}, {Key: key, In: link.HeldMACKey, Rows: 1},
		{Key: key, In: link.HeldPrevious, Rows: 1}, {Key: key, In: link.HeldSession, Rows: 2},
		{Key: key, In: link.HeldWebhookSecret, Rows: 1}, {Key: key, In: link.HeldFormerWebhookSecret, Rows: 1},
	}
}

const values = 9 // of all

func TestRewrapLeavesNothingUnderTheFormerKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refreshed, waiting, choosing := w.fill()
	both, alone, added := w.grown()
	w.wantUses(all(w.keys.Primary())...)
	if pass := w.rewrap(both); pass.Total != 0 || pass.Done != 0 {
		t.Errorf("nothing was promoted, and the pass is %+v", pass)
	}
	if err := w.promote(both, added); err != nil {
		t.Fatal(err)
	}
	generations := "SELECT string_agg(format('%s %s', generation, previous_generation), ',' ORDER BY user_id) FROM garmin_authentication_states"
	before := one[string](w, generations)
	if pass := w.rewrap(both); pass.Total != values || pass.Done != values || pass.Busy != 0 || len(pass.Unreadable) != 0 {
		t.Errorf("the pass is %+v", pass)
	}
	if pass := w.rewrap(both); pass.Total != 0 || pass.Done != 0 {
		t.Errorf("the second pass is %+v", pass)
	}
	w.wantUses(all(added)...)
	if after := one[string](w, generations); after != before {
		t.Errorf("generations are %s after %s", after, before)
	}

	// All of it opens without the former key.
	w.keys = alone
	w.links = w.replica()
	for _, user := range []*world{refreshed, waiting, choosing} {
		user.links = w.links
	}
	if _, err := refreshed.validate(); err != nil {
		t.Error(err)
	}
	if _, err := waiting.code(garmintest.DemoCode); err != nil {
		t.Error(err)
	}
	if _, err := choosing.links.Replace(context.Background(), choosing.act(), 0, true); err != nil {
		t.Error(err)
	}
	w.openConsumer()
	w.openWebhook()
}

// openConsumer has the service use the consumer that is kept: it fetches none.
func (w *world) openConsumer() {
	w.t.Helper()
	kept, err := postgres.NewLinks(w.db.DB).Consumer(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	place := seal.Binding{Installation: one[uuid.UUID](w, "SELECT id FROM installation").String(), Kind: "oauth1-consumer", ID: "a-key"}
	if secret, err := w.keys.Open(kept.Secret, place); err != nil || string(secret) != "a-secret" {
		w.t.Errorf("the consumer's secret is %q, %v", secret, err)
	}
}

// The previous session is what saves a link whose last refresh was lost.
func TestPreviousSessionWorksAfterARewrap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.leavePrevious()
	both, alone, added := w.grown()
	if err := w.promote(both, added); err != nil {
		t.Fatal(err)
	}
	w.rewrap(both)
	w.keys = alone
	w.links = w.replica()
	w.exec("UPDATE garmin_authentication_states SET session_expires_at = app_now()")
	w.garmin.Fail(garmintest.OpRefresh, garmintest.Respond(400, "application/json", `{"error":"invalid_grant"}`), 1)
	if _, err := w.validate(); err != nil && link.KindOf(err) == "" {
		t.Errorf("Validate = %v", err)
	}
	if n := w.garmin.Calls(garmintest.OpRefresh); n < 3 {
		t.Errorf("Garmin was asked %d times to refresh: the previous session was not tried", n)
	}
}

func TestInterruptedRewrapGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill()
	both, _, added := w.grown()
	if err := w.promote(both, added); err != nil {
		t.Fatal(err)
	}
	for left := values; left > 0; {
		ctx, cancel := context.WithCancel(context.Background())
		pass, err := w.rewrapUntil(ctx, both, func(link.Rewrapped) { cancel() })
		if pass.Total != left || pass.Done == 0 {
			t.Fatalf("of %d left the pass is %+v, %v", left, pass, err)
		}
		if left -= pass.Done; left > 0 && !errors.Is(err, context.Canceled) {
			t.Fatalf("Rewrap = %v", err)
		}
	}
	w.wantUses(all(added)...)
}

func TestRewrapGoesThroughManyBatches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.exec("UPDATE garmin_authentication_states SET generation = 1")
	const many = 450
	w.exec(`INSERT INTO users (id, external_id, role) SELECT gen_random_uuid(), n, 'user' FROM generate_series(1, $1) n`, many)
	w.exec(`INSERT INTO garmin_authentication_states (user_id, session_data, key_id, generation, session_expires_at, last_validated, region, garmin_email, garmin_guid)
		SELECT u.id, s.session_data, s.key_id, 1, now(), now(), s.region, '', u.id FROM users u, garmin_authentication_states s WHERE u.external_id IS NOT NULL`)
	both, _, added := w.grown()
	if err := w.promote(both, added); err != nil {
		t.Fatal(err)
	}
	var told []int
	pass, err := w.rewrapUntil(context.Background(), both, func(p link.Rewrapped) { told = append(told, p.Done+len(p.Unreadable)) })
	// They are copies of one user's, and open in no other place.
	if err != nil || len(pass.Unreadable) < many || pass.Done+len(pass.Unreadable) != many+2 || len(told) < 4 {
		t.Errorf("done %d, unreadable %d, told %v, %v", pass.Done, len(pass.Unreadable), told, err)
	}
}

func TestUnreadableRowIsNamedAndStopsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	refreshed, waiting, _ := w.fill()
	first := w.keys.Primary()
	w.exec("UPDATE garmin_authentication_states SET session_data = overlay(session_data PLACING '\\x00'::bytea FROM 20) WHERE user_id = $1", refreshed.user)
	w.exec("UPDATE garmin_challenges SET key_id = 4711 WHERE user_id = $1", waiting.user)
	both, _, added := w.grown()
	if err := w.promote(both, added); err != nil {
		t.Fatal(err)
	}
	pass := w.rewrap(both)
	if got, want := fmt.Sprint(pass.Unreadable), fmt.Sprint([]link.Unreadable{{In: link.HeldSession, User: refreshed.user, Key: first}}); got != want {
		t.Errorf("unreadable are %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(pass.Lacking), fmt.Sprint([]link.KeyUse{{Key: 4711, In: link.HeldChallenge, Rows: 1}}); got != want {
		t.Errorf("lacking are %s, want %s", got, want)
	}
	if pass.Done != values-2 {
		t.Errorf("the pass is %+v", pass)
	}
	refreshed.wantState("active")
	waiting.wantState("mfa_pending")
	w.keys = both
	refreshed.links = w.replica()
	if _, err := refreshed.validate(); !errors.Is(err, seal.ErrForeign) || link.KindOf(err) != "" {
		t.Errorf("Validate = %v", err)
	}
	refreshed.wantState("active")
}

// A pass goes on behind what it cannot open, also where that is nobody's.
func TestRewrapPassesOverManyUnreadableWebhooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const many = 450
	w.exec(`INSERT INTO webhook_endpoints (id, url, events, secret, key_id, tells_after)
		SELECT gen_random_uuid(), '', '{}', 'damaged', $1, 0 FROM generate_series(1, $2)`, int64(w.keys.Primary()), many)
	both, _, added := w.grown()
	if err := w.promote(both, added); err != nil {
		t.Fatal(err)
	}
	pass := w.rewrap(both)
	if len(pass.Unreadable) != many || pass.Unreadable[0].ID == "" || pass.Unreadable[0].ID == pass.Unreadable[many-1].ID {
		t.Errorf("done %d, unreadable %d", pass.Done, len(pass.Unreadable))
	}
}
