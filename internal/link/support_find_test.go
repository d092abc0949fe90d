package link_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/garminlink/garminlink/internal/link"
)

func TestStaffFindUsersByWhatTheyTell(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	runner, name := w.user, w.view().GarminName
	guest := w.guest("Host_7%")
	for text, want := range map[string][]uuid.UUID{
		"Runner@EX": {runner}, "runner@example.com": {runner}, "unner": nil, "host_": {guest}, "HOST_7%": {guest}, "host%": nil,
		strings.ToUpper(name[:4]): {runner}, "plain@garmin": {runner}, runner.String(): {runner}, guest.String(): {guest},
		uuid.NewString(): nil, "'; DROP TABLE users": nil, "%": nil,
	} {
		var got []uuid.UUID
		for _, s := range w.search(link.Find{Text: text}).Subjects {
			got = append(got, s.User)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q finds %v, want %v", text, got, want)
		}
	}
	if got := w.search(link.Find{}).Subjects; len(got) != 1 || got[0].User != runner || got[0].Email != "runner@example.com" {
		t.Errorf("without a text, there are %+v", got)
	}
	if got := w.search(link.Find{Text: "host", State: "active"}).Subjects; len(got) != 0 {
		t.Errorf("active are %+v", got)
	}
	for _, bad := range []link.Find{{State: "gone"}, {State: "not_linked"}, {Order: "size"}} {
		if _, err := w.links.Search(t.Context(), bad); err == nil {
			t.Errorf("%+v is no fault", bad)
		}
	}
}

func TestStaffNarrowASearchDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	act := w.staff()
	w.start("plain")
	if err := w.links.Clear(t.Context(), act, "asked for it"); err != nil {
		t.Fatal(err)
	}
	waiting := w.as(w.guest("waits"))
	waiting.start("mfa")
	for _, c := range []struct {
		f    link.Find
		want []uuid.UUID
	}{
		{link.Find{State: "reauth_needed"}, []uuid.UUID{w.user}},
		{link.Find{Reason: link.SupportClearance}, []uuid.UUID{w.user}},
		{link.Find{Reason: link.GrantRefused}, nil},
		{link.Find{State: "mfa_pending"}, []uuid.UUID{waiting.user}},
		{link.Find{Region: "garmin.com"}, []uuid.UUID{w.user, waiting.user}},
		{link.Find{Region: "garmin.cn"}, nil},
		{link.Find{ValidatedBefore: w.now().Add(-time.Hour)}, []uuid.UUID{waiting.user}}, // never
		{link.Find{Text: "wait", ValidatedBefore: w.now()}, []uuid.UUID{waiting.user}},
	} {
		var got []uuid.UUID
		for _, s := range w.search(c.f).Subjects {
			got = append(got, s.User)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v finds %v, want %v", c.f, got, c.want)
		}
	}
	if c := waiting.subject().Challenge; c == nil || c.Method != link.MethodEmail || !strings.Contains(c.SentTo, "*") || c.ExpiresAt.IsZero() {
		t.Errorf("the challenge is %+v", c)
	}
	w.advance(time.Hour)
	if s := waiting.subject(); s.Challenge != nil || s.State != (link.State{}) {
		t.Errorf("an hour later it is %+v", s)
	}
	if got := w.search(link.Find{State: "mfa_pending"}).Subjects; len(got) != 0 {
		t.Errorf("an hour later, waiting are %+v", got)
	}
}

// In every order, page after page while links change: who stays where he is is
// seen exactly once.
func TestPagesOfASearchMissNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`INSERT INTO users (id, external_id, role) SELECT gen_random_uuid(), 'u' || i, 'user' FROM generate_series(1, 60) i`)
	w.exec(`INSERT INTO garmin_authentication_states (user_id, session_data, last_validated, updated_at, region, garmin_email, garmin_guid,
			garmin_name, generation, key_id, session_expires_at)
		SELECT id, '', app_now() - abs(hashtext(external_id)) % 5 * interval '1 day', app_now() - abs(hashtext(external_id)) % 7 * interval '1 day',
			'garmin.com', '', id::text, CASE abs(hashtext(external_id)) % 4 WHEN 0 THEN NULL WHEN 1 THEN 'Ünal' WHEN 2 THEN 'Same' ELSE external_id END,
			1, 1, app_now()
		FROM users WHERE external_id LIKE 'u%'`)
	rapid.Check(t, func(r *rapid.T) {
		f := link.Find{
			Order: rapid.SampledFrom(link.Orders).Draw(r, "order"), Descending: rapid.Bool().Draw(r, "descending"),
			Text: rapid.SampledFrom([]string{"", "u"}).Draw(r, "text"), Most: rapid.IntRange(1, 30).Draw(r, "most"),
		}
		seen := map[uuid.UUID]int{}
		var all []link.Subject
		for {
			page := w.search(f).Subjects
			for _, s := range page {
				seen[s.User]++
			}
			all = append(all, page...)
			if len(page) < f.Most {
				break
			}
			f.After = page[len(page)-1].Spot(f.Order)
		}
		if len(all) != 60 || len(seen) != 60 {
			r.Fatalf("%+v shows %d, of which %d differ", f, len(all), len(seen))
		}
	})
}

func TestACrowdIsSaidToBeOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`INSERT INTO users (id, external_id, role) SELECT gen_random_uuid(), 'crowd-' || i, 'user' FROM generate_series(1, 1001) i`)
	if found := w.search(link.Find{Text: "crowd"}); !found.Crowded || len(found.Subjects) != 100 {
		t.Errorf("of a crowd: %v, %d", found.Crowded, len(found.Subjects))
	}
	if found := w.search(link.Find{Text: "crowd-10"}); found.Crowded || len(found.Subjects) != 13 {
		t.Errorf("of some: %v, %d", found.Crowded, len(found.Subjects))
	}
}
