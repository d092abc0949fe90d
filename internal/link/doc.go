// Package link owns the link between a user and a Garmin account: its states,
// the order of steps that moves it between them, and what may be told of it.
//
// It does not speak HTTP to browsers, does not know how rows are stored (see
// Store) and does not speak Garmin's protocol (see internal/garmin), but it is
// the only place where the three meet, and the only one that opens what is
// sealed. No transaction is open while Garmin is asked.
package link
