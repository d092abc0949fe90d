package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/garminlink/garminlink/internal/link"
	"github.com/garminlink/garminlink/views"
)

const (
	subjectsPerPage = 50
	longestText     = 1024 // bytes; the longest of an external id
)

func (s *Server) showSubjects(c echo.Context) error {
	f, err := findOf(c.QueryParams())
	if err != nil {
		return err
	}
	held, err := s.heldBack(c)
	if err != nil {
		return err
	}
	f.Most = subjectsPerPage + 1
	found, err := s.Links.Search(c.Request().Context(), f)
	if err != nil {
		return err
	}
	v := views.Subjects{Filter: s.filterView(c, f), HeldBack: held, Crowded: found.Crowded}
	if more := len(found.Subjects) > subjectsPerPage; more {
		found.Subjects = found.Subjects[:subjectsPerPage]
		last := found.Subjects[subjectsPerPage-1]
		v.Pager.Next, v.Pager.NextText = subjectsAt(subjectsPath, f, last.Spot(f.Order)), views.Say(s.speaking(c), "Next page")
	}
	if f.After.User != uuid.Nil {
		v.Pager.Start, v.Pager.StartText = subjectsAt(subjectsPath, f, link.Spot{}), views.Say(s.speaking(c), "First page")
	}
	if len(found.Subjects) > 0 && !found.Crowded {
		v.CSV = subjectsAt(subjectsPath+".csv", f, link.Spot{})
	}
	for _, one := range found.Subjects {
		v.List = append(v.List, s.subjectLine(c, one))
	}
	return s.render(c, http.StatusOK, v)
}

// findOf reads what an address asks for. What no page of ours says is a fault.
func findOf(q url.Values) (link.Find, error) {
	f := link.Find{Text: strings.TrimSpace(q.Get("q")), State: q.Get("state"), Reason: link.Reason(q.Get("reason")), Region: q.Get("region")}
	sort := q.Get("sort")
	if sort == "" {
		sort = "-" + string(link.ByChange)
	}
	order, descending := strings.CutPrefix(sort, "-")
	f.Order, f.Descending = link.Order(order), descending
	known := slices.Contains(link.Orders, f.Order) && f.Order != link.ByID &&
		slices.Contains([]string{"", views.Active, views.ReauthNeeded, views.MFAPending}, f.State) &&
		slices.Contains(append([]link.Reason{""}, link.DeadReasons...), f.Reason) &&
		slices.Contains([]string{"", "garmin.com", "garmin.cn"}, f.Region) &&
		isText(f.Text) && isText(q.Get("from"))
	var err error
	if day := q.Get("before"); day != "" && known {
		f.ValidatedBefore, err = time.Parse(time.DateOnly, day)
	}
	if after := q.Get("after"); after != "" && err == nil {
		f.After, err = spotOf(f.Order, after, q.Get("from"))
	}
	if err != nil || !known {
		return link.Find{}, echo.ErrBadRequest
	}
	return f, nil
}

func isText(s string) bool {
	return len(s) <= longestText && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}

// spotOf reads where a page begins: after a user, who stood at from.
func spotOf(o link.Order, after, from string) (spot link.Spot, err error) {
	if spot.User, err = uuid.Parse(after); err != nil {
		return spot, err
	}
	switch {
	case o == link.ByName:
		spot.Name = from
	case from != "":
		spot.Time, err = time.Parse(time.RFC3339Nano, from)
	}
	return spot, err
}

// subjectsAt is the address of what is asked for, from a spot on.
func subjectsAt(path string, f link.Find, spot link.Spot) string {
	q := url.Values{"sort": {sortOf(f)}}
	for name, value := range map[string]string{"q": f.Text, "state": f.State, "reason": string(f.Reason), "region": f.Region, "before": dayOf(f.ValidatedBefore)} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if spot.User != uuid.Nil {
		q.Set("after", spot.User.String())
		from := spot.Name
		if !spot.Time.IsZero() {
			from = spot.Time.UTC().Format(time.RFC3339Nano)
		}
		q.Set("from", from)
	}
	return path + "?" + q.Encode()
}

func sortOf(f link.Find) string {
	if f.Descending {
		return "-" + string(f.Order)
	}
	return string(f.Order)
}

func dayOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

func (s *Server) filterView(c echo.Context, f link.Find) views.Filter {
	ctx := s.speaking(c)
	v := views.Filter{
		Text: f.Text, Before: dayOf(f.ValidatedBefore),
		Narrowed: f.Text != "" || f.State != "" || f.Reason != "" || f.Region != "" || !f.ValidatedBefore.IsZero(),
		States:   choices(f.State, views.Say(ctx, "Any"), "", func(state string) string { return views.StateName(ctx, state) }, views.Active, views.ReauthNeeded, views.MFAPending),
		Regions:  choices(f.Region, views.Say(ctx, "Any"), "", func(r string) string { return r }, "garmin.com", "garmin.cn"),
	}
	reasons := make([]string, len(link.DeadReasons))
	for i, r := range link.DeadReasons {
		reasons[i] = string(r)
	}
	v.Reasons = choices(string(f.Reason), views.Say(ctx, "Any"), "", func(r string) string { return s.words(c).ShortReasons[link.Reason(r)] }, reasons...)
	v.Orders = choices(sortOf(f), views.Say(ctx, "Changed last, first"), "-updated", func(o string) string { return s.words(c).Orders[o] },
		"updated", "validated", "-validated", "name", "-name")
	return v
}

// choices are those of a field, the first of which has words of its own.
func choices(chosen, first, firstValue string, name func(string) string, values ...string) []views.Choice {
	all := []views.Choice{{Value: firstValue, Text: first, Chosen: chosen == firstValue}}
	for _, v := range values {
		all = append(all, views.Choice{Value: v, Text: name(v), Chosen: v == chosen})
	}
	return all
}

func (s *Server) subjectLine(c echo.Context, l link.Subject) views.Subject {
	v := views.Subject{
		Href: subjectPath + l.User.String(), Name: subjectName(l), GarminName: l.GarminName, Region: l.Region,
		State: l.State.String(), StateName: views.StateName(s.speaking(c), l.State.String()), Reason: s.words(c).ShortReasons[l.Reason],
		Validated: views.At(l.LastValidated, l.AsOf), Updated: views.At(l.UpdatedAt, l.AsOf),
	}
	if l.ExternalID != v.Name {
		v.ExternalID = l.ExternalID
	}
	return v
}

// subjectName is what staff know a user by.
func subjectName(l link.Subject) string {
	switch {
	case l.Email != "":
		return l.Email
	case l.ExternalID != "":
		return l.ExternalID
	default:
		return l.User.String()
	}
}
