package link

import (
	"errors"
	"testing"
)

var (
	none, nonePending = State{}, State{Challenge: true}
	live, livePending = State{Session: Live}, State{Session: Live, Challenge: true}
	dead, deadPending = State{Session: Dead}, State{Session: Dead, Challenge: true}

	states = []State{none, nonePending, live, livePending, dead, deadPending}
)

// The whole diagram: for every event, where each state goes; a state that is
// missing refuses the event.
var transitions = map[Event]map[State]State{
	LoginDone: {none: live, nonePending: live, live: live, livePending: live, dead: live, deadPending: live},
	CodeAsked: {none: nonePending, nonePending: nonePending, live: livePending,
		livePending: livePending, dead: deadPending, deadPending: deadPending},
	CodeAccepted:     {nonePending: live, livePending: live, deadPending: live},
	SetAside:         {none: none, nonePending: none, live: live, livePending: live, dead: dead, deadPending: dead},
	Cancelled:        {nonePending: none, livePending: live, deadPending: dead},
	Expired:          {nonePending: none, livePending: live, deadPending: dead},
	Failed:           {nonePending: none, livePending: live, deadPending: dead},
	AttemptsSpent:    {nonePending: none, livePending: live, deadPending: dead},
	Imported:         {none: live, nonePending: live, live: live, livePending: live, dead: live, deadPending: live},
	Exported:         {live: live, livePending: livePending},
	WrittenBack:      {live: live, livePending: livePending},
	Expiring:         {live: live, livePending: livePending},
	Averted:          {live: live, livePending: livePending},
	Rejected:         {live: dead, livePending: deadPending},
	ClearedBySupport: {live: dead, livePending: deadPending},
	RelinkAsked:      {live: live, livePending: livePending, dead: dead, deadPending: deadPending},
	CheckAsked:       {live: live, livePending: livePending},
	Noted: {none: none, nonePending: nonePending, live: live, livePending: livePending,
		dead: dead, deadPending: deadPending},
	Unlinked: {nonePending: none, live: none, livePending: none, dead: none, deadPending: none},
}

func TestNextKnowsEveryPair(t *testing.T) {
	t.Parallel()
	if len(transitions) != len(Events) {
		t.Fatalf("%d events in the table, %d exist", len(transitions), len(Events))
	}
	for _, e := range Events {
		for _, s := range states {
			want, allowed := transitions[e][s]
			got, err := Next(s, e)
			switch {
			case allowed && (err != nil || got != want):
				t.Errorf("Next(%s, %s) = %s, %v; want %s", s, e, got, err, want)
			case !allowed && (!errors.Is(err, ErrTransition) || got != s):
				t.Errorf("Next(%s, %s) = %s, %v; want it refused", s, e, got, err)
			}
		}
	}
}

func TestNextRefusesUnknownEvents(t *testing.T) {
	t.Parallel()
	for _, s := range states {
		if got, err := Next(s, "no such event"); !errors.Is(err, ErrTransition) || got != s {
			t.Errorf("Next(%s, unknown) = %s, %v", s, got, err)
		}
	}
}
