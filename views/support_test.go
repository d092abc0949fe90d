package views_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/garminlink/garminlink/views"
)

var held = []views.HeldBack{{Title: "sso.garmin.com asked for a pause.", Text: "Nobody asks it.", Until: views.At(now.Add(60*1e9), now)}}

func someChart() views.Chart {
	return views.Chart{
		ID: "checks", Title: "Checks", Text: "How many checks there were.", Labels: []string{"1 Mar", "2 Mar", "3 Mar"},
		Lines: []views.Line{{Name: "Validated", Values: []float64{10, math.NaN(), 1234}}, {Name: "Refused", Values: []float64{0, 1, 2}}},
	}
}

func supportPage() views.Support {
	empty := someChart()
	empty.ID, empty.Lines = "empty", []views.Line{{Name: "None", Values: []float64{0, 0, 0}}}
	return views.Support{
		Counters: views.Counters{
			States: []views.Counter{
				{State: views.Active, Name: "Active", Count: 965000, Href: "/support/links?state=active"},
				{State: views.NotLinked, Name: "Not linked", Count: 4},
			},
			AsOf: views.At(now, now),
		},
		HeldBack: held, Charts: []views.Chart{someChart(), empty},
		Reasons: views.Bars{ID: "reasons", Title: "Why", Text: "What ended them.", Bars: []views.Bar{{"Refused", 30}, {"Cleared", 0}}},
	}
}

func subjectsPage() views.Subjects {
	return views.Subjects{
		Filter: views.Filter{Text: `<mara "1">`, States: []views.Choice{{Text: "Any"}, {Value: "active", Text: "Active", Chosen: true}}, Narrowed: true},
		List: []views.Subject{{
			Href: "/support/users/0195-user", Name: "mara@example.com", ExternalID: "host-7", GarminName: "Mara <b>", Region: "garmin.cn",
			State: views.ReauthNeeded, StateName: "Sign-in needed", Reason: "Refused", Updated: views.At(now, now),
		}},
		CSV: "/support/links.csv?state=active", Pager: views.Pager{Next: "/support/links?after=0195", NextText: "Next page"},
	}
}

func subjectPage() views.SubjectPage {
	return views.SubjectPage{
		Path: "/support/users/0195-user", ID: "0195-user", FormID: "0195-form", Subject: subjectsPage().List[0], HeldBack: held,
		Waiting: "Garmin has sent a code.", Live: true, Linked: true,
		Facts: []views.Fact{{Name: "Region", Text: "garmin.cn"}, {Name: "Linked", Moment: views.At(now, now)}},
		Timeline: []views.Occurrence{
			{At: views.At(now, now), What: "Note of support", Who: "support, agent@example.com", Note: "Called <twice>\nand again", Reference: "0195-reference"},
			{At: views.At(now, now), What: "Sign-in by password", Trouble: true, Details: []string{"Answer: blocked"}},
		},
		Pager: views.Pager{Start: "/support/users/0195-user", StartText: "Latest"},
	}
}

func staffPage(fault string) views.Staff {
	return views.Staff{
		List:  []views.Colleague{{Email: "admin@example.com", Role: "admin", You: true}, {Email: "agent@example.com", Role: "support"}},
		Roles: []views.Choice{{Value: "user", Text: "Sees his own link."}, {Value: "admin", Text: "May all.", Chosen: true}}, EmailError: fault,
	}
}

func webhooksPage() views.Webhooks {
	return views.Webhooks{
		Most:      100,
		Endpoints: []views.Endpoint{{URL: "https://hooks.example.com", Events: "all", Standing: "enabled", Waiting: 3, FailingSince: views.At(now, now)}},
		Log: []views.Delivery{
			{ID: "0195-one", Type: "link.active", State: "waiting", UserHref: "/support/users/0195-user", At: views.At(now, now), Next: views.At(now, now), Attempts: []string{"answered 500"}},
			{ID: "0195-two", Type: "test.ping", State: "given_up", At: views.At(now, now)},
		},
	}
}

func keysPage() views.Keys {
	return views.Keys{
		List:     []views.Key{{ID: "17", Seals: true, Needed: "sessions: 4"}, {ID: "18", Lacked: "web-2 (0195)"}},
		Replicas: []views.Replica{{Name: "web-1 (0194)", Version: "v1", Seals: "17", Seen: views.At(now, now)}},
	}
}

func jobsPage() views.Jobs {
	return views.Jobs{
		HeldBack: held, Facts: []views.Fact{{Name: "Due", Text: "no link"}},
		Workers: []views.Worker{{Name: "web-1", Jobs: 12, Seen: views.At(now, now), Lead: true}},
		Counts:  []views.JobCount{{Kind: "check_link", State: "completed", Count: 12000}},
	}
}

func init() {
	faulty := subjectPage()
	faulty.Note, faulty.NoteError = "too long", "Write less."
	unclear := subjectPage()
	unclear.WhyError = "Write more."
	troubled := subjectPage()
	troubled.Problem = limited
	unlinked := views.SubjectPage{Path: "/support/users/0195-user", ID: "0195-user", Subject: views.Subject{Name: "host-7", State: views.NotLinked, StateName: "Not linked"}}
	crowded := subjectsPage()
	crowded.Crowded, crowded.CSV = true, ""
	for name, page := range map[string]views.View{
		"support": supportPage(), "support before anything was counted": views.Support{},
		"subjects": subjectsPage(), "subjects crowded": crowded, "nobody": views.Subjects{},
		"subject": subjectPage(), "subject with a faulty note": faulty, "subject cleared without a why": unclear,
		"staff": staffPage(""), "staff faulty": staffPage("Nobody has it."), "webhooks": webhooksPage(), "no webhooks": views.Webhooks{},
		"keys": keysPage(), "jobs": jobsPage(), "jobs paused": views.Jobs{Paused: views.At(now, now), Problem: limited},
		"parts": views.Parts{}, "subject in trouble": troubled, "subject without a link": unlinked,
	} {
		pages[name] = page
	}
}

func TestAChartTellsAllItsNumbersWithoutThePicture(t *testing.T) {
	t.Parallel()
	doc := render(t, views.Whole(chrome, supportPage()))
	drawing := all(doc, tag("svg"), having("role"))
	if len(drawing) != 1 || attr(drawing[0], "aria-label") != "Checks. How many checks there were." {
		t.Fatalf("%d drawings", len(drawing))
	}
	var paths []string
	for _, p := range all(drawing[0], tag("path")) {
		paths = append(paths, attr(p, "d"))
	}
	if len(paths) != 2 || strings.Count(paths[0], "M") != 2 || strings.Count(paths[0], "L") != 2 || strings.Count(paths[1], "L") != 3 || strings.Contains(paths[0], "NaN") {
		t.Errorf("lines are %q", paths)
	}
	var rows []string
	for _, row := range all(one(t, doc, tag("tbody")), tag("tr")) {
		var cells []string
		for _, cell := range all(row, tag("th", "td")) {
			cells = append(cells, text(cell))
		}
		rows = append(rows, strings.Join(cells, " "))
	}
	if got := strings.Join(rows, "; "); got != "3 Mar 1,234 2; 2 Mar – 1; 1 Mar 10 0" {
		t.Errorf("the table says %s", got)
	}
	if said := text(doc); !strings.Contains(said, "Nothing has been counted yet.") || !strings.Contains(said, "965,000") {
		t.Errorf("the page says %q", said)
	}
}

func TestLinesStayWithinTheirDrawing(t *testing.T) {
	t.Parallel()
	for _, most := range []float64{1, 3, 7, 99, 1000, 1001, 999999, 0.5} {
		c := someChart()
		c.Lines[0].Values = []float64{0, most / 2, most}
		doc := render(t, views.Whole(chrome, views.Support{Charts: []views.Chart{c}}))
		for _, p := range all(doc, tag("path"), class("line")) {
			for _, point := range strings.FieldsFunc(attr(p, "d"), func(r rune) bool { return r == 'M' || r == 'L' }) {
				x, y, _ := strings.Cut(point, " ")
				if !between(x, 78, 632) || !between(y, 12, 188) {
					t.Errorf("of %v, there is a point at %s", most, point)
				}
			}
		}
	}
}

func between(text string, from, to float64) bool {
	v, err := strconv.ParseFloat(text, 64)
	return err == nil && v >= from && v <= to
}

func TestStaffAreOfferedWhatCanBeDone(t *testing.T) {
	t.Parallel()
	actions := func(doc *html.Node) (list []string) {
		for _, f := range all(one(t, doc, tag("main")), tag("form")) {
			list = append(list, attr(f, "action"))
		}
		return list
	}
	all := strings.Join(actions(render(t, views.Whole(chrome, subjectPage()))), " ")
	if want := "/support/users/0195-user/check /support/relink /support/users/0195-user/cancel /support/users/0195-user/note /support/users/0195-user/clear"; all != want {
		t.Errorf("offered is %s", all)
	}
	none := actions(render(t, views.Whole(chrome, pages["subject without a link"])))
	if len(none) != 1 || none[0] != "/support/users/0195-user/note" {
		t.Errorf("without a link, offered is %v", none)
	}
}
