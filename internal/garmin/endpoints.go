package garmin

import "net/url"

// Everything that Garmin may change without notice stands in this file: hosts, paths, client ids and the headers that
// its own apps send. [R] = seen in recordings of the real servers (garth's test cassettes), [C] = sent by a public
// client that works (python-garminconnect 0.3 client.py, garth 0.8 sso.py), [A] = assumed.

// hosts are the only names below a region's domain that are ever asked.
var hosts = []string{"sso", "connectapi", "diauth", "connect", "mobile.integration"}

// A Flow is one way to sign in. Garmin limits each client id on its own, and a ticket is bound to the service URL
// that it was asked for.
type Flow struct {
	name      string
	clientID  string
	service   string // path below mobile.integration.<domain>
	page      string // sign-in page to open first, "" for none
	api       string // path of the JSON calls
	userAgent string
}

// The mobile apps' sign-in.
var (
	// IOS [C]: no page first; a plain net/http client was seen to sign in this way in 2026-08.
	IOS = Flow{
		name:      "ios",
		clientID:  "GCM_IOS_DARK",
		service:   "/gcm/ios",
		api:       "/mobile/api",
		userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
	}
	// Android [R]: opens the sign-in page for its cookies, then signs in.
	Android = Flow{
		name:      "android",
		clientID:  "GCM_ANDROID_DARK",
		service:   "/gcm/android",
		page:      "/mobile/sso/en/sign-in",
		api:       "/mobile/api",
		userAgent: "Mozilla/5.0 (Linux; Android 14; Pixel 8 Pro) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
	}
)

// knownFlows are those that a stored challenge may name.
var knownFlows = []Flow{IOS, Android}

const (
	pathLogin   = "/login"          // [R]
	pathVerify  = "/mfa/verifyCode" // [R]
	pathResend  = "/mfa/sendCode"   // [A]
	pathToken   = "/di-oauth2-service/oauth/token"
	pathProfile = "/userprofile-service/socialProfile" // [R]

	// grantTicket is the same on garmin.cn [C].
	grantTicket  = "https://connectapi.garmin.com/di-oauth2-service/oauth/grant/service_ticket"
	grantRefresh = "refresh_token"
)

// builtInClientIDs are the ids of Garmin's own apps at the token service, newest first [C].
var builtInClientIDs = []string{
	"GARMIN_CONNECT_MOBILE_ANDROID_DI_2025Q2",
	"GARMIN_CONNECT_MOBILE_ANDROID_DI_2024Q4",
	"GARMIN_CONNECT_MOBILE_ANDROID_DI",
	"GARMIN_CONNECT_MOBILE_IOS_DI",
}

// appHeaders are what the Android app sends to the token service and the API [C].
var appHeaders = map[string]string{
	"User-Agent":                  "GCM-Android-5.23",
	"X-Garmin-User-Agent":         "com.garmin.android.apps.connectmobile/5.23; ; Google/sdk_gphone64_arm64/google; Android/33; Dalvik/2.1.0",
	"X-Garmin-Paired-App-Version": "10861",
	"X-Garmin-Client-Platform":    "Android",
	"X-App-Ver":                   "10861",
	"X-Lang":                      "en",
	"X-GCExperience":              "GC5",
	"Accept-Language":             "en-US,en;q=0.9",
}

func origin(r Region, host string) string { return "https://" + host + "." + string(r) }

func (f Flow) serviceURL(r Region) string { return origin(r, "mobile.integration") + f.service }

func (f Flow) pageURL(r Region) string {
	return origin(r, "sso") + f.page + "?" + url.Values{"clientId": {f.clientID}}.Encode()
}

func (f Flow) apiURL(r Region, path string) string {
	q := url.Values{"clientId": {f.clientID}, "locale": {"en-US"}, "service": {f.serviceURL(r)}}
	return origin(r, "sso") + f.api + path + "?" + q.Encode()
}
