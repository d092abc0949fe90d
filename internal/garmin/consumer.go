package garmin

import (
	"context"
	"errors"
	"net/http"
)

// Consumer is the key and secret of Garmin's Android app, which sign OAuth1 requests. They are the same for everybody
// and change seldom: keep them.
type Consumer struct {
	Key    string
	Secret Secret
}

// FetchConsumer gets the consumer from the one address where it is published, which is not Garmin's: no cookie, token
// or other header of a user goes there, no redirect is followed, and no other client of this package reaches that host.
//
// Errors: KindUnavailable, KindBlocked, KindRateLimited, KindProtocol.
func (c *Client) FetchConsumer(ctx context.Context) (Consumer, error) {
	rep, err := c.do(ctx, call{
		op: opConsumer, method: http.MethodGet, url: consumerURL,
		header: map[string]string{"User-Agent": oauth1UserAgent, "Accept": "application/json"},
	})
	if err != nil {
		return Consumer{}, err
	}
	if e := rep.refusal(); e != nil {
		return Consumer{}, e
	}
	f, _ := parseFields(rep.body)
	consumer := Consumer{cleanID(f.text("consumer_key")), Secret(f.text("consumer_secret"))}
	if rep.status != http.StatusOK || consumer.Key == "" || consumer.Secret == "" {
		return Consumer{}, rep.unknown()
	}
	return consumer, nil
}

// consumerFor gets the consumer that an operation needs, before anything of it is sent.
func (c *Client) consumerFor(ctx context.Context, op string) (Consumer, error) {
	if c.consumer == nil {
		return Consumer{}, &Error{Kind: KindProtocol, Op: op, Err: errors.New("no OAuth1 consumer is configured")}
	}
	consumer, err := c.consumer(ctx)
	if err != nil {
		return Consumer{}, &Error{Kind: KindUnavailable, Op: op, Err: err}
	}
	if consumer.Key == "" || consumer.Secret == "" {
		return Consumer{}, &Error{Kind: KindProtocol, Op: op, Err: errors.New("the OAuth1 consumer is empty")}
	}
	return consumer, nil
}
