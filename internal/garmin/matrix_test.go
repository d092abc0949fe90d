package garmin_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// kindOfAccount is a row of the matrix: who signs in, with what, and how that ends when nothing goes wrong.
type kindOfAccount struct {
	name     string
	account  garmintest.Account
	region   garmin.Region
	password garmin.Secret
	code     garmin.Secret
	ends     garmin.Kind // "" with a session that the API takes
	only     string      // the one flow that serves it; "" for all but, with MFA, the portal
	whole    bool        // has each fault at each operation; the others have each fault once, at one after the other
}

const done garmin.Kind = ""

func matrixAccounts() []kindOfAccount {
	all := []kindOfAccount{
		{name: "plain", whole: true},
		{name: "email", whole: true, account: garmintest.Account{MFA: "email"}},
		{name: "sms", account: garmintest.Account{MFA: "sms"}},
		{name: "app", account: garmintest.Account{MFA: "totp"}},
		{name: "email, sent on request", account: garmintest.Account{MFA: "email", CodeOnRequest: true}},
		{name: "email, wrong code", account: garmintest.Account{MFA: "email"}, code: "000000", ends: garmin.KindCode},
		{name: "wrong password", password: "nope", ends: garmin.KindCredentials},
		{name: "other region", account: garmintest.Account{Region: garmintest.China}, ends: garmin.KindCredentials},
		{name: "garmin.cn", account: garmintest.Account{Region: garmintest.China}, region: garmin.RegionChina},
		{name: "locked", account: garmintest.Account{Locked: true}, ends: garmin.KindLocked},
		{name: "captcha", account: garmintest.Account{Captcha: true}, ends: garmin.KindCaptcha},
		{name: "child", account: garmintest.Account{Child: true}, ends: garmin.KindChild},
		{name: "API refuses", account: garmintest.Account{Refused: true}, ends: garmin.KindTokenRejected},
	}
	for _, f := range garmin.DefaultFlows() {
		all = append(all, kindOfAccount{
			name: "only " + f.String(), only: f.String(), account: garmintest.Account{Flows: []string{f.String()}},
		})
	}
	for i := range all {
		k := &all[i]
		k.account.Email = fmt.Sprintf("matrix%d@garmin.example", i)
		k.account.Password, k.account.Code = garmintest.DemoPassword, garmintest.DemoCode
		k.region, k.code = cmp.Or(k.region, garmin.RegionGlobal), cmp.Or(k.code, garmintest.DemoCode)
		k.password = cmp.Or(k.password, garmintest.DemoPassword)
	}
	return all
}

// outcome is how a sign-in by a flow ends, and which operations it asks on the way.
func (k kindOfAccount) outcome(flow string) (garmin.Kind, []garmintest.Op) {
	var path []garmintest.Op
	if flow != "ios" {
		path = append(path, garmintest.OpPage)
	}
	path = append(path, garmintest.OpLogin)
	served := k.only == flow || k.only == "" && (flow != "portal" || k.account.MFA == "")
	switch {
	case !served:
		return garmin.KindFlowRefused, path
	case k.ends != done && k.ends != garmin.KindCode && k.ends != garmin.KindTokenRejected:
		return k.ends, path
	case k.account.MFA != "" && flow == "widget":
		path = append(path, garmintest.OpCodePage, garmintest.OpVerify)
	case k.account.MFA != "":
		path = append(path, garmintest.OpVerify)
	}
	if k.ends == garmin.KindCode {
		return k.ends, path
	}
	if k.account.MFA != "" && flow == "widget" {
		path = append(path, garmintest.OpLanding)
	}
	return k.ends, append(path, garmintest.OpExchange, garmintest.OpProfile)
}

// matrixFault is what goes wrong, and what it means where JSON is expected and where a page is.
type matrixFault struct {
	name       string
	fault      garmintest.Fault
	json, page garmin.Kind
}

func matrixFaults() []matrixFault {
	const (
		limited, client, refused = garmin.KindRateLimited, garmin.KindClientLimited, garmin.KindFlowRefused
		blocked, down, unknown   = garmin.KindBlocked, garmin.KindUnavailable, garmin.KindProtocol
	)
	return []matrixFault{
		{"429 page", garmintest.AddressLimited(time.Minute), limited, limited},
		{"429 JSON", garmintest.ClientLimited(429, 0), client, client},
		{"429 in 200", garmintest.ClientLimited(200, 0), client, client},
		{"427", garmintest.FlowRefused, refused, refused},
		{"403 page", garmintest.EdgeBlocked, blocked, blocked},
		{"502", garmintest.ServerError, down, down},
		{"reset", garmintest.Reset, down, down},
		{"answer lost", garmintest.AnswerLost, down, down},
		{"truncated", garmintest.Truncated, down, down},
		{"over 1 MiB", garmintest.Huge, down, down},
		{"another page", garmintest.NonJSON, down, unknown},
		{"unknown type", garmintest.UnknownType, unknown, unknown},
		{"away", redirect("https://example.com/"), down, down},
	}
}

// meaning is the kind that a fault of an operation has for a flow.
func (f matrixFault) meaning(op garmintest.Op, flow string, without garmin.Kind) garmin.Kind {
	page := flow == "widget" && !slices.Contains([]garmintest.Op{garmintest.OpExchange, garmintest.OpProfile}, op)
	switch {
	case op == garmintest.OpPage && f.name == "another page" && flow != "widget":
		return without // any page will do: only its cookies matter
	case op == garmintest.OpPage && f.name == "away":
		return garmin.KindProtocol // a redirect of a GET is followed, so that its end is seen to be none of Garmin's
	case op == garmintest.OpVerify && f.name == "unknown type" && !page:
		return garmin.KindCode // a 200 that is no success: the code may be tried again
	case op == garmintest.OpProfile && f.name == "truncated" && without == garmin.KindTokenRejected:
		return without // that answer has no body to cut
	case page:
		return f.page
	}
	return f.json
}

// TestMatrix signs in by every flow to every kind of account, once undisturbed, and with each fault on its way.
func TestMatrix(t *testing.T) {
	t.Parallel()
	for _, flow := range garmin.DefaultFlows() {
		t.Run(flow.String(), func(t *testing.T) {
			t.Parallel()
			sim, _ := newGarmin(t)
			for _, k := range matrixAccounts() {
				sim.Add(k.account)
				checkAccount(t, sim, flow, k)
			}
		})
	}
}

func checkAccount(t *testing.T, sim *garmintest.Server, flow garmin.Flow, k kindOfAccount) {
	t.Helper()
	ends, path := k.outcome(flow.String())
	c := newClient(sim, flow.WithPause(garmin.Pause{}))
	if got := k.signIn(t, c); got != ends {
		t.Errorf("%s, %s: %s; want %s", flow, k.name, name(got), name(ends))
	}
	var table strings.Builder
	cells := 1
	for at, op := range path {
		fmt.Fprintf(&table, "\n  at %-9s", op)
		for i, f := range matrixFaults() {
			if !k.whole && i%len(path) != at {
				continue
			}
			got, want := k.disturbed(t, sim, c, op, f), f.meaning(op, flow.String(), ends)
			if got != want {
				t.Errorf("%s, %s, %s at %s: %s; want %s", flow, k.name, f.name, op, name(got), name(want))
			}
			fmt.Fprintf(&table, " %s=%s", f.name, name(got))
			cells++
		}
	}
	t.Logf("%s, %s: %s; %d cells%s", flow, k.name, name(ends), cells, table.String())
}

// disturbed signs in with a fault at an operation: at all pages, as the widget has two, else at the first call.
func (k kindOfAccount) disturbed(t *testing.T, sim *garmintest.Server, c *garmin.Client, op garmintest.Op, f matrixFault) garmin.Kind {
	t.Helper()
	n := 1
	if op == garmintest.OpPage {
		n = 0
	}
	sim.Fail(op, f.fault, n)
	defer sim.Clear()
	return k.signIn(t, c)
}

// signIn goes the whole way, and says where it ends.
func (k kindOfAccount) signIn(t *testing.T, c *garmin.Client) garmin.Kind {
	t.Helper()
	ticket, ch, err := c.Login(t.Context(), k.region, k.account.Email, k.password)
	if err == nil && ch != nil {
		ticket, err = c.SubmitCode(t.Context(), ch, k.code)
	}
	if err != nil {
		return garmin.KindOf(err)
	}
	s, err := c.Exchange(t.Context(), ticket)
	if err != nil {
		return garmin.KindOf(err)
	}
	_, err = c.Profile(t.Context(), s)
	return garmin.KindOf(err)
}

func name(k garmin.Kind) string { return cmp.Or(string(k), "session") }
