package garmintest_test

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

const (
	sso        = "https://sso.garmin.com/sso"
	embed      = sso + "/embed?id=gauth-widget&embedWidget=true&gauthHost=" + sso
	widgetArgs = "?id=gauth-widget&embedWidget=true&gauthHost=" + sso + "/embed&service=" + sso + "/embed&source=" + sso +
		"/embed&redirectAfterAccountLoginUrl=" + sso + "/embed&redirectAfterAccountCreationUrl=" + sso + "/embed"
	locale = "org.springframework.web.servlet.i18n.CookieLocaleResolver.LOCALE"
)

var (
	csrfField = regexp.MustCompile(`name="_csrf"\s+value="([0-9A-F]*)"`)
	ticketURL = regexp.MustCompile(`embed\?ticket=(ST-[^"]+)"`)
	titleOf   = regexp.MustCompile(`<title>(.*?)</title>`)
)

// widget is a browser that goes through the widget by hand, redirects included.
type widget struct {
	*browser

	csrf string
}

func newWidget(t *testing.T, rt http.RoundTripper) *widget {
	t.Helper()
	b := newBrowser(t, rt)
	b.hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &widget{browser: b}
}

func (w *widget) send(path string, fields map[string]string) answer {
	form := url.Values{}
	for key, value := range fields {
		form.Set(key, value)
	}
	return w.do("POST", sso+path+widgetArgs, "application/x-www-form-urlencoded", form.Encode())
}

// password goes up to the password.
func (w *widget) password(email, password string) answer {
	w.get(embed)
	w.csrf = csrfField.FindStringSubmatch(w.get(sso + "/signin" + widgetArgs).raw)[1]
	return w.send("/signin", map[string]string{"username": email, "password": password, "embed": "true", "_csrf": w.csrf})
}

func (w *widget) code(code string) answer {
	return w.send("/verifyMFA/loginEnterMfaCode", map[string]string{"mfa-code": code, "embed": "true", "_csrf": w.csrf, "fromPage": "setupEnterMfaCode"})
}

func title(a answer) string {
	if m := titleOf.FindStringSubmatch(a.raw); m != nil {
		return m[1]
	}
	return ""
}

func TestWidgetPagesHaveTheRecordedShapes(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := newWidget(t, s.Transport())
	first := w.get(embed)
	if want := []string{locale, "__cf_bm", "__cflb", "_cfuvid"}; title(first) != "GAuth Embedded Version" || !slices.Equal(first.cookies, want) {
		t.Errorf("embed: %q sets %v", title(first), first.cookies)
	}
	form := w.get(sso + "/signin" + widgetArgs)
	if want := []string{locale, "SESSION", "__VCAP_ID__"}; title(form) != "GARMIN Authentication Application" || !slices.Equal(form.cookies, want) {
		t.Errorf("signin: %q sets %v", title(form), form.cookies)
	}
	if m := csrfField.FindStringSubmatch(form.raw); m == nil || len(m[1]) != 100 {
		t.Errorf("signin: token %v", m)
	}
	wrong := w.password("plain@garmin.example", "x")
	if wrong.status != 401 || title(wrong) != "GARMIN Authentication Application" || !strings.Contains(wrong.raw, `<div id="status" class="error">Invalid sign in. (Passwords are case sensitive.)</div>`) {
		t.Errorf("wrong password: %d %s", wrong.status, wrong.raw)
	}
	in := w.password("plain@garmin.example", garmintest.DemoPassword)
	if in.status != 200 || title(in) != "Success" || !strings.Contains(in.raw, `"https:\/\/sso.garmin.com\/sso\/embed?ticket=ST-`) {
		t.Errorf("success: %d %s", in.status, in.raw)
	}
	if child := w.password("child@garmin.example", garmintest.DemoPassword); title(child) != "Unable to Sign In" {
		t.Errorf("child: %s", child.raw)
	}
}

func TestWidgetAsksForACodeAsRecorded(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := newWidget(t, s.Transport())
	first := w.password("mfa@garmin.example", garmintest.DemoPassword)
	to := first.header.Get("Location")
	if first.status != 302 || first.raw != "" || !strings.HasPrefix(to, sso+"/verifyMFA/loginEnterMfaCode?id=gauth-widget") {
		t.Fatalf("%d to %s", first.status, to)
	}
	page := w.get(to)
	for _, line := range []string{`var mfaMethod = "email";`, `var customerGuid = "`, `var locale = "";`, `var clientId = "";`, `var codeSentTo = "mf*****@garmin.example";`} {
		if title(page) != "Enter MFA code for login" || !strings.Contains(page.raw, line) {
			t.Errorf("no %s in %s", line, page.raw)
		}
	}
	w.csrf = csrfField.FindStringSubmatch(page.raw)[1]
	again := w.code("000000")
	if again.status != 200 || title(again) != title(page) || csrfField.FindStringSubmatch(again.raw)[1] != "" || !strings.Contains(again.raw, `<div id="invalidCode" class="error">`) {
		t.Errorf("wrong code: %d %s", again.status, again.raw)
	}
	right := w.code(garmintest.DemoCode)
	to = right.header.Get("Location")
	if right.status != 302 || !strings.HasPrefix(to, sso+"/login?") || !strings.Contains(to, "logintoken=") {
		t.Fatalf("right code: %d to %s", right.status, to)
	}
	if last := w.get(to); title(last) != "Success" || ticketURL.FindString(last.raw) == "" {
		t.Errorf("last: %s", last.raw)
	}
	if last := w.get(to); title(last) == "Success" {
		t.Error("the last page comes twice")
	}
}

func TestWidgetBelongsToItsCookiesAndForm(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	rt := s.Transport()
	good := map[string]string{"username": "plain@garmin.example", "password": garmintest.DemoPassword, "embed": "true"}
	for name, spoil := range map[string]func(w *widget, fields map[string]string){
		"another form":   func(w *widget, f map[string]string) { f["_csrf"] = strings.Repeat("A", 100) },
		"no form":        func(_ *widget, f map[string]string) { delete(f, "_csrf") },
		"not embedded":   func(_ *widget, f map[string]string) { delete(f, "embed") },
		"other cookies":  func(w *widget, _ map[string]string) { w.hc.Jar = newBrowser(t, rt).hc.Jar },
		"an older form":  func(*widget, map[string]string) { s.Advance(time.Hour) },
		"its newer form": func(w *widget, _ map[string]string) { w.get(sso + "/signin" + widgetArgs) },
	} {
		w := newWidget(t, rt)
		fields := maps.Clone(good)
		fields["_csrf"] = csrfField.FindStringSubmatch(w.get(sso + "/signin" + widgetArgs).raw)[1]
		spoil(w, fields)
		if a := w.send("/signin", fields); title(a) != "GARMIN Authentication Application" {
			t.Errorf("%s: %s", name, title(a))
		}
	}
}

func TestHandoffPageGoesWhereItIsTold(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	args := "?id=gauth-widget&embedWidget=true&gauthHost=" + sso + "&service=" + sso + "/embed"
	for name, tt := range map[string]struct{ more, want string }{
		"tab":   {"&source=" + sso + "/embed&redirectAfterAccountLoginUrl=" + sso + "/embed", `var redirectAfterAccountLoginUrl 	  = "https:\/\/sso.garmin.com\/sso\/embed";`},
		"frame": {"&source=https://link.example&consumeServiceTicket=false", `var parent_url                   	  = "https:\/\/link.example";`},
	} {
		w := newWidget(t, s.Transport())
		address := sso + "/signin" + args + tt.more
		csrf := csrfField.FindStringSubmatch(w.get(address).raw)[1]
		form := url.Values{"username": {"plain@garmin.example"}, "password": {garmintest.DemoPassword}, "embed": {"true"}, "_csrf": {csrf}}
		a := w.do("POST", address, "application/x-www-form-urlencoded", form.Encode())
		if title(a) != "Success" || !strings.Contains(a.raw, tt.want) {
			t.Errorf("%s: %s", name, a.raw)
		}
	}
}
