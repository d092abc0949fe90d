package garmintest

import (
	"cmp"
	"html"
	"net/http"
)

// writeSuccess is the last page. In a browser it goes on to the address with the ticket, or posts the ticket to the
// page around it, as its parameters say.
func writeSuccess(w http.ResponseWriter, a ask, ticket string) {
	q := a.URL.Query()
	service := embedService(a.region)
	address, redirect := service+"?ticket="+ticket, q.Get("redirectAfterAccountLoginUrl")
	if a.local && redirect != "" {
		writeAddress(w, address)
		return
	}
	writeHTML(w, http.StatusOK, "Success", `<script type="text/javascript">
			var redirectAfterAccountLoginUrl 	  = `+script(redirect)+`;
			var consumeServiceTicket         	  = `+script(cmp.Or(q.Get("consumeServiceTicket"), "true"))+`;
			var service_url                  	  = `+script(service)+`;
			var parent_url                   	  = `+script(q.Get("source"))+`;
			var response_url                 	  = `+script(address)+`;
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

// writeAddress stands for the journey to an address of Garmin's, which a browser of ListenPages must not make.
func writeAddress(w http.ResponseWriter, address string) {
	writeHTML(w, http.StatusOK, "Success", "", `<h2>You are signed in</h2>
<p>The simulation shows here what the address bar would show at Garmin. Copy it, and go back to the page that you came from:</p>
<p><code id="address">`+html.EscapeString(address)+`</code></p>`)
}
