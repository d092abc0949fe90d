package link_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

func (w *world) staff() link.Act {
	w.t.Helper()
	id := uuid.Must(uuid.NewV7())
	w.exec("INSERT INTO users (id, email, password_hash, role) VALUES ($1, 'agent@example.com', 'x', 'support')", id)
	return link.Act{User: w.user, By: link.BySupport, Staff: id, RequestID: "req-staff"}
}

func (w *world) subject() link.Subject {
	w.t.Helper()
	s, err := w.links.Subject(context.Background(), w.user)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) search(f link.Find) link.Found {
	w.t.Helper()
	if f.Most == 0 {
		f.Most = 100
	}
	if f.Order == "" {
		f.Order = link.ByID
	}
	found, err := w.links.Search(context.Background(), f)
	if err != nil {
		w.t.Fatal(err)
	}
	return found
}

func (w *world) timeline() []link.Occurrence {
	w.t.Helper()
	all, err := w.links.Timeline(context.Background(), w.user, w.now().Add(time.Second), 100)
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

func TestStaffActAndTheHistoryHasWhoAndWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	act := w.staff()
	wantKind(t, w.links.Clear(t.Context(), act, "why"), link.NotLinked)
	if err := w.links.AddNote(t.Context(), act, " called\r\nagain "); err != nil {
		t.Fatal(err)
	}
	w.start("plain")
	if _, err := w.links.AskCheck(t.Context(), act); err != nil {
		t.Fatal(err)
	}
	w.start("mfa")
	if _, err := w.links.Cancel(t.Context(), act); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", " \n ", "a\x00b", "\xff", "\x1b[2J", strings.Repeat("é", 1001)} {
		wantKind(t, w.links.AddNote(t.Context(), act, bad), link.InvalidNote)
		wantKind(t, w.links.Clear(t.Context(), act, bad), link.InvalidNote)
	}
	if err := w.links.Clear(t.Context(), act, strings.Repeat("é", 1000)); err != nil {
		t.Fatal(err)
	}
	_, err := w.links.AskCheck(t.Context(), act)
	wantKind(t, err, link.ReauthNeeded)
	wantKind(t, w.links.Clear(t.Context(), act, "why"), link.ReauthNeeded)
	if l := w.wantState("reauth_needed"); l.Reason != link.SupportClearance {
		t.Errorf("the reason is %q", l.Reason)
	}
	if one[bool](w, "SELECT session_data IS NOT NULL OR previous_session IS NOT NULL FROM garmin_authentication_states") {
		t.Error("something is left that opens the account")
	}
	w.wantLines([]string{
		"noted support true called\nagain", "login_done user false ", "check_asked support true ", "code_asked user false ",
		"cancelled support true ", "cleared_by_support support true " + strings.Repeat("é", 1000),
	}, "SELECT event || ' ' || actor || ' ' || (staff_id IS NOT NULL) || ' ' || coalesce(note, '') FROM link_events WHERE user_id = $1 ORDER BY id")
	if told := w.happened(0, nil, 10); len(told) != 2 || told[1].Type != link.LinkReauthNeeded {
		t.Errorf("the world is told %+v", told)
	}
}

func TestTheTimelineHasAllThatHappened(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	act := w.staff()
	w.start("plain")
	w.advance(25 * time.Hour)
	w.mustCheckOut(garth) // with a refresh
	w.advance(time.Minute)
	if _, err := w.links.AskCheck(t.Context(), act); err != nil {
		t.Fatal(err)
	}
	w.advance(time.Minute)
	if _, _, err := w.links.CreateConnect(t.Context(), act, link.NewConnect{Purpose: link.ToRelink, Staff: act.Staff}); err != nil {
		t.Fatal(err)
	}
	w.exec(`WITH e AS (INSERT INTO webhook_endpoints (id, url, events, secret, key_id, tells_after)
			VALUES (gen_random_uuid(), 'https://hooks.example.com/secret-path', '{}', '', 1, 0) RETURNING id)
		INSERT INTO webhook_deliveries (id, endpoint_id, event_id, user_id, type, body, state, attempts, created_at)
		SELECT gen_random_uuid(), id, 1, $1, 'link.active', '{}', 'waiting', 3, app_now() FROM e`, w.user)
	w.exec("INSERT INTO mail_notices (user_id, event_id, type, state, attempts, ended_at) VALUES ($1, 1, 'link.expiring', 'sent', 1, app_now())", w.user)
	var got []string
	for _, o := range w.timeline() {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", o.Source, o.What, o.Staff, o.Flow, o.Outcome)))
		if strings.Contains(fmt.Sprintf("%+v", o), "secret-path") {
			t.Errorf("the path of a webhook is shown: %+v", o)
		}
	}
	slices.Sort(got)
	want := []string{
		"activity checkout  garth", "activity login  ios", "activity refresh", "activity validate",
		"connect relink agent@example.com  open", "event check_asked agent@example.com", "event login_done", "event relink_asked agent@example.com",
		"mail link.expiring   sent",
		"webhook link.active   waiting",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the timeline is\n\t%q, want\n\t%q", got, want)
	}
}

// Whatever is written between two pages: what was there is seen once.
func TestPagesOfATimelineMissNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec("SELECT turn_link_activity()")
	w.advance(24 * time.Hour) // so that there was a yesterday
	// Three at each of 20 moments: a page of 7 never ends between two moments by itself.
	w.exec(`INSERT INTO link_activity (at, user_id, request_id, what, flow, region, op, outcome, status, type, took)
		SELECT app_now() - i / 3 * interval '1 second', $1, i::text, 'validate', '', '', '', '', 0, '', interval '0' FROM generate_series(0, 59) i`, w.user)
	seen := map[string]int{}
	for before := w.now().Add(time.Hour); ; {
		page, err := w.links.Timeline(t.Context(), w.user, before, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, o := range page {
			seen[o.RequestID]++
		}
		before = page[len(page)-1].At
		w.exec(`INSERT INTO link_activity (user_id, request_id, what, flow, region, op, outcome, status, type, took)
			VALUES ($1, 'new', 'report', '', '', '', '', 0, '', interval '0')`, w.user)
	}
	for i := range 60 {
		if n := seen[fmt.Sprint(i)]; n != 1 {
			t.Errorf("%d was seen %d times", i, n)
		}
	}
}

// What staff get has no place for what opens an account.
func TestTypesForStaffHaveNoSecrets(t *testing.T) {
	t.Parallel()
	for _, v := range []any{link.Subject{}, link.Occurrence{}, link.DayCount{}, link.HourSum{}, link.CoolDown{}} {
		noSecret(t, reflect.TypeOf(v), reflect.TypeOf(v).String())
	}
}

func noSecret(t *testing.T, of reflect.Type, path string) {
	t.Helper()
	switch of.Kind() {
	case reflect.Pointer:
		noSecret(t, of.Elem(), path)
	case reflect.Struct:
		if of.PkgPath() == "time" {
			return
		}
		for i := range of.NumField() {
			f := of.Field(i)
			if f.Type == reflect.TypeFor[link.Session]() {
				continue // says whether there is one
			}
			name := strings.ToLower(f.Name)
			for _, bad := range []string{"token", "code", "password", "secret", "session", "sealed"} {
				if strings.Contains(name, bad) {
					t.Errorf("%s has %s", path, f.Name)
				}
			}
			if f.Type == reflect.TypeFor[link.Secret]() || f.Type == reflect.TypeFor[link.Sealed]() || f.Type == reflect.TypeFor[[]byte]() {
				t.Errorf("%s.%s is a %s", path, f.Name, f.Type)
			}
			noSecret(t, f.Type, path+"."+f.Name)
		}
	}
}

func TestGarminsAnswersAreTimed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start("plain")
	w.garmin.Fail(garmintest.OpProfile, garmintest.Respond(503, "text/plain", ""), 1)
	if _, err := w.links.Validate(t.Context(), w.act()); link.KindOf(err) != link.Unavailable {
		t.Fatal(err)
	}
	w.wantLines([]string{"unavailable 503 profile t"},
		"SELECT concat_ws(' ', outcome, status, op, took > interval '0') FROM link_activity WHERE user_id = $1 AND what = 'validate'")
}

func TestATimelineSumsUpWhatProgramsDoEachMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec("SELECT turn_link_activity()")
	w.advance(24 * time.Hour)
	// A program every 30 seconds for ten hours; each hundredth time in vain.
	w.exec(`INSERT INTO link_activity (at, user_id, request_id, what, flow, region, op, outcome, status, type, took)
		SELECT app_now() - i * interval '30 seconds', $1, i::text, CASE WHEN i % 2 = 0 THEN 'checkout' ELSE 'report' END, '', '', '',
			CASE WHEN i % 100 = 0 THEN 'unavailable' ELSE '' END, 0, '', interval '0' FROM generate_series(1, 1200) i`, w.user)
	lines, stoodFor := 0, 0
	for before := w.now().Add(time.Hour); ; {
		page, err := w.links.Timeline(t.Context(), w.user, before, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, o := range page {
			lines++
			stoodFor += o.Times
			if o.Outcome != "" && o.Times != 1 {
				t.Errorf("a failure is one of %d", o.Times)
			}
		}
		before = page[len(page)-1].At
		w.exec(`INSERT INTO link_activity (user_id, request_id, what, flow, region, op, outcome, status, type, took)
			VALUES ($1, 'new', 'report', '', '', '', '', 0, '', interval '0')`, w.user)
	}
	if stoodFor != 1200 || lines > 2*11+12 {
		t.Errorf("%d lines stand for %d of 1200", lines, stoodFor)
	}
}
