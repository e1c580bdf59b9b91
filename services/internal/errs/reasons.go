package errs

// Reasons are the names of tongzhen.common.v1.ErrorReason.Code, every one of them; a test holds the two together.
const (
	ReasonFieldRequired       string = "FIELD_REQUIRED"
	ReasonFieldInvalid        string = "FIELD_INVALID"
	ReasonFieldTooLong        string = "FIELD_TOO_LONG"
	ReasonFieldOutOfRange     string = "FIELD_OUT_OF_RANGE"
	ReasonFieldUnknown        string = "FIELD_UNKNOWN"
	ReasonFieldIdentityNumber string = "FIELD_IDENTITY_NUMBER"
	ReasonFieldCombination    string = "FIELD_COMBINATION"
	ReasonVersionRequired     string = "VERSION_REQUIRED"
	ReasonFieldTaken          string = "FIELD_TAKEN"
	ReasonFieldNotGrantable   string = "FIELD_NOT_GRANTABLE"
	ReasonFieldSame           string = "FIELD_SAME"
	ReasonFileRefused         string = "FILE_REFUSED"
	ReasonFieldRecognisable   string = "FIELD_RECOGNISABLE"
	ReasonNotRecognisable     string = "FIELD_NOT_RECOGNISABLE"

	ReasonSessionExpired string = "SESSION_EXPIRED"
	ReasonBadCredentials string = "BAD_CREDENTIALS"
	ReasonOTPRequired    string = "OTP_REQUIRED"
	ReasonLocked         string = "LOCKED"
	ReasonOneTimeExpired string = "ONE_TIME_PASSWORD_EXPIRED"

	ReasonRole               string = "ROLE"
	ReasonBreakGlassRequired string = "BREAK_GLASS_REQUIRED"
	ReasonNotTheAuthor       string = "NOT_THE_AUTHOR"
	ReasonPurposeRequired    string = "PURPOSE_REQUIRED"
	ReasonPasswordChange     string = "PASSWORD_CHANGE_REQUIRED"
	ReasonOwnAccount         string = "OWN_ACCOUNT"
	ReasonAccountNotYours    string = "ACCOUNT_NOT_YOURS"

	ReasonNotFound string = "NOT_FOUND"

	ReasonStaleVersion       string = "STALE_VERSION"
	ReasonRequestIDReused    string = "REQUEST_ID_REUSED"
	ReasonOpenReferralExists string = "OPEN_REFERRAL_EXISTS"
	ReasonSlotTaken          string = "SLOT_TAKEN"
	ReasonBookingLost        string = "BOOKING_LOST"
	ReasonAlreadyRegistered  string = "ALREADY_REGISTERED"
	ReasonHoldExpired        string = "HOLD_EXPIRED"
	ReasonConsentExists      string = "CONSENT_EXISTS"
	ReasonAttachmentExists   string = "ATTACHMENT_EXISTS"

	ReasonActionNotAvailable string = "ACTION_NOT_AVAILABLE"
	ReasonEntrySealed        string = "ENTRY_SEALED"
	ReasonEntryElsewhere     string = "ENTRY_ELSEWHERE"
	ReasonEntryWithdrawn     string = "ENTRY_WITHDRAWN"
	ReasonNotYetOpen         string = "NOT_YET_OPEN"
	ReasonLastAdministrator  string = "LAST_ADMINISTRATOR"

	ReasonRateLimited string = "RATE_LIMITED"
	ReasonPeerAway    string = "PEER_AWAY"
	ReasonScannerAway string = "SCANNER_AWAY"
	ReasonInternal    string = "INTERNAL"
)
