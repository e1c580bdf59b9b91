package text_test

import (
	"maps"
	"slices"
	"strings"

	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
)

// capacityCodes are those of what can be booked, and of what goes out of the house.
func capacityCodes() map[string][]string {
	modalities := strings.Fields("CT MR US DX MG NM ES ECG LAB PF OTHER")
	policy := strings.Fields("reservePercent expertPercent commonDays reserveLeadDays fallbackHours")
	outcomes := strings.Fields("SENT REFUSED LIMITED AWAY SETUP UNKNOWN OPEN")
	reasons := slices.DeleteFunc(slices.Collect(maps.Values(notificationv1.DeliveryReason_Code_name)), func(code string) bool { return code == "UNSPECIFIED" })
	return map[string][]string{
		"slot.kind": strings.Fields("CLINIC EXAM EXPERT BED"), "slot.grade": strings.Fields("GENERAL EXPERT"), "modality": modalities,
		"schedules.tab":     strings.Fields("sessions templates exceptions equipment policy files"),
		"schedules.pattern": strings.Fields("WEEKLY INTERVAL SOLAR_DIGITS LUNAR_DIGITS"),
		"schedules.effect":  strings.Fields("CLOSED WORKDAY SUBSTITUTE"), "schedules.half": strings.Fields("AM PM"),
		"schedules.reason": strings.Fields("HOLIDAY LEAVE TRAINING EQUIPMENT EPIDEMIC OTHER"),
		"schedules.day":    strings.Split("1234567", ""), "schedules.weekday": strings.Split("1234567", ""), "schedules.digit": strings.Split("0123456789", ""),
		"schedules.import.reason": strings.Fields("FIELD_REQUIRED FIELD_INVALID FIELD_TOO_LONG FIELD_OUT_OF_RANGE FIELD_UNKNOWN FIELD_COMBINATION"),
		"field.policy":            policy, "schedules.policy.help": policy, "schedules.policy.unit": policy,
		"sessions.slot":   strings.Fields("free reserved held taken blocked"),
		"sessions.closed": strings.Fields("OWN_PATIENT BREAK OTHER CANCELLED"),
		"waitlist.state":  strings.Fields("WAITING OFFERED PLACED LEFT ENDED"),
		"beds.class":      strings.Fields("GENERAL ICU ISOLATION MATERNITY PAEDIATRIC REHABILITATION PALLIATIVE"),
		"beds.sex":        strings.Fields("MALE FEMALE"), "beds.out": strings.Fields("INFECTION REPAIR OWN_PATIENT OTHER CLOSED"), "beds.part": strings.Fields("free held taken out"),
		"beds.state":         strings.Fields("FREE HELD BOOKED OCCUPIED CLEANING OUT_OF_SERVICE"),
		"deliveries.state":   strings.Fields("PENDING SENDING SENT DEAD CANCELLED SKIPPED"),
		"deliveries.to":      strings.Fields("person group patient"),
		"deliveries.breaker": strings.Fields("CLOSED OPEN HALF_OPEN"), "deliveries.outcome": outcomes,
		"deliveries.reason": reasons,
	}
}
