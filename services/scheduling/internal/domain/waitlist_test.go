package domain_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tongzhen/tongzhen/services/scheduling/internal/domain"
)

func aCase() domain.Case {
	return domain.Case{County: "450321", ReferralID: "r", Version: 3, PatientID: "p", State: "SUBMITTED", Direction: "UP", Urgency: "ROUTINE",
		SenderOrganizationID: "township", ReceiverOrganizationID: "hospital", ReceiverDepartment: "0304"}
}

func clinicWish() domain.Wish {
	return domain.Wish{Kind: domain.KindClinic, FirstDay: "2026-03-18", LastDay: "2026-04-01"}
}

func entry(t *testing.T) *domain.Entry {
	t.Helper()
	e, err := domain.NewEntry("e", "a", aCase(), clinicWish(), now)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAnEntryThatIsOverNeverComesBack(t *testing.T) {
	t.Parallel()
	for _, row := range domain.WaitLifecycle() {
		if row.From != "" && !row.From.Waits() {
			t.Errorf("%v leaves a final state", row)
		}
	}
	e := entry(t)
	if err := e.Leave(); err != nil {
		t.Fatal(err)
	}
	later := aCase()
	later.Version, later.State = 9, "SUBMITTED"
	if err := errors.Join(e.Leave(), e.Follow(later)); err != nil || e.Data().State != domain.Left {
		t.Errorf("%v, %s", err, e.Data().State)
	}
	if err := e.Offer(domain.HoldData{ID: "h"}); !errors.Is(err, domain.ErrNoEntry) {
		t.Errorf("an offer to one that left: %v", err)
	}
}

func TestFactsOfTheReferralPlaceOrEndItsEntry(t *testing.T) {
	t.Parallel()
	with := func(change func(*domain.Case)) domain.Case {
		c := aCase()
		c.Version++
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		fact domain.Case
		want domain.WaitState
	}{
		"accepted":             {with(func(c *domain.Case) { c.State = "ACCEPTED" }), domain.Placed},
		"declined":             {with(func(c *domain.Case) { c.State = "DECLINED" }), domain.Ended},
		"cancelled":            {with(func(c *domain.Case) { c.State = "CANCELLED" }), domain.Ended},
		"arrived":              {with(func(c *domain.Case) { c.State = "ARRIVED" }), domain.Ended},
		"redirected":           {with(func(c *domain.Case) { c.ReceiverDepartment = "0501" }), domain.Ended},
		"returned":             {with(func(c *domain.Case) { c.State = "RETURNED" }), domain.Waiting},
		"what it knew already": {with(func(c *domain.Case) { c.State, c.Version = "DECLINED", 3 }), domain.Waiting},
	} {
		e := entry(t)
		if err := e.Follow(c.fact); err != nil || e.Data().State != c.want {
			t.Errorf("%s: %s, %v; want %s", name, e.Data().State, err, c.want)
		}
	}
	e := entry(t)
	if err := e.Follow(with(func(c *domain.Case) { c.Urgency = "URGENT" })); err != nil || e.Data().Rank() != 2 {
		t.Errorf("another urgency: rank %d, %v", e.Data().Rank(), err)
	}
}

func TestAnOfferThatNobodyTookEndsTheEntryAndOneThatWasFreedLetsItWait(t *testing.T) {
	t.Parallel()
	place := domain.Place{SlotID: "s", Start: now.Add(30 * time.Hour)}
	for name, c := range map[string]struct {
		hold domain.HoldData
		want domain.WaitState
	}{
		"not taken up in its time":            {domain.HoldData{State: domain.Expired, Place: place, KeepUntil: now.Add(24 * time.Hour)}, domain.Ended},
		"cut short by the slot's beginning":   {domain.HoldData{State: domain.Expired, Place: place, KeepUntil: place.Start}, domain.Waiting},
		"freed by somebody else":              {domain.HoldData{State: domain.Released, Place: place, KeepUntil: now.Add(24 * time.Hour)}, domain.Waiting},
		"a bed that was not taken in a while": {domain.HoldData{State: domain.Expired, Place: domain.Place{BedID: "b", Start: now}, KeepUntil: now.Add(time.Hour)}, domain.Ended},
	} {
		e := entry(t)
		if err := e.Offer(domain.HoldData{ID: "h", KeepUntil: now.Add(time.Hour)}); err != nil || e.Data().HoldID != "h" {
			t.Fatal(err)
		}
		if err := e.OfferEnded(c.hold); err != nil || e.Data().State != c.want || e.Data().HoldID != "" {
			t.Errorf("%s: %s, %v", name, e.Data().State, err)
		}
	}
}

func TestAWishForAPlaceThatThereIsNotIsRefused(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*domain.Wish){
		"kind": func(w *domain.Wish) { w.Kind = "PARTY" }, "days": func(w *domain.Wish) { w.LastDay = "2026-03-01" },
		"a clinic's modality": func(w *domain.Wish) { w.Modality = "CT" }, "a clinic's ward": func(w *domain.Wish) { w.Class = "ICU" },
		"a bed's doctor": func(w *domain.Wish) { w.Kind, w.PractitionerID = domain.KindBed, "p" },
	} {
		w := clinicWish()
		spoil(&w)
		if _, err := domain.NewEntry("e", "a", aCase(), w, now); !errors.Is(err, domain.ErrWish) {
			t.Errorf("%s: %v", name, err)
		}
	}
	e := entry(t)
	for range 2 {
		w := clinicWish()
		w.LastDay = "2026-03-20"
		if err := e.Change(w); err != nil {
			t.Fatal(err)
		}
	}
	if _, events := e.Changes(); len(events) != 2 {
		t.Errorf("the same wish again: %d events", len(events))
	}
}

func TestABedShowsWhoHasItBeforeWhatIsSaidOfIt(t *testing.T) {
	t.Parallel()
	until := now.Add(time.Hour)
	for name, c := range map[string]struct {
		bed   domain.BedData
		want  domain.BedState
		until time.Time
	}{
		"free":           {domain.BedData{}, domain.BedFree, time.Time{}},
		"cleaning":       {domain.BedData{CleaningUntil: until}, domain.BedCleaning, until},
		"cleaned":        {domain.BedData{CleaningUntil: now}, domain.BedFree, time.Time{}},
		"out of service": {domain.BedData{OutReason: "REPAIR", CleaningUntil: until}, domain.BedOutOfService, time.Time{}},
		"held":           {domain.BedData{OutReason: "REPAIR", Hold: domain.HoldData{ID: "h", State: domain.Held, ExpireTime: until}}, domain.BedHeld, until},
		"booked":         {domain.BedData{Hold: domain.HoldData{ID: "h", State: domain.Live, BookingID: "b"}, Case: domain.Case{State: "ACCEPTED"}}, domain.BedBooked, time.Time{}},
		"occupied":       {domain.BedData{Hold: domain.HoldData{ID: "h", State: domain.Live, BookingID: "b"}, Case: domain.Case{State: "ADMITTED"}}, domain.BedOccupied, time.Time{}},
	} {
		if got := c.bed.State(now); got != c.want || !c.bed.Until(now).Equal(c.until) {
			t.Errorf("%s: %s until %s", name, got, c.bed.Until(now))
		}
	}
	if err := (domain.WardData{Class: "ICU", CleaningMinutes: domain.MaxCleaning + 1}).Check(); !errors.Is(err, domain.ErrWard) {
		t.Errorf("two days of cleaning: %v", err)
	}
}

func TestDaysAreCountedByTheCalendarToTheThirdFreeSlot(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("county", 8*60*60)
	late := time.Date(2026, time.March, 18, 23, 50, 0, 0, zone)
	for name, c := range map[string]struct {
		w    domain.WaitingTime
		want int
	}{
		"tomorrow, ten minutes from now": {domain.WaitingTime{Kind: "CLINIC", ThirdStart: late.Add(10 * time.Minute).UTC()}, 1},
		"in a week":                      {domain.WaitingTime{Kind: "CLINIC", ThirdStart: late.AddDate(0, 0, 7)}, 7},
		"there are not three":            {domain.WaitingTime{Kind: "EXAM", NextStart: late.Add(time.Hour)}, -1},
		"passed":                         {domain.WaitingTime{Kind: "EXAM", ThirdStart: late.Add(-time.Hour)}, -1},
		"a free bed":                     {domain.WaitingTime{Kind: "BED", Free: 1}, 0},
		"no bed":                         {domain.WaitingTime{Kind: "BED"}, -1},
	} {
		if got := c.w.Days(late); got != c.want {
			t.Errorf("%s: %d days, want %d", name, got, c.want)
		}
	}
}
