package link

import (
	"context"
	"time"
)

// The mass brake: when so many of the sessions judged within BrakeTime came out
// dead, it is Garmin, and not so many users. Judging then stops for brakeHold,
// and for longer while as many links are still refused.
const (
	brakeLeast = 20
	brakeShare = 0.05
	BrakeTime  = 10 * time.Minute
	brakeHold  = time.Hour

	// brakeAgain is when a link whose verdict was held back is looked at again,
	// at least once in each brakeHold.
	brakeAgain = 20 * time.Minute
)

// brakes reports whether so many verdicts of death are too many.
func brakes(alive, dead int) bool {
	return dead >= brakeLeast && float64(dead) > brakeShare*float64(alive+dead)
}

// braked reports whether nobody is to be asked to sign in again for a session
// that was found dead. While judging is stopped, links count and not their
// refusals, which come again and again.
func (s *Service) braked(ctx context.Context) (bool, error) {
	left, err := s.limits.Cooling(ctx, JudgingCoolDown)
	if err != nil {
		return false, err
	}
	count, within := s.store.CountDead, BrakeTime
	if left > 0 {
		count, within = s.store.Refused, brakeHold
	}
	alive, dead, err := count(ctx, within)
	if err != nil || !brakes(alive, dead) {
		return left > 0, err
	}
	s.log.ErrorContext(ctx, "judging has stopped: Garmin refuses too many sessions at once to be believed",
		"dead", dead, "alive", alive, "within", within)
	return true, s.limits.Cool(ctx, JudgingCoolDown, brakeHold)
}
