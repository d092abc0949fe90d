package garmintest_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

// shape lists the members of a JSON object with their types, sorted.
func shape(m map[string]any) string {
	var out []string
	for k, v := range m {
		typ := fmt.Sprintf("%T", v)
		if inner, ok := v.(map[string]any); ok {
			typ = "{" + shape(inner) + "}"
		}
		out = append(out, k+":"+strings.NewReplacer("<nil>", "null", "[]interface {}", "list", "float64", "number").Replace(typ))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// The shapes below were noted from recordings of Garmin's servers of March 2026 (the socialProfile: 2023).
const (
	statusShape  = "responseStatus:{httpStatus:string message:string type:string}"
	refusedShape = "authType:null captchaAlreadyPassed:bool consentTypeList:null customerMfaInfo:null responseReason:null " +
		statusShape + " samlResponse:null serviceTicketId:null serviceURL:null"
	signedInShape = "authType:string captchaAlreadyPassed:bool consentTypeList:null customerMfaInfo:null responseReason:null " +
		statusShape + " samlResponse:null serviceTicketId:string serviceURL:string"
	codeWantedShape = "authType:null captchaAlreadyPassed:bool consentTypeList:list customerMfaInfo:{defaultMfaMethod:null email:string " +
		"mfaLastMethodUsed:string mfaUISetting:{allowAddEmailAddress:bool allowPhoneOption:bool chooseDifferentWayShown:bool} phoneNumber:null} " +
		"responseReason:null " + statusShape + " samlResponse:null serviceTicketId:null serviceURL:null"
	codeAcceptedShape = "authType:string responseReason:null " + statusShape + " samlResponse:null serviceTicketId:string serviceURL:string"
	tokenShape        = "access_token:string expires_in:number jti:string refresh_token:string refresh_token_expires_in:number scope:string token_type:string"
)

func TestAnswersHaveTheRecordedShapes(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := newBrowser(t, s.Transport())
	check := func(what string, a answer, status int, typ, want string) {
		t.Helper()
		if got := shape(a.body); a.status != status || a.statusType() != typ || got != want {
			t.Errorf("%s: %d %q\n got %s\nwant %s", what, a.status, a.statusType(), got, want)
		}
	}
	p := b.get(page)
	if p.status != 200 || !strings.Contains(p.raw, "<title>Garmin SSO Portal</title>") || p.header.Get("Content-Type") != "text/html;charset=UTF-8" {
		t.Errorf("page: %d %s", p.status, p.raw)
	}
	if want := []string{"SESSION", "__VCAP_ID__", "__cf_bm", "__cflb", "_cfuvid"}; !slices.Equal(p.cookies, want) {
		t.Errorf("page sets %v; want %v", p.cookies, want)
	}
	check("wrong password", b.login("plain@garmin.example", "x"), 401, "INVALID_USERNAME_PASSWORD", refusedShape)
	check("code wanted", b.login("mfa@garmin.example", garmintest.DemoPassword), 200, "MFA_REQUIRED", codeWantedShape)
	check("code accepted", b.verify("email", garmintest.DemoCode), 200, "SUCCESSFUL", codeAcceptedShape)
	in := b.login("plain@garmin.example", garmintest.DemoPassword)
	check("signed in", in, 200, "SUCCESSFUL", signedInShape)
	if want := []string{"CASTGC", "GARMIN-SSO", "GARMIN-SSO-CUST-GUID", "GMN_TRACKABLE"}; !slices.Equal(in.cookies, want) {
		t.Errorf("success sets %v; want %v", in.cookies, want)
	}
	if in.text("serviceURL") != service || !strings.HasPrefix(in.text("serviceTicketId"), "ST-") {
		t.Errorf("success: %s", in.raw)
	}
	tokens := b.tokens("plain@garmin.example")
	if got := shape(tokens.body); got != tokenShape {
		t.Errorf("tokens\n got %s\nwant %s", got, tokenShape)
	}
	checkProfile(t, b, tokens.text("access_token"))
}

func checkProfile(t *testing.T, b *browser, token string) {
	t.Helper()
	got := b.get(profile, "Authorization", "Bearer "+token)
	for _, member := range []string{"id:number", "profileId:number", "garminGUID:string", "displayName:string", "fullName:string", "userName:string"} {
		if got.status != 200 || !slices.Contains(strings.Split(shape(got.body), " "), member) {
			t.Errorf("profile: %d, no %s in %s", got.status, member, got.raw)
		}
	}
	for _, header := range []string{"", "Bearer x", "Bearer " + token + "x", "Basic " + token} {
		a := b.get(profile, "Authorization", header)
		if a.status != 401 || a.raw != "" || !strings.Contains(a.header.Get("WWW-Authenticate"), "invalid_token") {
			t.Errorf("profile with %.20q: %d %q", header, a.status, a.raw)
		}
	}
}

func TestMalformedRequestsAreRefused(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, newServer(t).Transport())
	body := `{"username":"plain@garmin.example","password":"garmin-demo-1","rememberMe":false,"captchaToken":""}`
	tests := map[string]struct {
		a      answer
		status int
	}{
		"no body":            {b.post(login, ""), 400},
		"missing member":     {b.post(login, `{"username":"a","password":"b"}`), 400},
		"member too many":    {b.post(login, strings.Replace(body, "{", `{"x":1,`, 1)), 400},
		"no content type":    {b.do("POST", login, "", body), 400},
		"unknown client":     {b.post(strings.Replace(login, "ANDROID", "OTHER", 1), body), 400},
		"service of another": {b.post(strings.Replace(login, "gcm/android", "gcm/ios", 1), body), 400},
		"service elsewhere":  {b.post(strings.Replace(login, "integration.garmin.com", "example.com", 1), body), 400},
		"no locale":          {b.post(strings.Replace(login, "locale", "l", 1), body), 400},
		"no user agent":      {b.post(login, body, "User-Agent", ""), 403},
		"Go's user agent":    {b.post(login, body, "User-Agent", "Go-http-client/2.0"), 403},
		"unknown path":       {b.get("https://sso.garmin.com/x"), 404},
		"path of other host": {b.get(strings.Replace(profile, "connectapi", "connect", 1)), 404},
		"wrong method":       {b.get(login), 404},
		"page of no client":  {b.get("https://sso.garmin.com/mobile/sso/en/sign-in"), 404},
	}
	for name, tt := range tests {
		if tt.a.status != tt.status {
			t.Errorf("%s: %d; want %d", name, tt.a.status, tt.status)
		}
	}
}

func TestCodeBelongsToItsLogin(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	rt := s.Transport()
	b := newBrowser(t, rt)
	b.login("mfa@garmin.example", garmintest.DemoPassword)
	if a := newBrowser(t, rt).verify("email", garmintest.DemoCode); a.status != 401 || a.statusType() != "SESSION_EXPIRED" {
		t.Errorf("without cookies: %d %s", a.status, a.raw)
	}
	if a := b.verify("sms", garmintest.DemoCode); a.statusType() != "SESSION_EXPIRED" {
		t.Errorf("by another method: %s", a.raw)
	}
	ios := strings.NewReplacer("ANDROID", "IOS", "gcm/android", "gcm/ios").Replace(verify)
	if a := b.post(ios, `{"mfaMethod":"email","mfaVerificationCode":"123456","rememberMyBrowser":false,"reconsentList":[],"mfaSetup":false}`); a.statusType() != "SESSION_EXPIRED" {
		t.Errorf("with another client id: %s", a.raw)
	}
	if a := b.verify("email", garmintest.DemoCode); a.statusType() != "SUCCESSFUL" {
		t.Errorf("the right way: %s", a.raw)
	}
	if a := b.verify("email", garmintest.DemoCode); a.statusType() != "SESSION_EXPIRED" {
		t.Errorf("a second time: %s", a.raw)
	}
}

func TestTriesAndCodesAreLimited(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, newServer(t).Transport())
	b.login("sms@garmin.example", garmintest.DemoPassword)
	for range 10 {
		if a := b.verify("sms", "000000"); a.status != 401 || a.statusType() != "INVALID_MFA_CODE" {
			t.Fatalf("wrong code: %s", a.raw)
		}
	}
	if a := b.verify("sms", garmintest.DemoCode); a.statusType() != "SESSION_EXPIRED" {
		t.Errorf("right code after ten wrong ones: %s", a.raw)
	}
	b.login("sms@garmin.example", garmintest.DemoPassword)
	for range 5 {
		if a := b.post(resend, `{"mfaMethod":"sms"}`); a.statusType() != "MFA_CODE_SENT" {
			t.Fatalf("new code: %s", a.raw)
		}
	}
	if a := b.post(resend, `{"mfaMethod":"sms"}`); a.status != 400 || a.statusType() != "MFA_CODE_LIMIT" {
		t.Errorf("sixth new code: %d %s", a.status, a.raw)
	}
}

func TestRefreshTokensRotate(t *testing.T) {
	t.Parallel()
	s := &garmintest.Server{RefreshGrace: time.Minute, AccessLife: time.Hour, RefreshLife: 24 * time.Hour, OmitRefreshLife: true}
	t.Cleanup(s.Close)
	b := newBrowser(t, s.Transport())
	old := b.tokens("plain@garmin.example")
	if _, stated := old.body["refresh_token_expires_in"]; stated || old.body["expires_in"] != 3600.0 {
		t.Errorf("tokens: %s", old.raw)
	}
	fresh := b.refresh(old.text("refresh_token"))
	if a := b.refresh(old.text("refresh_token")); a.status != 200 {
		t.Errorf("within the grace: %s", a.raw)
	}
	s.Advance(2 * time.Minute)
	if a := b.refresh(old.text("refresh_token")); a.status != 400 || a.text("error") != "invalid_grant" {
		t.Errorf("after the grace: %d %s", a.status, a.raw)
	}
	s.Advance(time.Hour)
	if a := b.get(profile, "Authorization", "Bearer "+fresh.text("access_token")); a.status != 401 {
		t.Errorf("an expired access token: %d", a.status)
	}
	s.Advance(24 * time.Hour)
	if a := b.refresh(fresh.text("refresh_token")); a.status != 400 {
		t.Errorf("an expired refresh token: %d", a.status)
	}
}

func TestTokenServiceChecksTheClient(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, newServer(t).Transport())
	tok := b.tokens("plain@garmin.example").text("refresh_token")
	values := url.Values{"client_id": {client}, "grant_type": {"refresh_token"}, "refresh_token": {tok}}
	if a := b.form(values, "Authorization", "Basic eDo="); a.status != 401 || a.text("error") != "invalid_client" {
		t.Errorf("another client in the header: %d %s", a.status, a.raw)
	}
	values.Set("client_id", "GARMIN_CONNECT_MOBILE_IOS_DI")
	if a := b.form(values); a.status != 400 || a.text("error") != "invalid_grant" {
		t.Errorf("another client's token: %d %s", a.status, a.raw)
	}
	values.Set("client_id", "NONE")
	if a := b.form(values); a.status != 401 {
		t.Errorf("unknown client: %d %s", a.status, a.raw)
	}
	abroad := b.do("POST", strings.Replace(token, ".com", ".cn", 1), "application/x-www-form-urlencoded",
		"client_id="+client+"&grant_type=refresh_token&refresh_token="+url.QueryEscape(tok),
		"Authorization", "Basic R0FSTUlOX0NPTk5FQ1RfTU9CSUxFX0FORFJPSURfRElfMjAyNVEyOg==")
	if abroad.status != 400 || !strings.Contains(abroad.raw, "User doesn't exist in DB") {
		t.Errorf("at garmin.cn: %d %s", abroad.status, abroad.raw)
	}
	if a := b.refresh(tok); a.status != 200 {
		t.Errorf("the right client: %s", a.raw)
	}
}

func TestSameKeyHonoursEarlierTokens(t *testing.T) {
	t.Parallel()
	first, second := &garmintest.Server{Key: []byte("k")}, &garmintest.Server{Key: []byte("k")}
	other := newServer(t)
	t.Cleanup(first.Close)
	t.Cleanup(second.Close)
	tokens := newBrowser(t, first.Transport()).tokens("plain@garmin.example")
	for s, want := range map[*garmintest.Server]int{second: 200, other: 401} {
		b := newBrowser(t, s.Transport())
		if a := b.get(profile, "Authorization", "Bearer "+tokens.text("access_token")); a.status != want {
			t.Errorf("access token: %d; want %d", a.status, want)
		}
		if a := b.refresh(tokens.text("refresh_token")); (a.status == 200) != (want == 200) {
			t.Errorf("refresh token: %d %s", a.status, a.raw)
		}
	}
}

func TestAccountsCanChange(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := newBrowser(t, s.Transport())
	tokens := b.tokens("plain@garmin.example")
	s.SetPassword("plain@garmin.example", "another-1")
	if a := b.login("plain@garmin.example", garmintest.DemoPassword); a.status != 401 {
		t.Errorf("old password: %d", a.status)
	}
	if a := b.login("PLAIN@garmin.example", "another-1"); a.status != 200 {
		t.Errorf("new password: %d", a.status)
	}
	live := func() int { return b.get(profile, "Authorization", "Bearer "+tokens.text("access_token")).status }
	if live() != 200 {
		t.Error("tokens ended with the password")
	}
	s.ExpireAccessTokens()
	if live() != 401 {
		t.Error("the access token lives on")
	}
	if a := b.refresh(tokens.text("refresh_token")); a.status != 200 {
		t.Errorf("refresh: %s", a.raw)
	}
	s.Add(garmintest.Account{Email: "own@garmin.example", Password: "p", GUID: "g-1", Locked: true})
	if a := b.login("own@garmin.example", "p"); a.statusType() != "ACCOUNT_LOCKED" {
		t.Errorf("locked: %s", a.raw)
	}
}
