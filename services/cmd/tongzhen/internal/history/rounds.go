package history

import (
	"context"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	directoryv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/directory/v1"
	notificationv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/notification/v1"
	patientrecordv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/patientrecord/v1"
	referralv1 "github.com/tongzhen/tongzhen/proto/gen/go/tongzhen/referral/v1"
)

// settle is what the county sets on its first day: the hospital accepts what the centres measured.
func (m *maker) settle() {
	m.in(time.Minute, func(ctx context.Context) error {
		return m.by(ctx, m.cast.admin, func(ctx context.Context) error {
			s, err := m.Recognition.GetRecognitionSettings(ctx, &patientrecordv1.GetRecognitionSettingsRequest{})
			if err != nil || s.GetLower() {
				return err
			}
			s.Lower = true
			_, err = m.Recognition.UpdateRecognitionSettings(ctx, &patientrecordv1.UpdateRecognitionSettingsRequest{Settings: s, RequestId: m.request()})
			return err
		})
	})
}

// rounds are what people do by the calendar: every afternoon the centres go through their follow-ups, every Friday everybody through the inbox.
func (m *maker) rounds() {
	last := startOfDay(m.options.Until)
	for d := startOfDay(m.begin).AddDate(0, 0, 1); d.Before(last); d = d.AddDate(0, 0, 1) {
		m.at(d.Add(16*time.Hour), m.visits)
		if d.Weekday() == time.Friday {
			m.at(d.Add(17*time.Hour+30*time.Minute), m.readInboxes)
		}
	}
}

func (m *maker) visits(ctx context.Context) error {
	for _, c := range m.cast.centres {
		if err := m.visitsOf(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// visitsOf makes those visits and checks of a centre whose time has come; some are made late, some never.
func (m *maker) visitsOf(ctx context.Context, c *centre) error {
	who := c.doctors[0]
	return m.by(ctx, who, func(ctx context.Context) error {
		due, err := m.FollowUp.ListFollowUps(ctx, &referralv1.ListFollowUpsRequest{PageSize: 200})
		if err != nil {
			return err
		}
		list := slices.Clone(due.GetFollowUps())
		slices.SortFunc(list, func(a, b *referralv1.FollowUp) int {
			return strings.Compare(a.GetReferralNumber()+a.GetSource()+strconv.Itoa(int(a.GetVisit())), b.GetReferralNumber()+b.GetSource()+strconv.Itoa(int(b.GetVisit())))
		})
		for _, f := range list {
			if int(f.GetOverdueDays()) != lateness(f) || f.GetTheirs() {
				continue
			}
			if err := m.visit(ctx, who, f); err != nil {
				return err
			}
		}
		return nil
	})
}

// lateness is after how many days somebody gets to it: for most on the day, for some never.
func lateness(f *referralv1.FollowUp) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(f.GetReferralNumber() + f.GetCode() + strconv.Itoa(int(f.GetVisit())))) // a hash takes everything
	switch n := h.Sum32() % 100; {
	case n < 74:
		return 0
	case n < 86:
		return 4
	case n < 93:
		return 9
	}
	return -1
}

func (m *maker) visit(ctx context.Context, who *directoryv1.Account, f *referralv1.FollowUp) error {
	if f.GetSource() == "NORM" {
		_, err := m.FollowUp.RecordCheck(ctx, &referralv1.RecordCheckRequest{Id: f.GetId(), RequestId: m.request(), Result: pick(m, "WENT", "WENT", "WENT", "WENT", "NOT_GONE", "NOT_REACHED")})
		return err
	}
	_, err := m.act(ctx, who, f.GetReferralId(), states(referralv1.State_FOLLOW_UP), func(ctx context.Context, r *referralv1.Referral) (*referralv1.Referral, error) {
		result := pick(m, "STABLE", "STABLE", "STABLE", "IMPROVED", "IMPROVED", "NOT_REACHED")
		r, err := m.Referral.RecordVisit(ctx, &referralv1.RecordVisitRequest{
			Id: r.GetId(), Version: r.GetVersion(), RequestId: m.request(), Visit: f.GetVisit(),
			Findings: &referralv1.Findings{Result: result, MedicationTaking: pick(m, "REGULAR", "REGULAR", "REGULAR", "IRREGULAR"), Note: "按计划随访。"},
		})
		if err != nil || !complete(r) {
			return r, err
		}
		return m.Referral.Complete(ctx, &referralv1.CompleteRequest{Id: r.GetId(), Version: r.GetVersion(), RequestId: m.request(), OutcomeCode: "IMPROVED"})
	})
	return err
}

// complete: nothing is left to visit for.
func complete(r *referralv1.Referral) bool {
	return !slices.ContainsFunc(r.GetPlan().GetVisits(), func(v *referralv1.PlannedVisit) bool { return !v.GetDone() })
}

// readInboxes: everybody acknowledges what has been there since before yesterday.
func (m *maker) readInboxes(ctx context.Context) error {
	for _, who := range m.cast.all {
		if err := m.by(ctx, who, func(ctx context.Context) error { return m.readInbox(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

func (m *maker) readInbox(ctx context.Context) error {
	var cases []string
	for token := ""; ; {
		page, err := m.Notification.ListNotifications(ctx, &notificationv1.ListNotificationsRequest{PageSize: 200, PageToken: token})
		if err != nil {
			return err
		}
		for _, n := range page.GetNotifications() {
			if n.GetCreateTime().AsTime().Before(m.world.Now().Add(-2*oneDay)) && n.GetReferralId() != "" && !slices.Contains(cases, n.GetReferralId()) {
				cases = append(cases, n.GetReferralId())
			}
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	for _, id := range cases {
		if _, err := m.Notification.AcknowledgeReferral(ctx, &notificationv1.AcknowledgeReferralRequest{ReferralId: id}); err != nil {
			return err
		}
	}
	return nil
}
