// Package notify owns webhooks: who is told of which events, in what order,
// how a message is signed and sent, and what happens when it is not taken.
// Messages follow the Standard Webhooks specification, 1.0.0. It also owns the
// mails by which users are told that their link needs them: what they say, how
// they are sent, and how a user ends them from within one.
//
// It does not decide what an event is (see internal/link), does not know how
// rows are stored (see Store and MailStore) and has no clockwork: a job calls Spread, Due and
// Deliver from time to time, and forgetting to costs time and nothing else.
// Each message is sent at least once, and the messages of one link to one
// endpoint one after the other. No transaction is open while one is sent.
package notify
