package garmin

import (
	"context"
	"encoding/json"
)

// SubmitCode answers a challenge. Cookies that Garmin sets meanwhile are kept in ch, after a wrong code too, so that
// the next try goes on from there.
//
// Errors: KindCode (the challenge still stands), KindChallengeGone, KindLocked and the rest of Login's.
func (c *Client) SubmitCode(ctx context.Context, ch *Challenge, code Secret) (*Ticket, error) {
	body, err := json.Marshal(map[string]any{
		"mfaMethod": ch.Method, "mfaVerificationCode": code.Reveal(), "rememberMyBrowser": true,
		"reconsentList": []string{}, "mfaSetup": false,
	})
	if err != nil {
		return nil, err
	}
	rep, err := c.postChallenge(ctx, "verify", ch, pathVerify, body)
	if err != nil {
		return nil, err
	}
	s, e := rep.parseSSO()
	switch {
	case e != nil:
		return nil, e
	case s.Status.Type == typeSuccessful:
		return rep.ticket(s, ch.flow, ch.Region)
	}
	return nil, rep.codeRefused(s)
}

// ResendCode asks Garmin to send another code for the same challenge.
//
// Errors: KindNoResend for every refusal but KindChallengeGone and KindLocked; KindRateLimited, KindClientLimited,
// KindBlocked, KindCaptcha and KindUnavailable as elsewhere. The challenge still stands after all but
// KindChallengeGone.
func (c *Client) ResendCode(ctx context.Context, ch *Challenge) error {
	body, err := json.Marshal(map[string]string{"mfaMethod": ch.Method})
	if err != nil {
		return err
	}
	rep, err := c.postChallenge(ctx, "resend", ch, pathResend, body)
	if err != nil {
		return err
	}
	s, e := rep.parseSSO()
	if e == nil {
		if s.Status.Type == typeCodeSent {
			return nil
		}
		e = rep.refused(s)
	}
	if meansNoResend(e) {
		e.Kind, e.sent = KindNoResend, false
	}
	return e
}

// meansNoResend: the address of this call is assumed, so a plain "no such thing" is an expected answer.
func meansNoResend(e *Error) bool {
	switch e.Kind {
	case KindUnavailable:
		return e.Status >= 400 && e.Status < 500
	case KindChallengeGone, KindLocked, KindRateLimited, KindClientLimited, KindBlocked, KindCaptcha:
		return false
	}
	return true
}

func (c *Client) postChallenge(ctx context.Context, op string, ch *Challenge, path string, body []byte) (*reply, error) {
	ch.jar.now = c.now
	return c.postSSO(ctx, op, ch.flow, ch.Region, path, body, ch.jar)
}
