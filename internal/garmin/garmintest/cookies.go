package garmintest

import (
	"crypto/rand"
	"net/http"
)

// setCookie sets a cookie with a fresh value and notes it.
func (s *Server) setCookie(w http.ResponseWriter, c http.Cookie) string {
	if c.Value == "" {
		c.Value = rand.Text()
	}
	s.note(c.Value)
	http.SetCookie(w, &c)
	return c.Value
}

// setSessionCookies sets what the sign-in page sets: the session, the server that holds it, and the edge's own.
func (s *Server) setSessionCookies(w http.ResponseWriter, a ask) (session, backend string) {
	session = s.setCookie(w, http.Cookie{Name: "SESSION", Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode})
	backend = s.setCookie(w, http.Cookie{Name: "__VCAP_ID__", Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode})
	if _, err := a.Cookie("__cflb"); err != nil {
		s.setEdgeCookies(w, a)
	}
	return session, backend
}

func (s *Server) setEdgeCookies(w http.ResponseWriter, a ask) {
	s.rotateEdgeCookie(w, a)
	s.setCookie(w, http.Cookie{Name: "__cflb", Path: "/", Secure: true, HttpOnly: true, Expires: s.now().Add(edgeLifetime)})
	s.setCookie(w, http.Cookie{Name: "_cfuvid", Path: "/", Domain: "sso." + a.region, Secure: true, HttpOnly: true})
}

// setLocale sets what every page of the widget sets. It is no secret.
func (s *Server) setLocale(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{
		Name: "org.springframework.web.servlet.i18n.CookieLocaleResolver.LOCALE", Value: "en", Path: "/",
	})
}

func (s *Server) rotateEdgeCookie(w http.ResponseWriter, a ask) {
	s.setCookie(w, http.Cookie{
		Name: "__cf_bm", Path: "/", Domain: "sso." + a.region, Secure: true, HttpOnly: true, Expires: s.now().Add(edgeLifetime),
	})
}

// sessionOf gives the session that a login came with, or a new one: it can first arrive on the login itself.
func (s *Server) sessionOf(w http.ResponseWriter, a ask) (session, backend string) {
	sc, _ := a.Cookie("SESSION")
	bc, _ := a.Cookie("__VCAP_ID__")
	if sc == nil || bc == nil {
		return s.setSessionCookies(w, a)
	}
	s.note(sc.Value, bc.Value)
	return sc.Value, bc.Value
}

// setSignedInCookies sets what a success sets. The last two are no secrets.
func (s *Server) setSignedInCookies(w http.ResponseWriter, a ask, acc *account) {
	s.setCookie(w, http.Cookie{Name: "CASTGC", Path: "/sso", Secure: true, HttpOnly: true})
	s.setCookie(w, http.Cookie{Name: "GARMIN-SSO", Path: "/", Domain: a.region})
	http.SetCookie(w, &http.Cookie{Name: "GARMIN-SSO-CUST-GUID", Path: "/", Domain: a.region, Value: acc.GUID})
	http.SetCookie(w, &http.Cookie{Name: "GMN_TRACKABLE", Path: "/", Domain: a.region, Value: "1", MaxAge: 31536000, Secure: true})
}
