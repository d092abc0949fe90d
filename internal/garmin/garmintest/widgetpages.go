package garmintest

import (
	"cmp"
	"encoding/json"
	"html"
	"net/http"
	"strings"
)

// The widget's pages, as recorded but for their looks. Each shows what a program or a person goes by: titles, fields,
// boxes, and the variables of the scripts.

// captchaField is sent with a captcha that was solved.
const captchaField = "g-recaptcha-response"

// looks are those of no page of Garmin's: plain, and fit for a phone.
const looks = `<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 1rem/1.5 sans-serif; max-width: 24rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
input:not([type=checkbox], [type=hidden]), button { display: block; box-sizing: border-box; width: 100%; font: inherit; padding: .5rem; margin-bottom: 1rem; }
button { margin-top: 1rem; }
code { display: block; padding: .5rem; border: 1px solid; user-select: all; }
.error { color: #b00020; }
.simulated { border-bottom: 1px solid; padding-bottom: .5rem; }
</style>`

// simulated warns on every page: it asks for a password, and looks like nothing in particular.
const simulated = `<p class="simulated">This is a simulation of Garmin. Never type a real password here.</p>`

// signInPage is the form for e-mail and password.
type signInPage struct {
	status  int // 0 means 200
	error   string
	captcha bool
	csrf    string
	action  string // where it is sent
	email   string // what was typed before
}

func (p signInPage) write(w http.ResponseWriter) {
	captcha, puzzle := "null", ""
	if p.captcha {
		captcha = `"true"`
		puzzle = `<label><input type="checkbox" name="` + captchaField + `" value="solved" required> I’m not a robot</label>`
	}
	box := ""
	if p.error != "" {
		box = `<div id="status" class="error">` + html.EscapeString(p.error) + `</div>`
	}
	writeHTML(w, cmp.Or(p.status, http.StatusOK), "GARMIN Authentication Application", `<script>
            var recaptchaSiteKey = null;
            var isRecaptchaEnabled = `+captcha+`;
            var clientId		= '';
</script>`, `<h2>Sign In</h2>
<form method="post" id="login-form" action="`+html.EscapeString(p.action)+`">
  <div class="form-alert">`+box+`<div id="username-error" style="display:none;"></div></div>
  <label for="username">Email</label> <input name="username" id="username" type="email" value="`+html.EscapeString(p.email)+`">
  <label for="password">Password</label> <input name="password" id="password" type="password">
  `+puzzle+`
  <input type="hidden" name="embed" value="true"/>
  <input type="hidden" name="_csrf" value="`+p.csrf+`" />
  <button type="submit" id="login-btn-signin">Sign In</button>
</form>`)
}

// codeForm is the form for the code. After a wrong one its own token is empty.
type codeForm struct {
	login *login
	csrf  string
	wrong bool
}

func (f codeForm) write(w http.ResponseWriter) {
	acc := f.login.account
	title, sentTo := "Enter MFA code for login", ""
	switch {
	case acc.MFA != "totp" && f.login.code == "":
		title = "GARMIN Authentication Application"
	case acc.MFA == "email":
		sentTo = maskEmail(acc.Email)
	case acc.MFA == "sms":
		sentTo = "*******0123"
	}
	box := ""
	if f.wrong {
		box = `<div id="invalidCode" class="error">Invalid code. Please enter a valid code.</div>`
	}
	writeHTML(w, http.StatusOK, title, `<script type="text/javascript">
        var embedWidget = "true";
        var customerGuid = `+script(acc.GUID)+`;
        var mfaMethod = `+script(acc.MFA)+`;
        var locale = "";
        var clientId = "";
        var codeSentTo = `+script(sentTo)+`;
</script>`, `<h2 id="enter-mfa-code-h2">Enter security code</h2>
<p>`+f.hint(sentTo)+`</p>
<form id="submit-mfa-verification-code-form" method="post">
  <div id="genericError" class="error" hidden>An unexpected error has occurred.</div>
  `+box+`
  <div id="maxLimit" class="error" hidden="hidden">You have reached the maximum amount of codes requested.</div>
  <label for="mfa-code">Security code</label> <input type="number" id="mfa-code" name="mfa-code">
  <button type="submit" id="mfa-verification-code-submit">Next</button>
  <input type="hidden" name="embed"            value="true"/>
  <input type="hidden" name="_csrf"            value="`+f.csrf+`" />
  <input type="hidden" name="fromPage"            value="setupEnterMfaCode"/>
</form>`)
}

// hint tells a person where to look for the code.
func (f codeForm) hint(sentTo string) string {
	switch {
	case f.login.account.MFA == "totp":
		return "Your authenticator app shows it."
	case sentTo == "":
		return "No code was sent yet."
	}
	return "It was sent to " + html.EscapeString(sentTo) + "."
}

// script writes a string of JavaScript with the escapes that the real pages have.
func script(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return strings.ReplaceAll(string(b), "/", `\/`)
}

func writeHTML(w http.ResponseWriter, status int, title, head, body string) {
	w.Header().Set("Content-Type", "text/html;charset=UTF-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte("<!DOCTYPE html>\n<html lang=\"en\" class=\"no-js\">\n<head>\n<meta charset=\"utf-8\">\n<title>" + title +
		"</title>\n" + looks + "\n" + head + "\n</head>\n<body>\n" + simulated + "\n" + body + "\n</body>\n</html>\n"))
}
