package garmin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// newWidget gives a client that signs in by the widget at once.
func newWidget(t *testing.T) (*garmintest.Server, *garmin.Client) {
	t.Helper()
	sim, _ := newGarmin(t)
	return sim, newClient(sim, garmin.Widget.WithPause(garmin.Pause{}))
}

func TestWidgetAsksForACodeThatWasNotSent(t *testing.T) {
	t.Parallel()
	sim, c := newWidget(t)
	for method, requests := range map[string]int{"email": 1, "sms": 1, "totp": 0} {
		before := sim.Calls(garmintest.OpResend)
		sim.Add(garmintest.Account{Email: "late@garmin.example", Password: garmintest.DemoPassword, MFA: method, CodeOnRequest: true})
		ch := mustChallenge(t, c, "late@garmin.example")
		if ch.Method != method || ch.SentTo != "" || ch.Unsent {
			t.Errorf("%s: challenge by %s to %q, unsent %t", method, ch.Method, ch.SentTo, ch.Unsent)
		}
		if n := sim.Calls(garmintest.OpResend) - before; n != requests {
			t.Errorf("%s: asked %d times; want %d", method, n, requests)
		}
		if _, err := c.SubmitCode(t.Context(), ch, garmin.Secret(sim.LastCode("late@garmin.example"))); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	before := sim.Calls(garmintest.OpResend)
	mustChallenge(t, c, "mfa@garmin.example")
	if n := sim.Calls(garmintest.OpResend); n != before {
		t.Error("asked although the code was sent")
	}
}

func TestChallengeStandsWhenItsCodeCannotBeSent(t *testing.T) {
	t.Parallel()
	sim, c := newWidget(t)
	sim.Add(garmintest.Account{Email: "late@garmin.example", Password: garmintest.DemoPassword, MFA: "sms", CodeOnRequest: true})
	sim.Fail(garmintest.OpResend, garmintest.ServerError, 1)
	stored, err := mustChallenge(t, c, "late@garmin.example").Marshal()
	if err != nil {
		t.Fatal(err)
	}
	ch, err := garmin.ParseChallenge(stored)
	if err != nil || !ch.Unsent {
		t.Fatalf("unsent is not told: %v", err)
	}
	if err := c.ResendCode(t.Context(), ch); err != nil || ch.Unsent {
		t.Fatalf("unsent %t, %v", ch.Unsent, err)
	}
	if _, err := c.SubmitCode(t.Context(), ch, garmin.Secret(sim.LastCode("late@garmin.example"))); err != nil {
		t.Error(err)
	}
}

func TestEmptyFormAfterAWrongCodeDoesNoHarm(t *testing.T) {
	t.Parallel()
	sim, c := newWidget(t)
	ch := mustChallenge(t, c, "mfa@garmin.example")
	for range 3 {
		_, err := c.SubmitCode(t.Context(), ch, "000000")
		want(t, err, garmin.KindCode, false)
		stored, err := ch.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if ch, err = garmin.ParseChallenge(stored); err != nil {
			t.Fatal(err)
		}
	}
	ticket, err := newClient(sim).SubmitCode(t.Context(), ch, garmintest.DemoCode)
	if err != nil || ticket.ServiceURL != "https://sso.garmin.com/sso/embed" {
		t.Fatalf("%v, %v", ticket, err)
	}
	if _, err := c.Exchange(t.Context(), ticket); err != nil {
		t.Error(err)
	}
	if n := sim.Calls(garmintest.OpVerify); n != 4 {
		t.Errorf("%d codes were sent; want 4", n)
	}
}

func TestForgottenWidgetLoginIsNotAWrongCode(t *testing.T) {
	t.Parallel()
	sim, c := newWidget(t)
	ch := mustChallenge(t, c, "mfa@garmin.example")
	sim.Advance(16 * 60e9)
	_, err := c.SubmitCode(t.Context(), ch, garmintest.DemoCode)
	want(t, err, garmin.KindChallengeGone, false)
}

// page answers with a page of this title and body.
func page(status int, title, body string) garmintest.Fault {
	return garmintest.Respond(status, "text/html", "<html><head><title>"+title+"</title></head><body>"+body+"</body></html>")
}

func TestWidgetPagesHaveTheirMeaning(t *testing.T) {
	t.Parallel()
	const field = `<input type="password" name="password">`
	status := func(text string) string { return `<div class="error" id="status">` + text + `</div>` + field }
	script := func(s string) string { return "<script>" + s + "</script>" }
	tests := map[string]struct {
		fault  garmintest.Fault
		kind   garmin.Kind
		sent   bool
		ticket string
	}{
		"success":                      {page(200, "Success", script(`var response_url = "https:\/\/sso.garmin.com\/sso\/embed?ticket=ST-1-a-cas";`)), "", false, "ST-1-a-cas"},
		"success, the address encoded": {page(200, "\n Success\n", script(`var response_url = "https%3A%2F%2Fsso.garmin.com%2Fsso%2Fembed%3Fticket%3DST-1-a-sso";`)), "", false, "ST-1-a-sso"},
		"success without a ticket":     {page(200, "Success", ""), garmin.KindProtocol, true, ""},
		"wrong password":               {page(401, "GARMIN Authentication Application", status("Invalid sign in. (Passwords are case sensitive.)")), garmin.KindCredentials, false, ""},
		"the words under 200":          {page(200, "GARMIN Authentication Application", status("Invalid sign in.")), garmin.KindProtocol, true, ""},
		"other words under 401":        {page(401, "GARMIN Authentication Application", status("Etwas anderes.")), garmin.KindProtocol, true, ""},
		"hidden words":                 {page(401, "X", `<div id="status" class="error" style="display: none">Invalid sign in</div>`+field), garmin.KindProtocol, true, ""},
		"locked":                       {page(401, "X", status("Your account is locked.")), garmin.KindLocked, false, ""},
		"locked by its title":          {page(200, "Account Locked", field), garmin.KindLocked, false, ""},
		"disabled":                     {page(200, "X", status("This account is disabled.")), garmin.KindAttention, false, ""},
		"child":                        {page(200, "Unable to Sign In", ""), garmin.KindChild, false, ""},
		"too many tries":               {page(401, "X", status("Too many attempts.")), garmin.KindClientLimited, false, ""},
		"captcha":                      {page(200, "X", field+script(`var isRecaptchaEnabled = "true";`)), garmin.KindCaptcha, false, ""},
		"no captcha":                   {page(200, "X", field+script(`var isRecaptchaEnabled = null;`)), garmin.KindProtocol, true, ""},
		"the form again":               {page(200, "GARMIN Authentication Application", field), garmin.KindProtocol, true, ""},
		"the form under 403":           {page(403, "GARMIN Authentication Application", field), garmin.KindProtocol, true, ""},
		"the form under 503":           {page(503, "GARMIN Authentication Application", field), garmin.KindUnavailable, true, ""},
		"redirect with the form":       {redirect("https://sso.garmin.com/sso/embed"), garmin.KindUnavailable, true, ""},
		"redirect elsewhere":           {found("https://example.com/"), garmin.KindUnavailable, true, ""},
		"redirect to plain http":       {found("http://sso.garmin.com/sso/embed"), garmin.KindUnavailable, true, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, c := newWidget(t)
			sim.Fail(garmintest.OpLogin, tt.fault, 1)
			ticket, ch, err := login(t, c, "plain@garmin.example")
			if tt.kind == "" {
				if err != nil || ch != nil || ticket.Value.Reveal() != tt.ticket {
					t.Errorf("%v, %v, %v", ticket, ch, err)
				}
				return
			}
			want(t, err, tt.kind, tt.sent)
			if n := sim.Calls(garmintest.OpLogin); n != 1 {
				t.Errorf("the password was sent %d times", n)
			}
		})
	}
}

// found redirects in the way that drops the form.
func found(to string) garmintest.Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		http.Redirect(w, r, to, http.StatusFound)
	}
}

func TestBlockAfterTheRedirectCountsAsJudged(t *testing.T) {
	t.Parallel()
	for _, fault := range []garmintest.Fault{garmintest.EdgeBlocked, garmintest.ClientLimited(200, 0), garmintest.FlowRefused} {
		sim, _ := newGarmin(t)
		sim.Fail(garmintest.OpCodePage, fault, 1)
		_, _, err := login(t, newClient(sim, garmin.Widget.WithPause(garmin.Pause{}), garmin.IOS), "mfa@garmin.example")
		if e, ok := err.(*garmin.Error); !ok || !e.Sent() {
			t.Errorf("%v counts as not judged", err)
		}
		if n := sim.Calls(garmintest.OpLogin); n != 1 {
			t.Errorf("the password was sent %d times", n)
		}
	}
}

func TestCodePagesHaveTheirMeaning(t *testing.T) {
	t.Parallel()
	script := `<script>var mfaMethod = "email"; var customerGuid = 'x';</script>`
	box := func(id string) string { return `<div id="` + id + `" class="error">words</div>` }
	tests := map[string]struct {
		fault garmintest.Fault
		kind  garmin.Kind
		sent  bool
	}{
		"wrong, with words":    {page(200, "Enter MFA code for login", script+box("invalidCode")), garmin.KindCode, false},
		"wrong, without":       {page(200, "GARMIN Authentication Application", script), garmin.KindCode, false},
		"wrong, under 401":     {page(401, "Enter MFA code for login", script+box("invalidCode")), garmin.KindCode, false},
		"an error of Garmin's": {page(200, "Enter MFA code for login", script+box("genericError")), garmin.KindProtocol, true},
		"the password's form":  {page(200, "GARMIN Authentication Application", `<input type="password">`), garmin.KindChallengeGone, false},
		"locked":               {page(200, "Account Locked", `<input type="password">`), garmin.KindLocked, false},
		"another page":         {page(200, "Welcome", ""), garmin.KindProtocol, true},
		"no page":              {garmintest.Respond(200, "text/plain", "ok"), garmin.KindUnavailable, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, c := newWidget(t)
			ch := mustChallenge(t, c, "mfa@garmin.example")
			sim.Fail(garmintest.OpVerify, tt.fault, 1)
			_, err := c.SubmitCode(t.Context(), ch, garmintest.DemoCode)
			want(t, err, tt.kind, tt.sent)
			if _, err := c.SubmitCode(t.Context(), ch, garmintest.DemoCode); err != nil {
				t.Errorf("afterwards the challenge is of no use: %v", err)
			}
		})
	}
}

func TestWidgetResendAnswers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault garmintest.Fault
		kind  garmin.Kind
	}{
		"JSON":            {garmintest.Respond(200, "application/json", `{"x":1}`), ""},
		"a word":          {garmintest.Respond(200, "text/plain", "true"), ""},
		"no content":      {garmintest.Respond(204, "", ""), ""},
		"a page":          {page(200, "GARMIN Authentication Application", ""), garmin.KindNoResend},
		"not found":       {page(404, "Not here", ""), garmin.KindNoResend},
		"refused":         {garmintest.Respond(400, "application/json", `{}`), garmin.KindNoResend},
		"address limited": {garmintest.AddressLimited(0), garmin.KindRateLimited},
		"client limited":  {garmintest.ClientLimited(200, 0), garmin.KindClientLimited},
		"blocked":         {garmintest.EdgeBlocked, garmin.KindBlocked},
		"down":            {garmintest.ServerError, garmin.KindUnavailable},
	} {
		sim, c := newWidget(t)
		ch := mustChallenge(t, c, "mfa@garmin.example")
		sim.Fail(garmintest.OpResend, tt.fault, 1)
		if err := c.ResendCode(t.Context(), ch); garmin.KindOf(err) != tt.kind || (err == nil) != (tt.kind == "") {
			t.Errorf("%s: %v; want %s", name, err, tt.kind)
		}
	}
}

func TestFormIsReadHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	for name, input := range map[string]string{
		"white space":   "<input type=\"hidden\" name=\"_csrf\"\n\t   value=\"ABC\" />",
		"other order":   `<INPUT VALUE='ABC' NAME='_csrf'>`,
		"without quote": `<input name=_csrf value=ABC>`,
	} {
		sim, c := newWidget(t)
		sim.Fail(garmintest.OpPage, page(200, "x", input), 0)
		_, _, err := login(t, c, "plain@garmin.example")
		if e, ok := err.(*garmin.Error); !ok || e.Op != "login" {
			t.Errorf("%s: %v; want the password to be sent", name, err)
		}
	}
	for name, input := range map[string]string{"none": "", "empty": `<input name="_csrf" value="">`, "in a comment": `<!-- <input name="_csrf" value="ABC"> -->`} {
		sim, c := newWidget(t)
		sim.Fail(garmintest.OpPage, page(200, "x", input), 0)
		_, _, err := login(t, c, "plain@garmin.example")
		if e, ok := err.(*garmin.Error); !ok || e.Op != "page" || strings.Contains(err.Error(), "csrf") || sim.Calls(garmintest.OpLogin) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
