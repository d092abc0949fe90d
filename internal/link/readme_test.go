package link

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The diagram in the README has one arrow for each pair of shown states, with
// all events that lead from the one to the other.
func TestReadmeShowsTheSameDiagram(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	drawn := map[string]bool{}
	for _, arrow := range regexp.MustCompile(`(?m)^    (\w+) --> (\w+): (.+)$`).FindAllStringSubmatch(string(readme), -1) {
		for event := range strings.SplitSeq(arrow[3], ", ") {
			drawn[arrow[1]+" "+event+" "+arrow[2]] = true
		}
	}
	for _, s := range states {
		for _, e := range Events {
			next, err := Next(s, e)
			if err != nil {
				continue
			}
			arrow := s.String() + " " + string(e) + " " + next.String()
			if !drawn[arrow] {
				t.Errorf("the diagram lacks %s", arrow)
			}
			defer delete(drawn, arrow)
		}
	}
	t.Cleanup(func() {
		for arrow := range drawn {
			t.Errorf("the diagram has %s, which cannot happen", arrow)
		}
	})
}
