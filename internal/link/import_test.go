package link_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
	"github.com/garminlink/garminlink/internal/link"
)

// elsewhere is a session that the user's own program has got from Garmin.
func (w *world) elsewhere(account string, region garmin.Region) *garmin.Session {
	w.t.Helper()
	c := garmin.New(w.options())
	ctx := context.Background()
	ticket, _, err := c.Login(ctx, region, account+"@garmin.example", garmintest.DemoPassword)
	if err != nil || ticket == nil {
		w.t.Fatalf("%v", err)
	}
	s, err := c.Exchange(ctx, ticket)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) dumps(s *garmin.Session) string { return s.Dumps() }

func (w *world) bring(text string) (link.Link, error) {
	return w.links.Import(context.Background(), w.act(), link.Import{Text: link.Secret(text)})
}

// files are garth's two files, one after the other.
func (w *world) files(s *garmin.Session) string {
	w.t.Helper()
	list, err := base64.StdEncoding.DecodeString(w.dumps(s))
	var parts []json.RawMessage
	if err == nil {
		err = json.Unmarshal(list, &parts)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return string(parts[0]) + "\n" + string(parts[1])
}

func TestSessionsOfOtherProgramsLink(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*world, *garmin.Session) string{
		"garth":         (*world).dumps,
		"garth's files": (*world).files,
		"garminconnect": func(w *world, s *garmin.Session) string { return s.DumpGarminconnect() },
	} {
		for account, region := range map[string]garmin.Region{"plain": garmin.RegionGlobal, "china": garmin.RegionChina} {
			t.Run(name+"/"+account, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				l, err := w.bring(write(w, w.elsewhere(account, region)))
				if err != nil {
					t.Fatal(err)
				}
				if l.State.String() != "active" || l.Region != string(region) || l.LastValidated.IsZero() {
					t.Errorf("the link is %+v", l)
				}
				if n := w.garmin.Calls(garmintest.OpRefresh); n != 0 {
					t.Errorf("a session that works was renewed %d times", n)
				}
				w.wantEvents("imported: not_linked -> active")
				w.wantActivity("import:  ")
				w.advance(25 * time.Hour)
				if _, err := w.validate(); err != nil {
					t.Errorf("the link does not renew itself: %v", err)
				}
			})
		}
	}
}

func TestExpiredSessionIsRenewedAtImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := w.dumps(w.elsewhere("plain", garmin.RegionGlobal))
	w.advance(25 * time.Hour)
	if l, err := w.bring(text); err != nil || l.State.String() != "active" {
		t.Fatalf("%+v, %v", l, err)
	}
	if n := w.garmin.Calls(garmintest.OpRefresh); n != 1 {
		t.Errorf("%d refreshes", n)
	}
}

// A token that looks good may be dead: its program has renewed it meanwhile.
func TestTokenThatIsRefusedIsRenewedAtImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := w.dumps(w.elsewhere("plain", garmin.RegionGlobal))
	w.garmin.ExpireAccessTokens()
	if _, err := w.bring(text); err != nil {
		t.Fatal(err)
	}
}

func TestFaultsOfSessionsAreNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.elsewhere("plain", garmin.RegionGlobal)
	w.garmin.Add(garmintest.Account{Email: "ended@garmin.example", Password: garmintest.DemoPassword})
	ended := w.elsewhere("ended", garmin.RegionGlobal)
	w.garmin.RevokeAccount("ended@garmin.example")
	files := w.files(good)
	base := func(json string) string { return base64.StdEncoding.EncodeToString([]byte(json)) }
	for _, c := range []struct {
		text string
		kind link.Kind
	}{
		{"", link.SessionMissing},
		{"  \n", link.SessionMissing},
		{string(make([]byte, 70<<10)), link.SessionLong},
		{"not base64!", link.SessionGarbled},
		{w.dumps(good)[:101], link.SessionGarbled},
		{base("hello"), link.SessionUnknown},
		{`{"hello":"world"}`, link.SessionUnknown},
		{files[:len(files)/2], link.SessionUnknown},
		{`{"oauth_token":"a","oauth_token_secret":"b","domain":"garmin.com"}`, link.SessionHalf},
		{`{"di_token":""}`, link.SessionEmpty},
		{`{"di_token":"abc","di_refresh_token":"d","di_client_id":"e"}`, link.SessionRegion},
		{base(`[{"domain":"garmin.example"},{"access_token":"a"}]`), link.SessionRegion},
		{base(`[{"domain":"garmin.com"},{"access_token":"a","expires_at":1,"refresh_token":""}]`), link.SessionOver},
		{base(`[{"domain":"garmin.com"},{"access_token":"a","refresh_token":"b"}]`), link.SessionRefused},
		{w.dumps(ended.Stripped()), link.SessionRefused},
	} {
		_, err := w.bring(c.text)
		if link.KindOf(err) != c.kind {
			t.Errorf("%.60q: %v, want %s", c.text, err, c.kind)
		}
	}
	w.wantState("not_linked")
	w.wantEvents()
}

func TestSessionOfTheOtherRegionIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	list, err := base64.StdEncoding.DecodeString(w.dumps(w.elsewhere("china", garmin.RegionChina)))
	if err != nil {
		t.Fatal(err)
	}
	moved := base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(string(list), `"domain": "garmin.cn"`, `"domain": "garmin.com"`)))
	_, err = w.bring(moved)
	wantKind(t, err, link.SessionRegion)
}

// A session that ends within a day must not take the place of one that goes on.
func TestStrippedSessionReplacesNoLinkThatRenewsItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stripped := w.dumps(w.elsewhere("plain", garmin.RegionGlobal).Stripped())
	w.start("plain")
	_, err := w.bring(stripped)
	wantKind(t, err, link.SessionStripped)
	w.wantEvents("login_done: not_linked -> active")
	if err := w.links.Unlink(context.Background(), w.act()); err != nil {
		t.Fatal(err)
	}
	if l, err := w.bring(stripped); err != nil || l.State.String() != "active" {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestImportIsNotTakenWhileGarminIsDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := w.dumps(w.elsewhere("plain", garmin.RegionGlobal))
	w.garmin.Fail(garmintest.OpProfile, garmintest.ServerError, 0)
	_, err := w.bring(text)
	wantKind(t, err, link.Unavailable)
	w.wantState("not_linked")
}

// Where the old session may be dead, the new one is worth more patience.
func TestRenewedImportOutlivesAnOutageOfTheAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := w.dumps(w.elsewhere("plain", garmin.RegionGlobal))
	w.advance(25 * time.Hour)
	w.garmin.Fail(garmintest.OpProfile, garmintest.ServerError, 5)
	if l, err := w.bring(text); err != nil || l.State.String() != "active" {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestImportOfAnothersAccountChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := w.dumps(w.elsewhere("plain", garmin.RegionGlobal))
	other := link.Act{User: w.newUser("other@example.com"), By: link.ByUser, RequestID: "req-2"}
	if _, err := w.links.Start(context.Background(), other, credentials("plain")); err != nil {
		t.Fatal(err)
	}
	_, err := w.bring(text)
	wantKind(t, err, link.AccountTaken)
	w.wantState("not_linked")
}

func TestTenRefusedSessionsADay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.elsewhere("plain", garmin.RegionGlobal)
	w.garmin.RevokeAccount("plain@garmin.example")
	for range 10 {
		_, err := w.bring(w.dumps(s))
		wantKind(t, err, link.SessionRefused)
	}
	_, err := w.bring(w.dumps(s))
	wantKind(t, err, link.TooManyFailures)
}
