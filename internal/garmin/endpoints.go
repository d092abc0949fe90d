package garmin

import "time"

// Everything that Garmin may change without notice stands in this file: hosts, paths, client ids and the headers that
// its own apps send. [R] = seen in recordings of the real servers (garth's test cassettes), [C] = sent by a public
// client that works (python-garminconnect 0.3 client.py, garth 0.8 sso.py), [A] = assumed.

// hosts are the only names below a region's domain that are ever asked.
var hosts = []string{"sso", "connectapi", "diauth", "connect", "mobile.integration"}

// The ways to sign in, each judged by what is known of it. None of them imitates a browser beyond its headers.
var (
	// IOS [C]: no page first; a plain net/http client was seen to sign in this way in 2026-08.
	IOS = Flow{name: "ios", steps: jsonSteps{
		clientID: "GCM_IOS_DARK", host: "mobile.integration", path: "/gcm/ios", api: "/mobile/api",
		userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
	}}
	// Android [R]: opens the sign-in page for its cookies, then signs in.
	Android = Flow{name: "android", steps: jsonSteps{
		clientID: "GCM_ANDROID_DARK", host: "mobile.integration", path: "/gcm/android", api: "/mobile/api",
		page:      "/mobile/sso/en/sign-in",
		userAgent: "Mozilla/5.0 (Linux; Android 14; Pixel 8 Pro) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
	}}
	// Widget [R, C] is the HTML form that other sites embed. It names no client id, so a limited one does not bar it.
	Widget = Flow{name: "widget", pause: Pause{3 * time.Second, 8 * time.Second}, steps: widgetSteps{
		userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
	}}
	// Portal [C] is Garmin's own web page. It refuses accounts with MFA by error 427 [I].
	Portal = Flow{name: "portal", pause: Pause{10 * time.Second, 20 * time.Second}, steps: jsonSteps{
		clientID: "GarminConnect", host: "connect", path: "/app", api: "/portal/api",
		page:      "/portal/sso/en-US/sign-in",
		browser:   true,
		userAgent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
	}}
)

// knownFlows are those that a configuration or a stored challenge may name, the likeliest to work first: the two
// mobile ones are limited apart from one another, the widget by address alone, and the portal is slow and refuses MFA.
var knownFlows = []Flow{IOS, Android, Widget, Portal}

const (
	pathLogin   = "/login"          // [R]
	pathVerify  = "/mfa/verifyCode" // [R]
	pathResend  = "/mfa/sendCode"   // [A]
	pathToken   = "/di-oauth2-service/oauth/token"
	pathProfile = "/userprofile-service/socialProfile" // [R]

	pathEmbed    = "/sso/embed"                       // [R]
	pathSignIn   = "/sso/signin"                      // [R]
	pathCodePage = "/sso/verifyMFA/loginEnterMfaCode" // [R]
	pathSendCode = "/sso/verifyMFA/mfaCode"           // [C]

	pathPreauthorized = "/oauth-service/oauth/preauthorized"     // [R]
	pathOAuth1        = "/oauth-service/oauth/exchange/user/2.0" // [R]
	oauth1UserAgent   = "com.garmin.android.apps.connectmobile"  // [R]
	oauth1Audience    = "GARMIN_CONNECT_MOBILE_ANDROID_DI"       // [R]

	// consumerURL holds the key of Garmin's Android app; garth's author keeps it there [R].
	consumerURL = "https://thegarth.s3.amazonaws.com/oauth_consumer.json"

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

// widgetService is what the tickets of the widget and of the hand-off are bound to.
func widgetService(r Region) string { return origin(r, "sso") + pathEmbed }

// legacyTicket reports that OAuth1 takes tickets of this service: the Android app's and the widget's [C].
func legacyTicket(t *Ticket) bool {
	android := Android.steps.service(t.Region)
	return t.ServiceURL == android || t.ServiceURL == widgetService(t.Region)
}
