package app_test

import (
	"testing"

	"github.com/tongzhen/tongzhen/services/internal/id"
	"github.com/tongzhen/tongzhen/services/scheduling/internal/app"
)

func TestWhatIsToComeIsCountedWithoutALimitOfDays(t *testing.T) {
	eachCalendar(t, func(c *calendar) {
		account, other := id.New(), id.New()
		mine := c.template()
		mine.PractitionerID, mine.PractitionerName = account, "甲"
		mine, _ = c.save(mine)
		namesake := c.template()
		namesake.PractitionerID, namesake.PractitionerName, namesake.DepartmentCode = other, "甲", "02"
		c.save(namesake)
		byHand := c.template()
		byHand.PractitionerID, byHand.PractitionerName, byHand.DepartmentCode = "0815", "甲", "02"
		byHand, _ = c.save(byHand)
		sessions := c.sessions()
		var booked, n int
		for _, s := range sessions {
			if s.TemplateID != mine.ID {
				continue
			}
			if n++; booked < 2 {
				_, uses := c.session(s.ID)
				c.book(freeCommon(uses))
				booked++
			}
		}
		// In the past nothing is to come; a cancelled session counts by who is left in it.
		all, parts, err := c.Coming(c.t.Context(), app.ComingQuery{County: county, IDs: []string{account, "0001"}, Name: "甲"})
		if err != nil || len(parts) != 2 {
			c.t.Fatalf("%+v, %v", parts, err)
		}
		first, second := parts[1], parts[0]
		if first.TemplateID != mine.ID || first.Sessions != n || first.Taken != booked || len(first.FirstDay) != len("2026-03-18") || first.LastDay < first.FirstDay {
			c.t.Errorf("%+v, want %d sessions", first, n)
		}
		if second.TemplateID != byHand.ID || second.Taken != 0 || all.Sessions != n+second.Sessions || all.Taken != booked {
			c.t.Errorf("%+v, %+v", second, all)
		}
		place, _, err := c.Coming(c.t.Context(), app.ComingQuery{County: county, OrganizationID: c.org})
		if err != nil || place.Sessions != len(sessions) || place.Taken != booked {
			c.t.Errorf("%+v, %v, want %d", place, err, len(sessions))
		}
		if none, _, err := c.Coming(c.t.Context(), app.ComingQuery{County: county, OrganizationID: c.org, Department: "0304"}); err != nil || none.Sessions != n {
			c.t.Errorf("a department: %+v, %v", none, err)
		}
		if none, _, err := c.Coming(c.t.Context(), app.ComingQuery{County: "450399"}); err != nil || none != (app.ComingPart{}) {
			c.t.Errorf("another county: %+v, %v", none, err)
		}
	})
}
