package web

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// notice names good news. After a redirect the next page brings them: a cookie
// of one word carries them there, and no row has to be written for it.
type notice string

const (
	noNotice  notice = ""
	signedOut notice = "signed_out"
	ended     notice = "ended"
	stranger  notice = "stranger"
	linked    notice = "linked"
	brought   notice = "brought" // linked without an e-mail being typed: the page asks whose account it is
	checked   notice = "checked"
	codeSent  notice = "code_sent"
	cancelled notice = "cancelled"
	kept      notice = "kept"
	unlinked  notice = "unlinked"

	linkedAgain notice = "linked_again" // for support, which waits for nobody to come back

	tokenRevoked notice = "token_revoked"

	staffChecked   notice = "staff_checked"
	staffCancelled notice = "staff_cancelled"
	staffCleared   notice = "staff_cleared"
	staffNoted     notice = "staff_noted"

	roleChanged   notice = "role_changed"
	webhookResent notice = "webhook_resent"
	jobsPaused    notice = "jobs_paused"
	jobsResumed   notice = "jobs_resumed"

	setUpDone notice = "set_up_done"

	mailOff notice = "mail_off"
	mailOn  notice = "mail_on"

	passwordChanged notice = "password_changed"
	othersSignedOut notice = "others_signed_out"
	languageKept    notice = "language_kept"
)

const noticeSeconds = 60 // for a redirect that gets lost

func (s *Server) leaveNotice(c echo.Context, n notice) {
	if n != noNotice {
		c.SetCookie(s.noticeCookie(string(n), noticeSeconds))
	}
}

// takeNotice returns what is to be told, once. What is no notice of ours has
// no words.
func (s *Server) takeNotice(c echo.Context) notice {
	cookie, err := c.Cookie(s.noticeCookie("", 0).Name)
	if err != nil {
		return noNotice
	}
	c.SetCookie(s.noticeCookie("", -1))
	return notice(cookie.Value)
}

func (s *Server) noticeCookie(value string, maxAge int) *http.Cookie {
	name, secure := cookieName(s.BaseURL, "garminlink-notice")
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}
