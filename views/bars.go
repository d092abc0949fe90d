package views

// Bars show how many there are of each of a few kinds.
type Bars struct {
	ID    string // on the page
	Title string
	Text  string
	Bars  []Bar
}

// Bar is one of them.
type Bar struct {
	Name  string
	Count int
}

// share is the length of a bar, of 100: the longest has all.
func (b Bars) share(bar Bar) float64 {
	most := 0
	for _, other := range b.Bars {
		most = max(most, other.Count)
	}
	if most == 0 {
		return 0
	}
	return 100 * float64(bar.Count) / float64(most)
}
