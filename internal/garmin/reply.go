package garmin

import (
	"encoding/json"
	"net/http"
	"strings"
)

// The types of responseStatus that a login goes on with [R; the last A].
const (
	typeSuccessful  = "SUCCESSFUL"
	typeMFARequired = "MFA_REQUIRED"
	typeCodeSent    = "MFA_CODE_SENT"
)

// refusalTypes are the types that end a login or a code. Only the first is in a recording; CAPTCHA_REQUIRED is known
// from public clients; the others are assumed from the texts of Garmin's sign-in page.
var refusalTypes = map[string]Kind{
	"INVALID_USERNAME_PASSWORD": KindCredentials,
	"CAPTCHA_REQUIRED":          KindCaptcha,
	"ACCOUNT_LOCKED":            KindLocked,
	"ACCOUNT_DISABLED":          KindAttention,
	"ACCOUNT_PROBLEM":           KindAttention,
	"RENEW_PASSWORD":            KindAttention,
	"PASSWORD_RESET_REQUIRED":   KindAttention,
	"CONSENT_REQUIRED":          KindAttention,
	"RECONSENT_REQUIRED":        KindAttention,
	"MFA_SETUP_REQUIRED":        KindAttention,
	"CHILD_ACCOUNT":             KindChild,
	"LOGIN_DENIED":              KindChild,
	"SESSION_EXPIRED":           KindChallengeGone,
	"MAX_LOGINS":                KindClientLimited,
}

// refusalMessages are keys of the sign-in page's texts, one of which the recorded refusal carries as its message [R].
// They tell a type apart that is not known, or too general.
var refusalMessages = map[string]Kind{
	"generalLoginInvalidUsernameOrPassword":                KindCredentials,
	"generalLoginAccountLocked":                            KindLocked,
	"generalLoginMobileAccountLocked":                      KindLocked,
	"generalLoginAccountDisabled":                          KindAttention,
	"generalLoginMobileAccountDisabled":                    KindAttention,
	"generalLoginAccountProblem":                           KindAttention,
	"generalLoginMobileAccountProblem":                     KindAttention,
	"generalLoginPermanentMFARequired":                     KindAttention,
	"generalLoginPermanentMFARequiredResetPassword":        KindAttention,
	"casLoginViewRenewPassword":                            KindAttention,
	"casLoginViewReactivateAccount":                        KindAttention,
	"casLoginViewMissingPassword":                          KindAttention,
	"setupMfaRequiredContent":                              KindAttention,
	"applicationSecurityPolicyLoginDeniedChildAccountText": KindChild,
	"generalLoginYourSessionHasExpired":                    KindChallengeGone,
	"generalValidationMaxLogins":                           KindClientLimited,
	"codeEntryInvalid":                                     KindCode,
	"codeEntryExpired":                                     KindCode,
}

// ssoReply is the JSON of the sign-in calls. Absent and null are the same.
type ssoReply struct {
	Ticket string `json:"serviceTicketId"`
	Status struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	} `json:"responseStatus"`
	MFA struct {
		Email         string `json:"email"`
		Phone         string `json:"phoneNumber"`
		LastMethod    string `json:"mfaLastMethodUsed"`
		DefaultMethod string `json:"defaultMfaMethod"`
	} `json:"customerMfaInfo"`
}

// parseSSO reads an answer of the sign-in service: the body first, its status after.
func (r *reply) parseSSO() (*ssoReply, *Error) {
	if e := r.refusal(); e != nil {
		return nil, e
	}
	var in ssoReply
	if json.Unmarshal(r.body, &in) != nil {
		return nil, r.unknown()
	}
	return &in, nil
}

// kind is what the reply means by its type or else its message; "" when neither is known.
func (s *ssoReply) kind() Kind {
	if k, ok := refusalTypes[s.Status.Type]; ok {
		return k
	}
	return refusalMessages[s.Status.Message]
}

// refused judges a reply that is neither a success nor a challenge. A type that is not known is never taken for a
// wrong password.
func (r *reply) refused(s *ssoReply) *Error {
	e := r.unknown()
	if k := s.kind(); k != "" {
		e = r.fail(k)
	}
	e.Type = cleanType(s.Status.Type)
	return e
}

// loginRefused judges a reply to a password, where words about codes make no sense.
func (r *reply) loginRefused(s *ssoReply) *Error {
	e := r.refused(s)
	if e.Kind == KindCode || e.Kind == KindChallengeGone {
		e.Kind = KindProtocol
	}
	return e
}

// codeRefused judges a reply to a code. How a wrong code is answered was never recorded: 401, or 200 with a type that
// means nothing else, is taken for one, and so is any refusal that speaks of a code.
func (r *reply) codeRefused(s *ssoReply) *Error {
	e := r.refused(s)
	judged := r.status == http.StatusUnauthorized || r.status == http.StatusOK && s.Status.Type != ""
	named := r.status < 500 && strings.Contains(s.Status.Type, "CODE")
	if e.Kind == KindCredentials || e.Kind == KindProtocol && (judged || named) {
		e.Kind, e.sent = KindCode, false
	}
	return e
}

// ticket takes the ticket out of a success.
func (r *reply) ticket(s *ssoReply, service string, region Region) (*Ticket, error) {
	if !ticketShape.MatchString(s.Ticket) {
		e := r.fail(KindProtocol)
		e.Type, e.sent = cleanType(s.Status.Type), true
		return nil, e
	}
	return &Ticket{Value: Secret(s.Ticket), ServiceURL: service, Region: region}, nil
}

// asNoResend turns every refusal of a new code that leaves the challenge alone into KindNoResend. The addresses of
// these calls are assumed, so a plain "no such thing" is an expected answer.
func (e *Error) asNoResend() *Error {
	switch e.Kind {
	case KindChallengeGone, KindLocked, KindRateLimited, KindClientLimited, KindBlocked, KindCaptcha:
		return e
	case KindUnavailable:
		if e.Status < 400 || e.Status >= 500 {
			return e
		}
	}
	e.Kind, e.sent = KindNoResend, false
	return e
}
