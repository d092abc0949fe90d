package garmin

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
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
	follow follow
	sign   func(*http.Request) // nil: no signature
}

// follow says which redirects a call goes along with.
type follow int

const (
	followNone  follow = iota
	followAll          // for requests that carry no secret
	followPages        // to a GET below Garmin's hosts, which leaves behind what was posted
)

// The operations, as an Error names them.
const (
	opPage         = "page"
	opLogin        = "login"
	opVerify       = "verify"
	opResend       = "resend"
	opExchange     = "exchange"
	opRefresh      = "refresh"
	opProfile      = "profile"
	opPreauthorize = "preauthorize"
	opOAuth1       = "oauth1"
	opConsumer     = "consumer"
)

// reply is a whole answer, whatever its status.
type reply struct {
	op         string
	host       string // its first label, such as sso
	status     int
	header     http.Header
	body       []byte
	retryAfter time.Duration
	followed   bool // it comes from a page that the answer to a POST led to
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
	if in.sign != nil {
		in.sign(req)
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
	host, _, _ := strings.Cut(resp.Request.URL.Hostname(), ".")
	return &reply{
		op:         in.op,
		host:       host,
		status:     resp.StatusCode,
		header:     resp.Header,
		body:       body,
		followed:   resp.Request.Method != in.method,
		retryAfter: parseRetryAfter(resp.Header.Get("Retry-After"), c.now()),
	}, nil
}

func (c *Client) httpClient(in call) *http.Client {
	g := guard{in.region, in.op == opConsumer, c.transport}
	hc := &http.Client{
		Transport: g,
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			page := req.Method == http.MethodGet && g.allows(req)
			if in.follow == followNone || in.follow == followPages && !page || len(via) > maxRedirects {
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
