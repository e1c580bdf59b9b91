package domain

import (
	"errors"
	"time"
)

// Channels on which a message leaves the house. The inbox is none of them: it is always told.
const (
	WeComRobot    = "WECOM_ROBOT"
	WeComApp      = "WECOM_APP"
	DingTalkRobot = "DINGTALK_ROBOT"
	Email         = "EMAIL"
	SMS           = "SMS"
	Webhook       = "WEBHOOK"
)

// TestTemplate is the template of a message that somebody sends to try an address.
const TestTemplate = "TEST"

// PatientBooked is the template of what a patient is told of a booking.
const PatientBooked = "PATIENT_BOOKED"

// Channels are all there are.
func Channels() []string { return []string{WeComRobot, WeComApp, DingTalkRobot, Email, SMS, Webhook} }

// ErrDispatch says that a message to go out has a gap, or more than one recipient.
var ErrDispatch = errors.New("a message needs an id, a channel, a template and exactly one recipient")

// Dispatch is one message that is to leave the house: ids and codes, worded when it is sent. Template is a key of the table of texts
// (internal/words): of what staff are told the event itself, of what patients are told PATIENT_ and a name. Its recipient is exactly one of a person (AccountID), a group
// (OrganizationID, with or without DepartmentCode) and a patient (PatientID).
type Dispatch struct {
	County, ID                     string
	AccountID                      string
	OrganizationID, DepartmentCode string
	PatientID                      string
	Channel, Template, Language    string
	Meant                          []Meant // as whom the person is told; empty: as nobody in particular
	EntryID, AlarmID               string  // what ends it when it is acknowledged, through its link too; a group has an alarm at most, a patient neither
	FactID, Event                  string
	ReferralID, ReferralNumber     string
	FromOrganizationID             string // who did what is told; named in the text
	BookingID                      string // where and when are asked at the moment of sending
	Urgency, Step                  string
	Ring                           int       // of an alarm: the how-manieth
	DueTime                        time.Time // not before; after quiet hours
	Digest                         bool      // may go with others of the same recipient and channel that are due then
}

// Check is ErrDispatch for a gap.
func (d Dispatch) Check() error {
	recipients := 0
	for _, id := range []string{d.AccountID, d.OrganizationID, d.PatientID} {
		if id != "" {
			recipients++
		}
	}
	if d.County == "" || d.ID == "" || d.Channel == "" || d.Template == "" || d.DueTime.IsZero() || recipients != 1 {
		return ErrDispatch
	}
	return nil
}

// String is the id: a message never formats as more.
func (d Dispatch) String() string { return "delivery " + d.ID }
