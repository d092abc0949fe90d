package link

import "testing"

// What the world is told, for every event in every state in which it can
// happen; what is missing is not told.
var tellings = map[Event]map[State]EventType{
	LoginDone: {none: LinkActive, nonePending: LinkActive, live: LinkActive, livePending: LinkActive,
		dead: LinkRepaired, deadPending: LinkRepaired},
	CodeAccepted: {nonePending: LinkActive, livePending: LinkActive, deadPending: LinkRepaired},
	Imported: {none: LinkActive, nonePending: LinkActive, live: LinkActive, livePending: LinkActive,
		dead: LinkRepaired, deadPending: LinkRepaired},
	Expiring:         {live: LinkExpiring, livePending: LinkExpiring},
	Averted:          {live: LinkRepaired, livePending: LinkRepaired},
	Rejected:         {live: LinkReauthNeeded, livePending: LinkReauthNeeded},
	ClearedBySupport: {live: LinkReauthNeeded, livePending: LinkReauthNeeded},
	Unlinked:         {live: LinkRemoved, livePending: LinkRemoved, dead: LinkRemoved, deadPending: LinkRemoved},
}

func TestWhatTheWorldIsToldOfEveryTransition(t *testing.T) {
	t.Parallel()
	for e, of := range tellings {
		for s := range of {
			if _, err := Next(s, e); err != nil {
				t.Errorf("the table has %s in %s, which cannot happen", e, s)
			}
		}
	}
	for _, e := range Events {
		for _, s := range states {
			next, err := Next(s, e)
			if err != nil {
				continue
			}
			if got := (Entry{Event: e, From: s, To: next}).Type(); got != tellings[e][s] {
				t.Errorf("%s in %s is told as %q, want %q", e, s, got, tellings[e][s])
			}
		}
	}
}
