package garmin_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

func TestExchangeGivesASessionThatWorks(t *testing.T) {
	t.Parallel()
	for region, email := range map[garmin.Region]string{
		garmin.RegionGlobal: "plain@garmin.example", garmin.RegionChina: "china@garmin.example",
	} {
		sim, c := newGarmin(t)
		s, err := c.Exchange(t.Context(), mustTicket(t, c, region, email))
		if err != nil {
			t.Fatal(err)
		}
		p, err := c.Profile(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if p.GUID == "" || p.GUID != s.GUID() || p.ProfileID == 0 || p.DisplayName == "" || p.FullName == "" || p.UserName == "" {
			t.Errorf("profile %+v, session of %s", p, s.GUID())
		}
		if s.Region() != region {
			t.Errorf("session in %s; want %s", s.Region(), region)
		}
		near(t, "access end", s.ExpiresAt(), sim.Now().Add(24*time.Hour))
		near(t, "refresh end", s.RefreshExpiresAt(), sim.Now().Add(2591999*time.Second))
	}
}

func near(t *testing.T, what string, got, want time.Time) {
	t.Helper()
	if d := got.Sub(want).Abs(); d > 10*time.Second {
		t.Errorf("%s is %v; want %v", what, got, want)
	}
}

func TestTicketWorksOnceInTimeForItsService(t *testing.T) {
	t.Parallel()
	sim, c := newGarmin(t)
	used := mustTicket(t, c, garmin.RegionGlobal, "plain@garmin.example")
	if _, err := c.Exchange(t.Context(), used); err != nil {
		t.Fatal(err)
	}
	elsewhere := mustTicket(t, c, garmin.RegionGlobal, "plain@garmin.example")
	elsewhere.ServiceURL = "https://mobile.integration.garmin.com/gcm/android"
	abroad := mustTicket(t, c, garmin.RegionGlobal, "plain@garmin.example")
	abroad.Region = garmin.RegionChina
	late := mustTicket(t, c, garmin.RegionGlobal, "plain@garmin.example")
	sim.Advance(3 * time.Minute)
	for name, ticket := range map[string]*garmin.Ticket{"used": used, "elsewhere": elsewhere, "abroad": abroad, "late": late} {
		_, err := c.Exchange(t.Context(), ticket)
		if e := want(t, err, garmin.KindTicketRefused, false); e.Type != "invalid_grant" {
			t.Errorf("%s: type %q", name, e.Type)
		}
		checkSilent(t, sim, err)
	}
}

func TestExchangeTriesClientIDsAndRemembers(t *testing.T) {
	t.Parallel()
	sim := &garmintest.Server{DIClientIDs: []string{"GARMIN_CONNECT_MOBILE_ANDROID_DI"}}
	t.Cleanup(sim.Close)
	c := newClient(sim)
	for _, calls := range []int{3, 4} { // the third id works; then it comes first
		mustSession(t, c)
		if n := sim.Calls(garmintest.OpExchange); n != calls {
			t.Errorf("%d calls; want %d", n, calls)
		}
	}
}

func TestExchangeEndsWhenAllClientIDsAreRefused(t *testing.T) {
	t.Parallel()
	sim := &garmintest.Server{DIClientIDs: []string{"NONE"}, SpendRefusedTickets: true}
	t.Cleanup(sim.Close)
	c := newClient(sim)
	_, err := c.Exchange(t.Context(), mustTicket(t, c, garmin.RegionGlobal, "plain@garmin.example"))
	want(t, err, garmin.KindTicketRefused, false)
	if n, logins := sim.Calls(garmintest.OpExchange), sim.Calls(garmintest.OpLogin); n != 4 || logins != 1 {
		t.Errorf("%d exchanges, %d logins", n, logins)
	}
}

func TestExchangeAnswers(t *testing.T) {
	t.Parallel()
	checkOutcomes(t, garmintest.OpExchange, everyCall(), func(t *testing.T, _ *garmintest.Server, c *garmin.Client) func(context.Context) error {
		ticket := mustTicket(t, c, garmin.RegionGlobal, "plain@garmin.example")
		return func(ctx context.Context) error {
			_, err := c.Exchange(ctx, ticket)
			return err
		}
	})
}

func TestRefreshAnswers(t *testing.T) {
	t.Parallel()
	oauth := func(status int, code string, kind garmin.Kind, sent bool) outcome {
		return outcome{
			name: code, kind: kind, sent: sent, typ: code,
			fault: garmintest.Respond(status, "application/json", `{"error":"`+code+`","error_description":"x"}`),
		}
	}
	only := []outcome{
		oauth(400, "invalid_grant", garmin.KindGrantDead, false),
		oauth(401, "invalid_grant", garmin.KindGrantDead, false),
		oauth(200, "invalid_grant", garmin.KindProtocol, true),
		oauth(429, "invalid_grant", garmin.KindClientLimited, false),
		oauth(401, "invalid_client", garmin.KindProtocol, false),
		oauth(400, "unsupported_grant_type", garmin.KindProtocol, false),
		{name: "500 invalid_grant", kind: garmin.KindUnavailable, sent: true, fault: garmintest.Respond(500, "application/json", `{"error":"invalid_grant"}`)},
		{name: "401 without a body", kind: garmin.KindUnavailable, sent: true, fault: garmintest.Unauthorized},
		{name: "token of another shape", kind: garmin.KindProtocol, sent: true, fault: garmintest.Respond(200, "application/json", `{"access_token":"a\nb"}`)},
	}
	checkOutcomes(t, garmintest.OpRefresh, append(everyCall(), only...), func(t *testing.T, _ *garmintest.Server, c *garmin.Client) func(context.Context) error {
		s := mustSession(t, c)
		return func(ctx context.Context) error {
			_, err := c.Refresh(ctx, s)
			return err
		}
	})
}

func TestRefreshRotatesAndLeavesTheOldSession(t *testing.T) {
	t.Parallel()
	sim, c := newGarmin(t)
	old := mustSession(t, c)
	before := old.Dumps()
	sim.Advance(23 * time.Hour)
	fresh, err := c.Refresh(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	if old.Dumps() != before {
		t.Error("the old session changed")
	}
	near(t, "access end", fresh.ExpiresAt(), sim.Now().Add(24*time.Hour))
	near(t, "refresh end", fresh.RefreshExpiresAt(), sim.Now().Add(2591999*time.Second))
	if _, err := c.Profile(t.Context(), fresh); err != nil {
		t.Error(err)
	}
	_, err = c.Refresh(t.Context(), old)
	e := want(t, err, garmin.KindGrantDead, false)
	checkSilent(t, sim, e)
	if _, err := c.Refresh(t.Context(), fresh); err != nil {
		t.Error(err)
	}
}

func TestRefreshEnds(t *testing.T) {
	t.Parallel()
	refresh := func(t *testing.T, reply string) (*garmin.Session, *garmin.Session, *garmintest.Server) {
		sim, c := newGarmin(t)
		old := mustSession(t, c)
		sim.Advance(48 * time.Hour)
		sim.Fail(garmintest.OpRefresh, garmintest.Respond(200, "application/json", reply), 1)
		s, err := c.Refresh(t.Context(), old)
		if err != nil {
			t.Fatal(err)
		}
		return old, s, sim
	}
	t.Run("a new token without a stated end gets the last known life", func(t *testing.T) {
		t.Parallel()
		_, s, sim := refresh(t, `{"access_token":"a.b.c","refresh_token":"new","expires_in":3600}`)
		near(t, "refresh end", s.RefreshExpiresAt(), sim.Now().Add(2591999*time.Second))
		near(t, "access end", s.ExpiresAt(), sim.Now().Add(time.Hour))
	})
	t.Run("a kept token keeps its end", func(t *testing.T) {
		t.Parallel()
		old, s, _ := refresh(t, `{"access_token":"a.b.c"}`)
		if !s.RefreshExpiresAt().Equal(old.RefreshExpiresAt()) {
			t.Errorf("refresh end moved from %v to %v", old.RefreshExpiresAt(), s.RefreshExpiresAt())
		}
		if !s.ExpiresAt().IsZero() {
			t.Errorf("access end %v; nobody named one", s.ExpiresAt())
		}
	})
	t.Run("ends in odd notations are understood or ignored", func(t *testing.T) {
		t.Parallel()
		_, s, sim := refresh(t, `{"access_token":"a.b.c","refresh_token":"new","expires_in":"3600.5","refresh_token_expires_in":-5,"scope":["A","B"],"jti":7}`)
		near(t, "refresh end", s.RefreshExpiresAt(), sim.Now().Add(2591999*time.Second))
		near(t, "access end", s.ExpiresAt(), sim.Now().Add(time.Hour))
	})
}

func TestRefreshGetsTheLifeThatWasKnown(t *testing.T) {
	t.Parallel()
	sim := &garmintest.Server{OmitRefreshLife: true}
	t.Cleanup(sim.Close)
	c := newClient(sim)
	near(t, "refresh end", mustSession(t, c).RefreshExpiresAt(), sim.Now().Add(2591999*time.Second))
}

func TestRefreshedDeadAndRevokedAccounts(t *testing.T) {
	t.Parallel()
	sim, c := newGarmin(t)
	s := mustSession(t, c)
	sim.KillGrants("plain@garmin.example")
	_, err := c.Refresh(t.Context(), s)
	want(t, err, garmin.KindGrantDead, false)
	if _, err := c.Profile(t.Context(), s); err != nil {
		t.Errorf("the access token died with the grant: %v", err)
	}
	sim.RevokeAccount("plain@garmin.example")
	_, err = c.Profile(t.Context(), s)
	want(t, err, garmin.KindTokenRejected, false)
	if _, err := c.Profile(t.Context(), mustSession(t, c)); err != nil {
		t.Errorf("a new login does not help: %v", err)
	}
}

func TestSessionsWithoutADIGrantAreNotSent(t *testing.T) {
	t.Parallel()
	sim, c := newGarmin(t)
	legacy := mustParse(t, vector(t, "garth-plain.txt"))
	_, err := c.Refresh(t.Context(), legacy)
	want(t, err, garmin.KindProtocol, false)
	stripped := mustParse(t, encode(`[{"oauth_token": "", "domain": "garmin.com"}, {"access_token": "a.b.c", "refresh_token": ""}]`))
	_, err = c.Refresh(t.Context(), stripped)
	want(t, err, garmin.KindGrantDead, false)
	if n := sim.Calls(garmintest.OpRefresh); n != 0 {
		t.Errorf("asked %d times", n)
	}
}

func TestProfileAnswers(t *testing.T) {
	t.Parallel()
	only := []outcome{
		{name: "401", fault: garmintest.Unauthorized, kind: garmin.KindTokenRejected},
		{name: "204", fault: garmintest.Respond(204, "", ""), kind: garmin.KindUnavailable, sent: true},
		{name: "404", fault: garmintest.Respond(404, "application/json", `{"message":"x","error":"NotFoundException"}`), kind: garmin.KindProtocol, typ: "NotFoundException"},
		{name: "no GUID", fault: garmintest.Respond(200, "application/json", `{"profileId":1}`), kind: garmin.KindProtocol, sent: true},
		{name: "GUID of another shape", fault: garmintest.Respond(200, "application/json", `{"garminGUID":"<script>"}`), kind: garmin.KindProtocol, sent: true},
	}
	checkOutcomes(t, garmintest.OpProfile, append(everyCall(), only...), func(t *testing.T, _ *garmintest.Server, c *garmin.Client) func(context.Context) error {
		s := mustSession(t, c)
		return func(ctx context.Context) error {
			_, err := c.Profile(ctx, s)
			return err
		}
	})
}

func TestProfileNamesFitOnALine(t *testing.T) {
	t.Parallel()
	sim, c := newGarmin(t)
	s := mustSession(t, c)
	sim.Fail(garmintest.OpProfile, garmintest.Respond(200, "application/json",
		`{"garminGUID":"abc","profileId":"7","displayName":"a\u0000b\nc","fullName":"`+strings.Repeat("é", 200)+`"}`), 1)
	p, err := c.Profile(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if p.DisplayName != "abc" || len([]rune(p.FullName)) != 100 || p.ProfileID != 7 {
		t.Errorf("profile %+v", p)
	}
}
