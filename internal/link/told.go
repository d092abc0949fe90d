package link

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// EventType is what the world is told of an event. Webhooks, the feed and
// NOTIFY name it: never rename one.
type EventType string

const (
	LinkActive       EventType = "link.active"        // a session was linked: a first one, or over a live one
	LinkRepaired     EventType = "link.repaired"      // linked again after ReauthNeeded, or an end that was told of was averted
	LinkReauthNeeded EventType = "link.reauth_needed" // the user must sign in to Garmin again
	LinkExpiring     EventType = "link.expiring"      // he must within a week
	LinkRemoved      EventType = "link.removed"       // unlinked
)

// EventTypes lists all of them.
var EventTypes = []EventType{LinkActive, LinkRepaired, LinkReauthNeeded, LinkExpiring, LinkRemoved}

// Type is what the world is told of the entry; "" for nothing.
func (e Entry) Type() EventType {
	before, after := e.From.Session, e.To.Session
	switch {
	case after == None && before != None:
		return LinkRemoved
	case after == Dead && before == Live:
		return LinkReauthNeeded
	case after == Live && before == Dead:
		return LinkRepaired
	case after == Live && before == None:
		return LinkActive
	case after != Live:
		return ""
	}
	switch e.Event { // which leaves a live session live
	case LoginDone, CodeAccepted, Imported:
		return LinkActive
	case Expiring:
		return LinkExpiring
	case Averted:
		return LinkRepaired
	default:
		return ""
	}
}

// Happening is an event that the world is told of. It holds no secret, e-mail
// or name at Garmin.
type Happening struct {
	ID              int64 // in the order of commits
	Type            EventType
	User            uuid.UUID
	ExternalID      string // "" of a user of ours
	State           string // that the link came into
	Reason          Reason
	ReconnectBefore time.Time // of LinkExpiring
	At              time.Time
}

// EventStore is the part of a Store that tells what happened.
type EventStore interface {
	// Happened lists what happened after an event, in order: at most so many,
	// of these types, or of all if none is named. Who reads on after the last
	// of them misses none.
	Happened(ctx context.Context, after int64, types []EventType, most int) ([]Happening, error)
}

// Happened lists what happened after an event, as EventStore does.
func (s *Service) Happened(ctx context.Context, after int64, types []EventType, most int) ([]Happening, error) {
	return s.store.Happened(ctx, after, types, most)
}
