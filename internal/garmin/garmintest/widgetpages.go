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

// signInPage is the form for e-mail and password.
type signInPage struct {
	status  int // 0 means 200
	error   string
	captcha bool
	csrf    string
}

func (p signInPage) write(w http.ResponseWriter) {
	captcha := "null"
	if p.captcha {
		captcha = `"true"`
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
<form method="post" id="login-form">
  <div class="form-alert">`+box+`<div id="username-error" style="display:none;"></div></div>
  <label for="username">Email</label> <input name="username" id="username" type="email">
  <label for="password">Password</label> <input name="password" id="password" type="password">
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
<form id="submit-mfa-verification-code-form" method="post">
  <div id="genericError" class="error" hidden>An unexpected error has occurred.</div>
  `+box+`
  <div id="maxLimit" class="error" hidden="hidden">You have reached the maximum amount of codes requested.</div>
  <label>Security code <input type="number" id="mfa-code" name="mfa-code"></label>
  <button type="submit" id="mfa-verification-code-submit">Next</button>
  <input type="hidden" name="embed"            value="true"/>
  <input type="hidden" name="_csrf"            value="`+f.csrf+`" />
  <input type="hidden" name="fromPage"            value="setupEnterMfaCode"/>
</form>`)
}

// writeSuccess is the last page. In a browser it goes on to the address with the ticket, or posts the ticket to the
// page around it, as its parameters say.
func writeSuccess(w http.ResponseWriter, a ask, ticket string) {
	q := a.URL.Query()
	service := embedService(a.region)
	writeHTML(w, http.StatusOK, "Success", `<script type="text/javascript">
			var redirectAfterAccountLoginUrl 	  = `+script(q.Get("redirectAfterAccountLoginUrl"))+`;
			var consumeServiceTicket         	  = `+script(cmp.Or(q.Get("consumeServiceTicket"), "true"))+`;
			var service_url                  	  = `+script(service)+`;
			var parent_url                   	  = `+script(q.Get("source"))+`;
			var response_url                 	  = `+script(service+"?ticket="+ticket)+`;
			var service_ticket = response_url.substring(response_url.indexOf('ticket=') + 7, response_url.length);
			window.addEventListener('load', function () {
				if (redirectAfterAccountLoginUrl) {
					top.location.href = response_url;
				} else if (consumeServiceTicket == 'false') {
					parent.postMessage({'status': 'SUCCESS', 'successDetails': 'Login Successful',
						'serviceTicket': service_ticket, 'serviceUrl': service_url}, new URL(parent_url).origin);
				}
			});
</script>`, `<div id="GAuth-component"></div>`)
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
		"</title>\n" + head + "\n</head>\n<body>\n" + body + "\n</body>\n</html>\n"))
}
