package garmintest

import (
	"net/http"
	"strings"
)

// The JSON of the sign-in calls, member for member as recorded.

type responseStatus struct {
	Type       string `json:"type"`
	Message    string `json:"message"`
	HTTPStatus string `json:"httpStatus"`
}

type loginReply struct {
	ServiceURL           *string        `json:"serviceURL"`
	ServiceTicketID      *string        `json:"serviceTicketId"`
	ResponseStatus       responseStatus `json:"responseStatus"`
	ResponseReason       *string        `json:"responseReason"`
	CustomerMFAInfo      *mfaInfo       `json:"customerMfaInfo"`
	ConsentTypeList      []string       `json:"consentTypeList"`
	CaptchaAlreadyPassed bool           `json:"captchaAlreadyPassed"`
	SAMLResponse         *string        `json:"samlResponse"`
	AuthType             *string        `json:"authType"`
}

type mfaInfo struct {
	Email             *string      `json:"email"`
	PhoneNumber       *string      `json:"phoneNumber"`
	MFALastMethodUsed *string      `json:"mfaLastMethodUsed"`
	DefaultMFAMethod  *string      `json:"defaultMfaMethod"`
	MFAUISetting      mfaUISetting `json:"mfaUISetting"`
}

type mfaUISetting struct {
	AllowPhoneOption        bool `json:"allowPhoneOption"`
	AllowAddEmailAddress    bool `json:"allowAddEmailAddress"`
	ChooseDifferentWayShown bool `json:"chooseDifferentWayShown"`
}

// codeReply is what verifyCode answers: fewer members than a login.
type codeReply struct {
	ServiceURL      *string        `json:"serviceURL"`
	ServiceTicketID *string        `json:"serviceTicketId"`
	ResponseStatus  responseStatus `json:"responseStatus"`
	ResponseReason  *string        `json:"responseReason"`
	SAMLResponse    *string        `json:"samlResponse"`
	AuthType        *string        `json:"authType"`
}

func statusOf(code int, typ, message string) responseStatus {
	name := strings.ToUpper(strings.ReplaceAll(http.StatusText(code), " ", "_"))
	return responseStatus{Type: typ, Message: message, HTTPStatus: name}
}

func signedIn(service, ticket string) loginReply {
	return loginReply{
		ServiceURL: &service, ServiceTicketID: &ticket,
		ResponseStatus: statusOf(http.StatusOK, "SUCCESSFUL", ""), AuthType: new("CAS"),
	}
}

func codeAccepted(service, ticket string) codeReply {
	return codeReply{
		ServiceURL: &service, ServiceTicketID: &ticket,
		ResponseStatus: statusOf(http.StatusOK, "SUCCESSFUL", ""), AuthType: new("CAS"),
	}
}

func refusedLogin(status int, typ, message string) loginReply {
	return loginReply{ResponseStatus: statusOf(status, typ, message)}
}

func refusedCode(status int, typ, message string) codeReply {
	return codeReply{ResponseStatus: statusOf(status, typ, message)}
}

func codeWanted(a Account) loginReply {
	info := mfaInfo{MFALastMethodUsed: &a.MFA, MFAUISetting: mfaUISetting{AllowPhoneOption: true}}
	switch a.MFA {
	case "email":
		info.Email = new(maskEmail(a.Email))
	case "sms":
		info.PhoneNumber = new("*******0123")
	}
	return loginReply{
		ResponseStatus:  statusOf(http.StatusOK, "MFA_REQUIRED", ""),
		CustomerMFAInfo: &info,
		ConsentTypeList: []string{},
	}
}

// maskEmail keeps the first two letters and the domain, as Garmin does.
func maskEmail(email string) string {
	name, domain, _ := strings.Cut(email, "@")
	return name[:min(2, len(name))] + "*****@" + domain
}
