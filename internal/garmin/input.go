package garmin

// Fault says what is wrong with a text that somebody pasted.
type Fault string

// The faults of session strings and of tickets. Nothing of them is known to Garmin: the user pastes something else.
const (
	FaultEmpty      Fault = "empty"       // there is no text
	FaultTooLong    Fault = "too_long"    // longer than any session string or page
	FaultNotBase64  Fault = "not_base64"  // neither JSON nor base64, or cut off
	FaultNotSession Fault = "not_session" // readable, but in no form that a session is kept in
	FaultHalf       Fault = "half"        // one of garth's two files; the other belongs to it
	FaultNoToken    Fault = "no_token"    // the right form, without a usable access token
	FaultRegion     Fault = "region"      // of no region of Garmin's, or of another than asked
	FaultExpired    Fault = "expired"     // ended, and so has what would renew it
	FaultNoTicket   Fault = "no_ticket"   // no ticket stands in it
	FaultTickets    Fault = "tickets"     // more than one ticket stands in it
	FaultService    Fault = "service"     // the ticket is for another service than the hand-off's
)

// InputError is what the parsers of pasted texts return. It quotes nothing of the text.
type InputError struct {
	Fault Fault
}

func (e *InputError) Error() string { return "garmin: input: " + string(e.Fault) }
