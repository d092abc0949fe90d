package main

import (
	"compress/gzip"
	"context"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/garminlink/garminlink/static"
	"github.com/garminlink/garminlink/views"
)

// show serves a page that is none of a replica's, and studies it.
func (b *tab) show(state string, render func(context.Context, io.Writer) error) {
	b.t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Encoding", "gzip")
		zipped := gzip.NewWriter(w)
		defer zipped.Close()
		if err := render(r.Context(), zipped); err != nil {
			b.t.Error(err)
		}
	})
	mux.Handle(static.Prefix, static.Handler())
	server := httptest.NewTLSServer(mux)
	b.t.Cleanup(server.Close)
	b.host = server.URL
	b.do("open "+state, chromedp.Navigate(server.URL+views.PartsPath))
	b.study(state, inAll(allLooks[:2]))
}

// The page of all parts has no session, and needs no installation.
func TestPartsInABrowser(t *testing.T) {
	t.Parallel()
	b := openTab(t, chromium(t), desktopLight)
	b.show("parts", views.Whole(views.Chrome{Here: views.PartsPath, Nonce: "parts"}, views.Parts{}).Render)
}

// A mail program is a browser, too.
func TestMailInABrowser(t *testing.T) {
	t.Parallel()
	in, server := newInbox(t)
	b := openTab(t, chromium(t), phoneLight, server, "MAIL_FROM=Garmin link <link@example.org>")
	b.s.launch([]string{"worker"}).await(t, "keeping links alive")
	v := b.elsewhere()
	v.link("plain").wantRedirect("/link")
	b.s.garmin.RevokeAccount("plain@garmin.example")
	b.s.garmin.ExpireAccessTokens()
	v.post("/link/validate").want(http.StatusUnprocessableEntity)
	page := htmlOf(t, in.next(t))
	b.show("mail", func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, page)
		return err
	})
}

// htmlOf is the form of a mail that has links to press.
func htmlOf(t *testing.T, m *mail.Message) string {
	t.Helper()
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatalf("the mail has no HTML: %v", err)
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			text, err := io.ReadAll(quotedprintable.NewReader(part))
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
	}
}
