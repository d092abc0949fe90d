package link

import "time"

// move takes the record through Next and drops what the new state must not
// hold: an ended challenge, and everything that could still open the account
// once the session is gone.
func (r *Record) move(e Event) error {
	next, err := Next(r.State, e)
	if err != nil {
		return err
	}
	entry := Entry{Event: e, From: r.State, To: next}
	switch e {
	case Expired, AttemptsSpent, Failed, Rejected, Averted: // whoever's request found it
		entry.By = BySystem
	case Expiring:
		entry.EndsAt = r.EndsAt
	}
	if next.String() != r.State.String() {
		r.Since = r.Now
	}
	if !next.Challenge {
		r.Challenge = nil
	}
	if next.Session == Live {
		r.Reason = ""
	} else {
		r.dropSession()
		r.WarnedOf = time.Time{}
		entry.Reason = r.Reason
	}
	r.State = next
	r.Entries = append(r.Entries, entry)
	return nil
}

func (r *Record) dropSession() {
	r.Session, r.Previous = SealedSession{}, SealedSession{}
	r.ObtainedAt, r.EndsAt = time.Time{}, time.Time{}
	r.release()
	r.Intent, r.IntentAt = 0, time.Time{}
	r.GrantRefusedAt, r.NextCheck = time.Time{}, time.Time{}
	r.APIRefusedSince, r.APIRefusedAt = time.Time{}, time.Time{}
}

func (r *Record) release() {
	r.LeaseOwner, r.LeaseUntil = noID, time.Time{}
}

// settle ends what has run out of time. A claimed attempt holds off the expiry
// of its challenge until it is judged.
func (r *Record) settle() error {
	if r.candidateOver() {
		r.Candidate = nil
	}
	if r.challengeOver() {
		return r.move(Expired)
	}
	return nil
}

// due reports that settle has something to end.
func (r *Record) due() bool { return r.candidateOver() || r.challengeOver() }

func (r *Record) candidateOver() bool {
	return r.Candidate != nil && !r.Now.Before(r.Candidate.ExpiresAt)
}

func (r *Record) challengeOver() bool { return r.Challenge != nil && r.Challenge.expired(r.Now) }

// justConcluded reports that a login has only just led to something.
func (r *Record) justConcluded() bool {
	if r.Candidate != nil {
		return r.Now.Sub(r.Candidate.ProvedAt) < echoTime
	}
	return r.State.Session == Live && r.Now.Sub(r.LastValidated) < echoTime
}

// candidateOf is the candidate that an act may answer for: what waits for a
// connect session is out of reach for any other way.
func (r *Record) candidateOf(act Act) *SealedCandidate {
	if c := r.Candidate; c != nil && c.Connect == act.Connect {
		return c
	}
	return nil
}

// displace ends the connect session whose candidate is gone by another way's
// doing: its host holds a code that completes nothing any more.
func (r *Record) displace(former *SealedCandidate, act Act) {
	if former == nil || former.Connect == noID || former.Connect == act.Connect || !r.Now.Before(former.ExpiresAt) {
		return
	}
	if r.Candidate == nil || r.Candidate.Session.Generation != former.Session.Generation {
		r.Displaced = former.Connect
	}
}

// challengeOf is the challenge that an act may answer: a code that is typed
// elsewhere must not lead past the connect session under which it was asked for.
func (r *Record) challengeOf(act Act) *PendingChallenge {
	if c := r.Challenge; c != nil && c.Connect == act.Connect {
		return c
	}
	return nil
}

func (c *PendingChallenge) claimed(now time.Time) bool {
	return c.Claim != noID && now.Before(c.ClaimedUntil)
}

func (c *PendingChallenge) expired(now time.Time) bool {
	return !now.Before(c.ExpiresAt) && !c.claimed(now)
}

// other reports that a Garmin account is not the one that is linked.
func (r *Record) other(guid string) bool { return r.GarminGUID != "" && r.GarminGUID != guid }

// refusedSince is when Garmin began to refuse what it handed out; zero: it does
// not.
func (r *Record) refusedSince() time.Time {
	grant, api := r.GrantRefusedAt, r.APIRefusedSince
	if grant.IsZero() || !api.IsZero() && api.Before(grant) {
		return api
	}
	return grant
}

// view is what may be told of the record to the one who acts.
func (r *Record) view(act Act) Link {
	l := Link{
		State: r.State, Region: r.Region, GarminEmail: r.GarminEmail, GarminName: r.GarminName,
		Reason: r.Reason, CreatedAt: r.CreatedAt, Since: r.Since, LastValidated: r.LastValidated,
		RefreshedAt: r.RefreshedAt, ExpiresAt: r.Session.ExpiresAt, EndsAt: r.EndsAt, NextCheck: r.NextCheck,
		RefusedSince: r.refusedSince(), ReportedAt: r.ReportedAt, ReportedOutcome: r.ReportedOutcome, AsOf: r.Now,
	}
	if r.endsSoon() {
		l.ReconnectBefore = r.EndsAt
	}
	if p := r.Login; p != nil && r.Now.Sub(p.StartedAt) < lostTime {
		l.Asking = &Asking{Since: p.StartedAt, PausedUntil: p.PausedUntil}
	}
	l.HandoffFirst = r.LastLogin.shutOut() && r.Now.Sub(r.LastLogin.EndedAt) < day
	l.State.Challenge = false
	if c := r.challengeOf(act); c != nil {
		l.State.Challenge = true
		l.Challenge = &Challenge{
			ID: c.ID, Method: c.Method, SentTo: c.SentTo, AttemptsLeft: maxAttempts - c.Attempts,
			ExpiresAt: c.ExpiresAt, ResendAt: c.SentAt.Add(resendPause),
		}
	}
	if c := r.candidateOf(act); c != nil {
		l.Candidate = &Candidate{
			Generation: c.Session.Generation, GarminName: c.GarminName,
			GarminEmail: c.GarminEmail, Replaces: r.other(c.GarminGUID), ExpiresAt: c.ExpiresAt,
		}
	}
	return l
}
