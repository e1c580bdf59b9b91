package parts

import (
	"net/url"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// SetDowntime reads the part "downtime" of a form: on which form with a number printed beforehand the referral was written while the system was away, and
// when, in the county's zone. What is not typed or cannot be read is left out; the service says what is missing.
func SetDowntime(request *referralv1.CreateReferralRequest, form url.Values, zone *time.Location) {
	request.BlankNumber = strings.TrimSpace(form.Get("blankNumber"))
	if at, err := time.ParseInLocation("2006-01-02T15:04", form.Get("writtenTime"), zone); err == nil {
		request.WrittenTime = timestamppb.New(at)
	}
}
