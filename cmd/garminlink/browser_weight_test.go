package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/network"
)

// What a page may cost one who has never been here, with all that it asks for:
// bytes as they come over the wire, and requests.
const (
	heaviestPage = 40 << 10
	mostRequests = 8
)

// weight is what the page on show cost so far. What comes after it has loaded
// is not counted: htmx's parts, and the stream of changes.
type weight struct {
	asked    map[network.RequestID]string // type and address
	bytes    int
	requests []string
}

// weigh takes an event of the network.
func (b *tab) weigh(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.Type == network.ResourceTypeDocument {
			b.weight = weight{asked: map[network.RequestID]string{}}
		}
		later := e.Type == network.ResourceTypeFetch || e.Type == network.ResourceTypeEventSource
		if !later && b.weight.asked != nil && !strings.HasPrefix(e.Request.URL, "data:") {
			b.weight.asked[e.RequestID] = fmt.Sprintf("%s %s", e.Type, e.Request.URL)
		}
	case *network.EventLoadingFinished:
		// Chromium looks for the icon again whenever htmx changes the address.
		if what, counts := b.weight.asked[e.RequestID]; counts && !slices.Contains(b.weight.requests, what) {
			b.weight.bytes += int(e.EncodedDataLength)
			b.weight.requests = append(b.weight.requests, what)
		}
	}
}

// wantLight checks what the page on show cost.
func (b *tab) wantLight(state string) {
	b.t.Helper()
	evaluate[int](b, "0") // what happened before is heard before the answer
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.weight.bytes > heaviestPage || len(b.weight.requests) > mostRequests {
		b.t.Errorf("%s costs %d bytes, want %d at most, in %d requests, want %d at most:\n\t%s",
			state, b.weight.bytes, heaviestPage, len(b.weight.requests), mostRequests, strings.Join(b.weight.requests, "\n\t"))
	}
}

// forgetful makes each page come as to one who has never been here.
func (b *tab) forgetful() {
	b.t.Helper()
	ask(b, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
}
