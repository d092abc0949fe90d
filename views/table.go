package views

// column is one of a table's: what its head says, and each cell on a phone.
type column struct {
	name   string
	number bool // set to the right
}

// Pager leads to other pages of a list.
type Pager struct {
	Start, StartText string // an address of the first page; "" on it
	Next, NextText   string // "" on the last
}
