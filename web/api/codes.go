package api

import (
	"net/http"

	"github.com/garminlink/garminlink/internal/link"
)

// meaning is what a code always says. Openapi.yaml has the same codes.
type meaning struct {
	status        int
	title, detail string
}

var meanings = map[Code]meaning{
	CodeMalformedJSON:    {http.StatusBadRequest, "The body is not JSON", "The body must be one JSON object in UTF-8, with each name once."},
	CodeInvalidParameter: {http.StatusBadRequest, "A parameter is not of its form", ""},

	CodeUnauthenticated:   {http.StatusUnauthorized, "No valid service token", "Send Authorization: Bearer and a service token."},
	CodeInsufficientScope: {http.StatusForbidden, "The token lacks a scope", ""},

	CodeNotFound:               {http.StatusNotFound, "No such path", "The API has no such path; see /api."},
	CodeUserNotFound:           {http.StatusNotFound, "Unknown user", "No user has this id."},
	CodeConnectSessionNotFound: {http.StatusNotFound, "Unknown connect session", "No connect session has this id."},
	CodeMethodNotAllowed:       {http.StatusMethodNotAllowed, "No such method", "The header Allow lists the methods of this path."},

	CodeNotLinked:          {http.StatusConflict, "No Garmin account is linked", "There is no session to work with. Send the user over with a connect session to link."},
	CodeReauthNeeded:       {http.StatusConflict, "The user must sign in to Garmin again", "The session has ended. Send the user over with a connect session to relink."},
	CodeOtherAccount:       {http.StatusConflict, "Another Garmin account", "The session is of another Garmin account than the link. The link was not changed."},
	CodeAccountTaken:       {http.StatusConflict, "The Garmin account is taken", "Another user has linked this Garmin account."},
	CodeConnectSessionOver: {http.StatusConflict, "The connect session is over", "It has expired or was cancelled, or waits for no completion. Create a new one."},

	CodeGenerationMoved: {http.StatusPreconditionFailed, "The link has another session by now", "Throw this session away, and check out again."},
	CodeAlreadyLinked:   {http.StatusPreconditionFailed, "There is a live link already", "Unlink it first, or write back with If-Match."},

	CodeBodyTooLarge:         {http.StatusRequestEntityTooLarge, "The body is too large", "A body may have 256 KiB."},
	CodeUnsupportedMediaType: {http.StatusUnsupportedMediaType, "The body is not declared as JSON", "Send Content-Type: application/json."},

	CodeInvalidBody:         {http.StatusUnprocessableEntity, "The body is not as described", ""},
	CodeGenerationUnknown:   {http.StatusUnprocessableEntity, "Unknown generation", "No session of this generation was given out yet."},
	CodeMinTTLTooLong:       {http.StatusUnprocessableEntity, "No session lasts so long", "Ask for max_ttl seconds at most."},
	CodeNoRenewalInFormat:   {http.StatusUnprocessableEntity, "No place for what renews the session", "A bearer holds nothing that renews it, and garminconnect no OAuth1 token. Take garth."},
	CodeReturnURLNotAllowed: {http.StatusUnprocessableEntity, "The return_url is not allowed", ""},
	CodeCompletionCodeWrong: {http.StatusUnprocessableEntity, "Wrong completion code", "This is not the code of this connect session."},

	CodeIdempotencyKeyReused: {http.StatusUnprocessableEntity, "The Idempotency-Key was used before", "It was used within 24 hours with another body."},

	CodeSessionMissing:      {http.StatusUnprocessableEntity, "The session is missing", "The text holds no session."},
	CodeSessionLong:         {http.StatusUnprocessableEntity, "Too long for a session", "No session is that long."},
	CodeSessionNotBase64:    {http.StatusUnprocessableEntity, "No whole session", "The text is neither JSON nor base64, or is cut off."},
	CodeSessionUnknown:      {http.StatusUnprocessableEntity, "No session of a known form", "The text can be read, but is no session of garth's or python-garminconnect's."},
	CodeSessionHalf:         {http.StatusUnprocessableEntity, "Half of a session", "Send both of garth's files, one after the other."},
	CodeSessionNoToken:      {http.StatusUnprocessableEntity, "No token in the session", "The form is right, but the access token is missing."},
	CodeSessionRegion:       {http.StatusUnprocessableEntity, "Wrong region", "The session names no region of Garmin's, or another than its token."},
	CodeSessionExpired:      {http.StatusUnprocessableEntity, "The session has ended", "It has ended, and so has what would renew it."},
	CodeSessionRefused:      {http.StatusUnprocessableEntity, "Garmin refuses the session", "Garmin accepts neither its token nor what would renew it."},
	CodeSessionNotRenewable: {http.StatusUnprocessableEntity, "The session cannot renew itself", "It would take the place of one that can."},

	CodePreconditionRequired: {http.StatusPreconditionRequired, "What does the request presume?", "Send If-Match with the generation, in quotes, to write back, or If-None-Match: * to import."},

	CodeTooManyRequests: {http.StatusTooManyRequests, "Too many requests", "This token has used up its requests for now."},
	CodeTooManyFailures: {http.StatusTooManyRequests, "Too many refused sessions", "Garmin refused too many sessions of this user within a day."},
	CodeTooManyAccounts: {http.StatusTooManyRequests, "Too many Garmin accounts", "Too many Garmin accounts were tried for this user within a day."},

	CodeInternalError: {http.StatusInternalServerError, "A fault of ours", "It was logged. Your request was not at fault."},

	CodeUnavailable:         {http.StatusServiceUnavailable, "Not now", "The database cannot be reached, or this replica lacks a key."},
	CodeInProgress:          {http.StatusServiceUnavailable, "Another request is under way", "Another request is doing this right now."},
	CodeSuperseded:          {http.StatusServiceUnavailable, "The link changed meanwhile", "What Garmin answered was thrown away. Look at the link again."},
	CodeGarminUnavailable:   {http.StatusServiceUnavailable, "Garmin does not answer", "Garmin's servers are down, too slow, or cannot be reached."},
	CodeGarminRateLimited:   {http.StatusServiceUnavailable, "Garmin asks to slow down", "Garmin was asked too often. Asking earlier makes it longer."},
	CodeGarminBlocked:       {http.StatusServiceUnavailable, "Garmin's guard turned our server away", "This usually ends by itself."},
	CodeGarminRefused:       {http.StatusServiceUnavailable, "Garmin refuses what it has just handed out", "This usually ends by itself."},
	CodeGarminUnknownAnswer: {http.StatusServiceUnavailable, "Garmin's answer is not understood", "Nothing was changed."},
}

// kindCodes is the one place where a kind of internal/link becomes a code.
var kindCodes = map[link.Kind]Code{
	link.NotLinked:    CodeNotLinked,
	link.ReauthNeeded: CodeReauthNeeded,
	link.OtherAccount: CodeOtherAccount,
	link.AccountTaken: CodeAccountTaken,

	link.GenerationMoved:   CodeGenerationMoved,
	link.AlreadyLinked:     CodeAlreadyLinked,
	link.GenerationUnknown: CodeGenerationUnknown,
	link.LifeTooLong:       CodeMinTTLTooLong,
	link.NoRenewalInFormat: CodeNoRenewalInFormat,

	link.SessionMissing:  CodeSessionMissing,
	link.SessionLong:     CodeSessionLong,
	link.SessionGarbled:  CodeSessionNotBase64,
	link.SessionUnknown:  CodeSessionUnknown,
	link.SessionHalf:     CodeSessionHalf,
	link.SessionEmpty:    CodeSessionNoToken,
	link.SessionRegion:   CodeSessionRegion,
	link.SessionOver:     CodeSessionExpired,
	link.SessionRefused:  CodeSessionRefused,
	link.SessionStripped: CodeSessionNotRenewable,

	link.InvalidReturnURL: CodeReturnURLNotAllowed,
	link.KeyReused:        CodeIdempotencyKeyReused,
	link.ConnectOver:      CodeConnectSessionOver,
	link.CompletionWrong:  CodeCompletionCodeWrong,

	link.TooManyFailures: CodeTooManyFailures,
	link.TooManyAccounts: CodeTooManyAccounts,

	link.InProgress:    CodeInProgress,
	link.Superseded:    CodeSuperseded,
	link.Unavailable:   CodeGarminUnavailable,
	link.RateLimited:   CodeGarminRateLimited,
	link.TokensLimited: CodeGarminRateLimited,
	link.Blocked:       CodeGarminBlocked,
	link.TokenRefused:  CodeGarminRefused,
	link.UnknownAnswer: CodeGarminUnknownAnswer,
}

// foreignKinds are those that no program can meet: of passwords, MFA codes,
// tickets and candidates, which are people's, and of values that cannot be
// sent here. One that turns up all the same is a fault of ours.
var foreignKinds = []link.Kind{
	link.InvalidEmail, link.InvalidPassword, link.InvalidRegion, link.InvalidCode, link.InvalidFormat, link.InvalidNote,
	link.NoChallenge, link.NoCandidate, link.ResendTooSoon, link.NoResend,
	link.TicketMissing, link.TicketAmbiguous, link.TicketForeign, link.TicketRegion, link.TicketSpent, link.TicketRefused,
	link.WrongPassword, link.WrongCode, link.AttemptsGone, link.ChallengeGone,
	link.AccountLocked, link.ChildAccount, link.NeedsAttention, link.Captcha,
	link.ConnectElsewhere,
}

// toldUsers are what a user may be told by a host application. All other kinds
// are for programs, or pass.
var toldUsers = map[link.Kind]string{
	link.NotLinked:    "Link your Garmin account first.",
	link.ReauthNeeded: "Sign in to Garmin again. Nothing else is lost.",
	link.AccountTaken: "This Garmin account is linked to another user here. A Garmin account can belong to one user only.",
}
