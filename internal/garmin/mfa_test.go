package garmin_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/garminlink/garminlink/internal/garmin/garmintest"
)

func TestChallengeSaysHowAndWhere(t *testing.T) {
	t.Parallel()
	_, c := newGarmin(t)
	tests := map[string]struct{ method, sentTo string }{
		"mfa@garmin.example":  {"email", "mf*****@garmin.example"},
		"sms@garmin.example":  {"sms", "*******0123"},
		"totp@garmin.example": {"totp", ""},
	}
	for email, tt := range tests {
		ch := mustChallenge(t, c, email)
		if ch.Method != tt.method || ch.SentTo != tt.sentTo || ch.Region != garmin.RegionGlobal {
			t.Errorf("%s: %s to %q in %s", email, ch.Method, ch.SentTo, ch.Region)
		}
		if _, err := c.SubmitCode(t.Context(), ch, garmintest.DemoCode); err != nil {
			t.Errorf("%s: %v", email, err)
		}
	}
}

func TestMethodFallsBack(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		`{"mfaLastMethodUsed":null,"defaultMfaMethod":"sms"}`: "sms",
		`{"mfaLastMethodUsed":null,"defaultMfaMethod":null}`:  "email",
		`null`: "email",
	}
	for info, method := range tests {
		sim, c := newGarmin(t)
		sim.Fail(garmintest.OpLogin, garmintest.Respond(200, "application/json",
			`{"responseStatus":{"type":"MFA_REQUIRED"},"customerMfaInfo":`+info+`}`), 1)
		if ch := mustChallenge(t, c, "mfa@garmin.example"); ch.Method != method {
			t.Errorf("%s: method %q; want %q", info, ch.Method, method)
		}
	}
}

func TestAnotherReplicaFinishesALogin(t *testing.T) {
	t.Parallel()
	sim, first := newGarmin(t)
	stored, err := mustChallenge(t, first, "mfa@garmin.example").Marshal()
	if err != nil {
		t.Fatal(err)
	}
	ch, err := garmin.ParseChallenge(stored)
	if err != nil {
		t.Fatal(err)
	}
	second := newClient(sim)
	_, err = second.SubmitCode(t.Context(), ch, "000000")
	want(t, err, garmin.KindCode, false)
	again, err := ch.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if string(again) == string(stored) {
		t.Error("the cookies that came with the refusal were not kept")
	}
	if ch, err = garmin.ParseChallenge(again); err != nil {
		t.Fatal(err)
	}
	ticket, err := newClient(sim).SubmitCode(t.Context(), ch, garmintest.DemoCode)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Exchange(t.Context(), ticket); err != nil {
		t.Error(err)
	}
}

func TestChallengeNeedsAllItsCookies(t *testing.T) {
	t.Parallel()
	_, c := newGarmin(t)
	for _, name := range []string{"SESSION", "__VCAP_ID__"} {
		b, err := mustChallenge(t, c, "mfa@garmin.example").Marshal()
		if err != nil {
			t.Fatal(err)
		}
		ch, err := garmin.ParseChallenge([]byte(strings.Replace(string(b), `"name":"`+name+`"`, `"name":"other"`, 1)))
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.SubmitCode(t.Context(), ch, garmintest.DemoCode)
		want(t, err, garmin.KindChallengeGone, false)
	}
}

func TestBadChallengesAreRefused(t *testing.T) {
	t.Parallel()
	for _, b := range []string{
		"", "{}", "null", `{"v":1`, `{"v":3,"flow":"ios","region":"garmin.com"}`, `{"v":1,"flow":"widget","region":"garmin.com"}`,
		`{"v":1,"flow":"ios","region":"example.com"}`, `{"v":1,"flow":"ios","region":"garmin.com","cookies":"hunter2"}`,
	} {
		ch, err := garmin.ParseChallenge([]byte(b))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("ParseChallenge(%q) = %v, %v", b, ch, err)
		}
	}
}

func TestWrongCodeKeepsTheChallenge(t *testing.T) {
	t.Parallel()
	for _, ok := range []bool{false, true} {
		sim := &garmintest.Server{WrongCodeOK: ok}
		t.Cleanup(sim.Close)
		c := newClient(sim)
		ch := mustChallenge(t, c, "mfa@garmin.example")
		for range 3 {
			_, err := c.SubmitCode(t.Context(), ch, "000000")
			want(t, err, garmin.KindCode, false)
			checkSilent(t, sim, err)
		}
		if _, err := c.SubmitCode(t.Context(), ch, garmintest.DemoCode); err != nil {
			t.Error(err)
		}
		if n := sim.Calls(garmintest.OpVerify); n != 4 {
			t.Errorf("%d calls for 4 codes", n)
		}
	}
}

func TestForgottenLoginIsToldApart(t *testing.T) {
	t.Parallel()
	sim, c := newGarmin(t)
	ch := mustChallenge(t, c, "mfa@garmin.example")
	sim.Advance(time.Hour)
	_, err := c.SubmitCode(t.Context(), ch, garmintest.DemoCode)
	want(t, err, garmin.KindChallengeGone, false)
	want(t, c.ResendCode(t.Context(), ch), garmin.KindChallengeGone, false)
}

func TestLaterLoginVoidsTheCode(t *testing.T) {
	t.Parallel()
	_, c := newGarmin(t)
	ch := mustChallenge(t, c, "mfa@garmin.example")
	later := mustChallenge(t, c, "mfa@garmin.example")
	_, err := c.SubmitCode(t.Context(), ch, garmintest.DemoCode)
	want(t, err, garmin.KindCode, false)
	if _, err := c.SubmitCode(t.Context(), later, garmintest.DemoCode); err != nil {
		t.Error(err)
	}
}

func TestVerifyAnswers(t *testing.T) {
	t.Parallel()
	code := func(status int, typ, message string, kind garmin.Kind) outcome {
		return outcome{name: typ + " " + message, fault: garmintest.RespondType(status, typ, message), kind: kind, typ: typ}
	}
	only := []outcome{
		code(200, "SOMETHING_NEW", "", garmin.KindCode),
		code(401, "ANOTHER_NEW", "", garmin.KindCode),
		code(200, "MFA_REQUIRED", "", garmin.KindCode),
		code(401, "INVALID_USERNAME_PASSWORD", "", garmin.KindCode),
		code(400, "INVALID_MFA_CODE", "", garmin.KindCode),
		code(400, "FAILED", "codeEntryExpired", garmin.KindCode),
		code(400, "FAILED", "", garmin.KindProtocol),
		code(401, "SESSION_EXPIRED", "", garmin.KindChallengeGone),
		code(401, "FAILED", "generalLoginYourSessionHasExpired", garmin.KindChallengeGone),
		code(401, "ACCOUNT_LOCKED", "", garmin.KindLocked),
		code(200, "CAPTCHA_REQUIRED", "", garmin.KindCaptcha),
		code(429, "FAILED", "", garmin.KindClientLimited),
		{name: "401 JSON without a type", fault: garmintest.Respond(401, "application/json", `{}`), kind: garmin.KindCode},
		{name: "success without a ticket", fault: garmintest.RespondType(200, "SUCCESSFUL", ""), kind: garmin.KindProtocol, sent: true, typ: "SUCCESSFUL"},
	}
	checkOutcomes(t, garmintest.OpVerify, append(everyCall(), only...), func(t *testing.T, _ *garmintest.Server, c *garmin.Client) func(context.Context) error {
		ch := mustChallenge(t, c, "mfa@garmin.example")
		return func(ctx context.Context) error {
			_, err := c.SubmitCode(ctx, ch, garmintest.DemoCode)
			return err
		}
	})
}

func TestResendBringsANewCode(t *testing.T) {
	t.Parallel()
	sim, c := newGarmin(t)
	sim.Add(garmintest.Account{Email: "new@garmin.example", Password: garmintest.DemoPassword, MFA: "email"})
	ch := mustChallenge(t, c, "new@garmin.example")
	old := sim.LastCode("new@garmin.example")
	for sim.LastCode("new@garmin.example") == old { // one in a million is the same
		if err := c.ResendCode(t.Context(), ch); err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.SubmitCode(t.Context(), ch, garmin.Secret(old))
	want(t, err, garmin.KindCode, false)
	if _, err := c.SubmitCode(t.Context(), ch, garmin.Secret(sim.LastCode("new@garmin.example"))); err != nil {
		t.Error(err)
	}
}

func TestResendRefusedLeavesTheChallenge(t *testing.T) {
	t.Parallel()
	_, c := newGarmin(t)
	ch := mustChallenge(t, c, "totp@garmin.example")
	want(t, c.ResendCode(t.Context(), ch), garmin.KindNoResend, false)
	if _, err := c.SubmitCode(t.Context(), ch, garmintest.DemoCode); err != nil {
		t.Error(err)
	}
}

func TestResendAnswers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault garmintest.Fault
		kind  garmin.Kind
		sent  bool
	}{
		"no such address": {garmintest.Respond(404, "text/html", "<html>"), garmin.KindNoResend, false},
		"unknown type":    {garmintest.UnknownType, garmin.KindNoResend, false},
		"empty object":    {garmintest.Respond(200, "application/json", "{}"), garmin.KindNoResend, false},
		"limit":           {garmintest.RespondType(400, "FAILED", "codeEntryMaxLimit"), garmin.KindNoResend, false},
		"problem":         {garmintest.Respond(400, "application/problem+json", `{"status":400}`), garmin.KindNoResend, false},
		"address limited": {garmintest.AddressLimited(0), garmin.KindRateLimited, false},
		"client limited":  {garmintest.ClientLimited(200, 0), garmin.KindClientLimited, false},
		"blocked":         {garmintest.EdgeBlocked, garmin.KindBlocked, false},
		"down":            {garmintest.ServerError, garmin.KindUnavailable, true},
		"answer lost":     {garmintest.AnswerLost, garmin.KindUnavailable, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, c := newGarmin(t)
			ch := mustChallenge(t, c, "mfa@garmin.example")
			sim.Fail(garmintest.OpResend, tt.fault, 1)
			want(t, c.ResendCode(t.Context(), ch), tt.kind, tt.sent)
			if _, err := c.SubmitCode(t.Context(), ch, garmintest.DemoCode); err != nil {
				t.Errorf("afterwards the challenge is of no use: %v", err)
			}
		})
	}
}
