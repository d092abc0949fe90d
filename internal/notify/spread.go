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
	for {
		from, err := s.Store.Cursor(ctx)
		if err != nil {
			return err
		}
		happened, err := feed.Happened(ctx, from, nil, spreadBatch)
		if err != nil || len(happened) == 0 {
			return err
		}
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
		if err := s.Store.Queue(ctx, from, happened[len(happened)-1].ID, deliveries); err != nil {
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
