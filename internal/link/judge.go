package link

import "context"

// mayJudge reports whether a refusal of the stored session is to be believed:
// at once if no other refresh may have succeeded unseen, else at the second
// refusal.
func (r *Record) mayJudge(claim RefreshClaim) bool {
	return !claim.Unfinished || !r.GrantRefusedAt.IsZero() && r.Now.Sub(r.GrantRefusedAt) >= doubtTime
}

// judge believes a refused grant only where no other refresh may have
// succeeded unseen; a first refusal in doubt is only noted. A session that
// moved on meanwhile is adopted instead.
func (s *Service) judge(ctx context.Context, act Act, seen Record, claim RefreshClaim, cause error) (refreshed, error) {
	var adopted refreshed
	var verdict error = &Error{Kind: ReauthNeeded, Err: cause}
	err := s.update(ctx, act, func(r *Record) error {
		if r.LeaseOwner != seen.LeaseOwner || r.Session.Generation != seen.Session.Generation {
			adopted, verdict = s.current(*r)
			return nil
		}
		if !seen.mayJudge(claim) {
			verdict = &Error{Kind: Unavailable, RetryAfter: doubtTime, Err: cause}
			r.release()
			if r.GrantRefusedAt.IsZero() {
				r.GrantRefusedAt = r.Now
			}
			return nil
		}
		r.Reason = GrantRefused
		return r.move(Rejected)
	})
	if err != nil {
		return refreshed{}, err
	}
	return adopted, verdict
}
