package web

import (
	"context"
	"strconv"
	"time"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

// occurrenceView puts a line of the timeline into words. Details are as they
// were recorded: staff compare them with logs.
func occurrenceView(ctx context.Context, t *texts, o link.Occurrence, now time.Time) views.Occurrence {
	v := views.Occurrence{At: views.At(o.At, now), What: o.What, Note: o.Note, Reference: o.RequestID}
	if words, known := t.Timeline[string(o.Source)+"/"+o.What]; known {
		v.What = words
	}
	switch o.Source {
	case link.FromEvents:
		v.Who = whoActed(ctx, o)
		v.Add("", views.StateName(ctx, o.From)+" → "+views.StateName(ctx, o.To), o.From != o.To)
		v.Add(views.Say(ctx, "Reason"), string(o.Reason), o.Reason != "")
	case link.FromActivity:
		v.Who, v.Trouble = o.Program, o.Outcome != ""
		v.Add(views.Say(ctx, "Within the hour"), views.SayN(ctx, o.Times, "{n} time", "{n} times"), o.Times > 1)
		v.Add(views.Say(ctx, "By"), o.Flow, o.Flow != "")
		v.Add(views.Say(ctx, "Answer"), answerOf(ctx, o), o.What != "checkout" && o.What != "report" || o.Outcome != "")
		v.Add(views.Say(ctx, "Took"), o.Took.Round(time.Millisecond).String(), o.Took > 0)
		v.Add(views.Say(ctx, "With"), views.Say(ctx, "what renews it"), o.Op == "with_renewal")
	case link.FromWebhooks:
		v.Who, v.Trouble = o.Program, o.Outcome == "given_up"
		v.Add(views.Say(ctx, "State"), views.SayN(ctx, o.Attempts, "{state}, {n} attempt", "{state}, {n} attempts", o.Outcome), true)
	case link.FromMails:
		v.Trouble = o.Outcome == "given_up"
		v.Add(views.Say(ctx, "State"), views.SayN(ctx, o.Attempts, "{state}, {n} attempt", "{state}, {n} attempts", o.Outcome), true)
		v.Add(views.Say(ctx, "Answer"), o.Type, o.Type != "")
	case link.FromConnects:
		if v.Who = o.Program; o.Staff != "" {
			v.Who = o.Staff
		}
		v.Add(views.Say(ctx, "State"), o.Outcome, true)
	}
	return v
}

func whoActed(ctx context.Context, o link.Occurrence) string {
	switch {
	case o.Actor == link.BySupport && o.Staff != "":
		return views.Say(ctx, "support, {who}", o.Staff)
	case o.Program != "":
		return o.Program
	default:
		return actorWords(ctx, o.Actor)
	}
}

func actorWords(ctx context.Context, a link.Actor) string {
	switch a {
	case link.ByUser:
		return views.Say(ctx, "user")
	case link.BySupport:
		return views.Say(ctx, "support")
	case link.ByWorker:
		return views.Say(ctx, "program")
	default:
		return views.Say(ctx, "system")
	}
}

// answerOf is what Garmin answered, or came of it.
func answerOf(ctx context.Context, o link.Occurrence) string {
	if o.Outcome == "" {
		return views.Say(ctx, "done")
	}
	text := o.Outcome
	if o.Op != "" {
		text = views.Say(ctx, "{answer}, at {step}", text, o.Op)
	}
	if o.Status != 0 {
		text = views.Say(ctx, "{answer}, status {status}", text, strconv.Itoa(o.Status))
	}
	if o.Type != "" {
		text += ", " + o.Type
	}
	return text
}
