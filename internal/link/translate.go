package link

import (
	"errors"

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

// mayHaveWorked reports that Garmin may have acted on a request whose answer
// did not arrive.
func mayHaveWorked(err error) bool {
	e, ok := errors.AsType[*garmin.Error](err)
	return ok && e.Sent()
}
