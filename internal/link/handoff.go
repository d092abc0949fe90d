package link

import (
	"context"
	"errors"

	"github.com/garminlink/garminlink/internal/garmin"
	"github.com/google/uuid"
)

// SignInPage is Garmin's own page for signing in, where neither password nor
// code passes through here. It ends with a ticket for Redeem.
type SignInPage struct {
	URL      string // for a tab of its own; the user brings back the address at which it ends
	FrameURL string // for a frame on a page of ours, to which it posts {serviceUrl, serviceTicket}
	Origin   string // of the frame: what may be shown, and whom messages must come from
}

// SignInPageOf returns the page of a region, for a page of ours at an origin.
// It fails with InvalidRegion.
func SignInPageOf(region, ourOrigin string) (SignInPage, error) {
	r, err := garmin.ParseRegion(region)
	if err != nil {
		return SignInPage{}, fail(InvalidRegion)
	}
	frame, err := garmin.HandoffFrameURL(r, ourOrigin)
	if err != nil {
		return SignInPage{}, err
	}
	return SignInPage{URL: garmin.HandoffURL(r), FrameURL: frame, Origin: garmin.SSOOrigin(r)}, nil
}

// Handoff is what a user brings back from Garmin's own page.
type Handoff struct {
	Text   Secret // an address, a page or the bare ticket
	Region string
	Form   uuid.UUID // see Credentials
}

var ticketFaults = map[garmin.Fault]Kind{
	garmin.FaultEmpty:    TicketMissing,
	garmin.FaultTooLong:  TicketMissing,
	garmin.FaultNoTicket: TicketMissing,
	garmin.FaultTickets:  TicketAmbiguous,
	garmin.FaultService:  TicketForeign,
	garmin.FaultRegion:   TicketRegion,
}

// Redeem links with the ticket of a sign-in on Garmin's own page. The link that
// comes back is Active or has a candidate. Whose account it is, only Garmin
// tells: show it to the user.
//
// It fails with InvalidRegion, the Ticket kinds, InProgress, AccountTaken and
// what Garmin may refuse; the link is then as it was.
func (s *Service) Redeem(ctx context.Context, act Act, h Handoff) (Link, error) {
	region, err := garmin.ParseRegion(h.Region)
	if err != nil {
		return Link{}, fail(InvalidRegion)
	}
	ticket, err := garmin.ParseTicket(region, h.Text.Reveal())
	if err != nil {
		return Link{}, faulty(ticketFaults, err)
	}
	if err := s.coolingDown(ctx, region, ""); err != nil {
		return Link{}, err
	}
	login := Login{ID: newID(), Way: ByHandoff, Form: h.Form, Subject: s.vault.macOf(string(ByHandoff), ticket.Value.Reveal())}
	admit := func(r *Record, recent []Login) error { return allow(recent, r.Now) }
	return s.attempt(ctx, act, login, admit, func(ctx context.Context, login Login) error {
		return s.noted(ctx, act, string(login.Way), region, s.redeemTicket(ctx, act, login, ticket))
	})
}

func (s *Service) redeemTicket(ctx context.Context, act Act, login Login, ticket *garmin.Ticket) error {
	f := fence{login: login.ID, event: LoginDone}
	a, err := s.arrive(ctx, ticket, "")
	if err != nil {
		e := s.refused(ctx, ticket.Region, "", err)
		if said, ok := errors.AsType[*garmin.Error](err); ok && said.Judged() {
			e.Kind = TicketSpent
		}
		return s.abandon(ctx, act, f, e)
	}
	return s.welcome(ctx, act, f, a)
}

// faulty names what is wrong with a text that was pasted.
func faulty(kinds map[garmin.Fault]Kind, err error) error {
	if e, ok := errors.AsType[*garmin.InputError](err); ok {
		if k, known := kinds[e.Fault]; known {
			return &Error{Kind: k, Err: err}
		}
	}
	return err
}
