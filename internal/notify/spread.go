package notify

import (
	"context"
	"encoding/json"

	"github.com/garminlink/garminlink/internal/link"
)

// spreadBatch is how many events are made deliveries of at once.
const spreadBatch = 500

// Spread makes deliveries of what has happened since it was called last. It may
// be called by several at once.
func (s *Service) Spread(ctx context.Context, feed Feed) error {
	return follow(ctx, feed, s.Store.Cursor, nil, func(from int64, happened []link.Happening) error {
		// Read after the events: an endpoint that is not here yet was added
		// after them.
		endpoints, err := s.Store.Endpoints(ctx)
		if err != nil {
			return err
		}
		deliveries, err := deliveriesOf(happened, endpoints)
		if err != nil {
			return err
		}
		return s.Store.Queue(ctx, from, happened[len(happened)-1].ID, deliveries)
	})
}

// follow has take called with what has happened since a cursor, a batch at a
// time. It is take that moves the cursor on from where it was.
func follow(ctx context.Context, feed Feed, cursor func(context.Context) (int64, error), types []link.EventType,
	take func(from int64, happened []link.Happening) error,
) error {
	for {
		from, err := cursor(ctx)
		if err != nil {
			return err
		}
		happened, err := feed.Happened(ctx, from, types, spreadBatch)
		if err != nil || len(happened) == 0 {
			return err
		}
		if err := take(from, happened); err != nil {
			return err
		}
		if len(happened) < spreadBatch {
			return nil
		}
	}
}

func deliveriesOf(happened []link.Happening, endpoints []Endpoint) (deliveries []Delivery, err error) {
	for _, h := range happened {
		body, err := json.Marshal(EventOf(h))
		if err != nil {
			return nil, err
		}
		for _, e := range endpoints {
			if e.wants(h.Type) {
				deliveries = append(deliveries, Delivery{
					ID: newID(), Endpoint: e.ID, Event: h.ID, User: h.User, Type: h.Type, Body: string(body), State: Waiting,
				})
			}
		}
	}
	return deliveries, nil
}
