package views_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"github.com/garminlink/garminlink/views"
)

func TestPartIsTheContentOfMain(t *testing.T) {
	t.Parallel()
	var part bytes.Buffer
	if err := views.Part(chrome, pages["active"]).Render(context.Background(), &part); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(part.String(), "<title>Your Garmin link · garminlink</title><h1") {
		t.Errorf("part begins with %.80q", part.String())
	}
	if strings.Contains(part.String(), "<main") || strings.Contains(part.String(), "<html") {
		t.Error("part brings a document along")
	}
}

func TestStatusPartKeepsPollingForThePageAroundIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		shown, state, poll string
		moved              bool
	}{
		{"", views.Active, "/link/status?shown=active", false},
		{views.Active, views.Active, "/link/status?shown=active", false},
		{views.MFAPending, views.Active, "/link/status?shown=mfa_pending", true},
	} {
		s := status(c.state)
		s.Shown = c.shown
		part := one(t, render(t, views.StatusPart(chrome, s)), with("id", "status"))
		if got := attr(part, "hx-get"); got != c.poll+"&as="+chrome.SignedInID {
			t.Errorf("polls %q, want %q for its own user", got, c.poll)
		}
		if got := len(all(part, class("moved"))) == 1; got != c.moved {
			t.Errorf("shown for %q, now %q: moved is %v", c.shown, c.state, got)
		}
		if n := len(all(part, tag("form", "input", "button"))); n != 0 {
			t.Errorf("status holds %d controls, which a poll would reset", n)
		}
	}
}

func TestStatusSaysWhereAndWhen(t *testing.T) {
	t.Parallel()
	part := render(t, views.StatusPart(chrome, status(views.Active)))
	says(t, part, "Active", "Mara Lindqvist", "a few seconds ago", "42 days ago", "Worldwide")
	one(t, part, tag("time"), with("datetime", "2026-03-01T11:59:56Z"))
	says(t, render(t, views.StatusPart(chrome, ended())), "Sign-in needed", "no longer accepts", "1 day ago")
}

func BenchmarkRenderLink(b *testing.B) {
	benchmark(b, views.Whole(chrome, pages["active"]))
}

func BenchmarkRenderStatus(b *testing.B) {
	benchmark(b, views.StatusPart(chrome, status(views.Active)))
}

func benchmark(b *testing.B, c templ.Component) {
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Render(context.Background(), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
