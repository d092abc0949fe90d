package main

import (
	"context"
	"log"
)

// prompt asks the user, on whatever page he is, for what his link needs.
type prompt struct {
	Title, Text string
	Page        string // where he is: he comes back to it
}

// promptOf is nil for a link that needs nothing. One that was never made is no
// reason to interrupt anybody.
func promptOf(l linkStatus, page string) *prompt {
	switch {
	case l.State == "reauth_needed":
		return &prompt{"Sign in to Garmin again", "No new data come in until then. Nothing is lost.", page}
	case l.ReconnectBefore != nil:
		return &prompt{"Reconnect before " + l.ReconnectBefore.Format("2 January"), "Garmin’s access ends then.", page}
	default:
		return nil
	}
}

// promptFor is for pages that are about something else: they must not fail for
// its sake.
func (a *app) promptFor(ctx context.Context, s session, page string) *prompt {
	l, err := a.garminlink.link(ctx, "ext:"+s.user)
	if err != nil {
		log.Print(err)
		return nil
	}
	return promptOf(l, page)
}

// promptPart belongs into every page. Its button leads to garminlink and back
// here, in this tab: a browser's own "leave this page?" guards what is typed.
const promptPart = `{{define "prompt"}}{{with .}}
<aside id="prompt" aria-labelledby="prompt-title">
<p><strong id="prompt-title">{{.Title}}</strong> {{.Text}}</p>
<form method="post" action="/garmin"><input type="hidden" name="page" value="{{.Page}}"><button name="purpose" value="relink">Sign in again</button></form>
</aside>
{{end}}{{end}}`
