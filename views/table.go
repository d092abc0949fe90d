package views

// Pager leads to other pages of a list.
type Pager struct {
	Start, StartText string // an address of the first page; "" on it
	Next, NextText   string // "" on the last
}
