package link

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what went wrong in a way that a user can be told. Messages are
// keyed by it.
type Kind string

const (
	// Of the request itself.
	InvalidEmail      Kind = "invalid_email"
	InvalidPassword   Kind = "invalid_password" // empty or absurdly long
	InvalidRegion     Kind = "invalid_region"
	InvalidCode       Kind = "invalid_code" // not 4 to 10 digits: never sent to Garmin
	NotLinked         Kind = "not_linked"
	NoChallenge       Kind = "no_challenge" // none pending, or another one than the form's
	NoCandidate       Kind = "no_candidate"
	InProgress        Kind = "in_progress" // another request is doing this right now
	ResendTooSoon     Kind = "resend_too_soon"
	InvalidFormat     Kind = "invalid_format"       // of an export
	NoRenewalInFormat Kind = "no_renewal_in_format" // what renews this session has no place in it
	Superseded        Kind = "superseded"           // the user cancelled, unlinked or began anew meanwhile, or it took too long; the result was thrown away
	OtherAccount      Kind = "other_account"        // the session is of another Garmin account than the link

	// Of a program's request.
	LifeTooLong       Kind = "min_ttl_too_long"   // see Error.Longest
	GenerationMoved   Kind = "generation_moved"   // the link has another session by now
	GenerationUnknown Kind = "generation_unknown" // the link never had a session of this generation
	AlreadyLinked     Kind = "already_linked"     // a program's import takes the place of no live session

	// Of a text that was pasted in place of a sign-in at Garmin's own page.
	TicketMissing   Kind = "ticket_missing"
	TicketAmbiguous Kind = "ticket_ambiguous" // more than one stands in it
	TicketForeign   Kind = "ticket_foreign"   // it stands in an address that is not the sign-in's
	TicketRegion    Kind = "ticket_region"    // it is of the other region
	TicketSpent     Kind = "ticket_spent"     // used already, or too old

	// Of a session that was brought along.
	SessionMissing  Kind = "session_missing"
	SessionLong     Kind = "session_long"
	SessionGarbled  Kind = "session_not_base64" // neither JSON nor base64, or cut off
	SessionUnknown  Kind = "session_unknown"    // readable, but no session
	SessionHalf     Kind = "session_half"       // one of garth's two files
	SessionEmpty    Kind = "session_no_token"
	SessionRegion   Kind = "session_region"        // of none of Garmin's, or of another than its token
	SessionOver     Kind = "session_expired"       // ended, and so has what would renew it
	SessionRefused  Kind = "session_refused"       // Garmin takes neither its token nor what would renew it
	SessionStripped Kind = "session_not_renewable" // it would end within a day and take the place of one that goes on

	// Ours: limits that protect Garmin accounts from being tried through us.
	TooManyFailures Kind = "too_many_failures"
	TooManyAccounts Kind = "too_many_accounts"
	AccountTaken    Kind = "account_taken" // another user here has linked this Garmin account

	// Of acts of staff.
	InvalidNote Kind = "invalid_note" // empty or too long

	// Of connect sessions.
	InvalidReturnURL Kind = "return_url_not_allowed"
	KeyReused        Kind = "idempotency_key_reused" // with another request
	ConnectOver      Kind = "connect_session_over"
	ConnectElsewhere Kind = "connect_session_elsewhere" // bound to another browser
	CompletionWrong  Kind = "completion_code_wrong"

	// What Garmin said.
	WrongPassword  Kind = "wrong_password"
	WrongCode      Kind = "wrong_code"
	AttemptsGone   Kind = "attempts_spent"
	ChallengeGone  Kind = "challenge_expired"
	AccountLocked  Kind = "account_locked"
	ChildAccount   Kind = "child_account"
	NeedsAttention Kind = "needs_attention"
	Captcha        Kind = "captcha"
	Blocked        Kind = "blocked"
	RateLimited    Kind = "rate_limited"
	TokensLimited  Kind = "tokens_limited" // not the sign-in, but what comes after it, by whatever way
	Unavailable    Kind = "unavailable"
	UnknownAnswer  Kind = "unknown_answer"
	TokenRefused   Kind = "token_refused"  // Garmin signed the user in, but its API refuses the new session
	TicketRefused  Kind = "ticket_refused" // Garmin signed the user in, but would not hand out a session
	NoResend       Kind = "no_resend"
	ReauthNeeded   Kind = "reauth_needed"
)

// Error is the only error that this package returns for what a user may meet.
// Any other error is a fault of ours.
type Error struct {
	Kind         Kind
	RetryAfter   time.Duration // until trying again makes sense; zero: unknown or at once
	AttemptsLeft int           // of WrongCode
	Longest      time.Duration // of LifeTooLong: what can be had
	Err          error         // for the log; nil or free of secrets
}

func (e *Error) Error() string {
	if e.Err == nil {
		return "link: " + string(e.Kind)
	}
	return fmt.Sprintf("link: %s: %v", e.Kind, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Is matches any Error of the same kind.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Kind == e.Kind
}

func fail(k Kind) *Error { return &Error{Kind: k} }

// KindOf returns the kind of err, or "" for a fault of ours.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}
