package link_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
	"github.com/google/uuid"
)

func (w *world) linkOf(user uuid.UUID) link.Listed {
	w.t.Helper()
	l, err := w.links.LinkOf(context.Background(), user)
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

func (w *world) list(q link.Query) []link.Listed {
	w.t.Helper()
	if q.Most == 0 {
		q.Most = 100
	}
	all, err := w.links.Links(context.Background(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// guest is a user of a host application.
func (w *world) guest(externalID string) uuid.UUID {
	w.t.Helper()
	id := uuid.Must(uuid.NewV7())
	w.exec("INSERT INTO users (id, external_id, role) VALUES ($1, $2, 'user')", id, externalID)
	return id
}

func TestProgramsSeeALinkInFullAndNoToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user = w.guest("host-7")
	if got := w.linkOf(w.user); !reflect.DeepEqual(got, link.Listed{User: w.user, ExternalID: "host-7"}) {
		t.Errorf("before linking: %+v", got)
	}
	w.start("plain")
	w.advance(25 * time.Hour)
	out := w.mustCheckOut(garth)
	w.report(link.Report{Generation: out.Generation, Outcome: link.WorkerOK})
	l, seen := w.linkOf(w.user), w.view()
	if l.State != seen.State || l.Generation != out.Generation || l.Region != "garmin.com" || l.GarminName != seen.GarminName ||
		!l.CreatedAt.Equal(seen.CreatedAt) || !l.Since.Equal(seen.Since) || !l.LastValidated.Equal(seen.LastValidated) ||
		!l.RefreshedAt.Equal(seen.RefreshedAt) || !l.ExpiresAt.Equal(out.ExpiresAt) || !l.ReconnectBefore.IsZero() ||
		l.ReportedOutcome != link.WorkerOK || !l.ReportedAt.Equal(l.UpdatedAt) {
		t.Errorf("got %+v, the user sees %+v", l, seen)
	}
	if got := w.list(link.Query{}); !reflect.DeepEqual(got, []link.Listed{l}) {
		t.Errorf("listed is %+v", got)
	}
	if _, err := w.links.LinkOf(t.Context(), uuid.New()); !errors.Is(err, link.ErrNotFound) {
		t.Errorf("error is %v", err)
	}
}

func TestLinksAreListedByStateAsPeopleSeeThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	names := map[uuid.UUID]string{}
	for _, name := range []string{"nobody", "waits", "waited", "live", "relinks", "dead", "was dead"} {
		w.user = w.guest(name)
		names[w.user] = name
		if slices.Contains([]string{"live", "relinks", "dead", "was dead"}, name) {
			account := strings.ReplaceAll(name, " ", "")
			w.garmin.Add(garmintest.Account{Email: account + "@garmin.example", Password: garmintest.DemoPassword})
			w.start(account)
		}
		if strings.Contains(name, "dead") {
			w.garmin.KillGrants(strings.ReplaceAll(name, " ", "") + "@garmin.example")
			w.exec("UPDATE garmin_authentication_states SET session_expires_at = app_now() WHERE user_id = $1", w.user)
			_, err := w.validate()
			wantKind(t, err, link.ReauthNeeded)
		}
		if slices.Contains([]string{"waits", "waited", "relinks", "was dead"}, name) {
			w.start("mfa")
		}
		if strings.HasPrefix(name, "wa") && name != "waits" { // whose challenge nobody has ended yet
			w.exec("UPDATE garmin_challenges SET expires_at = app_now() WHERE user_id = $1", w.user)
		}
	}
	for state, want := range map[string][]string{
		"":              {"waits", "live", "relinks", "dead", "was dead"},
		"active":        {"live"},
		"mfa_pending":   {"waits", "relinks"},
		"reauth_needed": {"dead", "was dead"},
		"not_linked":    nil,
	} {
		var got []string
		for _, l := range w.list(link.Query{State: state}) {
			got = append(got, names[l.User])
			if state != "" && l.State.String() != state || l.State != w.linkOf(l.User).State {
				t.Errorf("%s is listed as %s", names[l.User], l.State)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q lists %q, want %q", state, got, want)
		}
	}
	if _, err := w.links.Links(t.Context(), link.Query{State: "happy", Most: 1}); !errors.Is(err, link.ErrUnknownState) {
		t.Errorf("error is %v", err)
	}
}

func TestPagesOfLinksMissNoneAndRepeatNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	users := w.crowd(7)
	w.exec("UPDATE garmin_authentication_states SET updated_at = date_trunc('day', app_now())") // all at once
	var got []uuid.UUID
	q := link.Query{Most: 3}
	for {
		page := w.list(q)
		for _, l := range page {
			got = append(got, l.User)
		}
		if len(page) < q.Most {
			break
		}
		q.After = page[len(page)-1].Place()
	}
	slices.SortFunc(users, func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
	if !slices.Equal(got, users) {
		t.Errorf("listed %v, want %v", got, users)
	}
	w.user = users[4]
	since := w.now()
	w.advance(time.Second)
	if _, err := w.validate(); err != nil {
		t.Fatal(err)
	}
	if changed := w.list(link.Query{UpdatedAfter: since}); len(changed) != 1 || changed[0].User != w.user {
		t.Errorf("changed is %+v", changed)
	}
}

func TestFeedTellsWhatHappenedInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user = w.guest("host-7")
	w.start("mfa") // of which nobody is told
	w.start("plain")
	w.garmin.KillGrants("plain@garmin.example")
	w.advance(25 * time.Hour)
	_, err := w.checkOut(garth)
	wantKind(t, err, link.ReauthNeeded)
	w.start("plain")
	if err := w.links.Unlink(t.Context(), w.act()); err != nil {
		t.Fatal(err)
	}
	all := w.happened(0, nil, 10)
	var got []string
	for _, h := range all {
		got = append(got, strings.TrimSpace(string(h.Type)+" "+h.State+" "+string(h.Reason)))
		if h.User != w.user || h.ExternalID != "host-7" || h.At.IsZero() {
			t.Errorf("got %+v", h)
		}
	}
	want := []string{"link.active active", "link.reauth_needed reauth_needed grant_refused", "link.repaired active", "link.removed not_linked"}
	if !slices.Equal(got, want) {
		t.Errorf("happened is %q, want %q", got, want)
	}
	if next := w.happened(all[1].ID, nil, 1); len(next) != 1 || next[0].ID != all[2].ID {
		t.Errorf("the next is %+v", next)
	}
	if some := w.happened(0, []link.EventType{link.LinkRemoved, link.LinkActive}, 10); len(some) != 2 || some[1].ID != all[3].ID {
		t.Errorf("of two types: %+v", some)
	}
	if none := w.happened(all[3].ID, nil, 10); len(none) != 0 {
		t.Errorf("after the last: %+v", none)
	}
}

func (w *world) happened(after int64, types []link.EventType, most int) []link.Happening {
	w.t.Helper()
	all, err := w.links.Happened(context.Background(), after, types, most)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}
