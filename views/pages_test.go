package views_test

import (
	"time"

	"github.com/garminlink/garminlink/views"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func status(state string) views.Status {
	return views.Status{
		State: state, GarminName: "Mara Lindqvist", GarminEmail: "mara@example.com", Region: "garmin.com",
		LinkedSince:   views.At(now.AddDate(0, 0, -42), now),
		LastValidated: views.At(now.Add(-4*time.Second), now),
	}
}

func ended() views.Status {
	s := status(views.ReauthNeeded)
	s.Reason = "Garmin no longer accepts the session."
	s.Since = views.At(now.Add(-25*time.Hour), now)
	return s
}

func troubled(kind, report string) views.Status {
	s := status(views.Active)
	s.Trouble = &views.Trouble{Kind: kind, Since: views.At(now.Add(-time.Hour), now), Until: views.At(now.Add(time.Hour), now)}
	s.Report = &views.Report{Outcome: report, At: views.At(now.Add(-time.Hour), now)}
	s.Ends, s.NextCheck = views.At(now.Add(time.Hour), now), views.At(now.Add(-time.Minute), now)
	return s
}

func emailed() *views.Challenge {
	return &views.Challenge{
		ID: "0195-challenge", Method: "email", SentTo: "m***a@example.com",
		AttemptsLeft: 5, SecondsLeft: 600, ResendSeconds: 25,
	}
}

var limited = &views.Problem{
	Title: "Garmin asks us to wait", Text: "Nothing is wrong with your password.",
	Side: views.SideGarmin, RetrySeconds: 905, Reference: "0195-reference",
}

func handoff(region string) views.Handoff {
	return views.Handoff{
		FormID: "0195-form", Region: region, PageURL: "https://sso." + region + "/sso/signin?id=gauth-widget",
		FrameURL: "https://sso." + region + "/sso/signin?consumeServiceTicket=false", FrameOrigin: "https://sso." + region,
	}
}

func handoffAgain(ticketError string, p *views.Problem) views.Handoff {
	h := handoff("garmin.com")
	h.TicketError, h.Problem = ticketError, p
	return h
}

func asking(pause int) views.Status {
	s := views.Status{State: views.NotLinked}
	s.Asking = &views.Asking{Seconds: 8, PauseSeconds: pause}
	return s
}

func serviceTokens() []views.Token {
	return []views.Token{
		{
			ID: "0195-live", Name: "nightly sync", Prefix: "glt_abcdefgh", Scopes: []string{"links:read", "sessions:checkout"},
			CreatedBy: "mara@example.com", Created: views.At(now.Add(-time.Hour), now), Expires: views.At(now.AddDate(0, 0, 90), now),
		},
		{
			ID: "0195-over", Name: "Löufer <b>", Prefix: "glt_ijklmnop", Over: "revoked", Scopes: []string{"links:write"},
			Created: views.At(now.AddDate(0, -1, 0), now), LastUsed: views.At(now.Add(-2*time.Hour), now), Revoked: views.At(now.Add(-time.Hour), now),
		},
	}
}

var scopeChoices = []views.Choice{{Value: "links:read", Text: "See links and events.", Chosen: true}, {Value: "links:write", Text: "Delete links."}}

func settings(change func(*views.Settings)) views.Settings {
	s := views.Settings{
		Notice: "Saved.", Linked: true, Live: true, SendsMails: true, Mails: true,
		Languages: []views.Choice{{Chosen: true}, {Value: "en", Text: "English"}},
		SignIns: []views.SignedIn{
			{Here: true, Began: views.At(now.Add(-time.Hour), now), Seen: views.At(now, now)},
			{Began: views.At(now.Add(-48*time.Hour), now), Seen: views.At(now.Add(-time.Hour), now)},
		},
		PasswordRule: "10 to 128 characters.",
	}
	if change != nil {
		change(&s)
	}
	return s
}

var lines = []views.HistoryLine{
	{Text: "You linked.", At: views.At(now.Add(-time.Hour), now)},
	{Text: "It ended.", Why: "Garmin said so.", Note: "A <note>\nof two lines", At: views.At(now.Add(-time.Hour), now), Ends: views.At(now.Add(time.Hour), now)},
}

// pages is every page in every state.
var pages = map[string]views.View{
	"landing":          views.Landing{SignupOpen: true},
	"landing closed":   views.Landing{},
	"sign in":          views.SignIn{SignupOpen: true, Notice: "You are signed out.", Next: "/link"},
	"sign in faulty":   views.SignIn{Email: "mara@", EmailError: "Not an e-mail.", PasswordError: "Enter it."},
	"sign in wrong":    views.SignIn{Email: "mara@example.com", Problem: &views.Problem{Title: "E-mail or password is wrong", Side: views.SideYou}},
	"sign up":          views.SignUp{PasswordRule: "10 to 128 characters."},
	"sign up faulty":   views.SignUp{PasswordRule: "10 to 128 characters.", PasswordError: "Too short."},
	"set-up":           views.SetUp{PasswordRule: "10 to 128 characters."},
	"set-up faulty":    views.SetUp{TokenError: "Not that.", EmailError: "Not an e-mail.", PasswordError: "Too short."},
	"set-up limited":   views.SetUp{Problem: limited},
	"settings":         settings(nil),
	"settings limited": settings(func(s *views.Settings) { s.Problem = limited }),
	"settings alone": settings(func(s *views.Settings) {
		s.Linked, s.Live, s.SendsMails, s.SignIns, s.LanguageError = false, false, false, s.SignIns[:1], "Choose one."
	}),
	"settings faulty":   settings(func(s *views.Settings) { s.OldError, s.PasswordError = "Not yours.", "Too short." }),
	"settings too weak": settings(func(s *views.Settings) { s.PasswordError = "Too short." }),
	"history": views.History{First: true, Earlier: "17", Lines: lines, Uses: []views.Use{
		{Program: "nightly <sync>", Days: []views.UseDay{{Times: 48}}, Last: views.At(now.Add(-time.Hour), now)},
		{Program: "A program", Days: []views.UseDay{{Times: 1}}, Last: views.At(now.Add(-time.Hour), now), Renewal: true},
	}},
	"history none":    views.History{First: true},
	"history earlier": views.History{Lines: lines},
	"mail":            views.Mail{Token: "t0ken"},
	"mail off":        views.Mail{Token: "t0ken", Off: true, Notice: "No more."},
	"mail limited":    views.Mail{Token: "t0ken", Problem: limited},
	"not linked":      views.Link{Status: views.Status{State: views.NotLinked}, Notice: "Your link was removed."},
	"link faulty": views.Link{Status: views.Status{State: views.NotLinked}, Form: views.GarminForm{
		Email: "mara", Region: "garmin.cn", EmailError: "Not an e-mail.", PasswordError: "Enter it.", RegionError: "Choose one.",
	}},
	"link limited":   views.Link{Status: views.Status{State: views.NotLinked}, Problem: limited, Form: views.GarminForm{Email: "mara@example.com"}},
	"code by e-mail": views.Link{Status: status(views.MFAPending), Challenge: emailed()},
	"code from app": views.Link{Status: status(views.MFAPending), Challenge: &views.Challenge{
		ID: "0195", Method: "app", AttemptsLeft: 1, SecondsLeft: 9, Relink: true,
	}},
	"code wrong": views.Link{Status: status(views.MFAPending), Challenge: &views.Challenge{
		ID: "0195", Method: "sms", AttemptsLeft: 2, SecondsLeft: 300, CodeError: "Wrong.",
	}},
	"code unavailable": views.Link{Status: status(views.MFAPending), Challenge: emailed(), Problem: limited},
	"candidate": views.Link{Status: status(views.Active), Candidate: &views.Candidate{
		ID: "12", Name: "Jonas", Email: "jonas@example.com", FormerName: "Mara", SecondsLeft: 600,
	}},
	"active":   views.Link{Status: status(views.Active)},
	"linked":   views.Link{Status: status(views.Active), New: true, Notice: "It is linked."},
	"checked":  views.Link{Status: status(views.Active), Checked: "It works."},
	"refused":  views.Link{Status: troubled(views.TroubleRefused, views.ReportUnauthorized)},
	"reported": views.Link{Status: troubled(views.TroubleReported, views.ReportUnauthorized)},
	"limited":  views.Link{Status: troubled(views.TroubleLimited, views.ReportRateLimited)},
	"down":     views.Link{Status: troubled(views.TroubleDown, views.ReportOK)},
	"late":     views.Link{Status: troubled(views.TroubleLate, views.ReportOK)},
	"paused":   views.Link{Status: views.Status{State: views.NotLinked}, Pause: &views.Pause{Until: views.At(now.Add(time.Hour), now)}},
	"paused for passwords": views.Link{Status: views.Status{State: views.NotLinked}, HandoffFirst: true, Pause: &views.Pause{
		Until: views.At(now.Add(time.Hour), now), PasswordsAlone: true,
	}},
	"relink faulty": views.Link{Status: status(views.Active), Form: views.GarminForm{Email: "mara@example.com", PasswordError: "Garmin refused it."}},
	"reauth needed": views.Link{Status: ended(), Form: views.GarminForm{Email: "mara@example.com", Region: "garmin.com"}},
	"asking":        views.Link{Status: asking(12)},
	"turned away":   views.Link{Status: views.Status{State: views.NotLinked}, HandoffFirst: true, Problem: limited, Form: views.GarminForm{Region: "garmin.cn", Open: true}},
	"turned away, then faulty": views.Link{
		Status: views.Status{State: views.NotLinked}, HandoffFirst: true, Form: views.GarminForm{Open: true, EmailError: "Not an e-mail."},
	},
	"relink turned away": views.Link{Status: status(views.Active), HandoffFirst: true, Problem: limited, Form: views.GarminForm{Open: true}},
	"reauth turned away": views.Link{Status: ended(), HandoffFirst: true},
	"brought":            views.Link{Status: status(views.Active), Notice: "The account is linked.", NotYou: true},
	"hand-off":           handoff("garmin.com"),
	"hand-off in China":  handoff("garmin.cn"),
	"hand-off faulty":    handoffAgain("No ticket.", nil),
	"hand-off limited":   handoffAgain("", limited),
	"door":               views.Door{Visit: sent, Address: "/connect/its-secret", Browser: "0195-browser"},
	"door of support":    views.Door{Visit: views.Visit{Whom: "mara@example.com", Account: "Mara"}, Address: "/connect/its-secret"},
	"door used":          views.Door{Visit: sent, Address: "/connect/its-secret", Problem: limited},
	"door over":          views.Door{Visit: sent, Address: "/connect/its-secret", Over: "It was good for half an hour."},
	"repair a link":      views.Relink{FormID: "0195-form"},
	"repair nobody's":    views.Relink{User: "nobody", UserError: "There is no such user."},
	"address for a user": views.RelinkMade{Whom: "mara@example.com", Address: "https://link.example/connect/its-secret", Mail: "mailto:mara@example.com?body=Sign%20in", Seconds: 1800},
	"import":             views.Import{FormID: "0195-form"},
	"import faulty":      views.Import{SessionError: "Half of a session."},
	"import limited":     views.Import{Problem: limited},
	"export":             views.Export{Format: "garth"},
	"export faulty":      views.Export{Format: "garminconnect", Renewal: true, PasswordError: "Not yours."},
	"export formless":    views.Export{FormatError: "Choose one."},
	"export limited":     views.Export{Format: "garth", Problem: limited},
	"tokens":             views.Tokens{Notice: "Revoked.", List: serviceTokens(), Form: views.TokenForm{Scopes: scopeChoices}},
	"tokens none":        views.Tokens{Form: views.TokenForm{Scopes: scopeChoices}},
	"tokens limited":     views.Tokens{Problem: limited, List: serviceTokens()},
	"tokens faulty": views.Tokens{List: serviceTokens(), Form: views.TokenForm{
		Name: "sync", Expires: "2020-01-01", Scopes: scopeChoices,
		ScopesError: "Choose one.", ExpiresError: "Choose a day to come.", PasswordError: "Not yours.",
	}},
	"token made": views.TokenMade{Token: serviceTokens()[0], Secret: "glt_abcdefghijklmnop"},
	"problem":    views.ProblemPage{Problem: *limited},
}

var chrome = views.Chrome{SignedInEmail: "mara@example.com", Role: "support", SimulatedGarmin: true, Nonce: "n0nce"}

var sent = views.Visit{Whom: "runner-42", Application: "Pace", Host: "app.example.com"}

// guestPages are those whose forms lead below another base.
var guestPages = map[string]views.View{
	"to link": views.Connect{Link: views.Link{Status: brief(views.NotLinked), Form: views.GarminForm{NoImport: true}}, Visit: sent},
	"to relink": views.Connect{
		Link: views.Link{Status: brief(views.ReauthNeeded), HandoffFirst: true, Form: views.GarminForm{NoImport: true}, Problem: limited}, Visit: views.Visit{Whom: "mara@example.com", Account: "Mara"},
	},
	"code":      views.Connect{Link: views.Link{Status: brief(views.MFAPending), Challenge: emailed()}, Visit: sent},
	"candidate": views.Connect{Link: views.Link{Status: brief(views.Arrived), Candidate: &views.Candidate{ID: "12", Name: "Jonas", Host: "Pace", SecondsLeft: 600}}, Visit: sent},
	"another": views.Connect{
		Link: views.Link{Status: brief(views.Arrived), Candidate: &views.Candidate{ID: "12", Name: "Jonas", FormerName: "Mara", Host: "Pace", SecondsLeft: 600}}, Visit: sent,
	},
	"relinked": views.Connect{Link: views.Link{Status: brief(views.Active)}, Visit: sent, Linked: "Mara"},
	"over":     views.Connect{Link: views.Link{Status: brief(views.NotLinked)}, Visit: sent, Over: "It was good for half an hour."},
	"hand-off": handoff("garmin.com"),
}

func brief(state string) views.Status { return views.Status{State: state, Brief: true} }
