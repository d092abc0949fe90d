package views

import "github.com/a-h/templ"

// input is one labelled field of a form.
type input struct {
	ID           string // also the prefix of its hint's and its error's ids
	Name         string
	Type         string
	Label        string
	Hint         string
	Value        string
	Error        string
	Autocomplete string
	Focus        bool
	More         templ.Attributes
}

// describedBy lists the ids of what a screen reader reads with the field: the
// error first.
func (f input) describedBy() string {
	switch {
	case f.Error != "" && f.Hint != "":
		return f.ID + "-error " + f.ID + "-hint"
	case f.Error != "":
		return f.ID + "-error"
	case f.Hint != "":
		return f.ID + "-hint"
	default:
		return ""
	}
}
