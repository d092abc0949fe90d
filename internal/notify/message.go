package notify

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/garminlink/garminlink/internal/link"
)

// Event is an event as the world sees it, in webhooks and in the feed of the
// API. It never holds a token, an e-mail or a name at Garmin.
type Event struct {
	ID        string         `json:"id"`
	Type      link.EventType `json:"type"`
	CreatedAt time.Time      `json:"created_at"`
	Data      EventData      `json:"data"`
}

// EventData says whose link it is, and how it was then.
type EventData struct {
	User            uuid.UUID    `json:"user"`
	ExternalID      *string      `json:"external_id"`
	State           string       `json:"state"`
	Reason          *link.Reason `json:"reason"`
	ReconnectBefore *time.Time   `json:"reconnect_before"`
}

// EventOf is what the world sees of a happening.
func EventOf(h link.Happening) Event {
	return Event{
		ID: strconv.FormatInt(h.ID, 10), Type: h.Type, CreatedAt: h.At.UTC(),
		Data: EventData{
			User: h.User, ExternalID: null(h.ExternalID), State: h.State,
			Reason: null(h.Reason), ReconnectBefore: null(h.ReconnectBefore.UTC()),
		},
	}
}

// null turns a zero value into JSON's null.
func null[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// testType is no event: it goes to an endpoint that an operator tests, whatever
// events that has asked for.
const testType link.EventType = "test.ping"

// testBody is a message with an event's outer form.
func testBody(id uuid.UUID, at time.Time) ([]byte, error) {
	return json.Marshal(struct {
		ID        string         `json:"id"`
		Type      link.EventType `json:"type"`
		CreatedAt time.Time      `json:"created_at"`
		Data      struct{}       `json:"data"`
	}{ID: id.String(), Type: testType, CreatedAt: at.UTC()})
}
