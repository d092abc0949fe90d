package web

import (
	"fmt"
	"time"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

// occurrenceView puts a line of the timeline into words. Details are as they
// were recorded: staff compare them with logs.
func occurrenceView(t *texts, o link.Occurrence, now time.Time) views.Occurrence {
	v := views.Occurrence{At: views.At(o.At, now), What: o.What, Note: o.Note, Reference: o.RequestID}
	if words, known := t.Timeline[string(o.Source)+"/"+o.What]; known {
		v.What = words
	}
	switch o.Source {
	case link.FromEvents:
		v.Who = whoActed(o)
		v.Add("", o.From+" → "+o.To, o.From != o.To)
		v.Add("Reason", string(o.Reason), o.Reason != "")
	case link.FromActivity:
		v.Who, v.Trouble = o.Program, o.Outcome != ""
		v.Add("By", o.Flow, o.Flow != "")
		v.Add("Answer", answerOf(o), o.What != "checkout" && o.What != "report" || o.Outcome != "")
		v.Add("Took", o.Took.Round(time.Millisecond).String(), o.Took > 0)
		v.Add("With", "what renews it", o.Op == "with_renewal")
	case link.FromWebhooks:
		v.Who, v.Trouble = o.Program, o.Outcome == "given_up"
		v.Add("State", fmt.Sprintf("%s, attempts: %d", o.Outcome, o.Attempts), true)
	case link.FromConnects:
		if v.Who = o.Program; o.Staff != "" {
			v.Who = o.Staff
		}
		v.Add("State", o.Outcome, true)
	}
	return v
}

func whoActed(o link.Occurrence) string {
	switch {
	case o.Actor == link.BySupport && o.Staff != "":
		return "support, " + o.Staff
	case o.Program != "":
		return o.Program
	default:
		return string(o.Actor)
	}
}

// answerOf is what Garmin answered, or came of it.
func answerOf(o link.Occurrence) string {
	if o.Outcome == "" {
		return "done"
	}
	text := o.Outcome
	if o.Op != "" {
		text += ", at " + o.Op
	}
	if o.Status != 0 {
		text += fmt.Sprintf(", status %d", o.Status)
	}
	if o.Type != "" {
		text += ", " + o.Type
	}
	return text
}
