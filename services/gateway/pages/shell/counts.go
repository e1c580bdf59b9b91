package shell

import (
	"context"
	"net/http"
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
)

// openCount is the number in the rail; without an answer in time the rail shows none rather than the page failing.
func (s *Shell) openCount(r *http.Request) int32 {
	ctx, cancel := context.WithTimeout(r.Context(), countPatience)
	defer cancel()
	list, err := s.deps.Notification.ListNotifications(ctx, &notificationv1.ListNotificationsRequest{PageSize: 1})
	if err != nil {
		return 0
	}
	return list.GetOpenCount()
}

// countPatience is how long a page waits for what stands beside its content: counts and what rings.
const countPatience = 300 * time.Millisecond

// deferredCount is how many consents the visitor's organisation put off that are still to come; none without an answer in time.
func (s *Shell) deferredCount(r *http.Request, a *directoryv1.Account) int32 {
	if !IsTownship(a) && !IsCounty(a) {
		return 0
	}
	ctx, cancel := context.WithTimeout(r.Context(), countPatience)
	defer cancel()
	count, err := s.deps.Consent.CountDeferredConsents(ctx, &patientrecordv1.CountDeferredConsentsRequest{})
	if err != nil {
		return 0
	}
	return count.GetCount()
}
