package garmin

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// maxTicketText bounds what is searched for a ticket, in bytes: a whole page of Garmin's has about 15,000.
const maxTicketText = 256 << 10

// SSOOrigin is where Garmin's own sign-in page lives: what a frame may show, and whom its messages must come from.
func SSOOrigin(r Region) string { return origin(r, "sso") }

// HandoffURL is Garmin's own sign-in page, for a tab of its own. It ends at an address and a page that hold a ticket,
// which the user brings back for ParseTicket: neither password nor code passes through here.
func HandoffURL(r Region) string {
	service := widgetService(r)
	q := handoffQuery(r)
	q.Set("source", service)
	q.Set("redirectAfterAccountLoginUrl", service)
	q.Set("redirectAfterAccountCreationUrl", service)
	return origin(r, "sso") + pathSignIn + "?" + q.Encode()
}

// HandoffFrameURL is the same page for a frame on a page of ours. Its success page posts the message {serviceUrl,
// serviceTicket} to its parent, if that is of ourOrigin: scheme, host and port, https but for a loopback host. Without
// redirectAfter... the page stays in the frame, and consumeServiceTicket=false leaves the ticket unspent [R: its script].
func HandoffFrameURL(r Region, ourOrigin string) (string, error) {
	u, err := url.Parse(ourOrigin)
	if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != ourOrigin || u.Scheme != "https" && !loopback(u) {
		return "", errors.New("garmin: hand-off needs an origin: https, a host, and nothing after it")
	}
	q := handoffQuery(r)
	q.Set("source", ourOrigin)
	q.Set("consumeServiceTicket", "false")
	return origin(r, "sso") + pathSignIn + "?" + q.Encode(), nil
}

func handoffQuery(r Region) url.Values {
	return url.Values{
		"id": {"gauth-widget"}, "embedWidget": {"true"}, "gauthHost": {origin(r, "sso") + "/sso"}, "service": {widgetService(r)},
	}
}

func loopback(u *url.URL) bool {
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.IsLoopback())
}

// pastedTicket finds a ticket and, where it stands in an address, what comes before it.
var pastedTicket = regexp.MustCompile(`(?i:(https?)://([^\s"'<>?#]*)[^\s"'<>#]*?)?\bticket(?:=|%3[Dd])(ST-[A-Za-z0-9._-]{1,500})`)

// pastedForms undoes the escapes that a copied page or address can have.
var pastedForms = strings.NewReplacer(`\/`, "/", "&amp;", "&", "%3A%2F%2F", "://", "%2F", "/", "%3F", "?", "%3a%2f%2f", "://", "%2f", "/", "%3f", "?")

// ParseTicket finds the ticket of a hand-off in what a user pasted: the address at which Garmin's page ended, the text
// of that page, or the ticket itself. Its service URL is always the constant one of HandoffURL: whatever address was
// pasted, no other is ever redeemed. Whose ticket it is only the profile tells; somebody could be given a stranger's.
//
// Errors are InputErrors: FaultEmpty, FaultTooLong, FaultNoTicket, FaultTickets, FaultRegion, FaultService.
func ParseTicket(r Region, text string) (*Ticket, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return nil, &InputError{FaultEmpty}
	case len(text) > maxTicketText:
		return nil, &InputError{FaultTooLong}
	case ticketShape.MatchString(text):
		return &Ticket{Value: Secret(text), ServiceURL: widgetService(r), Region: r}, nil
	}
	var found string
	for _, m := range pastedTicket.FindAllStringSubmatch(pastedForms.Replace(text), -1) {
		if fault := pastedFault(r, m[1], m[2]); fault != "" {
			return nil, &InputError{fault}
		}
		value := strings.TrimRight(m[3], "._-")
		if found != "" && found != value {
			return nil, &InputError{FaultTickets}
		}
		found = value
	}
	if !ticketShape.MatchString(found) {
		return nil, &InputError{FaultNoTicket}
	}
	return &Ticket{Value: Secret(found), ServiceURL: widgetService(r), Region: r}, nil
}

// pastedFault judges the address that a ticket stands in, "" when there is none or it is the hand-off's.
func pastedFault(r Region, scheme, place string) Fault {
	address := strings.ToLower(scheme) + "://" + place
	for _, region := range []Region{RegionGlobal, RegionChina} {
		switch {
		case address != widgetService(region):
		case region == r:
			return ""
		default:
			return FaultRegion
		}
	}
	if scheme == "" {
		return ""
	}
	return FaultService
}
