package link

import (
	"errors"
	"time"

	"github.com/garminlink/garminlink/internal/garmin"
)

// kinds translates Garmin's refusals. Nothing unknown is a wrong password.
var kinds = map[garmin.Kind]Kind{
	garmin.KindCredentials:   WrongPassword,
	garmin.KindCode:          WrongCode,
	garmin.KindChallengeGone: ChallengeGone,
	garmin.KindLocked:        AccountLocked,
	garmin.KindChild:         ChildAccount,
	garmin.KindAttention:     NeedsAttention,
	garmin.KindCaptcha:       Captcha,
	garmin.KindBlocked:       Blocked,
	garmin.KindFlowRefused:   Blocked,
	garmin.KindRateLimited:   RateLimited,
	garmin.KindClientLimited: RateLimited,
	garmin.KindUnavailable:   Unavailable,
	garmin.KindProtocol:      UnknownAnswer,
	garmin.KindTokenRejected: TokenRefused,
	garmin.KindGrantDead:     ReauthNeeded,
	garmin.KindTicketRefused: TicketRefused,
	garmin.KindNoResend:      NoResend,
}

func translate(err error) *Error {
	k, ok := kinds[garmin.KindOf(err)]
	if !ok {
		k = UnknownAnswer
	}
	return &Error{Kind: k, Err: err}
}

// retryAfter is how long Garmin wants to be left alone.
func retryAfter(err error) time.Duration {
	if e, ok := errors.AsType[*garmin.Error](err); ok && e.RetryAfter > 0 {
		return e.RetryAfter
	}
	return defaultCoolDown
}
