package garmin

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

const (
	callTimeout  = 20 * time.Second // one request and its whole answer
	maxBody      = 1 << 20          // bytes, unpacked
	maxRedirects = 3
)

// call is one request to Garmin.
type call struct {
	op     string
	region Region
	method string
	url    string
	header map[string]string
	body   []byte
	jar    *jar // nil: no cookies are sent or kept
	follow bool // only for requests that carry no secret
}

// reply is a whole answer, whatever its status.
type reply struct {
	op         string
	status     int
	header     http.Header
	body       []byte
	retryAfter time.Duration
}

// do sends a call and reads its whole answer. It fails with KindUnavailable when there is none.
func (c *Client) do(ctx context.Context, in call) (*reply, error) {
	if err := ctx.Err(); err != nil {
		return nil, unanswered(ctx, in.op, err, false)
	}
	var w wire
	callCtx, cancel := context.WithTimeout(httptrace.WithClientTrace(ctx, w.trace()), c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(callCtx, in.method, in.url, bytes.NewReader(in.body))
	if err != nil {
		return nil, unanswered(ctx, in.op, err, false)
	}
	for k, v := range in.header {
		req.Header.Set(k, v)
	}
	resp, err := c.httpClient(in).Do(req)
	if err != nil {
		return nil, unanswered(ctx, in.op, err, w.sent())
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := readBody(resp.Body)
	if err != nil {
		e := unanswered(ctx, in.op, err, true)
		e.Status = resp.StatusCode
		return nil, e
	}
	return &reply{
		op:         in.op,
		status:     resp.StatusCode,
		header:     resp.Header,
		body:       body,
		retryAfter: parseRetryAfter(resp.Header.Get("Retry-After"), c.now()),
	}, nil
}

func (c *Client) httpClient(in call) *http.Client {
	hc := &http.Client{
		Transport: guard{in.region, c.transport},
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if !in.follow || len(via) > maxRedirects {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
	if in.jar != nil {
		hc.Jar = in.jar
	}
	return hc
}

func readBody(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = errTooLong
	}
	return body, err
}

// wire watches whether a request reached a connection. net/http repeats a POST by itself only when none of it was
// written, so a request without a connection surely took no effect.
type wire struct{ asked, got atomic.Bool }

func (w *wire) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { w.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { w.got.Store(true) },
	}
}

// sent is true also for a transport that does not report its connections.
func (w *wire) sent() bool { return w.got.Load() || !w.asked.Load() }
