package garmintest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault answers in Garmin's place. answer is what Garmin would have done, for faults that let it take effect.
type Fault func(w http.ResponseWriter, r *http.Request, answer http.Handler)

type plannedFault struct {
	fault Fault
	left  int // negative: until cleared
}

// Fail puts a fault on the next n calls of op, or on all until Clear if n is not positive. Faults of one operation
// come in the order in which they were planned.
func (s *Server) Fail(op Op, f Fault, n int) {
	if n <= 0 {
		n = -1
	}
	s.lock()
	defer s.mu.Unlock()
	s.faults[op] = append(s.faults[op], &plannedFault{f, n})
}

// Clear ends all faults.
func (s *Server) Clear() {
	s.lock()
	defer s.mu.Unlock()
	clear(s.faults)
}

// Hold keeps calls of op waiting, before they are answered, until release is called or their client gives up.
func (s *Server) Hold(op Op) (release func()) {
	gate := make(chan struct{})
	s.lock()
	defer s.mu.Unlock()
	s.holds[op] = gate
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.holds[op] == gate {
			delete(s.holds, op)
		}
		close(gate)
	})
}

// admit counts a call, keeps it while it is held, and lets the next fault or Garmin answer.
func (s *Server) admit(op Op, w http.ResponseWriter, r *http.Request, answer http.Handler) {
	s.mu.Lock()
	s.count(op)
	gate, fault := s.holds[op], s.nextFault(op)
	s.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-r.Context().Done():
			return
		}
	}
	if fault != nil {
		fault(w, r, answer)
		return
	}
	answer.ServeHTTP(w, r)
}

func (s *Server) nextFault(op Op) Fault {
	planned := s.faults[op]
	if len(planned) == 0 {
		return nil
	}
	f := planned[0].fault
	if planned[0].left--; planned[0].left == 0 {
		s.faults[op] = slices.Delete(planned, 0, 1)
	}
	return f
}

// Respond answers with exactly this.
func Respond(status int, contentType, body string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// RespondType answers a sign-in call with a responseStatus of this type.
func RespondType(status int, typ, message string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		writeJSON(w, status, refusedLogin(status, typ, message))
	}
}

// AddressLimited is the edge's 429 for an address, in HTML; retryAfter 0 leaves the header out.
func AddressLimited(retryAfter time.Duration) Fault {
	return withRetryAfter(retryAfter, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		writePage(w, http.StatusTooManyRequests, "Access denied | sso.garmin.com used Cloudflare to restrict access (error code: 1015)")
	})
}

// ClientLimited is the sign-in service's 429 for a client id, in JSON, under status 429 or 200.
func ClientLimited(status int, retryAfter time.Duration) Fault {
	return withRetryAfter(retryAfter, Respond(status, "application/json",
		`{"error":{"status-code":"429","request-id":"9de1e2807c7acbab"}}`))
}

// writeGatewayError is what the gateway before the sign-in service answers; its code is a string.
func writeGatewayError(w http.ResponseWriter, status int, code string) {
	writeJSON(w, status, map[string]any{"error": map[string]string{"status-code": code, "request-id": "9de1e2807c7acbab"}})
}

func withRetryAfter(d time.Duration, f Fault) Fault {
	return func(w http.ResponseWriter, r *http.Request, answer http.Handler) {
		if d > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(d.Seconds())))
		}
		f(w, r, answer)
	}
}

// The faults without parameters.
var (
	// FlowRefused is the sign-in service's 427.
	FlowRefused = Respond(http.StatusOK, "application/json", `{"error":{"status-code":"427","request-id":"9de1e2807c7acbab"}}`)
	// EdgeBlocked is the edge's challenge page.
	EdgeBlocked Fault = func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Cf-Mitigated", "challenge")
		writePage(w, http.StatusForbidden, "Just a moment...")
	}
	// ServerError is a gateway's 502.
	ServerError Fault = func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		writePage(w, http.StatusBadGateway, "502 Bad Gateway")
	}
	// UnknownType is an answer with a responseStatus that nobody knows.
	UnknownType = RespondType(http.StatusOK, "SOMETHING_NEW", "generalSomethingNew")
	// NonJSON is a page where JSON should be, under 200.
	NonJSON Fault = func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		writePage(w, http.StatusOK, "Garmin SSO Portal")
	}
	// Unauthorized is the API's 401 for a token that is not active; fresh ones get it, too.
	Unauthorized Fault = func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { writeUnauthorized(w) }
	// Slow never answers; it ends when the client gives up or the server closes.
	Slow Fault = func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() }
	// Reset breaks the connection instead of answering. Nothing took effect.
	Reset Fault = func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }
	// AnswerLost breaks the connection after the call took effect.
	AnswerLost Fault = func(_ http.ResponseWriter, r *http.Request, answer http.Handler) {
		answer.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
	// Truncated cuts the answer in the middle after the call took effect.
	Truncated Fault = func(w http.ResponseWriter, r *http.Request, answer http.Handler) {
		rec := httptest.NewRecorder()
		answer.ServeHTTP(rec, r)
		w.Header().Set("Content-Type", rec.Header().Get("Content-Type"))
		w.Header().Set("Content-Length", strconv.Itoa(rec.Body.Len()))
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	// Endless never ends its answer, and sends it as fast as it is read.
	Endless Fault = func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		for chunk := []byte(strings.Repeat(" ", 32<<10)); r.Context().Err() == nil; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	// Stalled sends the beginning of an answer and then nothing more.
	Stalled Fault = func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"responseStatus":`)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	// Huge answers two megabytes of JSON.
	Huge Fault = func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"padding":"`+strings.Repeat("x", 2<<20)+`"}`)
	}
)
